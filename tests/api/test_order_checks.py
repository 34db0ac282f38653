"""POST /v1/order-checks: what is said of proposed orders, of each and of all together."""

import json
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask.testing import FlaskClient

Json = dict[str, Any]
Check = Callable[..., Json]

ORDERS = "/v1/order-checks"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
#: An adult of 65 kg of whom the usual is known, and nothing is wrong. The day of the weight is given as well.
HEALTHY: Json = yaml.safe_load((Path(__file__).parents[1] / "safety" / "base.yaml").read_text(encoding="utf-8"))
HEALTHY["weight"] |= {"measured_on": "2026-11-20"}
AS_OF = "2026-11-21"
VERDICTS = ["stop", "warn", "incomplete", "pass"]

DAILY: Json = {"times": 1, "every": {"value": 1, "unit": "d"}}
WEEKLY: Json = {"times": 1, "every": {"value": 1, "unit": "wk"}}
TWICE: Json = {"times": 2, "every": {"value": 1, "unit": "d"}}
THRICE: Json = {"times": 3, "every": {"value": 1, "unit": "d"}}


def every(value: float, unit: str, **more: Any) -> Json:
    """Return once in an interval."""
    return {"times": 1, "every": {"value": value, "unit": unit}} | more


def order(
    agent: Any, value: float, unit: str, frequency: Json | None = None, route: str | None = None, **more: Any
) -> Json:
    """Return an order"""
    said: Json = {"agent": agent, "dose": {"value": value, "unit": unit}}
    said |= {"frequency": frequency} if frequency else {}
    return said | ({"route": route} if route else {}) | more


def coded(code: str) -> Json:
    """Return an RxNorm coding."""
    return {"system": RXNORM, "code": code}


@pytest.fixture
def check(client: FlaskClient) -> Check:
    """Post orders for the healthy adult with some changes; ``None`` takes a fact about the patient away."""

    def post(*orders: Json, patient: Json | None = None, **more: Any) -> Json:
        known = {name: value for name, value in (HEALTHY | (patient or {})).items() if value is not None}
        numbered = [{"id": f"o{index}"} | item for index, item in enumerate(orders)]
        response = client.post(ORDERS, json={"patient": known, "orders": numbered, "as_of": AS_OF} | more)
        assert response.status_code == 200, response.get_data(as_text=True)
        answer: Json = json.loads(response.get_data(), parse_float=Decimal)
        assert [VERDICTS.index(item["verdict"]) >= VERDICTS.index(answer["verdict"]) for item in answer["orders"]]
        return answer

    return post


def ids(judged: Json) -> list[str]:
    """Return the ids of the findings of an order."""
    return [item["id"] for item in judged["findings"]]


def finding(judged: Json, id_: str) -> Json:
    """Return the one finding with this id."""
    (found,) = [item for item in judged["findings"] if item["id"] == id_]
    return dict(found)


def kinds(judged: Json) -> list[str]:
    """Return the kinds of the likely causes."""
    return [item["kind"] for item in judged["likely_causes"]]


def needs(judged: Json) -> set[str]:
    """Return every path of what could not be checked."""
    return {path for item in judged["not_checked"] for path in item["needs"]}


ALENDRONATE = order("alendronate", 70, "mg", WEEKLY, "oral")
METHOTREXATE = order("methotrexate", 15, "mg", WEEKLY, "oral")

# ---------------------------------------------------------------- the kind of amount


def test_weekly_alendronate_given_daily_is_stopped(check: Check) -> None:
    """70 mg daily is 490 mg a week, seven times the documented 70 mg; the slip is named first."""
    answer = check(ALENDRONATE | {"frequency": DAILY})
    (found,) = answer["orders"]
    assert (answer["verdict"], found["verdict"]) == ("stop", "stop")
    assert found["ratio"] == {"low": 7, "high": 7}
    assert found["regimen"] == "calcinosis-overview"
    (cause,) = found["likely_causes"]
    assert cause["kind"] == "daily-instead-of-weekly"
    assert cause["would_be"]["text"] == "70 mg once weekly"
    for id_ in ("above-range", "daily-instead-of-weekly"):
        assert finding(found, id_)["severity"] == "contraindicated"
    assert "7 times" in finding(found, "above-range")["summary"]
    assert finding(found, "daily-instead-of-weekly")["because"] == ["orders[0].frequency"]


def test_weekly_alendronate_passes(check: Check) -> None:
    """70 mg once weekly is what is documented."""
    answer = check(ALENDRONATE)
    assert (answer["verdict"], answer["orders"][0]["ratio"]) == ("pass", {"low": 1, "high": 1})
    assert answer["orders"][0]["likely_causes"] == []


def test_weekly_methotrexate_passes_and_daily_is_stopped(check: Check) -> None:
    """15 mg weekly lies in 15 to 25 mg weekly; 15 mg daily is 105 mg a week, 4.2 times the most."""
    weekly = check(METHOTREXATE)
    assert weekly["verdict"] == "pass"
    assert weekly["orders"][0]["not_checked"] == []
    daily = check(METHOTREXATE | {"frequency": DAILY})
    assert daily["verdict"] == "stop"
    assert daily["orders"][0]["ratio"] == {"low": 7, "high": Decimal("4.2")}
    assert kinds(daily["orders"][0]) == ["daily-instead-of-weekly"]


@pytest.mark.parametrize(
    ("frequency", "verdict", "why"),
    [
        (every(7, "d"), "pass", "seven days are a week"),
        (every(168, "h"), "pass", "168 hours are a week"),
        (every(6, "d"), "warn", "more often than weekly"),
        ({"times": 2, "every": {"value": 1, "unit": "wk"}}, "stop", "twice 15 mg is above 25 mg a week"),
        (every(24, "h"), "stop", "daily, in hours"),
        (TWICE, "stop", "twice daily"),
        ({"once": True}, "pass", "a single dose of a week"),
    ],
)
def test_methotrexate_is_weekly(check: Check, frequency: Json, verdict: str, why: str) -> None:
    """Only what comes to once a week or more rarely passes, however it is written."""
    assert check(METHOTREXATE | {"frequency": frequency})["verdict"] == verdict, why


def test_small_daily_methotrexate_is_stopped_although_the_week_is_in_range(check: Check) -> None:
    """2.5 mg daily are 17.5 mg a week, within 15 to 25 mg; daily it is stopped all the same."""
    answer = check(order("methotrexate", 2.5, "mg", DAILY, "oral"))
    assert answer["verdict"] == "stop"
    assert "daily-instead-of-weekly" in ids(answer["orders"][0])


def unread(agent: str, frequency: Json, **more: Any) -> Json:
    """Return an order whose amount cannot be worked out: so many tablets of an unknown product."""
    return {"agent": agent, "dose": {"value": 6, "unit": "{tablet}"}, "frequency": frequency} | more


@pytest.mark.parametrize(
    ("said", "patient", "id_", "severity", "why"),
    [
        (unread("methotrexate", DAILY), {}, "daily-instead-of-weekly", "contraindicated", "unknown strength"),
        (
            {"agent": coded("6851"), "frequency": DAILY},
            {},
            "daily-instead-of-weekly",
            "contraindicated",
            "no dose at all",
        ),
        (
            unread("methotrexate", {"times": 3, "every": {"value": 1, "unit": "wk"}}),
            {},
            "daily-instead-of-weekly",
            "contraindicated",
            "three times a week",
        ),
        (
            order("methotrexate", 15, "mg", DAILY),
            {"age": {"value": 8, "unit": "a"}, "weight": None, "height": None},
            "daily-instead-of-weekly",
            "contraindicated",
            "a child without a weight: no documented amount can be worked out",
        ),
        (
            unread("methotrexate", {"times": 2, "every": {"value": 1, "unit": "wk"}}),
            {},
            "more-often",
            "major",
            "twice a week",
        ),
        (unread("methotrexate", DAILY | {"as_needed": True}), {}, "weekly-drug-as-needed", "major", "as needed"),
        (
            unread("alendronate", DAILY),
            {},
            "daily-instead-of-weekly",
            "major",
            "daily is documented, but for osteoporosis (5 or 10 mg) alone",
        ),
    ],
    ids=["tablets", "no-dose", "thrice-weekly", "no-weight", "twice-weekly", "as-needed", "alendronate"],
)
def test_rhythm_is_judged_without_an_amount(
    check: Check, said: Json, patient: Json, id_: str, severity: str, why: str
) -> None:
    """How often a weekly drug is given can be read whatever the dose is; only what no source does is stopped."""
    found = check(said, patient=patient)["orders"][0]
    assert finding(found, id_)["severity"] == severity, why
    assert found["verdict"] == ("stop" if severity == "contraindicated" else "warn")
    assert finding(found, id_)["because"] == ["orders[0].frequency"]


@pytest.mark.parametrize(
    "said",
    [
        unread("methotrexate", WEEKLY),
        unread("methotrexate", {"once": True}),
        unread("alendronate", WEEKLY),
        unread("ceftriaxone", DAILY, route="intravenous"),
        unread("pamidronate", every(4, "wk"), route="intravenous"),
        unread("diltiazem", THRICE),
    ],
)
def test_documented_rhythm_is_no_finding_without_an_amount(check: Check, said: Json) -> None:
    """An order that is given as often as documented is incomplete, nothing more."""
    found = check(said)["orders"][0]
    assert not {"daily-instead-of-weekly", "more-often", "weekly-drug-as-needed"} & set(ids(found))
    assert "orders[0].product" in needs(found)


