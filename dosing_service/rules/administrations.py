"""The dated administrations of a regimen: courses, intervals, phases of equal days, tapers.

A documented range of an interval gives an earliest and a latest day. What a source leaves open is not dated.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import MAXYEAR, date, timedelta
from decimal import Decimal
from functools import partial
from itertools import count, islice

from msgspec.structs import replace

from dosing_service.knowledge.base import Frequency, Regimen, TaperStep
from dosing_service.model import Amount, Dose, NotChecked, Per, ScheduledAmount, ScheduleEntry, ScheduleSummary, Value
from dosing_service.rules.dates import after, after_interval, last_of
from dosing_service.rules.wording import amount_text
from dosing_service.units import added, display, minus, plain, times

#: An answer stays readable and small; whoever needs more asks again from the last day on.
MOST_ENTRIES = 200
#: A treatment without a documented end is shown for 12 weeks: three of the usual four-week intervals.
OPEN_DAYS = 84
#: Daily doses are listed day by day up to this length; longer runs of equal days are one entry.
LISTED_DAYS = 31

_ONE_PERCENT = Decimal("0.01")
_DIVIDED = "options.divided_over_days"


class Wish(Value, frozen=True):
    """What the caller asks of a schedule. ``given`` is what was already given of the first course, in the dose's
    unit.
    """

    start: date
    until: date | None = None
    courses: int = 1
    divided_over_days: int | None = None
    given: Decimal | None = None


class Schedule(Value, frozen=True):
    """Dated entries (``None`` where nothing can be dated), their sum, and what could not be dated."""

    entries: tuple[ScheduleEntry, ...] | None
    summary: ScheduleSummary | None
    not_checked: tuple[NotChecked, ...] = ()


#: Finds a regimen that follows, with its dose for this patient.
Follow = Callable[[str], tuple[Regimen, Dose] | None]


class _Begin(Value, frozen=True):
    """A day, or where an interval is a range its earliest and its latest day."""

    early: date
    late: date

    def later(self, low: Decimal | int, high: Decimal | int, unit: str) -> "_Begin | None":
        """Return the days ``low`` to ``high`` units later; ``None`` beyond the calendar."""
        early, late = (after_interval(day, Decimal(n), unit) for day, n in ((self.early, low), (self.late, high)))
        return None if early is None else _Begin(early, late or date.max)


class _Piece(Value, frozen=True):
    """One entry before it has an amount: its first and last day (``None``: open), and how many amounts fall into it.

    ``each_day`` is how many of them fall on one day of a run of equal days; an open one ends by ``no_later_than``.
    """

    first: _Begin
    last: _Begin | None
    fewest: int | None = 1
    most: int | None = 1
    percent: Decimal | None = None
    each_day: int | None = None
    no_later_than: date | None = None


class _Pattern(Value, frozen=True):
    """How the amounts of one kind follow each other from the first day of a course, and the day after its end.

    ``goes_on`` says that pieces follow each other without a documented end.
    """

    per: Per
    pieces: Callable[[_Begin], Iterator[_Piece]]
    end: Callable[[_Begin], _Begin | None] | None = None
    goes_on: bool = False


class _Run(Value, frozen=True):
    """The pieces of one regimen with its amount: all courses, one after the other."""

    regimen: Regimen
    amount: Amount
    total: Amount | None
    pattern: _Pattern
    begins: tuple[_Begin, ...]
    times_per_day: int | None


class _Line(Value, frozen=True):
    """An entry and what it adds to the total, ``None`` where that is not known."""

    entry: ScheduleEntry
    adds: tuple[Decimal, Decimal] | None


# ---------------------------------------------------------------- the whole


def dated(regimen: Regimen, dose: Dose, wish: Wish, follow: Follow) -> Schedule:
    """Return the dated administrations of ``dose`` from ``wish.start`` on, and of the regimens that follow it."""
    runs, open_points = _runs(regimen, dose, wish, follow)
    if not runs:
        return Schedule(None, None, tuple(open_points))
    lines, why = _lines(runs, wish)
    open_points += _approximations(regimen)
    if wish.given and not _is_exact(runs[0]):
        why_whole = "only a course of one exact total can be shortened; the dates are those of the whole treatment"
        open_points.append(NotChecked("already-given", (), why_whole))
    return Schedule(tuple(line.entry for line in lines), _summary(runs, lines, why), tuple(open_points))


def _runs(regimen: Regimen, dose: Dose, wish: Wish, follow: Follow) -> tuple[list[_Run], list[NotChecked]]:
    """Return the regimen's run and those of the regimens that lead on from it."""
    runs: list[_Run] = []
    begin: _Begin | None = _Begin(wish.start, wish.start)
    while begin is not None:
        pattern = _pattern(regimen, dose, wish)
        if isinstance(pattern, NotChecked):
            return runs, [pattern]
        begins = (begin,) if runs else tuple(islice(_courses(regimen, begin), wish.courses))
        amount = _amount(dose, pattern.per, wish)
        runs.append(_Run(regimen, amount, dose.course_total, pattern, begins, _times_per_day(dose)))
        if regimen.followed_by is None:
            break
        begin = pattern.end(begins[-1]) if pattern.end else None
        following = follow(regimen.followed_by) if begin else None
        if following is None:
            why = f"when {regimen.followed_by} follows, or its dose, cannot be told from the source and the request"
            return runs, [NotChecked("schedule", (), why)]
        regimen, dose = following
    return runs, []


