"""What an order comes to as each kind of amount: exact fractions, in milligrams (a strength in percent).

Nothing is filled in. A kind that does not follow from what the order says is absent.
"""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import NamedTuple

from msgspec import structs

from dosing_service.model import (
    DAYS_IN,
    NotChecked,
    Order,
    OrderedAmount,
    OrderedDose,
    OrderedFrequency,
    Patient,
    Per,
    Value,
)
from dosing_service.rules.measure import measures_of
from dosing_service.rules.population import HEIGHT, WEIGHT
from dosing_service.rules.schedule import ADVERB
from dosing_service.rules.wording import amount_text
from dosing_service.units import MG_IN, ORDER_UNITS, OrderUnit, over, plain

#: The shortest and the longest interval that counts as a month.
MONTHLY = (Fraction(28), Fraction(31))
_LENGTHS = {Per.DAY: DAYS_IN["d"], Per.WEEK: DAYS_IN["wk"], Per.MONTH: DAYS_IN["mo"]}
_PER_MINUTE = {"min": Fraction(1), "h": Fraction(1, 60)}
_NOTHING, _ONE = Fraction(0), Fraction(1)
_MILLIGRAMS_IN = {unit: Fraction(milligrams) for unit, milligrams in MG_IN.items()}


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

    ``rate`` is administrations a day, ``most`` the most of them that the order certainly allows (a month may have 31
    days); ``repeat`` the days after which a course of ``count`` comes again. ``is_partial`` says that an order of the
    sum lacks a kind of amount, so that there is at least so much.
    """

    amounts: Mapping[Per, Span]
    unit: str
    body: str | None = None
    rate: Span | None = None
    most: Fraction | None = None
    once: bool = False
    as_needed: bool = False
    is_partial: bool = False
    count: int | None = None
    repeat: Span | None = None
    days: Fraction | None = None


class Unreadable(Value, frozen=True):
    """What an order lacks before any amount follows from it."""

    inputs: tuple[NotChecked, ...]


def normalised(order: Order, path: str, patient: Patient, strength: Strength | None) -> Ordered | Unreadable:
    """Return ``order`` (at ``path`` of the request) as every kind of amount that follows from it."""
    if order.dose is None:
        return _lacks(f"{path}.dose", "the order gives no dose")
    unit = ORDER_UNITS[order.dose.unit]
    factor = _milligrams(unit, strength)
    if factor is None:
        return _lacks(f"{path}.product", "the dose is counted in products; the strength of the product is not known")
    measure = measures_of(patient)[unit.body]
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
        return _is_once(self.frequency)


def _is_once(frequency: OrderedFrequency | None) -> bool:
    """Tell whether an order is given only once: as it says, or because its course has one administration."""
    if frequency is None or frequency.once:
        return frequency is not None
    return frequency.count == 1 and frequency.repeat_every is None


def rhythm(order: Order) -> Ordered:
    """Return how often and how long ``order`` is given, without any amount: that can be read whatever the dose is."""
    days = Fraction(order.duration_days) if order.duration_days is not None else None
    frequency = _with_count(order.frequency, days)
    is_once = _is_once(frequency)
    goes_on = frequency is not None and frequency.times_high > 0 and not is_once
    return Ordered(
        amounts={},
        unit="mg",
        rate=_window(frequency) if frequency and goes_on else None,
        most=_most_often(frequency) if frequency and goes_on else None,
        once=is_once,
        as_needed=frequency is not None and frequency.as_needed,
        count=1 if is_once else frequency.count if frequency else None,
        repeat=_repeat(frequency) if frequency else None,
        days=days,
    )


def _with_kinds(order: Order, dose: Span, unit: OrderUnit) -> Ordered:
    assert order.dose is not None  # noqa: S101 - the caller looked
    often = rhythm(order)
    frequency = _with_count(order.frequency, often.days)
    rate = Span(*frequency.per_day()) if frequency and frequency.times_high else None
    written = _Written(dose, order.dose.per, frequency, rate, often.days)
    amounts = {written.per: dose} if written.per is Per.RATE or unit.amount == "%" else _kinds(written)
    minutes = order.infusion.duration_minutes if order.infusion else None
    if minutes is not None and unit.amount != "%" and Per.ADMINISTRATION in amounts:
        amounts[Per.RATE] = amounts[Per.ADMINISTRATION].by(1 / Fraction(minutes), 1 / Fraction(minutes))
    read_in = unit.amount if unit.amount in {*_MILLIGRAMS_IN, "%"} else "mg"
    return structs.replace(often, amounts=amounts, unit=read_in, body=unit.body)


def _with_count(frequency: OrderedFrequency | None, days: Fraction | None) -> OrderedFrequency | None:
    """Return the frequency of a repeated course, and of a single administration, with its number of administrations,
    where the duration gives it.
    """
    if frequency is None or frequency.count is not None or days is None or not frequency.times_high:
        return frequency
    rate = Span(*frequency.per_day())
    is_counted = frequency.repeat_every is not None or rate.high * days <= 1
    return structs.replace(frequency, count=ceil(rate.high * days)) if is_counted else frequency


def _most_often(frequency: OrderedFrequency) -> Fraction:
    """Return the administrations a day at the shortest interval, counting 31 days to a month."""
    unit = MONTHLY[1] if frequency.unit == "mo" else DAYS_IN[frequency.unit]
    return Fraction(frequency.times_high) / (Fraction(frequency.every_low) * unit)


def _window(frequency: OrderedFrequency) -> Span:
    """Return the administrations a day, a month being any interval of 28 to 31 days."""
    return window(
        Span(Fraction(frequency.times_low), Fraction(frequency.times_high)),
        Span(Fraction(frequency.every_low), Fraction(frequency.every_high)),
        frequency.unit,
    )


def window(times: Span, every: Span, unit: str) -> Span:
    """Return the rate, in administrations a day, of ``times`` in each ``every`` ``unit``."""
    short, long = MONTHLY if unit == "mo" else (DAYS_IN[unit], DAYS_IN[unit])
    return Span(times.low / (every.high * long), times.high / (every.low * short))


def _repeat(frequency: OrderedFrequency) -> Span | None:
    if frequency.repeat_every is None or frequency.repeat_unit is None:
        return None
    return interval(frequency.repeat_every, frequency.repeat_every, frequency.repeat_unit)


def interval(low: Decimal, high: Decimal, unit: str) -> Span:
    """Return an interval in days; a month is 28 to 31."""
    short, long = MONTHLY if unit == "mo" else (DAYS_IN[unit], DAYS_IN[unit])
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
    per, dose, frequency = written.per, written.dose, written.frequency
    if per is Per.ADMINISTRATION or written.is_once:
        return dose
    if per is Per.COURSE:
        count = _count(written)
        return dose.by(1 / count.high, 1 / count.low) if count else None
    if frequency is None or not frequency.times_high:
        return None
    number = _per_period(frequency, _LENGTHS[per])
    return dose.by(1 / number.high, 1 / number.low)


def _in_period(written: _Written, each: Span | None, length: Fraction) -> Span | None:
    """Return what is given in a day, week or month in which it is given. A total that is written stays what it is."""
    own, frequency, count = _LENGTHS.get(written.per), written.frequency, _count(written)
    if written.is_once:
        return each
    if own is not None and own <= length and (count is None or each is None):
        return written.dose.by(length / own, length / own)
    if each is None or frequency is None or not frequency.times_high:
        return None
    number = _bounded(_per_period(frequency, length), frequency, count, length)
    if own is not None and own <= length:
        return written.dose.by(*(part / whole for part, whole in zip(number, _per_period(frequency, own), strict=True)))
    return each.by(number.low, number.high)


def _per_period(frequency: OrderedFrequency, length: Fraction) -> Span:
    """Return how many administrations fall on each ``length`` days."""
    rarest, often = (_intervals(length, every, frequency.unit) for every in (frequency.every_high, frequency.every_low))
    return Span(frequency.times_low * rarest, frequency.times_high * often)


def _intervals(length: Fraction, every: Decimal, unit: str) -> Fraction:
    """Return how many intervals a length of time holds; a month holds one of 28 to 31 days."""
    days = Fraction(every) * DAYS_IN[unit]
    return _ONE if length == DAYS_IN["mo"] and MONTHLY[0] <= days <= MONTHLY[1] else length / days


def _bounded(number: Span, frequency: OrderedFrequency, count: Span | None, length: Fraction) -> Span:
    """Return the administrations in a period in which there are some: at least one, at most what its courses hold."""
    low, high = max(number.low, _ONE), max(number.high, _ONE)
    if count is None or count.high >= low:
        return Span(low, high)
    courses, repeat = _ONE, _repeat(frequency)
    if repeat is not None and not MONTHLY[0] <= repeat.low <= repeat.high <= MONTHLY[1]:
        courses = max(length / repeat.low, _ONE)
    most = count.high * courses
    return Span(min(low, most), min(high, most))


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
    """Return several orders of one ingredient as one.

    What is given at one time is added too, since the times may coincide; the most frequent of them gives the rate. A
    kind that one of them lacks holds the others: there is at least so much.
    """
    if len(parts) == 1:
        return parts[0]
    first = parts[0]
    amounts: dict[Per, Span] = {}
    for part in parts:
        for kind, span in part.amounts.items():
            amounts[kind] = amounts[kind].plus(span) if kind in amounts else span
    rates = [part.rate for part in parts if part.rate is not None]
    days = [part.days for part in parts if part.days is not None]
    return Ordered(
        amounts=amounts,
        unit=first.unit,
        body=first.body if all(part.body == first.body for part in parts) else None,
        rate=max(rates, key=lambda rate: rate.high) if rates else None,
        most=max((part.most for part in parts if part.most is not None), default=None),
        once=all(part.once for part in parts),
        as_needed=all(part.as_needed for part in parts),
        is_partial=any(set(part.amounts) != set(amounts) for part in parts),
        count=first.count if all(part.count == first.count for part in parts) else None,
        repeat=first.repeat if all(part.repeat == first.repeat for part in parts) else None,
        days=max(days) if len(days) == len(parts) else None,
    )


def scaled(ordered: Ordered, factor: Fraction) -> Ordered:
    """Return the order with every amount multiplied with ``factor``."""
    return structs.replace(ordered, amounts={kind: span.by(factor, factor) for kind, span in ordered.amounts.items()})


def shown(ordered: Ordered) -> tuple[OrderedAmount, ...]:
    """Return the amounts of an order for the answer, in a readable unit.

    What is given more rarely than daily has no amount a day here: "15 mg daily" of a weekly drug would be misread.
    """
    return tuple([_shown(per, ordered) for per in Per if per in ordered.amounts and not is_rarer(ordered, per)])


def _shown(per: Per, ordered: Ordered) -> OrderedAmount:
    span = ordered.amounts[per]
    unit = _readable(span.high, ordered.unit)
    low, high = in_unit(span.low, unit), in_unit(span.high, unit)
    return OrderedAmount(per, high, low, f"{unit}/min" if per is Per.RATE else unit, text_of(per, span, ordered))


def text_of(per: Per, span: Span, ordered: Ordered) -> str:
    """Return an amount of an order in words."""
    unit = _readable(span.high, ordered.unit)
    suffix = _ONE_PERIOD[per] if is_rarer(ordered, per) else ADVERB[per]
    name, high = f"{unit}/min" if per is Per.RATE else unit, in_unit(span.high, unit)
    if not span.low and span.high:
        return f"up to {amount_text(high, high, name, suffix)}"
    return amount_text(in_unit(span.low, unit), high, name, suffix)


_ONE_PERIOD = {Per.DAY: "on the day it is given", Per.WEEK: "in the week it is given", Per.MONTH: "in that month"}
#: Between these bounds an amount is readable in its own unit: 0.015 g, 0.0006 mg and 130,000 mg are not.
_LEAST_READABLE, _MOST_READABLE = Fraction(1, 10), Fraction(10000)


def is_rarer(ordered: Ordered, per: Per) -> bool:
    """Tell whether an order is given more rarely than once in such a period."""
    length = _LENGTHS.get(per)
    if length is None or (ordered.rate is None and not ordered.once):
        return False
    if ordered.rate is None:
        return True
    short = MONTHLY[1] if per is Per.MONTH else length
    return ordered.rate.high * short < 1


def _readable(milligrams: Fraction, unit: str) -> str:
    """Return the unit an amount is shown in: that of the order, unless the number is too small or too large to read."""
    factor = _MILLIGRAMS_IN.get(unit)
    if factor is None or not milligrams or _LEAST_READABLE <= milligrams / factor < _MOST_READABLE:
        return unit
    order = ("g", "mg", "ug", "ng")
    return next((name for name in order if milligrams / _MILLIGRAMS_IN[name] >= _LEAST_READABLE * 10), unit)


def in_unit(milligrams: Fraction, unit: str) -> Decimal:
    """Return an amount in mg, g, ug or ng (percent stays percent), to twelve significant digits."""
    value = milligrams / _MILLIGRAMS_IN[unit] if unit in _MILLIGRAMS_IN and unit != "mg" else milligrams
    return plain(over(Decimal(value.numerator), Decimal(value.denominator)))


def in_milligrams(value: Decimal, unit: str) -> Fraction:
    """Return an amount of a documented dose in milligrams (percent stays percent)."""
    factor = _MILLIGRAMS_IN.get(unit.partition("/")[0], _ONE)
    return Fraction(value) if factor == 1 else Fraction(value) * factor
