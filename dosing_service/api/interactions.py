"""``GET /v1/interactions``: the rows about an agent, or about an agent and one partner."""

from flask import Blueprint, Response, request

from dosing_service import service
from dosing_service.api.caching import Document
from dosing_service.api.query import only
from dosing_service.http.strict_json import encode
from dosing_service.knowledge.base import KnowledgeBase
from schemas.knowledge import InteractionSchema


def blueprint(knowledge: KnowledgeBase) -> Blueprint:
    """Return the routes of this resource."""
    routes = Blueprint("interactions", __name__)

    @routes.get("/v1/interactions")
    def interactions() -> Response:
        wanted = only(request.args, "agent", "with")
        rows = service.interactions(knowledge, wanted.get("agent"), wanted.get("with"))
        return Document(encode({"interactions": InteractionSchema(many=True).dump(rows)})).answer(request)

    return routes
