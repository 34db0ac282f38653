"""What an order comes to as each kind of amount: exact fractions, in milligrams (a strength in percent).

Nothing is filled in. A kind that does not follow from what the order says is absent.
"""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import NamedTuple

from msgspec import structs

from dosing_service.model import NotChecked, Order, OrderedAmount, OrderedDose, OrderedFrequency, Patient, Per, Value
from dosing_service.rules.measure import area_of
from dosing_service.rules.population import HEIGHT, WEIGHT
from dosing_service.rules.schedule import ADVERB
from dosing_service.rules.wording import amount_text
from dosing_service.units import ORDER_UNITS, OrderUnit, over, plain

#: Days in each unit of a frequency. A UCUM month has 30.4375 days.
DAYS = {"h": Fraction(1, 24), "d": Fraction(1), "wk": Fraction(7), "mo": Fraction(487, 16)}
#: The shortest and the longest interval that counts as a month.
MONTHLY = (Fraction(28), Fraction(31))
_LENGTHS = {Per.DAY: DAYS["d"], Per.WEEK: DAYS["wk"], Per.MONTH: DAYS["mo"]}
_PER_MINUTE = {"min": Fraction(1), "h": Fraction(1, 60)}
_PER_OF_TIME = {"d": Per.DAY, "wk": Per.WEEK, "mo": Per.MONTH, "min": Per.RATE, "h": Per.RATE}
_NOTHING, _ONE = Fraction(0), Fraction(1)
_MILLIGRAMS_IN = {"mg": _ONE, "g": Fraction(1000), "ug": Fraction(1, 10**3), "ng": Fraction(1, 10**6)}


class Span(NamedTuple):
    """A least and a most."""

    low: Fraction
    high: Fraction

    def by(self, low: Fraction, high: Fraction) -> "Span":
        """Return the span multiplied with a factor of ``low`` to ``high``."""
        return Span(self.low * low, self.high * high)

    def plus(self, other: "Span") -> "Span":
        """Return the sum of both."""
        return Span(self.low + other.low, self.high + other.high)


class Strength(Value, frozen=True):
    """Milligrams in what a product is counted by: ``{tablet}``, ``{vial}``, ``mL``."""

    milligrams: Mapping[str, Decimal]


class Ordered(Value, frozen=True):
    """An order, or the sum of several, as each kind of amount.

    ``rate`` is administrations a day; ``repeat`` the days after which a course of ``count`` comes again.
    """

    amounts: Mapping[Per, Span]
    unit: str
    body: str | None = None
    rate: Span | None = None
    once: bool = False
    as_needed: bool = False
    count: int | None = None
    repeat: Span | None = None
    days: Fraction | None = None


class Unreadable(Value, frozen=True):
    """What an order lacks before any amount follows from it."""

    inputs: tuple[NotChecked, ...]


def dose_kind(unit: str, per: Per | None) -> Per:
    """Return the kind of an ordered amount: what its unit says, else ``per``, else per administration."""
    time = ORDER_UNITS[unit].time
    return _PER_OF_TIME[time] if time else per or Per.ADMINISTRATION


def normalised(order: Order, path: str, patient: Patient, strength: Strength | None) -> Ordered | Unreadable:
    """Return ``order`` (at ``path`` of the request) as every kind of amount that follows from it."""
    if order.dose is None:
        return _lacks(f"{path}.dose", "the order gives no dose")
    unit = ORDER_UNITS[order.dose.unit]
    factor = _milligrams(unit, strength)
    if factor is None:
        return _lacks(f"{path}.product", "the dose is counted in products; the strength of the product is not known")
    measure = {None: Decimal(1), "kg": patient.weight.kg if patient.weight else None, "m2": area_of(patient)}[unit.body]
    if measure is None:
        needs = (WEIGHT,) if unit.body == "kg" else (WEIGHT, HEIGHT)
        return Unreadable((NotChecked("dose", needs, "the order is written per kg or m² of the patient"),))
    dose = _span(order.dose, Fraction(factor) * Fraction(measure) * _PER_MINUTE.get(unit.time or "", Fraction(1)))
    return _with_kinds(order, dose, unit)


def _lacks(need: str, why: str) -> Unreadable:
    return Unreadable((NotChecked("dose", (need,), why),))


def _milligrams(unit: OrderUnit, strength: Strength | None) -> Decimal | None:
    if unit.amount == "%":
        return Decimal(1)
    if unit.milligrams is not None:
        return unit.milligrams
    return strength.milligrams.get(unit.amount) if strength else None


def _span(dose: OrderedDose, factor: Fraction) -> Span:
    return Span(Fraction(dose.low) * factor, Fraction(dose.high) * factor)


