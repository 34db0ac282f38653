"""What must hold for every schedule and infusion, tried with generated patients and dates."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dosing_service import service
from dosing_service.errors import InvalidRequest
from dosing_service.knowledge import load
from dosing_service.model import Assessment, Dose, Per
from dosing_service.rules.administrations import MOST_ENTRIES
from dosing_service.rules.dates import after
from schemas.reading import dose_request

_KNOWLEDGE = load()
_REGIMENS = [(agent.id, id_) for agent in _KNOWLEDGE.agents.values() for id_ in agent.regimens]
_DIVIDED = [
    ("ivig", id_) for id_, item in _KNOWLEDGE.agents["ivig"].regimens.items() if item.course and item.course.days_low
]

#: The same examples in every run: a property that fails must fail for everyone.
bounded = settings(max_examples=300, deadline=None, derandomize=True)
ages = st.decimals("0.1", "95", places=1)
weights = st.decimals("2", "180", places=2)
starts = st.dates(date(1900, 1, 1), date(9998, 12, 31))
days = st.integers(0, 1000)


def _answer(chosen: tuple[str, str], age: Decimal, kg: Decimal, start: date, **options: Any) -> Assessment | None:
    body = {
        "agent": chosen[0],
        "regimen": chosen[1],
        "patient": {
            "age": {"value": age, "unit": "a"},
            "sex": "female",
            "weight": {"value": kg, "unit": "kg"},
            "height": {"value": Decimal(165), "unit": "cm"},
            "conditions": [],
        },
        "options": {
            "start_date": start.isoformat(),
            "include_outside_population": True,
            "include_contraindicated": True,
            "volume": {"value": Decimal(1), "unit": "mL"},
        }
        | options,
    }
    try:
        return service.calculate_dose(dose_request(body), _KNOWLEDGE)
    except InvalidRequest:
        return None


def _dose(chosen: tuple[str, str], age: Decimal, kg: Decimal, start: date, **options: Any) -> Dose | None:
    answer = _answer(chosen, age, kg, start, **options)
    return answer.dose if answer else None


@bounded
@given(st.sampled_from(_REGIMENS), ages, weights, starts, st.integers(1, 26))
def test_entries_are_in_order_and_few(
    chosen: tuple[str, str], age: Decimal, kg: Decimal, start: date, courses: int
) -> None:
    """Each entry begins later than the one before (a first dose and what follows it share a day), none begins before
    the start, none ends before it begins, and there are never too many.
    """
    dose = _dose(chosen, age, kg, start, courses=Decimal(courses)) or _dose(chosen, age, kg, start)
    if dose is None or dose.schedule is None:
        return
    assert len(dose.schedule) <= MOST_ENTRIES
    assert dose.schedule[0].on == start
    for left, right in pairwise(dose.schedule):
        assert left.on < right.on or (left.on == right.on and left.regimen != right.regimen)
    for entry in dose.schedule:
        assert entry.until is None or entry.on <= entry.until
        assert entry.on_latest is None or entry.on < entry.on_latest
        assert entry.until_latest is None or (entry.until or entry.on) < entry.until_latest


@bounded
@given(st.sampled_from(_REGIMENS), ages, weights, starts)
def test_one_course_adds_up_to_its_total(chosen: tuple[str, str], age: Decimal, kg: Decimal, start: date) -> None:
    """The entries of a whole course add up to the course total, to the last digit."""
    dose = _dose(chosen, age, kg, start)
    if dose is None or not dose.schedule or dose.course_total is None:
        return
    summary = dose.schedule_summary
    own = [entry for entry in dose.schedule if entry.regimen == chosen[1]]
    if summary is None or len(own) != len(dose.schedule) or not summary.complete or summary.total is None:
        return
    assert (summary.total.low, summary.total.high) == (dose.course_total.low, dose.course_total.high)


@bounded
@given(st.sampled_from(_DIVIDED), st.decimals("2", "180", places=4), st.integers(2, 5), st.integers(1, 12), starts)
def test_divided_course_adds_up_however_it_is_divided(
    chosen: tuple[str, str], kg: Decimal, parts: int, courses: int, start: date
) -> None:
    """Parts of a course add up to its total exactly, also where the quotient does not end, in every course."""
    dose = _dose(chosen, Decimal(50), kg, start, divided_over_days=Decimal(parts))
    if dose is None or not dose.schedule or dose.course_total is None:
        return
    assert sum(entry.amount.high for entry in dose.schedule) == dose.course_total.high


@bounded
@given(weights, st.decimals("0", "400", places=2), st.integers(2, 5), starts)
def test_given_and_left_are_the_course(kg: Decimal, given_g: Decimal, parts: int, start: date) -> None:
    """What was given and what is still to be given are the course, and no single day gets more than its part."""
    already = {"value": given_g, "unit": "g"}
    chosen = ("ivig", "calcinosis-overview")
    dose = _dose(chosen, Decimal(50), kg, start, divided_over_days=Decimal(parts), already_given=already)
    assert dose is not None
    assert dose.course_total is not None
    assert dose.remaining is not None
    assert dose.schedule is not None
    to_come = sum((entry.amount.high for entry in dose.schedule), Decimal(0))
    assert to_come == dose.remaining.high == max(dose.course_total.high - given_g, Decimal(0))
    part = next(item for item in dose.amounts if item.per is Per.ADMINISTRATION)
    assert all(entry.amount.high <= part.high + Decimal("1e-8") for entry in dose.schedule)


@bounded
@given(st.sampled_from(_REGIMENS), ages, weights, starts, days)
def test_nothing_is_dated_after_the_last_day(
    chosen: tuple[str, str], age: Decimal, kg: Decimal, start: date, more: int
) -> None:
    """With a last day no entry begins or ends after it, and the schedule is the same up to there."""
    until = after(start, more, "d")
    if until is None or until.year > 9998:
        return
    short = _dose(chosen, age, kg, start, schedule_until=until.isoformat())
    if short is None or short.schedule is None:
        return
    assert all(entry.on <= until and entry.until is not None and entry.until <= until for entry in short.schedule)
    whole = _dose(chosen, age, kg, start)
    assert whole is not None
    same = [entry for entry in whole.schedule or () if entry.until is not None and entry.until < until]
    assert same == list(short.schedule[: len(same)])


@bounded
@given(st.sampled_from(["prednisone", "prednisolone"]), weights, starts)
def test_taper_falls_and_leaves_no_gap(agent: str, kg: Decimal, start: date) -> None:
    """Each phase begins the day after the one before and is smaller; the last entry is the end, twelve months on."""
    dose = _dose((agent, "consensus-german-range"), Decimal(9), kg, start)
    assert dose is not None
    assert dose.schedule is not None
    for left, right in pairwise(dose.schedule):
        assert left.until is not None
        assert right.on == left.until + timedelta(days=1)
        assert right.amount.high < left.amount.high
    assert dose.schedule[-1].on == after(start, 12, "mo")


@bounded
@given(st.sampled_from(_REGIMENS), ages, weights, st.sampled_from([[], ["diabetes-mellitus"], None]))
def test_no_step_is_above_the_highest_rate(
    chosen: tuple[str, str], age: Decimal, kg: Decimal, conditions: list[str] | None
) -> None:
    """No step of a rate, and no rate of a dose, is above the maximum that holds, in its own unit and in mL/h; with
    unknown risk the maximum that holds is the lowest.
    """
    patient: dict[str, Any] = {"age": {"value": age, "unit": "a"}, "weight": {"value": kg, "unit": "kg"}}
    patient |= {"height": {"value": Decimal(165), "unit": "cm"}, "sex": "female"}
    patient |= {} if conditions is None else {"conditions": conditions}
    options = {"include_outside_population": True, "include_contraindicated": True}
    body = {"agent": chosen[0], "regimen": chosen[1], "patient": patient, "options": options}
    try:
        dose = service.calculate_dose(dose_request(body), _KNOWLEDGE).dose
    except InvalidRequest:
        return
    if dose is None or dose.infusion is None or not dose.infusion.maxima:
        return
    highest = dose.infusion.maxima[0]
    assert highest.rate.value == min(item.rate.value for item in dose.infusion.maxima)
    for step in dose.infusion.steps:
        assert step.rate.value <= highest.rate.value
        assert step.ml_per_hour is None or highest.ml_per_hour is None or step.ml_per_hour <= highest.ml_per_hour
    if dose.infusion.rate is not None and highest.ml_per_hour is not None:
        assert dose.infusion.rate.high <= highest.ml_per_hour
