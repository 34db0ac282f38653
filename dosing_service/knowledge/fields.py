"""Marshmallow fields for values that stand in many places of the knowledge files."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from marshmallow import ValidationError, fields

from dosing_service.knowledge.base import Course, Frequency
from dosing_service.knowledge.ranges import Range
from dosing_service.model import Citations
from dosing_service.units import DOSE_UNITS, DoseUnit

_TIME_WORDS = {"h": ("hourly", "hour"), "d": ("daily", "day"), "wk": ("weekly", "week"), "mo": ("monthly", "month")}


class Number(fields.Field[Decimal]):
    """A decimal number that is not negative, as the YAML reader delivers it."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Decimal:
        if not isinstance(value, Decimal) or value < 0:
            raise ValidationError("a number that is not negative is expected")
        return value


class Whole(Number):
    """A whole number of at least one."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        number = super()._deserialize(value, attr, data, **kwargs)
        if number != number.to_integral_value() or number < 1:
            raise ValidationError("a whole number of at least 1 is expected")
        return int(number)


class UnitField(fields.Field[DoseUnit]):
    """A unit code of the closed list."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> DoseUnit:
        if not isinstance(value, str) or value not in DOSE_UNITS:
            raise ValidationError(f"unknown unit {value!r}; known are {', '.join(DOSE_UNITS)}")
        return DOSE_UNITS[value]


class CitationsField(fields.Field[Citations]):
    """At least one reference id, each bare (the passage was seen) or ``{id, verified: false}``."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Citations:
        if not isinstance(value, list) or not value:
            raise ValidationError("at least one reference id is expected")
        pairs = [_citation(item) for item in value]
        return Citations(tuple(id_ for id_, _ in pairs), any(verified for _, verified in pairs))


def _citation(item: Any) -> tuple[str, bool]:
    if isinstance(item, str):
        return item, True
    if isinstance(item, dict) and set(item) == {"id", "verified"} and item["verified"] is False:
        return str(item["id"]), False
    raise ValidationError("a reference is an id, or {id: …, verified: false}")


class RangeField(fields.Field[Range]):
    """``{from | above, to | below, unit}`` with at least one bound."""

    def __init__(self, *units: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Range:
        if not isinstance(value, dict) or not set(value) <= {"from", "above", "to", "below", "unit"}:
            raise ValidationError("a range has the keys from or above, to or below, and unit")
        if str(value.get("unit")) not in self.units:
            raise ValidationError(f"the unit of this range is one of {', '.join(self.units)}")
        start, end = _bound(value, "from", "above"), _bound(value, "to", "below")
        if start is None and end is None:
            raise ValidationError("a range needs at least one bound")
        if start is not None and end is not None and start > end:
            raise ValidationError("the range ends before it starts")
        return Range(value["unit"], start, "from" in value, end, "to" in value)


def _bound(value: Mapping[str, Any], included: str, excluded: str) -> Decimal | None:
    if included in value and excluded in value:
        raise ValidationError(f"{included} and {excluded} exclude each other")
    bound = value.get(included, value.get(excluded))
    if bound is not None and not isinstance(bound, Decimal):
        raise ValidationError("a bound is a number")
    return bound


class FrequencyField(fields.Field[Frequency | None]):
    """``not-stated``, ``once``, ``{times, every, unit}`` or ``{on_days, then_every, unit}``."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> Frequency | None:
        if value == "not-stated":
            return None
        if value == "once":
            return Frequency(1, 1, 1, 1, "once", "once")
        if not isinstance(value, dict) or str(value.get("unit")) not in _TIME_WORDS:
            raise ValidationError(
                "a frequency is not-stated, once, {times, every, unit} or {on_days, then_every, unit};"
                " its unit is h, d, wk or mo"
            )
        if set(value) == {"times", "every", "unit"}:
            times, every = _whole_range(value["times"]), _whole_range(value["every"])
            return Frequency(*times, *every, value["unit"], _regular_text(times, every, value["unit"]))
        if {"on_days", "unit"} <= set(value) <= {"on_days", "then_every", "unit"}:
            return _on_days(value)
        raise ValidationError("a frequency has the keys times, every, unit, or on_days, then_every, unit")