class _Written(Value, frozen=True):
    """What an order says: so many milligrams of one kind, how often (``rate``: administrations a day), how long."""

    dose: Span
    per: Per
    frequency: OrderedFrequency | None
    rate: Span | None
    days: Fraction | None

    @property
    def is_once(self) -> bool:
        """Whether it is given only once."""
        return self.frequency is not None and self.frequency.once


def _with_kinds(order: Order, dose: Span, unit: OrderUnit) -> Ordered:
    assert order.dose is not None  # noqa: S101 - the caller looked
    days = Fraction(order.duration_days) if order.duration_days is not None else None
    frequency = _with_count(order.frequency, days)
    rate = _rate(frequency) if frequency and frequency.times_high else None
    written = _Written(dose, order.dose.per, frequency, rate, days)
    return Ordered(
        amounts={Per.RATE: dose} if written.per is Per.RATE else _kinds(written),
        unit=unit.amount if unit.amount in {*_MILLIGRAMS_IN, "%"} else "mg",
        body=unit.body,
        rate=_window(frequency) if frequency and rate else None,
        once=written.is_once,
        as_needed=frequency is not None and frequency.as_needed,
        count=1 if written.is_once else frequency.count if frequency else None,
        repeat=_repeat(frequency) if frequency else None,
        days=days,
    )


def _with_count(frequency: OrderedFrequency | None, days: Fraction | None) -> OrderedFrequency | None:
    """Return the frequency of a repeated course with its number of administrations, where the duration gives it."""
    if frequency is None or frequency.repeat_every is None or frequency.count is not None:
        return frequency
    if days is None or not frequency.times_high:
        return frequency
    return structs.replace(frequency, count=ceil(_rate(frequency).high * days))


def _rate(frequency: OrderedFrequency) -> Span:
    """Return the administrations a day, counting 30.4375 days to a month."""
    unit = DAYS[frequency.unit]
    low = Fraction(frequency.times_low) / (Fraction(frequency.every_high) * unit)
    return Span(low, Fraction(frequency.times_high) / (Fraction(frequency.every_low) * unit))


def _window(frequency: OrderedFrequency) -> Span:
    """Return the administrations a day, a month being any interval of 28 to 31 days."""
    return window(
        Span(Fraction(frequency.times_low), Fraction(frequency.times_high)),
        Span(Fraction(frequency.every_low), Fraction(frequency.every_high)),
        frequency.unit,
    )


def window(times: Span, every: Span, unit: str) -> Span:
    """Return the rate, in administrations a day, of ``times`` in each ``every`` ``unit``."""
    short, long = MONTHLY if unit == "mo" else (DAYS[unit], DAYS[unit])
    return Span(times.low / (every.high * long), times.high / (every.low * short))


def _repeat(frequency: OrderedFrequency) -> Span | None:
    if frequency.repeat_every is None or frequency.repeat_unit is None:
        return None
    return interval(frequency.repeat_every, frequency.repeat_every, frequency.repeat_unit)


def interval(low: Decimal, high: Decimal, unit: str) -> Span:
    """Return an interval in days; a month is 28 to 31."""
    short, long = MONTHLY if unit == "mo" else (DAYS[unit], DAYS[unit])
    return Span(Fraction(low) * short, Fraction(high) * long)


def _kinds(written: _Written) -> dict[Per, Span]:
    each = _each(written)
    found = {written.per: written.dose} | ({Per.ADMINISTRATION: each} if each else {})
    for kind, length in _LENGTHS.items():
        total = _in_period(written, each, length)
        if kind not in found and total is not None:
            found[kind] = total
    course = _course(written, each)
    if Per.COURSE not in found and course is not None:
        found[Per.COURSE] = course
    if written.frequency is not None and written.frequency.as_needed:
        return {kind: span if kind is Per.ADMINISTRATION else Span(_NOTHING, span.high) for kind, span in found.items()}
    return found


def _each(written: _Written) -> Span | None:
    """Return what is given at one time."""
    per, dose, rate, frequency = written.per, written.dose, written.rate, written.frequency
    if per is Per.ADMINISTRATION or written.is_once:
        return dose
    if per is Per.COURSE:
        count = _count(written)
        return dose.by(1 / count.high, 1 / count.low) if count else None
    if rate is None or frequency is None:
        return None
    if per is Per.MONTH and frequency.unit == "mo":
        return dose.by(Fraction(1, frequency.times_high), Fraction(1, frequency.times_low))
    length = _LENGTHS[per]
    return dose.by(1 / (rate.high * length), 1 / (rate.low * length))


def _in_period(written: _Written, each: Span | None, length: Fraction) -> Span | None:
    """Return what is given in a day, week or month in which it is given."""
    if written.is_once:
        return each
    if written.rate is None or each is None or written.frequency is None:
        own = _LENGTHS.get(written.per)
        return written.dose.by(length / own, length / own) if own is not None and own <= length else None
    number = _number(written.frequency, written.rate, length)
    return each.by(number.low, number.high)


