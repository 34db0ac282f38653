"""``GET /cds-services``, ``POST /cds-services/{id}`` and ``POST /cds-services/{id}/feedback``."""

from datetime import UTC, datetime
from difflib import get_close_matches

from flask import Blueprint, Response, request

from dosing_service import age
from dosing_service.cds_hooks import cors, feedback
from dosing_service.cds_hooks.answering import Desk, answer
from dosing_service.cds_hooks.requests import read_call
from dosing_service.cds_hooks.services import SERVICES, Service, discovery
from dosing_service.cds_hooks.trust import clients_of, require_caller
from dosing_service.config import Settings
from dosing_service.errors import MalformedBody, Problem, UnknownId
from dosing_service.http.strict_json import encode, read_object
from dosing_service.knowledge.base import KnowledgeBase
from dosing_service.terminology import RxNormIndex
from dosing_service.terminology.names import name_book

#: Records nest deeper than the requests of our own: resources in bundles, with extensions in extensions.
_MAX_DEPTH = 100


def blueprint(settings: Settings, knowledge: KnowledgeBase, index: RxNormIndex | None) -> Blueprint:
    """Return the routes of CDS Hooks.

    Raises:
        SettingsError: an issuer of the settings has no usable key, or the database of feedback cannot be opened.
    """
    routes = Blueprint("cds_hooks", __name__)
    cors.register(routes, settings)
    name_book(knowledge)  # collected now, so that no clinician waits for it
    clients, store, desk = clients_of(settings), feedback.open_store(settings), Desk(settings, knowledge, index)

    @routes.get("/cds-services")
    def discover() -> Response:
        return Response(encode(discovery(knowledge)), mimetype="application/json")

    @routes.post("/cds-services/<id_>")
    def call(id_: str) -> Response:
        require_caller(request, clients)
        service = _find(id_)
        asked = read_call(read_object(request, settings.cds_max_body_bytes, _MAX_DEPTH), service)
        base = str(settings.public_url or request.host_url.rstrip("/"))
        cards = answer(asked, service, desk, base=base, today=age.today())
        return _kept_nowhere(Response(encode(cards), mimetype="application/json"))

    @routes.post("/cds-services/<id_>/feedback")
    def take_feedback(id_: str) -> Response:
        caller = require_caller(request, clients)
        service = _find(id_)
        read = feedback.read(read_object(request, settings.cds_max_body_bytes, _MAX_DEPTH))
        if not read.entries:
            expected = f"1 to {feedback.MAX_ENTRIES} objects with card and outcome (accepted or overridden)"
            raise MalformedBody(Problem("/feedback", "no-feedback", "; ".join(read.unread), expected))
        if store is not None:
            store.add(read.entries, service=service.id, caller=caller, received=datetime.now(UTC))
        return _kept_nowhere(Response(mimetype="text/plain"))

    return routes


def _find(id_: str) -> Service:
    service = SERVICES.get(id_)
    if service is None:
        raise UnknownId("service", tuple(get_close_matches(id_, SERVICES, n=3)))
    return service


def _kept_nowhere(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
