"""Turns documents into requests, and what marshmallow says of a bad one into problems with JSON pointers."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from marshmallow import ValidationError

from dosing_service import age
from dosing_service.errors import InvalidRequest, Problem
from dosing_service.model import DoseRequest, OrderRequest, TreatmentRequest
from schemas.dose_calculations import DoseRequestSchema
from schemas.fields import StrictSchema
from schemas.order_checks import OrderCheckRequestSchema
from schemas.treatment_options import TreatmentRequestSchema

#: Names longer than this are not repeated in a pointer: they are no field name, whatever they are.
_LONGEST_NAME = 64
_DOSE_REQUEST = DoseRequestSchema()
_ORDER_REQUEST = OrderCheckRequestSchema()
_TREATMENT_REQUEST = TreatmentRequestSchema()


def dose_request(document: Any, today: date | None = None) -> DoseRequest:
    """Return the dose request in ``document``, whose numbers are :class:`~decimal.Decimal`.

    The clock is looked at only when a birth date, a dated weight or a dated result comes without ``as_of``; the day
    used is echoed in the answer.

    Raises:
        InvalidRequest: the document does not fit the contract; every problem carries its JSON pointer.
    """
    asked: DoseRequest = _loaded(_DOSE_REQUEST, document, today)
    return asked


def order_request(document: Any, today: date | None = None) -> OrderRequest:
    """Return the orders in ``document``; see :func:`dose_request`."""
    asked: OrderRequest = _loaded(_ORDER_REQUEST, document, today)
    return asked


def treatment_request(document: Any, today: date | None = None) -> TreatmentRequest:
    """Return the request for treatment options in ``document``; see :func:`dose_request`."""
    asked: TreatmentRequest = _loaded(_TREATMENT_REQUEST, document, today)
    return asked


def _loaded(schema: StrictSchema, document: Any, today: date | None) -> Any:
    try:
        return schema.load(_dated(document, today))
    except ValidationError as error:
        raise InvalidRequest(*_problems(error.messages)) from error


def _dated(document: Any, today: date | None) -> Any:
    if not isinstance(document, dict) or "as_of" in document:
        return document
    patient = document.get("patient")
    if not isinstance(patient, dict) or not _needs_a_day(patient):
        return document
    return document | {"as_of": (today or age.today()).isoformat()}


def _needs_a_day(patient: Mapping[str, Any]) -> bool:
    """Tell whether the answer depends on the day: an age from a birth date, the age of a weight or of a result."""
    results = patient.get("observations")
    dated = [patient.get(name) for name in ("weight", "height", "previous_weight")]
    if isinstance(results, list):
        dated += results
    return "birth_date" in patient or any(isinstance(item, dict) and "measured_on" in item for item in dated)


def _problems(messages: Any, pointer: str = "") -> Iterator[Problem]:
    """Yield the problems in marshmallow's nested messages; a leaf is a :class:`~schemas.fields.Fault`."""
    if isinstance(messages, tuple):
        yield Problem(pointer, *messages)
    elif isinstance(messages, Mapping):
        for key, inner in messages.items():
            yield from _problems(inner, pointer if key == "_schema" else f"{pointer}/{_token(key)}")
    else:
        for inner in messages:
            yield from _problems(inner, pointer)


def _token(key: Any) -> str:
    name = str(key)
    if len(name) > _LONGEST_NAME or not name.isprintable():
        return "…"
    return name.replace("~", "~0").replace("/", "~1")
