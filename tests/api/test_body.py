"""POST /v1/dose-calculations: body measures, the weight a dose uses and why, and sizes that are more likely a slip."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from flask.testing import FlaskClient

Calculate = Callable[[Any], dict[str, Any]]
Refuse = Callable[[Any], list[tuple[int, str, str]]]

AS_OF = "2026-11-21"
#: 375 mg/m² of rituximab for an adult.
_PER_AREA = "calcinosis-crest-report"
#: A man of 175 cm: ideal weight 50 + 2.3 x 22.6/2.54 = 70.4646 kg.
MAN: dict[str, Any] = {
    "age": {"value": 50, "unit": "a"},
    "sex": "male",
    "weight": {"value": 100, "unit": "kg", "measured_on": AS_OF},
    "height": {"value": 175, "unit": "cm"},
}
CHILD: dict[str, Any] = {"age": {"value": 9, "unit": "a"}, "weight": {"value": 25, "unit": "kg"}}


def kg(value: Any, **more: Any) -> dict[str, Any]:
    """Return a weight in kilograms."""
    return {"value": value, "unit": "kg"} | more


def asked(agent: str, patient: dict[str, Any], **rest: Any) -> dict[str, Any]:
    """Return a request on a fixed day."""
    return {"agent": agent, "patient": patient, "as_of": AS_OF} | rest


def plausibility(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the findings about the patient's size."""
    return [item for item in answer["findings"] if item["category"] == "plausibility"]


def needs(answer: dict[str, Any], check: str) -> list[list[str]]:
    """Return the fields that would settle a check that did not run."""
    return [item["needs"] for item in answer["not_checked"] if item["check"] == check]


# ---------------------------------------------------------------- sizes that are more likely a slip


@pytest.mark.parametrize("patient", [MAN | {"weight": kg(544)}, {"weight": kg(544)}, CHILD | {"weight": kg(544)}])
def test_544_kg_is_a_major_finding_that_names_54_4_kg(patient: dict[str, Any], calculate: Calculate) -> None:
    """What a person can weigh, and hardly ever does, is answered and stands among the findings with the likely slip."""
    (found,) = plausibility(calculate(asked("diltiazem", patient)))

    assert (found["id"], found["severity"], found["verdict"]) == ("weight-implausible", "major", "applies")
    assert "54.4 kg (a tenth)" in found["summary"]
    assert "patient.weight" in found["because"]


def test_a_finding_of_size_cites_what_the_answer_lists(calculate: Calculate) -> None:
    """The references of a plausibility finding stand in the answer's own list of references."""
    answer = calculate(asked("diltiazem", MAN | {"weight": kg(544)}))
    (found,) = plausibility(answer)
    assert set(found["references"]) <= set(answer["references"])
    assert "chan-raffa-2017" in found["references"]


@pytest.mark.parametrize(
    ("agent", "status"),
    [("diltiazem", "computed"), ("alendronate", "no-documented-dose"), ("curettage", "no-documented-dose")],
)
def test_the_finding_stands_in_every_status(agent: str, status: str, calculate: Calculate) -> None:
    """A weight is questioned whether or not a dose comes of it."""
    answer = calculate(asked(agent, CHILD | {"weight": kg(254)}))
    assert status == answer["status"]
    assert [item["id"] for item in plausibility(answer)] == ["weight-implausible"]


