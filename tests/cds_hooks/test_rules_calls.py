"""What a call may hold, and which answer it gets (rules 6 to 14 and 27)."""

import json
import time
from collections.abc import Callable
from datetime import date
from importlib.resources import files
from typing import Any

import pytest
from flask.testing import FlaskClient

from dosing_service import age
from dosing_service.config import Settings
from tests.cds_hooks.calls import (
    ALENDRONATE,
    AMOXICILLIN,
    SERVICES,
    SIGN,
    SIMVASTATIN,
    UCUM,
    Json,
    bundle,
    call,
    cards,
    daily,
    fitting,
    no_results,
    observation,
    order,
    person,
    prefetch,
    send,
    tenfold,
    too_often,
    topics,
    weight,
)

OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
#: Alendronate once a week, as documented.
WEEKLY = order(ALENDRONATE, 70, repeat={"frequency": 1, "period": 1, "periodUnit": "wk"}, id="order-2")


# ---- Rules 6 and 7: the frame


@pytest.mark.parametrize("media_type", ["application/json", "application/json; charset=utf-8"])
def test_rule_06_json_is_taken_with_and_without_its_charset(media_type: str, client: FlaskClient) -> None:
    """Both spellings are in use."""
    body = b'{"hook": "order-sign", "hookInstance": "7", "context": {"draftOrders": {"resourceType": "Bundle"}}}'
    answer = client.post(SIGN, data=body, content_type=media_type)

    assert (answer.status_code, answer.json) == (200, {"cards": []})


def test_rule_06_authorization_without_a_server_is_not_used(client: FlaskClient) -> None:
    """A token of which nobody knows where it counts is as good as none; the call is answered without it."""
    granted = {"access_token": "t", "token_type": "Bearer", "expires_in": 300, "scope": "user/*.rs", "subject": "s"}
    assert topics(cards(client, call(tenfold()) | {"fhirAuthorization": granted})) == ["DiltiazemDose"]


@pytest.mark.parametrize("granted", [None, "token", 7, [], {}, {"access_token": 7}, {"access_token": ""}])
def test_rule_07_authorization_that_is_none_is_ignored(granted: Any, client: FlaskClient) -> None:
    """A wrong form of what is optional is no reason to refuse a call."""
    body = call(tenfold()) | {"fhirServer": "https://fhir.example.org/r4", "fhirAuthorization": granted}
    assert topics(cards(client, body)) == ["DiltiazemDose"]


# ---- Rules 8 to 10: which orders are meant


def test_rule_08_only_the_selected_orders_get_cards(client: FlaskClient) -> None:
    """At order-select the other drafts are context: their own doses are not the question."""
    body = call(tenfold(), too_often(id="order-2"), hook="order-select", selections=["MedicationRequest/order-2"])
    assert topics(cards(client, body)) == ["AlendronateDose"]


def test_rule_08_orders_that_are_not_selected_are_context(client: FlaskClient) -> None:
    """A draft beside the selected one interacts with it."""
    beside = order(SIMVASTATIN, 40, id="order-2")
    selected = ["MedicationRequest/order-1"]

    alone = cards(client, call(fitting(), hook="order-select"))
    together = cards(client, call(fitting(), beside, hook="order-select", selections=selected))
    assert alone == []
    assert ["simvastatin" in card["summary"] for card in together] == [True]


@pytest.mark.parametrize("missing", [{"dosageInstruction": None}, {"dosageInstruction": []}])
def test_rule_08_an_order_without_its_dose_yet_is_no_error(missing: dict[str, Any], client: FlaskClient) -> None:
    """While it is being written there is nothing to judge, whatever else was sent."""
    for ahead in (prefetch(), prefetch("weight"), {}):
        body = call(fitting() | missing, hook="order-select", ahead=ahead)
        assert cards(client, body) == []


@pytest.mark.parametrize("status", ["draft", "active", "on-hold", "completed"])
def test_rule_09_orders_that_are_signed_again_are_checked(status: str, client: FlaskClient) -> None:
    """At order-sign other statuses than draft are legal, and nothing is selected: everything is meant."""
    body = call(tenfold(status=status), too_often(id="order-2", status=status))
    assert set(topics(cards(client, body))) == {"DiltiazemDose", "AlendronateDose"}


def test_rule_10_the_older_hook_has_its_orders_under_another_name(client: FlaskClient) -> None:
    """medication-prescribe is order-select with everything selected."""
    body = call(hook="medication-prescribe", draftOrders=None, medications=bundle(tenfold(), too_often(id="order-2")))
    assert set(topics(cards(client, body))) == {"DiltiazemDose", "AlendronateDose"}