def _courses(regimen: Regimen, start: _Begin) -> Iterator[_Begin]:
    """Yield the first days of the courses, as far as the calendar goes."""
    course = regimen.course
    if course is not None and course.starts is not None:
        yield from _by_frequency(course.starts, None, start)
        return
    yield start
    if course is None or course.repeat_low is None or course.repeat_high is None or course.repeat_unit is None:
        return
    for number in count(1):
        begin = start.later(number * course.repeat_low, number * course.repeat_high, course.repeat_unit)
        if begin is None:
            return
        yield begin


def _approximations(regimen: Regimen) -> list[NotChecked]:
    """Return what the source says in words alone, so that nobody takes the dates for all of it."""
    found = []
    if regimen.taper_steps:
        why = "the source gives the share of the dose at each date, not the steps between; each share stands until then"
        found.append(NotChecked("taper", (), why))
    elif regimen.taper is not None:
        found.append(NotChecked("taper", (), f"the taper has no documented steps and is not dated: {regimen.taper}"))
    if regimen.per is Per.COURSE and (regimen.course is None or regimen.course.days_low is None):
        found.append(NotChecked("division", (), "the source does not say over how many days a course is given"))
    if regimen.titration is not None:
        found.append(NotChecked("titration", (), f"changes of the dose are not dated: {regimen.titration}"))
    return found


# ---------------------------------------------------------------- how amounts follow each other


def _pattern(regimen: Regimen, dose: Dose, wish: Wish) -> _Pattern | NotChecked:
    if not dose.amounts:
        return _undated("the source gives neither amount nor frequency")
    if regimen.taper_steps:
        return _Pattern(regimen.per, partial(_tapered, regimen.taper_steps))
    if regimen.per is Per.COURSE:
        return _of_course(regimen, wish)
    if _is_daily(regimen, dose):
        return _daily(regimen, dose)
    return _by_administration(regimen, dose)


def _by_administration(regimen: Regimen, dose: Dose) -> _Pattern | NotChecked:
    frequency = regimen.frequency
    if frequency is None or frequency.unit == "h":
        return _undated("the source does not state on which days the dose is given")
    if not any(item.per is Per.ADMINISTRATION for item in dose.amounts):
        return _undated("an amount per administration does not follow from the source")
    if frequency.unit == "once":
        # What follows a single first dose follows it on the same day: the next dose of the day is of the new kind.
        return _Pattern(Per.ADMINISTRATION, _once, partial(_begin_after, 0, "d"))
    if frequency.is_regular and (frequency.times_low, frequency.times_high) != (1, 1):
        return _in_windows(regimen, frequency)
    return _at_intervals(regimen, frequency)