def _number(frequency: OrderedFrequency, rate: Span, length: Fraction) -> Span:
    """Return how many administrations fall into ``length`` days: at least one, and no more than its courses hold."""
    if length == DAYS["mo"] and _is_monthly(frequency):
        number = Span(Fraction(frequency.times_low), Fraction(frequency.times_high))
    else:
        number = Span(max(rate.low * length, _ONE), max(rate.high * length, _ONE))
    if frequency.count is None or frequency.count >= number.low:
        return number
    repeat = _repeat(frequency)
    courses = _ONE
    if repeat is not None and not MONTHLY[0] <= repeat.low <= repeat.high <= MONTHLY[1]:
        courses = max(length / repeat.low, _ONE)
    most = frequency.count * courses
    return Span(min(number.low, most), min(number.high, most))


def _is_monthly(frequency: OrderedFrequency) -> bool:
    if frequency.unit == "mo":
        return frequency.every_low == frequency.every_high == 1
    low, high = (Fraction(every) * DAYS[frequency.unit] for every in (frequency.every_low, frequency.every_high))
    return MONTHLY[0] <= low <= high <= MONTHLY[1]


def _count(written: _Written) -> Span | None:
    """Return the number of administrations of the course: as counted, else those that a duration holds."""
    if written.is_once:
        return Span(_ONE, _ONE)
    if written.frequency is not None and written.frequency.count is not None:
        return Span(Fraction(written.frequency.count), Fraction(written.frequency.count))
    if written.rate is None or written.days is None:
        return None
    return Span(Fraction(ceil(written.rate.low * written.days)), Fraction(ceil(written.rate.high * written.days)))


def _course(written: _Written, each: Span | None) -> Span | None:
    count = _count(written)
    if each is not None and count is not None:
        return each.by(count.low, count.high)
    own, days = _LENGTHS.get(written.per), written.days
    return written.dose.by(days / own, days / own) if own is not None and days is not None else None


def summed(parts: list[Ordered]) -> Ordered:
    """Return several orders of one ingredient as one: every kind that all of them have, added.

    What is given at one time is added too, since the times may coincide; the most frequent of them gives the rate.
    """
    first, *others = parts
    amounts = dict(first.amounts)
    for other in others:
        amounts = {kind: span.plus(other.amounts[kind]) for kind, span in amounts.items() if kind in other.amounts}
    rates = [part.rate for part in parts if part.rate is not None]
    days = [part.days for part in parts if part.days is not None]
    return Ordered(
        amounts=amounts,
        unit=first.unit,
        body=first.body if all(part.body == first.body for part in parts) else None,
        rate=max(rates, key=lambda rate: rate.high) if len(rates) == len(parts) else None,
        once=all(part.once for part in parts),
        as_needed=all(part.as_needed for part in parts),
        count=first.count if all(part.count == first.count for part in parts) else None,
        repeat=first.repeat if all(part.repeat == first.repeat for part in parts) else None,
        days=max(days) if len(days) == len(parts) else None,
    )


def scaled(ordered: Ordered, factor: Fraction) -> Ordered:
    """Return the order with every amount multiplied with ``factor``."""
    return structs.replace(ordered, amounts={kind: span.by(factor, factor) for kind, span in ordered.amounts.items()})


def shown(ordered: Ordered) -> tuple[OrderedAmount, ...]:
    """Return the amounts of an order for the answer, in the unit it was written in."""
    unit = f"{ordered.unit}/min" if Per.RATE in ordered.amounts else ordered.unit
    return tuple(_shown(per, ordered.amounts[per], ordered.unit, unit) for per in Per if per in ordered.amounts)


def _shown(per: Per, span: Span, amount: str, unit: str) -> OrderedAmount:
    low, high = (in_unit(value, amount) for value in span)
    return OrderedAmount(per, high, low, unit, amount_text(low, high, unit, ADVERB[per]))


def in_unit(milligrams: Fraction, unit: str) -> Decimal:
    """Return an amount in mg, g, ug or ng (percent stays percent), to twelve significant digits."""
    value = milligrams / _MILLIGRAMS_IN[unit] if unit in _MILLIGRAMS_IN and unit != "mg" else milligrams
    return plain(over(Decimal(value.numerator), Decimal(value.denominator)))


def in_milligrams(value: Decimal, unit: str) -> Fraction:
    """Return an amount of a documented dose in milligrams (percent stays percent)."""
    factor = _MILLIGRAMS_IN.get(unit.partition("/")[0], _ONE)
    return Fraction(value) if factor is _ONE else Fraction(value) * factor
