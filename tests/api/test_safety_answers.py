"""POST /v1/dose-calculations: what an answer says can go wrong for this patient, and what it could not check."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from flask.testing import FlaskClient

Calculate = Callable[[Any], dict[str, Any]]

DOSES = "/v1/dose-calculations"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ATC = "http://www.whocc.no/atc"
SNOMED = "http://snomed.info/sct"
ICD = "http://hl7.org/fhir/sid/icd-10-cm"
LOINC = "http://loinc.org"

#: An adult of whom the usual is known, and nothing is wrong.
HEALTHY: dict[str, Any] = {
    "age": {"value": 50, "unit": "a"},
    "sex": "female",
    "weight": {"value": 70, "unit": "kg"},
    "height": {"value": 170, "unit": "cm"},
    "pregnant": False,
    "lactating": False,
    "conditions": [],
    "allergies": [],
    "medications": [],
    "observations": [],
}
ACHALASIA = {"system": ICD, "code": "K22.0"}
LUPUS = {"system": ICD, "code": "M32.9"}


def coded(system: str, code: str) -> dict[str, str]:
    """Return a coding of a request."""
    return {"system": system, "code": code}


def request(agent: str, changes: dict[str, Any] | None = None, **options: Any) -> dict[str, Any]:
    """Return a request about the healthy adult with some changes."""
    regimen = {"regimen": options.pop("regimen")} if "regimen" in options else {}
    body: dict[str, Any] = {"agent": agent, "patient": HEALTHY | (changes or {}), **regimen}
    return body | ({"options": options} if options else {})


def ids(answer: dict[str, Any]) -> list[str]:
    """Return the ids of the findings in their order."""
    return [item["id"] for item in answer["findings"]]


def finding(answer: dict[str, Any], id_: str) -> dict[str, Any]:
    """Return the one finding with this id."""
    (found,) = [item for item in answer["findings"] if item["id"] == id_]
    return dict(found)


# ---------------------------------------------------------------- contraindicated: the dose is withheld

# Agent, what is wrong with the patient, the finding, and where it stands.
FORBIDDEN: list[tuple[str, dict[str, Any], str, str]] = [
    ("alendronate", {"conditions": [ACHALASIA]}, "oesophageal-emptying", "label: achalasia"),
    ("methotrexate", {"pregnant": True}, "pregnancy", "label: pregnancy"),
    ("warfarin", {"pregnant": True}, "pregnancy", "label: pregnancy"),
    ("ceftriaxone", {"allergies": [coded(RXNORM, "2193")]}, "cephalosporin-allergy", "label: allergy"),
    ("diltiazem", {"conditions": ["sick-sinus-syndrome"]}, "sick-sinus-syndrome", "label: sick sinus syndrome"),
    ("diltiazem", {"medications": [coded(RXNORM, "1649480")]}, "interaction-B002", "ivabradine"),
    ("minocycline", {"conditions": [LUPUS]}, "lupus-uk", "British advice"),
]


@pytest.mark.parametrize(("agent", "changes", "id_", "why"), FORBIDDEN, ids=[f"{row[0]}-{row[2]}" for row in FORBIDDEN])
def test_contraindicated_dose_is_withheld(
    calculate: Calculate, agent: str, changes: dict[str, Any], id_: str, why: str
) -> None:
    """Dose, working and the doses of the alternatives are null or empty, and the reason is the first finding."""
    answer = calculate(request(agent, changes))

    assert answer["status"] == "contraindicated", why
    assert (answer["dose"], answer["derivation"]) == (None, [])
    assert all((item["dose"], item["derivation"]) == (None, []) for item in answer["alternatives"])
    first = answer["findings"][0]
    assert (first["id"], first["severity"], first["verdict"]) == (id_, "contraindicated", "applies")
    assert first["because"]
    assert first["management"]
    assert first["references"]


@pytest.mark.parametrize(("agent", "changes", "id_", "why"), FORBIDDEN, ids=[f"{row[0]}-{row[2]}" for row in FORBIDDEN])
def test_twin_without_the_reason_is_not_contraindicated(
    calculate: Calculate, agent: str, changes: dict[str, Any], id_: str, why: str
) -> None:
    """The same patient without the one thing that is wrong does not get the finding."""
    answer = calculate(request(agent))

    assert answer["status"] != "contraindicated", why
    assert id_ not in ids(answer)


def test_no_finding_repeats_the_withheld_dose(calculate: Calculate) -> None:
    """Disagreements about the dose, which repeat it in numbers, are left out with it."""
    answer = calculate(request("alendronate", {"conditions": [ACHALASIA]}))

    assert not {item["category"] for item in answer["findings"]} & {"disagreement", "dose-limit"}
    assert "70 mg" not in json.dumps(answer["findings"])


def test_caller_can_ask_for_the_contraindicated_dose(calculate: Calculate) -> None:
    """With include_contraindicated the dose is the one of the healthy twin; status and first finding stay."""
    healthy = calculate(request("alendronate"))
    answer = calculate(request("alendronate", {"conditions": [ACHALASIA]}, include_contraindicated=True))

    assert answer["status"] == "contraindicated"
    assert answer["findings"][0]["id"] == "oesophageal-emptying"
    assert answer["dose"] == healthy["dose"]
    assert answer["derivation"] == healthy["derivation"]
    assert answer["alternatives"] == healthy["alternatives"]


def test_possible_contraindication_withholds_nothing_and_stands_first(calculate: Calculate) -> None:
    """What is not known does not withhold the dose; it is said first, with the field that would settle it."""
    patient = {name: value for name, value in HEALTHY.items() if name != "conditions"}
    answer = calculate({"agent": "alendronate", "patient": patient})

    assert answer["status"] == "computed"
    found = finding(answer, "oesophageal-emptying")
    assert (found["severity"], found["verdict"], found["because"]) == (
        "contraindicated",
        "possible",
        ["patient.conditions"],
    )
    assert answer["findings"][0]["severity"] == "contraindicated"
    waiting = [item for item in answer["not_checked"] if "oesophageal-emptying" in item["why"]]
    assert [item["needs"] for item in waiting] == [["patient.conditions"]]


def test_finding_that_applies_stands_before_one_that_is_possible(calculate: Calculate) -> None:
    """Among equally grave findings the certain one comes first."""
    grades = [
        (item["severity"], item["verdict"])
        for item in calculate(request("methotrexate", {"pregnant": True}))["findings"]
    ]

    order = ["contraindicated", "major", "moderate", "minor", "info"]
    assert grades == sorted(grades, key=lambda grade: (order.index(grade[0]), grade[1] == "possible"))
    assert grades[0] == ("contraindicated", "applies")
    assert ("contraindicated", "possible") in grades


def test_because_names_the_entry_of_the_list(calculate: Calculate) -> None:
    """Among several diagnoses the finding names the one that decided."""
    answer = calculate(request("alendronate", {"conditions": ["raynaud-phenomenon", ACHALASIA]}))

    assert finding(answer, "oesophageal-emptying")["because"] == ["patient.conditions[1]"]


# ---------------------------------------------------------------- whose rule it is

CROHN = {"regimen": "label-crohn-adult"}
NYHA_IV = {"conditions": ["nyha-class-4"]}


@pytest.mark.parametrize(
    ("jurisdiction", "status", "first", "whose"),
    [
        (None, "contraindicated", "heart-failure-nyha-iii-iv", "EU rule"),
        ("EU", "contraindicated", "heart-failure-nyha-iii-iv", "EU rule"),
        ("US", "computed", "heart-failure-dose-up-to-5", "US rule"),
    ],
)
def test_infliximab_in_grave_heart_failure(
    calculate: Calculate, jurisdiction: str | None, status: str, first: str, whose: str
) -> None:
    """5 mg/kg in NYHA IV: forbidden in Europe, the upper bound in the USA; unasked, the stricter rule speaks."""
    options = {"jurisdiction": jurisdiction} if jurisdiction else {}
    answer = calculate(request("infliximab", NYHA_IV, **CROHN, **options))

    assert (answer["status"], answer["findings"][0]["id"]) == (status, first)
    assert whose in answer["findings"][0]["summary"]


@pytest.mark.parametrize(("jurisdiction", "other"), [("EU", "US rule"), ("US", "EU rule")])
def test_rule_of_another_region_is_left_out(calculate: Calculate, jurisdiction: str, other: str) -> None:
    """Who asks for one region hears nothing of another."""
    for agent, changes in (("infliximab", NYHA_IV), ("minocycline", {"conditions": [LUPUS]}), ("ivig", {})):
        answer = calculate(request(agent, changes, jurisdiction=jurisdiction))
        assert not [item["id"] for item in answer["findings"] if other in item["summary"]]


@pytest.mark.parametrize(
    ("jurisdiction", "expected"),
    [
        (None, {"live-vaccines-11-months": "US rule", "live-vaccines-3-months": "EU rule"}),
        ("US", {"live-vaccines-11-months": "US rule"}),
        ("EU", {"live-vaccines-3-months": "EU rule"}),
    ],
)
def test_wait_for_live_vaccines_after_immunoglobulin(
    calculate: Calculate, jurisdiction: str | None, expected: dict[str, str]
) -> None:
    """After 2 g/kg: 11 months in the USA, 3 months in Europe; unasked both are said, the longer first, with whose."""
    options = {"jurisdiction": jurisdiction} if jurisdiction else {}
    answer = calculate(request("ivig", **options))
    vaccines = [item for item in answer["findings"] if item["category"] == "vaccine"]

    assert [item["id"] for item in vaccines] == list(expected)
    assert all(whose in item["summary"] for item, whose in zip(vaccines, expected.values(), strict=True))


@pytest.mark.parametrize(
    ("jurisdiction", "status"), [(None, "contraindicated"), ("UK", "contraindicated"), ("US", "computed")]
)
def test_minocycline_in_lupus(calculate: Calculate, jurisdiction: str | None, status: str) -> None:
    """British advice forbids minocycline in lupus; elsewhere it is to be avoided, which stays major."""
    options = {"jurisdiction": jurisdiction} if jurisdiction else {}
    answer = calculate(request("minocycline", {"conditions": [LUPUS]}, **options))

    assert answer["status"] == status
    assert ("lupus-uk" in ids(answer)) == (status == "contraindicated")
    if status == "computed":
        assert finding(answer, "lupus")["severity"] == "major"
    else:
        assert "UK rule" in answer["findings"][0]["summary"]


@pytest.mark.parametrize("jurisdiction", [None, "US", "FR"])
def test_simvastatin_with_diltiazem(calculate: Calculate, jurisdiction: str | None) -> None:
    """2 to 4 mg/kg come to 280 mg for 70 kg, above the 240 mg of the US cap; both regions' caps are named."""
    options = {"jurisdiction": jurisdiction} if jurisdiction else {}
    answer = calculate(request("diltiazem", {"medications": [coded(RXNORM, "36567")]}, **options))
    found = finding(answer, "interaction-B008")

    assert (found["severity"], found["verdict"], found["because"]) == ("major", "applies", ["patient.medications[0]"])
    assert "280 mg" in found["summary"]
    for words in ("USA", "simvastatin 10 mg", "diltiazem 240 mg", "France", "simvastatin 20 mg"):
        assert words in found["management"]


