"""Orders as they would be without their slip, offered beside a card (rules 21 and 22)."""

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from dosing_service import create_app
from dosing_service.config import Profile, Settings
from dosing_service.knowledge.base import KnowledgeBase
from tests.cds_hooks.calls import (
    ALENDRONATE,
    DILTIAZEM,
    METHOTREXATE,
    SIGN,
    Json,
    call,
    cards,
    daily,
    order,
    tenfold,
    too_often,
    topics,
)


@pytest.fixture
def found(client: FlaskClient) -> list[Json]:
    """Cards of two slips, and one that has nothing to offer."""
    unread = {"resourceType": "MedicationRequest", "id": "order-3"}
    shown = cards(client, call(tenfold(), too_often(id="order-2"), unread))
    assert len(shown) == 3
    return shown


def dosage(milligrams: int, frequency: int, unit: str) -> Json:
    """The one dosage of an order by its amount and frequency."""
    return {"value": milligrams, "frequency": frequency, "period": 1, "periodUnit": unit}


def read_dosage(resource: Json) -> Json:
    """Return what :func:`dosage` describes, out of a resource."""
    (given,) = resource["dosageInstruction"]
    return {"value": given["doseAndRate"][0]["doseQuantity"]["value"], **given["timing"]["repeat"]}


def test_rule_21_suggestions_come_with_a_selection_behavior(found: list[Json]) -> None:
    """It is there exactly where there are suggestions."""
    assert any("suggestions" in card for card in found)
    for card in found:
        assert ("suggestions" in card) == ("selectionBehavior" in card)
        assert card.get("selectionBehavior", "at-most-one") in {"at-most-one", "any"}
        assert sum(item.get("isRecommended", False) for item in card.get("suggestions", [])) <= 1


@pytest.mark.parametrize(
    ("given", "expected"),
    # A zero less, and the documented frequency.
    [(tenfold(), dosage(180, 1, "d")), (too_often(), dosage(70, 1, "wk"))],
)
def test_rule_22_suggestion_is_the_whole_order_without_its_slip(
    given: Json, expected: Json, client: FlaskClient
) -> None:
    """An update carries the entire resource, which differs from the order in its dosage alone."""
    given = given | {
        "priority": "urgent",
        "extension": [{"url": "urn:x", "valueString": "kept"}],
        "requester": {"display": "N"},
    }
    (card,) = cards(client, call(given))
    (suggestion,) = card["suggestions"]
    (action,) = suggestion["actions"]

    assert suggestion["label"]
    assert (action["type"], bool(action["description"])) == ("update", True)
    assert read_dosage(action["resource"]) == expected
    assert action["resource"] | {"dosageInstruction": 0} == given | {"dosageInstruction": 0}
    assert not {"resourceId", "isRecommended"} & set(action)


def test_rule_22_update_names_an_order_of_the_call(found: list[Json]) -> None:
    """Only what is in ``draftOrders`` can be updated."""
    updated = [
        f"{action['resource']['resourceType']}/{action['resource']['id']}"
        for card in found
        for suggestion in card.get("suggestions", [])
        for action in suggestion["actions"]
    ]
    assert sorted(updated) == ["MedicationRequest/order-1", "MedicationRequest/order-2"]


@pytest.mark.parametrize("given", [tenfold(), too_often()])
def test_rule_22_corrected_order_gives_no_card_about_its_dose(given: Json, client: FlaskClient) -> None:
    """What is suggested is not questioned again when it comes back."""
    (card,) = cards(client, call(given))
    corrected = card["suggestions"][0]["actions"][0]["resource"]

    assert cards(client, call(corrected)) == []


def test_rule_22_words_of_the_order_do_not_contradict_its_numbers(client: FlaskClient) -> None:
    """The old dose in words would be what people read: they are left out of the corrected order."""
    given = tenfold(text={"status": "generated", "div": "<div>1800 mg</div>"})
    given["dosageInstruction"][0] |= {"text": "1800 mg daily", "patientInstruction": "Take 1800 mg"}
    (card,) = cards(client, call(given))
    corrected = card["suggestions"][0]["actions"][0]["resource"]

    assert "1800" not in str(corrected)
    assert corrected["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"]["value"] == 180


def test_rule_22_order_without_an_id_is_not_changed(client: FlaskClient) -> None:
    """It is checked, but an update could not say which order it means."""
    (card,) = cards(client, call(too_often(id=None)))

    assert card["indicator"] == "critical"
    assert "suggestions" not in card
    assert "selectionBehavior" not in card


def test_rule_22_one_client_takes_no_changed_dose(knowledge: KnowledgeBase) -> None:
    """It ignores the details of an order, so that a dose would be lost: the summary and the detail say it."""
    client = create_app(settings=Settings(cds_profile=Profile.EPIC), known=knowledge).test_client()
    (card,) = cards(client, call(too_often()))

    assert "suggestions" not in card
    assert "selectionBehavior" not in card
    assert "70 mg once weekly" in card["detail"]


# ---- Which orders can be changed, and what becomes of them


def quantity(value: float, unit: str = "mg") -> Json:
    """An amount in UCUM."""
    return {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}


def instructed(given: Json, **changes: Any) -> Json:
    """The order with other elements in its one dosage; ``None`` takes one away."""
    dosage_ = {**given["dosageInstruction"][0], **changes}
    return {**given, "dosageInstruction": [{name: item for name, item in dosage_.items() if item is not None}]}


