"""``POST /v1/order-checks``: proposed orders against regimens, patient and active medication."""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, post_load, validates_schema

from dosing_service.model import CauseKind, OrderRequest, OrderVerdict, Per
from schemas import dose_calculations as parts
from schemas.fields import (
    AnswerSchema,
    Choice,
    Date,
    Encoded,
    ExactNumber,
    Fault,
    StrictSchema,
    part,
    word,
)
from schemas.knowledge import AgentNameSchema, ReferenceSchema, VersionSchema
from schemas.orders import OrderSchema, build_order
from schemas.patient import PatientSchema, build_patient

_MOST_ORDERS = 50


class OrderOptionsSchema(StrictSchema):
    """How the orders should be checked."""

    jurisdiction = Choice(parts.JURISDICTIONS)


class Orders(fields.List[Any]):
    """A list of 1 to 50 orders."""

    openapi: Mapping[str, Any] = {"minItems": 1, "maxItems": _MOST_ORDERS}

    def __init__(self, **kwargs: Any) -> None:
        expected = f"a list of 1 to {_MOST_ORDERS} orders"
        messages: dict[str, Any] = {
            "required": Fault("missing", "this field is required", expected),
            "null": Fault("null", "null is not a value", expected),
            "invalid": Fault("not-a-list", "a JSON array is expected here", expected),
        }
        super().__init__(part(OrderSchema), required=True, error_messages=messages, **kwargs)
        self._expected = expected

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> list[Any]:
        if isinstance(value, list) and not 0 < len(value) <= _MOST_ORDERS:
            raise ValidationError(Fault("bad-length", "too few or too many orders", self._expected))  # type: ignore[arg-type]  # carried through
        return super()._deserialize(value, attr, data, **kwargs)


class OrderCheckRequestSchema(StrictSchema):
    """The request."""

    patient = part(PatientSchema, load_default=dict)
    orders = Orders()
    options = part(OrderOptionsSchema, load_default=dict)
    as_of = Date()

    @validates_schema(skip_on_field_errors=True)
    def _has_unique_ids(self, data: Mapping[str, Any], **_: Any) -> None:
        seen: set[str] = set()
        for index, order in enumerate(data["orders"]):
            if order["id"] in seen:
                fault = Fault("duplicate-id", "another order has this id", "an id that is unique in the request")
                raise ValidationError({"orders": {index: {"id": fault}}})
            seen.add(order["id"])

    @post_load
    def _build(self, data: dict[str, Any], **_: Any) -> OrderRequest:
        return OrderRequest(
            orders=tuple([build_order(order) for order in data["orders"]]),
            patient=build_patient(data),
            jurisdiction=data["options"].get("jurisdiction"),
            as_of=data.get("as_of"),
        )


# ---------------------------------------------------------------- the answer


class OrderedAmountSchema(AnswerSchema):
    """What an order comes to as one kind of amount: ``value`` is the most, ``low`` the least of a range."""

    per = word(Per)
    value = ExactNumber()
    low = ExactNumber()
    unit = fields.String()
    text = fields.String()


class ExpectedAmountSchema(AnswerSchema):
    """What a documented regimen comes to for this patient."""

    regimen = fields.String()
    per = word(Per)
    low = ExactNumber()
    high = ExactNumber()
    unit = fields.String()
    text = fields.String()


class RatioSchema(AnswerSchema):
    """The order divided by the lower and by the upper end of the range: within is ``low`` >= 1 >= ``high``."""

    low = ExactNumber(allow_none=True)
    high = ExactNumber()


class CorrectedDoseSchema(AnswerSchema):
    """A dose as an order writes it."""

    low = ExactNumber()
    high = ExactNumber()
    unit = fields.String()
    per = word(Per)


class WouldBeSchema(AnswerSchema):
    """The order without the slip: its dose, its frequency in words where that changes, or the weight it would fit."""

    text = fields.String()
    regimen = fields.String()
    dose = fields.Nested(CorrectedDoseSchema, allow_none=True)
    frequency = fields.String(allow_none=True)
    weight = fields.Nested(parts.QuantitySchema, allow_none=True)


class LikelyCauseSchema(AnswerSchema):
    """A slip that would explain an order outside its range; a question, not a verdict."""

    kind = word(CauseKind)
    summary = fields.String()
    would_be = fields.Nested(WouldBeSchema)


class OrderAssessmentSchema(AnswerSchema):
    """The judgement of one order; a combination product has one for each of its agents.

    ``agent`` is null for a drug of which no dose is documented here, ``regimen`` is the one the order was compared
    with, ``together`` the sum with the orders in ``summed_with``.
    """

    id = fields.String()
    agent = Encoded(AgentNameSchema, allow_none=True)
    regimen = fields.String(allow_none=True)
    verdict = word(OrderVerdict)
    ordered = Encoded(OrderedAmountSchema, many=True)
    summed_with = fields.List(fields.String())
    together = Encoded(OrderedAmountSchema, many=True)
    expected = Encoded(ExpectedAmountSchema, many=True)
    ratio = Encoded(RatioSchema, allow_none=True)
    likely_causes = Encoded(LikelyCauseSchema, many=True)
    limits = Encoded(parts.LimitSchema, many=True)
    findings = Encoded(parts.FindingSchema, many=True)
    not_checked = Encoded(parts.NotCheckedSchema, many=True)
    monitoring = Encoded(parts.MonitoringItemSchema, many=True)


class OrderCheckAnswerSchema(AnswerSchema):
    """The judgement of every order and of all together; the verdict is the worst, ``pass`` means every check ran."""

    verdict = word(OrderVerdict)
    orders = Encoded(OrderAssessmentSchema, many=True)
    findings = Encoded(parts.FindingSchema, many=True)
    not_checked = Encoded(parts.NotCheckedSchema, many=True)
    references = fields.Dict(keys=fields.String(), values=Encoded(ReferenceSchema))
    as_of = fields.Date(allow_none=True)
    knowledge = Encoded(VersionSchema)
    notice = fields.String()