def test_weekly_drug_as_needed_is_warned_of_although_nothing_says_how_often(check: Check) -> None:
    """The decision record has a weekly drug as needed as major; how often at most is asked for beside it."""
    found = check(order("methotrexate", 15, "mg", {"as_needed": True}, "oral"))["orders"][0]
    assert finding(found, "weekly-drug-as-needed")["severity"] == "major"
    assert "orders[0].frequency" in needs(found)


def test_unread_order_beside_a_right_one_is_judged(check: Check) -> None:
    """15 mg weekly and tablets daily: the weekly order does not excuse the daily one."""
    assert check(METHOTREXATE, unread("methotrexate", DAILY, route="oral"))["verdict"] == "stop"


@pytest.mark.parametrize(
    ("said", "verdict", "why"),
    [
        (
            order("alendronate", 70, "mg", route="oral"),
            "incomplete",
            "70 mg are a documented week",
        ),
        (order("alendronate", 71, "mg", route="oral"), "stop", "more than any day and any week"),
        (order("alendronate", 700, "mg", route="oral"), "stop", "ten times the week"),
    ],
)
def test_maximum_of_a_day_does_not_stop_a_weekly_dose_that_does_not_say_how_often(
    check: Check, said: Json, verdict: str, why: str
) -> None:
    """What is above the maximum of one regimen may be the dose of another one."""
    judged = check(said)["orders"][0]

    assert judged["verdict"] == verdict, why
    assert "orders[0].frequency" in needs(judged)


def test_maximum_in_grams_does_not_stop_a_dose_per_kg_without_a_weight(client: FlaskClient) -> None:
    """140 g of immunoglobulin are 2 g/kg at 70 kg: without the weight only far more is certainly too much."""
    verdicts = {}
    for grams in (140, 1400):
        said = order("ivig", grams, "g", every(1, "mo"), id="o1")
        (judged,) = client.post(ORDERS, json={"orders": [said]}).get_json()["orders"]
        assert "patient.weight" in needs(judged)
        verdicts[grams] = judged["verdict"]

    assert verdicts == {140: "incomplete", 1400: "stop"}


def test_cause_of_an_order_as_needed_is_no_arbitrary_smaller_dose(check: Check) -> None:
    """Any smaller dose would be within "at most"; a slip must lead to a documented one."""
    judged = check(order("alendronate", 70, "mg", DAILY | {"as_needed": True}, "oral"))["orders"][0]

    assert kinds(judged) == ["daily-instead-of-weekly"]


def test_limits_are_compared_before_rounding(check: Check) -> None:
    """4.004 mg/kg daily against 4 mg/kg is above the range by a thousandth; 4 mg/kg itself is not."""
    above = check(order("diltiazem", 4.004, "mg/kg/d", THRICE, "oral"))
    assert above["orders"][0]["ratio"]["high"] == Decimal("1.001")
    assert "above-range" in ids(above["orders"][0])
    assert above["verdict"] == "warn"
    exact = check(order("diltiazem", 4, "mg/kg/d", THRICE, "oral"))
    assert "above-range" not in ids(exact["orders"][0])
    assert exact["orders"][0]["ratio"]["high"] == 1


def test_child_is_above_the_only_range(check: Check) -> None:
    """Of a child of 20 kg no fixed regimen is documented, so 80.08 mg daily is above 2 to 4 mg/kg (40 to 80 mg)."""
    child = {
        "age": {"value": 6, "unit": "a"},
        "weight": {"value": 20, "unit": "kg"},
        "height": {"value": 116, "unit": "cm"},
    }
    found = check(order("diltiazem", 80.08, "mg/d", THRICE, "oral"), patient=child)["orders"][0]
    assert (found["regimen"], found["ratio"]["high"]) == ("calcinosis-overview", Decimal("1.001"))
    assert "above-range" in ids(found)


@pytest.mark.parametrize(
    ("said", "regimen", "id_", "why"),
    [
        (
            order("pamidronate", 90, "mg", WEEKLY, "intravenous"),
            "calcinosis-overview",
            "more-than-90-mg-every-3-weeks",
            "C01",
        ),
        (order("etidronate", 1301, "mg", DAILY, "oral"), None, "above-20-mg-per-kg", "20 x 65 kg = 1,300 mg"),
        (order("triamcinolone", 10, "mg", {"once": True}, "intravenous"), None, "wrong-route", "not for a vein"),
        (
            order("diltiazem", 361, "mg/d", THRICE, "oral", product={"id": "ir-tablet-60"}),
            None,
            "above-daily-maximum-immediate-release-360",
            "360 mg of immediate-release tablets",
        ),
        (order("colchicine", 5, "mg", DAILY, "oral"), None, "above-daily-maximum-all-1", "five times 1 mg daily"),
    ],
    ids=["pamidronate", "etidronate", "triamcinolone", "diltiazem", "colchicine"],
)
def test_order_is_stopped(check: Check, said: Json, regimen: str | None, id_: str, why: str) -> None:
    """What must not be given is a stop, with the finding that says why."""
    found = check(said)["orders"][0]
    assert found["verdict"] == "stop", why
    assert finding(found, id_)["severity"] == "contraindicated"
    assert regimen is None or found["regimen"] == regimen


def test_drug_with_other_uses_is_warned_of_not_stopped(check: Check) -> None:
    """Warfarin 5 mg daily is five times the 1 mg of calcinosis, and an everyday dose by the INR."""
    found = check(order("warfarin", 5, "mg", DAILY, "oral"))["orders"][0]
    assert (found["verdict"], found["ratio"]["high"]) == ("warn", 5)
    above = finding(found, "above-range")
    assert above["severity"] == "major"
    assert "INR" in above["management"]


CHILD_25: Json = {
    "age": {"value": 8, "unit": "a"},
    "weight": {"value": 25, "unit": "kg"},
    "height": {"value": 128, "unit": "cm"},
}
TABLET_11: Json = {"product": {"id": "extended-release-tablet-11"}}


@pytest.mark.parametrize(
    ("said", "patient", "verdict", "severity", "why"),
    [
        (order("infliximab", 650, "mg", every(8, "wk"), "intravenous"), {}, "warn", "major", "10 mg/kg, the maximum"),
        (
            order("infliximab", 651, "mg", every(8, "wk"), "intravenous"),
            {},
            "stop",
            "contraindicated",
            "above 10 mg/kg",
        ),
        (order("ceftriaxone", 2, "g", TWICE, "intravenous"), {}, "warn", "major", "4 g daily, the most of the label"),
        (order("ceftriaxone", 2.1, "g", TWICE, "intravenous"), {}, "stop", "contraindicated", "above 4 g daily"),
        (order("ruxolitinib", 20, "mg", TWICE, "oral"), {}, "warn", "major", "up to 25 mg in myelofibrosis"),
        (order("ruxolitinib", 26, "mg", TWICE, "oral"), {}, "stop", "contraindicated", "above 25 mg"),
        (order("ruxolitinib", 20, "mg", TWICE, "oral"), CHILD_25, "stop", "contraindicated", "that is for adults"),
        (
            order("methotrexate", 39, "mg", WEEKLY, "subcutaneous"),
            CHILD_25,
            "stop",
            "contraindicated",
            "below 40 mg, which explain nothing at 0.94 m2 and 14 to 19 mg",
        ),
        (order("treprostinil", 1, "mg", THRICE, "oral"), {}, "incomplete", "info", "a start without a most"),
        (order("treprostinil", 2.5, "mg", THRICE, "oral"), {}, "warn", "major", "twenty times the start"),
        (order("treprostinil", 125, "mg", THRICE, "oral"), {}, "stop", "contraindicated", "milligrams for micrograms"),
        (
            order("tofacitinib", 1, "{tablet}", DAILY, "oral", **TABLET_11),
            {},
            "warn",
            "moderate",
            "11 mg a day beside 10 mg a day",
        ),
        (
            order("tofacitinib", 2, "{tablet}", DAILY, "oral", **TABLET_11),
            {},
            "stop",
            "contraindicated",
            "22 mg a day beside 10 mg a day",
        ),
    ],
)
def test_only_what_no_documented_use_explains_is_stopped(
    check: Check, said: Json, patient: Json, verdict: str, severity: str, why: str
) -> None:
    """A maximum that a source documents beside its dose is a dose that is given; above it, it is a stop."""
    found = check(said, patient=patient)["orders"][0]
    assert finding(found, "above-range")["severity"] == severity, why
    assert found["verdict"] == verdict


def test_extended_release_is_compared_by_the_day(check: Check) -> None:
    """One piece holds a day: 11 mg is 1.1 times the 2 x 5 mg of the source, and the form is named."""
    found = check(order("tofacitinib", 1, "{tablet}", DAILY, "oral", **TABLET_11))["orders"][0]
    assert found["ratio"] == {"low": Decimal("1.1"), "high": Decimal("1.1")}
    assert "releases slowly" in finding(found, "above-range")["management"]


def test_raised_dose_is_told_how_far_it_goes(check: Check) -> None:
    """Whoever orders 10 mg/kg of infliximab reads for whom that is documented, and not that it is twice the most."""
    above = finding(check(order("infliximab", 650, "mg", every(8, "wk"), "intravenous"))["orders"][0], "above-range")
    assert "Up to 10 mg/kg when the response is lost." in above["management"]
    assert "the most" not in above["summary"]


