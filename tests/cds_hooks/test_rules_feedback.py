"""What became of cards, sent to the service (rules 28 and 29)."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dosing_service import create_app
from dosing_service.config import Settings
from dosing_service.knowledge.base import KnowledgeBase
from tests.cds_hooks.calls import SERVICES, SIGN, call, cards, tenfold

AT = "2026-11-21T11:59:00Z"
#: As one client documents its feedback: another spelling, a short id, the reasons in an extension.
PREFIX = "com.epic.cdshooks.feedback.overrideReason."
OTHER_SHAPE = {
    "card": "123456",
    "outcome": "overridden",
    "overrideReasons": {
        "extension": {f"{PREFIX}category": "7", f"{PREFIX}title": "Benefit outweighs risk"},
        "userComment": "agreed with the family",
    },
    "outcomeTimestamp": AT,
}
Rows = Callable[[], list[tuple[Any, ...]]]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Where the feedback is kept."""
    return tmp_path / "feedback.db"


@pytest.fixture
def client(database: Path, knowledge: KnowledgeBase) -> FlaskClient:
    """A client of a service that keeps feedback in a file."""
    return create_app(settings=Settings(feedback_database=str(database)), known=knowledge).test_client()


@pytest.fixture
def kept(database: Path) -> Rows:
    """Read what is kept."""

    def read() -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(database)) as connection:
            return connection.execute("SELECT service, card, outcome, comment FROM feedback ORDER BY card").fetchall()

    return read


def report(client: FlaskClient, *entries: Any, service: str = "calcinosis-order-sign") -> TestResponse:
    """Send feedback in its frame."""
    return client.post(f"{SERVICES}/{service}/feedback", json={"feedback": list(entries)})


def test_rule_28_a_card_that_was_shown_can_be_reported(client: FlaskClient, kept: Rows) -> None:
    """The way round: a call, its card and its suggestion, and what became of them; 200 with an empty body."""
    (card,) = cards(client, call(tenfold()))
    accepted = [{"id": card["suggestions"][0]["uuid"]}]
    entry = {"card": card["uuid"], "outcome": "accepted", "outcomeTimestamp": AT, "acceptedSuggestions": accepted}
    answer = report(client, entry)

    assert (answer.status_code, answer.get_data()) == (200, b"")
    assert kept() == [("calcinosis-order-sign", card["uuid"], "accepted", None)]


def test_rule_28_an_override_has_a_reason_of_the_card(client: FlaskClient, kept: Rows) -> None:
    """One of the reasons that the card offered, and a comment."""
    (card,) = cards(client, call(tenfold()))
    reason = {"reason": card["overrideReasons"][0], "userComment": "discussed"}
    entry = {"card": card["uuid"], "outcome": "overridden", "outcomeTimestamp": AT, "overrideReason": reason}

    assert report(client, entry).status_code == 200
    assert kept() == [("calcinosis-order-sign", card["uuid"], "overridden", "discussed")]


def test_rule_28_the_least_is_a_card_and_an_outcome(client: FlaskClient, kept: Rows) -> None:
    """What else is missing is no reason to lose it."""
    assert report(client, {"card": "c", "outcome": "overridden"}).status_code == 200
    assert kept() == [("calcinosis-order-sign", "c", "overridden", None)]


def test_rule_28_feedback_that_is_sent_again_is_kept_once(client: FlaskClient, kept: Rows) -> None:
    """A client that is not sure sends it again, and is told the same."""
    entry = {"card": "c", "outcome": "overridden", "outcomeTimestamp": AT}

    assert [report(client, entry, entry).status_code for _ in range(3)] == [200, 200, 200]
    assert len(kept()) == 1


def test_rule_28_an_entry_that_cannot_be_read_does_not_lose_the_others(client: FlaskClient, kept: Rows) -> None:
    """Clients send batches; what can be used is."""
    assert report(client, {"outcome": "accepted"}, 7, {"card": "c", "outcome": "accepted"}).status_code == 200
    assert [row[1] for row in kept()] == ["c"]


@pytest.mark.parametrize(
    "body",
    [{}, [], {"feedback": []}, {"feedback": None}, {"feedback": [{"card": "typed"}]}, {"feedback": ["typed"]}],
)
def test_rule_28_a_body_without_any_feedback_is_400(body: Any, client: FlaskClient, kept: Rows) -> None:
    """Nothing can be used: the sender should know, without having its words repeated."""
    answer = client.post(f"{SIGN}/feedback", json=body)

    assert (answer.status_code, answer.json["resourceType"]) == (400, "OperationOutcome")
    assert "typed" not in answer.get_data(as_text=True)
    assert kept() == []


def test_rule_28_feedback_of_an_unknown_service_is_404(client: FlaskClient, kept: Rows) -> None:
    """Feedback belongs to a service that was called."""
    answer = report(client, {"card": "c", "outcome": "accepted"}, service="calcinosis")

    assert (answer.status_code, answer.json["resourceType"]) == (404, "OperationOutcome")
    assert kept() == []


def test_rule_28_each_service_has_its_own(client: FlaskClient, kept: Rows) -> None:
    """The same card of two services is two cards."""
    for service in ("calcinosis-order-sign", "calcinosis-order-select", "calcinosis-medication-prescribe"):
        assert report(client, {"card": "c", "outcome": "accepted"}, service=service).status_code == 200
    assert len(kept()) == 3


def test_rule_29_the_documented_example_of_one_client_is_kept(client: FlaskClient, kept: Rows) -> None:
    """Another spelling, an id that is no UUID, reasons in an extension."""
    assert report(client, OTHER_SHAPE).status_code == 200
    assert kept() == [("calcinosis-order-sign", "123456", "overridden", "agreed with the family")]


def test_rule_29_feedback_comes_in_batches(client: FlaskClient, kept: Rows) -> None:
    """A day of many cards in one request."""
    batch = [OTHER_SHAPE | {"card": str(number)} for number in range(100)]

    assert report(client, *batch).status_code == 200
    assert len(kept()) == 100


def test_feedback_is_taken_without_a_database(knowledge: KnowledgeBase) -> None:
    """Where the operator keeps none, the client is told no difference."""
    client = create_app(settings=Settings(), known=knowledge).test_client()
    assert report(client, OTHER_SHAPE).status_code == 200
