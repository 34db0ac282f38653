"""Amounts, rates and lengths of time as a record writes them, in the closed list of units.

The code counts where its system is UCUM (``unit`` is text for people); other text counts only if it is in a table.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from dosing_service.fhir.elements import element, number, system, word
from dosing_service.model import Value
from dosing_service.systems import UCUM
from dosing_service.units import ORDER_ALIASES, ORDER_UNITS, REFUSED, from_mg, in_mg, over, plain, times

#: A tablet or a capsule: which of the two is settled by the product.
PILL = "{pill}"
_DRUG_FORMS = "http://terminology.hl7.org/CodeSystem/v3-orderableDrugForm"
_FORMS = {"TAB": "{tablet}", "CAP": "{capsule}"}
_PIECES = {
    **dict.fromkeys(("tablet", "tablets", "tab", "tabs", "tbl", "tbls"), "{tablet}"),
    **dict.fromkeys(("capsule", "capsules", "cap", "caps"), "{capsule}"),
    **dict.fromkeys(("vial", "vials"), "{vial}"),
    **dict.fromkeys(("pill", "pills"), PILL),
}
_SPELLED = {
    **dict.fromkeys(("milligram", "milligrams"), "mg"),
    **dict.fromkeys(("gram", "grams"), "g"),
    **dict.fromkeys(("microgram", "micrograms", "µg", "μg"), "ug"),
    **dict.fromkeys(("milliliter", "milliliters", "millilitre", "millilitres"), "mL"),
}
#: Capitals are other units in UCUM; as text for people they are how product names write the same.
_CAPITALS = {"MG": "mg", "MCG": "ug", "ML": "mL", "UG": "ug"}
_ANNOTATION = re.compile(r"\{([A-Za-z]{1,20})\}")
#: UCUM's unity says nothing; the text beside it says what is counted.
_UNITY = {"1", "{dose}", "{each}", "{unit}"}

_TIMES = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), "s"),
    **dict.fromkeys(("min", "minute", "minutes"), "min"),
    **dict.fromkeys(("h", "hr", "hour", "hours"), "h"),
    **dict.fromkeys(("d", "day", "days"), "d"),
    **dict.fromkeys(("wk", "week", "weeks"), "wk"),
    **dict.fromkeys(("mo", "month", "months"), "mo"),
    **dict.fromkeys(("a", "year", "years"), "a"),
}
#: Days in each unit that makes up a length of treatment: a UCUM month has 30.4375, a year 365.25.
_DAYS = {"d": Decimal(1), "wk": Decimal(7), "mo": Decimal("30.4375"), "a": Decimal("365.25")}
_SHORT = {"h": Decimal(24), "min": Decimal(1440), "s": Decimal(86400)}
_MINUTES = {"min": Decimal(1), "h": Decimal(60), "d": Decimal(1440)}
_LONGEST_DAYS = 10000
_LONGEST_MINUTES = 600000
_MOST_AMOUNT = Decimal(10) ** 9
#: Rates that an infusion of an order may have.
INFUSION_RATES = frozenset(("mL/h", "mL/min", "mL/kg/min", "mL/kg/h", "mg/h", "mg/min", "mg/kg/min", "g/h"))
_RATE_ALIASES = {alias: rate for rate in INFUSION_RATES for alias in (rate.replace("mL", "ml"), f"{rate}our")}
_WHOLE_PERIODS = {
    (Decimal(24), "h"): (Decimal(1), "d"),
    (Decimal(168), "h"): (Decimal(1), "wk"),
    (Decimal(7), "d"): (Decimal(1), "wk"),
}
_PER_TIME = {"d": "/d", "wk": "/wk", "mo": "/mo", "h": "/h", "min": "/min"}


class Unreadable(Exception):
    """Something of a dosage cannot be worked out; ``reason`` is a plain sentence that repeats nothing of the record."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Amount(Value, frozen=True):
    """An amount from ``low`` to ``high`` in a unit of an order (or :data:`PILL`), with what was assumed about it."""

    low: Decimal
    high: Decimal
    unit: str
    notes: tuple[str, ...] = ()


# ---------------------------------------------------------------- units


def dose_unit(quantity: Mapping[str, Any]) -> str:
    """Return the unit of an amount.

    Raises:
        Unreadable: there is none, it is not in the closed list, or its code and its text are two different units.
    """
    text, code = word(quantity.get("unit")), word(quantity.get("code"))
    named = system(quantity.get("system"))
    shown = _of_text(text) if text else None
    if code and named == UCUM and code not in _UNITY:
        return _agreed(_of_code(code), shown)
    if code and named == _DRUG_FORMS and code in _FORMS:
        return _agreed(_FORMS[code], shown)
    found = shown or (_of_text(code) if code and named is None else None)
    if found is None:
        raise Unreadable(_without_unit(text or code))
    return found


