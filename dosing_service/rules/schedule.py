"""How an amount of one kind follows from another: administrations in a day, days in a course, parts of a course
total.
"""

from decimal import Decimal
from functools import cache

from dosing_service.knowledge.base import Course, Frequency, Regimen
from dosing_service.model import Per, Value
from dosing_service.units import over

_DAYS_IN = {"d": Decimal(1), "wk": Decimal(7)}
_PER_OF_UNIT = {"d": Per.DAY, "wk": Per.WEEK, "mo": Per.MONTH}
_IN_YEAR = {"d": Decimal(365), "wk": Decimal(52), "mo": Decimal(12)}
_PER_YEAR = {Per.DAY: _IN_YEAR["d"], Per.WEEK: _IN_YEAR["wk"], Per.MONTH: _IN_YEAR["mo"]}
#: How an amount of each kind reads.
ADVERB = {
    Per.DAY: "daily",
    Per.WEEK: "weekly",
    Per.MONTH: "monthly",
    Per.COURSE: "per course",
    Per.ADMINISTRATION: "per administration",
    Per.RATE: "",
}


class Conversion(Value, frozen=True):
    """From the regimen's own kind of amount to another: multiply by ``low`` to ``high``, or divide by them.

    ``suffix`` completes the text (``daily``), ``words`` names the factor in the working (``administrations a day``).
    """

    per: Per
    low: Decimal
    high: Decimal
    divides: bool
    suffix: str
    words: str
    times_per_day: int | None = None
    days: int | None = None


class Plan(Value, frozen=True):
    """The suffix of the regimen's own amount, and everything that follows from it."""

    suffix: str
    times_per_day: int | None
    conversions: tuple[Conversion, ...]


class _Rhythm(Value, frozen=True):
    """How many administrations fall on one day, week or month."""

    per: Per
    low: int
    high: int
    text: str

    @property
    def daily(self) -> int | None:
        return self.low if self.per is Per.DAY and self.low == self.high else None


@cache
def plan(regimen: Regimen, times_per_day: int | None = None, divided_over_days: int | None = None) -> Plan:
    """Return the conversions of a regimen, with the caller's division where one was asked for.

    The caller's wishes must have been checked against the regimen (see :func:`may_divide_daily` and ``course.days``).
    """
    rhythm = _rhythm(regimen, times_per_day)
    conversions = [*_from_rhythm(regimen.per, rhythm), *_from_course(regimen, rhythm, divided_over_days)]
    own_text = ADVERB[regimen.per]
    times = None
    if regimen.per is Per.ADMINISTRATION:
        own_text = _administration_text(regimen.frequency, rhythm)
        times = rhythm.daily if rhythm else None
    return Plan(own_text, times, tuple(conversions))


def may_divide_daily(regimen: Regimen, times_per_day: int) -> bool:
    """Tell whether a caller may ask for so many administrations a day.

    A daily amount may be divided freely. An amount per administration may only be repeated as often as documented, or
    its daily total would change;
    weekly, monthly and course amounts are never given several times a day.
    """
    if regimen.per is Per.DAY:
        return True
    rhythm = _rhythm(regimen, None)
    return (
        regimen.per is Per.ADMINISTRATION
        and rhythm is not None
        and rhythm.per is Per.DAY
        and rhythm.low <= times_per_day <= rhythm.high
    )


def amounts_in_year(regimen: Regimen) -> tuple[Decimal, Decimal] | None:
    """Return how few and how many of the regimen's own amounts fall into a year of 365 days, 52 weeks, 12 months;
    ``None`` without a documented interval.
    """
    if regimen.per in _PER_YEAR:
        return _PER_YEAR[regimen.per], _PER_YEAR[regimen.per]
    course, frequency = regimen.course, regimen.frequency
    if (
        course is not None
        and course.repeat_unit in _IN_YEAR
        and course.repeat_low is not None
        and course.repeat_high is not None
    ):
        parts = Decimal(course.administrations_low or 1) if regimen.per is Per.ADMINISTRATION else Decimal(1)
        in_year = parts * _IN_YEAR[course.repeat_unit]
        return over(in_year, course.repeat_high), over(in_year, course.repeat_low)
    if (
        course is None
        and regimen.per is Per.ADMINISTRATION
        and frequency
        and frequency.unit in _IN_YEAR
        and not frequency.on_days
    ):
        in_year = _IN_YEAR[frequency.unit]
        return over(in_year * frequency.times_low, Decimal(frequency.every_high)), over(
            in_year * frequency.times_high, Decimal(frequency.every_low)
        )
    return None


