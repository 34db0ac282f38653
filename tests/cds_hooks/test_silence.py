"""Neither a token nor what a clinician typed nor the id of a patient reaches a log or an error."""

import gc
import logging
import traceback
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request
from flask.testing import FlaskClient
from joserfc.jwk import ECKey

from dosing_service import addresses
from dosing_service.cds_hooks.callback import fetch
from dosing_service.cds_hooks.feedback import DatabaseFeedback, read
from dosing_service.cds_hooks.signature import Token
from dosing_service.cds_hooks.trust import Clients, require_caller
from dosing_service.config import Settings, Trust
from dosing_service.errors import StoreUnavailable, Untrusted
from dosing_service.issuers import Issuer
from dosing_service.knowledge.base import KnowledgeBase
from tests.cds_hooks.calls import METHOTREXATE, RXNORM, bundle, call, order, prefetch, send

NOW = 1_795_000_000.0
PUBLIC = "https://cds.example.org/dosing"
PATH = "/cds-services/calcinosis-order-sign"


@pytest.fixture(autouse=True)
def everything(caplog: pytest.LogCaptureFixture) -> None:
    """Log as much as an operator could ask for."""
    caplog.set_level(logging.DEBUG)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"iss": "https://secret.example.org"},
        {"aud": "secret-audience"},
        {"exp": 1},
        {"tenant": "secret-tenant", "jti": ""},
        {"header": {"kid": "secret-kid"}},
        {"header": {"typ": "secret-type"}},
        {"payload": "[secret"},
        {"key": ECKey.generate_key("P-384", {"kid": "ec"})},
    ],
)
def test_rule_31_no_token_reaches_a_log(
    change: dict[str, Any], sign: Callable[..., str], key_set: Mapping[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """Taken, refused or used again: log and error have a word for the reason and nothing of the token."""
    issuer = Issuer("https://ehr.example.org", jwks=key_set)
    settings = Settings(cds_trust=Trust.JWT, cds_issuers=(issuer,), cds_audiences=(PUBLIC,))
    clients = Clients(settings, lambda: NOW)
    token = sign(**change)
    said = []

    for _ in range(2):
        with Flask(__name__).test_request_context(PATH, headers={"Authorization": f"Bearer {token}"}):
            try:
                require_caller(request, clients)
            except Untrusted as refused:
                said += traceback.format_exception(refused)

    assert "a CDS client was refused: " in caplog.text
    assert repr(Token(token, "ES384", "kid", None, {})) == "Token(...)"
    for text in (caplog.text, *said):
        assert "secret" not in text
        assert not any(part in text for part in token.split("."))


def test_rule_7_no_access_token_reaches_a_log(site: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Whether the FHIR server answers, fails or redirects, neither the token nor the id of the patient is logged."""
    site.says("/r4/Patient/patient-4711", {"resourceType": "Patient", "id": "patient-4711"})
    site.says("/r4/Observation?patient=patient-4711", b"", 302, Location="https://evil.example.org/?patient-4711")
    site.is_silent("/r4/Condition?patient=patient-4711")
    listed = addresses.parse(f"{site.base}/r4")
    assert listed
    queries = {
        "patient": "Patient/patient-4711",
        "weight": "Observation?patient=patient-4711",
        "conditions": "Condition?patient=patient-4711",
        "wrong": "patient-4711/../..",
    }

    fetched = fetch(queries, f"{site.base}/r4", "access-token-7", settings=Settings(cds_fhir_servers=(listed,)))

    assert list(fetched.resources) == ["patient"]
    for text in (caplog.text, *fetched.notes):
        assert "access-token-7" not in text
        assert "patient-4711" not in text


def test_rule_28_no_comment_reaches_a_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A comment is written into the database and nowhere else, also when the database fails."""
    entry = {
        "card": "typed-card",
        "outcome": "overridden",
        "overrideReason": {"userComment": "typed-comment", "reason": {"code": "typed-code"}},
        "extension": {"typed-name": "typed-value"},
    }
    reading = read({"feedback": [entry, entry | {"card": None}]})
    database = DatabaseFeedback(tmp_path / "feedback.db")
    database.add(reading.entries, service="x", caller=None, received=datetime.now(UTC))
    (tmp_path / "feedback.db").unlink()
    (tmp_path / "feedback.db").mkdir()
    with pytest.raises(StoreUnavailable) as failed:
        database.add(reading.entries, service="x", caller=None, received=datetime.now(UTC))

    said = [caplog.text, *reading.unread, repr(reading), *traceback.format_exception(failed.value)]
    assert not any("typed" in text for text in said)


# ---- What is remembered from call to call


def _remembered() -> Iterator[str]:
    """Every text that a cache of the package holds; the knowledge, which they all refer to, is not of any patient."""
    wrapper = type(lru_cache(print))
    seen: set[int] = set()
    found = [item for item in gc.get_objects() if isinstance(item, wrapper)]
    waiting = [
        part
        for cache in found
        if cache.__module__.startswith("dosing_service")
        for part in gc.get_referents(cache)
        if type(part) is dict and part is not cache.__dict__
    ]
    while waiting:
        item = waiting.pop()
        if id(item) in seen or isinstance(item, type | KnowledgeBase):
            continue
        seen.add(id(item))
        if isinstance(item, str):
            yield item
        elif not callable(item):
            waiting += gc.get_referents(item)


def test_no_name_of_a_record_is_remembered(client: FlaskClient) -> None:
    """Whoever names a drug may write more than its name: of the drug that is ordered, and of what is taken."""
    named = [f"{drug} for Zacharias {number}" for number, drug in enumerate(("tonic", "warfarin", "methotrexate"))]
    shown = {"coding": [{"system": RXNORM, "code": "11289", "display": named[1]}], "text": named[0]}
    listed = [
        order(id=f"taken-{number}", status="active", medicationCodeableConcept=concept)
        for number, concept in enumerate([*({"text": name} for name in named), shown])
    ]
    allergies = [{"resourceType": "AllergyIntolerance", "code": {"text": name}} for name in named]
    diagnoses = [{"resourceType": "Condition", "code": {"text": name}} for name in named]
    ahead = prefetch(medications=bundle(*listed), allergies=bundle(*allergies), conditions=bundle(*diagnoses))
    orders = order(METHOTREXATE, 15), order(id="order-2", medicationCodeableConcept=shown)
    assert send(client, call(*orders, ahead=ahead)).status_code == 200

    texts = set(_remembered())
    assert "methotrexate" in texts
    assert [text for text in texts if "Zacharias" in text] == []