def _of_code(code: str) -> str:
    annotation = _ANNOTATION.fullmatch(code)
    found = _PIECES.get(annotation[1].lower()) if annotation else ORDER_ALIASES.get(code, code)
    if found is None or found not in {*ORDER_UNITS, PILL}:
        raise Unreadable(_without_unit(code))
    return found


def _of_text(text: str) -> str | None:
    by_word = _PIECES.get(text.lower()) or _SPELLED.get(text.lower()) or _CAPITALS.get(text)
    if by_word is not None:
        return by_word
    annotation = _ANNOTATION.fullmatch(text)
    if annotation is not None:
        return _PIECES.get(annotation[1].lower())
    canonical = ORDER_ALIASES.get(text, text)
    return canonical if canonical in ORDER_UNITS else None


def _agreed(by_code: str, by_text: str | None) -> str:
    pieces = {"{tablet}", "{capsule}", PILL}
    if by_text is not None and by_text != by_code and not (PILL in {by_code, by_text} and {by_code, by_text} <= pieces):
        raise Unreadable("the code and the text of the dose's unit are two different units")
    return by_code


def _without_unit(given: str | None) -> str:
    if given is None:
        return "the dose is a number without a unit"
    if given in REFUSED:
        return f"the unit of the dose cannot be used: {REFUSED[given]}"
    return "the dose is in a unit that no amount of a drug follows from here"


# ---------------------------------------------------------------- amounts


def amount(quantity: Any) -> Amount | None:
    """Return a Quantity as an amount, or ``None`` where nothing is given.

    Raises:
        Unreadable: a value or unit is there that no amount follows from.
    """
    given = element(quantity)
    if given.get("value") is None:
        return None
    value = _positive(given["value"])
    return Amount(value, value, dose_unit(given), _bound(given.get("comparator")))


def _positive(given: Any) -> Decimal:
    value = number(given)
    if value is None or not 0 < value <= _MOST_AMOUNT:
        raise Unreadable("the dose is not a number above nothing")
    return value


def _bound(comparator: Any) -> tuple[str, ...]:
    if comparator in {"<", "<="}:
        return ("the dose is given as an upper bound; it was judged as if it were given in full",)
    if comparator in {">", ">="}:
        return ("the dose is given as a lower bound; no upper end is known, and only the lower one was judged",)
    return ()


def amount_range(given: Any) -> Amount | None:
    """Return a Range as an amount; where one end is missing, the other stands for both and the notes say so.

    Raises:
        Unreadable: as for :func:`amount`, or the ends are exchanged, or their units cannot be compared.
    """
    ends = element(given)
    low_end, high_end = _end(ends, "low", "high"), _end(ends, "high", "low")
    if low_end is None or high_end is None:
        return _one_end(low_end, high_end)
    low = low_end.low if low_end.unit == high_end.unit else converted(low_end.low, low_end.unit, high_end.unit)
    if low is None:
        raise Unreadable("the ends of the dose are in units that cannot be compared")
    if low > high_end.high:
        raise Unreadable("the lower end of the dose is above its upper end")
    return Amount(low, high_end.high, high_end.unit)


def _end(ends: Mapping[str, Any], name: str, other: str) -> Amount | None:
    """Return one end of a range; an end without a unit has that of the other."""
    own, beside = element(ends.get(name)), element(ends.get(other))
    if own.get("value") is None or (name == "low" and number(own["value"]) == 0):
        return None
    has_unit = own.get("unit") is not None or own.get("code") is not None
    unit = dose_unit(own if has_unit else beside)
    value = _positive(own["value"])
    return Amount(value, value, unit)


def _one_end(low: Amount | None, high: Amount | None) -> Amount | None:
    if high is not None:
        note = "the dose has no lower end; it was judged by its upper end alone"
        return Amount(high.low, high.high, high.unit, (note,))
    if low is not None:
        note = "the dose has no upper end; it was judged by its lower end alone"
        return Amount(low.low, low.high, low.unit, (note,))
    return None


