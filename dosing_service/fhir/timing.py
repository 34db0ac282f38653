"""How often and for how long: the Timing of a dosage. Nothing is filled in; no frequency is not once daily."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import lcm
from typing import Any

from msgspec import structs

from dosing_service.fhir.elements import codings, element, items, label, number, whole, word
from dosing_service.fhir.moments import moment
from dosing_service.fhir.quantities import Unreadable, days, minutes, time_unit
from dosing_service.model import DAYS_IN, OrderedFrequency, Value
from dosing_service.systems import SNOMED
from dosing_service.units import over, plain

#: Bounds of a frequency: a dose every second, and one in ten thousand days.
_MOST_TIMES = 100_000
_MOST_COUNT = 1000
_LONGEST = 10_000
_PER_HOUR = {"min": 60, "s": 3600}
_WEEKDAYS = frozenset(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))
#: Events that come once a day; a meal (C), before meals (AC) and after them (PC) come as often as somebody eats.
_ONCE_A_DAY = frozenset(
    (
        *("MORN", "MORN.early", "MORN.late", "NOON", "AFT", "AFT.early", "AFT.late"),
        *("EVE", "EVE.early", "EVE.late", "NIGHT", "PHS", "HS", "WAKE"),
        *("CM", "CD", "CV", "ACM", "ACD", "ACV", "PCM", "PCD", "PCV"),
    )
)
#: HL7's abbreviations and what record systems write beside them: times, every, unit.
_BY_ABBREVIATION = {
    **dict.fromkeys(("QD", "AM", "PM", "BED"), (1, 1, "d")),
    "BID": (2, 1, "d"),
    "TID": (3, 1, "d"),
    "QID": (4, 1, "d"),
    "QOD": (1, 2, "d"),
    **{f"Q{hours}H": (1, hours, "h") for hours in (1, 2, 3, 4, 6, 8, 12, 24)},
    "WK": (1, 1, "wk"),
    "MO": (1, 1, "mo"),
}
#: Whose codes these are. Under any other system, and as text, MO may be Monday: there only those that are unmistakable.
_HL7 = {
    "http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation",
    "http://terminology.hl7.org/CodeSystem/timing-abbreviation",
    "http://hl7.org/fhir/v3/GTSAbbreviation",
    None,
}
_UNMISTAKABLE = {code: often for code, often in _BY_ABBREVIATION.items() if code not in {"WK", "MO", "BED"}}
_BY_SNOMED = {
    "229797004": (1, 1, "d"),
    "229799001": (2, 1, "d"),
    "229798009": (3, 1, "d"),
    "307439001": (4, 1, "d"),
    "225756002": (1, 4, "h"),
    "307468000": (1, 6, "h"),
    "307469008": (1, 8, "h"),
    "307470009": (1, 12, "h"),
}
_BY_WORDS = {
    **dict.fromkeys(("daily", "once daily", "once a day", "every day"), (1, 1, "d")),
    **dict.fromkeys(("every morning", "every evening", "nightly", "at bedtime"), (1, 1, "d")),
    **dict.fromkeys(("twice daily", "twice a day", "2 times daily", "two times a day", "2 times a day"), (2, 1, "d")),
    **dict.fromkeys(("three times daily", "three times a day", "3 times daily", "3 times a day"), (3, 1, "d")),
    **dict.fromkeys(("four times daily", "four times a day", "4 times daily", "4 times a day"), (4, 1, "d")),
    "every other day": (1, 2, "d"),
    **{f"every {hours} hours": (1, hours, "h") for hours in (2, 3, 4, 6, 8, 12, 24)},
    **dict.fromkeys(("weekly", "once weekly", "once a week", "every week", "every 7 days"), (1, 1, "wk")),
    **dict.fromkeys(("monthly", "once monthly", "once a month", "every month"), (1, 1, "mo")),
}
_ONCE = {"once", "one time", "one time only", "single dose"}


class Period(Value, frozen=True):
    """From when until when something is given; ``end`` is the first moment after it, ``None`` where none is named."""

    start: datetime
    end: datetime | None


class Schedule(Value, frozen=True):
    """What a Timing says. ``why`` tells why there is no frequency; ``minutes`` is how long one administration takes."""

    frequency: OrderedFrequency | None
    why: str | None = None
    duration_days: Decimal | None = None
    minutes: Decimal | None = None
    notes: tuple[str, ...] = ()
    period: Period | None = None


def schedule(given: Any, *, as_needed: bool) -> Schedule:
    """Return how often, for how many days and how long at a time; a frequency that is as needed is the most."""
    timing = element(given)
    repeat = element(timing.get("repeat"))
    notes: list[str] = []
    why = None
    frequency = None
    try:
        frequency = _frequency(timing, repeat, notes)
    except Unreadable as unread:
        why = unread.reason
    if frequency is None and why is None:
        why = _why_unknown(timing, repeat)
    if as_needed:
        frequency = _as_needed(frequency, notes)
    length = _bounds(repeat, notes)
    span = minutes(repeat.get("duration"), repeat.get("durationUnit"))
    period = _dates(element(repeat.get("boundsPeriod")))
    return Schedule(frequency, None if frequency else why, length, span, tuple(notes), period)


def _why_unknown(timing: Mapping[str, Any], repeat: Mapping[str, Any]) -> str:
    if timing.get("code") is not None:
        return "how often it is given stands in a code or text that is not read here"
    if repeat.get("count") is not None or len(items(timing.get("event"))) > 1:
        return "how many doses are given is stated, and not how often"
    return "the order does not say how often it is given"


def _as_needed(frequency: OrderedFrequency | None, notes: list[str]) -> OrderedFrequency:
    if frequency is None:
        return OrderedFrequency(as_needed=True)
    if frequency.once:
        notes.append("a single dose as needed was judged as one that is given")
        return frequency
    return structs.replace(frequency, as_needed=True)


# ---------------------------------------------------------------- how often


def _frequency(timing: Mapping[str, Any], repeat: Mapping[str, Any], notes: list[str]) -> OrderedFrequency | None:
    coded = _coded(timing.get("code"))
    if _is_single(timing, repeat):
        return OrderedFrequency(once=True)
    stated = _stated(repeat, notes)
    chosen = _agreed(stated, coded, notes)
    count = _count(repeat)
    if chosen is None or chosen.once or count is None:
        return chosen
    return structs.replace(chosen, count=count)


def _is_single(timing: Mapping[str, Any], repeat: Mapping[str, Any]) -> bool:
    if repeat.get("count") is not None:
        return whole(repeat["count"]) == 1 and whole(repeat.get("countMax", 1)) == 1
    has_rate = any(repeat.get(name) is not None for name in ("period", "frequency", "when", "timeOfDay", "dayOfWeek"))
    return not has_rate and len(items(timing.get("event"))) == 1


def _count(repeat: Mapping[str, Any]) -> int | None:
    count = whole(repeat.get("countMax")) or whole(repeat.get("count"))
    return count if count is not None and 0 < count <= _MOST_COUNT else None


def _agreed(
    stated: OrderedFrequency | None, coded: OrderedFrequency | None, notes: list[str]
) -> OrderedFrequency | None:
    """Return what the structure and the code say; where they say two things, the more frequent one, and say so."""
    if stated is None or coded is None:
        return stated or coded
    if coded.once:
        notes.append("the code of the timing says once, its structure says how often; the structure was judged")
        return stated
    if stated.per_day() == coded.per_day():
        return stated
    notes.append("the code and the structure of the timing say two frequencies; the more frequent one was judged")
    return stated if stated.per_day()[1] >= coded.per_day()[1] else coded


def _coded(concept: Any) -> OrderedFrequency | None:
    for system, code, _ in codings(concept):
        if code and system == SNOMED and code in _BY_SNOMED:
            return _of(*_BY_SNOMED[code])
        known = _BY_ABBREVIATION if system in _HL7 else _UNMISTAKABLE
        if code and system != SNOMED and code.upper() in known:
            return _of(*known[code.upper()])
    shown = [display for _, _, display in codings(concept)]
    for name in (label(concept), *shown):
        found = _spoken(name) if name else None
        if found is not None:
            return found
    return None


def _spoken(name: str) -> OrderedFrequency | None:
    text = name.lower().removesuffix(" (qualifier value)").strip()
    if text in _ONCE:
        return OrderedFrequency(once=True)
    pattern = _BY_WORDS.get(text) or _UNMISTAKABLE.get(text.upper())
    return _of(*pattern) if pattern else None


def _of(number_of_times: int, every: int, unit: str) -> OrderedFrequency:
    interval = Decimal(every)
    return OrderedFrequency(number_of_times, number_of_times, interval, interval, unit)


# ---------------------------------------------------------------- the structure


def _stated(repeat: Mapping[str, Any], notes: list[str]) -> OrderedFrequency | None:
    weekdays, moments = _weekdays(repeat), _moments(repeat)
    if repeat.get("period") is None:
        return _without_period(repeat, weekdays, moments)
    base = _filtered(_base(repeat, notes), weekdays, notes)
    if moments > base.times_high and _is_daily(base):
        notes.append("more times of day are named than the frequency has; both were judged, as a range")
        return structs.replace(base, times_high=moments)
    if 0 < moments < base.times_low and _is_daily(base):
        notes.append("fewer times of day are named than the frequency has; both were judged, as a range")
        return structs.replace(base, times_low=moments)
    return base


def _is_daily(frequency: OrderedFrequency) -> bool:
    return frequency.unit == "d" and frequency.every_low == frequency.every_high == 1


def _weekdays(repeat: Mapping[str, Any]) -> int:
    given = {(word(day) or "").lower() for day in items(repeat.get("dayOfWeek"))}
    if given - _WEEKDAYS:
        raise Unreadable("a day of the week is named that is none")
    return len(given)


def _moments(repeat: Mapping[str, Any]) -> int:
    """Return how many times of day are named; 0 where none is, or where nobody knows how many there are."""
    clock = {word(time) for time in items(repeat.get("timeOfDay"))} - {None}
    events = {word(event) for event in items(repeat.get("when"))} - {None}
    if clock:
        return len(clock)
    if events - _ONCE_A_DAY:
        if repeat.get("period") is None:
            raise Unreadable("it is given at events of which nobody knows how often they come, such as meals")
        return 0
    return len(events)


def _without_period(repeat: Mapping[str, Any], weekdays: int, moments: int) -> OrderedFrequency | None:
    frequency = repeat.get("frequency")
    if frequency is not None and not (whole(frequency) == 1 and (weekdays or moments)):
        raise Unreadable("how many times is stated, and not in which period")
    if weekdays:
        return _of(weekdays * max(moments, 1), 1, "wk")
    return _of(moments, 1, "d") if moments else None


def _base(repeat: Mapping[str, Any], notes: list[str]) -> OrderedFrequency:
    low, high = _times(repeat, notes)
    short, long = _period(repeat)
    unit = time_unit(repeat.get("periodUnit") or repeat.get("periodUnits"))
    if unit is None:
        raise Unreadable("the period of the frequency has no unit of time")
    if unit == "a":
        short, long, unit = short * 12, long * 12, "mo"
    if unit in _PER_HOUR:
        return _in_hours(low, high, short, long, _PER_HOUR[unit])
    if high > _MOST_TIMES or long > _LONGEST:
        raise Unreadable("the frequency is out of all bounds")
    return OrderedFrequency(low, high, plain(short), plain(long), unit)


def _times(repeat: Mapping[str, Any], notes: list[str]) -> tuple[int, int]:
    if repeat.get("frequency") is None and repeat.get("frequencyMax") is None:
        notes.append("how many times in the period is not stated; once was read, as the FHIR standard says")
        return 1, 1
    low, high = whole(repeat.get("frequency")), whole(repeat.get("frequencyMax"))
    first, last = low if low is not None else high, high if high is not None else low
    if first is None or last is None or not 0 < last <= _MOST_TIMES or first < 0:
        raise Unreadable("the frequency is not a whole number above nothing")
    if first > last:
        raise Unreadable("the lower end of the frequency is above its upper end")
    return first or 1, last


def _period(repeat: Mapping[str, Any]) -> tuple[Decimal, Decimal]:
    short = number(repeat.get("period"))
    long = number(repeat.get("periodMax")) if repeat.get("periodMax") is not None else short
    if short is None or long is None or short <= 0:
        raise Unreadable("the period of the frequency is not a number above nothing")
    if short > long:
        raise Unreadable("the shorter end of the period is above its longer end")
    return short, long


def _in_hours(low: int, high: int, short: Decimal, long: Decimal, per_hour: int) -> OrderedFrequency:
    """Return a frequency per minutes or seconds as one per whole hours, exactly: 1 in 20 minutes is 3 in an hour."""
    ends = Fraction(short) / per_hour, Fraction(long) / per_hour
    scale = lcm(ends[0].denominator, ends[1].denominator)
    if high * scale > _MOST_TIMES or ends[1] > _LONGEST:
        raise Unreadable("the frequency is out of all bounds")
    first, last = (Decimal(int(end * scale)) for end in ends)
    return OrderedFrequency(low * scale, high * scale, first, last, "h")


def _filtered(base: OrderedFrequency, weekdays: int, notes: list[str]) -> OrderedFrequency:
    """Return a frequency that holds only on some days of the week."""
    if not weekdays:
        return base
    longest = Fraction(base.every_high) * DAYS_IN[base.unit]
    shortest = Fraction(base.every_low) * DAYS_IN[base.unit]
    if longest <= 1:
        return _on_days(base, weekdays)
    if shortest < 7:
        raise Unreadable("days of the week are named that do not fit the period of the frequency")
    if shortest == longest == 7 and weekdays > base.times_high:
        notes.append("more days of the week are named than the frequency has; both were judged, as a range")
        return structs.replace(base, times_high=weekdays)
    return base


def _on_days(base: OrderedFrequency, weekdays: int) -> OrderedFrequency:
    low, high = (value * weekdays for value in base.per_day())
    if low.denominator != 1 or high.denominator != 1:
        raise Unreadable("days of the week are named that do not fit the period of the frequency")
    return OrderedFrequency(int(low), int(high), Decimal(1), Decimal(1), "wk")


# ---------------------------------------------------------------- for how long


def _bounds(repeat: Mapping[str, Any], notes: list[str]) -> Decimal | None:
    whole_length = days(repeat.get("boundsDuration"))
    if whole_length is not None:
        return whole_length
    span = element(repeat.get("boundsRange"))
    if span:
        notes.append("the length of the treatment is a range; its longer end was judged")
        return days(span.get("high")) or days(span.get("low"))
    return _period_days(element(repeat.get("boundsPeriod")))


def _period_days(period: Mapping[str, Any]) -> Decimal | None:
    """Return the days of a period; one that is given in days includes its last."""
    start, end = moment(period.get("start")), moment(period.get("end"))
    if start is None or end is None or start.day is None or end.day is None:
        return None
    if start.has_time and end.has_time:
        seconds = Decimal(int((end.at - start.at).total_seconds()))
        found = over(seconds, Decimal(86400))
    else:
        found = Decimal((end.day - start.day).days + 1)
    return plain(found) if 0 < found <= _LONGEST else None


def _dates(period: Mapping[str, Any]) -> Period | None:
    """Return from when until when; the last day of a period that is given in days belongs to it."""
    start, end = moment(period.get("start")), moment(period.get("end"))
    if start is None or start.day is None or (period.get("end") is not None and (end is None or end.day is None)):
        return None
    last = None if end is None else end.at if end.has_time else end.at + timedelta(days=1)
    return Period(start.at, last) if last is None or start.at < last else None
