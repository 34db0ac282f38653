"""Doses in products over HTTP and on the command line: names of the contract, what is asked for, what is refused."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from click.testing import CliRunner

from dosing_service.cli import main

Calculate = Callable[[Any], dict[str, Any]]
Refuse = Callable[[Any], list[tuple[int, str, str]]]

CHILD = {"age": {"value": 9, "unit": "a"}, "weight": {"value": 25.4, "unit": "kg"}}
ADULT = {"age": {"value": 50, "unit": "a"}, "weight": {"value": 70, "unit": "kg"}}


def _open(answer: dict[str, Any]) -> list[dict[str, Any]]:
    return [item for item in answer["not_checked"] if item["check"] == "practical"]


def test_example_of_the_contract(calculate: Calculate) -> None:
    """2 to 4 mg/kg/d for 25.4 kg in three parts is one tablet of 30 mg: 90 mg daily, 90 / 25.4 = 3.54 mg/kg/d."""
    answer = calculate({"agent": "diltiazem", "patient": CHILD, "options": {"times_per_day": 3}})
    (entry,) = answer["dose"]["practical"]
    assert entry["product"] == "ir-tablet-30"
    assert entry["per_administration"] == "1 tablet of 30 mg"
    assert entry["achieved"] == {"value": 90, "unit": "mg", "per": "day"}
    assert entry["achieved_per_kg"]["unit"] == "mg/kg/d"
    assert round(Decimal(entry["achieved_per_kg"]["value"]), 2) == Decimal("3.54")
    assert entry["deviation_percent"] == 0
    assert (entry["status"], entry["times_per_day"], entry["verified"]) == ("exact", 3, True)
    assert entry["pieces"] == [{"product": "ir-tablet-30", "count": 1}]
    assert entry["text"] == "1 tablet of 30 mg 3 times daily, 90 mg daily"
    assert set(entry["references"]) <= set(answer["references"])
    assert _open(answer) == []


def test_strong_suspension_is_not_offered_without_a_word(calculate: Calculate) -> None:
    """20 mg/mL is not sold: 10 mg/mL in twice the volume, or a stronger one, labelled not for the skin, diluted."""
    answer = calculate(
        {"agent": "triamcinolone", "patient": ADULT, "options": {"volume": {"value": 0.5, "unit": "mL"}}}
    )
    entries = {entry["product"]: entry for entry in answer["dose"]["practical"]}
    assert entries["suspension-10"]["per_administration"] == "1 mL of 10 mg/mL in place of 0.5 mL of 20 mg/mL"
    assert entries["suspension-40"]["per_administration"] == "0.25 mL of 40 mg/mL diluted to 0.5 mL"
    assert entries["suspension-10"]["diluent"] is None
    for product in ("suspension-40", "suspension-80"):
        assert entries[product]["diluent"].endswith("undiluted.")


def test_division_that_is_not_known_is_asked_for(calculate: Calculate) -> None:
    """Tablets without a stated frequency are not guessed; forms that act for 12 or 24 hours bring their own."""
    answer = calculate({"agent": "diltiazem", "patient": ADULT})
    forms = {(entry["formulation"], entry["times_per_day"]) for entry in answer["dose"]["practical"]}
    assert forms == {("12-hour-capsule", 2), ("coated-24-hour-capsule", 1), ("extended-release", 1)}
    (asked,) = _open(answer)
    assert asked["needs"] == ["options.times_per_day"]


@pytest.mark.parametrize(
    ("body", "needs", "why"),
    [
        ({"agent": "probenecid", "patient": ADULT}, ["options.times_per_day"], "1.5 g daily, frequency not stated"),
        ({"agent": "ivig", "patient": ADULT}, ["options.divided_over_days"], "2 g/kg in 2 to 5 days"),
        (
            {"agent": "ivig", "regimen": "consensus-juvenile-dermatomyositis", "patient": CHILD},
            [],
            "a course of which the source names no days: nothing that can be sent settles it",
        ),
        (
            {"agent": "diltiazem", "regimen": "child-hypertension", "patient": CHILD},
            ["options.times_per_day"],
            "3 to 4 times daily: a range is not a choice, and a once-daily form contradicts it",
        ),
    ],
)
def test_open_division_gives_no_products(calculate: Calculate, body: Any, needs: list[str], why: str) -> None:
    """Where the division is open there is no entry, and the answer names the field that would settle it."""
    answer = calculate(body)
    assert answer["dose"]["practical"] == [], why
    (asked,) = _open(answer)
    assert asked["needs"] == needs, why


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"agent": "iloprost", "regimen": "label-raynaud-ischaemia", "patient": ADULT}, "a rate is not in products"),
        ({"agent": "sodium-thiosulfate", "regimen": "topical-25-percent", "patient": ADULT}, "a strength alone"),
        (
            {"agent": "minocycline", "regimen": "label-infection-intravenous", "patient": ADULT},
            "the products are capsules, the route is a vein",
        ),
    ],
)
def test_dose_without_products_has_an_empty_list(calculate: Calculate, body: Any, why: str) -> None:
    """No product suits: an empty list, and nothing that could be sent is asked for."""
    answer = calculate(body)
    assert answer["dose"]["practical"] == [], why
    assert _open(answer) == []


def test_alternatives_are_not_worked_out(calculate: Calculate) -> None:
    """Under the alternatives it is null: choose the regimen to have it."""
    answer = calculate({"agent": "warfarin", "patient": ADULT, "options": {"times_per_day": 1}})
    assert answer["dose"]["practical"] != []
    assert {item["dose"]["practical"] for item in answer["alternatives"]} == {None}


def test_not_makeable_names_the_pair(calculate: Calculate) -> None:
    """1 mg of colchicine out of 0.6 mg tablets: 0.6 is 40 percent less, 1.2 is 20 percent more; both are named."""
    options = {"times_per_day": 1, "jurisdiction": "US"}
    answer = calculate({"agent": "colchicine", "regimen": "calcinosis-review", "patient": ADULT, "options": options})
    (entry,) = answer["dose"]["practical"]
    assert (entry["status"], entry["achieved"], entry["per_administration"]) == ("not-makeable", None, None)
    below, above = entry["nearest"]
    assert below["amount"] == {"value": Decimal("0.6"), "unit": "mg", "per": "day"}
    assert (below["per_administration"], below["deviation_percent"]) == ("1 tablet of 0.6 mg", -40)
    assert (above["per_administration"], above["deviation_percent"]) == ("2 tablets of 0.6 mg", 20)
    assert entry["text"].startswith("1 mg daily is not makeable: ")
    assert "40 percent below 1 mg daily" in entry["text"]
    assert entry["verified"] is False


def test_products_of_different_regions_are_not_combined(calculate: Calculate) -> None:
    """Without a jurisdiction both stand in the answer: the tablets of the United States and those from elsewhere."""
    body = {"agent": "colchicine", "regimen": "calcinosis-review", "patient": ADULT, "options": {"times_per_day": 1}}
    found = {entry["product"]: entry["status"] for entry in calculate(body)["dose"]["practical"]}
    assert found == {"tablet-0.6": "not-makeable", "tablet-1": "exact"}


def test_chosen_product_stands_alone(calculate: Calculate) -> None:
    """With a product, everything is made of that product, wherever it is sold."""
    options = {"times_per_day": 2, "product": "tablet-0.5", "jurisdiction": "US"}
    answer = calculate({"agent": "colchicine", "regimen": "calcinosis-review", "patient": ADULT, "options": options})
    (entry,) = answer["dose"]["practical"]
    assert (entry["product"], entry["status"]) == ("tablet-0.5", "exact")


@pytest.mark.parametrize(
    ("product", "times", "why"),
    [("cd-capsule-120", "24 hours and is given once daily", "a day"), ("12-hour-capsule-60", "twice daily", "half")],
)
def test_extended_release_is_not_given_at_another_rhythm(
    calculate: Calculate, product: str, times: str, why: str
) -> None:
    """A chosen form that acts for a day or half a day is not divided into three; the answer says why."""
    options = {"times_per_day": 3, "product": product}
    answer = calculate({"agent": "diltiazem", "patient": ADULT, "options": options})
    assert answer["dose"]["practical"] == [], why
    (said,) = _open(answer)
    assert times in said["why"]


def test_extended_release_regimen_keeps_its_own_rhythm(calculate: Calculate) -> None:
    """Treprostinil is documented three times daily in its extended-release form, and so it is given."""
    body = {"agent": "treprostinil", "regimen": "calcinosis-systemic-sclerosis", "patient": ADULT}
    (entry,) = calculate(body)["dose"]["practical"]
    assert (entry["status"], entry["times_per_day"]) == ("exact", 3)


def test_label_of_a_daily_capsule_is_not_divided(calculate: Calculate) -> None:
    """The once-daily capsule of its own regimen is not offered three times daily either."""
    body = {"agent": "diltiazem", "regimen": "label-coated-24-hour-capsule", "patient": ADULT}
    assert calculate(body)["dose"]["practical"][0]["product"] == "cd-capsule-300"
    assert calculate(body | {"options": {"times_per_day": 3}})["dose"]["practical"] == []


def test_product_for_another_route_is_refused(refuse: Refuse) -> None:
    """A tablet does not go into a vein, nor a vial into the mouth."""
    body = {"agent": "methotrexate", "patient": CHILD | {"height": {"value": 128, "unit": "cm"}}}
    tablet = body | {"regimen": "recommendation-share-induction", "options": {"product": "tablet-10"}}
    vial = body | {"regimen": "cohort-first-line-oral", "options": {"product": "injection-25"}}
    assert refuse(tablet) == refuse(vial) == [(422, "/options/product", "other-route")]


@pytest.mark.parametrize(("product", "volume"), [("vial-12.5g", 50), ("vial-10g", 25)])
def test_percent_is_never_read(calculate: Calculate, product: str, volume: int) -> None:
    """12.5 g of a 25 percent solution (250 mg/mL) are 50 mL, of a 50 percent one (500 mg/mL) 25 mL."""
    body = {"agent": "sodium-thiosulfate", "regimen": "intravenous-weekly", "patient": ADULT}
    (entry,) = calculate(body | {"options": {"product": product}})["dose"]["practical"]
    assert (entry["volume_ml"], entry["achieved"]["value"]) == (volume, Decimal("12.5"))


def test_diluent_and_course_are_said(calculate: Calculate) -> None:
    """Pamidronate on three days: a vial each day, and what it is diluted in."""
    body = {"agent": "pamidronate", "regimen": "label-paget", "patient": ADULT, "options": {"product": "vial-30mg"}}
    (entry,) = calculate(body)["dose"]["practical"]
    assert entry["diluent"].startswith("90 mg is diluted in 250 to 500 mL")
    assert entry["quantity_for_course"]["text"] == "3 vials of 10 mL for 3 administrations"
    assert entry["quantity_for_course"]["pieces"] == [{"product": "vial-30mg", "count": 3}]
    assert entry["waste"] == {"value": 0, "unit": "mg", "volume_ml": 0}


def test_maximum_of_the_formulation_holds_its_products(calculate: Calculate) -> None:
    """150 kg: up to 600 mg daily; 360 holds for tablets, 480 for coated capsules, 540 for the rest."""
    heavy = ADULT | {"weight": {"value": 150, "unit": "kg"}}
    tablets = calculate({"agent": "diltiazem", "patient": heavy, "options": {"times_per_day": 4}})
    (entry,) = tablets["dose"]["practical"]
    assert entry["wanted"] == {"low": 300, "high": 360, "unit": "mg", "per": "day"}
    once = {
        item["formulation"]: item["wanted"]["high"]
        for item in calculate({"agent": "diltiazem", "patient": heavy})["dose"]["practical"]
    }
    assert once == {"12-hour-capsule": 540, "coated-24-hour-capsule": 480, "extended-release": 540}


def test_monograph_shows_what_a_product_is(client: Any) -> None:
    """Route, release, region, diluent and codes stand in the monograph."""
    products = {item["id"]: item for item in client.get("/v1/agents/diltiazem").get_json()["products"]}
    capsule = products["cd-capsule-120"]
    assert (capsule["routes"], capsule["release_hours"], capsule["rxnorm"]) == (["oral"], 24, ["830861"])
    assert (capsule["regions"], capsule["diluent"]) == ([], None)
    vials = {item["id"]: item for item in client.get("/v1/agents/pamidronate").get_json()["products"]}
    assert vials["vial-30mg"]["diluent"]["verified"] is False


def test_command_line_prints_the_products() -> None:
    """The table has a line for each way to give the dose."""
    arguments = ["calculate", "--agent", "diltiazem", "--times-per-day", "3"]
    printed = CliRunner().invoke(main, [*arguments, "--weight", "25.4 kg", "--age", "9 a"]).output
    assert "  in products  1 tablet of 30 mg 3 times daily, 90 mg daily\n" in printed
