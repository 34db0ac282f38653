"""What a client learns before its first call (rules 1 to 5)."""

import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask.testing import FlaskClient

from tests.cds_hooks.calls import SERVICES, empties

#: The tokens of CDS Hooks 2.0: primitive fields at the root of the context, and who is logged in.
_CONTEXT_FIELDS = {"userId", "patientId", "encounterId"}
_USERS = {"userPractitionerId", "userPractitionerRoleId", "userPatientId", "userRelatedPersonId"}
_TOKEN = re.compile(r"\{\{([^{}]*)\}\}")


@pytest.fixture
def services(client: FlaskClient) -> list[dict[str, Any]]:
    """The services of the discovery document."""
    return client.get(SERVICES).json["services"]


def templates(services: list[dict[str, Any]]) -> list[str]:
    """Return every prefetch template of every service."""
    return [template for service in services for template in service["prefetch"].values()]


def test_rule_01_discovery_is_an_object_with_a_list_of_services(client: FlaskClient) -> None:
    """``GET /cds-services`` is a JSON object with ``services``, and nothing else that an old client could refuse."""
    answer = client.get(SERVICES)

    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert list(answer.json) == ["services"]
    assert isinstance(answer.json["services"], list)


def test_rule_02_each_service_has_its_strings(services: list[dict[str, Any]]) -> None:
    """Hook, title, description and id are strings, and prefetch is an object of strings."""
    for service in services:
        assert set(service) <= {"hook", "title", "description", "id", "prefetch", "usageRequirements"}
        assert all(isinstance(service[name], str) and service[name] for name in ("hook", "title", "description", "id"))
        assert all(isinstance(part, str) for item in service["prefetch"].items() for part in item)
    assert empties(services) == []


def test_rule_03_there_is_one_id_for_each_hook(services: list[dict[str, Any]]) -> None:
    """Two services under one id would overwrite each other, since clients key them by address."""
    assert {service["hook"]: service["id"] for service in services} == {
        "order-select": "calcinosis-order-select",
        "order-sign": "calcinosis-order-sign",
        "medication-prescribe": "calcinosis-medication-prescribe",
    }
    assert len(services) == 3


def test_rule_03_each_id_answers_calls(client: FlaskClient, services: list[dict[str, Any]]) -> None:
    """What is advertised can be called."""
    for service in services:
        body = {"hook": service["hook"], "hookInstance": "7", "context": {"patientId": "p1", "draftOrders": []}}
        assert client.post(f"{SERVICES}/{service['id']}", json=body).json == {"cards": []}


def test_rule_04_templates_hold_tokens_of_the_standard_alone(services: list[dict[str, Any]]) -> None:
    """A token is a field of the context or a user; orders are no token, and FHIRPath is of a later version."""
    for template in templates(services):
        tokens = _TOKEN.findall(template)
        assert tokens, template
        for token in tokens:
            assert token in _USERS or token.removeprefix("context.") in _CONTEXT_FIELDS
        assert not set("{}%") & set(_TOKEN.sub("", template)), template


def test_rule_04_every_template_is_about_the_patient(services: list[dict[str, Any]]) -> None:
    """No query asks for the data of everybody."""
    for template in templates(services):
        parts = urlsplit(template)
        about = dict(parse_qsl(parts.query)).get("patient", parts.path.removeprefix("Patient/"))
        assert about == "{{context.patientId}}"


def test_rule_05_no_parameter_is_repeated(services: list[dict[str, Any]]) -> None:
    """One client joins a parameter that comes twice with a comma, which means another thing."""
    for template in templates(services):
        names = [name for name, _ in parse_qsl(urlsplit(template).query)]
        assert len(names) == len(set(names)), template


def test_rule_05_queries_keep_to_what_every_server_knows(services: list[dict[str, Any]]) -> None:
    """One resource by its id, or a search by reference and token, sorted and counted; no modifier, no chain."""
    for template in templates(services):
        parts = urlsplit(template)
        assert re.fullmatch(r"[A-Z][A-Za-z]+(/\{\{context\.patientId\}\})?", parts.path)
        names = {name for name, _ in parse_qsl(parts.query)}
        assert names <= {"patient", "code", "status", "clinical-status", "_sort", "_count"}


def test_rule_05_weight_is_asked_for_by_loinc(services: list[dict[str, Any]]) -> None:
    """Body weight is 29463-7, measured body weight 3141-9; the newest come first."""
    query = dict(parse_qsl(urlsplit(services[0]["prefetch"]["weight"]).query))

    assert set(query["code"].split(",")) == {"http://loinc.org|29463-7", "http://loinc.org|3141-9"}
    assert query["_sort"] == "-date"


def test_prefetch_is_the_same_for_every_hook(services: list[dict[str, Any]]) -> None:
    """A client may keep what it fetched for one hook and send it with the next."""
    first, *others = [service["prefetch"] for service in services]
    assert others == [first, first]
