"""Several dosages of one order: given together, or one after the other."""

from decimal import Decimal
from fractions import Fraction
from itertools import pairwise, starmap

from msgspec import structs

from dosing_service.fhir.dosage import Step
from dosing_service.fhir.quantities import converted
from dosing_service.fhir.timing import Period
from dosing_service.model import DAYS_IN, OrderedDose, OrderedFrequency, Per
from dosing_service.units import ORDER_UNITS, added, display, display_range, in_mg, over, plain, times

#: More steps than any taper; what lies beyond is not read.
MOST_STEPS = 50
_PERIODS = ((Per.DAY, Fraction(1), "d"), (Per.WEEK, Fraction(7), "wk"), (Per.MONTH, Fraction(31), "mo"))
_LENGTH = {Per.DAY: Fraction(1), Per.WEEK: Fraction(7), Per.MONTH: Fraction(487, 16)}
_PERIOD_WORDS = {"h": "hours", "d": "days", "wk": "weeks", "mo": "months"}
_ONE = {"h": "an hour", "d": "a day", "wk": "a week", "mo": "a month"}
_SECONDS_IN_A_DAY = 86_400
_AMBIGUOUS = "several dosage entries without a sequence: their sum was judged"


def together(steps: list[Step]) -> Step:
    """Return the dosages of an order as one: those at the same time added, of several stages the highest."""
    stages = _stages(steps)
    return _at_once(steps) if len(stages) == 1 else _highest([_at_once(stage) for stage in stages])


def _stages(steps: list[Step]) -> list[list[Step]]:
    """Return what is given one after the other: by the sequence, else by periods of which none overlaps another."""
    numbers = {step.sequence for step in steps if step.sequence is not None}
    if len(numbers) > 1 and all(step.sequence is not None for step in steps):
        return [[step for step in steps if step.sequence == number] for number in sorted(numbers)]
    periods = {step.period for step in steps if step.period is not None}
    in_order = sorted(periods, key=lambda period: period.start)
    if not all(map(_is_course, steps)) or not all(starmap(_ends_before, pairwise(in_order))):
        return [steps]
    return [[step for step in steps if step.period == period] for period in in_order]


def _is_course(step: Step) -> bool:
    """Tell whether a step has dates and goes on for at least one of its intervals: a weekly dose on each of seven days
    is a daily one, and not seven steps.
    """
    often, period = step.frequency, step.period
    if often is None or period is None or not often.times_low or often.once or often.count == 1:
        return False
    interval = Fraction(often.every_high) * DAYS_IN[often.unit] / often.times_low
    return period.end is None or Fraction((period.end - period.start).total_seconds()) >= interval * _SECONDS_IN_A_DAY


def _ends_before(period: Period, later: Period) -> bool:
    return period.end is not None and period.end <= later.start


def _at_once(steps: list[Step]) -> Step:
    """Return the sum, which is the safe reading where no sequence says that it is meant; a single dose beside a regular
    one cannot be meant as a sum.
    """
    if len(steps) == 1:
        return steps[0]
    if all(step.sequence is not None for step in steps):
        return _summed(steps, "several dosage entries at the same time: their sum was judged")
    singles = [step for step in steps if step.frequency is not None and step.frequency.once]
    return _highest(steps) if singles and len(singles) < len(steps) else _summed(steps, _AMBIGUOUS)


# ---------------------------------------------------------------- one after the other


def _highest(stages: list[Step]) -> Step:
    told = tuple(f"step {place} of {len(stages)}: {described(step)}" for place, step in enumerate(stages, 1))
    known = [step for step in stages if step.dose is not None]
    if not known:
        return _unreadable(stages, stages[0].why or "the order gives no dose", told)
    units = {_kind(step) for step in known}
    if len(units) > 1:
        return _unreadable(stages, "the steps are in units that cannot be compared; none of them was judged", told)
    chosen = max(known, key=_per_day)
    note = "the order has several steps; the highest of them was judged"
    unread = ("a step without a readable dose was not judged",) if len(known) < len(stages) else ()
    return structs.replace(chosen, notes=(note, *told, *unread, *chosen.notes))


def _kind(step: Step) -> tuple[str, str | None]:
    assert step.dose is not None  # noqa: S101 - the caller looked
    unit = ORDER_UNITS[step.dose.unit]
    return ("mg" if unit.milligrams is not None else unit.amount), unit.body


def _per_day(step: Step) -> Fraction:
    """Return the most that a step gives in a day, in milligrams or pieces; without a frequency, what it gives at a
    time.
    """
    assert step.dose is not None  # noqa: S101 - the caller looked
    unit = ORDER_UNITS[step.dose.unit]
    high = Fraction(in_mg(step.dose.high, unit.amount) or step.dose.high)
    if step.dose.per in _LENGTH:
        return high / _LENGTH[step.dose.per]
    if step.frequency is None or step.frequency.once or not step.frequency.times_high:
        return high
    return high * step.frequency.per_day()[1]


def _unreadable(steps: list[Step], why: str, notes: tuple[str, ...]) -> Step:
    first = steps[0]
    beside = tuple(note for step in steps for note in step.notes)
    return Step(None, None, _route(steps), first.infusion, None, why, (*notes, *beside))


# ---------------------------------------------------------------- together