def _undated(why: str, *needs: str) -> NotChecked:
    return NotChecked("schedule", needs, f"{why}; no administration is dated")


def _of_course(regimen: Regimen, wish: Wish) -> _Pattern | NotChecked:
    course = regimen.course
    if course is None or course.days_low is None or course.days_high is None:
        return _Pattern(Per.COURSE, _once)
    days = wish.divided_over_days or (course.days_low if course.days_low == course.days_high else None)
    if days is None:
        return _undated(f"the course is divided over {course.days_low} to {course.days_high} days", _DIVIDED)
    return _Pattern(Per.ADMINISTRATION, partial(_listed, days, 1), partial(_begin_after, days, "d"))


def _is_daily(regimen: Regimen, dose: Dose) -> bool:
    if dose.amounts[0].times_per_day is not None:
        return True
    frequency = regimen.frequency
    if frequency is None:
        return regimen.per is Per.DAY
    return frequency.unit == "d" and frequency.is_regular


def _daily(regimen: Regimen, dose: Dose) -> _Pattern:
    """Day after day: as many days as documented, or without an end."""
    course, per = regimen.course, regimen.per
    each_day = 1 if per in {Per.DAY, Per.RATE} else dose.amounts[0].times_per_day
    if course is not None and course.administrations_low is not None and course.administrations_high is not None:
        return _of_length(per, each_day, Decimal(course.administrations_low), Decimal(course.administrations_high), "d")
    if course is not None and course.length is not None and course.length_high is not None and course.length_unit:
        return _of_length(per, each_day, course.length, course.length_high, course.length_unit)
    return _Pattern(per, partial(_endless, each_day, _longest(dose)))


def _of_length(per: Per, each_day: int | None, low: Decimal, high: Decimal, unit: str) -> _Pattern:
    end = partial(_begin_between, low, high, unit)
    days = int(low * (7 if unit == "wk" else 1))
    if low == high and unit != "mo" and days <= LISTED_DAYS:
        return _Pattern(per, partial(_listed, days, each_day), end)
    return _Pattern(per, partial(_phase, each_day, low, high, unit), end)


def _longest(dose: Dose) -> tuple[Decimal, str] | None:
    """Return the shortest of the documented maxima of duration, after which an endless phase must have stopped."""
    longest = [
        (check.value, check.unit) for check in dose.limits if check.kind == "duration-maximum" and not check.needs
    ]
    return min(longest, key=lambda item: last_of(date(2000, 1, 1), *item), default=None)


def _in_windows(regimen: Regimen, frequency: Frequency) -> _Pattern:
    """Several administrations in each week or month, on days that the source leaves open."""
    length = regimen.course.length if regimen.course else None
    whole = length is not None and regimen.course is not None and regimen.course.length_unit == frequency.unit
    windows = int(length) if whole and length is not None else None
    inside = (frequency.times_low, frequency.times_high)
    pieces = partial(_windows, frequency.unit, inside, windows)
    if windows is None:
        return _Pattern(Per.ADMINISTRATION, pieces, goes_on=True)
    return _Pattern(Per.ADMINISTRATION, pieces, partial(_begin_after, windows, frequency.unit))


def _at_intervals(regimen: Regimen, frequency: Frequency) -> _Pattern | NotChecked:
    course = regimen.course
    number = course.administrations_low if course else None
    if course is not None and (course.length is not None or number != course.administrations_high):
        return _undated("how many administrations make a course is not one number")
    pieces = partial(_single, frequency, number)
    if number is None:
        return _Pattern(Per.ADMINISTRATION, pieces, goes_on=frequency.goes_on)
    low, high = Decimal(number * frequency.every_low), Decimal(number * frequency.every_high)
    return _Pattern(Per.ADMINISTRATION, pieces, partial(_begin_between, low, high, frequency.unit))


def _begin_after(number: int, unit: str, begin: _Begin) -> _Begin | None:
    return begin.later(number, number, unit)


def _begin_between(low: Decimal, high: Decimal, unit: str, begin: _Begin) -> _Begin | None:
    return begin.later(low, high, unit)