def test_the_finding_stands_in_a_contraindicated_answer(calculate: Calculate) -> None:
    """A withheld dose does not hide that the weight is a slip."""
    achalasia = {"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "K22.0"}
    answer = calculate(asked("alendronate", MAN | {"weight": kg(544), "conditions": [achalasia]}))
    assert answer["status"] == "contraindicated"
    assert [item["id"] for item in plausibility(answer)] == ["weight-implausible"]


def test_treatment_options_question_the_weight_too(client: FlaskClient) -> None:
    """Each option that is offered carries the finding."""
    body = {"presentation": {"lesion_size": "large"}, "patient": CHILD | {"weight": kg(254)}}
    options = client.post("/v1/treatment-options", json=body).get_json()["options"]
    assert options
    assert all("weight-implausible" in [item["id"] for item in option["findings"]] for option in options)


def test_an_ordinary_child_is_not_questioned(calculate: Calculate) -> None:
    """With a dated weight and the sex nothing is found and nothing is left open about the size."""
    patient = CHILD | {"sex": "female", "weight": kg(25, measured_on=AS_OF), "height": {"value": 128, "unit": "cm"}}
    answer = calculate(asked("diltiazem", patient))
    assert plausibility(answer) == []
    assert not {"size-for-age", "weight-date", "weight-jump"} & {item["check"] for item in answer["not_checked"]}


@pytest.mark.parametrize(
    ("patient", "check", "field", "why"),
    [
        ({"weight": kg(70)}, "size-for-age", "patient.age", "limits depend on the age"),
        ({"height": {"value": 170, "unit": "cm"}}, "size-for-age", "patient.age", "so do those of the height"),
        (MAN | {"sex": None, "weight": kg(200)}, "size-for-age", "patient.sex", "200 kg: 196 for women, 202 for men"),
        (CHILD, "weight-date", "patient.weight.measured_on", "how old is it"),
        ({"weight": kg(70, measured_on="2026-06-01")}, "weight-date", "patient.age", "too old for a child alone"),
        ({"previous_weight": kg(70)}, "weight-jump", "patient.weight", "nothing to compare with"),
        (
            CHILD | {"previous_weight": kg(24)},
            "weight-jump",
            "patient.previous_weight.measured_on",
            "growth since when",
        ),
        (
            {"weight": kg(70), "previous_weight": kg(60, measured_on="2026-06-01")},
            "weight-jump",
            "patient.age",
            "what growth explains depends on the age",
        ),
    ],
)
def test_a_check_that_lacks_an_input_names_it(
    patient: dict[str, Any], check: str, field: str, why: str, calculate: Calculate
) -> None:
    """Unknown is not "plausible": the field that would settle it stands under ``not_checked``."""
    given = {name: value for name, value in patient.items() if value is not None}
    assert [field] in needs(calculate(asked("alendronate", given)), check), why


def test_a_weight_of_years_ago_is_stale_at_any_age(calculate: Calculate) -> None:
    """Beyond a year no age is needed to say so."""
    answer = calculate(asked("alendronate", {"weight": kg(70, measured_on="2024-06-01")}))
    assert [item["id"] for item in plausibility(answer)] == ["weight-stale"]
    assert needs(answer, "weight-date") == []


def test_without_as_of_todays_date_counts_and_is_echoed(calculate: Calculate) -> None:
    """A dated weight makes the answer depend on the day, so the day is said."""
    answer = calculate({"agent": "diltiazem", "patient": CHILD | {"weight": kg(25, measured_on="2020-01-01")}})
    assert answer["as_of"] is not None
    assert [item["id"] for item in plausibility(answer)] == ["weight-stale"]


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("patient", "pointer", "code", "why"),
    [
        (CHILD | {"weight": kg(1544)}, "/patient/weight/value", "out-of-bounds", "heavier than anyone ever was"),
        (CHILD | {"weight": kg(0.199)}, "/patient/weight/value", "out-of-bounds", "lighter than any who lived"),
        (CHILD | {"previous_weight": kg(1544)}, "/patient/previous_weight/value", "out-of-bounds", "earlier too"),
        (CHILD | {"height": {"value": 1.28, "unit": "cm"}}, "/patient/height/value", "out-of-bounds", "metres as cm"),
        (CHILD | {"height": {"value": 19.9, "unit": "cm"}}, "/patient/height/value", "out-of-bounds", "below 20 cm"),
        (CHILD | {"height": {"value": 3.01, "unit": "m"}}, "/patient/height/value", "out-of-bounds", "above 300 cm"),
        (
            CHILD | {"weight": kg(25, measured_on="2026-11-23")},
            "/patient/weight/measured_on",
            "future-date",
            "two days ahead of as_of",
        ),
        (
            CHILD | {"height": {"value": 128, "unit": "cm", "measured_on": "2027-01-01"}},
            "/patient/height/measured_on",
            "future-date",
            "a height of next year",
        ),
        (
            CHILD | {"previous_weight": kg(24, measured_on="2027-01-01")},
            "/patient/previous_weight/measured_on",
            "future-date",
            "an earlier weight of next year",
        ),
        (
            CHILD
            | {
                "observations": [
                    {"code": "2160-0", "value": 0.5, "unit": "mg/dL", "measured_on": AS_OF},
                    {"code": "2160-0", "value": 0.5, "unit": "mg/dL", "measured_on": "2027-01-01"},
                ]
            },
            "/patient/observations/1/measured_on",
            "future-date",
            "the second result is of next year",
        ),
        (
            {"birth_date": "2017-03-04", "weight": kg(25, measured_on="2017-03-03")},
            "/patient/weight/measured_on",
            "before-birth",
            "weighed the day before birth",
        ),
        (
            CHILD | {"weight": kg(25, measured_on="yesterday")},
            "/patient/weight/measured_on",
            "not-a-date",
            "a word is no day",
        ),
        (
            CHILD | {"gestational_age": {"value": 28, "unit": "wk"}},
            "/patient/gestational_age",
            "gestational-age-not-covered",
            "no regimen is documented by it",
        ),
        (
            CHILD | {"gestational_age": {"value": 28, "unit": "a"}},
            "/patient/gestational_age/unit",
            "unit-not-accepted",
            "nobody is carried for years",
        ),
        (CHILD | {"weight": kg(25, method="guessed")}, "/patient/weight/method", "not-a-choice", "a word not known"),
    ],
)
def test_what_no_patient_can_have_is_refused(
    patient: dict[str, Any], pointer: str, code: str, why: str, refuse: Refuse
) -> None:
    """An impossible value is a 422 at its place, never a finding."""
    assert [(422, pointer, code)] == refuse(asked("diltiazem", patient)), why