def converted(value: Decimal, unit: str, wanted: str) -> Decimal | None:
    """Return an amount in another unit of the same kind, exactly; ``None`` where there is none."""
    if unit == wanted:
        return value
    one, other = ORDER_UNITS.get(unit), ORDER_UNITS.get(wanted)
    if one is None or other is None or (one.body, one.time) != (other.body, other.time):
        return None
    milligrams = in_mg(value, one.amount)
    return None if milligrams is None else from_mg(milligrams, other.amount)


# ---------------------------------------------------------------- times and rates


def time_unit(given: Any) -> str | None:
    """Return a unit of time: s, min, h, d, wk, mo or a."""
    return _TIMES.get(word(given) or "")


def length(quantity: Any) -> tuple[Decimal, str] | None:
    """Return a length of time with its unit; ``None`` for what is none."""
    given = element(quantity)
    value, unit = number(given.get("value")), time_unit(given.get("code")) or time_unit(given.get("unit"))
    return (value, unit) if value is not None and value > 0 and unit is not None else None


def days(quantity: Any) -> Decimal | None:
    """Return a length of treatment in days."""
    found = length(quantity)
    if found is None:
        return None
    value, unit = found
    total = times(value, _DAYS[unit]) if unit in _DAYS else over(value, _SHORT[unit])
    return plain(total) if 0 < total <= _LONGEST_DAYS else None


def minutes(value: Any, unit: Any) -> Decimal | None:
    """Return how long one administration takes, in minutes."""
    amount_of_time, named = number(value), time_unit(unit)
    if amount_of_time is None or named not in {*_MINUTES, "s"}:
        return None
    total = over(amount_of_time, Decimal(60)) if named == "s" else times(amount_of_time, _MINUTES[named or ""])
    return plain(total) if 0 < total <= _LONGEST_MINUTES else None


class Rate(Value, frozen=True):
    """An amount per time, ``low`` to ``high``; the unit is one of an order or of an infusion."""

    low: Decimal
    high: Decimal
    unit: str


def rate(dosage: Mapping[str, Any]) -> Rate | None:
    """Return the rate of a dosage: a quantity, a range, or a ratio.

    Raises:
        Unreadable: a rate is given that cannot be read.
    """
    if element(dosage.get("rateQuantity")):
        given = element(dosage["rateQuantity"])
        value = _positive(given.get("value"))
        return Rate(value, value, _rate_unit(given))
    if element(dosage.get("rateRange")):
        return _rate_range(element(dosage["rateRange"]))
    if element(dosage.get("rateRatio")):
        return _per_time(dosage["rateRatio"])
    return None


def _rate_unit(quantity: Mapping[str, Any]) -> str:
    for given in (word(quantity.get("code")), word(quantity.get("unit"))):
        found = _RATE_ALIASES.get(given, given) if given else None
        if found in INFUSION_RATES:
            return str(found)
    unit = dose_unit(quantity)
    if unit == PILL or ORDER_UNITS[unit].time is None:
        raise Unreadable("the rate has no time in its unit")
    return unit


def _rate_range(ends: Mapping[str, Any]) -> Rate:
    low, high = element(ends.get("low")), element(ends.get("high"))
    given = high or low
    unit = _rate_unit(given)
    if low and high and (low.get("code") or low.get("unit")) and _rate_unit(low) != unit:
        raise Unreadable("the ends of the rate are in units that cannot be compared")
    first, last = _positive((low or high).get("value")), _positive(given.get("value"))
    if first > last:
        raise Unreadable("the lower end of the rate is above its upper end")
    return Rate(first, last, unit)


def ratio(given: Any) -> tuple[Amount, Decimal, str]:
    """Return a Ratio of an amount to a length of time: 4 g in 1 day; 24 hours are a day and 7 days a week.

    Raises:
        Unreadable: it is no such ratio.
    """
    parts = element(given)
    top, bottom = amount(parts.get("numerator")), length(parts.get("denominator"))
    if top is None or bottom is None:
        raise Unreadable("an amount per time is given that is no amount, or no time")
    value, unit = _WHOLE_PERIODS.get(bottom, bottom)
    return top, value, unit


def _per_time(given: Any) -> Rate:
    top, value, unit = ratio(given)
    named = f"{top.unit}{_PER_TIME.get(unit, '')}"
    if unit not in _PER_TIME or top.unit == PILL or named not in {*ORDER_UNITS, *INFUSION_RATES}:
        raise Unreadable("an amount per time is given in a unit that is not read here")
    if unit not in {"h", "min"} and value != 1:
        raise Unreadable("an amount is given for several days, weeks or months together")
    return Rate(over(top.low, value), over(top.high, value), named)
