"""POST /v1/dose-calculations: what a caller gets, through HTTP, for requests that can be answered."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from flask.testing import FlaskClient

from dosing_service.knowledge.base import KnowledgeBase

Calculate = Callable[[Any], dict[str, Any]]
Refuse = Callable[[Any], list[tuple[int, str, str]]]

DOSES = "/v1/dose-calculations"


def person(years: float, kg: float | None = None, cm: float | None = None) -> dict[str, Any]:
    """Return a patient of a request."""
    patient: dict[str, Any] = {"age": {"value": years, "unit": "a"}}
    if kg is not None:
        patient["weight"] = {"value": kg, "unit": "kg"}
    if cm is not None:
        patient["height"] = {"value": cm, "unit": "cm"}
    return patient


CHILD = person(9, 25)
ADULT = person(50, 70)
TALL_CHILD = person(12, 40, 150)
DILTIAZEM = {"agent": "diltiazem", "patient": CHILD}
METHOTREXATE = {"agent": "methotrexate", "regimen": "recommendation-share-induction", "patient": TALL_CHILD}


def amounts(answer: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Return the computed amounts as (per, low, high, unit), with the number of days where a course is divided."""
    listed = []
    for item in answer["dose"]["amounts"]:
        days = item["divided_over_days"]
        listed.append((item["per"], item["low"], item["high"], item["unit"], *([days] if days else [])))
    return listed


def finding(answer: dict[str, Any], id_: str) -> dict[str, Any]:
    """Return the one finding with this id."""
    (found,) = [item for item in answer["findings"] if item["id"] == id_]
    return dict(found)


# ---------------------------------------------------------------- the doses everyone in the house knows by heart


@pytest.mark.parametrize(
    ("body", "expected", "why"),
    [
        (DILTIAZEM, [("day", 50, 100, "mg")], "2 to 4 mg/kg a day for 25 kg"),
        (
            {"agent": "ivig", "patient": CHILD},
            [
                ("course", 50, 50, "g"),
                ("administration", 25, 25, "g", 2),
                ("administration", 10, 10, "g", 5),
            ],
            "2 g/kg in a course for 25 kg, on 2 to 5 days",
        ),
        (
            {"agent": "ceftriaxone", "patient": person(50)},
            [("day", 2, 2, "g"), ("course", 40, 40, "g")],
            "2 g a day for 20 days; a fixed dose needs no weight",
        ),
        (
            {"agent": "pamidronate", "patient": ADULT},
            [("week", 90, 90, "mg"), ("administration", 90, 90, "mg")],
            "90 mg a week as the overview says",
        ),
        (
            METHOTREXATE,
            [("week", Decimal("19.365"), Decimal("25.82"), "mg")],
            "15 to 20 mg/m2 a week for 1.2910 m2, the root of 150 x 40 / 3600",
        ),
    ],
    ids=["diltiazem", "ivig", "ceftriaxone", "pamidronate", "methotrexate"],
)
def test_house_example(calculate: Calculate, body: Any, expected: list[tuple[Any, ...]], why: str) -> None:
    """The doses of the project's examples come out over HTTP."""
    answer = calculate(body)

    assert answer["status"] == "computed"
    assert expected == [amount for amount in amounts(answer) if amount in expected], why


def test_weekly_pamidronate_carries_the_disagreement(calculate: Calculate) -> None:
    """C01 is major; its positions come to 4,680 mg in a year for 90 mg weekly and to 720 mg for 60 mg monthly."""
    found = finding(calculate({"agent": "pamidronate", "patient": ADULT}), "C01")

    assert (found["severity"], found["verdict"]) == ("major", "applies")
    weekly, monthly = (position["text"] for position in found["positions"][:2])
    assert (weekly[:12], monthly[:13]) == ("90 mg weekly", "60 mg monthly")
    assert ("4,680 mg in a year" in weekly, "720 mg in a year" in monthly) == (True, True)


