"""``POST /v1/dose-calculations``."""

from flask import Blueprint, Response, request

from dosing_service import service
from dosing_service.api.answers import AnswerWriter
from dosing_service.config import Settings
from dosing_service.http.strict_json import read_object
from dosing_service.knowledge.base import KnowledgeBase
from schemas.reading import dose_request


def blueprint(settings: Settings, knowledge: KnowledgeBase, writer: AnswerWriter) -> Blueprint:
    """Return the routes of this resource."""
    routes = Blueprint("dose_calculations", __name__)

    @routes.post("/v1/dose-calculations")
    def calculate() -> Response:
        asked = dose_request(read_object(request, settings.max_body_bytes))
        body = writer.write(service.calculate_dose(asked, knowledge))
        response = Response(body, mimetype="application/json")
        response.headers["Cache-Control"] = "no-store"
        return response

    return routes
