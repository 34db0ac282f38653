"""One patient through HTTP, read as a clinical pharmacist would read the answers.

A woman of 62 with CREST, a sluggish oesophagus, an eGFR of 28 and apixaban asks for four of the drugs that are named
for calcinosis. Three of them are bad ideas for three different reasons, and the answers must say which.
"""

import json
from decimal import Decimal
from typing import Any

import pytest
from flask.testing import FlaskClient

_ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
_RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
_EGFR = {"code": "98979-8", "value": 28, "unit": "mL/min/{1.73_m2}"}
_CREATININE = {"code": "2160-0", "value": 1.9, "unit": "mg/dL"}
_PATIENT: dict[str, Any] = {
    "age": {"value": 62, "unit": "a"},
    "sex": "female",
    "weight": {"value": 60, "unit": "kg"},
    "conditions": [{"system": _ICD10, "code": "M34.1"}, {"system": _ICD10, "code": "K22.4"}],
    "medications": [{"system": _RXNORM, "code": "1364430"}],
    "observations": [_EGFR],
}


def _ask(client: FlaskClient, agent: str, *, options: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    body = {"agent": agent, "patient": _PATIENT | changes, "options": options or {}}
    response = client.post("/v1/dose-calculations", json=body)
    assert response.status_code == 200, response.get_data(as_text=True)
    answer: dict[str, Any] = json.loads(response.get_data(), parse_float=Decimal)
    return answer


def _finding(answer: dict[str, Any], id_: str) -> dict[str, Any]:
    """Return the one finding with this id."""
    (found,) = [finding for finding in answer["findings"] if finding["id"] == id_]
    return dict(found)


def _grades(answer: dict[str, Any], verdict: str) -> dict[str, str]:
    return {item["id"]: item["severity"] for item in answer["findings"] if item["verdict"] == verdict}


def _needs(answer: dict[str, Any], rule: str) -> list[str]:
    return [need for item in answer["not_checked"] if rule in item["why"] for need in item["needs"]]


def _texts(answer: dict[str, Any]) -> list[str]:
    return [amount["text"] for amount in answer["dose"]["amounts"]]


# ---------------------------------------------------------------- alendronate


def test_alendronate_is_withheld_because_of_the_oesophagus(client: FlaskClient) -> None:
    """The tablet may stick and burn: no dose, and that reason stands first."""
    answer = _ask(client, "alendronate")
    assert (answer["status"], answer["dose"], answer["derivation"]) == ("contraindicated", None, [])
    first = answer["findings"][0]
    assert (first["id"], first["severity"], first["verdict"]) == ("oesophageal-emptying", "contraindicated", "applies")
    assert first["because"] == ["patient.conditions[1]"]


def test_alendronate_has_no_dose_in_any_alternative(client: FlaskClient) -> None:
    """What is withheld in one regimen is not handed out in another."""
    assert [item for item in _ask(client, "alendronate")["alternatives"] if item["dose"] or item["derivation"]] == []


def test_alendronate_is_shown_to_who_insists(client: FlaskClient) -> None:
    """With include_contraindicated the documented 70 mg weekly are shown; the status and the reason stay."""
    answer = _ask(client, "alendronate", options={"include_contraindicated": True})
    assert answer["status"] == "contraindicated"
    assert "70 mg weekly" in _texts(answer)
    assert answer["findings"][0]["id"] == "oesophageal-emptying"


def test_alendronate_and_the_kidneys_stay_open_on_an_egfr(client: FlaskClient) -> None:
    """The label counts creatinine clearance: an eGFR of 28 does not answer, is shown, and creatinine is asked for."""
    answer = _ask(client, "alendronate")
    finding = _finding(answer, "creatinine-clearance-below-35")
    assert (finding["severity"], finding["verdict"]) == ("major", "possible")
    assert "eGFR is 28 mL/min/1.73 m²" in finding["summary"]
    assert _needs(answer, "creatinine-clearance-below-35") == ["patient.observations[2160-0]"]


def test_systemic_sclerosis_alone_warns_of_the_oesophagus(client: FlaskClient) -> None:
    """Without the dysmotility the dose is given, with the question that finds it."""
    answer = _ask(client, "alendronate", conditions=[{"system": _ICD10, "code": "M34.1"}])
    assert answer["status"] == "computed"
    assert _finding(answer, "systemic-sclerosis-oesophagus")["verdict"] == "applies"


# ---------------------------------------------------------------- diltiazem


def test_diltiazem_is_computed_and_the_apixaban_is_said(client: FlaskClient) -> None:
    """2 to 4 mg/kg daily at 60 kg; the interaction is the gravest thing that is known to apply."""
    answer = _ask(client, "diltiazem")
    assert answer["status"] == "computed"
    assert "120 to 240 mg daily" in _texts(answer)
    finding = _finding(answer, "interaction-B016")
    assert (
        finding["severity"],
        finding["verdict"],
        finding["because"],
    ) == ("major", "applies", ["patient.medications[0]"])
    assert "apixaban" in finding["summary"]
    applying = [item["id"] for item in answer["findings"] if item["verdict"] == "applies"]
    assert applying[0] == "interaction-B016"


def test_diltiazem_names_the_pressure_and_the_heart_as_not_known(client: FlaskClient) -> None:
    """Low pressure forbids it and a weak left ventricle speaks against it: both are asked for, neither assumed."""
    answer = _ask(client, "diltiazem")
    assert {"low-systolic-pressure": "contraindicated", "ejection-fraction-below-40": "major"}.items() <= _grades(
        answer, "possible"
    ).items()
    assert _needs(answer, "low-systolic-pressure") == ["patient.observations[8480-6]"]
    assert "patient.observations[10230-1]" in _needs(answer, "ejection-fraction-below-40")


# ---------------------------------------------------------------- aluminium hydroxide


def test_aluminium_and_the_kidneys_stay_open_on_an_egfr(client: FlaskClient) -> None:
    """An eGFR of 28 is close to the threshold of 30 mL/min and is still another quantity: possible, not silent."""
    answer = _ask(client, "aluminium-hydroxide")
    finding = _finding(answer, "creatinine-clearance-below-30")
    assert (finding["category"], finding["severity"], finding["verdict"]) == ("renal", "major", "possible")
    assert "eGFR is 28 mL/min/1.73 m²" in finding["summary"]
    assert _needs(answer, "creatinine-clearance-below-30") == ["patient.observations[2160-0]"]
    assert {"1.8, 2.24 or 2.4 g daily"} <= set(_texts(answer))


def test_creatinine_settles_the_kidneys(client: FlaskClient) -> None:
    """78 x 60 / (72 x 1.9) x 0.85 = 29.08 mL/min: the rule applies, and the answer says by which formula."""
    answer = _ask(client, "aluminium-hydroxide", observations=[_EGFR, _CREATININE])
    finding = _finding(answer, "creatinine-clearance-below-30")
    assert (finding["severity"], finding["verdict"]) == ("major", "applies")
    assert "29.08 mL/min, Cockcroft-Gault" in finding["summary"]
    assert finding["because"] == [
        "patient.observations[1]",
        "patient.age",
        "patient.weight",
        "patient.sex",
    ]
    assert _needs(answer, "creatinine-clearance-below-30") == []
    assert ("crcl", "Cockcroft-Gault") in {(item["kind"], item["method"]) for item in answer["renal_function"]}


def test_a_little_less_creatinine_is_on_the_other_side(client: FlaskClient) -> None:
    """At 1.8 mg/dL she has 30.69 mL/min, and at 166 umol/L 1.8778 mg/dL and 29.42: the bound is 30."""
    better = _CREATININE | {"value": 1.8}
    molar = {"code": "14682-9", "value": 166, "unit": "umol/L"}
    for result, verdict in ((better, None), (molar, "applies")):
        answer = _ask(client, "aluminium-hydroxide", observations=[result])
        found = [item for item in answer["findings"] if item["id"] == "creatinine-clearance-below-30"]
        assert [item["verdict"] for item in found] == ([verdict] if verdict else [])


# ---------------------------------------------------------------- warfarin


def test_warfarin_is_advised_against_and_doubles_the_anticoagulant(client: FlaskClient) -> None:
    """Two reasons, each said once: the evidence speaks against it, and she already takes apixaban."""
    answer = _ask(client, "warfarin")
    assert answer["status"] == "computed"
    assert {"interaction-B052": "major", "evidence-warfarin": "major"}.items() <= _grades(answer, "applies").items()
    assert "apixaban" in _finding(answer, "interaction-B052")["summary"]
    assert "should not be used" in _finding(answer, "evidence-warfarin")["summary"]


def test_warfarin_counts_her_age(client: FlaskClient) -> None:
    """From 60 years on the INR responds more."""
    finding = _finding(_ask(client, "warfarin"), "older-adult")
    assert (finding["severity"], finding["verdict"]) == ("moderate", "applies")
    assert "62 years" in finding["summary"]


# ---------------------------------------------------------------- all four


@pytest.mark.parametrize("agent", ["alendronate", "diltiazem", "aluminium-hydroxide", "warfarin"])
def test_every_answer_reads_from_the_worst_down_and_says_what_to_do(client: FlaskClient, agent: str) -> None:
    """Worst first, no id twice, one line each, with what to do and where it is written."""
    answer = _ask(client, agent)
    order = ["contraindicated", "major", "moderate", "minor", "info"]
    ranks = [order.index(item["severity"]) for item in answer["findings"]]
    assert ranks == sorted(ranks)
    ids = [item["id"] for item in answer["findings"]]
    assert len(set(ids)) == len(ids)
    for item in answer["findings"]:
        assert "\n" not in item["summary"]
        assert item["management"]
        assert item["references"]


@pytest.mark.parametrize("agent", ["alendronate", "diltiazem", "aluminium-hydroxide", "warfarin"])
def test_what_was_not_sent_is_asked_for(client: FlaskClient, agent: str) -> None:
    """Allergies were not sent: every one of the four drugs says so, and none assumes that there are none."""
    answer = _ask(client, agent)
    assert _finding(answer, "allergy")["verdict"] == "possible"
    assert "patient.allergies" in _needs(answer, "allergy")


@pytest.mark.parametrize("agent", ["alendronate", "diltiazem", "aluminium-hydroxide", "warfarin"])
def test_nothing_that_was_sent_is_dropped(client: FlaskClient, agent: str) -> None:
    """Her diagnoses, her drug and her eGFR are all known codes."""
    checks = {item["check"] for item in _ask(client, agent)["not_checked"]}
    assert not {"conditions", "drugs", "observations"} & checks
