"""Reads a CDS Hooks request, its orders and its prefetch, into the model.

Nothing in a record raises: what cannot be read is left out, and ``unread`` or ``notes`` say so. For each datum the
reading tells known from known to be absent and from unknown.
"""

from collections.abc import Iterator, Mapping, Sequence, Set
from datetime import date
from typing import Any

from dosing_service.fhir import allergies, conditions, medications, observations, orders, patient, states
from dosing_service.fhir.bundles import Supply, bare_id, supplies
from dosing_service.fhir.conditions import Listed
from dosing_service.fhir.elements import element, items, resource_type, unique
from dosing_service.fhir.medications import Shelf
from dosing_service.fhir.observations import Measured, Sent
from dosing_service.fhir.orders import Entry, ReadOrder
from dosing_service.fhir.patient import Person
from dosing_service.fhir.states import Answered
from dosing_service.knowledge.base import KnowledgeBase
from dosing_service.model import Patient, Value

KNOWN, ABSENT, UNKNOWN = "known", "known-absent", "unknown"
DATA = ("patient", "weight", "height", "conditions", "allergies", "medications", "observations")
#: More resources than any visit needs; what lies beyond is not read, and the notes say so.
_MOST_RESOURCES = 5000
_MOST_NOTES = 50
#: What each datum is read from.
_TYPES: Mapping[str, frozenset[str]] = {
    "patient": frozenset({"Patient"}),
    "conditions": frozenset({"Condition"}),
    "allergies": frozenset({"AllergyIntolerance"}),
    "medications": frozenset({*medications.ORDERS, *medications.STATEMENTS}),
    **dict.fromkeys(("weight", "height", "observations"), frozenset({"Observation"})),
}


class ReadRequest(Value, frozen=True):
    """A request as far as it could be read; ``known`` holds the state of every datum of :data:`DATA`, ``unused`` why
    one of them that was sent stays unknown.
    """

    patient: Patient
    orders: tuple[ReadOrder, ...]
    known: Mapping[str, str]
    unused: Mapping[str, str]
    notes: tuple[str, ...]
    as_of: date


class _Prefetch(Value, frozen=True):
    """All resources of a prefetch, the data of which it says that there are none, and those that were looked up.

    A datum was looked up if each of its keys came whole, with resources of its type or with nothing.
    """

    resources: tuple[Mapping[str, Any], ...]
    addressed: tuple[tuple[str, Mapping[str, Any]], ...]
    absent: frozenset[str]
    looked_up: frozenset[str]
    notes: tuple[str, ...]


def read(
    context: Mapping[str, Any],
    prefetch: Mapping[str, Any] | None,
    knowledge: KnowledgeBase,
    *,
    today: date,
    index: Any = None,
    expected: Mapping[str, str] | None = None,
) -> ReadRequest:
    """Return the patient and the orders of a request.

    ``expected`` names the datum that a prefetch key of our own asks for: where nothing was found under all keys of a
    datum, it is known to be absent. Under any other key nobody knows what was looked for.
    """
    asked = element(context)
    patient_id = bare_id(asked.get("patientId"))
    fetched = _fetched(prefetch, expected or {})
    given = orders.entries(asked)
    stock = _stock(fetched, given)
    person = patient.read(fetched.resources, patient_id, today)
    measured = observations.read(
        fetched.resources, knowledge.terminology, today=today, patient_id=patient_id, born=person.born
    )
    answered = states.read(fetched.resources, knowledge.terminology, today=today, patient_id=patient_id)
    diagnoses = conditions.read(fetched.resources, knowledge.terminology, today=today, patient_id=patient_id)
    allergens = allergies.read(fetched.resources, knowledge, index, today=today, patient_id=patient_id)
    taken = medications.read(
        fetched.resources,
        stock,
        knowledge,
        today=today,
        index=index,
        patient_id=patient_id,
        except_orders=_own_orders(given),
    )
    listed = {"conditions": diagnoses, "allergies": allergens, "medications": taken}
    kg = measured.weight.kg if measured.weight else None
    found, order_notes = orders.read(asked, given, stock, knowledge, kg=kg, index=index, patient_id=patient_id)
    notes = [*fetched.notes, *person.notes, *measured.notes, *answered.notes]
    notes += [note for part in listed.values() for note in part.notes]
    lists = _complete(listed, measured, fetched)
    return ReadRequest(
        patient=_patient(person, measured, answered, lists),
        orders=found,
        known=_known(person, measured, lists, fetched),
        unused=_unused(person, measured),
        notes=unique([*notes, *order_notes])[:_MOST_NOTES],
        as_of=today,
    )


# ---------------------------------------------------------------- the prefetch


