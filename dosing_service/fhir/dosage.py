"""What one Dosage orders: amount, frequency, route, rate, length. Several are put together in ``steps``."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from msgspec import structs

from dosing_service.fhir.elements import codes, element, elements, items
from dosing_service.fhir.quantities import (
    INFUSION_RATES,
    PILL,
    Amount,
    Rate,
    Unreadable,
    amount,
    amount_range,
    converted,
    rate,
    ratio,
)
from dosing_service.fhir.routes import route
from dosing_service.fhir.timing import Period, Schedule, schedule
from dosing_service.model import DAYS_IN, OrderedDose, OrderedFrequency, OrderedInfusion, Per, Value
from dosing_service.units import ORDER_UNITS, in_mg, over, plain, times

_PER_OF_TIME = {"d": Per.DAY, "wk": Per.WEEK, "mo": Per.MONTH, "min": Per.RATE, "h": Per.RATE}
#: Which entry of doseAndRate counts, first to last; several state one dose in several ways and are never added.
_TYPES = ("ordered", "calculated", None, "admin-amount")
_EPIC_ORDERED = "https://open.epic.com/fhir/extensions/ordered-dose"
_MINUTES_IN = {"h": Decimal(60), "min": Decimal(1)}
_NO_INFUSION = {"oral", "topical", "rectal", "nasal", "ophthalmic", "otic", "inhalation"}


class Taker(Value, frozen=True):
    """What a dosage needs to know beside itself: the patient's weight, and what one piece of the product is."""

    kg: Decimal | None = None
    piece: str | None = None
    strength: tuple[Decimal, str] | None = None


class Step(Value, frozen=True):
    """One dosage as an order says it. ``why`` tells why there is no dose; ``notes`` what was assumed or left out."""

    dose: OrderedDose | None
    frequency: OrderedFrequency | None
    route: str | None
    infusion: OrderedInfusion | None
    duration_days: Decimal | None
    why: str | None
    notes: tuple[str, ...]
    sequence: int | None = None
    period: Period | None = None


def read(dosage: Mapping[str, Any], taker: Taker) -> Step:
    """Return one dosage; what cannot be worked out stays unknown, with the reason."""
    way, route_note = route(dosage)
    as_needed = _is_as_needed(dosage)
    when = schedule(dosage.get("timing"), as_needed=as_needed)
    notes = list(when.notes)
    if route_note:
        notes.append(route_note)
    dose, why, speed = _dose_or_reason(dosage, taker, when, notes)
    frequency = when.frequency
    if dose is not None:
        dose, frequency = _within_maxima(dosage, dose, frequency, taker, notes)
        dose, why = _consistent(dose, frequency)
    if when.why and not _needs_no_frequency(dose):
        notes.append(when.why)
    infusion = None if way in _NO_INFUSION else _infusion(when, speed)
    return Step(dose, frequency, way, infusion, when.duration_days, why, tuple(notes), period=when.period)


def _is_as_needed(dosage: Mapping[str, Any]) -> bool:
    """Tell whether the dose is taken when needed, by any of the fields of four releases."""
    if dosage.get("asNeededBoolean") is True or dosage.get("asNeeded") is True:
        return True
    reasons = [*items(dosage.get("asNeededCodeableConcept")), *items(dosage.get("asNeededFor"))]
    return any(isinstance(reason, Mapping) and reason for reason in reasons)


def _needs_no_frequency(dose: OrderedDose | None) -> bool:
    return dose is not None and dose.per is not Per.ADMINISTRATION


# ---------------------------------------------------------------- the amount


def _dose_or_reason(
    dosage: Mapping[str, Any], taker: Taker, when: Schedule, notes: list[str]
) -> tuple[OrderedDose | None, str | None, Rate | None]:
    try:
        found, speed = _amount(dosage, notes), _rate(dosage, notes)
        dose = _of_amount(found, taker, notes) if found else _of_rate(speed, when, taker) if speed else None
    except Unreadable as unread:
        return None, unread.reason, None
    if dose is None:
        return None, _why_no_dose(dosage), speed
    if found and speed and ORDER_UNITS.get(speed.unit) and ORDER_UNITS[speed.unit].time in {"d", "wk", "mo"}:
        notes.append("an amount per day, week or month stands beside the dose; the dose was judged")
    return dose, None, speed


def _why_no_dose(dosage: Mapping[str, Any]) -> str:
    if any(dosage.get(name) for name in ("text", "patientInstruction")):
        return "the dose stands in free text alone, which is not read"
    return "the order gives no dose"


