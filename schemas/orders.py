"""A proposed order as a request sends it: dose, frequency, route, duration, product."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from marshmallow import ValidationError, validates_schema

from dosing_service.model import Order, OrderedDose, OrderedFrequency, OrderedInfusion, Per
from dosing_service.units import ORDER_ALIASES, ORDER_UNITS, Measure, OrderUnit, UnitRefused, order_unit, times
from schemas.dose_calculations import MOST_GIVEN_MG, IndicationSchema
from schemas.fields import (
    ROUTES,
    Choice,
    Fault,
    Flag,
    QuantityField,
    Strict,
    StrictNumber,
    StrictSchema,
    Text,
    Whole,
    at,
    part,
)
from schemas.patient import CodingField

_MOST_AMOUNT = "1000000000"
_MOST_TIME = "10000"
_PER_OF_TIME = {"d": Per.DAY, "wk": Per.WEEK, "mo": Per.MONTH, "min": Per.RATE, "h": Per.RATE}
_TIME_ALIASES = {
    **dict.fromkeys(("hour", "hours"), "h"),
    **dict.fromkeys(("day", "days"), "d"),
    **dict.fromkeys(("week", "weeks"), "wk"),
    **dict.fromkeys(("month", "months"), "mo"),
}
_DAYS = {"d": Decimal(1), "wk": Decimal(7), "mo": Decimal("30.4375")}
_RANGE = {"value", "low", "high"}
_INFUSION_RATES = ("mL/h", "mL/min", "mL/kg/min", "mL/kg/h", "mg/h", "mg/min", "mg/kg/min", "g/h")


class Measured(Strict):
    """``{"value", "unit"}``, or ``{"low", "high", "unit"}`` where ranges are allowed; ``read`` gives all three."""

    def __init__(self, units: tuple[str, ...], example: str, *, to: str, ranged: bool = False, **kwargs: Any) -> None:
        number = {"type": "number", "exclusiveMinimum": 0, "maximum": int(to)}
        spelled = [alias for aliases in (_TIME_ALIASES, ORDER_ALIASES) for alias in aliases if aliases[alias] in units]
        unit = {"type": "string", "enum": list(dict.fromkeys([*units, *spelled]))}
        shapes = [
            {
                "type": "object",
                "properties": dict.fromkeys(names, number) | {"unit": unit},
                "required": [*names, "unit"],
                "additionalProperties": False,
            }
            for names in (("value",), ("low", "high"))
        ]
        openapi = {"oneOf": shapes} if ranged else shapes[0]
        super().__init__(f"{example}; units: {', '.join(units)}", openapi=openapi, **kwargs)
        self.units, self.ranged, self._number = units, ranged, StrictNumber(above="0", to=to)

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> tuple[Decimal, Decimal, str]:
        if not isinstance(value, dict):
            raise self.refuse("not-a-quantity", "an object with value and unit is expected here")
        for name in value:
            if name not in {"unit", *(_RANGE if self.ranged else {"value"})}:
                raise at(name, self.refuse("unknown-field", "this field is not known here"))
        if "unit" not in value:
            raise at("unit", self.refuse("missing", "this field is required"))
        low, high = self._span(value)
        return low, high, self._unit(value["unit"])

    def _span(self, value: Mapping[str, Any]) -> tuple[Decimal, Decimal]:
        given = _RANGE & set(value)
        if given == {"value"}:
            number = self._read("value", value)
            return number, number
        if not self.ranged or given != {"low", "high"}:
            name = "value" if not given else next(iter(sorted(given)))
            raise at(name, self.refuse("missing", "one value is expected here, or low and high"))
        low, high = self._read("low", value), self._read("high", value)
        if low > high:
            raise at("low", self.refuse("range-reversed", "low is above high"))
        return low, high

    def _read(self, name: str, value: Mapping[str, Any]) -> Decimal:
        try:
            number: Decimal = self._number.read(value[name])
        except ValidationError as error:
            raise at(name, error) from None
        return number

    def _unit(self, code: Any) -> str:
        canonical = _TIME_ALIASES.get(code, ORDER_ALIASES.get(code, code)) if isinstance(code, str) else None
        if canonical not in self.units:
            raise at("unit", self.refuse("unit-not-accepted", "not an accepted unit here"))
        return str(canonical)


class DoseField(Measured):
    """The dose of an order, in one of the units of an order; ``per`` may say what kind of amount it is."""

    def __init__(self, **kwargs: Any) -> None:
        units = tuple(ORDER_UNITS)
        super().__init__(units, '{"value": 70, "unit": "mg"}', to=_MOST_AMOUNT, ranged=True, **kwargs)
        self._per = Choice(tuple(per for per in Per if per is not Per.RATE))
        for shape in self.openapi["oneOf"]:
            shape["properties"] = {**shape["properties"], "per": dict(self._per.openapi)}

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        per = value.get("per") if isinstance(value, dict) else None
        bare = {name: item for name, item in value.items() if name != "per"} if isinstance(value, dict) else value
        low, high, unit = super()._deserialize(bare, attr, data, **kwargs)
        named = None
        if isinstance(value, dict) and "per" in value:
            try:
                named = Per(self._per.read(per))
            except ValidationError as error:
                raise at("per", error) from None
        return OrderedDose(low, high, unit, self._kind(ORDER_UNITS[unit], named))

    def _kind(self, unit: OrderUnit, named: Per | None) -> Per:
        by_unit = _PER_OF_TIME[unit.time] if unit.time else None
        if by_unit and named and by_unit is not named:
            raise at("per", self.refuse("contradiction", "the unit says another kind of amount", "leave per out"))
        return by_unit or named or Per.ADMINISTRATION

    def _unit(self, code: Any) -> str:
        if not isinstance(code, str):
            raise at("unit", self.refuse("not-a-string", "a JSON string is expected here"))
        try:
            return order_unit(code).code
        except UnitRefused as error:
            raise at("unit", self.refuse("unit-not-accepted", error.reason)) from None


class TimesField(Strict):
    """A whole number of administrations, or ``{"low": 1, "high": 2}``."""

    def __init__(self, **kwargs: Any) -> None:
        self._whole = Whole(low=1, high=100)
        one = dict(self._whole.openapi)
        both = {
            "type": "object",
            "properties": {"low": one, "high": one},
            "required": ["low", "high"],
            "additionalProperties": False,
        }
        super().__init__(
            'a whole number from 1 to 100, or {"low": 1, "high": 2}', openapi={"oneOf": [one, both]}, **kwargs
        )

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> tuple[int, int]:
        if not isinstance(value, dict):
            number: int = self._whole.read(value)
            return number, number
        if set(value) != {"low", "high"}:
            raise self.refuse("not-a-range", "a range has exactly low and high")
        low, high = self._whole.read(value["low"]), self._whole.read(value["high"])
        if low > high:
            raise self.refuse("range-reversed", "low is above high")
        return low, high


class FrequencySchema(StrictSchema):
    """How often: ``times`` in each ``every``; ``once`` only; ``as_needed``, then ``times`` and ``every`` are the most.

    ``count`` is the number of administrations of one course, which comes again after ``repeat_every``; without a count
    the duration of the order is the length of one course.
    """

    times = TimesField()
    every = Measured(("h", "d", "wk", "mo"), '{"value": 1, "unit": "d"}', to=_MOST_TIME, ranged=True)
    once = Flag()
    as_needed = Flag()
    count = Whole(low=1, high=1000)
    repeat_every = Measured(("d", "wk", "mo"), '{"value": 4, "unit": "wk"}', to=_MOST_TIME)

    @validates_schema(skip_on_field_errors=True)
    def _is_consistent(self, data: Mapping[str, Any], **_: Any) -> None:
        if ("times" in data) != ("every" in data):
            missing = "every" if "times" in data else "times"
            raise _fault(missing, "missing", "times and every go together", 'for example "times": 1, "every": {…}')
        if data.get("once") and set(data) - {"once"}:
            raise _fault("once", "contradiction", "a single dose has no other frequency", "once alone")
        if not data.get("once") and not data.get("as_needed") and "times" not in data:
            raise _fault("times", "missing", "how often is not said", "times and every, once, or as_needed")


def _fault(name: str, code: str, detail: str, expected: str) -> ValidationError:
    return ValidationError(Fault(code, detail, expected), name)  # type: ignore[arg-type]  # a Fault is carried through


class OrderedInfusionSchema(StrictSchema):
    """How fast an infusion runs: over a time, or at a rate."""

    duration = Measured(("min", "h"), '{"value": 2, "unit": "h"}', to=_MOST_TIME)
    rate = Measured(_INFUSION_RATES, '{"value": 100, "unit": "mL/h"}', to=_MOST_AMOUNT)


class ProductField(CodingField):
    """``{"id": "…"}``, a product id of the agent, or a coded product; ``{}`` says nothing."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        text = {"type": "string", "minLength": 1, "maxLength": 200}
        named = {"type": "object", "properties": {"id": text}, "additionalProperties": False}
        self.openapi = {"oneOf": [named, self.openapi["oneOf"][1]]}
        self.expected = '{"id": a product id of the agent}, or {"system": "…", "code": "…"}'
        self.error_messages["null"] = Fault("null", "null is not a value; leave it out when unknown", self.expected)  # type: ignore[assignment]  # a Fault is carried through

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if not isinstance(value, dict):
            raise self.refuse("not-an-object", "a product is a JSON object")
        if not value:
            return None
        if set(value) == {"id"}:
            value = value["id"]
        return super()._deserialize(value, attr, data, **kwargs)


