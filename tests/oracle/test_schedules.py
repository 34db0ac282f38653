"""Every dated schedule of a table that was worked out by hand with a calendar, without the code."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from dosing_service import service
from dosing_service.knowledge import yaml_reader
from dosing_service.knowledge.base import KnowledgeBase
from dosing_service.model import Dose, NotChecked, ScheduledAmount, ScheduleEntry
from schemas.reading import dose_request

_CASES = yaml_reader.read((Path(__file__).parent / "schedules.yaml").read_text("utf-8"))
_EACH_DAY = re.compile(r"each day (\S+) to (\S+): (.+)")
_OF_REQUEST = ("agent", "regimen", "patient")


def request_of(given: dict[str, Any]) -> dict[str, Any]:
    """Return the ``given`` of a case as the body of a request."""
    age, kg, cm = given["patient"]
    patient = {
        "age": {"value": age, "unit": "a"},
        "weight": {"value": kg, "unit": "kg"},
        "height": {"value": cm, "unit": "cm"},
        "sex": "female",
        "conditions": [],
        "allergies": [],
        "medications": [],
        "pregnant": False,
        "lactating": False,
    }
    options = {name: given[name] for name in given if name not in _OF_REQUEST}
    return {name: given[name] for name in ("agent", "regimen") if name in given} | {
        "patient": patient,
        "options": options,
    }


def dose_of(given: dict[str, Any], knowledge: KnowledgeBase) -> tuple[Dose, tuple[NotChecked, ...]]:
    """Return the dose of a case and what was not checked."""
    answer = service.calculate_dose(dose_request(request_of(given)), knowledge)
    assert answer.dose is not None
    return answer.dose, answer.not_checked


def expanded(entries: list[str]) -> Iterator[str]:
    """Yield the entries of a case, one for every day where it says so."""
    for entry in entries:
        match = _EACH_DAY.fullmatch(entry)
        if match is None:
            yield entry
            continue
        day, last = (date.fromisoformat(match[number]) for number in (1, 2))
        while day <= last:
            yield f"{day}: {match[3]}"
            day += timedelta(days=1)


def written(entry: ScheduleEntry) -> str:
    """Return an entry of an answer as the table writes it."""
    text = _days(entry.on, entry.on_latest)
    if entry.until != entry.on:
        text += f" to {_days(entry.until, entry.until_latest)}"
    count = "?" if entry.count is None else str(entry.count)
    return f"{text}: {_amount(entry.amount)}{'' if count == '1' else f' x {count}'}"


def _days(day: date | None, latest: date | None) -> str:
    return f"{day or 'open'}~{latest}" if latest else f"{day or 'open'}"


def _amount(amount: ScheduledAmount) -> str:
    assert (amount.value is None) == (amount.low != amount.high)
    numbers = [format(end.normalize(), "f") for end in dict.fromkeys((amount.low, amount.high))]
    return f"{'-'.join(numbers)} {amount.unit}"


@pytest.mark.parametrize("case", _CASES, ids=lambda case: case["case"])
def test_schedule_is_that_of_the_table(case: dict[str, Any], knowledge: KnowledgeBase) -> None:
    """Days, amounts and counts of every entry, what they add up to, and whether the schedule is whole."""
    dose, not_checked = dose_of(case["given"], knowledge)
    if "needs" in case:
        assert (dose.schedule, dose.schedule_summary) == (None, None)
        assert [tuple(case["needs"])] == [item.needs for item in not_checked if item.check == "schedule"]
        return
    assert list(expanded(case["entries"])) == [written(entry) for entry in dose.schedule or ()], case["why"]
    summary = dose.schedule_summary
    assert summary is not None
    assert case["total"] == (_amount(summary.total) if summary.total else "none")
    assert (summary.why or "").startswith(case.get("shown", ""))
    assert summary.complete == ("shown" not in case or not case["entries"])


def test_table_is_large_enough() -> None:
    """The table has forty cases or more, and no case stands in it twice."""
    names = [case["case"] for case in _CASES]
    assert len(names) == len(set(names)) >= 40


def test_every_regimen_that_is_dated_in_steps_is_in_the_table(knowledge: KnowledgeBase) -> None:
    """Each way in which regimens are dated (days, intervals, several a week, starts of courses, tapers) has a case."""
    listed = {(case["given"]["agent"], case["given"].get("regimen")) for case in _CASES}
    kinds = {
        kind
        for agent, id_ in listed
        for regimen in [knowledge.agents[agent].regimens[id_ or knowledge.agents[agent].default_regimen or ""]]
        for kind, present in (
            ("days", regimen.course is not None and regimen.course.days_low is not None),
            ("administrations", regimen.course is not None and regimen.course.administrations_low is not None),
            ("length", regimen.course is not None and regimen.course.length is not None),
            ("starts", regimen.course is not None and regimen.course.starts is not None),
            ("given-days", regimen.frequency is not None and bool(regimen.frequency.on_days)),
            ("several-a-week", regimen.frequency is not None and regimen.frequency.times_low > 1),
            ("followed", regimen.followed_by is not None),
            ("taper", bool(regimen.taper_steps)),
        )
        if present
    }
    assert len(kinds) == 8