def test_megagram_is_refused_by_name(client: FlaskClient) -> None:
    """Mg is not read as mg: the answer says what it is and what is accepted."""
    patient = {"age": {"value": 9, "unit": "a"}, "weight": {"value": 25, "unit": "Mg"}}

    response = client.post(DOSES, json={"agent": "diltiazem", "patient": patient})

    assert response.status_code == 422
    assert response.get_json()["errors"] == [
        {
            "pointer": "/patient/weight/unit",
            "code": "unit-not-accepted",
            "detail": "Mg is a megagram, one million grams",
            "expected": "one of: kg, g, [lb_av]",
        }
    ]


# ---------------------------------------------------------------- the shape of the answer


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("", "status agent regimen dose alternatives derivation findings not_checked adverse_effects monitoring"),
        ("", "evidence references knowledge notice as_of"),
        ("agent", "id name codings"),
        ("agent.codings.0", "system code"),
        ("regimen", "id indication route population off_label references"),
        ("dose", "basis dosing_weight amounts limits practical infusion schedule course_total references"),
        ("dose.dosing_weight", "value unit kind"),
        ("dose.amounts.0", "per low high unit text times_per_day"),
        ("dose.limits.0", "kind value unit applies_to reached references"),
        ("alternatives.0", "regimen dose derivation"),
        ("alternatives.0.regimen", "id indication route population off_label references"),
        ("alternatives.0.dose", "basis dosing_weight amounts limits practical infusion schedule course_total"),
        ("derivation.0", "expression result references"),
        ("findings.0", "id category severity verdict summary because management references"),
        ("not_checked.0", "check needs why"),
        ("knowledge", "version digest"),
        ("references.treatment-overview", "id kind citation"),
    ],
)
def test_answer_has_the_fields_of_the_contract(calculate: Calculate, path: str, names: str) -> None:
    """Every field that the contract names is there; fields may be added."""
    part: Any = calculate(DILTIAZEM)
    for step in filter(None, path.split(".")):
        part = part[int(step)] if isinstance(part, list) else part[step]

    assert set() == set(names.split()) - set(part)


def test_single_figure_is_a_range_of_one(calculate: Calculate) -> None:
    """Where a source gives one figure, low equals high."""
    first = calculate({"agent": "ceftriaxone", "patient": ADULT})["dose"]["amounts"][0]

    assert first["low"] == first["high"]


def test_findings_stand_worst_first(calculate: Calculate) -> None:
    """A reader meets the gravest finding first."""
    order = ["contraindicated", "major", "moderate", "minor", "info"]
    answer = calculate({"agent": "warfarin", "patient": person(60, 70)})
    severities = [item["severity"] for item in answer["findings"]]

    assert sorted(severities, key=order.index) == severities
    assert severities[0] == "contraindicated"


def test_answer_names_the_knowledge_it_came_from(calculate: Calculate, knowledge: KnowledgeBase) -> None:
    """Version and digest of the knowledge base stand in every answer, beside the notice."""
    answer = calculate(DILTIAZEM)

    assert {"version": knowledge.version, "digest": knowledge.digest} == answer["knowledge"]
    assert "not clinically approved" in answer["notice"]


def test_answer_about_a_patient_is_not_stored(client: FlaskClient) -> None:
    """No cache on the way may keep what was computed for a patient, nor why it could not be computed."""
    for body in (DILTIAZEM, {"agent": "diltiazem"}):
        assert client.post(DOSES, json=body).headers["Cache-Control"] == "no-store"


# ---------------------------------------------------------------- dates and ages


@pytest.mark.parametrize(
    ("body", "expected", "why"),
    [
        (DILTIAZEM, None, "an age was given, so the day changes nothing"),
        (DILTIAZEM | {"as_of": "2026-11-21"}, "2026-11-21", "the caller said so"),
        (
            {
                "agent": "ivig",
                "patient": {"birth_date": "2017-03-04", "weight": CHILD["weight"]},
                "as_of": "2026-11-21",
            },
            "2026-11-21",
            "the age was counted on that day",
        ),
    ],
    ids=["age", "age and as_of", "birth date"],
)
def test_as_of_is_echoed_only_when_it_matters(calculate: Calculate, body: Any, expected: str | None, why: str) -> None:
    """`as_of` is null as long as nothing depends on a day."""
    assert expected == calculate(body)["as_of"], why