@pytest.mark.parametrize("entry", [{"fullUrl": "urn:uuid:x"}, {"fullUrl": "urn:uuid:x", "resource": None}, {}])
def test_rule_09_entry_without_a_resource_is_no_drug(entry: dict[str, Any], client: FlaskClient) -> None:
    """What was to be ordered there nobody knows: that is said, and not that a drug has no name."""
    body = call(fitting())
    body["context"]["draftOrders"]["entry"].append(entry)
    (card,) = cards(client, body)

    assert card["summary"] == "A medication order: dose not checked, the entry holds no resource that can be read"


def test_rule_09_order_that_is_sent_twice_is_one(client: FlaskClient) -> None:
    """The same resource in two entries is not added up: 50 mg of prednisone a day lie within 35 to 70 mg for 70 kg,
    and 100 mg do not.
    """
    prednisone = ("8640", "prednisone")
    again = daily(prednisone, 50, meta={"lastUpdated": "2026-11-21T08:00:00Z"})

    assert cards(client, call(daily(prednisone, 50), again)) == []
    assert topics(cards(client, call(daily(prednisone, 50), daily(prednisone, 50, id="order-2")))) == ["PrednisoneDose"]


def test_rule_09_two_orders_under_one_id_are_both_judged(client: FlaskClient) -> None:
    """Nobody knows which of them is meant: neither is passed over."""
    for orders in ([fitting(), tenfold()], [tenfold(), fitting()]):
        (card,) = cards(client, call(*orders))
        assert (card["source"]["topic"]["code"], card["indicator"]) == ("DiltiazemDose", "critical")


# ---- Rule 11: what nobody knows


def test_rule_11_unknown_keys_change_nothing(client: FlaskClient) -> None:
    """Most real requests carry keys beyond the standard: at the top, in the context, in the prefetch."""
    body = call(tenfold())
    expected = cards(client, body)
    more = {"item2": None, "user": "x", "applyCql": True, "extension": {"com.example.a": [1]}, "patient": {}}
    ahead = body["prefetch"] | {"-user": {"resourceType": "Practitioner", "id": "1"}, "item1": None}

    changed = body | more | {"context": body["context"] | more, "prefetch": ahead}

    assert cards(client, changed) == expected


@pytest.mark.parametrize("value", [None, [], "x", 7])
def test_rule_11_prefetch_of_another_type_is_none(value: Any, client: FlaskClient) -> None:
    """What is no object holds nothing; the order is judged by itself."""
    assert topics(cards(client, call(too_often()) | {"prefetch": value})) == ["AlendronateDose"]


def test_rule_11_keys_of_a_site_are_read_by_what_they_hold(client: FlaskClient) -> None:
    """Where prefetch is typed in by hand its keys are others; type and LOINC code tell what it is."""
    ahead = {f"site-{place}": value for place, value in enumerate(prefetch().values())}
    expected = [card["summary"] for card in cards(client, call(tenfold()))]

    assert [card["summary"] for card in cards(client, call(tenfold(), ahead=ahead))] == expected


# ---- Rules 12 to 14: what is known


@pytest.mark.parametrize(
    "nothing",
    [None, [], bundle(), {"resourceType": "Bundle", "type": "searchset", "total": 0}, no_results()],
    ids=["null", "list", "empty bundle", "bundle without entries", "entry that says so"],
)
@pytest.mark.parametrize("hook", ["order-select", "order-sign"])
def test_rule_12_no_weight_on_file_is_said(nothing: Any, hook: str, client: FlaskClient) -> None:
    """However the client says that there is none: 200, and a card that says why the dose was not checked."""
    (card,) = cards(client, call(fitting(), hook=hook, ahead=prefetch(weight=nothing)))

    assert card["summary"] == "diltiazem: dose not checked, no weight on file"
    assert card["indicator"] == "info"


@pytest.mark.parametrize("ahead", [prefetch("weight"), prefetch(weight=OUTCOME), prefetch(weight="<html>"), {}])
def test_rule_12_weight_that_was_not_sent_is_asked_for(ahead: dict[str, Any], client: FlaskClient) -> None:
    """Missing, an error, or a page of an error: nobody knows whether there is a weight."""
    answer = send(client, call(fitting(), ahead=ahead))

    assert answer.status_code == 412
    assert answer.json["resourceType"] == "OperationOutcome"
    assert [issue["code"] for issue in answer.json["issue"]] == ["required"]
    assert "/prefetch/weight" in answer.json["issue"][0]["diagnostics"]


