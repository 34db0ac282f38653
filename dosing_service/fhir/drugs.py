"""Which drug a record names. A stand-in with the signature of the module that takes its place."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from dosing_service.fhir.elements import ATC, RXNORM
from dosing_service.knowledge.base import KnowledgeBase
from dosing_service.model import Coding, Value


class Drug(Value, frozen=True):
    """A drug as far as it was recognised; ``also`` are its other ingredients, all of them where ``coding`` is none."""

    coding: Coding | None
    name: str
    by: str | None
    is_local: bool
    conflict: str | None
    strength: tuple[Decimal, str] | None
    also: tuple[Coding, ...] = ()


def identify(
    codings: Sequence[tuple[str | None, str | None, str | None]],
    text: str | None,
    knowledge: KnowledgeBase,
    index: Any = None,  # noqa: ARG001 - the module that takes its place has a local index
) -> Drug:
    """Return the drug by code, else by its exact name."""
    terminology = knowledge.terminology
    name = text or next((display for _, _, display in codings if display), None) or ""
    for system, code, _ in codings:
        is_rxnorm = (
            system == RXNORM and code and (code in knowledge.coded_products or code in terminology.drugs_by_rxnorm)
        )
        if code and (is_rxnorm or (system == ATC and code in terminology.drugs_by_atc)):
            return Drug(Coding(code, system), name, "code", False, None, None)
    drug = terminology.drugs_by_name.get(name.lower())
    coding = Coding(drug.rxnorm, RXNORM) if drug and drug.rxnorm else Coding(drug.name) if drug else None
    return Drug(coding, name, "name" if drug else None, False, None, None)
