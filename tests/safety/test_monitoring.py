"""The monitoring plan: what of it is done, what is out of range or too old, and when the next is due."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from flask.testing import FlaskClient

Plan = Callable[..., dict[str, dict[str, Any]]]

DRUGS = (
    *("diltiazem", "warfarin", "etidronate", "alendronate", "pamidronate", "minocycline", "ceftriaxone"),
    *("aluminium-hydroxide", "probenecid", "ivig", "sodium-thiosulfate", "colchicine", "triamcinolone", "prednisone"),
    *("prednisolone", "methylprednisolone", "methotrexate", "mycophenolate", "rituximab", "infliximab", "adalimumab"),
    *("etanercept", "abatacept", "tofacitinib", "baricitinib", "ruxolitinib", "iloprost", "treprostinil"),
)
ADULT = {"age": {"value": 50, "unit": "a"}, "weight": {"value": 70, "unit": "kg"}, "sex": "female"}


def result(code: str, value: float, unit: str, measured_on: str | None = None) -> dict[str, Any]:
    """Return a laboratory value of a request."""
    return {"code": code, "value": value, "unit": unit} | ({"measured_on": measured_on} if measured_on else {})


@pytest.fixture
def plan(client: FlaskClient) -> Plan:
    """Ask for an agent; return its monitoring lines by parameter."""

    def post(agent: str, *results: dict[str, Any], **more: Any) -> dict[str, dict[str, Any]]:
        body = {"agent": agent, "patient": ADULT | {"observations": list(results)}, "as_of": "2026-11-21"} | more
        response = client.post("/v1/dose-calculations", json=body)
        assert response.status_code == 200, response.get_data(as_text=True)
        return {line["parameter"]: line for line in response.get_json()["monitoring"]}

    return post


# ---------------------------------------------------------------- what the request says of each line

# Agent, parameter, results, expected status, expected action (its first words), and why the row is here.
STATUS: list[tuple[str, str, list[dict[str, Any]], str, str | None, str]] = [
    ("pamidronate", "creatinine", [], "not-given", None, "no result"),
    ("pamidronate", "creatinine", [result("2160-0", 3, "mg/dL")], "done", None, "at 3 mg/dL, not above"),
    ("pamidronate", "creatinine", [result("2160-0", 3.01, "mg/dL")], "out-of-range", "Do not give", "above 3 mg/dL"),
    ("pamidronate", "calcium", [result("17861-6", 8, "mg/dL")], "done", None, "at 8 mg/dL, not below"),
    ("pamidronate", "calcium", [result("17861-6", 7.99, "mg/dL")], "out-of-range", "Hold", "below 8 mg/dL"),
    ("warfarin", "INR", [result("6301-6", 1.5, "{INR}")], "done", None, "at 1.5, not above"),
    ("warfarin", "INR", [result("6301-6", 1.6, "{INR}")], "out-of-range", "Repeat and review", "above 1.5"),
    ("warfarin", "INR", [result("6301-6", 3.5, "{INR}")], "out-of-range", "Stop", "above 3 the graver action speaks"),
    ("warfarin", "INR", [result("6301-6", 4.5, "{INR}")], "out-of-range", "Treat as a high risk", "above 4"),
    ("aluminium-hydroxide", "phosphate", [result("2777-1", 2.4, "mg/dL")], "out-of-range", "In an adult", "below 2.5"),
    ("aluminium-hydroxide", "phosphate", [result("2777-1", 1.4, "mg/dL")], "out-of-range", "Stop", "below 1.5"),
    ("diltiazem", "heart rate", [result("8867-4", 49, "/min")], "out-of-range", "In an adult, hold", "below 50"),
    ("diltiazem", "heart rate", [result("8867-4", 50, "/min")], "done", None, "at 50, not below"),
    ("diltiazem", "ALT", [result("1742-6", 900, "U/L")], "done", "Compare it with your laboratory", "no upper limit"),
    ("methotrexate", "neutrophils", [result("751-8", 1.4, "10*3/uL")], "out-of-range", "Hold", "below 1.5 thousand"),
    ("tofacitinib", "neutrophils", [result("751-8", 0.7, "10*3/uL")], "out-of-range", "If it persists", "0.5 to 1"),
    ("tofacitinib", "neutrophils", [result("751-8", 0.4, "10*3/uL")], "out-of-range", "Stop", "below 0.5"),
    ("prednisone", "glucose", [result("2345-7", 201, "mg/dL")], "out-of-range", "Treat", "above 200 mg/dL"),
    (
        "warfarin",
        "INR",
        [result("6301-6", 4.5, "{INR}", "2026-11-01"), result("6301-6", 1.1, "{INR}", "2026-11-20")],
        "done",
        None,
        "the latest result counts",
    ),
    (
        "warfarin",
        "INR",
        [result("6301-6", 1.1, "{INR}", "2026-11-20"), result("6301-6", 4.5, "{INR}", "2026-11-01")],
        "done",
        None,
        "the latest counts, not the last in the list",
    ),
]


@pytest.mark.parametrize(("agent", "parameter", "results", "status", "action", "why"), STATUS)
def test_result_of_the_request_is_judged(
    plan: Plan,
    agent: str,
    parameter: str,
    results: list[dict[str, Any]],
    status: str,
    action: str | None,
    why: str,
) -> None:
    """A line says not-given, done, or out-of-range with what to do, on the exact side of the threshold."""
    line = plan(agent, *results)[parameter]

    assert line["status"] == status, why
    assert (line["action"] is None) == (action is None), why
    assert (line["action"] or "").startswith(action or ""), why


def test_result_is_shown_as_it_was_sent(plan: Plan) -> None:
    """The line repeats the value with its own unit and day, so that a reader sees what was judged."""
    line = plan("pamidronate", result("14682-9", 88.4, "umol/L", "2026-11-10"))["creatinine"]

    assert (line["result"], line["measured_on"]) == ({"value": 88.4, "unit": "umol/L"}, "2026-11-10")


# Creatinine: 1 mg/dL is 88.4 umol/L (molar mass 113.12 g/mol), so 3 mg/dL is 265.2 umol/L.
@pytest.mark.parametrize(
    ("code", "value", "unit", "status"),
    [
        ("2160-0", 2.9, "mg/dL", "done"),
        ("14682-9", 265, "umol/L", "done"),
        ("14682-9", 266, "umol/L", "out-of-range"),
        ("2160-0", 3.1, "mg/dL", "out-of-range"),
    ],
)
def test_threshold_holds_in_another_unit(plan: Plan, code: str, value: float, unit: str, status: str) -> None:
    """A limit of 3 mg/dL of creatinine is one of 265.2 umol/L."""
    assert plan("pamidronate", result(code, value, unit))["creatinine"]["status"] == status


# Calcium: 8 mg/dL is 1.996 mmol/L (molar mass 40.078 g/mol).
@pytest.mark.parametrize(("value", "status"), [(2.0, "done"), (1.99, "out-of-range")])
def test_calcium_holds_in_millimoles(plan: Plan, value: float, status: str) -> None:
    """A limit of 8 mg/dL of calcium is one of 1.996 mmol/L."""
    assert plan("pamidronate", result("2000-8", value, "mmol/L"))["calcium"]["status"] == status


@pytest.mark.parametrize(
    ("code", "value", "unit", "why"),
    [
        ("1994-3", 1.0, "mmol/L", "ionised calcium is not total calcium"),
        ("17861-6", 2.0, "mmol/L", "the code is one of mg/dL; the unit does not fit it"),
        ("17861-6", 7.0, "g", "a unit of something else"),
    ],
)
def test_what_does_not_fit_settles_nothing(plan: Plan, code: str, value: float, unit: str, why: str) -> None:
    """A result of another quantity or in a unit that does not fit its code is not taken for a baseline."""
    assert plan("pamidronate", result(code, value, unit))["calcium"]["status"] == "not-given", why


def test_line_of_several_values_is_done_when_none_is_missing(plan: Plan) -> None:
    """Calcium alone does not complete a line that asks for calcium and creatinine."""
    calcium, creatinine = result("17861-6", 9.2, "mg/dL"), result("2160-0", 0.8, "mg/dL")
    name = "calcium and creatinine clearance"

    statuses = [
        plan("alendronate", *results)[name]["status"] for results in ([calcium], [creatinine], [calcium, creatinine])
    ]
    assert statuses == ["not-given", "not-given", "done"]


@pytest.mark.parametrize("code", ["1989-3", "62292-8"])
def test_one_of_two_equal_values_is_enough(plan: Plan, code: str) -> None:
    """25-hydroxyvitamin D completes its line whichever of its two codes the laboratory uses."""
    assert plan("alendronate", result(code, 40, "ng/mL"))["25-hydroxyvitamin D"]["status"] == "done"


def test_each_value_of_a_line_can_be_out_of_range(plan: Plan) -> None:
    """The second code of a line is held against the threshold as well as the first."""
    normal, low = result("1989-3", 40, "ng/mL"), result("62292-8", 12, "ng/mL")
    line = plan("alendronate", normal, low)["25-hydroxyvitamin D"]

    assert (line["status"], line["result"]) == ("out-of-range", {"value": 12, "unit": "ng/mL"})


# Agent, parameter, documented interval at its longest, a result just in time, one a day too late.
OLD = [
    ("ceftriaxone", "neutrophils", "weekly", "2026-11-14", "2026-11-13"),
    ("aluminium-hydroxide", "phosphate", "monthly", "2026-10-22", "2026-10-21"),
    ("tofacitinib", "lymphocytes", "every 3 months", "2026-08-22", "2026-08-21"),
    ("warfarin", "INR", "every 1 to 4 weeks", "2026-10-24", "2026-10-23"),
]
NORMAL = {
    "neutrophils": ("751-8", 3, "10*3/uL"),
    "phosphate": ("2777-1", 3.4, "mg/dL"),
    "lymphocytes": ("731-0", 1.5, "10*3/uL"),
    "INR": ("6301-6", 1.1, "{INR}"),
}


@pytest.mark.parametrize(("agent", "parameter", "interval", "in_time", "too_late"), OLD)
def test_result_older_than_the_interval_is_too_old(
    plan: Plan, agent: str, parameter: str, interval: str, in_time: str, too_late: str
) -> None:
    """On 21 November 2026 a result counts for the longest documented interval, and not a day longer."""
    statuses = [plan(agent, result(*NORMAL[parameter], day))[parameter]["status"] for day in (in_time, too_late)]

    assert statuses == ["done", "too-old"], interval


def test_result_without_a_day_is_not_called_too_old(plan: Plan) -> None:
    """Nothing is assumed about a result whose day was not given."""
    assert plan("ceftriaxone", result(*NORMAL["neutrophils"]))["neutrophils"]["status"] == "done"


def test_age_of_a_result_counts_on_as_of(plan: Plan) -> None:
    """The same result is in time on one day and too old on another; the service's clock plays no part."""
    old = result(*NORMAL["neutrophils"], "2020-02-29")

    assert plan("ceftriaxone", old, as_of="2020-03-07")["neutrophils"]["status"] == "done"
    assert plan("ceftriaxone", old, as_of="2020-03-08")["neutrophils"]["status"] == "too-old"