def _summed(steps: list[Step], note: str) -> Step:
    told = (note, *[f"entry {place} of {len(steps)}: {described(step)}" for place, step in enumerate(steps, 1)])
    routes = {step.route for step in steps}
    if len(routes) > 1:
        return _unreadable(steps, "the dosage entries have different routes and cannot be added", told)
    missing = next((step.why for step in steps if step.dose is None), None)
    if missing is not None or any(step.dose is None for step in steps):
        why = f"one of several dosage entries cannot be added: {missing or 'the order gives no dose'}"
        return _unreadable(steps, why, told)
    return _same_dose(steps, told) or _total(steps, told)


def _same_dose(steps: list[Step], told: tuple[str, ...]) -> Step | None:
    """Return entries that differ in nothing but the time of day as one that is given more often."""
    first = steps[0].frequency
    if first is None or not first.times_high or first.as_needed or first.count is not None:
        return None
    alike = all(step.dose == steps[0].dose and _interval(step.frequency) == _interval(first) for step in steps)
    if not alike or steps[0].dose is None or steps[0].dose.per is not Per.ADMINISTRATION:
        return None
    given = [step.frequency for step in steps if step.frequency is not None]
    low, high = sum(item.times_low for item in given), sum(item.times_high for item in given)
    frequency = OrderedFrequency(low, high, first.every_low, first.every_high, first.unit)
    return _joined(steps, steps[0].dose, frequency, told)


def _interval(frequency: OrderedFrequency | None) -> tuple[object, ...]:
    if frequency is None:
        return ()
    return frequency.every_low, frequency.every_high, frequency.unit, frequency.as_needed, frequency.count


def _total(steps: list[Step], told: tuple[str, ...]) -> Step:
    """Return the sum per day, or per week or month for entries given more rarely; what is given at one time is then
    not known.
    """
    for per, days, unit in _PERIODS:
        parts = [_in_period(step, per, days) for step in steps]
        if all(part is not None for part in parts):
            dose = _added([part for part in parts if part is not None], per, unit)
            if dose is None:
                break
            needed = all(step.frequency is not None and step.frequency.as_needed for step in steps)
            return _joined(steps, dose, OrderedFrequency(as_needed=True) if needed else None, told)
    return _unreadable(steps, "the dosage entries cannot be added: their units or frequencies do not allow it", told)


def _in_period(step: Step, per: Per, days: Fraction) -> tuple[Decimal, Decimal, str] | None:
    """Return the amount of a day, week or month, if the entry is given at least once in each."""
    dose, frequency = step.dose, step.frequency
    if dose is None or dose.per is Per.RATE:
        return None
    if dose.per is not Per.ADMINISTRATION:
        bare = dose.unit.rpartition("/")[0]
        factor = _LENGTH[per] / _LENGTH[dose.per]
        return (_scaled(dose.low, factor), _scaled(dose.high, factor), bare) if factor >= 1 else None
    if frequency is None or not frequency.times_high or frequency.once:
        return None
    low, high = frequency.per_day()
    if high * days < 1:
        return None
    length = _LENGTH[per]
    least = Fraction(0) if frequency.as_needed else low * length
    return _scaled(dose.low, least), _scaled(dose.high, high * length), dose.unit


def _scaled(value: Decimal, factor: Fraction) -> Decimal:
    return plain(over(times(value, Decimal(factor.numerator)), Decimal(factor.denominator)))


def _added(parts: list[tuple[Decimal, Decimal, str]], per: Per, period: str) -> OrderedDose | None:
    unit = parts[0][2]
    total = f"{unit}/{period}"
    ends = [(converted(low, own, unit), converted(high, own, unit)) for low, high, own in parts]
    lows, highs = [low for low, _ in ends if low is not None], [high for _, high in ends if high is not None]
    if len(lows) < len(parts) or len(highs) < len(parts):
        return None
    low, high = plain(added(lows)), plain(added(highs))
    code = total if total in ORDER_UNITS else unit
    return OrderedDose(low if low > 0 else high, high, code, per)


def _joined(steps: list[Step], dose: OrderedDose, frequency: OrderedFrequency | None, told: tuple[str, ...]) -> Step:
    notes = (*told, *[note for step in steps for note in step.notes])
    lengths = [step.duration_days for step in steps]
    length = max((days for days in lengths if days is not None), default=None) if None not in lengths else None
    return Step(dose, frequency, _route(steps), steps[0].infusion, length, None, notes)


def _route(steps: list[Step]) -> str | None:
    routes = {step.route for step in steps}
    return routes.pop() if len(routes) == 1 else None


# ---------------------------------------------------------------- in words


def described(step: Step) -> str:
    """Return a step for people: ``20 mg, 3 times a day, for 5 days``."""
    parts = [display_range(step.dose.low, step.dose.high, step.dose.unit) if step.dose else "no readable dose"]
    often = _often(step.frequency)
    if often:
        parts.append(often)
    if step.duration_days is not None:
        parts.append(f"for {display(step.duration_days)} day{'' if step.duration_days == 1 else 's'}")
    return ", ".join(parts)


def _often(frequency: OrderedFrequency | None) -> str:
    if frequency is None:
        return ""
    if frequency.once:
        return "once"
    needed = "as needed" if frequency.as_needed else ""
    if not frequency.times_high:
        return needed
    one = frequency.every_low == frequency.every_high == 1
    every = _ONE[frequency.unit] if one else f"in {_span(frequency.every_low, frequency.every_high)}"
    period = every if one else f"{every} {_PERIOD_WORDS[frequency.unit]}"
    number = _span(Decimal(frequency.times_low), Decimal(frequency.times_high))
    return f"{number} time{'' if number == '1' else 's'} {period}{' ' + needed if needed else ''}"


def _span(low: Decimal, high: Decimal) -> str:
    return display(low) if low == high else f"{display(low)} to {display(high)}"