def test_birth_date_alone_counts_until_today_and_says_so(calculate: Calculate) -> None:
    """The clock is read where it must be, and the day used is in the answer."""
    before = datetime.now(UTC).date().isoformat()
    answer = calculate({"agent": "warfarin", "patient": {"birth_date": "1966-01-01"}})
    after = datetime.now(UTC).date().isoformat()

    assert answer["as_of"] in {before, after}
    assert answer["status"] == "computed"


def test_child_that_is_born_tomorrow_is_no_error(calculate: Calculate) -> None:
    """East of the service it is tomorrow already: a newborn of that day has the age of nothing."""
    body = {"agent": "warfarin", "patient": {"birth_date": "2026-11-22"}, "as_of": "2026-11-21"}
    newborn = {"agent": "warfarin", "patient": {"birth_date": "2026-11-21"}, "as_of": "2026-11-21"}

    assert calculate(body) == calculate(newborn)


@pytest.mark.parametrize(
    ("birth_date", "as_of", "status", "why"),
    [
        ("2008-11-21", "2026-11-20", "no-documented-dose", "the day before the 18th birthday"),
        ("2008-11-21", "2026-11-21", "computed", "the 18th birthday"),
        ("2008-02-29", "2026-02-28", "no-documented-dose", "18 years are not complete on 28 February"),
        ("2008-02-29", "2026-03-01", "computed", "they are on 1 March, where there is no 29 February"),
        ("2026-11-21", "2026-11-21", "no-documented-dose", "born today"),
        ("1896-11-21", "2026-11-21", "computed", "130 years is the oldest age that is believed"),
    ],
)
def test_adult_dose_begins_on_the_18th_birthday(
    calculate: Calculate, birth_date: str, as_of: str, status: str, why: str
) -> None:
    """A dose for adults is given from the day on which 18 years are complete (warfarin: fixed, no population)."""
    answer = calculate({"agent": "warfarin", "patient": {"birth_date": birth_date}, "as_of": as_of})

    assert status == answer["status"], why


def test_birth_date_and_age_give_the_same_dose(calculate: Calculate) -> None:
    """On a birthday, completed years are the age."""
    born = {"birth_date": "2017-11-21", "weight": CHILD["weight"]}
    answer = calculate({"agent": "diltiazem", "patient": born, "as_of": "2026-11-21"})

    assert calculate(DILTIAZEM)["dose"] == answer["dose"]


# ---------------------------------------------------------------- statuses other than computed


@pytest.mark.parametrize(
    ("body", "status", "regimen", "why"),
    [
        (
            {"agent": "methotrexate", "patient": TALL_CHILD},
            "choose-regimen",
            None,
            "several apply, none is the default",
        ),
        ({"agent": "warfarin", "patient": person(6, 20)}, "no-documented-dose", "calcinosis-overview", "adults only"),
        ({"agent": "curettage", "patient": ADULT}, "no-documented-dose", None, "a procedure has no dose"),
        (
            {"agent": "triamcinolone", "patient": ADULT},
            "not-computable",
            "calcinosis-review",
            "the source has no volume",
        ),
    ],
    ids=["choose-regimen", "other population", "procedure", "not-computable"],
)
def test_status_without_a_dose(calculate: Calculate, body: Any, status: str, regimen: str | None, why: str) -> None:
    """Where there is no dose, `dose` is null and the status says why."""
    answer = calculate(body)

    assert (status, None) == (answer["status"], answer["dose"]), why
    assert regimen == (answer["regimen"] and answer["regimen"]["id"])
    assert answer["derivation"] == []


def test_choice_of_regimens_comes_with_their_doses(calculate: Calculate) -> None:
    """Whoever has to choose sees what each regimen comes to for this patient."""
    answer = calculate({"agent": "methotrexate", "patient": TALL_CHILD})
    doses = {item["regimen"]["id"]: item["dose"]["amounts"][0]["text"] for item in answer["alternatives"]}

    assert doses == {
        "recommendation-share-induction": "19.37 to 25.82 mg weekly",
        "cohort-first-line-oral": "19.37 mg weekly",
        "cohort-first-line-subcutaneous": "19.37 mg weekly",
        "consensus-lesser-of-two": "19.37 mg weekly",
    }