KG_70: Json = {"weight": {"value": 70, "unit": "kg", "measured_on": "2026-11-20"}}


@pytest.mark.parametrize(
    ("said", "patient", "id_", "severity", "why"),
    [
        (
            order("diltiazem", 60, "mg", THRICE, "oral", product={"id": "ir-tablet-60"}),
            {},
            "formulation-frequency",
            None,
            "180 mg a day in parts, which 2 to 4 mg/kg a day leaves open",
        ),
        (
            order("diltiazem", 240, "mg", DAILY, "oral", product={"id": "ir-tablet-120"}),
            {},
            "formulation-frequency",
            "moderate",
            "all at once in a form for four times a day",
        ),
        (
            order("diltiazem", 60, "mg", THRICE, "oral", product={"id": "12-hour-capsule-60"}),
            {},
            "formulation-frequency",
            None,
            "no label of this form has a rhythm here",
        ),
        (
            order("abatacept", 750, "mg", every(4, "wk"), "intravenous"),
            KG_70,
            "only-other-use",
            "minor",
            "7 % above 10 mg/kg: three vials of 250 mg, and the band of the label",
        ),
        (
            order("abatacept", 750, "mg", every(4, "wk"), "intravenous"),
            {"weight": {"value": 61, "unit": "kg", "measured_on": "2026-11-20"}},
            "only-other-use",
            "minor",
            "610 mg are three vials of 250 mg",
        ),
        (
            order("ivig", 70, "g", every(4, "wk"), "intravenous"),
            KG_70 | {"height": {"value": 165, "unit": "cm"}},
            "given-at-once",
            None,
            "1 g/kg on one day is half of the 2 g/kg that labels divide over two",
        ),
        (
            order("ivig", 100, "g", every(4, "wk"), "intravenous"),
            KG_70 | {"height": {"value": 165, "unit": "cm"}},
            "given-at-once",
            "moderate",
            "no source gives more than 1 g/kg on one day",
        ),
        (
            order("colchicine", 0.6, "mg", DAILY, "oral"),
            {},
            "below-range",
            "minor",
            "1 mg cannot be made from 0.6 mg; two tablets would be too much",
        ),
        (order("colchicine", 0.5, "mg", DAILY, "oral"), {}, "below-range", "moderate", "two of 0.5 mg make the 1 mg"),
        (
            order("methotrexate", 12.5, "mg", WEEKLY, "oral"),
            {},
            "below-range",
            "moderate",
            "six tablets make the 15 mg",
        ),
    ],
)
def test_what_is_rounded_or_left_open_is_no_warning(
    check: Check, said: Json, patient: Json, id_: str, severity: str | None, why: str
) -> None:
    """What a source leaves open, and what tablets and vials allow, is said quietly or not at all."""
    found = check(said, patient=patient)["orders"][0]
    assert [item["severity"] for item in found["findings"] if item["id"] == id_] == ([severity] if severity else []), (
        why
    )


def test_tapered_steroid_is_no_warning(check: Check) -> None:
    """Prednisone 5 mg daily is below every range, as at the end of any taper."""
    found = check(order("prednisone", 5, "mg", DAILY, "oral"))["orders"][0]
    assert finding(found, "below-range")["severity"] == "minor"
    assert found["verdict"] == "pass"


def test_tapered_steroid_has_no_slip(check: Check) -> None:
    """5 mg is a dose of its own, not 50 mg with a zero lost: an order that passes has no likely cause."""
    assert check(order("prednisone", 5, "mg", DAILY, "oral"))["orders"][0]["likely_causes"] == []


def test_tapered_steroid_is_not_to_be_raised(check: Check) -> None:
    """Nobody is told to raise a maintenance dose of a steroid to the dose of the start."""
    found = check(order("prednisone", 5, "mg", DAILY, "oral"))["orders"][0]
    assert not finding(found, "below-range")["management"].startswith("Order 32.5 to 65 mg")


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (order("tofacitinib", 50, "mg", TWICE, "oral"), "ten times the dose"),
        pytest.param(
            *(order("tofacitinib", 100, "mg", TWICE, "oral"), "twenty times the dose"),
        ),
        pytest.param(
            *(order("colchicine", 20, "mg", THRICE, "oral"), "60 mg daily kills; the maximum of the agent is 2.4 mg"),
        ),
        pytest.param(
            *(order("ceftriaxone", 30, "g", DAILY, "intravenous"), "fifteen times the dose"),
        ),
        pytest.param(
            *(order("colchicine", 1, "mg", every(1, "h"), "oral"), "1.7 times each time, 13 times a day: 24 mg daily"),
        ),
    ],
    ids=["tofacitinib-10", "tofacitinib-20", "colchicine-33", "ceftriaxone-15", "colchicine-13"],
)
def test_higher_overdose_is_not_a_lesser_one(check: Check, said: Json, why: str) -> None:
    """What is many times the documented dose is a stop, whether or not a slip explains the factor."""
    assert check(said)["verdict"] == "stop", why


def test_course_total_given_daily_is_stopped(check: Check) -> None:
    """130 g of immunoglobulin is the 2 g/kg of a whole course at 65 kg; each day without an end it is a stop."""
    found = check(order("ivig", 130, "g", DAILY, "intravenous"))["orders"][0]
    assert (found["verdict"], kinds(found)) == ("stop", ["course-total-given-daily"])


def test_open_course_asks_for_its_end(check: Check) -> None:
    """26 g daily is a fifth of the course; how many days it runs is what is missing, not how often it is given."""
    found = check(order("ivig", 26, "g", DAILY, "intravenous"))["orders"][0]
    assert "orders[0].duration" in needs(found)
    assert "orders[0].frequency" not in needs(found)


def test_nobody_is_told_to_order_a_monthly_total_of_a_weekly_dose(check: Check) -> None:
    """The most pamidronate at one time is 90 mg; no text says to order more."""
    found = check(order("pamidronate", 60, "mg", every(2, "wk"), "intravenous"))["orders"][0]
    assert not [text for text in texts(found) if "391.3" in text]


def test_every_second_week_is_not_every_week(check: Check) -> None:
    """60 mg every 2 weeks is more than documented, and no full dose every week."""
    found = check(order("pamidronate", 60, "mg", every(2, "wk"), "intravenous"))["orders"][0]
    assert found["verdict"] in {"warn", "stop"}
    assert "more-than-90-mg-every-3-weeks" not in ids(found)


def test_documented_dose_is_shown_in_its_own_unit(check: Check) -> None:
    """Whoever wrote 15 g is told 15 to 25 mg, not 0.015 to 0.025 g, which invites the next slip."""
    found = check(order("methotrexate", 15, "g", WEEKLY, "oral"))["orders"][0]
    assert "15 to 25 mg" in finding(found, "above-range")["management"]


# ---------------------------------------------------------------- the weight


def test_implausible_weight_is_named_with_the_plausible_one(check: Check) -> None:
    """544 kg is no adult's weight; a tenth, 54.4 kg, is."""
    answer = check(METHOTREXATE, patient={"weight": {"value": 544, "unit": "kg"}})
    (found,) = [item for item in answer["findings"] if item["id"] == "weight-implausible"]
    assert (found["severity"], found["category"], answer["verdict"]) == ("major", "plausibility", "warn")
    assert "54.4 kg" in found["summary"]


def test_impossible_weight_is_refused(client: FlaskClient) -> None:
    """1,544 kg is no weight at all."""
    body = {"patient": {"weight": {"value": 1544, "unit": "kg"}}, "orders": [METHOTREXATE | {"id": "a"}]}
    response = client.post(ORDERS, json=body)
    assert response.status_code == 422
    assert response.get_json()["errors"][0]["pointer"] == "/patient/weight/value"


def test_wrong_weight_explains_the_order(check: Check) -> None:
    """163.2 mg daily are 3 mg/kg of 54.4 kg, and far below 2 mg/kg of the 544 kg that were sent."""
    weight = {"weight": {"value": 544, "unit": "kg"}}
    said = order("diltiazem", 163.2, "mg/d", THRICE, "oral", regimen="calcinosis-overview")
    found = check(said, patient=weight)["orders"][0]
    assert kinds(found)[0] == "wrong-weight"
    assert found["likely_causes"][0]["would_be"]["weight"] == {"value": Decimal("54.4"), "unit": "kg"}


# ---------------------------------------------------------------- renal function


def kidneys(egfr: float | None) -> Json:
    """Return a patient with an estimated GFR in mL/min/1.73 m² as the only result, or without any."""
    result = {"code": "98979-8", "value": egfr, "unit": "mL/min/{1.73_m2}", "measured_on": "2026-11-20"}
    return {"observations": [] if egfr is None else [result]}


