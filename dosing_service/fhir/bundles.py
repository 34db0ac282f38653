"""What a prefetch holds: resources in bundles, in bundles of bundles, wrapped in answers, or nothing."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from dosing_service.fhir.elements import MOST_ENTRIES, element, elements, items, resource_type, word
from dosing_service.model import Value

#: Bundles in bundles and answers in answers do not go deeper in any record.
_DEEPEST = 3
_MOST_KEYS = 200
_ERRORS = {"error", "fatal"}


class Supply(Value, frozen=True):
    """What stands under one key of the prefetch.

    ``addressed`` are the resources with the full address of their entry. ``is_empty`` says that the record system
    looked and found nothing; ``has_error`` that it could not look; the others that there is more than was sent.
    """

    key: str
    resources: tuple[Mapping[str, Any], ...] = ()
    addressed: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    is_empty: bool = False
    has_error: bool = False
    has_notice: bool = False
    has_more: bool = False
    is_cut: bool = False


def supplies(prefetch: Any) -> list[Supply]:
    """Return what each key of a prefetch holds."""
    given = list(element(prefetch).items())[:_MOST_KEYS]
    return [_supply(key, value) for key, value in given]


def _supply(key: str, value: Any) -> Supply:
    if value is None or value == []:
        return Supply(key, is_empty=True)
    bundle = unwrapped(value)
    if bundle is None and _is_answer(value):
        return Supply(key, has_error=True)
    entries = list(islice(_within(bundle, 0), MOST_ENTRIES + 1))
    tree = [resource for _, resource in entries]
    found = [resource for resource in tree if resource_type(resource) not in {None, "OperationOutcome"}]
    outcomes = [resource for resource in tree if resource_type(resource) == "OperationOutcome"]
    is_error = any(_is_error(outcome) for outcome in outcomes)
    alone = resource_type(element(bundle)) == "OperationOutcome"
    return Supply(
        key,
        tuple(found[:MOST_ENTRIES]),
        tuple([(address, resource) for address, resource in entries[:MOST_ENTRIES] if address is not None]),
        is_empty=not found and not is_error and not alone and _says_empty(bundle),
        has_error=is_error or (not found and (alone or not _says_empty(bundle))),
        has_notice=bool(outcomes),
        has_more=_has_next(bundle),
        is_cut=len(found) > MOST_ENTRIES or len(tree) > MOST_ENTRIES or _is_long(bundle),
    )


def unwrapped(value: Any) -> Any:
    """Return the resource of the old form ``{"response": …, "resource": …}``; anything else as it is."""
    for _ in range(_DEEPEST):
        if not _is_answer(value):
            return value
        value = value.get("resource")
    return value


def _is_answer(value: Any) -> bool:
    return isinstance(value, dict) and "resourceType" not in value and ("resource" in value or "response" in value)


def _within(value: Any, depth: int) -> Iterator[tuple[str | None, Mapping[str, Any]]]:
    """Yield the resources in a bundle, a list, or on their own, with the full address of their entry."""
    for one in items(value):
        resource = unwrapped(one)
        if not isinstance(resource, dict):
            continue
        if resource_type(resource) != "Bundle":
            yield word(element(one).get("fullUrl")), resource
        elif depth < _DEEPEST:
            yield from _within(resource.get("entry"), depth + 1)


def _is_error(outcome: Mapping[str, Any]) -> bool:
    return any(word(issue.get("severity")) in _ERRORS for issue in elements(outcome.get("issue")))


def _says_empty(bundle: Any) -> bool:
    """Tell whether a bundle says that there is nothing: no total above what was sent, and no further page."""
    if resource_type(element(bundle)) != "Bundle":
        return False
    total = element(bundle).get("total")
    return (total is None or total == 0) and not _has_next(bundle)


def _has_next(bundle: Any) -> bool:
    return any(word(link.get("relation")) == "next" for link in elements(element(bundle).get("link")))


def _is_long(bundle: Any) -> bool:
    entries = bundle if isinstance(bundle, list) else element(bundle).get("entry")
    return isinstance(entries, list) and len(entries) > MOST_ENTRIES


# ---------------------------------------------------------------- who and what is meant


def bare_id(value: Any) -> str | None:
    """Return an id without the type, address or version around it: ``abc`` for ``Patient/abc/_history/2``."""
    if not isinstance(value, str) or not value.strip():
        return None
    parts = value.strip().partition("/_history/")[0].rstrip("/").rsplit("/", 1)
    return parts[-1].removeprefix("urn:uuid:") or None


def reference_key(value: Any) -> str | None:
    """Return a reference as ``Type/id``, or as it is where it has no type."""
    if not isinstance(value, str) or not value.strip():
        return None
    parts = value.strip().partition("/_history/")[0].rstrip("/").split("/")
    return "/".join(parts[-2:])


def is_of_another(resource: Mapping[str, Any], patient_id: str | None) -> bool:
    """Tell whether a resource names a patient other than the one that is asked about."""
    for name in ("subject", "patient"):
        reference = element(resource.get(name)).get("reference")
        key = reference_key(reference)
        if key is not None and key.startswith("Patient/") and patient_id is not None:
            return bare_id(key) != patient_id
    return False