def _rhythm(regimen: Regimen, times_per_day: int | None) -> _Rhythm | None:
    if times_per_day is not None:
        text = {1: "once daily", 2: "twice daily"}.get(times_per_day, f"{times_per_day} times daily")
        return _Rhythm(Per.DAY, times_per_day, times_per_day, text)
    frequency = regimen.frequency
    if frequency is None or frequency.on_days or frequency.every_low != frequency.every_high:
        return None
    if frequency.unit == "h" and 24 % frequency.every_low == 0:
        factor = 24 // frequency.every_low
        return _Rhythm(Per.DAY, frequency.times_low * factor, frequency.times_high * factor, frequency.text)
    if not frequency.is_regular or frequency.unit not in _PER_OF_UNIT:
        return None
    return _Rhythm(_PER_OF_UNIT[frequency.unit], frequency.times_low, frequency.times_high, frequency.text)


def _administration_text(frequency: Frequency | None, rhythm: _Rhythm | None) -> str:
    if rhythm:
        return rhythm.text
    return frequency.text if frequency else ADVERB[Per.ADMINISTRATION]


def _from_rhythm(per: Per, rhythm: _Rhythm | None) -> list[Conversion]:
    if rhythm is None:
        return []
    low, high, words = Decimal(rhythm.low), Decimal(rhythm.high), f"administrations a {rhythm.per.value}"
    if per is rhythm.per:
        return [Conversion(Per.ADMINISTRATION, low, high, True, rhythm.text, words, rhythm.daily)]
    if per is Per.ADMINISTRATION:
        return [Conversion(rhythm.per, low, high, False, ADVERB[rhythm.per], words)]
    return []


def _from_course(regimen: Regimen, rhythm: _Rhythm | None, divided_over_days: int | None) -> list[Conversion]:
    course = regimen.course
    if course is None:
        return []
    if regimen.per is Per.COURSE:
        return _parts_of_course(course, divided_over_days)
    count = _own_amounts_in_course(regimen.per, course, rhythm)
    return [Conversion(Per.COURSE, *count, False, ADVERB[Per.COURSE], _words_of_course(regimen.per))] if count else []


def _words_of_course(per: Per) -> str:
    return f"{per.value}s in a course"


def _parts_of_course(course: Course, divided_over_days: int | None) -> list[Conversion]:
    if course.days_low is not None and course.days_high is not None:
        days = [divided_over_days] if divided_over_days else range(course.days_low, course.days_high + 1)
        return [
            Conversion(Per.ADMINISTRATION, Decimal(day), Decimal(day), True, _on_days(day), "days", days=day)
            for day in days
        ]
    if course.administrations_low is not None and course.administrations_high is not None:
        low, high = Decimal(course.administrations_low), Decimal(course.administrations_high)
        return [
            Conversion(Per.ADMINISTRATION, low, high, True, ADVERB[Per.ADMINISTRATION], "administrations in a course")
        ]
    return []


def _on_days(days: int) -> str:
    return "on a single day" if days == 1 else f"on each of {days} days"


def _own_amounts_in_course(per: Per, course: Course, rhythm: _Rhythm | None) -> tuple[Decimal, Decimal] | None:
    if per is Per.ADMINISTRATION and course.administrations_low is not None and course.administrations_high is not None:
        return Decimal(course.administrations_low), Decimal(course.administrations_high)
    if course.length is None or course.length_high is None or course.length_unit not in _DAYS_IN:
        return None
    fewest, most = (length * _DAYS_IN[course.length_unit] for length in (course.length, course.length_high))
    if per is Per.DAY:
        return fewest, most
    in_weeks = fewest % 7 == most % 7 == 0
    if per is Per.WEEK and in_weeks:
        return fewest / 7, most / 7
    if per is not Per.ADMINISTRATION or rhythm is None or rhythm.per is Per.MONTH:
        return None
    factor = 1 if rhythm.per is Per.DAY else 7
    return (fewest / factor * rhythm.low, most / factor * rhythm.high) if factor == 1 or in_weeks else None
