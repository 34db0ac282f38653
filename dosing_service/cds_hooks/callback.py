"""What a request left out, asked from the caller's FHIR server, if the operator named that server."""

import re
from collections.abc import Mapping
from typing import Any

from dosing_service import addresses
from dosing_service.addresses import Address
from dosing_service.cds_hooks import outgoing
from dosing_service.config import Settings
from dosing_service.model import Value

#: The whole call has to be answered in about half a second.
BUDGET_SECONDS = 0.4
#: More than any discovery document of this service asks for.
MAX_QUERIES = 16
#: A type, perhaps an id, perhaps parameters: nothing that could lead away from the server's base. Ids have no length
#: limit of their own, since real ones exceed the 64 characters of the standard.
_QUERY = re.compile(r"[A-Za-z]+(?:/(?!\.+(?:\?|$))[A-Za-z0-9._~:-]+)?(?:\?[A-Za-z0-9._~:|,=&%$+/-]+)?", re.ASCII)
_MAX_QUERY_LENGTH = 4096
_TOKEN = re.compile(r"[\x21-\x7e]{1,8192}", re.ASCII)


class Fetched(Value, frozen=True):
    """The resources that came, by key, and a sentence for each that did not. A key that is absent is unknown."""

    resources: Mapping[str, Any]
    notes: tuple[str, ...] = ()


def allowed_server(server: object, settings: Settings) -> Address | None:
    """Return the base address of ``server`` if it is on the list of the operator, or lies below an entry of it."""
    address = addresses.parse(server)
    if address is None or not any(entry.holds(address) for entry in settings.cds_fhir_servers):
        return None
    return address


def fetch(
    queries: Mapping[str, str],
    server: object,
    token: object,
    *,
    settings: Settings,
    budget_seconds: float = BUDGET_SECONDS,
) -> Fetched:
    """Return what the FHIR server answers to each query, all of them within ``budget_seconds``.

    ``server`` and ``token`` come from the request as they are (``fhirServer``, ``fhirAuthorization.access_token``);
    the token goes to the server and nowhere else. Whatever fails is left out, with a note.
    """
    base = allowed_server(server, settings)
    if base is None:
        return _nothing(queries, "the FHIR server is not on the list of this service")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        return _nothing(queries, "there is no access token")
    asked = {key: query for key, query in list(queries.items())[:MAX_QUERIES] if _is_below_base(query)}
    got = outgoing.get(
        # Servers that keep to the grammar of addresses refuse the bar of FHIR's token search as it stands.
        {key: f"{base}/{query.replace('|', '%7C')}" for key, query in asked.items()},
        headers={"Accept": "application/fhir+json", "Authorization": f"Bearer {token}"},
        budget_seconds=budget_seconds,
    )
    return _sorted_out(queries, got)


def _is_below_base(query: str) -> bool:
    return len(query) <= _MAX_QUERY_LENGTH and _QUERY.fullmatch(query) is not None


def _nothing(queries: Mapping[str, str], reason: str) -> Fetched:
    return Fetched({}, tuple(_note(key, reason) for key in queries))


def _sorted_out(queries: Mapping[str, str], got: Mapping[str, Any]) -> Fetched:
    answers = {key: got.get(key, outgoing.Failure("its query is not one that this service makes")) for key in queries}
    return Fetched(
        {key: answer for key, answer in answers.items() if not isinstance(answer, outgoing.Failure)},
        tuple(_note(key, answer.reason) for key, answer in answers.items() if isinstance(answer, outgoing.Failure)),
    )


def _note(key: str, reason: str) -> str:
    return f"{key} was not fetched: {reason}"