@pytest.mark.parametrize("patient", [{"weight": kg(0.2)}, {"weight": kg(1000)}, {"weight": kg(25, measured_on=AS_OF)}])
def test_the_bounds_themselves_are_accepted(patient: dict[str, Any], calculate: Calculate) -> None:
    """0.2 kg and 1000 kg are read, and so is a weight of the day itself."""
    assert calculate(asked("diltiazem", CHILD | patient))["status"] == "computed"


def test_tomorrow_is_accepted_for_the_sake_of_time_zones(calculate: Calculate) -> None:
    """Where the patient is it may be tomorrow already."""
    patient = CHILD | {"weight": kg(25, measured_on="2026-11-22")}
    assert plausibility(calculate(asked("diltiazem", patient))) == []


def test_every_future_date_is_named_at_once(refuse: Refuse) -> None:
    """A client mends all of them in one go."""
    later = "2027-01-01"
    patient = CHILD | {
        "weight": kg(25, measured_on=later),
        "height": {"value": 128, "unit": "cm", "measured_on": later},
        "observations": [{"code": "2160-0", "value": 0.5, "unit": "mg/dL", "measured_on": later}],
    }
    named = {pointer for _, pointer, _ in refuse(asked("diltiazem", patient))}
    assert named == {
        "/patient/weight/measured_on",
        "/patient/height/measured_on",
        "/patient/observations/0/measured_on",
    }


def test_treatment_options_refuse_a_gestational_age_too(client: FlaskClient) -> None:
    """The patient is read in one place for every question."""
    body = {"presentation": {}, "patient": {"gestational_age": {"value": 200, "unit": "d"}}}
    answer = client.post("/v1/treatment-options", json=body)
    assert (answer.status_code, answer.get_json()["errors"][0]["code"]) == (422, "gestational-age-not-covered")


# ---------------------------------------------------------------- body measures


