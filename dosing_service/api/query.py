"""Query parameters: each is known and occurs at most once, or the request is refused."""

from werkzeug.datastructures import MultiDict

from dosing_service.errors import InvalidRequest, Problem


def only(arguments: MultiDict[str, str], *known: str) -> dict[str, str]:
    """Return the query parameters.

    Raises:
        InvalidRequest: a parameter is not among ``known``, or occurs twice.
    """
    if set(arguments) - set(known):
        detail = "a query parameter is not known here"
        raise InvalidRequest(Problem("/query", "unknown-parameter", detail, f"one of: {', '.join(known)}"))
    if any(len(values) > 1 for values in arguments.listvalues()):
        detail = "a query parameter occurs twice"
        raise InvalidRequest(Problem("/query", "repeated-parameter", detail, "each parameter at most once"))
    return arguments.to_dict()