def test_dose_that_is_not_computable_says_what_would_make_it_so(calculate: Calculate) -> None:
    """The missing volume is named where a client can look it up, and with it the dose is computed."""
    body = {"agent": "triamcinolone", "patient": ADULT}
    asked = {need for item in calculate(body)["not_checked"] for need in item["needs"] if item["check"] == "dose"}

    assert {"options.volume"} == asked
    assert calculate(body | {"options": {"volume": {"value": 0.5, "unit": "mL"}}})["status"] == "computed"


@pytest.mark.parametrize(
    ("body", "missing", "why"),
    [
        ({"agent": "diltiazem", "patient": person(9)}, ["/patient/weight"], "counted per kg"),
        (
            {"agent": "probenecid", "patient": person(9)},
            ["/patient/weight"],
            "a fixed amount, in a child at most 40 mg/kg",
        ),
        ({"agent": "diltiazem"}, ["/patient/weight"], "nothing is known of the patient at all"),
        (METHOTREXATE | {"patient": person(12, 40)}, ["/patient/height"], "counted per m2"),
        (METHOTREXATE | {"patient": person(12)}, ["/patient/weight", "/patient/height"], "both are asked for at once"),
    ],
)
def test_missing_measure_is_asked_for(refuse: Refuse, body: Any, missing: list[str], why: str) -> None:
    """No weight is ever assumed: the caller is told which field is missing."""
    assert [(422, pointer, "missing") for pointer in missing] == refuse(body), why


# ---------------------------------------------------------------- options


@pytest.mark.parametrize(
    ("options", "status"), [({}, "no-documented-dose"), ({"include_outside_population": True}, "computed")]
)
def test_dose_outside_its_population_is_given_on_request_only(
    calculate: Calculate, options: dict[str, Any], status: str
) -> None:
    """An adult course for a child is computed only by option; either way a major finding says that it is outside."""
    body = {"agent": "ceftriaxone", "regimen": "calcinosis-overview", "patient": person(6, 20), "options": options}
    answer = calculate(body)

    assert status == answer["status"]
    assert finding(answer, "outside-population")["severity"] == "major"


def test_dose_outside_its_population_is_not_scaled(calculate: Calculate) -> None:
    """The child gets the adult figure, 40 g in a course, not a fraction of it."""
    options = {"include_outside_population": True}
    answer = calculate({"agent": "ceftriaxone", "patient": person(6, 20), "options": options})

    assert ("course", 40, 40, "g") in amounts(answer)


@pytest.mark.parametrize(
    ("body", "options", "expected", "why"),
    [
        (
            {"agent": "diltiazem", "patient": person(50, 75)},
            {"times_per_day": 3},
            [("day", 150, 300, "mg"), ("administration", 50, 100, "mg")],
            "a daily amount may be divided",
        ),
        (
            {"agent": "ivig", "patient": CHILD},
            {"divided_over_days": 2},
            [("course", 50, 50, "g"), ("administration", 25, 25, "g", 2)],
            "the course is documented on 2 to 5 days; only the division asked for is given",
        ),
    ],
    ids=["times_per_day", "divided_over_days"],
)
def test_documented_division_is_applied(
    calculate: Calculate, body: Any, options: Any, expected: list[tuple[Any, ...]], why: str
) -> None:
    """A division that keeps the documented total is worked out."""
    assert expected == amounts(calculate(body | {"options": options})), why


@pytest.mark.parametrize(
    ("body", "option", "value", "code", "why"),
    [
        (METHOTREXATE, "times_per_day", 1, "frequency-not-documented", "a weekly dose is never given daily"),
        ({"agent": "pamidronate", "patient": ADULT}, "times_per_day", 2, "frequency-not-documented", "weekly"),
        ({"agent": "ivig", "patient": CHILD}, "times_per_day", 2, "frequency-not-documented", "a course total"),
        ({"agent": "ivig", "patient": CHILD}, "divided_over_days", 6, "not-documented", "2 to 5 days are documented"),
        ({"agent": "ivig", "patient": CHILD}, "divided_over_days", 1, "not-documented", "nor on a single day"),
        (DILTIAZEM, "divided_over_days", 2, "not-divisible", "a daily amount is no course"),
    ],
)
def test_division_that_is_not_documented_is_refused(
    refuse: Refuse, body: Any, option: str, value: int, code: str, why: str
) -> None:
    """A division that would change the total, or that no source gives, is refused at its option."""
    assert [(422, f"/options/{option}", code)] == refuse(body | {"options": {option: value}}), why