def _whole_range(value: Any) -> tuple[int, int]:
    bounds = (
        (value["low"], value["high"]) if isinstance(value, dict) and set(value) == {"low", "high"} else (value, value)
    )
    low, high = (int(Whole().deserialize(bound) or 0) for bound in bounds)
    if low > high:
        raise ValidationError("low is above high")
    return low, high


def _span(low: int, high: int) -> str:
    return str(low) if low == high else f"{low} to {high}"


def _regular_text(times: tuple[int, int], every: tuple[int, int], unit: str) -> str:
    adverb, noun = _TIME_WORDS[unit]
    if every == (1, 1):
        if times == (1, 1):
            return f"once {adverb}"
        count = "twice" if times == (2, 2) else f"{_span(*times)} times"
        return f"{count} daily" if unit == "d" else f"{count} a {noun}"
    interval = f"every {_span(*every)} {noun}s"
    return interval if times == (1, 1) else f"{_span(*times)} times {interval}"


def _on_days(value: Mapping[str, Any]) -> Frequency:
    listed_days = value["on_days"]
    if not isinstance(listed_days, list) or not all(
        isinstance(day, Decimal) and day == int(day) for day in listed_days
    ):
        raise ValidationError("on_days holds day numbers")
    days = tuple(int(day) for day in listed_days)
    if not days or list(days) != sorted(set(days)):
        raise ValidationError("on_days holds rising day numbers")
    in_weeks = all(day % 7 == 0 for day in days)
    numbers = [str(day // 7 if in_weeks else day) for day in days]
    listed = numbers[0] if len(numbers) == 1 else f"{', '.join(numbers[:-1])} and {numbers[-1]}"
    text = f"in weeks {listed}" if in_weeks else f"on days {listed}"
    every = _whole_range(value["then_every"]) if "then_every" in value else (1, 1)
    if "then_every" in value:
        text += f", then {_regular_text((1, 1), every, value['unit'])}"
    return Frequency(1, 1, *every, value["unit"], text, days, goes_on="then_every" in value)


class CourseField(fields.Field[Course]):
    """``{administrations | length | days, repeat_every, starts}``."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Course:
        allowed = {"administrations", "length", "days", "repeat_every", "starts"}
        if not isinstance(value, dict) or not value or not set(value) <= allowed:
            raise ValidationError(f"a course has the keys {', '.join(sorted(allowed))}")
        administrations = _whole_range(value["administrations"]) if "administrations" in value else (None, None)
        days = _whole_range(value["days"]) if "days" in value else (None, None)
        length = _length(value["length"]) if "length" in value else dict.fromkeys(_RANGE)
        repeat = _timed(value["repeat_every"], "low", "high") if "repeat_every" in value else dict.fromkeys(_RANGE)
        return Course(
            administrations_low=administrations[0],
            administrations_high=administrations[1],
            length=length["low"],
            length_high=length["high"],
            length_unit=length["unit"],
            days_low=days[0],
            days_high=days[1],
            repeat_low=repeat["low"],
            repeat_high=repeat["high"],
            repeat_unit=repeat["unit"],
            starts=_starts(value["starts"]) if "starts" in value else None,
        )


_RANGE = ("low", "high", "unit")


def _starts(value: Any) -> Frequency:
    """Return the first days of courses: given days, and the interval at which later ones follow."""
    starts = FrequencyField().deserialize(value)
    if starts is None or not starts.on_days or starts.on_days[0] != 0:
        raise ValidationError("starts are {on_days, then_every, unit}, from day 0 on")
    return starts


def _length(value: Any) -> dict[str, Any]:
    """Return a length of one figure, or of a low and a high one."""
    if isinstance(value, dict) and "value" in value:
        single = _timed(value, "value")
        return {"low": single["value"], "high": single["value"], "unit": single["unit"]}
    return _timed(value, "low", "high")


def _timed(value: Any, *numbers: str) -> dict[str, Any]:
    """Return a mapping of ``numbers`` and a unit of time."""
    if not isinstance(value, dict) or set(value) != {*numbers, "unit"} or str(value["unit"]) not in {"d", "wk", "mo"}:
        raise ValidationError(f"a length of time has the keys {', '.join(numbers)} and unit (d, wk or mo)")
    return {name: Number().deserialize(value[name]) for name in numbers} | {"unit": value["unit"]}