@pytest.mark.parametrize(
    ("egfr", "milligrams", "regimen", "verdict", "why"),
    [
        (30, 2, "reduced-renal-adult", "incomplete", "from 30 on"),
        (45, 2, "reduced-renal-adult", "incomplete", "between"),
        (45, 4, "reduced-renal-adult", "warn", "twice the reduced dose"),
        (59.9, 2, "reduced-renal-adult", "incomplete", "below 60"),
        (60, 4, None, "warn", "60 itself is not below 60; nothing is documented for this adult"),
        (95, 4, None, "warn", "healthy kidneys: 2 mg is not for them, and 4 mg not too much"),
        (29.9, 2, None, "warn", "below 30 it is not recommended"),
        (95, 40, None, "stop", "ten times the most of 4 mg for everybody"),
    ],
)
def test_reduced_dose_is_for_reduced_kidneys(
    check: Check, egfr: float, milligrams: int, regimen: str | None, verdict: str, why: str
) -> None:
    """Baricitinib 2 mg daily is documented at 30 to below 60 mL/min/1.73 m² (trial protocol), for no other adult."""
    found = check(order("baricitinib", milligrams, "mg", DAILY, "oral"), patient=kidneys(egfr))["orders"][0]
    assert (found["regimen"], found["verdict"]) == (regimen, verdict), why
    assert ("no-regimen-for-patient" in ids(found)) == (regimen is None)
    if regimen is None:
        assert "patient.observations[0]" in finding(found, "no-regimen-for-patient")["because"]


def test_unknown_kidneys_leave_open_whether_the_reduced_dose_counts(check: Check) -> None:
    """Nothing is too much and nothing fits before a creatinine says which dose is documented."""
    found = check(order("baricitinib", 4, "mg", DAILY, "oral"), patient=kidneys(None))["orders"][0]
    assert found["verdict"] == "incomplete"
    for id_ in ("above-range", "population-unknown"):
        assert finding(found, id_)["verdict"] == "possible"
        assert finding(found, id_)["because"] == ["patient.observations[2160-0]"]


def test_creatinine_is_enough(check: Check) -> None:
    """1.6 mg/dL in a woman of 40 years is 41 mL/min/1.73 m² (CKD-EPI 2021)."""
    creatinine = {"code": "2160-0", "value": 1.6, "unit": "mg/dL", "measured_on": "2026-11-20"}
    found = check(order("baricitinib", 2, "mg", DAILY, "oral"), patient={"observations": [creatinine]})["orders"][0]
    assert found["regimen"] == "reduced-renal-adult"


# ---------------------------------------------------------------- several orders


def test_orders_of_one_ingredient_are_added(check: Check) -> None:
    """15 mg by mouth and 15 mg under the skin are 30 mg a week, above the 25 mg that hold; each names the other."""
    answer = check(METHOTREXATE, METHOTREXATE | {"route": "subcutaneous"})
    for found, other in zip(answer["orders"], ("o1", "o0"), strict=True):
        assert (found["verdict"], found["summed_with"]) == ("stop", [other])
        week = [item for item in found["together"] if item["per"] == "week"]
        assert [(item["value"], item["unit"]) for item in week] == [(30, "mg")]
        own = [item["value"] for item in found["ordered"] if item["per"] == "week"]
        assert own == [15]
        assert "above-weekly-maximum-all-25" in ids(found)


def test_sum_by_two_routes_does_not_ask_for_a_route_that_is_there(check: Check) -> None:
    """What is listed as missing is missing."""
    answer = check(METHOTREXATE, METHOTREXATE | {"route": "subcutaneous"})
    assert "orders[0].route" not in needs(answer["orders"][0])


def test_a_single_order_is_added_to_nothing(check: Check) -> None:
    """Of a single order there is no sum."""
    found = check(METHOTREXATE)["orders"][0]
    assert (found["summed_with"], found["together"]) == ([], [])


def test_three_orders_name_the_two_others(check: Check) -> None:
    """Ids of one's own come back in the order they were sent."""
    parts = [order("diltiazem", 60, "mg", DAILY, "oral", id=name) for name in ("morning", "noon", "night")]
    answer = check(*parts)
    assert [item["summed_with"] for item in answer["orders"]] == [
        ["noon", "night"],
        ["morning", "night"],
        ["morning", "noon"],
    ]
    assert {amount["value"] for item in answer["orders"] for amount in item["together"] if amount["per"] == "day"} == {
        180
    }


def test_sum_without_a_frequency_does_not_pass(check: Check) -> None:
    """Of 15 mg weekly and 10 mg of no frequency at least the 15 mg weekly follow; it does not pass."""
    answer = check(METHOTREXATE, order("methotrexate", 10, "mg", route="oral"))
    assert answer["verdict"] == "incomplete"
    assert "orders[1].frequency" in needs(answer["orders"][1])
    assert [item["value"] for item in answer["orders"][0]["together"] if item["per"] == "week"] == [15]


def test_order_without_a_frequency_does_not_hide_another(check: Check) -> None:
    """15 mg of methotrexate daily is stopped alone, and beside an order that cannot be read or added."""
    daily = METHOTREXATE | {"frequency": DAILY}
    assert check(daily)["verdict"] == "stop"
    assert check(daily, order("methotrexate", 10, "mg", route="oral"))["verdict"] == "stop"
    assert check(daily, order("methotrexate", 2, "{tablet}", WEEKLY, "oral"))["verdict"] == "stop"


@pytest.mark.parametrize(
    ("said", "changes", "why"),
    [
        (order("methotrexate", 15, "mg", DAILY, "intramuscular"), {}, "a route without a regimen"),
        (order("methotrexate", 150, "mg", DAILY, "intrathecal"), {}, "the same, tenfold"),
        (
            order("methotrexate", 15, "mg", DAILY, "oral", regimen="review-adult-subcutaneous"),
            {},
            "a regimen that is not for it",
        ),
        (order("alendronate", 70, "mg", DAILY, "oral"), {"age": {"value": 9, "unit": "a"}}, "an age without a regimen"),
        (
            order(
                "methotrexate", 15, "mg", {"times": {"low": 1, "high": 7}, "every": {"value": 1, "unit": "wk"}}, "oral"
            ),
            {},
            "up to daily",
        ),
        (
            order("methotrexate", 2.5, "mg", {"times": 6, "every": {"value": 1, "unit": "wk"}}, "oral"),
            {},
            "several times a week",
        ),
        (order("diltiazem", 3600, "mg", None, "oral"), {}, "one dose above a day's maximum"),
        (order("colchicine", 60, "mg", None, "oral"), {}, "the same"),
        (order("ivig", 2, "g/kg", DAILY, "intravenous"), {}, "a course total every day without an end"),
        (order("colchicine", 6, "mg", DAILY, "oral"), {}, "far above"),
    ],
)
def test_dangerous_order_is_stopped(check: Check, said: Json, changes: Json, why: str) -> None:
    """What is far too much for everybody is stopped, whatever else is not documented or not said."""
    assert check(said, patient=changes)["verdict"] == "stop", why


@pytest.mark.parametrize(
    ("said", "id_", "why"),
    [
        (
            order("methotrexate", 15, "mg", every(1, "wk", as_needed=True), "oral"),
            "weekly-drug-as-needed",
            "a weekly drug",
        ),
        (
            order("abatacept", 650, "mg", every(2, "wk"), "intravenous", duration={"value": 52, "unit": "wk"}),
            "more-often",
            "the loading interval for ever",
        ),
        (
            order("methotrexate", 15, "mg", WEEKLY, "subcutaneous", product={"id": "tablet-2.5"}),
            "product-for-another-route",
            "tablets under the skin",
        ),
        (
            order("methotrexate", 16, "mg", WEEKLY, "oral", product={"id": "tablet-2.5"}),
            "not-splittable",
            "6.4 tablets",
        ),
        (
            order(
                "pamidronate",
                60,
                "mg",
                every(1, "mo"),
                "intravenous",
                infusion={"duration": {"value": 10, "unit": "min"}},
            ),
            "infusion-too-fast",
            "ten minutes",
        ),
        (
            order("etidronate", 800, "mg", DAILY, "oral", duration={"value": 60, "unit": "mo"}),
            "duration-above-maximum",
            "five years",
        ),
    ],
)
def test_order_is_warned_of(check: Check, said: Json, id_: str, why: str) -> None:
    """The finding is there, and the order does not pass."""
    found = check(said)["orders"][0]
    assert any(name.startswith(id_) for name in ids(found)), why
    assert found["verdict"] in {"warn", "stop"}


@pytest.mark.parametrize(
    ("kg", "days", "says", "why"),
    [
        (60, None, ("no-end-ordered", "moderate", "at most 3 months (above 10 mg/kg daily)"), "13.3 mg/kg, no end"),
        (60, 91, None, "three months are 91.3 days"),
        (60, 92, ("duration-above-maximum", "major", "3 months"), "a day longer"),
        (60, 365, ("duration-above-maximum", "major", "3 months"), "both maxima are passed: the shorter speaks"),
        (80, 180, None, "800 / 80 = 10 mg/kg: 6 months"),
        (79.9, 180, ("duration-above-maximum", "major", "3 months"), "just above 10 mg/kg"),
        (90, 180, None, "8.9 mg/kg: 6 months"),
        (90, 183, ("duration-above-maximum", "major", "6 months"), "six months are 182.6 days"),
        (90, None, ("no-end-ordered", "moderate", "at most 6 months."), "8.9 mg/kg, no end"),
        (None, 365, ("duration-above-maximum", "major", "6 months"), "no weight allows a year"),
    ],
)
def test_etidronate_must_end_by_its_dose_per_kg(
    check: Check, kg: float | None, days: int | None, says: tuple[str, str, str] | None, why: str
) -> None:
    """The label: up to 10 mg/kg daily for at most 6 months, above that for at most 3."""
    lasts = {"duration": {"value": days, "unit": "d"}} if days else {}
    weight = {"weight": {"value": kg, "unit": "kg", "measured_on": "2026-11-20"} if kg else None}
    found = check(order("etidronate", 800, "mg", DAILY, "oral", **lasts), patient=weight)["orders"][0]
    about_time = [item for item in found["findings"] if item["category"] == "duration"]
    if says is None:
        assert about_time == [], why
    else:
        id_, severity, words = says
        (said,) = about_time
        assert (said["id"], said["severity"], found["verdict"]) == (id_, severity, "warn"), why
        assert words in said["summary"]