@pytest.mark.parametrize(
    ("formula", "area", "name", "reference"),
    [
        ("mosteller", "2.0380", "√(178 cm × 84 kg ÷ 3600)", "mosteller-1987"),
        ("dubois", "2.0218", "Du Bois: 0.007184 × (178 cm)^0.725 × (84 kg)^0.425", "du-bois-1916"),
        ("haycock", "2.0508", "Haycock: 0.024265 × (178 cm)^0.3964 × (84 kg)^0.5378", "haycock-1978"),
        ("gehan-george", "2.0509", "Gehan-George: 0.0235 × (178 cm)^0.42246 × (84 kg)^0.51456", "gehan-george-1970"),
        (
            "boyd",
            "2.0544",
            "Boyd: 0.0003207 × (178 cm)^0.3 × (84000 g)^(0.7285 - 0.0188 × log10(84000))",
            "boyd-1935",
        ),
    ],
)
def test_the_formula_asked_for_makes_the_dose(
    formula: str, area: str, name: str, reference: str, calculate: Calculate
) -> None:
    """Dose, working and body measures use the formula; areas are those of a published comparison (calcdragon.com)."""
    patient = MAN | {"weight": kg(84, measured_on=AS_OF), "height": {"value": 178, "unit": "cm"}}
    options = {"body_surface_area_formula": formula}
    answer = calculate(
        asked("rituximab", patient, regimen=_PER_AREA, options=options | {"include_outside_population": True})
    )
    dose, measured = answer["dose"], answer["body_measures"]["body_surface_area"]

    assert Decimal(area) == dose["body_surface_area"]["value"] == measured["value"]
    assert name in [line["expression"] for line in answer["derivation"]]
    assert [reference] == measured["references"]
    assert reference in answer["references"]
    assert dose["amounts"][0]["low"] == 375 * Decimal(area)


def test_an_unknown_formula_is_refused(refuse: Refuse) -> None:
    """The list of formulas is closed."""
    request = asked("diltiazem", CHILD, options={"body_surface_area_formula": "fujimoto"})
    assert refuse(request) == [(422, "/options/body_surface_area_formula", "not-a-choice")]


def test_body_measures_of_a_man(calculate: Calculate) -> None:
    """100 kg and 175 cm: BMI 100/3.0625; ideal 70.4646; adjusted + 0.4 x 29.5354 = 82.2787; lean 927000/13733.06."""
    measures = calculate(asked("diltiazem", MAN))["body_measures"]
    expected = {
        "body_mass_index": ("32.65306", "kg/m2"),
        "body_surface_area": ("2.20480", "m2"),
        "ideal_weight": ("70.46457", "kg"),
        "adjusted_weight": ("82.27874", "kg"),
        "lean_weight": ("67.50134", "kg"),
    }
    assert expected == {
        name: (str(round(Decimal(measures[name]["value"]), 5)), measures[name]["unit"]) for name in expected
    }
    assert all(measures[name]["verified"] and measures[name]["references"] for name in expected)
    assert {"years": 50, "months": 600, "days": Decimal("18262.5")} == measures["age"]


def test_age_from_a_birth_date_is_in_days_months_and_years(calculate: Calculate) -> None:
    """Born on 4 March 2017: on 21 November 2026 it is 9 years and 262 of 365 days, 116 months and 17 of 30 days,
    3,549 days.
    """
    answer = calculate(asked("diltiazem", {"birth_date": "2017-03-04", "weight": kg(25)}))
    age = {name: round(Decimal(value), 6) for name, value in answer["body_measures"]["age"].items()}
    assert age == {"years": Decimal("9.717808"), "months": Decimal("116.566667"), "days": 3549}


def test_measures_that_lack_an_input_are_null(calculate: Calculate) -> None:
    """Nothing known gives no measure; a child has no ideal and no lean weight."""
    nothing = calculate(asked("alendronate", {}))["body_measures"]
    child = calculate(asked("diltiazem", CHILD | {"sex": "female", "height": {"value": 128, "unit": "cm"}}))
    assert set(nothing.values()) == {None}
    assert {name for name, value in child["body_measures"].items() if value is None} == {
        *("ideal_weight", "adjusted_weight", "lean_weight")
    }


# ---------------------------------------------------------------- which weight, and why


