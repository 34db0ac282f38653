"""Orders as they would be without their slip, offered beside a card (rules 21 and 22)."""

import pytest
from flask.testing import FlaskClient

from dosing_service import create_app
from dosing_service.config import Profile, Settings
from dosing_service.knowledge.base import KnowledgeBase
from tests.cds_hooks.calls import Json, call, cards, tenfold, too_often


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