class OrderSchema(StrictSchema):
    """A proposed order. What is left out is unknown, and what then cannot be checked is listed."""

    id = Text("an id of your own, unique in the request", required=True)
    agent = CodingField(required=True)
    regimen = Text("a regimen id of the agent, see GET /v1/agents/{id}")
    indication = part(IndicationSchema)
    dose = DoseField()
    frequency = part(FrequencySchema)
    route = Choice((*ROUTES, "rectal", "inhalation", "nasal", "ophthalmic", "otic", "intrathecal", "other"))
    duration = Measured(("d", "wk", "mo"), '{"value": 30, "unit": "d"}', to=_MOST_TIME)
    product = ProductField()
    infusion = part(OrderedInfusionSchema)
    already_given = QuantityField(Measure.DRUG_AMOUNT, to=MOST_GIVEN_MG, base_unit="mg", or_none=True)

    @validates_schema(skip_on_field_errors=True)
    def _is_consistent(self, data: Mapping[str, Any], **_: Any) -> None:
        dose, frequency = data.get("dose"), data.get("frequency")
        if frequency is not None and "repeat_every" in frequency and not ("count" in frequency or "duration" in data):
            detail = "a course that is repeated needs its length"
            raise _fault("duration", "missing", detail, "frequency.count, or the duration of one course")
        if dose is not None and frequency is not None and _frequency(frequency).misses(dose.per):
            rarely = "is no single dose" if frequency.get("once") else "that is given more rarely contradicts itself"
            detail = f"an amount per {dose.per.value} {rarely}"
            raise _fault("frequency", "contradiction", detail, "a dose per administration")


