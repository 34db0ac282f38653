"""``POST /v1/order-checks``."""

from collections.abc import Iterator
from typing import Any

import msgspec
from flask import Blueprint, Response, request

from dosing_service import service
from dosing_service.api.answers import of_findings, raw
from dosing_service.config import Settings
from dosing_service.http.strict_json import encode, read_object
from dosing_service.knowledge.base import KnowledgeBase
from dosing_service.model import OrderAssessment, OrderCheck
from schemas.knowledge import AgentNameSchema, ReferenceSchema, VersionSchema
from schemas.order_checks import OrderCheckAnswerSchema
from schemas.reading import order_request

_ANSWER = OrderCheckAnswerSchema()


def blueprint(settings: Settings, knowledge: KnowledgeBase) -> Blueprint:
    """Return the routes of this resource."""
    routes = Blueprint("order_checks", __name__)
    writer = OrderCheckWriter(knowledge)

    @routes.post("/v1/order-checks")
    def check() -> Response:
        asked = order_request(read_object(request, settings.max_body_bytes))
        response = Response(writer.write(service.check_orders(asked, knowledge)), mimetype="application/json")
        response.headers["Cache-Control"] = "no-store"
        return response

    return routes


class OrderCheckWriter:
    """Writes the answers of one knowledge base; names and citations are encoded once."""

    def __init__(self, knowledge: KnowledgeBase) -> None:
        self._agents = {id_: raw(AgentNameSchema(), agent) for id_, agent in knowledge.agents.items()}
        self._references = {id_: raw(ReferenceSchema(), item) for id_, item in knowledge.references.items()}
        self._version = raw(VersionSchema(), knowledge)

    def write(self, answer: OrderCheck) -> bytes:
        """Return the body of the answer; the same answer always gives the same bytes."""
        cited = {*of_findings(answer.findings), *(id_ for order in answer.orders for id_ in _cited(order))}
        document = {
            "verdict": answer.verdict,
            "orders": [self._order(order) for order in answer.orders],
            "findings": answer.findings,
            "not_checked": answer.not_checked,
            "references": {id_: self._references[id_] for id_ in sorted(cited)},
            "as_of": answer.as_of,
            "knowledge": self._version,
            "notice": service.NOTICE,
        }
        return encode(_ANSWER.dump(document))

    def _order(self, order: OrderAssessment) -> dict[str, Any]:
        return msgspec.structs.asdict(order) | {"agent": self._agents[order.agent] if order.agent else None}


def _cited(order: OrderAssessment) -> Iterator[str]:
    yield from of_findings(order.findings)
    for check in order.limits:
        yield from check.references
    for line in order.monitoring:
        yield from line.references
        for threshold in line.thresholds:
            yield from threshold.references