@pytest.mark.parametrize(
    ("product", "high", "findings", "why"),
    [
        ("ir-tablet-60", 360, {"held-at-daily-maximum"}, "immediate release is held at 360 mg"),
        ("cd-capsule-120", 400, set(), "a coated capsule may reach 480 mg"),
        (
            None,
            400,
            {"above-daily-maximum-immediate-release-360"},
            "no product: not held, but the lower maximum is named",
        ),
    ],
)
def test_formulation_of_the_product_decides_the_maximum(
    calculate: Calculate, product: str | None, high: int, findings: set[str], why: str
) -> None:
    """An adult of 100 kg would get 400 mg of diltiazem; what holds it depends on the product."""
    body = {"agent": "diltiazem", "patient": person(50, 100), "options": {"product": product} if product else {}}
    answer = calculate(body)

    assert [("day", 200, high, "mg")] == amounts(answer), why
    about_limits = {item["id"] for item in answer["findings"] if item["id"].startswith(("above-", "held-"))}
    assert findings == about_limits


def test_held_dose_shows_what_it_would_have_been(calculate: Calculate) -> None:
    """The cap tells the amount without it and the weight above which it bites."""
    options = {"product": "ir-tablet-60"}
    cap = calculate({"agent": "diltiazem", "patient": person(50, 100), "options": options})["dose"]["cap"]

    assert (cap["kind"], cap["value"], cap["unit"]) == ("daily-maximum", 360, "mg")
    assert (cap["uncapped"]["low"], cap["uncapped"]["high"]) == (200, 400)
    assert cap["bites_above"] == {"value": 90, "unit": "kg"}


@pytest.mark.parametrize(
    ("regimen", "product", "code", "why"),
    [
        ("calcinosis-overview", "ir-tablet-61", "unknown-product", "no such product"),
        ("label-extended-release", "ir-tablet-60", "other-formulation", "the regimen is for another formulation"),
    ],
)
def test_product_that_does_not_fit_is_refused(refuse: Refuse, regimen: str, product: str, code: str, why: str) -> None:
    """A product is one of the agent's, and of the formulation of the regimen."""
    body = {"agent": "diltiazem", "regimen": regimen, "patient": ADULT, "options": {"product": product}}

    assert [(422, "/options/product", code)] == refuse(body), why


# ---------------------------------------------------------------- exact numbers


@pytest.mark.parametrize(
    ("weight", "low", "high", "why"),
    [
        ('{"value": 25.4, "unit": "kg"}', "50.8", "101.6", "a decimal kilogram"),
        ('{"value": 25.40, "unit": "kg"}', "50.8", "101.6", "a trailing zero says nothing"),
        ('{"value": 2.54e1, "unit": "kg"}', "50.8", "101.6", "an exponent is the same number"),
        ('{"value": 25400, "unit": "g"}', "50.8", "101.6", "grams are exact thousandths"),
        ('{"value": 56, "unit": "lb"}', "50.80234544", "101.60469088", "a pound is 0.45359237 kg by definition"),
        ('{"value": 56, "unit": "[lb_av]"}', "50.80234544", "101.60469088", "the UCUM code of the pound"),
    ],
)
def test_amounts_are_exact(client: FlaskClient, weight: str, low: str, high: str, why: str) -> None:
    """2 to 4 mg/kg of the weight as it was sent, digit for digit in the body."""
    body = f'{{"agent": "diltiazem", "patient": {{"age": {{"value": 9, "unit": "a"}}, "weight": {weight}}}}}'
    text = client.post(DOSES, data=body, content_type="application/json").get_data(as_text=True)

    assert f'"low":{low},"high":{high},' in text, why