def test_below_the_cap_the_dose_is_not_said_to_pass_it(calculate: Calculate) -> None:
    """The twin of 50 kg gets at most 200 mg, below 240 mg: the pair is still major, without a number that passes."""
    patient = {"weight": {"value": 50, "unit": "kg"}, "medications": [coded(RXNORM, "36567")]}
    found = finding(calculate(request("diltiazem", patient)), "interaction-B008")

    assert found["severity"] == "major"
    assert "200 mg" not in found["summary"]


@pytest.mark.parametrize(
    ("jurisdiction", "status", "row", "severity"),
    [
        (None, "contraindicated", "interaction-B032", "contraindicated"),
        ("FR", "contraindicated", "interaction-B032", "contraindicated"),
        ("US", "computed", "interaction-B033", "moderate"),
        ("EU", "computed", "interaction-B033", "moderate"),
    ],
)
def test_nifedipine_with_diltiazem(
    calculate: Calculate, jurisdiction: str | None, status: str, row: str, severity: str
) -> None:
    """The French row forbids the pair; where it is not in force, the row about its class speaks in its place."""
    options = {"jurisdiction": jurisdiction} if jurisdiction else {}
    answer = calculate(request("diltiazem", {"medications": [coded(ATC, "C08CA05")]}, **options))

    assert answer["status"] == status
    assert finding(answer, row)["severity"] == severity
    assert len([id_ for id_ in ids(answer) if id_.startswith("interaction-")]) == 1


