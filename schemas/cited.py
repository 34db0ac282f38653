"""Answer objects that cite: ``references`` are ids of the knowledge base, ``verified`` tells whether at least one
was seen to state the figure.
"""

from typing import Any

from marshmallow import fields

from dosing_service.model import Citations
from schemas.fields import AnswerSchema


class References(fields.Field[Any]):
    """The ids of a value's citations."""

    openapi = {"type": "array", "items": {"type": "string"}}  # noqa: RUF012 - a constant read by the contract generator

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> tuple[str, ...]:
        citations: Citations = value
        return citations.references


class Verified(fields.Field[Any]):
    """Whether at least one of a value's citations was seen to state it."""

    openapi = {"type": "boolean"}  # noqa: RUF012 - a constant read by the contract generator

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> bool:
        citations: Citations = value
        return citations.verified


class CitedSchema(AnswerSchema):
    """Base of answer objects that carry figures."""

    references = References(attribute="citations", dump_only=True)
    verified = Verified(attribute="citations", dump_only=True)


class StatedSchema(AnswerSchema):
    """Base of computed parts of an answer, whose values hold the ids and the flag themselves."""

    references = fields.List(fields.String())
    verified = fields.Boolean()
