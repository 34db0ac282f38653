"""Wires the application together; there is no logic here."""

from flask import Flask, Response

from dosing_service import config, knowledge
from dosing_service.api import (
    agents,
    contract,
    dose_calculations,
    interactions,
    operations,
    order_checks,
    references,
    treatment_options,
)
from dosing_service.api import knowledge as knowledge_api
from dosing_service.api.answers import AnswerWriter
from dosing_service.cds_hooks import routes as cds_hooks
from dosing_service.http import problems
from dosing_service.knowledge.base import KnowledgeBase
from dosing_service.terminology import configured_index


def create_app(settings: config.Settings | None = None, known: KnowledgeBase | None = None) -> Flask:
    """Return the WSGI application.

    Raises:
        SettingsError: the environment holds an unknown or wrong setting.
        KnowledgeError: the knowledge base does not load.
    """
    settings = settings or config.from_environment()
    known = known or knowledge.load()
    index = configured_index(settings.rxnorm_index)
    app = Flask(__name__, static_folder=None, template_folder="web/templates")
    problems.register(app)
    app.register_blueprint(dose_calculations.blueprint(settings, known, AnswerWriter(known)))
    app.register_blueprint(order_checks.blueprint(settings, known))
    app.register_blueprint(agents.blueprint(known))
    app.register_blueprint(treatment_options.blueprint(settings, known))
    app.register_blueprint(interactions.blueprint(known))
    app.register_blueprint(references.blueprint(known))
    app.register_blueprint(knowledge_api.blueprint(known))
    app.register_blueprint(operations.blueprint(known))
    app.register_blueprint(contract.blueprint(lambda: create_app(config.Settings(), known).test_client()))
    app.register_blueprint(cds_hooks.blueprint(settings, known, index))
    app.after_request(_harden)
    return app


def _harden(response: Response) -> Response:
    """Set the headers that every answer carries."""
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
