"""``GET /livez``, ``/readyz`` and ``/__version__``."""

from http import HTTPStatus

from flask import Blueprint, Response

from dosing_service import __version__
from dosing_service.http.strict_json import encode
from dosing_service.knowledge.base import KnowledgeBase
from dosing_service.selftest import failures


def blueprint(knowledge: KnowledgeBase) -> Blueprint:
    """Return the routes of this resource."""
    routes = Blueprint("operations", __name__)

    @routes.get("/livez")
    def alive() -> Response:
        return _answer({"status": "alive"})

    @routes.get("/readyz")
    def ready() -> Response:
        """Run the known-answer doses; a service that computes one of them wrongly must get no patients."""
        failed = failures(knowledge)
        status = HTTPStatus.SERVICE_UNAVAILABLE if failed else HTTPStatus.OK
        body = {
            "status": "not-ready" if failed else "ready",
            "known_answers": len(knowledge.known_answers),
            "failures": failed,
        }
        return _answer(body, status)

    @routes.get("/__version__")
    def version() -> Response:
        return _answer(
            {"service": __version__, "knowledge": {"version": knowledge.version, "digest": knowledge.digest}}
        )

    return routes


def _answer(body: object, status: int = HTTPStatus.OK) -> Response:
    response = Response(encode(body), status, mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response
