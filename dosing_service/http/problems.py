"""Errors as RFC 9457 problem documents. They name the place and what is accepted there; they never repeat a
submitted value. Those of the CDS Hooks routes are FHIR OperationOutcomes at the same time.
"""

from http import HTTPStatus
from typing import Any

import msgspec
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, InternalServerError

from dosing_service.errors import (
    DataMissing,
    InvalidRequest,
    MalformedBody,
    Problem,
    StoreUnavailable,
    UnknownId,
    Untrusted,
)

MEDIA_TYPE = "application/problem+json"
_HOOKS = "/cds-services"
#: The FHIR issue types of the errors that are not plainly invalid input.
_ISSUE_TYPES = {401: "login", 404: "not-found", 405: "not-supported", 412: "required", 413: "too-long"}
_ISSUE_TYPES |= {500: "exception", 503: "transient"}


def problem(status: int, title: str, problems: tuple[Problem, ...] = (), detail: str | None = None) -> Response:
    """Return a problem document as an answer."""
    body = document(status, title, problems, detail)
    if request.path.startswith(_HOOKS):
        body |= _outcome(status, body["detail"] or title, problems)
    response = Response(msgspec.json.encode(body), status, mimetype=MEDIA_TYPE)
    response.headers["Cache-Control"] = "no-store"
    return response


def document(status: int, title: str, problems: tuple[Problem, ...] = (), detail: str | None = None) -> dict[str, Any]:
    """Return a problem document: what went wrong, and for each place what is accepted there."""
    return {
        "type": f"urn:dosing-service:problem:{title.lower().replace(' ', '-')}",
        "title": title,
        "status": status,
        "detail": detail or "; ".join(f"{item.pointer or 'body'}: {item.detail}" for item in problems),
        "errors": [
            {"pointer": item.pointer, "code": item.code, "detail": item.detail, "expected": item.expected}
            for item in problems
        ],
    }


def _outcome(status: int, words: str, problems: tuple[Problem, ...]) -> dict[str, Any]:
    """Return the members of an OperationOutcome that says the same."""
    said = [f"{item.pointer or 'body'}: {item.detail}; expected: {item.expected}" for item in problems] or [words]
    code = _ISSUE_TYPES.get(status, "invalid")
    issues = [{"severity": "error", "code": code, "diagnostics": text} for text in said]
    return {"resourceType": "OperationOutcome", "issue": issues}


def register(app: Flask) -> None:
    """Answer every error of ``app`` with a problem document."""

    @app.errorhandler(InvalidRequest)
    def invalid(error: InvalidRequest) -> Response:
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "Invalid request", error.problems)

    @app.errorhandler(MalformedBody)
    def malformed(error: MalformedBody) -> Response:
        titles = {413: "Body too large", 415: "Unsupported media type"}
        return problem(error.status, titles.get(error.status, "Malformed body"), (error.problem,))

    @app.errorhandler(UnknownId)
    def unknown(error: UnknownId) -> Response:
        expected = f"nearest: {', '.join(error.nearest)}" if error.nearest else f"an id from the list of {error.kind}s"
        item = Problem(
            _pointer(error),
            f"unknown-{error.kind}",
            f"no {error.kind} has this id",
            expected,
        )
        return problem(HTTPStatus.NOT_FOUND, "Not found", (item,))

    _register_refusals(app)

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response:
        status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
        response = problem(status, error.name.capitalize(), detail=_SAFE_DETAIL.get(status, error.name))
        for name, value in error.get_headers():
            if name in {"Allow", "Retry-After"}:
                response.headers[name] = value
        return response

    @app.errorhandler(InternalServerError)
    def crashed(_: InternalServerError) -> Response:
        return problem(
            HTTPStatus.INTERNAL_SERVER_ERROR,
            "Internal error",
            detail="the request could not be processed; nothing was stored",
        )


def _register_refusals(app: Flask) -> None:
    """Answer what the CDS Hooks routes alone can refuse."""

    @app.errorhandler(DataMissing)
    def lacking(error: DataMissing) -> Response:
        return problem(HTTPStatus.PRECONDITION_FAILED, "Data missing", error.problems)

    @app.errorhandler(Untrusted)
    def refused(_: Untrusted) -> Response:
        # Why is for the log: whoever tries tokens must not learn from the answer.
        response = problem(HTTPStatus.UNAUTHORIZED, "Not authenticated", detail="the caller is not authenticated")
        response.headers["WWW-Authenticate"] = "Bearer"
        return response

    @app.errorhandler(StoreUnavailable)
    def full(_: StoreUnavailable) -> Response:
        detail = "what was sent could not be kept; nothing was stored; send it again later"
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, "Not stored", detail=detail)


def _pointer(error: UnknownId) -> str:
    if request.method == "POST" and error.kind == "agent":
        return "/agent"
    return "/path/id" if request.view_args else f"/query/{'with' if error.kind == 'partner' else 'agent'}"


#: What we say of errors that Werkzeug raises; its own descriptions may quote the request.
_SAFE_DETAIL = {
    400: "the request is not valid HTTP as this service reads it",
    404: "there is nothing at this address",
    405: "this address does not answer this method",
    413: "the body is too large",
}
