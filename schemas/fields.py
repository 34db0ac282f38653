"""Strict fields: each says what it accepts, in its error and in the OpenAPI document.

marshmallow's own number fields take strings, Arabic-Indic digits and ``1E+999999``; these take JSON numbers of
bounded size and nothing else.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from marshmallow import EXCLUDE, INCLUDE, RAISE, Schema, ValidationError, fields

from dosing_service.units import ALIASES, FACTORS, Measure, UnitRefused, plain, resolve, times

#: A JSON number of a request has at most so many digits and such an exponent; products with knowledge figures then
#: stay exact.
MAX_DIGITS = 15
MAX_EXPONENT = 12


#: ``date.fromisoformat`` alone also takes week dates and ``2026010111``. The year 9999 is left out: the birthday after
#: it is on no calendar.
_DATE = re.compile(r"(?!9999)[0-9]{4}-[0-9]{2}-[0-9]{2}")

#: Words of the knowledge base that answers repeat; a test holds them equal to what the knowledge schemas accept.
LIMIT_KINDS = (
    *("single-maximum", "daily-maximum", "weekly-maximum", "monthly-maximum", "course-maximum"),
    *("cumulative-maximum", "duration-maximum", "rate-maximum"),
)
EFFECTS = ("cap", "warn")
TIME_BOUNDS = ("at-least", "between", "about")
USES = ("calcinosis", "underlying-disease", "reference")
ROUTES = ("oral", "intravenous", "subcutaneous", "intramuscular", "intralesional", "topical")


class Fault(NamedTuple):
    """Why a field was refused and what it accepts; it never holds a submitted value."""

    code: str
    detail: str
    expected: str


class StrictSchema(Schema):
    """A request object: unknown fields are refused by name and the known ones are listed."""

    class Meta:
        unknown = RAISE

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        known = ", ".join(field.data_key or name for name, field in self.fields.items())
        self.error_messages["unknown"] = Fault("unknown-field", "this field is not known here", f"one of: {known}")  # type: ignore[assignment]  # a Fault is carried through unformatted
        self.error_messages["type"] = Fault(
            "not-an-object", "a JSON object is expected here", f"an object with the fields: {known}"
        )  # type: ignore[assignment]  # as above


class AnswerSchema(Schema):
    """An answer object. Every field stands in every answer; later versions may add fields, so readers ignore what
    they do not know.
    """

    class Meta:
        unknown = EXCLUDE


class SparseSchema(Schema):
    """An object of another standard: unknown fields are let through, and what is not required may be absent."""

    class Meta:
        unknown = INCLUDE


class SortedStrings(fields.Field[Any]):
    """A set of strings, as a sorted list."""

    openapi: Mapping[str, Any] = {"type": "array", "items": {"type": "string"}}

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> list[str]:
        return sorted(value)


class Encoded(fields.Nested):
    """A part of an answer whose values already have the fields of its schema: the encoder writes them as they are.

    Dumping them field by field would take longer than computing them; a test holds both forms equal.
    """

    def _serialize(self, nested_obj: Any, attr: Any, obj: Any, **kwargs: Any) -> Any:  # type: ignore[override]  # marshmallow names this argument differently in Field and Nested
        return nested_obj


def word(choices: Iterable[str]) -> fields.String:
    """Return a field of an answer that holds one of a few words."""
    return fields.String(metadata={"enum": [str(choice) for choice in choices]})


class Strict(fields.Field[Any]):
    """Base of request fields. ``expected`` is shown with every refusal; ``openapi`` is the field's JSON Schema."""

    def __init__(self, expected: str, *, openapi: Mapping[str, Any], **kwargs: Any) -> None:
        messages: dict[str, Any] = {
            "required": Fault("missing", "this field is required", expected),
            "null": Fault("null", "null is not a value; leave the field out when the value is unknown", expected),
        }
        super().__init__(error_messages=messages, **kwargs)
        self.expected = expected
        self.openapi = dict(openapi)

    def read(self, value: Any) -> Any:
        """Return ``value`` as this field reads it, for composite fields; marshmallow's steps around it cost more."""
        if value is None:
            raise ValidationError(self.error_messages["null"])
        return self._deserialize(value, None, None)

    def refuse(self, code: str, detail: str, expected: str | None = None) -> ValidationError:
        """Return the error for a value that is not accepted."""
        return ValidationError(Fault(code, detail, expected or self.expected))  # type: ignore[arg-type]  # marshmallow carries any message object


