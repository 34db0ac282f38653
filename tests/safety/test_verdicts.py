"""What the verdict of an order comes to, where the clinical facts say whether to block, to warn or only to tell."""

from typing import Any

import pytest
from flask.testing import FlaskClient

Json = dict[str, Any]
ADULT: Json = {"age": {"value": 50, "unit": "a"}, "weight": {"value": 70, "unit": "kg"}, "sex": "male"}
CHILD: Json = {"age": {"value": 8, "unit": "a"}, "weight": {"value": 25, "unit": "kg"}, "sex": "male"}
NOTHING_ELSE: Json = {"conditions": [], "allergies": [], "medications": []}


def order(agent: str, milligrams: float, route: str, times: int, every: Json, **more: Any) -> Json:
    """Return an order in mg."""
    said = {"id": "o1", "agent": agent, "dose": {"value": milligrams, "unit": "mg"}, "route": route}
    return said | {"frequency": {"times": times, "every": every}} | more


def checked(client: FlaskClient, patient: Json, said: Json) -> Json:
    """Return the answer about one order."""
    body = {"patient": patient | NOTHING_ELSE, "orders": [said], "as_of": "2026-11-21"}
    response = client.post("/v1/order-checks", json=body)
    assert response.status_code == 200, response.get_data(as_text=True)
    answer: Json = response.get_json()["orders"][0]
    return answer


DAY, WEEK = {"value": 1, "unit": "d"}, {"value": 1, "unit": "wk"}


def test_etanercept_warns_and_does_not_block(client: FlaskClient) -> None:
    """No clear benefit, some worse, others preferred: 0.4 mg/kg twice a week is the documented dose, with a warning."""
    answer = checked(client, CHILD, order("etanercept", 10, "subcutaneous", 2, WEEK))

    assert answer["verdict"] == "warn"


def test_evidence_that_only_tells_does_not_warn(client: FlaskClient) -> None:
    """Treprostinil was poorly tolerated; the facts ask for no warning with it, and its start of the trial has none."""
    answer = checked(client, ADULT, order("treprostinil", 0.125, "oral", 3, DAY))

    evidence = [item for item in answer["findings"] if item["id"] == "evidence-treprostinil"]
    assert [item["severity"] for item in evidence] == ["moderate"]
    assert answer["verdict"] in {"pass", "incomplete"}


def test_growth_alone_is_no_warning(client: FlaskClient) -> None:
    """Every child on a steroid may grow less: told, and no reason to stop over 25 mg (1 mg/kg) a day."""
    answer = checked(client, CHILD, order("prednisone", 25, "oral", 1, DAY))

    growth = [item["severity"] for item in answer["findings"] if item["id"] == "child-growth"]
    assert growth == ["minor"]
    assert answer["verdict"] in {"pass", "incomplete"}


def test_minocycline_below_8_years_is_stopped(client: FlaskClient) -> None:
    """Teeth are stained for good: contraindicated below 8 years."""
    seven = CHILD | {"age": {"value": 7, "unit": "a"}}

    assert checked(client, seven, order("minocycline", 50, "oral", 1, DAY))["verdict"] == "stop"


# Dose in mg, how long it runs, verdict expected of the infusion, and why the row is here.
INFUSIONS = [
    (90, {"value": 1, "unit": "h"}, "contraindicated", "90 mg in less than 2 hours is blocked"),
    (90, {"value": 119, "unit": "min"}, "contraindicated", "a minute short of 2 hours"),
    (90, {"value": 2, "unit": "h"}, None, "exactly 2 hours"),
    (90, {"value": 4, "unit": "h"}, None, "slower"),
    (60, {"value": 90, "unit": "min"}, "major", "faster than documented; what is blocked is 90 mg"),
]


@pytest.mark.parametrize(("milligrams", "duration", "severity", "why"), INFUSIONS)
def test_pamidronate_runs_no_faster_than_2_hours(
    client: FlaskClient, milligrams: float, duration: Json, severity: str | None, why: str
) -> None:
    """90 mg take at least 2 hours; less is blocked."""
    said = order("pamidronate", milligrams, "intravenous", 1, {"value": 4, "unit": "wk"})
    answer = checked(client, ADULT, said | {"infusion": {"duration": duration}})

    found = [item["severity"] for item in answer["findings"] if item["id"] == "infusion-too-fast"]
    assert found == ([severity] if severity else []), why
    assert (answer["verdict"] == "stop") == (severity == "contraindicated"), why
