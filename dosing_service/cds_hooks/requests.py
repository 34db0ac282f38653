"""Reads what every call must hold; everything else in it is optional, and what is not known is ignored (rules 6-11)."""

from collections.abc import Mapping
from typing import Any

from dosing_service.cds_hooks.services import Service
from dosing_service.errors import MalformedBody, Problem
from dosing_service.fhir.orders import PLACES as ORDERS
from dosing_service.model import Value


class Authorization(Value, frozen=True):
    """How the FHIR server of the client may be asked. The token is used once and never stored or logged."""

    server: str
    token: str


class Call(Value, frozen=True):
    """A call of a service: its context, and what the client sent ahead."""

    instance: str
    context: Mapping[str, Any]
    prefetch: Mapping[str, Any]
    authorization: Authorization | None


def read_call(document: Any, service: Service) -> Call:
    """Return the call in ``document``.

    Raises:
        MalformedBody: 400, when hook, hookInstance, context or its orders are missing, or the hook is another one.
    """
    if not isinstance(document, dict):
        raise _refused("", "not-an-object", "a JSON object is expected here", "a CDS Hooks request")
    hook, instance, context = (document.get(name) for name in ("hook", "hookInstance", "context"))
    if hook is None:
        raise _refused("/hook", "missing", "this field is required", service.hook)
    if hook != service.hook:
        raise _refused("/hook", "other-hook", "this service answers another hook", service.hook)
    if not isinstance(instance, str) or not instance:
        raise _refused("/hookInstance", "missing", "this field is required", "a UUID that is new for each call")
    if not isinstance(context, dict):
        raise _refused("/context", "missing", "this field is required", "an object with patientId and draftOrders")
    if all(context.get(name) is None for name in ORDERS):
        # No card means that nothing is wrong with the orders, which cannot be said of orders that were not sent.
        raise _refused("/context/draftOrders", "missing", "this field is required", "a Bundle of the unsigned orders")
    prefetch = document.get("prefetch")
    return Call(instance, context, prefetch if isinstance(prefetch, dict) else {}, _authorization(document))


def _authorization(document: Mapping[str, Any]) -> Authorization | None:
    server, given = document.get("fhirServer"), document.get("fhirAuthorization")
    token = given.get("access_token") if isinstance(given, dict) else None
    if not isinstance(server, str) or not isinstance(token, str) or not token:
        return None
    return Authorization(server, token)


def _refused(pointer: str, code: str, detail: str, expected: str) -> MalformedBody:
    return MalformedBody(Problem(pointer, code, detail, expected))
