"""What a call leaves out is asked from the client's FHIR server: the whole way, through HTTP (rules 7, 13 and 15)."""

import logging
import re
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from dosing_service import addresses, create_app
from dosing_service.age import today
from dosing_service.config import Settings
from dosing_service.knowledge.base import KnowledgeBase
from tests.cds_hooks.calls import (
    AMOXICILLIN,
    DILTIAZEM,
    SERVICES,
    SIMVASTATIN,
    Json,
    bundle,
    call,
    cards,
    daily,
    observation,
    order,
    person,
    prefetch,
    send,
    topics,
    weight,
)

OPAQUE = "opaque-4711"
#: The budget for asking is 0.4 s; this is what a busy machine needs for the rest.
SLACK_SECONDS = 0.6

#: A child of ten years: at most 6 mg/kg a day, which is 150 mg for 25 kg; 180 mg are too much, and less than 360 mg,
#: the most for every child.
TEN_YEARS_AGO = today().replace(month=1, day=1)
CHILD = person(TEN_YEARS_AGO.replace(year=TEN_YEARS_AGO.year - 10).isoformat())
HEIGHT = bundle(observation("8302-2", 128, "cm"))
FOR_CHILD = daily(DILTIAZEM, 180)


@pytest.fixture
def client(site: Any, knowledge: KnowledgeBase) -> FlaskClient:
    """A client of a service that may ask the web server of the test."""
    listed = addresses.parse(f"{site.base}/r4")
    assert listed
    return create_app(settings=Settings(cds_fhir_servers=(listed,)), known=knowledge).test_client()


@pytest.fixture
def queries(client: FlaskClient) -> Json:
    """The queries of the discovery document by key, for the patient, as they arrive at the server."""
    templates = client.get(SERVICES).json["services"][0]["prefetch"]
    return {
        key: "/r4/" + template.replace("{{context.patientId}}", "p1").replace("|", "%7C")
        for key, template in templates.items()
    }


def granted(body: Json, server: str, token: str = OPAQUE) -> Json:
    """Return a call with the right to ask a server."""
    grant = {
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "patient/*.rs",
        "subject": "cds",
    }
    return body | {"fhirServer": server, "fhirAuthorization": grant | {"patient": "p1"}}


def of_child(*without: str) -> Json:
    """Return the call of the child's order, less these keys of the prefetch."""
    return call(FOR_CHILD, ahead=prefetch(*without, patient=CHILD, height=HEIGHT))


def test_without_its_weight_the_child_cannot_be_judged(client: FlaskClient) -> None:
    """What the tests below stand on: the weight makes the difference between a card and 412."""
    sent = of_child("weight")
    with_weight = sent | {"prefetch": sent["prefetch"] | {"weight": weight(25)}}

    assert send(client, sent).status_code == 412
    assert topics(cards(client, with_weight)) == ["DiltiazemDose"]


def test_rule_13_what_was_left_out_is_asked_for(client: FlaskClient, site: Any, queries: Json) -> None:
    """The weight comes from the FHIR server, by the query that discovery shows, and the card by the weight."""
    site.says(queries["weight"], weight(25))
    (card,) = cards(client, granted(of_child("weight"), f"{site.base}/r4"))

    assert card["indicator"] == "critical"
    assert "150 mg daily" in card["detail"]
    ((path, headers),) = site.asked
    assert path == queries["weight"]
    assert headers["Authorization"] == f"Bearer {OPAQUE}"
    assert headers["Accept"] == "application/fhir+json"


def test_rule_13_what_was_sent_is_not_asked_for(client: FlaskClient, site: Any) -> None:
    """A complete prefetch, also one that says that there is no weight, costs no request."""
    for body in (call(daily(DILTIAZEM, 150)), call(daily(DILTIAZEM, 150), ahead=prefetch(weight=None))):
        assert send(client, granted(body, f"{site.base}/r4")).status_code == 200
    assert site.asked == []


def test_rule_13_server_without_a_weight_says_that_there_is_none(client: FlaskClient, site: Any, queries: Json) -> None:
    """An empty answer is known to be absent, as a null in the prefetch is."""
    site.says(queries["weight"], bundle())
    (card,) = cards(client, granted(of_child("weight"), f"{site.base}/r4"))

    assert card["summary"] == "diltiazem: dose not checked, no weight on file"


def test_rule_13_nothing_is_asked_about_drugs_of_others(client: FlaskClient, site: Any) -> None:
    """The record of a patient is not read for an order that is no question."""
    body = call(order(AMOXICILLIN, 500), ahead={})

    assert cards(client, granted(body, f"{site.base}/r4")) == []
    assert site.asked == []


def test_rule_13_nothing_is_asked_about_orders_that_are_not_selected(client: FlaskClient, site: Any) -> None:
    """An order of ours beside the selected one is no reason to read the record either."""
    other = order(AMOXICILLIN, 500, id="order-2")
    body = call(FOR_CHILD, other, hook="order-select", selections=["MedicationRequest/order-2"], ahead={})

    assert send(client, granted(body, f"{site.base}/r4")).status_code == 200
    assert site.asked == []


