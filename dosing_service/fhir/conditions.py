"""The diagnoses of a record: active ones, by the code that a rule knows."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from dosing_service.fhir.bundles import is_of_another
from dosing_service.fhir.elements import Triple, codes, codings, element, label, resource_type, unique
from dosing_service.fhir.moments import is_past, moment
from dosing_service.knowledge.safety import Terminology
from dosing_service.model import Coding, Value
from dosing_service.systems import ICD10, ICD10_WHO, SNOMED

IPS_ABSENCE = "http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips"
#: What says that a diagnosis or allergy is there, and what that it is over; a code of somebody's own says neither.
_ACTIVE = {"active", "recurrence", "relapse"}
_OVER = {"inactive", "remission", "in-remission", "resolved"}
_NOT_TRUE = {"refuted", "entered-in-error"}
_NOT_CONFIRMED = {"unconfirmed", "provisional", "differential"}
#: Where releases keep that a diagnosis has ended; a text or an age means that it has.
_ENDINGS = ("abatementString", "abatementAge", "abatementRange")
#: Where releases keep when a diagnosis was made or written down.
_DAYS = ("onsetDateTime", "recordedDate", "assertedDate", "dateRecorded")
_NONE = {(IPS_ABSENCE, "no-known-problems"), (SNOMED, "160245001")}
_NO_INFORMATION = {(IPS_ABSENCE, "no-problem-info")}


#: Stands for an entry without a code or name: no rule knows it, and it is said not to have been considered.
UNREADABLE = Coding("unreadable entry")


#: As many as any other request may hold in a list; each is compared with each order.
MOST_CODINGS = 500


class Listed(Value, frozen=True):
    """A list out of a record: ``None`` where none was sent, or the record says that nothing is known.

    ``says_none`` tells an empty list of which the record itself says that there are none.
    """

    codings: tuple[Coding, ...] | None = None
    notes: tuple[str, ...] = ()
    says_none: bool = False


def read(
    resources: Sequence[Mapping[str, Any]], terminology: Terminology, *, today: date, patient_id: str | None = None
) -> Listed:
    """Return the active diagnoses; ``()`` where the list was sent and none is active."""
    sent = [item for item in resources if resource_type(item) == "Condition"]
    own = [item for item in sent if not is_of_another(item, patient_id)]
    found: dict[Coding, None] = {}
    notes = ["a diagnosis of another patient was not used"] if len(own) < len(sent) else []
    unknown = says_none = False
    for condition in own:
        if len(found) > MOST_CODINGS:
            break
        absent = pairs(codings(condition.get("code")))
        unknown = unknown or bool(_NO_INFORMATION & absent)
        if not is_current(condition, today):
            continue
        says_none = says_none or bool(_NONE & absent)
        if not (_NONE | _NO_INFORMATION) & absent:
            found |= dict.fromkeys(_diagnosed(condition, terminology, today, notes))
    if not own or (unknown and not found):
        return Listed(None, unique(notes))
    return listed(found, notes, "diagnoses", says_none=says_none)


def listed(found: Mapping[Coding, None], notes: list[str], name: str, *, says_none: bool) -> Listed:
    """Return a list of bounded length; what lies beyond the bound is not used, and the notes say so."""
    if len(found) > MOST_CODINGS:
        notes.append(f"more than {MOST_CODINGS} {name} were sent; the rest was not used")
    return Listed(tuple(found)[:MOST_CODINGS], unique(notes), says_none and not found)


def diagnosed_on(
    resources: Sequence[Mapping[str, Any]],
    value_set: str,
    terminology: Terminology,
    *,
    today: date,
    patient_id: str | None = None,
) -> list[date | None]:
    """Return the days of the active diagnoses of a value set; ``None`` for one without a day."""
    own = (item for item in resources if resource_type(item) == "Condition" and not is_of_another(item, patient_id))
    return [
        _day(item)
        for item in own
        if is_current(item, today)
        and any(value_set in terminology.value_sets(coding) for coding in _diagnosed(item, terminology, today, []))
    ]


def is_current(record: Mapping[str, Any], today: date) -> bool:
    """Tell whether a diagnosis or allergy is active and not refuted; without a status it is, unless it has ended."""
    if _status(record, "verificationStatus") & _NOT_TRUE:
        return False
    status = _status(record, "clinicalStatus")
    return bool(status & _ACTIVE) or not (status & _OVER or _has_ended(record, today))


def _status(record: Mapping[str, Any], name: str) -> frozenset[str]:
    """Return the codes of a status, and its words as a code: some records have nothing else."""
    concept = record.get(name)
    text = label(concept)
    return codes(concept) | frozenset({"-".join(text.lower().split())} if text else ())


def _has_ended(record: Mapping[str, Any], today: date) -> bool:
    """Tell whether a diagnosis without a status has an end that is no day to come."""
    if record.get("abatementBoolean") is True or any(record.get(name) for name in _ENDINGS):
        return True
    ends = (record.get("abatementDateTime"), element(record.get("abatementPeriod")).get("end"))
    return any(is_past(end, today) for end in ends)


def pairs(given: Sequence[Triple]) -> set[tuple[str | None, str | None]]:
    """Return the systems with the codes."""
    return {(system, code) for system, code, _ in given}


def _diagnosed(condition: Mapping[str, Any], terminology: Terminology, today: date, notes: list[str]) -> list[Coding]:
    """Return what an active diagnosis is; nothing of a pregnancy that must be over."""
    found = _of(codings(condition.get("code")), label(condition.get("code")), terminology, notes)
    ids = {id_: None for coding in found for id_ in terminology.value_sets(coding)}
    day = _day(condition)
    for state in terminology.states.values():
        limit = state.diagnosis_days
        if state.condition in ids and limit is not None and day is not None and (today - day).days > limit:
            name = terminology.condition_names[state.condition].lower()
            notes.append(f"an active diagnosis of {name} is too old to be of today; it was not used")
            return []
    if ids and _status(condition, "verificationStatus") & _NOT_CONFIRMED:
        notes.append(f"a diagnosis is not confirmed, and was counted: {terminology.condition_names[next(iter(ids))]}")
    return found


def _day(condition: Mapping[str, Any]) -> date | None:
    """Return the latest day on which a diagnosis was made or written down."""
    given = [condition.get(name) for name in _DAYS]
    given.append(element(condition.get("onsetPeriod")).get("start"))
    return max((found.last_day for value in given if (found := moment(value)) is not None), default=None)


def _of(given: Sequence[Triple], text: str | None, terminology: Terminology, notes: list[str]) -> list[Coding]:
    """Return every coding that a rule knows; else one that none knows, so that it is said to be unknown."""
    coded = [Coding(code, system) for system, code, _ in given if code and system]
    known = [coding for coding in coded if terminology.meanings(coding)]
    if known:
        return known
    named = _by_name(text, terminology)
    if named is not None:
        notes.append("a diagnosis was recognised by its name alone")
        return [Coding(named)]
    usable = [coding for coding in coded if coding.system in {SNOMED, ICD10, ICD10_WHO}] or coded
    if not usable and text is None:
        notes.append("a diagnosis has neither a code nor a name")
        return [UNREADABLE]
    return usable[:1] or [Coding(text or "")]


def _by_name(text: str | None, terminology: Terminology) -> str | None:
    if text is None:
        return None
    wanted = text.lower()
    return next((id_ for id_, name in terminology.condition_names.items() if name.lower() == wanted), None)