def test_european_rules_hold_in_france(calculate: Calculate) -> None:
    """Baricitinib in pregnancy, a contraindication of the European text, is one for a French caller."""
    pregnant = {"pregnant": True}

    statuses = {
        region: calculate(request("baricitinib", pregnant, jurisdiction=region))["status"] for region in ("EU", "FR")
    }
    assert statuses == {"EU": "contraindicated", "FR": "contraindicated"}


# ---------------------------------------------------------------- renal function

CREATININE = {"code": "2160-0", "value": 2.5, "unit": "mg/dL"}


def test_clearance_says_formula_and_inputs(calculate: Calculate) -> None:
    """Cockcroft-Gault by hand: (140 - 50) x 70 / (72 x 2.5) x 0.85 = 29.75 mL/min for a woman."""
    answer = calculate(request("alendronate", {"observations": [CREATININE]}))
    (used,) = answer["renal_function"]

    assert (used["kind"], used["value"], used["unit"]) == ("crcl", Decimal("29.75"), "mL/min")
    assert used["method"] == "Cockcroft-Gault"
    inputs = ["patient.observations[0]", "patient.age", "patient.weight", "patient.sex"]
    assert used["because"] == inputs
    assert set(used["references"]) <= set(answer["references"])
    found = finding(answer, "creatinine-clearance-below-35")
    assert (found["severity"], found["verdict"], found["because"]) == ("major", "applies", inputs)
    assert "29.75 mL/min" in found["summary"]


