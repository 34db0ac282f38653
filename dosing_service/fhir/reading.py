"""Reads a CDS Hooks request, its orders and its prefetch, into the model.

Nothing in a record raises: what cannot be read is left out, and ``unread`` or ``notes`` say so. For each datum the
reading tells known from known to be absent and from unknown.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from dosing_service.fhir import allergies, conditions, medications, observations, orders, patient
from dosing_service.fhir.bundles import Supply, bare_id, supplies
from dosing_service.fhir.conditions import Listed
from dosing_service.fhir.elements import element, items, unique
from dosing_service.fhir.medications import Shelf
from dosing_service.fhir.observations import Measured, Sent
from dosing_service.fhir.orders import Entry, ReadOrder
from dosing_service.fhir.patient import Person
from dosing_service.knowledge.base import KnowledgeBase
from dosing_service.model import Patient, Value

KNOWN, ABSENT, UNKNOWN = "known", "known-absent", "unknown"
DATA = ("patient", "weight", "height", "conditions", "allergies", "medications", "observations")
#: More resources than any visit needs; what lies beyond is not read, and the notes say so.
_MOST_RESOURCES = 5000
_MOST_NOTES = 50


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
    """All resources of a prefetch, and the data of which it says that there are none."""

    resources: tuple[Mapping[str, Any], ...]
    absent: frozenset[str]
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
    diagnoses = conditions.read(fetched.resources, knowledge.terminology, patient_id)
    allergens = allergies.read(fetched.resources, knowledge, index, patient_id)
    taken = medications.read(
        fetched.resources,
        stock,
        knowledge,
        today=today,
        index=index,
        patient_id=patient_id,
        except_ids=_own_ids(given),
    )
    listed = {"conditions": diagnoses, "allergies": allergens, "medications": taken}
    kg = measured.weight.kg if measured.weight else None
    found, order_notes = orders.read(asked, given, stock, knowledge, kg=kg, index=index, patient_id=patient_id)
    notes = [*fetched.notes, *person.notes, *measured.notes, *[note for part in listed.values() for note in part.notes]]
    return ReadRequest(
        patient=_patient(person, measured, listed, fetched),
        orders=found,
        known=_states(person, measured, listed, fetched),
        unused=_unused(person, measured),
        notes=unique([*notes, *order_notes])[:_MOST_NOTES],
        as_of=today,
    )


# ---------------------------------------------------------------- the prefetch


def _fetched(prefetch: Any, expected: Mapping[str, str]) -> _Prefetch:
    given = supplies(prefetch)
    resources = [resource for supply in given for resource in supply.resources]
    empty = {supply.key for supply in given if supply.is_empty}
    open_data = {datum for key, datum in expected.items() if key not in empty}
    absent = {expected[key] for key in empty if key in expected} - open_data
    notes = [note for supply in given for note in _about(supply, expected)]
    if len(resources) > _MOST_RESOURCES:
        notes.append("the prefetch holds more resources than are read; the rest was not used")
    return _Prefetch(tuple(resources[:_MOST_RESOURCES]), frozenset(absent), unique(notes))


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
    addresses = [{"fullUrl": entry.address, "resource": entry.resource} for entry in given]
    return medications.shelf([*beside, *fetched.resources], addresses)


def _own_ids(given: Sequence[Entry]) -> frozenset[str]:
    """Return the ids of the orders that are being written and of those that they replace."""
    own = [bare_id(entry.resource.get("id")) for entry in orders.drafts(given)]
    replaced = [
        bare_id(element(reference).get("reference"))
        for entry in orders.drafts(given)
        for reference in items(entry.resource.get("priorPrescription"))
    ]
    return frozenset(id_ for id_ in (*own, *replaced) if id_)


# ---------------------------------------------------------------- what is known


def _patient(person: Person, measured: Measured, listed: Mapping[str, Listed], fetched: _Prefetch) -> Patient:
    lists = {name: _or_none_known(name, part.codings, fetched) for name, part in listed.items()}
    return Patient(
        age=person.age,
        sex=person.sex,
        weight=measured.weight,
        previous_weight=measured.previous_weight,
        height_cm=measured.height_cm,
        observations=_or_none_known("observations", measured.results, fetched),
        **lists,
    )


def _or_none_known(name: str, found: tuple[Any, ...] | None, fetched: _Prefetch) -> Any:
    """Return a list; where none was sent, an empty one if the record system looked and found nothing."""
    return () if found is None and name in fetched.absent else found


def _unused(person: Person, measured: Measured) -> dict[str, str]:
    """Return the data that were sent and cannot be used, with the reason."""
    found = {
        "patient": person.notes[0] if person.notes and not person.is_known else None,
        "weight": measured.weight_why,
        "height": measured.height_why,
    }
    return {name: why for name, why in found.items() if why is not None}


def _states(person: Person, measured: Measured, listed: Mapping[str, Listed], fetched: _Prefetch) -> dict[str, str]:
    states = {
        "patient": _state(person.is_known or None, absent="patient" in fetched.absent),
        "weight": _state(measured.weight, absent=_has_no("weight", measured.weight_sent, fetched)),
        "height": _state(measured.height_cm, absent=_has_no("height", measured.height_sent, fetched)),
    }
    results = {**{name: part.codings for name, part in listed.items()}, "observations": measured.results}
    for name, found in results.items():
        complete = _or_none_known(name, found, fetched)
        states[name] = _state(complete or None, absent=complete is not None)
    return states


def _has_no(name: str, sent: Sent, fetched: _Prefetch) -> bool:
    """Tell whether there is no weight or height: nothing was found, or only what was entered in error."""
    return sent is Sent.WITHDRAWN or (sent is Sent.NOTHING and name in fetched.absent)


def _state(found: Any, *, absent: bool) -> str:
    return KNOWN if found is not None else ABSENT if absent else UNKNOWN