@pytest.mark.parametrize("key", ["medications", "statements"])
def test_rule_13_medication_is_asked_for_in_both_places(
    key: str, client: FlaskClient, site: Any, queries: Json
) -> None:
    """What a patient takes stands in requests and in statements; a drug in either interacts."""
    taken = order(SIMVASTATIN, 40, id="taken-1", status="active")
    if key == "statements":
        copied = {name: taken[name] for name in ("id", "status", "subject", "medicationCodeableConcept")}
        taken = {"resourceType": "MedicationStatement", **copied}
    for name in ("medications", "statements"):
        site.says(queries[name], bundle(taken) if name == key else bundle())
    body = call(daily(DILTIAZEM, 150), ahead=prefetch("medications", "statements"))
    (card,) = cards(client, granted(body, f"{site.base}/r4"))

    assert "simvastatin" in card["summary"]


def test_rule_15_a_server_that_is_not_on_the_list_is_never_contacted(
    site: Any, knowledge: KnowledgeBase, queries: Json
) -> None:
    """Whoever sends the call names the server: only the operator's list counts."""
    site.says(queries["weight"], weight(25))
    listed = addresses.parse(f"{site.base}/r4")
    assert listed
    apps = [
        (create_app(settings=Settings(), known=knowledge), f"{site.base}/r4"),
        (create_app(settings=Settings(cds_fhir_servers=(listed,)), known=knowledge), f"{site.base}/r4x"),
        (create_app(settings=Settings(cds_fhir_servers=(listed,)), known=knowledge), site.base),
    ]
    for app, server in apps:
        assert send(app.test_client(), granted(of_child("weight"), server)).status_code == 412
    assert site.asked == []


@pytest.mark.parametrize("missing", ["fhirServer", "fhirAuthorization"])
def test_rule_15_without_server_or_token_nothing_is_asked(
    missing: str, client: FlaskClient, site: Any, queries: Json
) -> None:
    """One without the other is no right to ask."""
    site.says(queries["weight"], weight(25))
    body = granted(of_child("weight"), f"{site.base}/r4")
    del body[missing]

    assert send(client, body).status_code == 412
    assert site.asked == []


@pytest.mark.parametrize("id_", ["../../admin", "p1?x=1&patient=p2", "p1#", "p1 p2", "p1\r\nX: y", "*"])
def test_rule_15_an_id_leads_to_no_other_place(id_: str, client: FlaskClient, site: Any) -> None:
    """An id cannot become a way up, a parameter or a header; a path is taken for the id at its end."""
    site.answers = defaultdict(lambda: lambda handler: handler.send_error(404))
    body = of_child("weight")
    body["context"]["patientId"] = id_

    assert send(client, granted(body, f"{site.base}/r4")).status_code in {200, 412}
    for path, headers in site.asked:
        assert re.match(r"/r4/(Patient/[^/?&]+$|[A-Za-z]+\?patient=[^/?&]+(&|$))", path)
        assert (".." in path, path.count("patient=") > 1, "X" in headers) == (False, False, False)


def test_rule_15_a_silent_server_does_not_hold_the_call(client: FlaskClient, site: Any, queries: Json) -> None:
    """Nothing can be said without the weight: 412, in time."""
    site.is_silent(queries["weight"])
    start = time.monotonic()
    answer = send(client, granted(of_child("weight"), f"{site.base}/r4"))

    assert time.monotonic() - start < 0.4 + SLACK_SECONDS
    assert answer.status_code == 412
    assert len(site.asked) == 1


def test_rule_15_what_came_in_time_counts(client: FlaskClient, site: Any, queries: Json) -> None:
    """The weight came, the diagnoses did not: a card by the weight, which says what was not fetched."""
    site.says(queries["weight"], weight(25))
    site.is_silent(queries["conditions"])
    start = time.monotonic()
    (card,) = cards(client, granted(of_child("weight", "conditions"), f"{site.base}/r4"))

    assert time.monotonic() - start < 0.4 + SLACK_SECONDS
    assert topics([card]) == ["DiltiazemDose"]
    assert "conditions was not fetched" in card["detail"]


@pytest.mark.parametrize("status", [302, 401, 403, 404, 500])
def test_rule_15_a_server_that_refuses_leaves_the_weight_unknown(
    status: int, client: FlaskClient, site: Any, queries: Json
) -> None:
    """A refusal does not say that there is no weight, and a redirect is not followed."""
    site.says(queries["weight"], b"", status, Location=f"{site.base}/r4/elsewhere")

    assert send(client, granted(of_child("weight"), f"{site.base}/r4")).status_code == 412
    assert len(site.asked) == 1


def answered(site: Any, path: str) -> None:
    """Let the server answer."""
    site.says(path, weight(25))


def refused(site: Any, path: str) -> None:
    """Let the server refuse, and repeat the token in its answer."""
    site.says(path, {"error": OPAQUE}, 403)


def silent(site: Any, path: str) -> None:
    """Let the server be silent."""
    site.is_silent(path)


@pytest.mark.parametrize("behaves", [answered, refused, silent])
def test_rule_07_the_token_is_in_no_log_and_no_answer(
    behaves: Callable[[Any, str], None],
    client: FlaskClient,
    site: Any,
    queries: Json,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whatever the server does, the token goes to it and nowhere else, and the query is in no log either."""
    caplog.set_level(logging.DEBUG)
    behaves(site, queries["weight"])
    answer = send(client, granted(of_child("weight"), f"{site.base}/r4"))

    assert site.asked[0][1]["Authorization"] == f"Bearer {OPAQUE}"
    for text in (caplog.text, answer.get_data(as_text=True), str(answer.headers)):
        assert OPAQUE not in text
        assert "patient=p1" not in text
