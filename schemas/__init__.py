"""The wire contract as marshmallow schemas, one file per resource. They know the values of ``dosing_service.model``
and nothing else of the service.
"""
