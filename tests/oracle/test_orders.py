"""Every order of three tables that were worked out from the sources and decision record 13, without the code."""

import csv
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from dosing_service import service
from dosing_service.knowledge.base import KnowledgeBase
from dosing_service.model import OrderAssessment
from schemas.reading import order_request

Row = dict[str, str]
_HERE = Path(__file__).parent
#: Quotients of an answer keep twelve digits; ratios and ranges in the tables are exact or rounded to eight digits.
_TOLERANCE = Fraction(1, 10**7)
#: The table counts 2.2046 pounds to a kilogram, the service 1 / 0.45359237.
_POUNDS = Fraction(1, 10**4)


def _rows(name: str) -> list[Row]:
    with (_HERE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _cases(name: str) -> Iterator[Any]:
    for case, rows in groupby(_rows(name), key=lambda row: row["case"]):
        yield pytest.param(list(rows), id=case)


def _number(row: Row, column: str, unit: str) -> dict[str, Any]:
    return {"value": Decimal(row[column]), "unit": unit}


def _patient(row: Row) -> dict[str, Any]:
    columns = (("age_years", "age", "a"), ("weight_kg", "weight", "kg"), ("height_cm", "height", "cm"))
    patient: dict[str, Any] = {name: _number(row, column, unit) for column, name, unit in columns if row[column]}
    return patient | ({"sex": row["sex"]} if row["sex"] else {})


def _frequency(row: Row) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if row["times"]:
        found["times"] = Decimal(row["times"])
        found["every"] = _number(row, "every_value", row["every_unit"])
    if row["count"]:
        found["count"] = Decimal(row["count"])
    if row["repeat_value"]:
        found["repeat_every"] = _number(row, "repeat_value", row["repeat_unit"])
    return found | {name: True for name in ("once", "as_needed") if row[name]}


def _order(row: Row, index: int) -> dict[str, Any]:
    span = {"value": row["dose_value"]} if row["dose_value"] else {"low": row["dose_low"], "high": row["dose_high"]}
    dose = {name: Decimal(value) for name, value in span.items()} | {"unit": row["dose_unit"]}
    order: dict[str, Any] = {"id": f"o{index}", "agent": row["agent"], "dose": dose}
    if row["dose_per"]:
        order["dose"]["per"] = row["dose_per"]
    if frequency := _frequency(row):
        order["frequency"] = frequency
    if row["duration_value"]:
        order["duration"] = _number(row, "duration_value", row["duration_unit"])
    if row["product_id"]:
        order["product"] = {"id": row["product_id"]}
    return order | {name: row[name] for name in ("route", "regimen") if row[name]}


def checked(rows: list[Row], knowledge: KnowledgeBase) -> OrderAssessment:
    """Return the first answer to the orders of a case."""
    orders = [_order(row, index) for index, row in enumerate(rows)]
    request = order_request({"patient": _patient(rows[0]), "orders": orders})
    return service.check_orders(request, knowledge).orders[0]


def _close(value: Decimal | None, expected: str, tolerance: Fraction = _TOLERANCE) -> bool:
    return value is not None and abs(Fraction(value) - Fraction(expected)) <= tolerance * Fraction(expected)


def _position(found: OrderAssessment) -> str:
    if found.ratio is None:
        return "not-comparable"
    if any(item.id == "above-range" for item in found.findings):
        return "above"
    return "below" if any(item.id == "below-range" for item in found.findings) else "within"


@pytest.mark.parametrize("rows", list(_cases("orders.csv")))
def test_order_lies_where_the_table_says(rows: list[Row], knowledge: KnowledgeBase) -> None:
    """Position, regimen and ratio, and the findings that must and must not be there."""
    row, found = rows[0], checked(rows, knowledge)
    ids = [item.id for item in found.findings]
    if row["expected_position"]:
        assert row["expected_position"] == _position(found)
    if row["compared_regimen"]:
        assert found.regimen in row["compared_regimen"].split("|")
    if row["ratio_high"] and "|" not in row["compared_regimen"]:
        assert found.ratio is not None
        assert _close(found.ratio.low, row["ratio_low"])
        assert _close(found.ratio.high, row["ratio_high"])
    for wanted in row["must_find"].split():
        assert any(id_.startswith(wanted) for id_ in ids), (wanted, ids)
    for unwanted in row["must_not_find"].split():
        assert not any(id_.startswith(unwanted) for id_ in ids), (unwanted, ids)


@pytest.mark.parametrize("rows", list(_cases("likely_causes.csv")))
def test_slip_is_named_first(rows: list[Row], knowledge: KnowledgeBase) -> None:
    """The slip that was built into the order stands first, with the order as it would be without it."""
    row, found = rows[0], checked(rows, knowledge)
    kinds = [cause.kind.value for cause in found.likely_causes]
    assert kinds[:1] == [row["kind"]]
    assert len(kinds) <= 3
    would_be = found.likely_causes[0].would_be
    if row["kind"] == "wrong-weight":
        assert would_be.weight is not None
        assert _close(would_be.weight.value, row["would_be_value"])
    elif row["would_be_value"] and would_be.dose is not None:
        written = (would_be.dose.unit, would_be.dose.per.value)
        if written == (row["would_be_unit"], row["would_be_per"]):
            assert _close(
                would_be.dose.high, row["would_be_value"], _POUNDS if row["kind"] == "lb-for-kg" else _TOLERANCE
            )


@pytest.mark.parametrize("rows", list(_cases("no_causes.csv")))
def test_no_slip_is_made_up(rows: list[Row], knowledge: KnowledgeBase) -> None:
    """An order in range, or plainly too high or too low, gets no cause."""
    assert checked(rows, knowledge).likely_causes == ()