def test_immunoglobulin_shows_other_weights_beside_the_actual_above_a_bmi_of_30(calculate: Calculate) -> None:
    """2 g/kg: 200 g by 100 kg; beside it 140.9 g by the ideal weight and 164.6 g by the adjusted one."""
    weight = calculate(asked("ivig", MAN))["dose"]["dosing_weight"]

    assert (weight["kind"], weight["value"]) == ("actual", 100)
    assert "names no other weight" in weight["why"]
    beside = {item["kind"]: item["amount"]["text"] for item in weight["beside"]}
    assert beside == {"ideal": "140.9 g per course", "adjusted": "164.6 g per course"}
    assert all(item["references"] == ["guide-ontario-ivig-dose"] for item in weight["beside"])


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"weight": kg(80)}, "a body mass index of 26.1"),
        ({"weight": kg(91.875)}, "of exactly 30: the rule begins above"),
        ({"height": {"value": 150, "unit": "cm"}}, "below 152.4 cm the programme keeps the actual weight"),
    ],
)
def test_below_that_nothing_stands_beside(changes: dict[str, Any], why: str, calculate: Calculate) -> None:
    """The comparison is for those whom the source means."""
    answer = calculate(asked("ivig", MAN | changes))
    assert answer["dose"]["dosing_weight"]["beside"] == [], why


def test_a_regimen_by_ideal_weight_shows_the_actual_one_beside(calculate: Calculate) -> None:
    """The reason names the source, and the other two weights stand beside."""
    weight = calculate(asked("ivig", MAN, regimen="guideline-ideal-weight"))["dose"]["dosing_weight"]
    assert (weight["kind"], weight["why"]) == ("ideal", "the source counts on ideal body weight")
    assert [item["kind"] for item in weight["beside"]] == ["actual", "adjusted"]


@pytest.mark.parametrize(("gone", "field"), [("height", "patient.height"), ("sex", "patient.sex")])
def test_what_the_comparison_lacks_is_named(gone: str, field: str, calculate: Calculate) -> None:
    """Whether another weight belongs beside the dose depends on height and sex."""
    patient = {name: value for name, value in MAN.items() if name != gone}
    assert [field] in needs(calculate(asked("ivig", patient)), "dosing-weight")


def test_the_reason_says_that_the_caller_asked(calculate: Calculate) -> None:
    """Lean weight is nobody's regimen; the working shows where it comes from."""
    answer = calculate(asked("diltiazem", MAN, options={"dosing_weight": "lean"}))
    weight = answer["dose"]["dosing_weight"]
    assert ("lean", Decimal("67.5013374547")) == (weight["kind"], weight["value"])
    assert weight["why"] == "the caller asked for lean body weight; the source counts on actual body weight"
    assert "janmahasatian-2005" in answer["references"]


def test_an_estimated_weight_is_said_to_be_one(calculate: Calculate) -> None:
    """The method of the weight is not dropped."""
    patient = CHILD | {"weight": kg(25, method="estimated")}
    assert calculate(asked("diltiazem", patient))["dose"]["dosing_weight"]["why"].endswith(
        "it is estimated, not measured"
    )


@pytest.mark.parametrize(
    ("patient", "pointers"),
    [
        (CHILD, {"/patient/sex", "/patient/height", "/patient/age"}),
        ({"weight": kg(70), "sex": "male", "height": {"value": 175, "unit": "cm"}}, {"/patient/age"}),
    ],
)
def test_lean_weight_asks_for_what_it_needs(patient: dict[str, Any], pointers: set[str], refuse: Refuse) -> None:
    """Sex, height and an age from 18 years on; what is missing is asked for, never assumed."""
    request = asked("diltiazem", patient, options={"dosing_weight": "lean"})
    assert pointers == {pointer for _, pointer, code in refuse(request) if code == "missing"}


def test_monograph_states_when_weights_are_compared(client: FlaskClient) -> None:
    """The rule is knowledge: it stands in the regimens of the agent with its source."""
    regimens = client.get("/v1/agents/ivig").get_json()["regimens"]
    compared = [item["compare_weights"] for item in regimens]
    assert {30} == {item["above_bmi"] for item in compared}
    assert all(item["references"] == ["guide-ontario-ivig-dose"] for item in compared)
