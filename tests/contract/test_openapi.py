"""openapi.yaml says what the service does: no more, no less, and with examples that are true."""

import csv
import json
import re
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask import Flask
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from dosing_service.api.contract import as_yaml_text
from dosing_service.api.specification import specification

DOSES = "/v1/dose-calculations"
ORACLE = Path(__file__).resolve().parents[1] / "oracle" / "doses.csv"


# ---------------------------------------------------------------- one document


def test_contract_is_what_the_code_generates(contract_text: str, client: FlaskClient) -> None:
    """Whoever changes the wire changes openapi.yaml in the same commit."""
    generated = as_yaml_text(specification(client))

    assert contract_text == generated, "openapi.yaml is out of date: run `make openapi` and look at the difference"


def test_contract_is_served_as_it_is_in_the_repository(
    contract: dict[str, Any], contract_text: str, client: FlaskClient
) -> None:
    """A caller gets the very document that was reviewed, as JSON and as YAML."""
    assert contract == client.get("/openapi.json").get_json()
    assert contract_text == client.get("/openapi.yaml").get_data(as_text=True)


def test_contract_is_valid(contract: dict[str, Any]) -> None:
    """The document is OpenAPI 3.1, and every schema in it is a schema."""
    assert [error.message for error in OpenAPIV31SpecValidator(contract).iter_errors()] == []
    for schema in contract["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_contract_knows_every_route_and_no_other(contract: dict[str, Any], app: Flask) -> None:
    """What is served is documented, and what is documented is served."""
    served = {
        (re.sub(r"<(?:\w+:)?(\w+?)_?>", r"{\1}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    documented = {(path, method) for path, operations in contract["paths"].items() for method in operations}

    assert served == documented


def operations(contract: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each operation with its name."""
    for path, methods in contract["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def contents(contract: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield each body of the contract, asked or answered, with its operation and its status (empty for a request)."""
    for name, operation in operations(contract):
        for status, answer in (("", operation.get("requestBody", {})), *operation["responses"].items()):
            for content in answer.get("content", {}).values():
                yield name, status, content


def test_every_operation_is_described(contract: dict[str, Any]) -> None:
    """Each operation has an id of its own, a summary and a description of each answer."""
    ids = [operation["operationId"] for _, operation in operations(contract)]

    assert len(ids) == len(set(ids))
    for name, operation in operations(contract):
        assert operation["summary"], name
        assert all(answer["description"] for answer in operation["responses"].values()), name


def test_every_operation_has_an_example(contract: dict[str, Any]) -> None:
    """Whoever reads about an operation sees a request and an answer."""
    without = [
        (name, status)
        for name, status, content in contents(contract)
        if status in {"", "200"} and not ("examples" in content or "example" in content)
    ]
    unexplained = [
        (name, parameter["name"])
        for name, operation in operations(contract)
        for parameter in operation.get("parameters", [])
        if not ("example" in parameter or parameter.get("description"))
    ]

    assert (without, unexplained) == ([], [])


# ---------------------------------------------------------------- answers fit their schemas


@pytest.fixture(scope="session")
def closed(contract: dict[str, Any]) -> dict[str, Any]:
    """The schemas of the contract, each object closed, so that a field nobody documented is found.

    The contract itself leaves answers open: readers ignore what they do not know.
    """
    schemas: dict[str, Any] = deepcopy(contract["components"]["schemas"])
    for schema in schemas.values():
        if "properties" in schema:
            schema["additionalProperties"] = False
    return schemas


def faults(schema: dict[str, Any], closed: dict[str, Any], document: Any) -> list[str]:
    """Return where and why ``document`` does not fit ``schema``."""
    validator = Draft202012Validator(
        schema | {"components": {"schemas": closed}}, format_checker=Draft202012Validator.FORMAT_CHECKER
    )
    return [f"{error.json_path}: {error.message}"[:300] for error in validator.iter_errors(document)]


def test_every_example_fits_its_schema(contract: dict[str, Any], closed: dict[str, Any]) -> None:
    """Each example in the contract is valid, requests and answers alike."""
    tried = 0
    for name, status, content in contents(contract):
        for title, example in content.get("examples", {}).items():
            assert faults(content["schema"], closed, example["value"]) == [], (name, status, title)
            tried += 1

    assert tried > len(list(operations(contract)))


def test_schema_check_finds_what_is_not_documented(closed: dict[str, Any]) -> None:
    """The check of the next tests is not blind: an unknown field, a missing field and a wrong type are found."""
    fault = {"pointer": "", "code": "x", "detail": "x", "expected": "x"}
    schema = {"$ref": "#/components/schemas/Fault"}

    assert faults(schema, closed, fault) == []
    for wrong in (fault | {"more": 1}, {"pointer": ""}, fault | {"code": 7}):
        assert len(faults(schema, closed, wrong)) > 0


def answer_schema(contract: dict[str, Any], path: str, method: str, status: int) -> dict[str, Any]:
    """Return the schema of the answer with this status."""
    (content,) = contract["paths"][path][method]["responses"][str(status)]["content"].values()
    schema: dict[str, Any] = content["schema"]
    return schema


def test_every_page_of_knowledge_fits_its_schema(
    contract: dict[str, Any], closed: dict[str, Any], client: FlaskClient
) -> None:
    """The list, every monograph, every citation and the page about the knowledge are as documented."""
    agents = client.get("/v1/agents").get_json()
    references = {id_ for agent in agents["agents"] for id_ in cited(client, agent["id"])}
    pages = [("/v1/agents", "/v1/agents"), ("/v1/knowledge", "/v1/knowledge")]
    pages += [("/readyz", "/readyz"), ("/livez", "/livez"), ("/__version__", "/__version__")]
    pages += [("/v1/agents/{id}", f"/v1/agents/{agent['id']}") for agent in agents["agents"]]
    pages += [("/v1/references/{id}", f"/v1/references/{id_}") for id_ in sorted(references)]

    for path, address in pages:
        schema = answer_schema(contract, path, "get", 200)
        assert faults(schema, closed, client.get(address).get_json()) == [], address


def cited(client: FlaskClient, agent: str) -> list[str]:
    """Return the citations of an agent's evidence."""
    references: list[str] = client.get(f"/v1/agents/{agent}").get_json()["evidence"]["references"]
    return references


# ---------------------------------------------------------------- answers to the requests of the hand-made table


def oracle_requests() -> list[Any]:
    """Return every fifth request of tests/oracle/doses.csv, which walks through all agents."""
    with ORACLE.open(encoding="utf-8", newline="") as file:
        rows = {row["case"]: row for row in csv.DictReader(file)}
    return [pytest.param(request_of(row), id=case) for case, row in list(rows.items())[::5]]


def request_of(row: dict[str, str]) -> dict[str, Any]:
    """Return a row's inputs as the body of a request."""
    patient: dict[str, Any] = {"sex": row["sex"]} if row["sex"] else {}
    for column, name, unit in (("age_years", "age", "a"), ("weight_kg", "weight", "kg"), ("height_cm", "height", "cm")):
        if row[column]:
            patient[name] = {"value": json.loads(row[column]), "unit": unit}
    options: dict[str, Any] = {
        name: json.loads(row[name]) for name in ("times_per_day", "divided_over_days") if row[name]
    }
    if row["product"]:
        options["product"] = row["product"]
    if row["volume_ml"]:
        options["volume"] = {"value": json.loads(row["volume_ml"]), "unit": "mL"}
    if row["include_outside_population"]:
        options["include_outside_population"] = True
    regimen = {"regimen": row["regimen"]} if row["regimen"] else {}
    return {"agent": row["agent"], **regimen, "patient": patient, "options": options}


@pytest.mark.parametrize("body", oracle_requests())
def test_answer_fits_its_schema(
    contract: dict[str, Any], closed: dict[str, Any], client: FlaskClient, body: dict[str, Any]
) -> None:
    """The request is valid by the contract, and so is its answer, field by field."""
    request_schema = contract["paths"][DOSES]["post"]["requestBody"]["content"]["application/json"]["schema"]
    response = client.post(DOSES, json=body)

    assert faults(request_schema, closed, body) == []
    assert faults(answer_schema(contract, DOSES, "post", response.status_code), closed, response.get_json()) == []


@pytest.mark.parametrize(
    ("data", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b'{"agent": "nope"}', "application/json", 404),
        (b"x" * 70_000, "application/json", 413),
        (b"{}", "text/plain", 415),
        (b"{}", "application/json", 422),
    ],
)
def test_problem_fits_its_schema(
    contract: dict[str, Any], closed: dict[str, Any], client: FlaskClient, data: bytes, content_type: str, status: int
) -> None:
    """Each documented refusal really comes, and looks as documented."""
    response = client.post(DOSES, data=data, content_type=content_type)

    assert response.status_code == status
    assert faults(answer_schema(contract, DOSES, "post", status), closed, response.get_json()) == []


def test_contract_is_plain_yaml(contract_text: str) -> None:
    """No anchors or tags, which some generators of clients cannot read."""
    tokens = yaml.scan(contract_text, Loader=yaml.CSafeLoader)
    special = (yaml.AnchorToken, yaml.AliasToken, yaml.TagToken)

    assert [token for token in tokens if isinstance(token, special)] == []
