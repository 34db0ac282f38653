"""Calcium corrected for albumin: measured + 0.8 x (4.0 - albumin in g/dL), worked out in view of the reader."""

from typing import Any

import pytest
from flask.testing import FlaskClient

ADULT = {"age": {"value": 50, "unit": "a"}, "sex": "male", "conditions": [], "allergies": [], "medications": []}
WEEKLY = {"times": 1, "every": {"value": 1, "unit": "wk"}}
CREATININE = {"code": "2160-0", "value": 0.8, "unit": "mg/dL", "measured_on": "2026-11-18"}
WEIGHT = {"value": 70, "unit": "kg", "measured_on": "2026-11-18"}


def of_day(code: str, value: float, unit: str) -> dict[str, Any]:
    """Return a result of one morning."""
    return {"code": code, "value": value, "unit": unit, "measured_on": "2026-11-18"}


# Calcium (mg/dL), albumin (g/dL, none: not sent), verdict, finding, and why the row is here.
ROWS = [
    (6.5, 4.0, "stop", "low-corrected-calcium-oral", "6.5 stays 6.5"),
    (8.1, 2.4, "pass", None, "9.38: nothing is low"),
    (8.1, None, "warn", "low-calcium-measured", "no albumin: the total warns"),
    (9.4, None, "pass", None, "a normal total asks for nothing"),
]


@pytest.mark.parametrize(("calcium", "albumin", "verdict", "finding", "why"), ROWS)
def test_alendronate_is_judged_by_the_corrected_figure(
    client: FlaskClient, calcium: float, albumin: float | None, verdict: str, finding: str | None, why: str
) -> None:
    """A low calcium stops the oral drug, a low albumin alone does not warn."""
    results = [of_day("17861-6", calcium, "mg/dL"), *([of_day("1751-7", albumin, "g/dL")] if albumin else [])]
    order = {"agent": "alendronate", "dose": {"value": 70, "unit": "mg"}, "frequency": WEEKLY, "route": "oral"}
    patient = ADULT | {"weight": WEIGHT, "observations": [CREATININE, *results]}
    body = {"patient": patient, "orders": [order | {"id": "o1"}], "as_of": "2026-11-21"}
    answer = client.post("/v1/order-checks", json=body).get_json()

    assert answer["verdict"] == verdict, why
    about = {item["id"] for item in answer["orders"][0]["findings"] if "calcium" in item["id"]}
    assert about == ({finding} if finding else set()), why


def test_the_working_is_shown(client: FlaskClient) -> None:
    """The reader can check the sum, 7.0 + 0.8 x (4 - 3.1) = 7.72; that no source of the formula was seen is said."""
    results = [of_day("17861-6", 7.0, "mg/dL"), of_day("1751-7", 3.1, "g/dL")]
    body = {"agent": "alendronate", "patient": ADULT | {"observations": results}, "as_of": "2026-11-21"}
    found = client.post("/v1/dose-calculations", json=body).get_json()["findings"]
    (finding,) = [item for item in found if item["id"] == "low-corrected-calcium-oral"]

    assert "7 + 0.8 × (4 - 3.1) = 7.72 mg/dL" in finding["summary"]
    assert finding["verified"] is False
    assert {"patient.observations[0]", "patient.observations[1]"} <= set(finding["because"])
