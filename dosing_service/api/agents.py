"""``GET /v1/agents`` and ``GET /v1/agents/{id}``."""

from flask import Blueprint, Response, request

from dosing_service import service
from dosing_service.api.caching import Document
from dosing_service.api.query import only
from dosing_service.http.strict_json import encode
from dosing_service.knowledge.base import Agent, KnowledgeBase
from schemas.knowledge import AgentSchema, AgentSummarySchema

_FILTERS = ("indication", "kind", "class")


def blueprint(knowledge: KnowledgeBase) -> Blueprint:
    """Return the routes of this resource."""
    routes = Blueprint("agents", __name__)
    monographs: dict[str, Document] = {}

    @routes.get("/v1/agents")
    def agents() -> Response:
        wanted = only(request.args, *_FILTERS)
        chosen = [agent for agent in knowledge.agents.values() if _matches(agent, wanted)]
        return Document(encode({"agents": AgentSummarySchema(many=True).dump(chosen)})).answer(request)

    @routes.get("/v1/agents/<id_>")
    def agent(id_: str) -> Response:
        found = service.find_agent(id_, knowledge)
        if found.id not in monographs:
            monographs[found.id] = Document(encode(AgentSchema().dump(found)))
        return monographs[found.id].answer(request)

    return routes


def _matches(agent: Agent, wanted: dict[str, str]) -> bool:
    diseases = {disease for regimen in agent.regimens.values() for disease in regimen.diseases}
    has = {"indication": diseases, "kind": {agent.kind}, "class": {agent.class_}}
    return all(value in has[name] for name, value in wanted.items())