def test_longest_time_waits_for_the_weight(check: Check) -> None:
    """Five months of 800 mg pass the 3 months of a dose above 10 mg/kg, if it is one."""
    said = order("etidronate", 800, "mg", DAILY, "oral", duration={"value": 5, "unit": "mo"})
    found = check(said, patient={"weight": None})["orders"][0]
    assert ["patient.weight"] in [item["needs"] for item in found["not_checked"] if "duration" in item["check"]]


@pytest.mark.parametrize(
    ("milligrams", "weeks", "count", "found_", "why"),
    [
        (1000, 1, 4, "above-course-total", "4 g: documented is 2 x 1 g, or 4 x 375 x 1.845 m2 = 2.77 g"),
        (1000, 1, 3, "above-course-total", "3 g"),
        (1000, 2, 2, None, "2 x 1 g, two weeks apart"),
        (690, 1, 4, None, "4 x 375 mg/m2, rounded"),
        (700, 1, 4, None, "700 for 691.8 mg is rounding"),
        (500, 1, 5, "duration-above-course", "2.5 g are less than 2.77 g, in one more administration"),
    ],
)
def test_total_of_a_course_is_compared(
    check: Check, milligrams: int, weeks: int, count: int, found_: str | None, why: str
) -> None:
    """Rituximab at 70 kg and 175 cm: a dose that is documented twice is not documented four times."""
    size = {"weight": {"value": 70, "unit": "kg"}, "height": {"value": 175, "unit": "cm"}}
    said = order("rituximab", milligrams, "mg", every(weeks, "wk", count=count), "intravenous")
    found = check(said, patient=size)["orders"][0]
    about = [id_ for id_ in ids(found) if id_ in {"above-course-total", "duration-above-course"}]
    assert about == ([found_] if found_ else []), why
    if found_ == "above-course-total":
        assert finding(found, found_)["severity"] == "major"


@pytest.mark.parametrize(("weeks", "is_long"), [(6, False), (8, False), (12, False), (13, True)])
def test_course_of_a_range_ends_with_its_upper_end(check: Check, weeks: int, is_long: bool) -> None:
    """Courses of minocycline of 6 to 12 weeks are documented."""
    lasts = {"duration": {"value": weeks, "unit": "wk"}}
    found = check(order("minocycline", 100, "mg", TWICE, "oral", **lasts))["orders"][0]
    assert ("duration-above-course" in ids(found)) == is_long


def test_maximum_of_one_source_is_worded_as_such(check: Check, client: FlaskClient) -> None:
    """90 mg of diltiazem daily at 25.4 kg: above 3.5 mg/kg (S05), below 6 mg/kg (S08), inside 2 to 4 mg/kg.

    The order check warns of what the dose endpoint offers, and forbids nothing.
    """
    child: Json = {"age": {"value": 9, "unit": "a"}, "weight": {"value": 25.4, "unit": "kg"}, "height": None}
    said = order("diltiazem", 30, "mg", THRICE, "oral", product={"id": "ir-tablet-30"})
    found = check(said, patient=child)["orders"][0]
    (above,) = [item for item in found["findings"] if item["id"].startswith("above-daily-maximum")]
    assert "88.9 mg daily" in above["summary"]
    assert above["management"] == "Stay at or below 88.9 mg daily (below 18 years), or document why more is meant."

    patient = {"age": child["age"], "weight": child["weight"]}
    body = {"agent": "diltiazem", "patient": patient, "options": {"times_per_day": 3}}
    dose = client.post("/v1/dose-calculations", json=body).get_json()
    assert above["id"] in [item["id"] for item in dose["findings"]]
    assert "90 mg daily" in [item["text"].rpartition(", ")[2] for item in dose["dose"]["practical"]]


def test_dose_above_a_maximum_that_holds_is_forbidden(check: Check) -> None:
    """6 mg/kg x 25.4 kg = 152.4 mg."""
    child: Json = {"age": {"value": 9, "unit": "a"}, "weight": {"value": 25.4, "unit": "kg"}, "height": None}
    found = check(order("diltiazem", 60, "mg", THRICE, "oral"), patient=child)["orders"][0]
    above = [item for item in found["findings"] if item["id"].startswith("above-daily-maximum")]
    assert any(item["management"].startswith("Do not exceed 152.4 mg daily") for item in above)


def _into_lesions(agent: str, millilitres: float, product: str, frequency: Json) -> Json:
    return order(agent, millilitres, "mL", frequency, "intralesional", product={"id": product})


@pytest.mark.parametrize(
    ("said", "verdict", "expected", "why"),
    [
        (
            _into_lesions("sodium-thiosulfate", 50, "vial-12.5g", WEEKLY),
            "warn",
            {"lesions-as-much-as-by-vein", "more-often"},
            "50 x 250 = 12.5 g, the whole dose by vein",
        ),
        (
            _into_lesions("sodium-thiosulfate", 5, "vial-12.5g", WEEKLY),
            "warn",
            {"lesions-together", "more-often"},
            "250 mg/mL is documented monthly",
        ),
        (
            _into_lesions("sodium-thiosulfate", 5, "vial-12.5g", every(1, "mo")),
            "warn",
            {"lesions-together"},
            "monthly, 1,250 mg are added up",
        ),
        (
            _into_lesions("triamcinolone", 0.25, "suspension-40", {"once": True}),
            "stop",
            {"too-strong-for-skin"},
            "TRI-C3",
        ),
        (
            _into_lesions("triamcinolone", 0.25, "suspension-10", {"once": True}),
            "incomplete",
            set(),
            "10 mg/mL is for it",
        ),
        (
            order("triamcinolone", 1, "mL", {"once": True}, "intramuscular", product={"id": "suspension-10"}),
            "stop",
            {"wrong-route", "product-for-another-route", "route-not-documented"},
            "TRI-C2",
        ),
    ],
)
def test_strength_of_an_injection_counts(check: Check, said: Json, verdict: str, expected: set[str], why: str) -> None:
    """What goes into a lesion has no documented volume: total, strength and interval are judged."""
    found = check(said)["orders"][0]
    other = {"evidence", "disagreement", "off-label", "interaction"}
    spoken = [item for item in found["findings"] if item["category"] not in other]
    assert (found["verdict"], {item["id"] for item in spoken}) == (verdict, expected), why


def test_strong_suspension_may_go_into_a_muscle(check: Check) -> None:
    """No dose is documented here for a muscle; that the 10 mg/mL suspension is not for it is no reason at 40 mg/mL."""
    said = order("triamcinolone", 1, "mL", {"once": True}, "intramuscular", product={"id": "suspension-40"})
    found = check(said)["orders"][0]
    assert "route-not-documented" in ids(found)
    assert not {"wrong-route", "product-for-another-route", "too-strong-for-skin"} & set(ids(found))


def _clearance(value: float) -> Json:
    """Return a healthy adult with a measured creatinine clearance (mL/min)."""
    return {"observations": [{"code": "2164-2", "value": value, "unit": "mL/min"}]}


_CHILD: Json = {"age": {"value": 10, "unit": "a"}, "height": {"value": 140, "unit": "cm"}}


@pytest.mark.parametrize(
    ("said", "patient", "asks", "why"),
    [
        (
            order("tofacitinib", 5, "mg", DAILY, "oral"),
            _clearance(35),
            "renal-impairment",
            "CrCl 30-50: 5 mg once daily (TOF-R1)",
        ),
        (
            order("tofacitinib", 5, "mg", DAILY, "oral"),
            {"medications": ["clarithromycin"]},
            "interaction-B266",
            "strong CYP3A4 inhibitor: 5 mg once daily (TOF-D1)",
        ),
        (
            order("baricitinib", 2, "mg", DAILY, "oral"),
            {**_CHILD, "weight": {"value": 35, "unit": "kg"}, "medications": ["probenecid"]},
            "interaction-A049",
            "4 mg from 30 kg, halved (BAR-D1)",
        ),
        (
            order("ruxolitinib", 2.5, "mg", TWICE, "oral"),
            {**_CHILD, "weight": {"value": 25, "unit": "kg"}, "medications": ["clarithromycin"]},
            "interaction-B275",
            "5 mg twice daily from 25 kg, halved",
        ),
        (order("methotrexate", 7.5, "mg", WEEKLY, "oral"), _clearance(45), "renal-moderate", "15 mg weekly, halved"),
        (
            order("colchicine", 0.3, "mg", DAILY, "oral"),
            _clearance(25),
            "severe-kidney-impairment",
            "CrCl < 30: start 0.3 mg daily (COL-R1)",
        ),
        (
            order("colchicine", 0.3, "mg", DAILY, "oral"),
            {"medications": ["diltiazem"]},
            "interaction-A001",
            "0.3 mg daily with diltiazem (COL-D2)",
        ),
    ],
)
def test_dose_that_was_asked_for_is_not_too_low(check: Check, said: Json, patient: Json, asks: str, why: str) -> None:
    """The finding that asks for less stays and says that the order has less; none calls the order too low."""
    found = check(said, patient=patient)["orders"][0]
    assert "below-range" not in ids(found), why
    assert finding(found, asks)["management"].endswith("The ordered dose is already lower than documented.")
    assert finding(found, "below-range-as-asked")["severity"] == "info"
    assert found["likely_causes"] == []


