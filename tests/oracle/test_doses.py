"""Every dose of a table that was worked out by hand from the sources, without the code."""

import csv
from collections.abc import Iterator
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from dosing_service import service
from dosing_service.knowledge.base import KnowledgeBase
from dosing_service.model import Amount, Assessment
from schemas.reading import dose_request

Row = dict[str, str]

_TABLE = Path(__file__).parent / "doses.csv"
#: Quotients in the table that do not terminate are written to eight digits.
_TOLERANCE = Decimal("1e-7")


def _cases() -> Iterator[Any]:
    with _TABLE.open(encoding="utf-8", newline="") as file:
        for name, rows in groupby(csv.DictReader(file), key=lambda row: row["case"]):
            listed = list(rows)
            yield pytest.param(listed, id=f"{listed[0]['agent']}-{name}")


def request_of(row: Row) -> dict[str, Any]:
    """Return a row's inputs as the body of a request."""
    patient: dict[str, Any] = {}
    for column, name, unit in (("age_years", "age", "a"), ("weight_kg", "weight", "kg"), ("height_cm", "height", "cm")):
        if row[column]:
            patient[name] = {"value": Decimal(row[column]), "unit": unit}
    if row["sex"]:
        patient["sex"] = row["sex"]
    options: dict[str, Any] = {}
    for column in ("times_per_day", "divided_over_days"):
        if row[column]:
            options[column] = Decimal(row[column])
    if row["product"]:
        options["product"] = row["product"]
    if row["volume_ml"]:
        options["volume"] = {"value": Decimal(row["volume_ml"]), "unit": "mL"}
    if row["include_outside_population"]:
        options["include_outside_population"] = True
    body: dict[str, Any] = {"agent": row["agent"], "patient": patient, "options": options}
    return body | ({"regimen": row["regimen"]} if row["regimen"] else {})


def _amounts(assessment: Assessment) -> list[Amount]:
    dose = assessment.dose
    if dose is None:
        return []
    return [*dose.amounts, *([dose.concentration] if dose.concentration else [])]


def _matches(amount: Amount, row: Row) -> bool:
    days = int(row["days"]) if row["days"] else None
    if (amount.per.value, amount.unit, amount.divided_over_days) != (row["per"], row["unit"], days):
        return False
    return _close(amount.low, row["low"]) and _close(amount.high, row["high"])


def _close(value: Decimal, expected: str) -> bool:
    return abs(value - Decimal(expected)) <= _TOLERANCE * Decimal(expected)


@pytest.mark.parametrize("rows", list(_cases()))
def test_dose_is_that_of_the_table(rows: list[Row], knowledge: KnowledgeBase) -> None:
    """The status, each amount with its kind and unit, and whether a maximum holds it."""
    first = rows[0]
    assessment = service.calculate_dose(dose_request(request_of(first)), knowledge)
    assert first["status"] == assessment.status.value
    found = _amounts(assessment)
    for row in rows:
        if row["per"]:
            assert any(_matches(amount, row) for amount in found), (row, [amount.text for amount in found])
    if first["capped"] and assessment.dose is not None:
        assert (first["capped"] == "true") == (assessment.dose.cap is not None)


def test_every_agent_with_regimens_has_three_cases(knowledge: KnowledgeBase) -> None:
    """No agent is left out of the table, and each has at least three patients in it."""
    with _TABLE.open(encoding="utf-8", newline="") as file:
        cases = {(row["agent"], row["case"]) for row in csv.DictReader(file)}
    counted = {agent: sum(1 for one, _ in cases if one == agent) for agent, _ in cases}
    few = [agent.id for agent in knowledge.agents.values() if agent.regimens and counted.get(agent.id, 0) < 3]
    assert few == []