def test_out_of_range_is_said_of_an_old_result_too(plan: Plan) -> None:
    """An alarming value does not become harmless by growing old."""
    line = plan("ceftriaxone", result("751-8", 0.4, "10*3/uL", "2026-01-01"))["neutrophils"]

    assert (line["status"], line["action"]) == ("out-of-range", "Stop.")


# ---------------------------------------------------------------- what a result beyond a threshold says now

# Agent, route, results, the finding expected of them with its severity (none: no finding), and why the row is here.
# The thresholds are those of the clinical facts: hold or stop is major, review and treat are less.
NOW: list[tuple[str, str | None, list[dict[str, Any]], str, str | None, str]] = [
    ("diltiazem", None, [result("8867-4", 42, "/min")], "heart-rate", "major", "below 50: hold or cut"),
    ("diltiazem", None, [result("8867-4", 50, "/min")], "heart-rate", None, "at 50"),
    ("colchicine", None, [result("751-8", 0.7, "10*3/uL")], "neutrophils", "major", "below 1.0: stop"),
    ("colchicine", None, [result("751-8", 1.0, "10*3/uL")], "neutrophils", None, "at 1.0"),
    ("warfarin", None, [result("6301-6", 4.5, "{INR}")], "inr", "major", "above 4"),
    ("warfarin", None, [result("6301-6", 3.5, "{INR}")], "inr", "major", "above 3: stop"),
    ("warfarin", None, [result("6301-6", 1.6, "{INR}")], "inr", "moderate", "above 1.5: review"),
    ("warfarin", None, [result("6301-6", 1.5, "{INR}")], "inr", None, "at 1.5"),
    ("prednisone", None, [result("2345-7", 201, "mg/dL")], "glucose", "moderate", "above 200: treat"),
    ("prednisone", None, [result("8480-6", 141, "mm[Hg]")], "systolic-blood-pressure", "minor", "above 140: treat"),
    (
        "sodium-thiosulfate",
        "intravenous",
        [result("1963-8", 14, "mmol/L")],
        "bicarbonate",
        "major",
        "below 18, by vein",
    ),
    ("sodium-thiosulfate", "topical", [result("1963-8", 14, "mmol/L")], "bicarbonate", None, "on the skin"),
    ("sodium-thiosulfate", "intravenous", [result("2951-2", 150, "mmol/L")], "sodium", None, "a rule says it already"),
    ("mycophenolate", None, [result("751-8", 1.29, "10*3/uL")], "neutrophils", None, "a rule says it already"),
    ("warfarin", None, [result("6301-6", 4.5, "{INR}", "2026-10-24")], "inr", "major", "4 weeks old, the longest"),
    ("warfarin", None, [result("6301-6", 4.5, "{INR}", "2026-10-23")], "inr", None, "too old to be the INR of today"),
    ("diltiazem", None, [result("8867-4", 42, "/min", "2024-11-18")], "heart-rate", None, "a pulse of two years ago"),
    ("diltiazem", None, [result("1742-6", 900, "U/L")], "alt", None, "no upper limit is known"),
]