def test_no_number_shows_the_noise_of_binary_fractions(client: FlaskClient) -> None:
    """1.5 mg/kg of 25.4 kg is 38.1 mg; in binary it would be 38.099999999999994."""
    text = client.post(DOSES, json=DILTIAZEM | {"patient": person(9, 25.4)}).get_data(as_text=True)

    assert '"low":38.1,"high":50.8,' in text
    assert re.findall(r"[0-9]+\.[0-9]{11,}", text) == []


def test_repeated_request_gets_the_same_bytes(client: FlaskClient) -> None:
    """The answer is a function of the request: sent again, or with its fields in another order, it is the same."""
    reordered = json.dumps(dict(reversed(METHOTREXATE.items())))
    bodies = [json.dumps(METHOTREXATE), json.dumps(METHOTREXATE), reordered]
    answers = {client.post(DOSES, data=body, content_type="application/json").get_data() for body in bodies}

    assert len(answers) == 1


# ---------------------------------------------------------------- references


def cited(part: Any) -> Iterator[str]:
    """Yield every reference id that a part of an answer cites."""
    if isinstance(part, dict):
        for name, value in part.items():
            yield from value if name == "references" and isinstance(value, list) else cited(value)
    elif isinstance(part, list):
        for item in part:
            yield from cited(item)


@pytest.mark.parametrize(
    "patient",
    [
        CHILD,
        TALL_CHILD,
        ADULT,
        person(50, 90, 180) | {"sex": "male"},
        {"age": ADULT["age"], "weight": {"value": 154, "unit": "lb"}},
        {},
    ],
    ids=["child", "child with height", "adult", "man with height", "pounds", "unknown"],
)
def test_every_citation_resolves(client: FlaskClient, knowledge: KnowledgeBase, patient: dict[str, Any]) -> None:
    """Each reference id in an answer stands under `references`, and no other does, whatever the regimen and status."""
    asked = [(agent.id, id_) for agent in knowledge.agents.values() for id_ in (None, *agent.regimens)]
    for agent, regimen in asked:
        body = {"agent": agent, "patient": patient} | ({"regimen": regimen} if regimen else {})
        response = client.post(DOSES, json=body)
        if response.status_code == 200:
            answer = response.get_json()
            assert set(answer["references"]) == set(cited(answer)), body


def test_citation_has_a_page_with_the_same_words(client: FlaskClient, calculate: Calculate) -> None:
    """What stands beside a dose is what GET /v1/references/{id} says."""
    answer = calculate(DILTIAZEM)

    assert "treatment-overview" in answer["references"]
    for id_, reference in answer["references"].items():
        assert reference == client.get(f"/v1/references/{id_}").get_json()


@pytest.mark.parametrize(("egfr", "status"), [(45, "computed"), (95, "no-documented-dose"), (29, "no-documented-dose")])
def test_renal_function_is_part_of_a_population(calculate: Calculate, egfr: int, status: str) -> None:
    """2 mg of baricitinib is documented for adults with an eGFR of 30 to below 60 (trial protocol) alone."""
    result = {"code": "98979-8", "value": egfr, "unit": "mL/min/{1.73_m2}"}
    patient = {"age": {"value": 50, "unit": "a"}, "observations": [result]}
    answer = calculate({"agent": "baricitinib", "regimen": "reduced-renal-adult", "patient": patient})
    assert answer["status"] == status
    if status != "computed":
        (outside,) = [item for item in answer["findings"] if item["id"] == "outside-population"]
        assert outside["because"] == ["patient.observations[0]"]


def test_unknown_renal_function_is_asked_for(calculate: Calculate) -> None:
    """Unknown is not no: the dose is there, and what would settle for whom it is, too."""
    patient = {"age": {"value": 50, "unit": "a"}, "sex": "male"}
    answer = calculate({"agent": "baricitinib", "regimen": "reduced-renal-adult", "patient": patient})
    assert answer["status"] == "computed"
    (unknown,) = [item for item in answer["findings"] if item["id"] == "population-unknown"]
    assert unknown["because"] == ["patient.observations[2160-0]"]
    assert "without the creatinine" in unknown["summary"]