def _amount(dosage: Mapping[str, Any], notes: list[str]) -> Amount | None:
    """Return the dose from the first place that has one that can be read, of the places of four releases."""
    reason: Unreadable | None = None
    for place in _places(dosage):
        try:
            found = amount(place.get("doseQuantity")) or amount_range(place.get("doseRange"))
        except Unreadable as unread:
            reason = reason or unread
            continue
        if found is not None:
            notes += found.notes
            if reason is not None:
                notes.append("the first statement of the dose cannot be read; the next one was judged")
            return found
    if reason is not None:
        raise reason
    return None


def _places(dosage: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return where a dose or rate may stand, the one that counts first."""
    own = elements(dosage.get("extension")) + elements(element(dosage.get("doseQuantity")).get("extension"))
    ordered = [
        {"doseQuantity": item.get("valueQuantity"), "doseRange": item.get("valueRange")}
        for item in own
        if item.get("url") == _EPIC_ORDERED
    ]
    entries = elements(dosage.get("doseAndRate"))
    typed = sorted(entries, key=_rank)
    return [*ordered, *typed, dosage]


def _rank(entry: Mapping[str, Any]) -> int:
    named = codes(entry.get("type"))
    found = (place for place, name in enumerate(_TYPES) if name in named)
    return next(found, _TYPES.index(None))


def _rate(dosage: Mapping[str, Any], notes: list[str]) -> Rate | None:
    for place in _places(dosage):
        try:
            found = rate(place)
        except Unreadable as unread:
            notes.append(f"the rate was not read: {unread.reason}")
            return None
        if found is not None:
            return found
    return None


def _of_amount(found: Amount, taker: Taker, notes: list[str]) -> OrderedDose:
    unit = (taker.piece or "{tablet}") if found.unit == PILL else found.unit
    low, high = found.low, found.high
    if taker.strength is not None and unit == taker.strength[1]:
        milligrams = taker.strength[0]
        notes.append("the number of pieces or millilitres was multiplied with the strength of the product")
        low, high, unit = plain(times(low, milligrams)), plain(times(high, milligrams)), "mg"
    time = ORDER_UNITS[unit].time
    return OrderedDose(low, high, unit, _PER_OF_TIME[time] if time else Per.ADMINISTRATION)


def _of_rate(speed: Rate, when: Schedule, taker: Taker) -> OrderedDose | None:
    """Return what a rate alone gives: an amount per day, week or month, or the amount that runs in during its time."""
    unit = ORDER_UNITS.get(speed.unit)
    if unit is not None and unit.time in {"d", "wk", "mo"}:
        return _of_amount(Amount(speed.low, speed.high, speed.unit), taker, [])
    bare, _, time = speed.unit.rpartition("/")
    if when.minutes is not None and bare in ORDER_UNITS:
        length = over(when.minutes, _MINUTES_IN[time])
        low, high = (plain(times(value, length)) for value in (speed.low, speed.high))
        return OrderedDose(low, high, bare, Per.ADMINISTRATION)
    if unit is None:
        raise Unreadable("a rate is given without the dose or the time, and no amount follows from it")
    return OrderedDose(speed.low, speed.high, speed.unit, Per.RATE)


def _infusion(when: Schedule, speed: Rate | None) -> OrderedInfusion | None:
    """Return how fast it runs: the faster end, since the limits are upper ones."""
    is_rate = speed is not None and speed.unit in INFUSION_RATES
    if when.minutes is None and not is_rate:
        return None
    return OrderedInfusion(
        when.minutes, speed.high if speed and is_rate else None, speed.unit if speed and is_rate else None
    )


def _consistent(dose: OrderedDose, frequency: OrderedFrequency | None) -> tuple[OrderedDose | None, str | None]:
    """Refuse an amount per day, week or month that is given once, or more rarely than that."""
    if frequency is None or not frequency.misses(dose.per):
        return dose, None
    rarely = "its timing says once" if frequency.once else "it is given more rarely"
    return None, f"the dose is an amount per day, week or month, and {rarely}; one of the two is wrong"


# ---------------------------------------------------------------- maxima of the order itself


def _within_maxima(
    dosage: Mapping[str, Any], dose: OrderedDose, frequency: OrderedFrequency | None, taker: Taker, notes: list[str]
) -> tuple[OrderedDose, OrderedFrequency | None]:
    """Return the dose and frequency under the maxima that the order names: they lower what is open, a range or as
    needed, and contradict what is fixed.
    """
    dose = _below_each(dosage.get("maxDosePerAdministration"), dose, taker, notes)
    for given in elements(dosage.get("maxDosePerPeriod")):
        try:
            dose, frequency = _below_period(given, dose, frequency, notes)
        except Unreadable:
            notes.append("a maximum per period that the order names was not read")
    return dose, frequency


def _below_each(given: Any, dose: OrderedDose, taker: Taker, notes: list[str]) -> OrderedDose:
    try:
        most = amount(given)
    except Unreadable:
        most = None
    if most is None or dose.per is not Per.ADMINISTRATION:
        if element(given):
            notes.append("a maximum per administration that the order names was not read")
        return dose
    limit = converted(most.high, most.unit, dose.unit)
    if limit is not None:
        return _below_limit(dose, limit, notes)
    return _below_milligrams(dose, in_mg(most.high, most.unit), taker, notes)


def _below_limit(dose: OrderedDose, limit: Decimal, notes: list[str]) -> OrderedDose:
    if dose.low > limit:
        notes.append("the dose is above the maximum per administration that the order itself names")
        return dose
    return structs.replace(dose, high=min(dose.high, limit))


def _below_milligrams(dose: OrderedDose, limit: Decimal | None, taker: Taker, notes: list[str]) -> OrderedDose:
    """Return a dose per kg under a maximum in milligrams, which is how such doses are capped."""
    unit = ORDER_UNITS[dose.unit]
    if limit is None or unit.body != "kg" or taker.kg is None or unit.milligrams is None:
        notes.append("the maximum per administration that the order names cannot be compared with its dose")
        return dose
    factor = times(unit.milligrams, taker.kg)
    low, high = (plain(times(value, factor)) for value in (dose.low, dose.high))
    if high <= limit:
        return dose
    notes.append("the dose per kg was judged as the maximum per administration that the order names")
    return structs.replace(dose, low=min(low, limit), high=limit, unit="mg")


def _below_period(
    given: Mapping[str, Any], dose: OrderedDose, frequency: OrderedFrequency | None, notes: list[str]
) -> tuple[OrderedDose, OrderedFrequency | None]:
    most, every, unit = ratio(given)
    limit = converted(most.high, most.unit, dose.unit)
    if limit is None or unit not in DAYS_IN or dose.per is not Per.ADMINISTRATION:
        notes.append("the maximum per period that the order names cannot be compared with its dose")
        return dose, frequency
    if not _is_open(dose, frequency):
        if frequency is not None and _exceeds(dose, frequency, limit, every, unit):
            notes.append("dose and frequency come to more than the maximum per period that the order names")
        return dose, frequency
    if frequency is not None and frequency.times_high and not _exceeds(dose, frequency, limit, every, unit):
        return dose, frequency
    return _at_limit(dose, frequency, limit, every, unit, notes)


def _is_open(dose: OrderedDose, frequency: OrderedFrequency | None) -> bool:
    if frequency is None or frequency.as_needed:
        return frequency is not None
    ends = (frequency.times_low, frequency.every_low), (frequency.times_high, frequency.every_high)
    return not frequency.once and (dose.low != dose.high or ends[0] != ends[1])


def _exceeds(dose: OrderedDose, frequency: OrderedFrequency, limit: Decimal, every: Decimal, unit: str) -> bool:
    if frequency.once or not frequency.times_high:
        return dose.high > limit
    most = frequency.per_day()[1] * Fraction(every) * DAYS_IN[unit]
    return Fraction(dose.high) * most > Fraction(limit)


def _at_limit(
    dose: OrderedDose, frequency: OrderedFrequency | None, limit: Decimal, every: Decimal, unit: str, notes: list[str]
) -> tuple[OrderedDose, OrderedFrequency | None]:
    """Return a dose as needed with as many administrations as its maximum holds; else the maximum as the amount of
    its day, week or month.
    """
    if dose.low > limit:
        notes.append("a single dose is above the maximum per period that the order itself names")
        return dose, frequency
    number, rest = divmod(Fraction(limit), Fraction(dose.high))
    is_needed = frequency is not None and frequency.as_needed
    if is_needed and number >= 1 and not rest:
        notes.append("the maximum per period that the order names was judged as the most that is given")
        return dose, OrderedFrequency(int(number), int(number), every, every, unit, as_needed=True)
    capped = f"{dose.unit}/{unit}"
    if every != 1 or capped not in ORDER_UNITS:
        notes.append("the maximum per period that the order names was not applied")
        return dose, frequency
    notes.append("the maximum per period that the order names was judged as the amount of that period")
    low = limit if is_needed or frequency is None else _least(dose, frequency, limit, unit)
    return OrderedDose(low, limit, capped, _PER_OF_TIME[unit]), OrderedFrequency(as_needed=True) if is_needed else None


def _least(dose: OrderedDose, frequency: OrderedFrequency, limit: Decimal, unit: str) -> Decimal:
    least = Fraction(dose.low) * frequency.per_day()[0] * DAYS_IN[unit]
    return min(limit, plain(over(Decimal(least.numerator), Decimal(least.denominator))))