def test_estimated_gfr_says_formula_and_inputs(calculate: Calculate) -> None:
    """CKD-EPI 2021 by hand, woman of 50, 1 mg/dL: 142 x (1/0.7)^-1.2 x 0.9938^50 x 1.012 = 68.6."""
    one = CREATININE | {"value": 1}
    (used,) = calculate(request("etidronate", {"observations": [one]}))["renal_function"]

    assert (used["kind"], used["method"], used["unit"]) == ("egfr", "CKD-EPI 2021", "mL/min/{1.73_m2}")
    assert abs(used["value"] - Decimal("68.6")) < Decimal("0.1")
    assert used["because"] == ["patient.observations[0]", "patient.age", "patient.sex"]


def test_child_is_estimated_by_its_height(calculate: Calculate) -> None:
    """Bedside Schwartz by hand: 0.413 x 128 cm / 0.5 mg/dL = 105.728."""
    child = {
        "age": {"value": 9, "unit": "a"},
        "weight": {"value": 25, "unit": "kg"},
        "height": {"value": 128, "unit": "cm"},
        "observations": [{"code": "2160-0", "value": 0.5, "unit": "mg/dL"}],
    }
    (used,) = calculate(request("etidronate", child))["renal_function"]

    assert (used["method"], used["value"]) == ("bedside Schwartz", Decimal("105.728"))
    assert "patient.height" in used["because"]


def test_reported_clearance_goes_before_a_computed_one(calculate: Calculate) -> None:
    """What the laboratory measured is used as it is, and said to be reported."""
    measured = {"code": "2164-2", "value": 34, "unit": "mL/min"}
    answer = calculate(request("alendronate", {"observations": [CREATININE | {"value": 0.7}, measured]}))
    (used,) = answer["renal_function"]

    assert (used["value"], used["method"], used["because"]) == (34, "as reported", ["patient.observations[1]"])
    assert finding(answer, "creatinine-clearance-below-35")["verdict"] == "applies"


def test_estimated_gfr_does_not_stand_in_for_a_clearance(calculate: Calculate) -> None:
    """A rule on creatinine clearance stays open when only an eGFR is known, and shows that figure to the reader."""
    reported = {"code": "33914-3", "value": 34, "unit": "mL/min/{1.73_m2}"}
    found = finding(calculate(request("alendronate", {"observations": [reported]})), "creatinine-clearance-below-35")

    assert found["verdict"] == "possible"
    assert "eGFR is 34" in found["summary"]


def test_creatinine_counts_the_same_in_micromoles(calculate: Calculate) -> None:
    """221 umol/L is 2.5 mg/dL: the same verdict with the same clearance to within a thousandth."""
    micromoles = {"code": "14682-9", "value": 221, "unit": "umol/L"}
    answer = calculate(request("alendronate", {"observations": [micromoles]}))

    assert finding(answer, "creatinine-clearance-below-35")["verdict"] == "applies"
    assert abs(answer["renal_function"][0]["value"] - Decimal("29.75")) < Decimal("0.01")