def _once(begin: _Begin) -> Iterator[_Piece]:
    yield _Piece(begin, begin)


def _listed(days: int, each_day: int | None, begin: _Begin) -> Iterator[_Piece]:
    for number in range(days):
        day = begin.later(number, number, "d")
        if day is None:
            return
        yield _Piece(day, day, each_day, each_day, None, each_day)


def _phase(each_day: int | None, low: Decimal, high: Decimal, unit: str, begin: _Begin) -> Iterator[_Piece]:
    last = _Begin(last_of(begin.early, low, unit), last_of(begin.late, high, unit))
    fewest, most = ((end - start).days + 1 for start, end in ((begin.early, last.early), (begin.late, last.late)))
    if each_day is None:
        yield _Piece(begin, last, None, None)
    else:
        yield _Piece(begin, last, fewest * each_day, most * each_day, None, each_day)


def _endless(each_day: int | None, longest: tuple[Decimal, str] | None, begin: _Begin) -> Iterator[_Piece]:
    """Yield a phase without an end; with a documented longest duration its last possible day is known."""
    yield _Piece(begin, None, None, None, None, each_day, last_of(begin.late, *longest) if longest else None)


def _windows(unit: str, inside: tuple[int, int], windows: int | None, begin: _Begin) -> Iterator[_Piece]:
    for number in range(windows) if windows is not None else count():
        first, following = (begin.later(n, n, unit) for n in (number, number + 1))
        if first is None or following is None:
            return
        last = _Begin(following.early - timedelta(days=1), following.late - timedelta(days=1))
        yield _Piece(first, last, *inside)


def _single(frequency: Frequency, number: int | None, begin: _Begin) -> Iterator[_Piece]:
    for day in _by_frequency(frequency, number, begin):
        yield _Piece(day, day)


def _by_frequency(frequency: Frequency, number: int | None, begin: _Begin) -> Iterator[_Begin]:
    """Yield the given days, then one day in each interval; ``number`` of them, or as many as the calendar holds."""
    return islice(_days_of(frequency, begin), number)


def _days_of(frequency: Frequency, begin: _Begin) -> Iterator[_Begin]:
    last = begin
    for offset in frequency.on_days or (0,):
        day = begin.later(offset, offset, "d")
        if day is None:
            return
        last = day
        yield day
    for number in count(1) if frequency.goes_on else ():
        day = last.later(number * frequency.every_low, number * frequency.every_high, frequency.unit)
        if day is None:
            return
        yield day


def _tapered(steps: tuple[TaperStep, ...], begin: _Begin) -> Iterator[_Piece]:
    """Yield the starting dose and each share of it, until the next date; a share of 0 is the end."""
    percents = (Decimal(100), *(step.percent for step in steps))
    firsts = [begin.early, *(after(begin.early, step.after, step.unit) for step in steps)]
    for percent, first, following in zip(percents, firsts, [*firsts[1:], None], strict=True):
        if first is None:
            return
        day = _Begin(first, first)
        if percent == 0:
            yield _Piece(day, day, 0, 0, percent)
            return
        end = following - timedelta(days=1) if following else None
        days = (end - first).days + 1 if end else None
        yield _Piece(day, _Begin(end, end) if end else None, days, days, percent, 1)


# ---------------------------------------------------------------- entries


def _amount(dose: Dose, per: Per, wish: Wish) -> Amount:
    """Return the dose's amount of one kind; of several divisions that of the days asked for."""
    fitting = [item for item in dose.amounts if item.per is per]
    asked = [item for item in fitting if item.divided_over_days == wish.divided_over_days]
    return (asked or fitting)[0]


def _times_per_day(dose: Dose) -> int | None:
    return next((item.times_per_day for item in dose.amounts if item.per is Per.ADMINISTRATION), None)