def test_daily_amount_of_a_weak_kidney_is_not_too_low(check: Check) -> None:
    """Between 30 and 50 mL/min colchicine is held at 0.6 mg daily: an order of just that is as asked."""
    found = check(order("colchicine", 0.6, "mg", DAILY, "oral"), patient=_clearance(40))["orders"][0]
    assert ("below-range" in ids(found), "below-range-as-asked" in ids(found)) == (False, True)


@pytest.mark.parametrize(
    ("said", "patient", "why"),
    [
        (order("tofacitinib", 5, "mg", DAILY, "oral"), _clearance(90), "nothing asks for less"),
        (order("tofacitinib", 0.5, "mg", DAILY, "oral"), _clearance(35), "a tenth of the 5 mg that is asked for"),
        (order("methotrexate", 5, "mg", WEEKLY, "oral"), _clearance(45), "a third of 15 mg, asked for is half"),
        (order("tofacitinib", 5, "mg", DAILY, "oral"), {"medications": ["ibuprofen"]}, "no such interaction"),
    ],
)
def test_dose_below_what_is_asked_for_is_too_low(check: Check, said: Json, patient: Json, why: str) -> None:
    """Less than documented without a reason, or less than the reason asks for, is below the range."""
    found = check(said, patient=patient)["orders"][0]
    assert ("below-range" in ids(found), "below-range-as-asked" in ids(found)) == (True, False), why


def test_rounded_dose_per_area_is_no_warning(check: Check) -> None:
    """375 mg/m2 of rituximab rounded to what can be measured is a minor finding without a slip, not a stop."""
    weekly = every(1, "wk", count=4)
    found = check(order("rituximab", 650, "mg", weekly, "intravenous", regimen="calcinosis-crest-report"))["orders"][0]
    assert finding(found, "below-range")["severity"] == "minor"
    assert found["likely_causes"] == []


def test_what_a_sum_lacks_is_asked_of_the_order_that_lacks_it(check: Check) -> None:
    """The first order has a frequency; only the second is asked for one."""
    answer = check(METHOTREXATE, order("methotrexate", 10, "mg", route="oral"))
    assert "orders[0].frequency" not in needs(answer["orders"][0])
    assert "orders[1].frequency" in needs(answer["orders"][0])


def test_combination_product_is_one_order_of_each_ingredient(check: Check) -> None:
    """A tablet of 500 mg probenecid and 0.5 mg colchicine twice daily is 1,000 mg and 1 mg daily."""
    answer = check(order(coded("198153"), 1, "{tablet}", TWICE))
    assert [(item["id"], item["agent"]["id"]) for item in answer["orders"]] == [
        ("o0", "colchicine"),
        ("o0", "probenecid"),
    ]
    daily = [amount["value"] for item in answer["orders"] for amount in item["ordered"] if amount["per"] == "day"]
    assert daily == [1, 1000]


def test_combination_product_counts_beside_its_ingredient(check: Check) -> None:
    """0.5 mg of the combination twice daily and 0.6 mg colchicine daily are 1.6 mg daily."""
    answer = check(order(coded("198153"), 1, "{tablet}", TWICE), order("colchicine", 0.6, "mg", DAILY, "oral"))
    first = answer["orders"][0]
    assert (first["agent"]["id"], first["summed_with"]) == ("colchicine", ["o1"])
    assert [item["value"] for item in first["together"] if item["per"] == "day"] == [Decimal("1.6")]
    # Above 1 mg daily of the calcinosis review, within 1.2 to 2.4 mg daily of Mediterranean fever only.
    assert finding(first, "only-other-use")["severity"] == "major"


def test_milligrams_of_a_combination_say_nothing(check: Check) -> None:
    """500 mg of a combination could be of either drug, so neither is compared."""
    answer = check(order(coded("198153"), 500, "mg", TWICE))
    assert [item["verdict"] for item in answer["orders"]] == ["incomplete", "incomplete"]
    for found in answer["orders"]:
        assert (found["ordered"], found["ratio"]) == ([], None)
        assert "orders[0].dose" in needs(found)


def test_combination_with_a_vitamin_counts_its_drug(check: Check) -> None:
    """A tablet of alendronate 70 mg and cholecalciferol passes weekly and is stopped daily."""
    weekly = check(order(coded("904462"), 1, "{tablet}", WEEKLY))["orders"][0]
    assert (weekly["agent"]["id"], weekly["verdict"], weekly["ratio"]["high"]) == ("alendronate", "pass", 1)
    daily = check(order(coded("904462"), 1, "{tablet}", DAILY))["orders"][0]
    assert (daily["verdict"], kinds(daily)) == ("stop", ["daily-instead-of-weekly"])


@pytest.mark.parametrize(
    ("first", "second", "id_", "verdict"),
    [
        (order("diltiazem", 240, "mg/d", THRICE, "oral"), order("colchicine", 1, "mg", DAILY, "oral"), "A001", "warn"),
        (order("probenecid", 500, "mg", TWICE, "oral"), METHOTREXATE, "A048", "stop"),
        (ALENDRONATE, order("pamidronate", 60, "mg", every(1, "mo"), "intravenous"), "A030", "warn"),
        (
            order("diltiazem", 240, "mg/d", THRICE, "oral"),
            order("simvastatin", 20, "mg", DAILY, "oral"),
            "B008",
            "warn",
        ),
    ],
    ids=["diltiazem-colchicine", "probenecid-methotrexate", "two-bisphosphonates", "diltiazem-simvastatin"],
)
def test_orders_interact_without_a_medication_list(
    check: Check, first: Json, second: Json, id_: str, verdict: str
) -> None:
    """Orders are checked against each other although nothing is known of what else is taken."""
    answer = check(first, second, patient={"medications": None})
    assert answer["verdict"] == verdict
    judged = [item for item in answer["orders"] if item["agent"]]
    for found in judged:
        assert finding(found, f"interaction-{id_}")["verdict"] == "applies"
        other = "orders[1]" if found["id"] == "o0" else "orders[0]"
        assert finding(found, f"interaction-{id_}")["because"] == [other]
        assert "patient.medications" in needs(found)


def test_unknown_drug_is_incomplete_and_counts_beside_the_others(check: Check) -> None:
    """Of simvastatin no dose is documented here; that is said of it, and the whole never passes."""
    answer = check(METHOTREXATE, order("simvastatin", 20, "mg", DAILY, "oral"))
    other = answer["orders"][1]
    assert (other["agent"], other["regimen"], other["verdict"], other["ratio"]) == (None, None, "incomplete", None)
    assert needs(other) == {"orders[1].agent"}
    assert answer["verdict"] == "incomplete"


# ---------------------------------------------------------------- what is missing


@pytest.mark.parametrize(
    ("said", "changes", "missing"),
    [
        (order("methotrexate", 15, "mg", None, "oral"), {}, "orders[0].frequency"),
        ({"agent": "methotrexate", "frequency": WEEKLY, "route": "oral"}, {}, "orders[0].dose"),
        (order("methotrexate", 15, "mg", WEEKLY), {}, "orders[0].route"),
        (order("diltiazem", 3, "mg/kg/d", THRICE, "oral"), {"weight": None}, "patient.weight"),
        (
            order("diltiazem", 180, "mg/d", THRICE, "oral", regimen="calcinosis-overview"),
            {"weight": None},
            "patient.weight",
        ),
        (order("mycophenolate", 600, "mg/m2", TWICE, "oral"), {"height": None}, "patient.height"),
        (METHOTREXATE, {"age": None}, "patient.age"),
        (METHOTREXATE, {"medications": None}, "patient.medications"),
        (ALENDRONATE, {"conditions": None}, "patient.conditions"),
        (METHOTREXATE, {"pregnant": None}, "patient.pregnant"),
        (order("methotrexate", 2, "{tablet}", WEEKLY, "oral"), {}, "orders[0].product"),
        (order("minocycline", 100, "mg/d", DAILY, "oral"), {}, "orders[0].duration"),
        (
            order("minocycline", 100, "mg/d", DAILY, "oral", duration={"value": 30, "unit": "d"}),
            {},
            "orders[0].already_given",
        ),
    ],
)
def test_what_is_missing_is_named(check: Check, said: Json, changes: Json, missing: str) -> None:
    """Without it the order is incomplete, and the exact path of the request that would settle it is listed."""
    answer = check(said, patient=changes)
    (found,) = answer["orders"]
    assert (answer["verdict"], found["verdict"]) == ("incomplete", "incomplete")
    assert missing in needs(found)