@pytest.mark.parametrize(("agent", "route", "results", "analyte", "severity", "why"), NOW)
def test_a_current_result_out_of_range_is_a_finding(
    client: FlaskClient,
    agent: str,
    route: str | None,
    results: list[dict[str, Any]],
    analyte: str,
    severity: str | None,
    why: str,
) -> None:
    """An order meets the result that stops it, not only the plan for later: once, and only while it is current."""
    order = {"id": "o1", "agent": agent, "dose": {"value": 1, "unit": "%" if route == "topical" else "mg"}}
    body = {
        "patient": ADULT | {"observations": results},
        "orders": [order | ({"route": route} if route else {})],
        "as_of": "2026-11-21",
    }
    answer = client.post("/v1/order-checks", json=body).get_json()["orders"][0]

    found = [item for item in answer["findings"] if item["id"] == f"out-of-range-{analyte}"]
    assert [item["severity"] for item in found] == ([severity] if severity else []), why
    assert not severity or answer["verdict"] in {"warn", "stop"} or severity == "minor", why


def test_the_finding_says_value_day_bound_and_action(client: FlaskClient) -> None:
    """What, when, beyond which bound, and what to do; with the sources of the bound."""
    patient = ADULT | {"observations": [result("8867-4", 42, "/min", "2026-11-18")]}
    body = {"agent": "diltiazem", "patient": patient, "as_of": "2026-11-21"}
    found = client.post("/v1/dose-calculations", json=body).get_json()["findings"]
    (finding,) = [item for item in found if item["id"] == "out-of-range-heart-rate"]

    assert finding["summary"] == "Heart rate 42 /min on 2026-11-18, which is below 50 /min."
    assert finding["management"] == "In an adult, hold or lower the dose."
    assert (finding["category"], finding["verdict"]) == ("precaution", "applies")
    assert (finding["references"], finding["verified"]) == (["unsourced"], False)
    assert finding["because"] == ["patient.observations[0]"]


