"""Which errors there are, and that each is an OperationOutcome that repeats nothing (rule 26)."""

import json
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dosing_service import create_app
from dosing_service.cds_hooks import routes
from dosing_service.config import Settings
from dosing_service.knowledge.base import KnowledgeBase
from tests.cds_hooks.calls import (
    SERVICES,
    SIGN,
    call,
    cards,
    empties,
    fitting,
    prefetch,
    send,
    tenfold,
    too_often,
    topics,
)

#: Stands in every wrong request below, wherever there is room for it.
SENT = "sent-4711"
FEEDBACK = {"feedback": [{"card": "1", "outcome": "accepted", "outcomeTimestamp": "2026-11-21T11:59:00Z"}]}


def check_error(answer: TestResponse, status: int, code: str) -> None:
    """Hold an error to what all of them have in common."""
    assert answer.status_code == status
    document = answer.json
    assert document["resourceType"] == "OperationOutcome"
    assert {(issue["severity"], issue["code"]) for issue in document["issue"]} == {("error", code)}
    assert all(issue["diagnostics"] for issue in document["issue"])
    assert (document["status"], bool(document["title"]), bool(document["detail"])) == (status, True, True)
    assert empties(document["issue"]) == []
    assert SENT not in answer.get_data(as_text=True)
    assert SENT not in str(answer.headers)
    assert answer.headers["Cache-Control"] == "no-store"


def without(name: str) -> dict[str, Any]:
    """Return a call that lacks a member."""
    return {key: value for key, value in (call(tenfold()) | {"item": SENT}).items() if key != name}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        SENT.encode(),
        b'{"hook": "order-sign", "x": "' + SENT.encode(),
        b'{"x": NaN, "y": "sent-4711"}',
        b"\xff",
        b'["sent-4711"]',
        b'"sent-4711"',
        b"null",
        b"[" * 5000,
        b'{"hook": "sent-4711", "hook": "sent-4711"}',
    ],
)
def test_rule_26_what_is_no_json_object_is_400(body: bytes, client: FlaskClient) -> None:
    """Text, half a document, names that come twice, anything but an object."""
    check_error(client.post(SIGN, data=body, content_type="application/json"), 400, "invalid")


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (without("hook"), "/hook"),
        (without("hook") | {"hook": SENT}, "/hook"),
        (without("hook") | {"hook": "order-select"}, "/hook"),
        (without("hook") | {"hook": ["order-sign"]}, "/hook"),
        (without("hookInstance"), "/hookInstance"),
        (without("hookInstance") | {"hookInstance": ""}, "/hookInstance"),
        (without("hookInstance") | {"hookInstance": 4711}, "/hookInstance"),
        (without("context"), "/context"),
        (without("context") | {"context": None}, "/context"),
        (without("context") | {"context": [SENT]}, "/context"),
    ],
)
def test_rule_26_what_every_call_must_hold_is_named(body: dict[str, Any], place: str, client: FlaskClient) -> None:
    """No hook, another hook, no instance, no context: 400, and where it should stand."""
    answer = client.post(SIGN, json=body)

    check_error(answer, 400, "invalid")
    assert [item["pointer"] for item in answer.json["errors"]] == [place]
    assert answer.json["issue"][0]["diagnostics"].startswith(place)


def test_rule_26_unknown_service_is_404(client: FlaskClient) -> None:
    """Whatever is sent to it, and whatever is asked of it."""
    check_error(client.post(f"{SERVICES}/{SENT}", json=call(tenfold())), 404, "not-found")
    check_error(client.post(f"{SERVICES}/{SENT}/feedback", json=FEEDBACK), 404, "not-found")
    check_error(client.get(f"{SERVICES}/{SENT}/{SENT}/{SENT}"), 404, "not-found")


def test_rule_26_another_method_is_405(client: FlaskClient) -> None:
    """A service is called by POST; the answer says so."""
    answer = client.get(SIGN)

    check_error(answer, 405, "not-supported")
    assert "POST" in answer.headers["Allow"]


def test_rule_26_data_that_are_needed_are_412(client: FlaskClient) -> None:
    """The pointer names the key of the prefetch."""
    answer = send(client, call(fitting(), ahead=prefetch("weight")) | {"item": SENT})

    check_error(answer, 412, "required")
    assert [item["pointer"] for item in answer.json["errors"]] == ["/prefetch/weight"]


def test_rule_26_a_body_beyond_the_limit_is_413(knowledge: KnowledgeBase) -> None:
    """The limit is a setting; what is as long as it is read."""
    client = create_app(settings=Settings(cds_max_body_bytes=65536), known=knowledge).test_client()
    body = json.dumps(call(tenfold()) | {"item": SENT}).encode()

    assert client.post(SIGN, data=body.ljust(65536), content_type="application/json").status_code == 200
    check_error(client.post(SIGN, data=body.ljust(65537), content_type="application/json"), 413, "too-long")


@pytest.mark.parametrize("media_type", ["text/plain", "application/xml", "application/json; charset=utf-16", ""])
def test_rule_26_another_media_type_is_415(media_type: str, client: FlaskClient) -> None:
    """A body is JSON, and says so."""
    check_error(client.post(SIGN, data=json.dumps(call()), content_type=media_type), 415, "invalid")


def test_rule_26_a_fault_of_our_own_is_500(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """What went wrong inside is not told."""

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(SENT)

    monkeypatch.setattr(routes, "read_call", fail)
    check_error(client.post(SIGN, json=call(tenfold())), 500, "exception")


def test_rule_26_feedback_that_cannot_be_kept_is_503(knowledge: KnowledgeBase, tmp_path: Path) -> None:
    """The client may send it again later."""
    database = tmp_path / f"{SENT}.db"
    client = create_app(settings=Settings(feedback_database=str(database)), known=knowledge).test_client()
    for file in tmp_path.iterdir():
        file.unlink()
    database.mkdir()

    check_error(client.post(f"{SIGN}/feedback", json=FEEDBACK), 503, "transient")


# ---- One order does not spoil the others


@pytest.mark.parametrize(
    "broken",
    [
        {"resourceType": "MedicationRequest", "id": "order-2"},
        {
            "resourceType": "MedicationRequest",
            "id": "order-2",
            "medicationCodeableConcept": 7,
            "dosageInstruction": "x",
        },
        {"resourceType": "MedicationRequest", "id": ["x"], "medicationReference": {"reference": "#nothing"}},
    ],
)
def test_rule_26_an_order_that_cannot_be_read_does_not_spoil_the_others(
    broken: dict[str, Any], client: FlaskClient
) -> None:
    """The other order has its card; this one has a card that says that it was not checked."""
    found = cards(client, call(too_often(), broken))

    assert topics(found) == ["AlendronateDose", "OrderUnread"]
    assert found[1]["indicator"] == "info"
    assert "not checked" in found[1]["summary"]


@pytest.mark.parametrize("entry", [7, "x", [], {}, {"resource": None}, {"resource": {"id": "x"}}])
def test_rule_26_an_entry_that_cannot_be_read_is_said_to_be_one(entry: object, client: FlaskClient) -> None:
    """It may have been the order that matters; the other one keeps its card."""
    body = call(too_often())
    body["context"]["draftOrders"]["entry"].insert(0, entry)

    assert topics(cards(client, body)) == ["AlendronateDose", "OrderUnread"]