@pytest.mark.parametrize(
    ("said", "changes", "wrong", "right"),
    [
        (order("diltiazem", 3, "mg/kg/d", THRICE, "oral"), {"weight": None}, "orders[0].dose", "patient.weight"),
        (order("methotrexate", 15, "mg", None, "oral"), {}, "orders[0].dose", "orders[0].frequency"),
    ],
)
def test_what_is_there_is_not_asked_for(check: Check, said: Json, changes: Json, wrong: str, right: str) -> None:
    """A safety rule that waits for the amount asks for what the amount waits for, not for the dose that was sent."""
    found = check(said, patient=changes)["orders"][0]
    assert right in needs(found)
    assert wrong not in needs(found)


def test_intralesional_order_can_be_completed(check: Check) -> None:
    """What is asked for is something that the request can hold and does not hold yet."""
    found = check(order("sodium-thiosulfate", 25, "mg", every(1, "mo"), "intralesional"))["orders"][0]
    assert found["verdict"] != "incomplete" or "orders[0].dose" not in needs(found)


@pytest.mark.parametrize("said", [METHOTREXATE, ALENDRONATE, order("diltiazem", 240, "mg/d", THRICE, "oral")])
def test_nothing_is_known_of_the_patient(check: Check, said: Json) -> None:
    """Without any fact about the patient nothing passes."""
    assert check(said, patient=dict.fromkeys(HEALTHY))["verdict"] != "pass"


@pytest.mark.parametrize("name", sorted(HEALTHY))
def test_one_fact_less_is_never_a_pass_with_open_checks(check: Check, name: str) -> None:
    """Whatever is left out, a pass has neither open checks nor findings that may apply."""
    for said in (METHOTREXATE, ALENDRONATE, order("diltiazem", 240, "mg/d", THRICE, "oral")):
        answer = check(said, patient={name: None})
        for found in answer["orders"]:
            if found["verdict"] == "pass":
                assert found["not_checked"] == []
                assert "possible" not in {item["verdict"] for item in found["findings"]}
        if answer["verdict"] == "pass":
            assert answer["not_checked"] == []


def test_verdict_is_the_worst_of_all(check: Check) -> None:
    """One stopped order stops them all; each keeps a verdict of its own."""
    answer = check(ALENDRONATE | {"frequency": DAILY}, METHOTREXATE)
    assert (answer["verdict"], [item["verdict"] for item in answer["orders"]]) == ("stop", ["stop", "pass"])


# ---------------------------------------------------------------- products


@pytest.mark.parametrize(
    ("said", "severity"),
    [
        (order("diltiazem", 120, "mg", DAILY, "oral", product={"id": "cd-capsule-240"}), "major"),
        (order(coded("830837"), 0.5, "{capsule}", DAILY), "major"),
        (order("diltiazem", 15, "mg", THRICE, "oral", product={"id": "ir-tablet-30"}), "moderate"),
    ],
)
def test_what_may_not_be_split_is_said(check: Check, said: Json, severity: str) -> None:
    """Half an extended-release capsule is major, half an unscored tablet moderate; both warn."""
    found = check(said)["orders"][0]
    split = finding(found, "not-splittable")
    assert (split["severity"], split["because"]) == (severity, ["orders[0].product", "orders[0].dose"])
    assert VERDICTS.index(found["verdict"]) <= VERDICTS.index("warn")


def test_scored_tablet_may_be_halved(check: Check) -> None:
    """The tablet of 60 mg has a score line: 30 mg and 90 mg can be given with it."""
    for value in (30, 90):
        said = order(
            "diltiazem",
            value,
            "mg",
            {"times": 4, "every": {"value": 1, "unit": "d"}},
            "oral",
            product={"id": "ir-tablet-60"},
        )
        assert "not-splittable" not in ids(check(said)["orders"][0])


def test_third_of_a_scored_tablet_is_refused_for_the_right_reason(check: Check) -> None:
    """The tablet of 60 mg gives halves, not thirds; it does have a score line."""
    found = check(order("diltiazem", 20, "mg", THRICE, "oral", product={"id": "ir-tablet-60"}))["orders"][0]
    assert "no score line" not in finding(found, "not-splittable")["management"]


@pytest.mark.parametrize(
    ("said", "milligrams", "why"),
    [
        (
            order("methotrexate", 0.6, "mL", WEEKLY, "subcutaneous", product={"id": "injection-25"}),
            15,
            "0.6 x 25 mg/mL",
        ),
        (order("methotrexate", 3, "{tablet}", WEEKLY, "oral", product={"id": "tablet-5"}), 15, "3 x 5 mg"),
        (order("methotrexate", 6, "tablet", WEEKLY, "oral", product={"id": "tablet-2.5"}), 15, "6 x 2.5 mg"),
        (
            order(
                *("pamidronate", 2, "{vial}", every(1, "mo"), "intravenous"),
                product={"id": "vial-30mg"},
                infusion={"duration": {"value": 4, "unit": "h"}},
            ),
            60,
            "2 x 30 mg",
        ),
        (order(coded("904431"), 1, "{tablet}", WEEKLY), 70, "alendronate 70 mg by its code"),
        (order("diltiazem", 1, "{capsule}", DAILY, "oral", product=coded("830837")), 240, "240 mg by its code"),
        (order("methotrexate", 15000, "mcg", WEEKLY, "oral"), 15, "15,000 mcg"),
        (order("methotrexate", 0.015, "g", WEEKLY, "oral"), 15, "0.015 g"),
    ],
)
def test_pieces_are_milligrams(check: Check, said: Json, milligrams: int, why: str) -> None:
    """What is counted in products comes to the milligrams that they hold, and lies in the range."""
    found = check(said)["orders"][0]
    units = {"mg": 1, "g": 1000, "ug": Decimal("0.001")}
    each = [item["value"] * units[item["unit"]] for item in found["ordered"] if item["per"] == "administration"]
    assert each == [milligrams], why
    assert found["verdict"] == "pass"


def test_unknown_product_code_does_not_pass(check: Check) -> None:
    """Which product is meant was not found out, so it was not checked whether it can be split or by which route."""
    answer = check(METHOTREXATE | {"product": coded("1")})
    assert answer["verdict"] == "incomplete"


# ---------------------------------------------------------------- how often


@pytest.mark.parametrize(
    ("said", "day", "why"),
    [
        (order("diltiazem", 80, "mg", every(8, "h"), "oral"), [240, 240], "24 / 8 = 3"),
        (
            order("diltiazem", 60, "mg", {"times": 1, "every": {"low": 6, "high": 8, "unit": "h"}}, "oral"),
            [180, 240],
            "3 to 4",
        ),
        (order("diltiazem", 60, "mg", every(6, "h", as_needed=True), "oral"), [0, 240], "at most four, perhaps none"),
    ],
)
def test_amount_of_a_day_follows(check: Check, said: Json, day: list[int], why: str) -> None:
    """The amount of a day is what the frequency makes of the dose."""
    found = check(said)["orders"][0]
    amounts = [(item["low"], item["value"], item["unit"]) for item in found["ordered"] if item["per"] == "day"]
    assert amounts == [(day[0], day[1], "mg")], why


def test_as_needed_is_never_below(check: Check) -> None:
    """As needed counts as its maximum: 60 mg up to four times is in range, and 10 mg once is not too little."""
    assert check(order("diltiazem", 60, "mg", every(6, "h", as_needed=True), "oral"))["verdict"] == "pass"
    little = check(order("diltiazem", 10, "mg", every(24, "h", as_needed=True), "oral"))["orders"][0]
    assert "below-range" not in ids(little)
    much = check(order("methotrexate", 15, "mg", every(1, "d", as_needed=True), "oral"))
    assert much["verdict"] == "stop"


@pytest.mark.parametrize(
    ("count", "repeat", "verdict", "why"),
    [
        (5, 4, "pass", "5 x 0.4 g/kg is the course of 2 g/kg, every 4 weeks"),
        (5, 2, "pass", "a consensus for juvenile dermatomyositis has every 2 weeks"),
        (10, 4, "stop", "10 x 0.4 g/kg is twice the course"),
    ],
)
def test_course_is_counted(check: Check, count: int, repeat: int, verdict: str, why: str) -> None:
    """A course is what is given each time, times its count; it comes again no sooner than documented."""
    child = {"age": {"value": 10, "unit": "a"}, "weight": {"value": 30, "unit": "kg", "measured_on": "2026-11-20"}}
    child |= {"height": {"value": 138, "unit": "cm"}}
    again = {"value": repeat, "unit": "wk"}
    said = order("ivig", 0.4, "g/kg", every(1, "d", count=count, repeat_every=again), "intravenous")
    found = check(said, patient=child)["orders"][0]
    if verdict == "pass":
        assert "above-range" not in ids(found), why
        assert found["ratio"]["high"] == 1
    else:
        assert found["ratio"]["high"] == 2, why
        assert "above-range" in ids(found)


def test_monthly_is_28_to_31_days(check: Check) -> None:
    """60 mg every 28, 30 or 31 days, every 4 weeks or monthly is the documented 60 mg a month."""
    for frequency in (every(28, "d"), every(30, "d"), every(31, "d"), every(4, "wk"), every(1, "mo")):
        slowly = {"duration": {"value": 4, "unit": "h"}}
        found = check(order("pamidronate", 60, "mg", frequency, "intravenous", infusion=slowly))["orders"][0]
        assert (found["regimen"], found["verdict"]) == ("calcinosis-monthly-series", "pass"), frequency
        assert found["ratio"] == {"low": 1, "high": 1}