def of_release_3(given: Json) -> Json:
    """The order as STU3 writes it, its dose in the instruction itself."""
    rate = given["dosageInstruction"][0]["doseAndRate"][0]
    return instructed(given, doseAndRate=None, doseQuantity=rate["doseQuantity"])


EPIC = "https://open.epic.com/fhir/extensions/ordered-dose"
#: Methotrexate 15 mg every Monday to Sunday.
EVERY_WEEKDAY = order(METHOTREXATE, 15, repeat={"dayOfWeek": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]})


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(tenfold(), id="a zero too many"),
        pytest.param(of_release_3(tenfold()), id="a zero too many, release 3"),
        pytest.param(instructed(tenfold(), doseAndRate=[{"doseQuantity": quantity(1.8, "g")}]), id="in grams"),
        pytest.param(instructed(tenfold(), doseAndRate={"doseQuantity": quantity(1800)}), id="no list"),
        pytest.param(order(DILTIAZEM, 600), id="three times a day"),
        pytest.param(too_often(), id="weekly drug daily"),
        pytest.param(of_release_3(too_often()), id="weekly drug daily, release 3"),
        pytest.param(instructed(too_often(), timing={"code": {"text": "daily"}}), id="daily in words"),
        pytest.param(order(ALENDRONATE, 70, repeat={"frequency": 1, "period": 24, "periodUnit": "h"}), id="hours"),
        pytest.param(EVERY_WEEKDAY, id="on every day of the week"),
        pytest.param(daily(METHOTREXATE, 15), id="methotrexate daily"),
    ],
)
def test_rule_22_corrected_order_of_any_shape_gives_no_card_about_its_dose(given: Json, client: FlaskClient) -> None:
    """Whatever shape the order has, its dose is stated once in the corrected one, and that one is documented."""
    found = cards(client, call(given))
    (suggestion,) = [item for card in found for item in card.get("suggestions", [])]
    again = cards(client, call(suggestion["actions"][0]["resource"]))

    assert not [topic for topic in topics(again) if topic.endswith(("Dose", "Unread", "NotChecked"))]


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(
            instructed(tenfold(), extension=[{"url": EPIC, "valueQuantity": quantity(1800)}]), id="in an extension"
        ),
        pytest.param(
            instructed(too_often(), extension=[{"url": EPIC, "valueQuantity": quantity(70)}]), id="weekly, extension"
        ),
        pytest.param(instructed(tenfold(), doseQuantity=quantity(1800)), id="beside the list"),
        pytest.param(
            instructed(tenfold(), doseAndRate=[{"doseQuantity": quantity(1800)}, {"doseQuantity": quantity(1800)}]),
            id="twice",
        ),
        pytest.param(
            instructed(
                tenfold(),
                doseAndRate=[
                    {"doseQuantity": quantity(1800), "rateRatio": {"numerator": quantity(1800), "denominator": {}}}
                ],
            ),
            id="with a rate",
        ),
        pytest.param(
            instructed(tenfold(), doseAndRate=[{"doseRange": {"low": quantity(1800), "high": quantity(1900)}}]),
            id="a range",
        ),
        pytest.param(tenfold(dosage=tenfold()["dosageInstruction"]), id="of two releases"),
        pytest.param(instructed(too_often(), asNeededBoolean=True), id="as needed"),
        pytest.param(
            instructed(too_often(), doseAndRate=[{"doseQuantity": quantity(70, "mg/d")}]), id="the total of a day"
        ),
    ],
)
def test_rule_22_order_whose_dose_would_stay_behind_is_not_changed(given: Json, client: FlaskClient) -> None:
    """Where the slip would stay somewhere in the order, or another mistake with it, the card alone says so."""
    (card,) = cards(client, call(given))

    assert card["indicator"] in {"critical", "warning"}
    assert "suggestions" not in card


@pytest.mark.parametrize(
    "changes",
    [
        {"timing": {"repeat": [{"frequency": 1, "period": 1, "periodUnit": "d"}], "code": {"text": "daily"}}},
        {"timing": [{"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}]},
        {"doseAndRate": "70 mg"},
        {"doseAndRate": [{"doseQuantity": [70]}], "doseQuantity": quantity(70)},
        {"doseAndRate": [70], "doseQuantity": quantity(70)},
    ],
)
@pytest.mark.parametrize("given", [too_often(), tenfold()])
def test_no_card_is_lost_over_a_suggestion(given: Json, changes: Json, client: FlaskClient) -> None:
    """Elements of the wrong type cost the suggestion at most, never the cards of the call."""
    beside = daily(METHOTREXATE, 15, id="order-2")

    assert "MethotrexateDose" in topics(cards(client, call(beside, instructed(given, **changes))))


@pytest.mark.parametrize("value", ["1E+900000", "1E+99999999", "1E-99999999"])
def test_number_out_of_all_bounds_is_not_written_out(value: str, client: FlaskClient) -> None:
    """A dose of a million digits beside one that can be read makes neither an error nor a long answer."""
    given = instructed(
        tenfold(),
        extension=[{"url": EPIC, "valueQuantity": quantity(1800)}],
        doseAndRate=[{"doseQuantity": quantity(777777)}],
    )
    body = json.dumps(call(given)).replace("777777", value)
    answer = client.post(SIGN, data=body, content_type="application/json")

    assert answer.status_code == 200
    assert topics(answer.json["cards"]) == ["DiltiazemDose"]
    assert len(answer.data) < 20_000
