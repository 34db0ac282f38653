"""The diagnoses of a record: active ones, by the code that a rule knows."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dosing_service.fhir.bundles import is_of_another
from dosing_service.fhir.elements import Triple, codes, codings, label, resource_type, unique
from dosing_service.knowledge.safety import Terminology
from dosing_service.model import Coding, Value
from dosing_service.systems import ICD10, SNOMED

IPS_ABSENCE = "http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips"
_ACTIVE = {"active", "recurrence", "relapse"}
_NOT_TRUE = {"refuted", "entered-in-error"}
_NONE = {(IPS_ABSENCE, "no-known-problems"), (SNOMED, "160245001")}
_NO_INFORMATION = {(IPS_ABSENCE, "no-problem-info")}


#: Stands for an entry without a code or name: no rule knows it, and it is said not to have been considered.
UNREADABLE = Coding("unreadable entry")


class Listed(Value, frozen=True):
    """A list out of a record: ``None`` where none was sent, or the record says that nothing is known."""

    codings: tuple[Coding, ...] | None = None
    notes: tuple[str, ...] = ()


def read(resources: Sequence[Mapping[str, Any]], terminology: Terminology, patient_id: str | None = None) -> Listed:
    """Return the active diagnoses; ``()`` where the list was sent and none is active."""
    sent = [item for item in resources if resource_type(item) == "Condition"]
    own = [item for item in sent if not is_of_another(item, patient_id)]
    found: list[Coding] = []
    notes = ["a diagnosis of another patient was not used"] if len(own) < len(sent) else []
    unknown = False
    for condition in own:
        given = codings(condition.get("code"))
        unknown = unknown or bool(_NO_INFORMATION & pairs(given))
        if is_current(condition) and not (_NONE | _NO_INFORMATION) & pairs(given):
            found += _of(given, label(condition.get("code")), terminology, notes)
    if not own or (unknown and not found):
        return Listed(None, unique(notes))
    return Listed(tuple(dict.fromkeys(found)), unique(notes))


def is_current(record: Mapping[str, Any]) -> bool:
    """Tell whether a diagnosis or allergy is active and not refuted; a missing status counts as active."""
    if codes(record.get("verificationStatus")) & _NOT_TRUE:
        return False
    status = codes(record.get("clinicalStatus"))
    return not status or bool(status & _ACTIVE)


def pairs(given: Sequence[Triple]) -> set[tuple[str | None, str | None]]:
    """Return the systems with the codes."""
    return {(system, code) for system, code, _ in given}


def _of(given: Sequence[Triple], text: str | None, terminology: Terminology, notes: list[str]) -> list[Coding]:
    """Return every coding that a rule knows; else one that none knows, so that it is said to be unknown."""
    coded = [Coding(code, system) for system, code, _ in given if code and system]
    known = [coding for coding in coded if _is_known(coding, terminology)]
    if known:
        return known
    named = _by_name(text, terminology)
    if named is not None:
        notes.append("a diagnosis was recognised by its name alone")
        return [Coding(named)]
    usable = [coding for coding in coded if coding.system in {SNOMED, ICD10}] or coded
    if not usable and text is None:
        notes.append("a diagnosis has neither a code nor a name")
        return [UNREADABLE]
    return usable[:1] or [Coding(text or "")]


def _is_known(coding: Coding, terminology: Terminology) -> bool:
    if coding.system == SNOMED:
        return coding.code in terminology.conditions_by_snomed
    return coding.system == ICD10 and any(_prefixes(coding.code, terminology))


def _prefixes(code: str, terminology: Terminology) -> Iterator[bool]:
    for length in range(3, len(code) + 1):
        yield code[:length].rstrip(".") in terminology.conditions_by_icd


def _by_name(text: str | None, terminology: Terminology) -> str | None:
    if text is None:
        return None
    wanted = text.lower()
    return next((id_ for id_, name in terminology.condition_names.items() if name.lower() == wanted), None)
