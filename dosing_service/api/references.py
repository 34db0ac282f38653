"""``GET /v1/references/{id}``."""

from flask import Blueprint, Response, request

from dosing_service import service
from dosing_service.api.caching import Document
from dosing_service.http.strict_json import encode
from dosing_service.knowledge.base import KnowledgeBase
from schemas.knowledge import ReferenceSchema


def blueprint(knowledge: KnowledgeBase) -> Blueprint:
    """Return the routes of this resource."""
    routes = Blueprint("references", __name__)

    @routes.get("/v1/references/<id_>")
    def reference(id_: str) -> Response:
        return Document(encode(ReferenceSchema().dump(service.find_reference(id_, knowledge)))).answer(request)

    return routes
