"""``GET /openapi.json``, ``/openapi.yaml`` and ``/docs``: the contract, generated from the schemas, with examples
that the service itself computed.
"""

import json
from collections.abc import Callable
from typing import Any

import yaml
from flask import Blueprint, Response, render_template, request
from flask.testing import FlaskClient

from dosing_service.api.caching import Document


def blueprint(examples: Callable[[], FlaskClient]) -> Blueprint:
    """Return the routes of this resource. The document is built on the first request for it (most workers never serve
    it), with answers of the application that ``examples`` returns a client of.
    """
    routes = Blueprint("contract", __name__)
    kept: dict[str, Document] = {}

    def once(name: str, media_type: str, build: Callable[[dict[str, Any]], str]) -> Response:
        if name not in kept:
            from dosing_service.api.specification import specification  # noqa: PLC0415 - apispec is only needed for these pages

            kept[name] = Document(build(specification(examples())).encode(), media_type)
        return kept[name].answer(request)

    @routes.get("/openapi.json")
    def as_json() -> Response:
        return once("json", "application/json", as_json_text)

    @routes.get("/openapi.yaml")
    def as_yaml() -> Response:
        return once("yaml", "application/yaml", as_yaml_text)

    @routes.get("/docs")
    def page() -> Response:
        return once("page", "text/html", lambda spec: render_template("docs.html", spec=spec, pretty=_pretty))

    return routes


def as_json_text(spec: dict[str, Any]) -> str:
    """Return the contract as JSON."""
    return json.dumps(spec, ensure_ascii=False)


def as_yaml_text(spec: dict[str, Any]) -> str:
    """Return the contract as YAML, in the order it was written, without anchors."""

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            return True

    return yaml.dump(spec, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=140)


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