@pytest.mark.parametrize(
    ("measured_on", "as_of", "verdict", "why"),
    [
        ("2025-11-21", "2026-11-21", None, "365 days old, and normal"),
        ("2025-11-20", "2026-11-21", "possible", "366 days old: what it is today is not known"),
        ("2016-05-01", "2026-11-21", "possible", "ten years old"),
        ("2016-05-01", None, "possible", "today is the day where none is sent"),
        (None, "2026-11-21", None, "nobody said from which day"),
    ],
)
def test_old_result_rules_nothing_out(
    calculate: Calculate, measured_on: str | None, as_of: str | None, verdict: str | None, why: str
) -> None:
    """Creatinine of 0.9 mg/dL is far from the limit of alendronate; a year later it settles nothing."""
    result = {"code": "2160-0", "value": 0.9, "unit": "mg/dL", "measured_on": measured_on}
    sent = {name: value for name, value in result.items() if value is not None}
    answer = calculate(request("alendronate", {"observations": [sent]}) | ({"as_of": as_of} if as_of else {}))
    found = [item for item in answer["findings"] if item["id"] == "creatinine-clearance-below-35"]

    assert [item["verdict"] for item in found] == ([verdict] if verdict else []), why
    assert all(f"the result of {measured_on} is too old to rule it out" in item["summary"] for item in found)
    assert ("patient.observations[2160-0]" in unchecked(answer, "safety-rules")) is bool(verdict)


def test_old_result_still_warns_and_names_its_day(calculate: Calculate) -> None:
    """A creatinine of 2.5 mg/dL is a warning, whatever its age; the reader must see from when it is."""
    result = {"code": "2160-0", "value": 2.5, "unit": "mg/dL", "measured_on": "2019-03-04"}
    answer = calculate(request("alendronate", {"observations": [result]}) | {"as_of": "2026-11-21"})
    found = finding(answer, "creatinine-clearance-below-35")

    assert found["verdict"] == "applies"
    assert "measured on 2019-03-04" in found["summary"]


@pytest.mark.parametrize(
    ("code", "value", "unit"),
    [("2160-0", 2.5, "mg/dl"), ("14682-9", 221, "umol/l"), ("2160-0", 25, "mg/l")],
)
def test_litre_has_two_signs_in_ucum(calculate: Calculate, code: str, value: float, unit: str) -> None:
    """A small l is as legal as a capital one: creatinine of 2.5 mg/dL in other letters."""
    result = {"code": code, "value": value, "unit": unit}
    answer = calculate(request("alendronate", {"observations": [result]}))

    assert finding(answer, "creatinine-clearance-below-35")["verdict"] == "applies"


@pytest.mark.parametrize("missing", ["age", "sex", "weight"])
def test_clearance_without_an_input_is_not_guessed(calculate: Calculate, missing: str) -> None:
    """Without age, sex or weight there is no clearance; not_checked names the field."""
    patient = {name: value for name, value in HEALTHY.items() if name != missing} | {"observations": [CREATININE]}
    answer = calculate({"agent": "alendronate", "patient": patient})

    assert [item for item in answer["renal_function"] if item["kind"] == "crcl"] == []
    waiting = [item["needs"] for item in answer["not_checked"] if "creatinine-clearance-below-35" in item["why"]]
    assert waiting == [[f"patient.{missing}"]]


# ---------------------------------------------------------------- what belongs to every dose


@pytest.mark.parametrize(
    "body",
    [
        request("pamidronate"),
        request("alendronate", {"conditions": [ACHALASIA]}),
        request("methotrexate"),
        request("warfarin", {"age": {"value": 6, "unit": "a"}}),
    ],
    ids=["computed", "contraindicated", "choose-regimen", "no-documented-dose"],
)
def test_what_to_watch_belongs_to_every_answer(calculate: Calculate, body: Any) -> None:
    """Adverse effects, advice and the monitoring plan come with every status, each cited in the same answer."""
    answer = calculate(body)

    for part in ("adverse_effects", "advice", "monitoring"):
        assert answer[part], part
        for item in answer[part]:
            assert item["references"], part
            assert set(item["references"]) <= set(answer["references"]), part