@pytest.mark.parametrize("weeks", [(4, 5), (4, 6)])
def test_a_longer_interval_is_not_stopped(check: Check, weeks: tuple[int, int]) -> None:
    """60 mg every 4 weeks passes, so 60 mg every 4 to 5 weeks is not a full dose every week."""
    frequency = {"times": 1, "every": {"low": weeks[0], "high": weeks[1], "unit": "wk"}}
    found = check(order("pamidronate", 60, "mg", frequency, "intravenous"))["orders"][0]
    assert "more-than-90-mg-every-3-weeks" not in ids(found)


def test_total_of_a_day_does_not_grow_with_its_parts(check: Check) -> None:
    """Alendronate 10 mg a day, given once or in two parts, is 70 mg a week, at the weekly maximum and not above."""
    frequency = {"times": {"low": 1, "high": 2}, "every": {"value": 1, "unit": "d"}}
    found = check(order("alendronate", 10, "mg/d", frequency, "oral"))["orders"][0]
    assert "above-weekly-maximum-all-70" not in ids(found)


def test_total_written_per_day_is_not_taken_for_one_of_each_time(check: Check) -> None:
    """420 mg/d in three parts says that 420 mg is of a day; the slip of giving it three times is not in it."""
    found = check(order("diltiazem", 420, "mg/d", THRICE, "oral", product={"id": "ir-tablet-60"}))["orders"][0]
    assert "daily-total-given-each-time" not in kinds(found)


# ---------------------------------------------------------------- routes, rates, strengths


def test_route_without_a_dose_is_said(check: Check) -> None:
    """Alendronate is documented by mouth only."""
    found = check(order("alendronate", 70, "mg", WEEKLY, "intravenous"))["orders"][0]
    assert finding(found, "route-not-documented")["severity"] == "major"
    assert finding(found, "route-not-documented")["because"] == ["orders[0].route"]
    assert found["verdict"] == "warn"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (order("ruxolitinib", 1, "g", TWICE, "topical"), "a gram of a 1.5 % cream holds 15 mg"),
        (order("diltiazem", 1, "g", TWICE, "rectal"), "a gram of a 2 % ointment holds 20 mg"),
        (order("triamcinolone", 1, "g", TWICE, "topical"), "a gram of a 0.1 % cream holds 1 mg"),
        (order("minocycline", 1, "g", DAILY, "topical"), "a gram of a 4 % foam holds 40 mg"),
        (order("triamcinolone", 100, "g", DAILY, "nasal"), "as much as anybody likes"),
        (order("methotrexate", 2, "g", DAILY, "topical"), "nor is a gel a weekly drug"),
    ],
    ids=["ruxolitinib", "diltiazem", "triamcinolone", "minocycline", "nasal", "methotrexate"],
)
def test_gram_of_a_preparation_is_no_gram_of_the_drug(check: Check, said: Json, why: str) -> None:
    """On a surface no amount is compared, not even for far too much; that the route is not documented is all."""
    found = check(said)["orders"][0]
    about = {"dose", "dose-limit", "frequency", "route", "duration"}
    assert [item["id"] for item in found["findings"] if item["category"] in about] == ["route-not-documented"], why
    assert (found["verdict"], found["ratio"], found["ordered"], found["limits"]) == ("warn", None, [], [])
    assert "orders[0].dose" in needs(found)


def test_cream_is_not_added_to_tablets(check: Check) -> None:
    """Diltiazem by mouth and as an ointment: the tablets are judged as if alone, and the ointment's route is said."""
    tablets = order("diltiazem", 60, "mg", THRICE, "oral")
    alone, (both, ointment) = (
        check(tablets)["orders"][0],
        check(tablets, order("diltiazem", 1, "g", TWICE, "rectal"))["orders"],
    )
    assert (both["ratio"], both["summed_with"]) == (alone["ratio"], [])
    assert "route-not-documented" in ids(ointment)


def test_intralesional_milligrams_are_the_drug(check: Check) -> None:
    """A lesion gets the drug itself: 1 g is above the 15 mg of a session."""
    found = check(order("triamcinolone", 1, "g", {"once": True}, "intralesional"))["orders"][0]
    assert "above-single-maximum-all-15" in ids(found)


@pytest.mark.parametrize("rate", [None, {"value": 1000, "unit": "mL/h"}])
def test_rate_of_an_infusion_is_not_passed_over(check: Check, rate: Json | None) -> None:
    """The most is 0.04 mL/kg a minute, 156 mL/h at 65 kg: 1,000 mL/h does not pass, nor does an unknown rate."""
    course = every(1, "d", count=5, repeat_every={"value": 4, "unit": "wk"})
    infusion = {"infusion": {"rate": rate}} if rate else {}
    assert check(order("ivig", 0.4, "g/kg", course, "intravenous", **infusion))["verdict"] != "pass"


def test_strengths_are_not_added(check: Check) -> None:
    """Two creams are two creams: each lies in its own range."""
    creams = [order("sodium-thiosulfate", value, "%", TWICE, "topical") for value in (25, 10)]
    assert "above-range" not in ids(check(*creams)["orders"][0])


# ---------------------------------------------------------------- options, words, bytes


@pytest.mark.parametrize(("jurisdiction", "is_there"), [("EU", True), ("US", False), (None, True)])
def test_jurisdiction_chooses_the_rules(check: Check, jurisdiction: str | None, is_there: bool) -> None:
    """Breast-feeding is against alendronate in the EU label; without a jurisdiction every rule speaks."""
    more = {"options": {"jurisdiction": jurisdiction}} if jurisdiction else {}
    found = check(ALENDRONATE, patient={"lactating": True}, **more)["orders"][0]
    assert ("lactation" in ids(found)) is is_there


def test_same_body_gives_the_same_bytes(client: FlaskClient) -> None:
    """Nothing in an answer depends on when or how often it is asked; it is not kept on the way."""
    body = {"orders": [ALENDRONATE | {"id": "a", "frequency": DAILY}, METHOTREXATE | {"id": "b"}]}
    known = {name: value for name, value in HEALTHY.items() if name not in {"weight", "observations"}}
    first, second = (client.post(ORDERS, json=body | {"patient": known}) for _ in range(2))
    assert first.status_code == 200
    assert first.get_data() == second.get_data()
    assert first.headers["Cache-Control"] == "no-store"
    assert first.get_json()["as_of"] is None
    assert first.mimetype == "application/json"


def test_day_that_was_used_is_echoed(check: Check) -> None:
    """With a dated weight the day of the check is part of the answer."""
    assert check(METHOTREXATE)["as_of"] == AS_OF


def test_everything_cited_is_there(check: Check) -> None:
    """Every reference of a finding is in the list of references, and no other."""
    answer = check(METHOTREXATE | {"frequency": DAILY}, ALENDRONATE)
    cited = {id_ for item in answer["orders"] for said in item["findings"] for id_ in said["references"]}
    assert cited <= set(answer["references"])


def texts(node: Any) -> list[str]:
    """Return every text of an answer that a reader sees."""
    if isinstance(node, dict):
        named = [value for name, value in node.items() if name in {"text", "summary", "management"} and value]
        return [*named, *(text for value in node.values() for text in texts(value))]
    return [text for value in node for text in texts(value)] if isinstance(node, list) else []


#: Abbreviations and spellings that have led to errors (ISMP): µg, trailing zeros, naked points, U, qd, cc, BSA.
_MISREAD = re.compile(r"µg|\bug\b|\d\.0\b|(?<![\d])\.\d|\bIU\b|\bq\.?d\b|\bcc\b|\d(?:mg|mcg|g|mL)\b|\d{5,}")


@pytest.mark.parametrize(
    "said",
    [
        METHOTREXATE | {"frequency": DAILY},
        order("treprostinil", 1250, "mcg", THRICE, "oral"),
        order("ivig", 4, "g/kg", {"once": True}, "intravenous"),
        order("iloprost", 20, "ng/kg/min", DAILY, "intravenous"),
        order("sodium-thiosulfate", 125000, "mg", {"times": 3, "every": {"value": 1, "unit": "wk"}}, "intravenous"),
        order("colchicine", 0.06, "mg", DAILY, "oral"),
    ],
    ids=["methotrexate", "treprostinil", "ivig", "iloprost", "sodium-thiosulfate", "colchicine"],
)
def test_words_cannot_be_misread(check: Check, said: Json) -> None:
    """Texts have a zero before the point and none behind it, a space before the unit, commas in large numbers."""
    answer = check(said)
    for text in texts(answer["orders"]):
        assert not _MISREAD.search(text), text


@pytest.mark.parametrize("said", [METHOTREXATE, ALENDRONATE], ids=["methotrexate", "alendronate"])
def test_weekly_order_never_reads_as_daily(check: Check, said: Json) -> None:
    """Of a weekly order nothing that a reader sees says that its dose is daily: this has killed."""
    found = check(said)["orders"][0]
    dose = f"{said['dose']['value']} mg daily"
    assert dose not in [item["text"] for item in found["ordered"]]


def test_strength_has_no_period(check: Check) -> None:
    """A cream of 25 % used twice daily is not 50 % daily."""
    found = check(order("sodium-thiosulfate", 25, "%", TWICE, "topical"))["orders"][0]
    assert [item["text"] for item in found["ordered"]] == ["25 % per administration"]
