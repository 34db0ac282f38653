"""Who may call the whole application, and from which web page (rules 31 and 34)."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from flask.testing import FlaskClient
from joserfc.jwk import ECKey

from dosing_service import addresses, create_app
from dosing_service.config import Settings, Trust
from dosing_service.issuers import Issuer
from dosing_service.knowledge.base import KnowledgeBase
from tests.cds_hooks.calls import SERVICES, SIGN, call, tenfold, topics

PUBLIC = "https://cds.example.org/dosing"
ISS = "https://ehr.example.org"
PAGE = "https://ehr.example.org"
ASKS = {"Origin": PAGE, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
FEEDBACK = {"feedback": [{"card": "c", "outcome": "accepted"}]}


@pytest.fixture
def client(key_set: Mapping[str, Any], knowledge: KnowledgeBase) -> FlaskClient:
    """A client of a service that wants signatures, and lets one page call it."""
    page = addresses.parse(PAGE)
    assert page
    settings = Settings(
        cds_trust=Trust.JWT,
        cds_issuers=(Issuer(ISS, jwks=key_set),),
        cds_audiences=(PUBLIC,),
        cds_origins=(page,),
    )
    return create_app(settings=settings, known=knowledge).test_client()


@pytest.fixture
def token(sign: Callable[..., str]) -> Callable[..., str]:
    """Make a token of now, right except for what is named."""

    def make(**claims: Any) -> str:
        now = int(time.time())
        return sign(**{"iat": now, "exp": now + 300} | claims)

    return make


def bearer(text: str) -> dict[str, str]:
    """Return the header that carries a token."""
    return {"Authorization": f"Bearer {text}"}


# ---- Rule 31: signatures


def test_rule_31_a_signed_call_is_answered_once(client: FlaskClient, token: Callable[..., str]) -> None:
    """With a right token there are cards; the same token again is worth nothing."""
    headers = bearer(token())
    answers = [client.post(SIGN, json=call(tenfold()), headers=headers) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 401]
    assert topics(answers[0].json["cards"]) == ["DiltiazemDose"]


def test_rule_31_signed_feedback_is_taken(client: FlaskClient, token: Callable[..., str]) -> None:
    """The address that a token of feedback is for may be that of the feedback."""
    headers = bearer(token(aud=f"{PUBLIC}{SIGN}/feedback"))
    assert client.post(f"{SIGN}/feedback", json=FEEDBACK, headers=headers).status_code == 200


def test_rule_31_a_refusal_gives_no_reason(client: FlaskClient, token: Callable[..., str]) -> None:
    """Without a token, with a forged, foreign, late or misdirected one: the same 401, down to the last byte."""
    forged = token(key=ECKey.generate_key("P-384", {"kid": "ec"}))
    wrong = [
        {},
        {"Authorization": "Basic dTpw"},
        bearer("nonsense"),
        bearer(forged),
        bearer(token(iss="https://other.example.org")),
        bearer(token(aud="https://other.example.org")),
        bearer(token(exp=1)),
        bearer(token(jti="")),
    ]
    answers = [client.post(SIGN, json=call(tenfold()), headers=headers) for headers in wrong]

    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.get_data() for answer in answers}) == 1
    assert len({str(answer.headers) for answer in answers}) == 1
    assert answers[0].headers["WWW-Authenticate"] == "Bearer"
    said = answers[0].get_data(as_text=True).lower()
    assert not any(word in said for word in ("token", "issuer", "audience", "expired", "signature", "key", "cards"))


def test_rule_31_a_refusal_is_an_operation_outcome(client: FlaskClient) -> None:
    """Clients that read errors learn that they have to authenticate."""
    document = client.post(SIGN, json=call(tenfold())).json

    assert document["resourceType"] == "OperationOutcome"
    assert [(issue["severity"], issue["code"]) for issue in document["issue"]] == [("error", "login")]


@pytest.mark.parametrize("path", [SIGN, f"{SIGN}/feedback", f"{SERVICES}/calcinosis", f"{SERVICES}/x/feedback"])
def test_rule_31_nothing_is_told_before_the_caller_is_known(path: str, client: FlaskClient) -> None:
    """Neither which services exist nor what is wrong with a body: a stranger gets 401 whatever was sent."""
    for body in (json.dumps(call(tenfold())), "no json", ""):
        assert client.post(path, data=body, content_type="application/json").status_code == 401


def test_rule_01_discovery_needs_no_signature(client: FlaskClient) -> None:
    """What is advertised is no secret, and clients read it before they have an agreement."""
    assert client.get(SERVICES).status_code == 200


# ---- Rule 34: web pages


@pytest.mark.parametrize("path", [SERVICES, SIGN, f"{SIGN}/feedback"])
def test_rule_34_preflight_needs_no_signature(path: str, client: FlaskClient) -> None:
    """A browser asks without a token, and is told what its page may send."""
    answer = client.options(path, headers=ASKS)

    assert (answer.status_code, answer.get_data()) == (204, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE
    assert {"GET", "POST", "OPTIONS"} == set(answer.headers["Access-Control-Allow-Methods"].split(", "))
    assert {"Authorization", "Content-Type"} == set(answer.headers["Access-Control-Allow-Headers"].split(", "))


def test_rule_34_preflight_of_another_page_is_given_nothing(client: FlaskClient) -> None:
    """Origins come from a list; there is no pattern that matches all."""
    answer = client.options(SIGN, headers=ASKS | {"Origin": "https://evil.example.org"})
    assert not any(name.startswith("Access-Control") for name, _ in answer.headers)


def test_rule_34_answers_can_be_read_by_the_page(client: FlaskClient, token: Callable[..., str]) -> None:
    """Discovery, cards, refusals and mistakes alike: without the header the page would learn nothing."""
    origin = {"Origin": PAGE}
    answers = [
        client.get(SERVICES, headers=origin),
        client.post(SIGN, json=call(tenfold()), headers=origin | bearer(token())),
        client.post(SIGN, json=call(tenfold()), headers=origin),
        client.post(SIGN, json={}, headers=origin | bearer(token())),
        client.post(f"{SIGN}/feedback", json=FEEDBACK, headers=origin | bearer(token())),
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 401, 400, 200]
    assert {answer.headers.get("Access-Control-Allow-Origin") for answer in answers} == {PAGE}
    assert all("Origin" in answer.headers["Vary"] for answer in answers)


def test_rule_34_other_routes_are_not_opened(client: FlaskClient) -> None:
    """The list is for CDS Hooks; the rest of the service stays closed to pages of others."""
    answer = client.get("/v1/agents", headers={"Origin": PAGE})
    assert not any(name.startswith("Access-Control") for name, _ in answer.headers)