def cited(node: Any) -> Iterator[str]:
    """Yield every citation inside an answer."""
    if isinstance(node, dict):
        yield from node.get("references", ()) if isinstance(node.get("references"), list) else ()
        for value in node.values():
            yield from cited(value)
    elif isinstance(node, list):
        for value in node:
            yield from cited(value)


@pytest.mark.parametrize(("agent", "changes", "id_", "why"), FORBIDDEN, ids=[f"{row[0]}-{row[2]}" for row in FORBIDDEN])
def test_every_citation_resolves_inside_the_answer(
    calculate: Calculate, agent: str, changes: dict[str, Any], id_: str, why: str
) -> None:
    """Findings of rules and interactions cite what the answer explains."""
    answer = calculate(request(agent, changes | {"observations": [CREATININE]}))
    references = answer.pop("references")

    assert set(cited(answer)) <= set(references)


# ---------------------------------------------------------------- unknown is not none


def unchecked(answer: dict[str, Any], check: str) -> list[str]:
    """Return the fields that one kind of entry under not_checked names."""
    return [path for item in answer["not_checked"] if item["check"] == check for path in item["needs"]]


# List of the patient, an entry that nothing knows, check, and why the row is here.
UNKNOWN = [
    ("conditions", coded(ICD, "Z99.9"), "conditions", "a diagnosis that no rule asks about"),
    ("conditions", coded(SNOMED, "1"), "conditions", "a SNOMED CT code that nothing knows"),
    ("conditions", coded(RXNORM, "3443"), "conditions", "a drug among the diagnoses"),
    ("conditions", coded(LOINC, "2160-0"), "conditions", "a laboratory code among the diagnoses"),
    ("conditions", "achalasia", "conditions", "nearly an id"),
    ("medications", coded(RXNORM, "999999999"), "drugs", "an RxNorm code that nothing knows"),
    ("medications", coded(ATC, "L04A"), "drugs", "a class, which is matched only as far as it goes"),
    ("medications", coded(ATC, "l04ax03"), "drugs", "an ATC code in small letters, which matches nothing"),
    ("medications", coded(ICD, "K22.0"), "drugs", "a diagnosis among the drugs"),
    ("medications", "simvastatn", "drugs", "a slip"),
    ("allergies", coded(SNOMED, "5"), "drugs", "an allergen that nothing knows"),
    ("allergies", "pollen", "drugs", "a word"),
    ("observations", {"code": "9-9", "value": 1, "unit": "mg/dL"}, "observations", "an unknown LOINC code"),
    ("observations", {"code": "2160-0", "value": 1, "unit": "mmol"}, "observations", "an unknown unit"),
    ("observations", {"code": "2160-0", "value": 90, "unit": "umol/L"}, "observations", "a unit of another code"),
    ("observations", {"code": "2777-1", "value": 0.8, "unit": "mmol/L"}, "observations", "phosphate by mass, in moles"),
    (
        "observations",
        {"code": "2160-0", "value": 1, "unit": "MG/DL"},
        "observations",
        "written for people, not in UCUM",
    ),
]


@pytest.mark.parametrize(("field", "entry", "check", "why"), UNKNOWN)
def test_code_that_nothing_knows_is_listed(calculate: Calculate, field: str, entry: Any, check: str, why: str) -> None:
    """What could not be considered is named by its place and never dropped."""
    answer = calculate(request("alendronate", {field: [entry]}))

    assert unchecked(answer, check) == [f"patient.{field}[0]"], why


@pytest.mark.parametrize(
    ("field", "entry", "check"),
    [
        ("conditions", ACHALASIA, "conditions"),
        ("conditions", "raynaud-phenomenon", "conditions"),
        ("medications", coded(RXNORM, "36567"), "drugs"),
        ("medications", coded(ATC, "C10AA01"), "drugs"),
        ("medications", "warfarin", "drugs"),
        ("allergies", coded(RXNORM, "2193"), "drugs"),
        ("observations", CREATININE, "observations"),
    ],
)
def test_known_code_is_not_listed(calculate: Calculate, field: str, entry: Any, check: str) -> None:
    """The list holds what is unknown and nothing else."""
    assert unchecked(calculate(request("diltiazem", {field: [entry]})), check) == []