def build_order(data: Mapping[str, Any]) -> Order:
    """Return an order from what the schema has read."""
    indication = data.get("indication", {})
    return Order(
        id=data["id"],
        agent=data["agent"],
        dose=data.get("dose"),
        frequency=_frequency(data["frequency"]) if "frequency" in data else None,
        route=data.get("route"),
        duration_days=_days(data["duration"]) if "duration" in data else None,
        product=data.get("product"),
        infusion=_infusion(data["infusion"]) if data.get("infusion") else None,
        already_given_mg=data["already_given"].base if "already_given" in data else None,
        regimen=data.get("regimen"),
        disease=indication.get("disease"),
        lesion=indication.get("lesion"),
    )


def _frequency(data: Mapping[str, Any]) -> OrderedFrequency:
    low, high = data.get("times", (0, 0))
    every_low, every_high, unit = data.get("every", (Decimal(1), Decimal(1), "d"))
    repeat = data.get("repeat_every")
    return OrderedFrequency(
        times_low=low,
        times_high=high,
        every_low=every_low,
        every_high=every_high,
        unit=unit,
        once=data.get("once", False),
        as_needed=data.get("as_needed", False),
        count=data.get("count"),
        repeat_every=repeat[0] if repeat else None,
        repeat_unit=repeat[2] if repeat else None,
    )


def _days(given: tuple[Decimal, Decimal, str]) -> Decimal:
    return times(given[0], _DAYS[given[2]])


def _infusion(data: Mapping[str, Any]) -> OrderedInfusion:
    minutes = None
    if "duration" in data:
        value, _, unit = data["duration"]
        minutes = times(value, {"min": Decimal(1), "h": Decimal(60)}[unit])
    rate, _, rate_unit = data.get("rate", (None, None, None))
    return OrderedInfusion(minutes, rate, rate_unit)
