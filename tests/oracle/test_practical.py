"""Every dose in products of a table that was worked out by hand, without the code."""

import csv
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from dosing_service import service
from dosing_service.knowledge.base import KnowledgeBase
from dosing_service.model import CourseQuantity, Pieces, PracticalDose
from schemas.reading import dose_request

Row = dict[str, str]

_TABLE = Path(__file__).parent / "practical.csv"
#: Quotients in the table that do not terminate are written to eight digits.
_TOLERANCE = Decimal("1e-7")


def _rows() -> list[Row]:
    with _TABLE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _request(row: Row) -> dict[str, Any]:
    patient: dict[str, Any] = {}
    for column, name, unit in (("age_years", "age", "a"), ("weight_kg", "weight", "kg"), ("height_cm", "height", "cm")):
        if row[column]:
            patient[name] = {"value": Decimal(row[column]), "unit": unit}
    options: dict[str, Any] = {"include_contraindicated": True}
    for column in ("times_per_day", "divided_over_days"):
        if row[column]:
            options[column] = Decimal(row[column])
    for column, name in (("only_product", "product"), ("jurisdiction", "jurisdiction")):
        if row[column]:
            options[name] = row[column]
    if row["volume_ml"]:
        options["volume"] = {"value": Decimal(row["volume_ml"]), "unit": "mL"}
    body: dict[str, Any] = {"agent": row["agent"], "patient": patient, "options": options}
    return body | ({"regimen": row["regimen"]} if row["regimen"] else {})


def _same(value: Decimal | None, expected: str) -> bool:
    if value is None or not expected:
        return value is None and not expected
    return abs(value - Decimal(expected)) <= _TOLERANCE * max(abs(Decimal(expected)), Decimal("0.1"))


def _entry(row: Row, knowledge: KnowledgeBase) -> PracticalDose:
    """Return the entry of the row's product that aims at the row's amount."""
    dose = service.calculate_dose(dose_request(_request(row)), knowledge).dose
    assert dose is not None
    assert dose.practical is not None
    found = [
        item
        for item in dose.practical
        if item.product == row["product"]
        and _same(item.wanted.low, row["wanted_low"])
        and _same(item.wanted.high, row["wanted_high"])
    ]
    assert len(found) == 1, [(item.product, item.text) for item in dose.practical]
    return found[0]


def _course(quantity: CourseQuantity | None) -> str:
    if quantity is None:
        return ""
    volume = [] if quantity.volume_ml is None else [f"volume={quantity.volume_ml}"]
    return " ".join([str(quantity.administrations), *(_counted(item) for item in quantity.pieces), *volume])


def _counted(item: Pieces) -> str:
    return f"{item.product}={item.count}"


@pytest.mark.parametrize("row", [pytest.param(row, id=row["case"]) for row in _rows()])
def test_practical_dose_is_that_of_the_table(row: Row, knowledge: KnowledgeBase) -> None:
    """Status, what is given each time, what it comes to, how far off, what is left over, what the course takes."""
    entry = _entry(row, knowledge)
    assert (entry.status.value, entry.per_administration or "") == (row["status"], row["per_administration"])
    achieved = entry.achieved
    assert _same(achieved.value if achieved else None, row["achieved"])
    assert achieved is None or achieved.unit == row["unit"]
    assert _same(entry.deviation_percent, row["deviation_percent"])
    assert _same(entry.waste.value if entry.waste else None, row["waste_mg"])
    assert _same(entry.waste.volume_ml if entry.waste else None, row["waste_ml"])
    assert _course(entry.quantity_for_course) == row["course"]
    nearest = [pair.split() for pair in row["nearest"].split(";") if pair]
    assert len(nearest) == len(entry.nearest)
    for (amount, deviation), near in zip(nearest, entry.nearest, strict=True):
        assert _same(near.amount.value, amount)
        assert _same(near.deviation_percent, deviation)


def test_every_agent_with_products_is_in_the_table(knowledge: KnowledgeBase) -> None:
    """No agent whose doses are given in products is left out."""
    with_products = {agent.id for agent in knowledge.agents.values() if agent.products}
    assert {row["agent"] for row in _rows()} == with_products