#: A weight and what is wrong with it, as the card says it.
UNUSABLE = [
    (
        {"valueQuantity": {"value": 11, "unit": "[stone_av]", "system": UCUM, "code": "[stone_av]"}},
        "a unit that is not",
    ),
    ({"valueQuantity": {"value": 70}}, "a unit that is not read here"),
    ({"valueQuantity": None, "dataAbsentReason": {"coding": [{"code": "not-performed"}]}}, "without an exact value"),
    ({"valueQuantity": None, "valueString": "70 kg"}, "without an exact value"),
    ({"valueQuantity": {"value": 70, "comparator": "<", "unit": "kg", "code": "kg"}}, "without an exact value"),
    ({"valueQuantity": {"value": 0, "unit": "kg", "system": UCUM, "code": "kg"}}, "that nobody can have"),
    ({"effectiveDateTime": "2999-01-01"}, "of the future"),
    ({"effectiveDateTime": "1950-01-01"}, "from before birth"),
    ({"subject": {"reference": "Patient/p2"}}, "of another patient"),
]


@pytest.mark.parametrize(("changes", "why"), UNUSABLE)
def test_rule_12_weight_that_cannot_be_used_is_not_asked_for_again(
    changes: dict[str, Any], why: str, client: FlaskClient
) -> None:
    """A client that sent all it has would be told for ever to send it: 200, and a card with the reason."""
    sent = observation("29463-7", 70, "kg", **changes)
    ahead = prefetch(weight=bundle({name: value for name, value in sent.items() if value is not None}))
    (card,) = cards(client, call(fitting(), ahead=ahead))

    assert card["summary"].startswith("diltiazem: dose not checked, no usable weight was sent: ")
    assert why in card["summary"]
    assert card["indicator"] == "info"


def test_rule_12_another_measure_that_cannot_be_used_is_no_weight(client: FlaskClient) -> None:
    """The height of somebody else was sent, and nothing of the weight: that is asked for."""
    other = observation("8302-2", 168, "cm", subject={"reference": "Patient/p2"})
    ahead = prefetch("height", weight=bundle(other))

    assert send(client, call(fitting(), ahead=ahead)).status_code == 412


def test_rule_13_the_three_states_of_the_weight(client: FlaskClient) -> None:
    """Known, known to be absent and unknown have three answers."""
    states = [prefetch(weight=weight(70)), prefetch(weight=None), prefetch("weight")]
    answers = [send(client, call(fitting(), ahead=ahead)) for ahead in states]

    assert [answer.status_code for answer in answers] == [200, 200, 412]
    assert [len(answer.json["cards"]) for answer in answers[:2]] == [0, 1]