# Age and what is made of a systolic pressure of 88 mmHg, which is low in an adult and normal at 5 years.
@pytest.mark.parametrize(("age", "status"), [(50, "out-of-range"), (18, "out-of-range"), (5, "done"), (17.9, "done")])
def test_a_bound_for_adults_is_none_for_children(plan: Plan, age: float, status: str) -> None:
    """A threshold that the source gives for adults says nothing of a child."""
    patient = ADULT | {"age": {"value": age, "unit": "a"}, "observations": [result("8480-6", 88, "mm[Hg]")]}

    assert plan("diltiazem", patient=patient)["systolic blood pressure"]["status"] == status


def test_an_open_question_is_asked_once(client: FlaskClient) -> None:
    """Whether a pressure of 85 mmHg is low waits for the age: the rule asks for it, so the plan does not ask again."""
    patient = {"sex": "female", "observations": [result("8480-6", 85, "mm[Hg]")]}
    order = {"id": "o1", "agent": "diltiazem", "dose": {"value": 60, "unit": "mg"}, "route": "oral"}
    body = {"patient": patient, "orders": [order], "as_of": "2026-11-21"}
    found = client.post("/v1/order-checks", json=body).get_json()["orders"][0]["findings"]
    about = [(item["id"], item["verdict"]) for item in found if "systolic" in item["id"]]

    assert about == [("low-systolic-pressure", "possible")]