def test_place_of_an_unknown_code_is_exact(calculate: Calculate) -> None:
    """Between known entries the unknown one is named by its own index."""
    drugs = [coded(RXNORM, "36567"), coded(RXNORM, "999999999"), "warfarin"]

    assert unchecked(calculate(request("diltiazem", {"medications": drugs})), "drugs") == ["patient.medications[1]"]


def test_no_list_of_medication_is_not_an_empty_one(calculate: Calculate) -> None:
    """Without a list no interaction was checked, and the answer says so; with [] there is nothing to check."""
    absent = calculate({"agent": "diltiazem", "patient": {k: v for k, v in HEALTHY.items() if k != "medications"}})
    empty = calculate(request("diltiazem"))

    assert unchecked(absent, "interactions") == ["patient.medications"]
    assert unchecked(empty, "interactions") == []


@pytest.mark.parametrize("field", ["conditions", "allergies", "medications", "pregnant", "lactating"])
def test_each_unknown_of_the_patient_is_named(calculate: Calculate, field: str) -> None:
    """A field that is left out leaves some rule of methotrexate open, and not_checked names it."""
    patient = {name: value for name, value in HEALTHY.items() if name != field}

    missing = [
        path
        for item in calculate({"agent": "methotrexate", "patient": patient})["not_checked"]
        for path in item["needs"]
    ]
    known = [path for item in calculate(request("methotrexate"))["not_checked"] for path in item["needs"]]
    assert f"patient.{field}" in missing
    assert f"patient.{field}" not in known


def test_man_is_not_asked_about_pregnancy(calculate: Calculate) -> None:
    """Of a man neither pregnancy nor lactation is unknown."""
    patient = {name: value for name, value in HEALTHY.items() if name not in {"pregnant", "lactating"}}
    answer = calculate({"agent": "methotrexate", "patient": patient | {"sex": "male"}})

    needs = {path for item in answer["not_checked"] for path in item["needs"]}
    assert not needs & {"patient.pregnant", "patient.lactating"}


def test_a_pregnancy_that_was_diagnosed_is_named_with_its_place(calculate: Calculate) -> None:
    """Where ``pregnant`` is left out, the diagnosis says so, of a man too; it is no longer missing."""
    diagnosed = [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "Z33.1"}]
    patient = {name: value for name, value in HEALTHY.items() if name != "pregnant"} | {"conditions": diagnosed}
    for sex in ("female", "male"):
        answer = calculate({"agent": "methotrexate", "patient": patient | {"sex": sex}})
        (found,) = [item for item in answer["findings"] if item["id"] == "pregnancy"]
        assert (found["verdict"], found["because"]) == ("applies", ["patient.conditions[0]"])
        assert "patient.pregnant" not in {path for item in answer["not_checked"] for path in item["needs"]}


# ---------------------------------------------------------------- the day of the answer

DATED = {"observations": [CREATININE | {"measured_on": "2026-11-10"}]}


def test_day_is_echoed_when_a_result_is_dated(calculate: Calculate) -> None:
    """The age of a result depends on the day, so the day that was used stands in the answer."""
    before = datetime.now(UTC).date().isoformat()
    answer = calculate(request("alendronate", DATED))
    after = datetime.now(UTC).date().isoformat()

    assert before <= answer["as_of"] <= after


def test_day_that_was_asked_for_is_used(calculate: Calculate) -> None:
    """``as_of`` of the request is echoed as it is."""
    assert calculate(request("alendronate", DATED) | {"as_of": "2026-11-12"})["as_of"] == "2026-11-12"


def test_without_a_date_no_clock_is_looked_at(calculate: Calculate) -> None:
    """An undated result depends on no day, so the same request gives the same answer for ever."""
    assert calculate(request("alendronate", {"observations": [CREATININE]}))["as_of"] is None


def test_same_patient_gives_the_same_bytes(client: FlaskClient) -> None:
    """Findings, their order and everything else depend on the request and the knowledge alone."""
    body = request("diltiazem", {"conditions": [LUPUS], "medications": [coded(ATC, "C08CA05"), coded(RXNORM, "36567")]})

    assert len({client.post(DOSES, json=body).get_data() for _ in range(3)}) == 1