def test_rule_13_today_is_the_same_day_for_every_face(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """One clock: who comes of age on that day is an adult in a card and in an answer of the API."""
    monkeypatch.setattr(age, "today", lambda: date(2026, 11, 21))
    often = {"times": 1, "every": {"value": 1, "unit": "d"}}
    ordered = {"agent": "prednisone", "dose": {"value": 40, "unit": "mg"}, "frequency": often, "route": "oral"}
    patient = {"birth_date": "2008-11-21", "weight": {"value": 70, "unit": "kg"}}
    judged = client.post("/v1/order-checks", json={"patient": patient, "orders": [{"id": "1", **ordered}]}).json
    measured = observation("29463-7", 70, "kg", effectiveDateTime="2026-11-20")
    ahead = prefetch(patient=person("2008-11-21"), weight=bundle(measured))

    assert (judged["as_of"], judged["orders"][0]["regimen"]) == ("2026-11-21", "review-adult-dermatomyositis")
    assert cards(client, call(daily(("8640", "prednisone"), 40), ahead=ahead)) == []


def test_rule_13_order_of_another_drug_needs_nothing(client: FlaskClient) -> None:
    """A drug that is not dosed here is no question, even when nothing was sent ahead."""
    for hook in ("order-select", "order-sign"):
        answer = send(client, call(order(AMOXICILLIN, 500), hook=hook, ahead={}))
        assert (answer.status_code, answer.json) == (200, {"cards": []})


def test_rule_13_order_that_needs_no_weight_is_checked_without(client: FlaskClient) -> None:
    """A fixed dose is compared although nothing at all was sent ahead."""
    assert cards(client, call(WEEKLY, ahead={})) == []
    assert topics(cards(client, call(too_often(), ahead={}))) == ["AlendronateDose"]


def test_rule_13_what_was_found_is_not_held_back(client: FlaskClient) -> None:
    """412 would withhold a card of the other order: it is shown, and beside it what could not be checked."""
    found = cards(client, call(too_often(), fitting(id="order-2"), ahead=prefetch("weight")))

    assert [card["indicator"] for card in found] == ["critical", "info"]
    assert found[1]["summary"] == "diltiazem: dose not checked, no weight was sent"


def test_rule_13_a_card_about_nothing_found_does_not_stand_in_for_data(client: FlaskClient) -> None:
    """An order that cannot be read beside one that lacks the weight: no finding, so the weight is asked for."""
    unread = {"resourceType": "MedicationRequest", "id": "order-2"}
    assert send(client, call(fitting(), unread, ahead=prefetch("weight"))).status_code == 412


def test_rule_14_further_pages_are_said(client: FlaskClient) -> None:
    """A list of which only the first page came is not complete, and the card says so."""
    paged = bundle() | {"link": [{"relation": "next", "url": "https://fhir.example.org/r4?page=2"}]}
    (card,) = cards(client, call(tenfold(), ahead=prefetch(conditions=paged)))

    assert "conditions has further pages, which were not read" in card["detail"]
    assert "further pages" not in cards(client, call(tenfold()))[0]["detail"]


# ---- Rule 27: time


def test_rule_27_an_answer_takes_less_than_half_a_second(client: FlaskClient) -> None:
    """The best of some calls counts, since a busy machine says nothing about the service. No two names are the same."""
    many = bundle(*[taken({"text": f"tonic of house {number}"}, number) for number in range(50)])
    body = call(*[tenfold(id=f"order-{number}") for number in range(5)], ahead=prefetch(medications=many))
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        cards(client, body)
        seconds.append(time.perf_counter() - start)

    assert min(seconds) < 0.5


def taken(concept: Json, number: int) -> Json:
    """An active order of whatever ``concept`` is."""
    return {
        "resourceType": "MedicationRequest",
        "id": f"taken-{number}",
        "status": "active",
        "medicationCodeableConcept": concept,
    }


def _apart(listed: list[Json]) -> Json:
    """Return a list under several keys, since no more than 2,000 of one key are read."""
    return {f"medications-{start}": bundle(*listed[start : start + 2000]) for start in range(0, len(listed), 2000)}


def _names() -> Json:
    """5,000 names, as long as a name may be."""
    return _apart([taken({"text": f"{number} " + "tonic of the house " * 9}, number) for number in range(5000)])


def _drugs() -> Json:
    """5,000 codes of ATC that are drugs to whoever looks at their form."""
    codes = (
        f"{group}{number:02d}{letters}{last:02d}"
        for group in "ABCDGHJLMNPRSV"
        for number in range(1, 7)
        for letters in ("AA", "AB", "BA", "BB", "CA", "DB")
        for last in range(1, 11)
    )
    coded = [{"coding": [{"system": "http://www.whocc.no/atc", "code": code}]} for code in codes][:5000]
    return _apart([taken(concept, number) for number, concept in enumerate(coded)])


def _diagnoses() -> Json:
    """28,000 codes of one known diagnosis, in 19 of them."""
    codes = [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": f"I21.{number}"} for number in range(28_500)]
    of_each = [codes[start : start + 1500] for start in range(0, len(codes), 1500)]
    return {"conditions": bundle(*[{"resourceType": "Condition", "code": {"coding": part}} for part in of_each])}


@pytest.mark.parametrize(
    ("ahead", "kind"),
    [(_names, "medications"), (_drugs, "medications"), (_diagnoses, "diagnoses")],
    ids=["names", "drugs", "diagnoses"],
)
def test_the_largest_call_is_answered(ahead: Callable[[], Json], kind: str, client: FlaskClient) -> None:
    """With an order of every agent, at the first call: nothing of it was seen before. It takes a second or two; the
    bound only keeps it from growing with each code again, on any machine. What was cut is said.
    """
    orders = [
        order(milligrams=60, id=f"order-{name}", medicationCodeableConcept={"text": name})
        for name in sorted(path.stem for path in files("dosing_service.knowledge").joinpath("agents").iterdir())
    ]
    body = json.dumps(call(*orders, ahead=prefetch(*ahead_keys(kind)) | ahead()))
    assert len(body) < Settings().cds_max_body_bytes
    start = time.perf_counter()
    answer = client.post(SIGN, data=body, content_type="application/json")
    assert time.perf_counter() - start < 10
    assert f"more than 500 {kind} were sent; the rest was not used" in answer.json["cards"][0]["detail"]


def ahead_keys(kind: str) -> tuple[str, ...]:
    """The keys of our own that a list takes the place of."""
    return ("medications", "statements") if kind == "medications" else ("conditions",)


def test_unknown_service_is_not_found(client: FlaskClient) -> None:
    """An id that was never advertised."""
    assert client.post(f"{SERVICES}/calcinosis", json=call(tenfold())).status_code == 404
