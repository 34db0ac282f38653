"""Body measures against published worked figures and hand calculation; the last column of the table says which."""

import csv
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from dosing_service.model import BodyMeasure, SurfaceAreaFormula
from dosing_service.rules import body
from schemas.reading import dose_request

Row = dict[str, str]

_TABLE = Path(__file__).parent / "body_measures.csv"
_FIELDS = {"bmi": "body_mass_index", "ideal": "ideal_weight", "adjusted": "adjusted_weight", "lean": "lean_weight"}


def _rows() -> Iterator[Any]:
    with _TABLE.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), start=2):
            yield pytest.param(row, id=f"{number}-{row['measure']}")


def _computed(row: Row) -> BodyMeasure | None:
    patient = {
        "age": {"value": Decimal(row["age_years"]), "unit": "a"},
        "sex": row["sex"],
        "height": {"value": Decimal(row["height_cm"]), "unit": "cm"},
        "weight": {"value": Decimal(row["weight_kg"]), "unit": "kg"},
    }
    name = _FIELDS.get(row["measure"], "body_surface_area")
    formula = {} if row["measure"] in _FIELDS else {"body_surface_area_formula": row["measure"]}
    asked = dose_request({"agent": "diltiazem", "patient": patient, "options": formula})
    found: BodyMeasure | None = getattr(body.measures(asked.patient, asked.options.body_surface_area_formula), name)
    return found


@pytest.mark.parametrize("row", list(_rows()))
def test_measure_is_that_of_the_table(row: Row) -> None:
    """The measure comes out as published, within the digits that were published; ``none`` is not defined."""
    found = _computed(row)
    if row["expected"] == "none":
        assert found is None, row["why"]
        return
    assert found is not None, row["why"]
    assert abs(Decimal(row["expected"]) - found.value) <= Decimal(row["tolerance"]), row["why"]


def test_every_formula_stands_in_the_table() -> None:
    """No formula can be added without a worked figure."""
    with _TABLE.open(encoding="utf-8", newline="") as file:
        measured = {row["measure"] for row in csv.DictReader(file)}

    assert {*SurfaceAreaFormula, *_FIELDS} == measured
