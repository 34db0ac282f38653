"""Builds the OpenAPI 3.1 document from the schemas and the list of operations below.

Every example is an answer of the running application to the request beside it, so no example can be out of date.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from flask.testing import FlaskClient
from marshmallow import Schema, fields

from dosing_service import __version__, service
from dosing_service.model import Category, CauseKind, OrderVerdict, Severity, Status, Verdict
from dosing_service.systems import RXNORM, UCUM
from schemas import cds_hooks as cds
from schemas import knowledge as known
from schemas import service as wire
from schemas.dose_calculations import DoseRequestSchema
from schemas.fields import AnswerSchema
from schemas.order_checks import OrderCheckAnswerSchema, OrderCheckRequestSchema
from schemas.treatment_options import TreatmentAnswerSchema, TreatmentRequestSchema

_DESCRIPTION = f"""Documented doses of the agents used in calcinosis cutis, with the working, the sources, the
contradictions between sources and what was not checked.

{service.NOTICE}

Numbers are exact decimals; `text` beside them is rounded for reading. Absent is unknown, `[]` is known to be none.
Every POST is a pure function of its body and the knowledge base, so it may be repeated. Answers about a patient are
`no-store`; knowledge carries a strong ETag. Errors are RFC 9457 problem documents that never repeat a submitted
value."""

_JSON = "application/json"
_PROBLEM = "application/problem+json"
_PROBLEMS = {
    400: "Not JSON as this service reads it",
    401: "The caller is not believed; why is not said",
    404: "Nothing has this id",
    412: "A dose cannot be checked without data that were not sent",
    413: "The body is too large",
    415: "The body is not JSON in UTF-8",
    422: "Understood, and cannot be answered as it stands",
    503: "What was sent could not be kept; send it again later",
}
_CHILD = {"age": {"value": 9, "unit": "a"}, "weight": {"value": 25, "unit": "kg"}}


@dataclass(frozen=True)
class _Operation:
    """One operation: ``asked`` maps the name of an example to the address and body that produce it; ``sent`` are bodies
    that only a running service takes. Without ``media`` the answer has no body.
    """

    id: str
    method: str
    path: str
    tag: str
    summary: str
    answer: type[Schema] | None
    asked: Mapping[str, tuple[str, Any]]
    media: str = _JSON
    description: str | None = None
    body: type[Schema] | None = None
    parameters: tuple[Mapping[str, Any], ...] = ()
    problems: tuple[int, ...] = ()
    problem: type[Schema] = wire.ProblemSchema
    sent: Mapping[str, Any] = field(default_factory=dict)
    others: Mapping[str, str] = field(default_factory=dict)


def _query(name: str, description: str) -> dict[str, Any]:
    return {"in": "query", "name": name, "description": description, "schema": {"type": "string"}}


def _path_id(example: str) -> dict[str, Any]:
    return {"in": "path", "name": "id", "required": True, "schema": {"type": "string"}, "example": example}


_KEPT = {"304": "Not modified: the caller has it (If-None-Match)"}
_DOSES = "/v1/dose-calculations"
_ORDERS = "/v1/order-checks"
_OPTIONS = "/v1/treatment-options"
_ADULT = {"age": {"value": 50, "unit": "a"}, "sex": "female", "weight": {"value": 70, "unit": "kg"}}
_ALENDRONATE = {
    "id": "o1",
    "agent": "alendronate",
    "dose": {"value": 70, "unit": "mg"},
    "frequency": {"times": 1, "every": {"value": 1, "unit": "d"}},
    "route": "oral",
    "duration": {"value": 30, "unit": "d"},
}
_SERVICES = "/cds-services"


def _call(code: str, name: str, milligrams: int) -> dict[str, Any]:
    """Return a call to sign one oral order, once daily."""
    quantity = {"value": milligrams, "unit": "mg", "system": UCUM, "code": "mg"}
    order = {
        "resourceType": "MedicationRequest",
        "id": "order-1",
        "status": "draft",
        "intent": "order",
        "subject": {"reference": "Patient/patient-1"},
        "medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": code, "display": name}]},
        "dosageInstruction": [
            {
                "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
                "doseAndRate": [{"doseQuantity": quantity}],
            }
        ],
    }
    return {
        "hook": "order-sign",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {
            "userId": "Practitioner/practitioner-1",
            "patientId": "patient-1",
            "draftOrders": {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": order}]},
        },
        "prefetch": {"conditions": None, "allergies": None, "medications": None},
    }


_CALL = _call("904431", "alendronate sodium 70 MG Oral Tablet", 70)
_CALL_WITHOUT_WEIGHT = _call("3443", "diltiazem", 120)
_FEEDBACK = {
    "feedback": [
        {
            "card": "f6b95768-b1c8-5c10-8c8e-4c1b1f0e6d5a",
            "outcome": "overridden",
            "overrideReason": {"reason": {"system": "urn:example", "code": "risk-benefit-ratio"}},
            "outcomeTimestamp": "2026-12-01T08:30:00Z",
        }
    ]
}
_OPERATIONS = (
    _Operation(
        id="calculateDose",
        method="post",
        path=_DOSES,
        tag="doses",
        summary="One agent, one patient: the documented dose with its working",
        description=f"`status` is one of {', '.join(Status)}. "
        f"Findings stand worst first: severity {', '.join(Severity)}; "
        f"verdict {', '.join(Verdict)}; category {', '.join(Category)}.",
        answer=wire.DoseAnswerSchema,
        body=DoseRequestSchema,
        asked={
            "a-child-and-diltiazem": (_DOSES, {"agent": "diltiazem", "patient": _CHILD}),
            "immunoglobulin-over-two-days": (
                _DOSES,
                {
                    "agent": "ivig",
                    "patient": _CHILD,
                    "options": {"divided_over_days": 2, "start_date": "2026-12-01"},
                },
            ),
            "a-unit-refused-by-name": (
                _DOSES,
                {"agent": "diltiazem", "patient": {"weight": {"value": 25, "unit": "Mg"}}},
            ),
        },
        problems=(400, 404, 413, 415, 422),
    ),
    _Operation(
        id="checkOrders",
        method="post",
        path=_ORDERS,
        tag="doses",
        summary="Proposed orders against the documented regimens, the patient and the active medication",
        description=f"`verdict` is one of {', '.join(OrderVerdict)}, worst first; `pass` means that every check ran. "
        f"`likely_causes[].kind` is one of {', '.join(CauseKind)}.",
        answer=OrderCheckAnswerSchema,
        body=OrderCheckRequestSchema,
        asked={
            "a-weekly-drug-ordered-daily": (_ORDERS, {"patient": _ADULT, "orders": [_ALENDRONATE]}),
            "a-unit-refused-by-name": (
                _ORDERS,
                {"orders": [{"id": "o1", "agent": "diltiazem", "dose": {"value": 60, "unit": "Mg"}}]},
            ),
        },
        problems=(400, 413, 415, 422),
    ),
    _Operation(
        id="listTreatmentOptions",
        method="post",
        path=_OPTIONS,
        tag="doses",
        summary="The options that the sources name for a presentation, judged for one patient",
        answer=TreatmentAnswerSchema,
        body=TreatmentRequestSchema,
        asked={
            "a-small-lesion": (
                _OPTIONS,
                {
                    "presentation": {"disease": "crest", "lesion_size": "small"},
                    "patient": {"age": {"value": 62, "unit": "a"}},
                },
            ),
        },
        problems=(400, 413, 415, 422),
    ),
    _Operation(
        id="listInteractions",
        method="get",
        path="/v1/interactions",
        tag="knowledge",
        summary="Interaction rows about an agent, or about an agent and one partner",
        answer=wire.InteractionListSchema,
        asked={"diltiazem-and-colchicine": ("/v1/interactions?agent=diltiazem&with=colchicine", None)},
        parameters=(
            _query("agent", "an agent id"),
            _query("with", "an agent id, an ATC code, an RxNorm ingredient, or the name of a partner"),
        ),
        problems=(404, 422),
        others=_KEPT,
    ),
    _Operation(
        id="listAgents",
        method="get",
        path="/v1/agents",
        tag="knowledge",
        summary="All agents and procedures",
        answer=wire.AgentListSchema,
        asked={"immunoglobulins": ("/v1/agents?class=immunoglobulin", None)},
        parameters=(
            _query("indication", "a disease id, for example juvenile-dermatomyositis"),
            _query("kind", "drug or procedure"),
            _query("class", "an agent class, for example bisphosphonate"),
        ),
        problems=(422,),
        others=_KEPT,
    ),
    _Operation(
        id="getAgent",
        method="get",
        path="/v1/agents/{id}",
        tag="knowledge",
        summary="One agent in full: regimens, products, evidence, disagreements, safety",
        answer=known.AgentSchema,
        asked={"warfarin": ("/v1/agents/warfarin", None)},
        parameters=(_path_id("warfarin"),),
        problems=(404,),
        others=_KEPT,
    ),
    _Operation(
        id="getReference",
        method="get",
        path="/v1/references/{id}",
        tag="knowledge",
        summary="One citation",
        answer=known.ReferenceSchema,
        asked={"a-series": ("/v1/references/palmieri-1995", None)},
        parameters=(_path_id("palmieri-1995"),),
        problems=(404,),
        others=_KEPT,
    ),
    _Operation(
        id="getKnowledge",
        method="get",
        path="/v1/knowledge",
        tag="knowledge",
        summary="Version, digest, counts, coverage, disagreements, self-test",
        answer=wire.KnowledgeSchema,
        asked={"this-version": ("/v1/knowledge", None)},
        others=_KEPT,
    ),
    _Operation(
        id="discoverServices",
        method="get",
        path=_SERVICES,
        tag="cds-hooks",
        summary="The CDS Hooks services, with the prefetch that each asks for",
        answer=cds.DiscoverySchema,
        asked={"services": (_SERVICES, None)},
    ),
    _Operation(
        id="callService",
        method="post",
        path=f"{_SERVICES}/{{id}}",
        tag="cds-hooks",
        summary="Cards for orders that are being selected or signed",
        description="Orders are FHIR resources (R4; shapes of STU3 and R5 are read too).",
        answer=cds.CardsSchema,
        body=cds.CallSchema,
        asked={
            "a-weekly-drug-ordered-daily": (f"{_SERVICES}/calcinosis-order-sign", _CALL),
            "data-missing": (f"{_SERVICES}/calcinosis-order-sign", _CALL_WITHOUT_WEIGHT),
        },
        parameters=(_path_id("calcinosis-order-sign"),),
        problems=(400, 401, 404, 412, 413, 415),
        problem=cds.CdsProblemSchema,
    ),
    _Operation(
        id="takeFeedback",
        method="post",
        path=f"{_SERVICES}/{{id}}/feedback",
        tag="cds-hooks",
        summary="What clinicians did with cards; the same report again changes nothing",
        answer=None,
        body=cds.FeedbackSchema,
        asked={},
        sent={"an-overridden-card": _FEEDBACK},
        media="",
        parameters=(_path_id("calcinosis-order-sign"),),
        problems=(400, 401, 404, 413, 415, 503),
        problem=cds.CdsProblemSchema,
    ),
    _Operation(
        id="isAlive",
        method="get",
        path="/livez",
        tag="operations",
        summary="The process answers",
        answer=wire.AliveSchema,
        asked={"alive": ("/livez", None)},
    ),
    _Operation(
        id="isReady",
        method="get",
        path="/readyz",
        tag="operations",
        summary="The known-answer doses come out right",
        answer=wire.ReadySchema,
        asked={"ready": ("/readyz", None)},
        others={"503": "Not ready: a known answer does not come out"},
    ),
    _Operation(
        id="getVersion",
        method="get",
        path="/__version__",
        tag="operations",
        summary="Service and knowledge version",
        answer=wire.ServiceVersionSchema,
        asked={"this-version": ("/__version__", None)},
    ),
    *(
        _Operation(
            id=id_,
            method="get",
            path=path,
            tag="contract",
            summary=f"This contract as {media}",
            answer=None,
            media=media,
            asked={},
            others=_KEPT,
        )
        for id_, path, media in (
            ("getContractAsJson", "/openapi.json", _JSON),
            ("getContractAsYaml", "/openapi.yaml", "application/yaml"),
            ("getContractPage", "/docs", "text/html"),
        )
    ),
)
#: The contract cannot hold itself as an example; these are its first words.
_FIRST_WORDS: Mapping[str, Any] = {
    _JSON: {"openapi": "3.1.0"},
    "application/yaml": {"openapi": "3.1.0"},
    "text/html": "<!doctype html>",
}


def specification(client: FlaskClient) -> dict[str, Any]:
    """Return the contract as a dictionary that JSON and YAML can write; ``client`` asks the application for
    examples.
    """
    marshmallow = MarshmallowPlugin()
    spec = APISpec(
        title="dosing-service",
        version=__version__,
        openapi_version="3.1.0",
        plugins=[marshmallow],
        info={"description": _DESCRIPTION},
        servers=[{"url": "/", "description": "this service"}],
        tags=[{"name": name} for name in dict.fromkeys(operation.tag for operation in _OPERATIONS)],
    )
    converter = marshmallow.converter
    assert converter is not None  # noqa: S101 - set when the plugin was given to the document
    converter.add_attribute_function(_openapi_of)  # type: ignore[no-untyped-call]  # apispec has no annotation here
    for schema in (known.RegimenSchema, known.ProductSchema):
        spec.components.schema(schema.__name__.removesuffix("Schema"), schema=schema)
    for operation in _OPERATIONS:
        spec.path(operation.path, operations={operation.method: _described(operation, client)})
    finished: dict[str, Any] = json.loads(json.dumps(spec.to_dict(), default=str))
    for key, name in converter.refs.items():
        _finish(finished["components"]["schemas"][name], key[0])
    return finished


def _openapi_of(_converter: Any, field_: fields.Field[Any], **_: Any) -> dict[str, Any]:
    """Give apispec what our own fields say of themselves."""
    own = dict(getattr(field_, "openapi", {}))
    if field_.allow_none and isinstance(own.get("type"), str):
        own["type"] = [own["type"], "null"]
    return own


def _finish(component: dict[str, Any], schema: type[Schema]) -> None:
    """Say what a schema is for, and that an answer always has all its fields."""
    component["description"] = " ".join((schema.__doc__ or "").split())
    if issubclass(schema, AnswerSchema):
        component["required"] = list(component["properties"])
    for property_ in component["properties"].values():
        property_.pop("readOnly", None)


def _described(operation: _Operation, client: FlaskClient) -> dict[str, Any]:
    answers = {name: _ask(client, operation.method, *asked) for name, asked in operation.asked.items()}
    described: dict[str, Any] = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "responses": {
            "200": _answer(operation, answers),
            **{code: {"description": text} for code, text in operation.others.items()},
            **{str(code): _problem(operation, code, answers) for code in operation.problems},
        },
    }
    if operation.description:
        described["description"] = operation.description
    if operation.parameters:
        described["parameters"] = list(operation.parameters)
    if operation.body:
        taken = {name: body for name, (_, body) in operation.asked.items() if answers[name][0] == HTTPStatus.OK}
        bodies = {name: {"value": body} for name, body in {**taken, **operation.sent}.items()}
        described["requestBody"] = {
            "required": True,
            "content": {_JSON: {"schema": operation.body, "examples": bodies}},
        }
    return described


def _ask(client: FlaskClient, method: str, address: str, body: Any) -> tuple[int, Any]:
    response = client.open(address, method=method.upper(), **({} if body is None else {"json": body}))
    return response.status_code, response.get_json()


def _answer(operation: _Operation, answers: Mapping[str, tuple[int, Any]]) -> dict[str, Any]:
    content: dict[str, Any]
    if operation.answer is None:
        kind = "string" if operation.media == "text/html" else "object"
        content = {"schema": {"type": kind}, "example": _FIRST_WORDS.get(operation.media)}
    else:
        content = {"schema": operation.answer, "examples": _examples(answers, HTTPStatus.OK)}
    answer: dict[str, Any] = {"description": operation.summary}
    if operation.media:
        answer["content"] = {operation.media: content}
    if operation.others is _KEPT:
        answer["headers"] = {"ETag": {"schema": {"type": "string"}}}
    return answer


def _problem(operation: _Operation, code: int, answers: Mapping[str, tuple[int, Any]]) -> dict[str, Any]:
    content: dict[str, Any] = {"schema": operation.problem}
    examples = _examples(answers, code)
    if examples:
        content["examples"] = examples
    return {"description": _PROBLEMS[code], "content": {_PROBLEM: content}}


def _examples(answers: Mapping[str, tuple[int, Any]], code: int) -> dict[str, Any]:
    return {name: {"value": body} for name, (status, body) in answers.items() if status == code}