RISE = "rise of creatinine since the baseline"


@pytest.mark.parametrize(
    ("results", "status", "shown", "why"),
    [
        ([("2026-10-15", 0.8), ("2026-11-18", 1.6)], "out-of-range", 0.8, "0.5 or more from below 1.4"),
        ([("2026-10-15", 0.8), ("2026-11-18", 1.2)], "done", 0.4, "less than 0.5"),
        ([("2026-10-15", 1.5), ("2026-11-18", 2.2)], "done", 0.7, "less than 1.0 from at least 1.4"),
        ([("2026-10-15", 1.5), ("2026-11-18", 2.5)], "out-of-range", 1.0, "1.0 from at least 1.4"),
        ([("2026-11-18", 1.6)], "not-given", None, "one result has nothing to rise from"),
        ([("2026-11-18", 0.8), ("2026-11-18", 1.6)], "not-given", None, "nor have two of one day"),
    ],
)
def test_rise_of_creatinine_is_judged(
    plan: Plan, results: list[tuple[str, float]], status: str, shown: float | None, why: str
) -> None:
    """The plan counts the rise from the lowest earlier result, by the bounds that belong to that baseline."""
    line = plan("pamidronate", *(result("2160-0", value, "mg/dL", day) for day, value in results))[RISE]

    assert line["status"] == status, why
    assert line["result"] == (None if shown is None else {"value": shown, "unit": "mg/dL"}), why


# ---------------------------------------------------------------- dates

# Counted on a calendar: a week is 7 days, a month 30 full days, a year 365; the start is the day of the baseline.
DATES = [
    ("ceftriaxone", "neutrophils", "2026-12-28", "2027-01-04", "a week across the end of a year"),
    ("ceftriaxone", "neutrophils", "2027-02-24", "2027-03-03", "a week across the end of February"),
    ("ceftriaxone", "neutrophils", "2028-02-24", "2028-03-02", "the same in a leap year"),
    ("ceftriaxone", "neutrophils", "2028-02-29", "2028-03-07", "a start on the leap day"),
    ("aluminium-hydroxide", "phosphate", "2026-12-01", "2026-12-31", "a month"),
    ("aluminium-hydroxide", "phosphate", "2027-01-31", "2027-03-02", "a month from the last day of January"),
    ("aluminium-hydroxide", "phosphate", "2028-01-31", "2028-03-01", "the same in a leap year"),
    ("tofacitinib", "lymphocytes", "2026-12-01", "2027-03-02", "3 months"),
    ("warfarin", "INR", "2026-12-01", "2026-12-08", "1 to 4 weeks: the shortest counts"),
    ("alendronate", "calcium and creatinine clearance", "2026-12-01", "2027-06-01", "6 to 12 months: the shortest"),
]


@pytest.mark.parametrize(("agent", "parameter", "start", "expected", "why"), DATES)
def test_start_date_dates_the_plan(plan: Plan, agent: str, parameter: str, start: str, expected: str, why: str) -> None:
    """With a start date the baseline and the next control have a day, on a real calendar."""
    line = plan(agent, options={"start_date": start})[parameter]

    assert (line["baseline_on"], line["next_on"]) == (start, expected), why


def test_last_day_of_the_calendar_is_no_fault(plan: Plan) -> None:
    """The latest start date that the contract accepts is answered."""
    for agent in DRUGS:
        assert plan(
            agent, options={"start_date": "9998-12-31"}, patient=ADULT | {"height": {"value": 170, "unit": "cm"}}
        )


def test_without_a_start_date_there_are_no_dates(plan: Plan) -> None:
    """No day is made up."""
    for agent in ("ceftriaxone", "alendronate"):
        assert {(line["baseline_on"], line["next_on"]) for line in plan(agent).values()} == {(None, None)}