def part(schema: type[StrictSchema], **kwargs: Any) -> fields.Nested:
    """Return a field that holds a request object of its own; null is refused as in every other field."""
    expected = "a JSON object"
    messages: dict[str, Any] = {
        "null": Fault("null", "null is not a value; leave the field out when it is unknown", expected),
        "required": Fault("missing", "this field is required", expected),
    }
    return fields.Nested(schema, error_messages=messages, **kwargs)


class Text(Strict):
    """A string of bounded length without control characters."""

    def __init__(self, expected: str, *, max_length: int = 200, **kwargs: Any) -> None:
        super().__init__(expected, openapi={"type": "string", "minLength": 1, "maxLength": max_length}, **kwargs)
        self.max_length = max_length

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise self.refuse("not-a-string", "a JSON string is expected here")
        if not 0 < len(value) <= self.max_length or not value.isprintable():
            raise self.refuse("bad-string", f"a string of 1 to {self.max_length} printable characters is expected here")
        return value


class Choice(Strict):
    """One of a few words."""

    def __init__(self, choices: Sequence[str], **kwargs: Any) -> None:
        super().__init__(f"one of: {', '.join(choices)}", openapi={"type": "string", "enum": list(choices)}, **kwargs)
        self.choices = frozenset(choices)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        if not isinstance(value, str) or value not in self.choices:
            raise self.refuse("not-a-choice", "a value out of a closed list is expected here")
        return value


class Flag(Strict):
    """``true`` or ``false``, never 1, 0 or a word."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("true or false", openapi={"type": "boolean"}, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.refuse("not-a-boolean", "true or false is expected here")
        return value


class Date(Strict):
    """A calendar date, ``YYYY-MM-DD``."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("a date as YYYY-MM-DD", openapi={"type": "string", "format": "date"}, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> date:
        if not isinstance(value, str) or not _DATE.fullmatch(value):
            raise self.refuse("not-a-date", "a calendar date is expected here")
        try:
            return date.fromisoformat(value)
        except ValueError as error:
            raise self.refuse("not-a-date", "this is not a day of the calendar") from error


class StrictNumber(Strict):
    """A JSON number within bounds, as an exact decimal. ``above`` excludes its bound, ``to`` includes it."""

    def __init__(self, *, above: str, to: str, **kwargs: Any) -> None:
        expected = f"a JSON number above {above} and up to {to}, at most {MAX_DIGITS} digits"
        super().__init__(
            expected, openapi={"type": "number", "exclusiveMinimum": int(above), "maximum": int(to)}, **kwargs
        )
        self.above, self.to = Decimal(above), Decimal(to)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Decimal:
        number = checked_number(self, value)
        if not self.above < number <= self.to:
            raise self.refuse("out-of-bounds", "this number is outside the accepted bounds")
        return number


def checked_number(field: Strict, value: Any) -> Decimal:
    """Return ``value`` if it is a JSON number of bounded size, as the strict decoder delivers it."""
    if not isinstance(value, Decimal):
        raise field.refuse("not-a-number", "a JSON number is expected here, not a string, boolean or object")
    _, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int) or len(digits) > MAX_DIGITS or abs(exponent) > MAX_EXPONENT:
        raise field.refuse("number-too-long", f"a number of at most {MAX_DIGITS} digits is expected here")
    if value.is_zero() and value.is_signed():
        raise field.refuse("negative-zero", "negative zero is not a measurement")
    return value


class Whole(StrictNumber):
    """A whole JSON number within bounds."""

    def __init__(self, *, low: int, high: int, **kwargs: Any) -> None:
        super().__init__(above=str(low - 1), to=str(high), **kwargs)
        self.expected = f"a whole number from {low} to {high}"
        self.openapi = {"type": "integer", "minimum": low, "maximum": high}

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        number = super()._deserialize(value, attr, data, **kwargs)
        if number != number.to_integral_value():
            raise self.refuse("not-whole", "a whole number is expected here")
        return int(number)


_EXAMPLES = {
    Measure.BODY_WEIGHT: "25.4",
    Measure.HEIGHT: "128",
    Measure.AGE: "9",
    Measure.GESTATION: "28",
    Measure.VOLUME: "2",
    Measure.DRUG_AMOUNT: "30",
}