def _fetched(prefetch: Any, expected: Mapping[str, str]) -> _Prefetch:
    given = supplies(prefetch)
    resources = [resource for supply in given for resource in supply.resources]
    empty = {supply.key for supply in given if supply.is_empty}
    whole = empty | {supply.key for supply in given if _is_whole(supply, expected)}
    notes = [note for supply in given for note in _about(supply, expected)]
    if len(resources) > _MOST_RESOURCES:
        notes.append("the prefetch holds more resources than are read; the rest was not used")
    return _Prefetch(
        resources=tuple(resources[:_MOST_RESOURCES]),
        addressed=tuple([entry for supply in given for entry in supply.addressed][:_MOST_RESOURCES]),
        absent=_of_all_keys(empty, expected),
        looked_up=_of_all_keys(whole, expected),
        notes=unique(notes),
    )


def _is_whole(supply: Supply, expected: Mapping[str, str]) -> bool:
    """Tell whether a key of our own holds resources of its datum, all that there are."""
    types = _TYPES.get(expected.get(supply.key, ""), frozenset())
    is_cut = supply.has_error or supply.has_more or supply.is_cut
    return not is_cut and any(resource_type(resource) in types for resource in supply.resources)


def _of_all_keys(keys: Set[str], expected: Mapping[str, str]) -> frozenset[str]:
    """Return the data of which every key is among ``keys``."""
    return frozenset(expected.values()) - {datum for key, datum in expected.items() if key not in keys}


def _about(supply: Supply, expected: Mapping[str, str]) -> Iterator[str]:
    name = f"the prefetch of {expected[supply.key]}" if supply.key in expected else "a prefetch value"
    if supply.has_error:
        yield f"{name} holds an error or nothing that can be read"
    elif supply.has_notice and supply.resources:
        yield f"{name} comes with a notice of the record system, and may be incomplete"
    if supply.has_more:
        yield f"{name} has further pages, which were not read"
    if supply.is_cut:
        yield f"{name} is longer than is read; the rest was not used"


def _stock(fetched: _Prefetch, given: Sequence[Entry]) -> Shelf:
    beside = [entry.resource for entry in given]
    addressed = [(entry.address, entry.resource) for entry in given if entry.address is not None]
    return medications.shelf([*beside, *fetched.resources], [*addressed, *fetched.addressed])


def _own_orders(given: Sequence[Entry]) -> frozenset[str]:
    """Return the orders that are being written and those that they replace, as ``Type/id``."""
    found: set[str] = set()
    for entry in orders.drafts(given):
        type_, id_ = resource_type(entry.resource), bare_id(entry.resource.get("id"))
        found |= medications.orders_meant(f"{type_}/{id_}" if type_ and id_ else id_)
        for reference in items(entry.resource.get("priorPrescription")):
            found |= medications.orders_meant(element(reference).get("reference"))
    return frozenset(found)


# ---------------------------------------------------------------- what is known


def _patient(person: Person, measured: Measured, answered: Answered, lists: Mapping[str, Any]) -> Patient:
    return Patient(
        age=person.age,
        sex=person.sex,
        weight=measured.weight,
        previous_weight=measured.previous_weight,
        height_cm=measured.height_cm,
        pregnant=answered.pregnant,
        lactating=answered.lactating,
        **lists,
    )


def _complete(listed: Mapping[str, Listed], measured: Measured, fetched: _Prefetch) -> dict[str, Any]:
    """Return the lists. An empty one is known to be empty only if it was looked up, or the record itself says so."""
    said = {name for name, part in listed.items() if part.says_none}
    found = {**{name: part.codings for name, part in listed.items()}, "observations": measured.results}
    return {name: _or_unknown(name, part, fetched, said) for name, part in found.items()}


def _unused(person: Person, measured: Measured) -> dict[str, str]:
    """Return the data that were sent and cannot be used, with the reason."""
    found = {
        "patient": person.notes[0] if person.notes and not person.is_known else None,
        "weight": measured.weight_why,
        "height": measured.height_why,
    }
    return {name: why for name, why in found.items() if why is not None}


def _or_unknown(name: str, found: tuple[Any, ...] | None, fetched: _Prefetch, said: Set[str]) -> Any:
    if found is None:
        return () if name in fetched.absent else None
    return found if found or name in fetched.looked_up or name in said else None


def _known(person: Person, measured: Measured, lists: Mapping[str, Any], fetched: _Prefetch) -> dict[str, str]:
    known = {
        "patient": _state(person.is_known or None, absent="patient" in fetched.absent),
        "weight": _state(measured.weight, absent=_has_no("weight", measured.weight_sent, fetched)),
        "height": _state(measured.height_cm, absent=_has_no("height", measured.height_sent, fetched)),
    }
    return known | {name: _state(found or None, absent=found is not None) for name, found in lists.items()}


def _has_no(name: str, sent: Sent, fetched: _Prefetch) -> bool:
    """Tell whether there is no weight or height: nothing was found, or only what was entered in error."""
    if sent is Sent.WITHDRAWN:
        return name in fetched.looked_up
    return sent is Sent.NOTHING and name in fetched.absent


def _state(found: Any, *, absent: bool) -> str:
    return KNOWN if found is not None else ABSENT if absent else UNKNOWN
