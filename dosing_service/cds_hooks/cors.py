"""Cross-origin requests: which web pages may call the services from a browser.

Three headers and one answer; the general extension reads origins as patterns and allows every origin by default.
"""

from flask import Blueprint, Request, Response, request

from dosing_service import addresses
from dosing_service.config import Settings

#: How long a browser may remember a preflight. Two hours is the most that browsers grant.
_MAX_AGE_SECONDS = 7200


def register(blueprint: Blueprint, settings: Settings) -> None:
    """Answer preflights of ``blueprint`` before anything else looks at them, and mark all its answers.

    A preflight carries no credentials, so this comes before the check of the caller: call it first.
    """

    @blueprint.before_request
    def answer_preflight() -> Response | None:
        return preflight(request)

    @blueprint.after_request
    def mark(response: Response) -> Response:
        return allow(response, request, settings)


def preflight(asked: Request) -> Response | None:
    """Return the answer to a preflight, ``None`` where ``asked`` is none."""
    if asked.method != "OPTIONS" or "Access-Control-Request-Method" not in asked.headers:
        return None
    return Response(status=204)


def allow(response: Response, asked: Request, settings: Settings) -> Response:
    """Return ``response`` with the headers that let the page of ``asked`` read it, if it is on the list."""
    response.vary.add("Origin")
    origin = asked.headers.get("Origin", "")
    if addresses.parse(origin) not in settings.cds_origins:
        return response
    response.headers["Access-Control-Allow-Origin"] = origin
    if asked.method == "OPTIONS":
        response.headers["Access-Control-Allow-Methods"] = "GET, POST, OPTIONS"
        response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type"
        response.headers["Access-Control-Max-Age"] = str(_MAX_AGE_SECONDS)
    return response
