"""What is said of a patient's size: a table a clinician can read. Limits in it were worked out from the published L, M
and S values in double precision, apart from the code.
"""

import csv
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from dosing_service.knowledge.base import KnowledgeBase
from dosing_service.model import Patient
from dosing_service.rules import plausibility
from schemas.reading import dose_request

Row = dict[str, str]

_TABLE = Path(__file__).parent / "plausibility.csv"
_TODAY = date(2026, 11, 21)


def _rows() -> Iterator[Any]:
    with _TABLE.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), start=2):
            yield pytest.param(row, id=f"{number}-{row['age'] or 'any age'}-{row['weight']}")


def _quantity(text: str, on: str = "") -> dict[str, Any]:
    value, unit = text.split(" ")
    return {"value": Decimal(value), "unit": unit} | ({"measured_on": on} if on else {})


def patient_of(row: Row) -> Patient:
    """Return a row's patient as the service reads it."""
    given: dict[str, Any] = {"weight": _quantity(row["weight"], row["weighed_on"])}
    if row["age"]:
        given["age"] = _quantity(row["age"])
    if row["sex"]:
        given["sex"] = row["sex"]
    if row["height"]:
        given["height"] = _quantity(row["height"])
    if row["previous"]:
        given["previous_weight"] = _quantity(row["previous"], row["previous_on"])
    return dose_request({"agent": "diltiazem", "patient": given, "as_of": _TODAY.isoformat()}).patient


@pytest.mark.parametrize("row", list(_rows()))
def test_finding_is_that_of_the_table(row: Row, knowledge: KnowledgeBase) -> None:
    """Exactly the findings of the table come, and the probable slip is named."""
    found = plausibility.found(patient_of(row), _TODAY, knowledge.growth)
    expected = set() if row["expected"] == "silent" else set(row["expected"].split(" "))

    assert expected == {f"{item.id}:{item.severity}" for item in found}, row["why"]
    assert row["names"] in " ".join(f"{item.summary} {item.management}" for item in found), row["why"]


def test_every_finding_cites_the_knowledge_base(knowledge: KnowledgeBase) -> None:
    """No finding of the table cites a source that is not in references.yaml, and each names an input of the request."""
    found = [
        item for case in _rows() for item in plausibility.found(patient_of(case.values[0]), _TODAY, knowledge.growth)
    ]

    assert len({item.id for item in found}) == 9
    for item in found:
        assert set(item.references) <= set(knowledge.references)
        assert item.because
        assert all(path.startswith("patient.") for path in item.because)