def test_line_without_an_interval_has_no_next_day(plan: Plan) -> None:
    """ "Before every dose" is no interval in days, so no day is worked out."""
    line = plan("pamidronate", options={"start_date": "2026-12-01"})["creatinine"]

    assert (line["baseline_on"], line["next_on"]) == ("2026-12-01", None)
    assert line["interval"] == "before every dose"


def test_interval_is_said_in_words(plan: Plan) -> None:
    """An interval that the file gives in figures alone is read out, so that nobody takes the line for a single test."""
    assert plan("tofacitinib")["lymphocytes"]["interval"] == "every 3 months"


# ---------------------------------------------------------------- every drug


def monograph(client: FlaskClient, agent: str) -> dict[str, Any]:
    """Return what the page of an agent says of its safety."""
    safety: dict[str, Any] = client.get(f"/v1/agents/{agent}").get_json()["safety"]
    return safety


def test_the_list_of_drugs_is_complete(client: FlaskClient) -> None:
    """The 28 drugs of the clinical document are those of the service."""
    listed = client.get("/v1/agents?kind=drug").get_json()["agents"]

    assert len(DRUGS) == 28
    assert {agent["id"] for agent in listed} == set(DRUGS)


@pytest.mark.parametrize("agent", DRUGS)
def test_every_drug_is_watched(client: FlaskClient, agent: str) -> None:
    """Each drug has at least one monitoring line and one adverse effect; each is cited, and says when or what."""
    page = monograph(client, agent)

    assert page["monitoring"]
    assert page["adverse_effects"]
    assert all(item["references"] for item in (*page["monitoring"], *page["adverse_effects"]))
    assert all(item["effect"] and isinstance(item["serious"], bool) for item in page["adverse_effects"])
    for line in page["monitoring"]:
        assert line["baseline"] or line["interval"] or line["thresholds"], line["parameter"]
        assert all(threshold["action"] and threshold["references"] for threshold in line["thresholds"])


@pytest.mark.parametrize("agent", DRUGS)
def test_every_drug_has_a_serious_adverse_effect(client: FlaskClient, agent: str) -> None:
    """No drug is presented as harmless."""
    assert any(item["serious"] for item in monograph(client, agent)["adverse_effects"])


# The list of the overview text. Etidronate raises phosphate, so low phosphate is not said of it.
ALL_THREE = ("osteonecrosis of the jaw", "fever", "infusion-site reaction", "low calcium", "low magnesium")


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        ("pamidronate", (*ALL_THREE, "low phosphate")),
        ("alendronate", (*ALL_THREE, "low phosphate")),
        ("etidronate", (*ALL_THREE, "high phosphate")),
    ],
)
def test_bisphosphonates_carry_the_effects_of_the_text(
    client: FlaskClient, agent: str, expected: tuple[str, ...]
) -> None:
    """The adverse effects that the overview text lists stand with each bisphosphonate and cite it where it says so."""
    effects = monograph(client, agent)["adverse_effects"]

    for name in expected:
        found = [item for item in effects if item["effect"].startswith(name)]
        assert found, name
        assert name == "high phosphate" or any("treatment-overview" in item["references"] for item in found), name
    assert any(item["serious"] for item in effects if item["effect"] == "osteonecrosis of the jaw")
    low = any(item["effect"].startswith("low phosphate") for item in effects)
    assert low == (agent != "etidronate")


def test_answer_carries_the_effects_of_the_monograph(client: FlaskClient) -> None:
    """A dose comes with the adverse effects of its agent, and their citations are in the answer."""
    response = client.post("/v1/dose-calculations", json={"agent": "pamidronate", "patient": ADULT})
    answer = response.get_json()

    assert answer["adverse_effects"] == monograph(client, "pamidronate")["adverse_effects"]
    cited = {id_ for item in (*answer["adverse_effects"], *answer["monitoring"]) for id_ in item["references"]}
    assert cited <= set(answer["references"])


def test_molar_mass_of_creatinine_is_that_of_the_table() -> None:
    """The number beside the tests above: 3 mg/dL x 10 dL/L / 113.12 g/mol = 265.2 umol/L."""
    assert round(Decimal(3) * 10 / Decimal("113.12") * 1000, 1) == Decimal("265.2")
