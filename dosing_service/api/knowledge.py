"""``GET /v1/knowledge``: what the service knows, and whether it still computes what was worked out by hand."""

from collections import Counter
from typing import Any

from flask import Blueprint, Response, request

from dosing_service.api.caching import Document
from dosing_service.http.strict_json import encode
from dosing_service.knowledge.base import KnowledgeBase
from dosing_service.selftest import failures


def blueprint(knowledge: KnowledgeBase) -> Blueprint:
    """Return the routes of this resource."""
    routes = Blueprint("knowledge", __name__)
    kept: list[Document] = []

    @routes.get("/v1/knowledge")
    def about() -> Response:
        if not kept:
            kept.append(Document(encode(describe(knowledge))))
        return kept[0].answer(request)

    return routes


def describe(knowledge: KnowledgeBase) -> dict[str, Any]:
    """Return version, digest, counts, coverage, disagreements and the self-test of a knowledge base."""
    agents = knowledge.agents.values()
    regimens = [regimen for agent in agents for regimen in agent.regimens.values()]
    register: dict[str, list[str]] = {}
    for agent in agents:
        for item in agent.disagreements:
            register.setdefault(item.id, []).append(agent.id)
    return {
        "version": knowledge.version,
        "digest": knowledge.digest,
        "released": knowledge.released,
        "reviewed": knowledge.reviewed,
        "counts": {
            "agents": len(agents),
            "drugs": sum(agent.kind == "drug" for agent in agents),
            "procedures": sum(agent.kind == "procedure" for agent in agents),
            "regimens": len(regimens),
            "references": len(knowledge.references),
            "safety_rules": sum(len(agent.safety.rules) for agent in agents),
            "interactions": len(knowledge.interactions),
            "conditions": len(knowledge.terminology.condition_names),
        },
        "coverage": {
            "agents_with_default_regimen": sum(agent.default_regimen is not None for agent in agents),
            "agents_without_dose": sorted(agent.id for agent in agents if not agent.regimens),
            "regimens_verified": sum(regimen.citations.verified for regimen in regimens),
            "regimens_by_use": dict(sorted(Counter(regimen.use for regimen in regimens).items())),
            "not_covered": [],
        },
        "disagreements": [{"id": id_, "agents": sorted(ids)} for id_, ids in sorted(register.items())],
        "self_test": {"doses": len(knowledge.known_answers), "failures": failures(knowledge)},
    }