class MeasuredValue(NamedTuple):
    """A quantity of a request: as it was sent, and in the base unit of its measure; ``extra`` is what else was said."""

    value: Decimal
    unit: str
    base: Decimal
    extra: Mapping[str, Any]


class QuantityField(Strict):
    """``{"value": 25.4, "unit": "kg"}`` of one measure, within bounds in the measure's base unit.

    The bounds only keep out what cannot be a measurement of a person; clinical plausibility is a matter of rules.
    ``or_none`` lets 0 say that there is known to be none.
    """

    def __init__(
        self,
        measure: Measure,
        *,
        to: str,
        base_unit: str,
        least: str = "0",
        extra: Mapping[str, Strict] | None = None,
        or_none: bool = False,
        **kwargs: Any,
    ) -> None:
        codes = list(FACTORS[measure])
        aliases = [alias for alias, code in ALIASES.items() if code in codes]
        example = _EXAMPLES[measure]
        expected = (
            f'{{"value": {example}, "unit": "{codes[0]}"}}; units: {", ".join(codes)} (also {", ".join(aliases)})'
        )
        properties = {
            "value": {"type": "number", "minimum" if or_none else "exclusiveMinimum": 0},
            "unit": {"type": "string", "enum": codes + aliases},
        }
        self.extra = dict(extra or {})
        properties |= {name: dict(field.openapi) for name, field in self.extra.items()}
        is_open = least == "0" and not or_none
        self.bounds = f"above 0 and up to {to} {base_unit}" if is_open else f"from {least} to {to} {base_unit}"
        openapi = {
            "type": "object",
            "description": f"{self.bounds.capitalize()}.",
            "properties": properties,
            "required": ["value", "unit"],
            "additionalProperties": False,
            "examples": [{"value": float(example) if "." in example else int(example), "unit": codes[0]}],
        }
        super().__init__(expected, openapi=openapi, **kwargs)
        self.measure, self.least, self.to, self.codes = measure, Decimal(least), Decimal(to), codes
        self.or_none = or_none

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> MeasuredValue:
        if not isinstance(value, dict):
            raise self.refuse("not-a-quantity", "an object with value and unit is expected here")
        self._check_names(value)
        number = self._number(value["value"])
        unit, factor = self._unit(value["unit"])
        extra = {name: self._extra(name, field, value[name]) for name, field in self.extra.items() if name in value}
        base = times(number, factor)
        if not (base > 0 and self.least <= base <= self.to) and not (self.or_none and base == 0):
            raise at("value", self.refuse("out-of-bounds", "no person has this measure", self.bounds))
        return MeasuredValue(number, unit, base, extra)

    def _check_names(self, value: Mapping[str, Any]) -> None:
        for name in ("value", "unit"):
            if name not in value:
                raise at(name, self.refuse("missing", "this field is required"))
        for name in value:
            if name not in {"value", "unit", *self.extra}:
                raise at(
                    name,
                    self.refuse(
                        "unknown-field",
                        "this field is not known here",
                        f"one of: {', '.join(['value', 'unit', *self.extra])}",
                    ),
                )

    def _number(self, value: Any) -> Decimal:
        try:
            return checked_number(self, value)
        except ValidationError as error:
            raise at("value", error) from None

    def _unit(self, code: Any) -> tuple[str, Decimal]:
        if not isinstance(code, str):
            raise at(
                "unit",
                self.refuse("not-a-string", "a JSON string is expected here", f"one of: {', '.join(self.codes)}"),
            )
        try:
            return resolve(self.measure, code)
        except UnitRefused as error:
            raise at(
                "unit", self.refuse("unit-not-accepted", error.reason, f"one of: {', '.join(error.accepted)}")
            ) from None

    def _extra(self, name: str, field: Strict, value: Any) -> Any:
        try:
            return field.read(value)
        except ValidationError as error:
            raise at(name, error) from None


def at(name: str, error: ValidationError) -> ValidationError:
    """Return an error of a part as the error of the whole, at the part's name."""
    return ValidationError({name: error.messages})


class ExactNumber(fields.Field[Decimal]):
    """An exact number of an answer, written without exponent or trailing zeros."""

    openapi: Mapping[str, Any] = {"type": "number"}

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Decimal | None:
        return None if value is None else plain(value)
