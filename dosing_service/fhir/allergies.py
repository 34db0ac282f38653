"""The allergies of a record. "No known allergy" is an empty list, not an allergy."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from dosing_service.fhir.bundles import is_of_another
from dosing_service.fhir.conditions import IPS_ABSENCE, MOST_CODINGS, UNREADABLE, Listed, is_current, listed, pairs
from dosing_service.fhir.drugs import identify
from dosing_service.fhir.elements import Triple, codings, elements, label, resource_type, unique
from dosing_service.knowledge.base import KnowledgeBase
from dosing_service.knowledge.safety import Terminology
from dosing_service.model import Coding
from dosing_service.rules.facts import allergen
from dosing_service.systems import ATC, RXNORM, SNOMED
from dosing_service.terminology.allergens import bare, named

_NONE = {
    (SNOMED, "716186003"),
    (SNOMED, "409137002"),
    (IPS_ABSENCE, "no-known-allergies"),
    (IPS_ABSENCE, "no-known-medication-allergies"),
}
#: Nothing is said about drugs by these.
_OTHER_NONE = {
    (SNOMED, "428607008"),
    (SNOMED, "429625007"),
    (IPS_ABSENCE, "no-known-environmental-allergies"),
    (IPS_ABSENCE, "no-known-food-allergies"),
}
_NO_INFORMATION = {(IPS_ABSENCE, "no-allergy-info")}
_NONE_IN_WORDS = {
    *("no known allergies", "no known allergy", "nka", "nkda"),
    *("no known drug allergies", "no known drug allergy", "no known medication allergies"),
}
_BY_NAME = "an allergy was recognised by its name alone"
_OTHER_NONE_IN_WORDS = {"no known food allergies", "no known environmental allergies"}
_ATC_SUBSTANCE = re.compile(r"[A-Z][0-9]{2}[A-Z]{2}[0-9]{2}")


def read(
    resources: Sequence[Mapping[str, Any]],
    knowledge: KnowledgeBase,
    index: Any = None,
    *,
    today: date,
    patient_id: str | None = None,
) -> Listed:
    """Return the active allergies; ``()`` where the list was sent and none is, or none is known.

    A record that says only that there is none to food, or nothing at all, leaves those to drugs unknown.
    """
    sent = [item for item in resources if resource_type(item) == "AllergyIntolerance"]
    own = [item for item in sent if not is_of_another(item, patient_id)]
    found: dict[Coding, None] = {}
    notes = ["an allergy of another patient was not used"] if len(own) < len(sent) else []
    says_none = says_other = says_nothing = False
    for allergy in own:
        if len(found) > MOST_CODINGS:
            break
        given, text = _named(allergy)
        absent, said = pairs(given), (text or "").lower()
        is_none = bool(absent & _NONE) or said in _NONE_IN_WORDS
        is_other = bool(absent & _OTHER_NONE) or said in _OTHER_NONE_IN_WORDS
        says_nothing = says_nothing or bool(absent & _NO_INFORMATION)
        if not is_current(allergy, today):
            continue
        says_none, says_other = says_none or is_none, says_other or is_other
        if not (is_none or is_other or absent & _NO_INFORMATION):
            found |= dict.fromkeys(_of(given, text, knowledge, index, notes))
    is_unknown = says_nothing or (says_other and not says_none)
    if not own or (is_unknown and not found):
        return Listed(None, unique(notes))
    return listed(found, notes, "allergies", says_none=says_none)


def _named(allergy: Mapping[str, Any]) -> tuple[tuple[Triple, ...], str | None]:
    """Return the codings of the allergen and of the substances that were reacted to."""
    substances = [item.get("substance") for item in elements(allergy.get("reaction"))]
    given = codings(allergy.get("code")) or codings(allergy.get("substance"))
    beside = tuple(triple for substance in substances for triple in codings(substance))
    names = (label(allergy.get("code")), label(allergy.get("substance")), *[label(item) for item in substances])
    return (*given, *beside), next((name for name in names if name), None)


def _of(
    given: Sequence[Triple], text: str | None, knowledge: KnowledgeBase, index: Any, notes: list[str]
) -> list[Coding]:
    """Return every coding that the terminology knows, else what the drug is recognised as, else one unknown one."""
    coded = [Coding(code, system) for system, code, _ in given if code and system]
    known = [coding for coding in coded if _is_known(coding, knowledge.terminology)]
    if known:
        return known
    groups = _groups(given, text, knowledge.terminology)
    if groups:
        notes.append(_BY_NAME)
        return groups
    drugs = tuple((system, code, bare(display) if display else None) for system, code, display in given)
    drug = identify(drugs, bare(text) if text else None, knowledge, index)
    recognised = [*([drug.coding] if drug.coding else []), *drug.also]
    if recognised:
        if drug.by == "name":
            notes.append(_BY_NAME)
        return recognised
    usable = [coding for coding in coded if coding.system in {RXNORM, SNOMED, ATC}]
    kept = usable[0] if usable else Coding(text) if text else UNREADABLE
    if not allergen(kept, knowledge.terminology).is_known:
        notes.append("an allergy could not be recognised")
    return [kept]


def _groups(given: Sequence[Triple], text: str | None, terminology: Terminology) -> list[Coding]:
    """Return the groups of allergens that the text, or else a coding's own words, are about."""
    texts = [item for item in (text, *(display for _, _, display in given)) if item]
    found = next((groups for item in texts if (groups := named(item, terminology))), ())
    return [Coding(group.snomed, SNOMED) if group.snomed else Coding(group.name) for group in found]


def _is_known(coding: Coding, terminology: Terminology) -> bool:
    if (coding.system, coding.code) in terminology.allergens:
        return True
    if coding.system == RXNORM:
        return coding.code in terminology.drugs_by_rxnorm
    if coding.system == SNOMED:
        return coding.code in terminology.substances
    return coding.system == ATC and _ATC_SUBSTANCE.fullmatch(coding.code) is not None