def _lines(runs: list[_Run], wish: Wish) -> tuple[list[_Line], str | None]:
    """Return the entries up to the day asked for (or shown by default), and why they are not all."""
    found: list[_Line] = []
    for run, cycle, step, piece, low, high in _pieces(runs, wish):
        if len(found) == MOST_ENTRIES:
            return found, f"cut after {MOST_ENTRIES} entries"
        clipped, why = _clipped(piece, run, wish)
        if clipped is not None:
            found.append(_line(run, clipped, low, high, cycle, step))
        if why is not None:
            return found, why
    if found and found[-1].entry.on.year == MAXYEAR:
        return found, "the calendar ends with the year 9999"
    if len(runs[0].begins) < wish.courses:
        return found, "the source gives no later course"
    return found, _open_end(found) or _starting_dose_alone(runs, found)


def _open_end(lines: list[_Line]) -> str | None:
    if not lines or lines[-1].entry.until is not None:
        return None
    latest = lines[-1].entry.until_latest
    return f"no end is documented; stop by {latest}, the documented maximum" if latest else "no end is documented"


def _starting_dose_alone(runs: list[_Run], lines: list[_Line]) -> str | None:
    """Return that a stretch of equal days shows a dose that is changed on days that nobody can tell before."""
    changes = runs[-1].regimen.titration
    is_stretch = bool(lines) and lines[-1].entry.until != lines[-1].entry.on
    return f"the same dose is shown throughout, although it is changed: {changes}" if changes and is_stretch else None


def _pieces(runs: list[_Run], wish: Wish) -> Iterator[tuple[_Run, int, int, _Piece, Decimal, Decimal]]:
    """Yield every piece of every course with its run, the numbers of course and piece, and its amount."""
    for run in runs:
        for cycle, begin in enumerate(run.begins, start=1):
            portions = _portions(run, begin)
            if wish.given and cycle == 1 and run is runs[0] and _is_exact(run):
                portions = _shortened(portions, run, wish.given)
            for step, (piece, low, high) in enumerate(portions, start=1):
                yield run, cycle, step, piece, low, high


def _portions(run: _Run, begin: _Begin) -> Iterator[tuple[_Piece, Decimal, Decimal]]:
    """Yield the pieces of one course with their amounts; the last part of a divided total is what the others leave, so
    that the parts add up exactly.
    """
    low, high, days = run.amount.low, run.amount.high, run.amount.divided_over_days
    for number, piece in enumerate(run.pattern.pieces(begin), start=1):
        if piece.percent is not None:
            share = times(piece.percent, _ONE_PERCENT)
            yield piece, times(low, share), times(high, share)
        elif number == days and run.total is not None:
            others = Decimal(days - 1)
            yield piece, minus(run.total.low, times(low, others)), minus(run.total.high, times(high, others))
        else:
            yield piece, low, high


def _is_exact(run: _Run) -> bool:
    return run.total is not None and run.total.low == run.total.high and run.amount.low == run.amount.high


