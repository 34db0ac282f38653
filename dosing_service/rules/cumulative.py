"""What was already given: how much of a course is left, and when a total over all courses is reached."""

from datetime import date
from decimal import Decimal

from dosing_service.model import (
    Amount,
    Category,
    CumulativeCheck,
    Dose,
    Finding,
    LimitCheck,
    Per,
    Remaining,
    ScheduleSummary,
    Severity,
    Verdict,
)
from dosing_service.rules.dates import after, last_of
from dosing_service.units import EXACT, display, display_range, minus, plain, spelled, times

KIND = "cumulative-maximum"
GIVEN = "options.already_given"
_SEVERITY = {"cap": Severity.MAJOR, "warn": Severity.MODERATE}
_NONE = Decimal(0)


def remaining(dose: Dose, given: Decimal) -> Remaining | None:
    """Return what is left of the course after ``given`` (in the dose's unit); ``None`` without a course total."""
    total = dose.course_total
    if total is None:
        return None
    low, high = (plain(max(minus(end, given), _NONE)) for end in (total.low, total.high))
    text = f"{display_range(low, high, total.unit)} of {display_range(total.low, total.high, total.unit)} left"
    return Remaining(plain(given), low, high, total.unit, text)


def whole_course_given(dose: Dose, left: Remaining | None) -> list[Finding]:
    """Return a finding when nothing is left of the course."""
    total = dose.course_total
    if left is None or total is None or left.high > 0:
        return []
    given, whole = (display_range(*ends, total.unit) for ends in ((left.given, left.given), (total.low, total.high)))
    found = Finding(
        id="course-already-given",
        category=Category.DOSE_LIMIT,
        severity=Severity.MODERATE,
        verdict=Verdict.APPLIES,
        summary=f"Nothing is left of this course: {given} were already given of {whole}.",
        because=(GIVEN,),
        management="Give no more in this course.",
        references=dose.references,
        verified=dose.verified,
    )
    return [found]


def checks(dose: Dose, given: Decimal | None, start: date | None) -> tuple[CumulativeCheck, ...]:
    """Return each documented total over all courses, with the days of treatment until it is reached."""
    return tuple(_check(item, dose, given, start) for item in dose.limits if item.kind == KIND and not item.needs)


def _check(limit: LimitCheck, dose: Dose, given: Decimal | None, start: date | None) -> CumulativeCheck:
    left = max(minus(limit.value, given or _NONE), _NONE)
    # Courses with pauses between them reach a total on a day that nobody can tell.
    begin = start if dose.course_total is None else None
    daily = next((item for item in dose.amounts if item.per is Per.DAY), None)
    fewest, most = (_days(left, daily.high), _days(left, daily.low)) if daily else (None, None)
    return CumulativeCheck(
        kind=limit.kind,
        value=plain(limit.value),
        unit=limit.unit,
        effect=limit.effect,
        given=None if given is None else plain(given),
        remaining=None if given is None else plain(left),
        days_low=fewest,
        days_high=most,
        reached_on=_day(begin, fewest),
        reached_on_latest=_day(begin, most),
        text=_text(limit, given, daily, fewest, most),
        references=limit.references,
        verified=limit.verified,
    )


def _days(left: Decimal, daily: Decimal) -> int | None:
    """Return on which day of treatment the rest is used up; day 0 is before the first dose."""
    if daily == 0:
        return None
    whole = EXACT.divide_int(left, daily)
    return int(whole) + (times(whole, daily) < left)


def _day(start: date | None, number: int | None) -> date | None:
    if start is None or not number:
        return None
    return after(start, number - 1, "d")


def _text(limit: LimitCheck, given: Decimal | None, daily: Amount | None, fewest: int | None, most: int | None) -> str:
    total = f"{display(limit.value)} {spelled(limit.unit)} in all"
    if given is not None and given >= limit.value:
        return f"{total}: already reached"
    before = "if none was given before" if given is None else f"after {display(given)} {spelled(limit.unit)}"
    if daily is None or fewest is None or most is None:
        return f"{total}, {before}"
    days = str(fewest) if fewest == most else f"{display(Decimal(fewest))} to {display(Decimal(most))}"
    return f"{total}: reached after {days} days on {daily.text}, {before}"


def compared(
    limit: LimitCheck, given: Decimal | None, start: date | None, until: date | None
) -> tuple[bool, bool] | None:
    """Return whether a total or a length of treatment is reached and exceeded; ``None`` where the request leaves it
    open.
    """
    if limit.needs:
        return None
    if limit.kind == KIND:
        return None if given is None else (given >= limit.value, given > limit.value)
    if limit.kind != "duration-maximum" or start is None or until is None:
        return None
    last = last_of(start, limit.value, limit.unit)
    return until >= last, until > last


def findings(
    found: tuple[CumulativeCheck, ...], limits: tuple[LimitCheck, ...], summary: ScheduleSummary | None
) -> list[Finding]:
    """Return what must be known of totals reached before or within the schedule, and of too long a treatment."""
    last_on = summary.last_on if summary else None
    totals = [item for check in found if (item := _total(check, last_on)) is not None]
    passed = [check for check in limits if check.kind == "duration-maximum" and check.exceeded]
    shortest = min(passed, key=lambda check: last_of(date.min, check.value, check.unit), default=None)
    return [*totals, _too_long(shortest)] if shortest else totals


def _total(check: CumulativeCheck, last_on: date | None) -> Finding | None:
    if check.given is not None and check.given >= check.value:
        summary = f"{display(check.given)} {spelled(check.unit)} were already given; {check.text}."
        return _finding("cumulative-maximum-reached", summary, (GIVEN,), check)
    if check.reached_on is None or last_on is None or check.reached_on > last_on:
        return None
    words = f"on {check.reached_on}"
    if check.reached_on_latest != check.reached_on:
        words = f"between {check.reached_on} and {check.reached_on_latest or 'a day beyond the calendar'}"
    summary = f"{check.text}: within the schedule, {words}."
    return _finding("cumulative-maximum-within-schedule", summary, ("options.start_date",), check)


def _finding(id_: str, summary: str, because: tuple[str, ...], check: CumulativeCheck) -> Finding:
    limit = f"{display(check.value)} {spelled(check.unit)} in all"
    return Finding(
        id=id_,
        category=Category.DOSE_LIMIT,
        severity=_SEVERITY[check.effect],
        verdict=Verdict.APPLIES,
        summary=summary,
        because=because,
        management=f"Decide before {limit} whether the treatment goes on.",
        references=check.references,
        verified=check.verified,
    )


def _too_long(check: LimitCheck) -> Finding:
    words = {"d": "days", "wk": "weeks", "mo": "months"}[check.unit]
    longest = f"{display(check.value)} {words}"
    return Finding(
        id="above-duration-maximum",
        category=Category.DOSE_LIMIT,
        severity=_SEVERITY[check.effect],
        verdict=Verdict.APPLIES,
        summary=f"The schedule is longer than the documented maximum of {longest}.",
        because=("options.start_date", "options.schedule_until"),
        management=f"Stop after {longest}, or document why not.",
        references=check.references,
        verified=check.verified,
    )