def _shortened(
    portions: Iterable[tuple[_Piece, Decimal, Decimal]], run: _Run, given: Decimal
) -> Iterator[tuple[_Piece, Decimal, Decimal]]:
    """Yield what is left of a course after what was given: whole amounts, then the rest."""
    left = minus(run.total.low if run.total else Decimal(0), given)
    for piece, amount, _ in portions:
        if left <= 0:
            return
        number = piece.fewest or 1
        fits = min(int(left // amount), number)
        if fits:
            yield _first_of(piece, fits), amount, amount
        left = minus(left, times(amount, Decimal(fits)))
        if fits < number:
            if left > 0:
                yield _after_first(piece, fits), left, left
            return


def _first_of(piece: _Piece, number: int) -> _Piece:
    """Return a piece with so many of its amounts, on as many of its days as they need."""
    if piece.each_day is None:
        return replace(piece, fewest=number, most=number)
    days = -(-number // piece.each_day)
    return replace(piece, last=piece.first.later(days - 1, days - 1, "d"), fewest=number, most=number)


def _after_first(piece: _Piece, number: int) -> _Piece:
    """Return the piece of one amount that follows the first ones of ``piece``."""
    if piece.each_day is None:
        return replace(piece, fewest=1, most=1)
    day = piece.first.later(number // piece.each_day, number // piece.each_day, "d")
    assert day is not None  # noqa: S101 - it lies inside the piece
    return replace(piece, first=day, last=day, fewest=1, most=1)


def _clipped(piece: _Piece, run: _Run, wish: Wish) -> tuple[_Piece | None, str | None]:
    """Return as much of a piece as lies before the end of what is shown, and why nothing follows it."""
    if wish.until is not None:
        end, why = wish.until, "shown until options.schedule_until"
    elif run.pattern.goes_on:
        end, why = wish.start + timedelta(days=OPEN_DAYS - 1), "no end is documented; shown for 12 weeks"
    else:
        return piece, None
    if piece.first.early > end:
        return None, why
    if piece.last is not None and piece.last.early <= end:
        return piece, None
    return (_until(piece, end), why) if piece.last is None or piece.each_day else (None, why)


def _until(piece: _Piece, end: date) -> _Piece:
    days = (end - piece.first.early).days + 1
    number = days * piece.each_day if piece.each_day else None
    return replace(piece, last=_Begin(end, end), fewest=number, most=number)


def _line(run: _Run, piece: _Piece, low: Decimal, high: Decimal, cycle: int, step: int) -> _Line:
    first, last = piece.first, piece.last
    low, high = plain(low), plain(high)
    entry = ScheduleEntry(
        on=first.early,
        on_latest=first.late if first.late != first.early else None,
        until=last.early if last else None,
        until_latest=_latest_end(piece),
        per=run.pattern.per,
        amount=scheduled(low, high, run.amount.unit),
        count=piece.fewest if piece.fewest == piece.most else None,
        times_per_day=run.times_per_day,
        percent=piece.percent,
        cycle=cycle,
        step=step,
        regimen=run.regimen.id,
        text=_text(run, piece, low, high),
    )
    return _Line(entry, _added(run, piece, low, high))


def scheduled(low: Decimal, high: Decimal, unit: str) -> ScheduledAmount:
    """Return an amount as a schedule shows it."""
    return ScheduledAmount(low if low == high else None, low, high, unit)


def _latest_end(piece: _Piece) -> date | None:
    if piece.last is None:
        return piece.no_later_than
    return piece.last.late if piece.last.late != piece.last.early else None


def _added(run: _Run, piece: _Piece, low: Decimal, high: Decimal) -> tuple[Decimal, Decimal] | None:
    """Return what an entry adds up to; a rate adds up to nothing, and the shares of a taper are no totals."""
    if run.pattern.per is Per.RATE or piece.percent is not None or piece.fewest is None or piece.most is None:
        return None
    return times(low, Decimal(piece.fewest)), times(high, Decimal(piece.most))


def _text(run: _Run, piece: _Piece, low: Decimal, high: Decimal) -> str:
    unit = run.amount.unit
    if piece.percent is not None:
        amount = amount_text(low, high, unit, "daily")
        return f"{amount} ({display(piece.percent)} % of the starting dose)" if piece.percent else "stopped"
    is_single = piece.last is not None and piece.last.early == piece.first.early and piece.fewest == 1
    if is_single and run.pattern.per is not Per.COURSE and run.pattern.per is not Per.RATE:
        return amount_text(low, high, unit, "", run.amount.values)
    if piece.each_day is None and piece.fewest is not None and piece.fewest == piece.most and piece.fewest > 1:
        return f"{amount_text(low, high, unit, '')}, {piece.fewest} times"
    return run.amount.text


def _summary(runs: list[_Run], lines: list[_Line], why: str | None) -> ScheduleSummary:
    if not lines:
        return ScheduleSummary(None, None, None, complete=True, why=why or "the whole course was already given")
    adds = [line.adds for line in lines if line.adds is not None]
    total = None
    if len(adds) == len(lines) and len({run.amount.unit for run in runs}) == 1:
        lows, highs = zip(*adds, strict=True)
        total = scheduled(plain(added(lows)), plain(added(highs)), runs[0].amount.unit)
    return ScheduleSummary(lines[0].entry.on, lines[-1].entry.until, total, complete=why is None, why=why)
