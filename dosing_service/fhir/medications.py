"""Which drug a record means, and which drugs the patient takes."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from dosing_service.fhir.bundles import bare_id, is_of_another, reference_key
from dosing_service.fhir.conditions import IPS_ABSENCE, MOST_CODINGS, UNREADABLE, Listed, listed, pairs
from dosing_service.fhir.drugs import Drug, identify
from dosing_service.fhir.elements import (
    Triple,
    codes,
    codings,
    element,
    elements,
    items,
    label,
    resource_type,
    unique,
    word,
    words,
)
from dosing_service.fhir.moments import is_past
from dosing_service.knowledge.base import KnowledgeBase
from dosing_service.model import Coding, Value
from dosing_service.systems import ATC, RXNORM, SNOMED

ORDERS = ("MedicationRequest", "MedicationOrder")
STATEMENTS = ("MedicationStatement", "MedicationUsage")
#: What is being taken; ``recorded`` is what newer statements say, and a missing status is not "stopped".
_TAKEN = {"active", "recorded", "unknown", None}
_ONLY_PROPOSED = {"proposal", "option"}
_NOT_TAKING = {"not-taking", "not-on-file", "n"}
#: Where a statement names the order that it stands for.
_SOURCES = ("derivedFrom", "basedOn")
#: A Medication that is made of Medications; no record goes deeper.
_DEEPEST = 3
_NONE = (IPS_ABSENCE, "no-known-medications")
_NO_INFORMATION = (IPS_ABSENCE, "no-medication-info")


class Shelf(Value, frozen=True):
    """The Medication resources of a request by ``Type/id`` and by full address."""

    by_key: Mapping[str, Mapping[str, Any]]


def shelf(resources: Sequence[Mapping[str, Any]], addressed: Iterable[tuple[str, Mapping[str, Any]]] = ()) -> Shelf:
    """Return the Medication resources among ``resources``, and those that entries of bundles have an address for."""
    found: dict[str, Mapping[str, Any]] = {}
    for resource in resources:
        id_ = bare_id(resource.get("id"))
        if resource_type(resource) == "Medication" and id_:
            found.setdefault(f"Medication/{id_}", resource)
    for address, resource in addressed:
        if resource_type(resource) == "Medication":
            found.setdefault(address, resource)
    return Shelf(found)


def drug_of(record: Mapping[str, Any], stock: Shelf, knowledge: KnowledgeBase, index: Any = None) -> Drug:
    """Return the drug of an order or statement, wherever four releases keep it."""
    given, text = _named(record, stock)
    return identify(given, text, knowledge, index)


def _named(record: Mapping[str, Any], stock: Shelf) -> tuple[tuple[Triple, ...], str | None]:
    choice = element(record.get("medication"))
    concept = record.get("medicationCodeableConcept") or choice.get("concept")
    reference = element(record.get("medicationReference")) or element(choice.get("reference"))
    if not concept and not reference:
        # An old release wrote the concept itself where the newer one has a choice of the two.
        concept = record.get("medication")
    given, text = codings(concept), label(concept)
    if reference and not (given or text):
        return _referred(reference, record, stock)
    return given, text


def _referred(
    reference: Mapping[str, Any], record: Mapping[str, Any], stock: Shelf
) -> tuple[tuple[Triple, ...], str | None]:
    medication = _resolved(reference, record, stock)
    if medication is None:
        return (), words(reference.get("display"))
    given, text = _of_medication(medication, record, stock, 0)
    return given, text or words(reference.get("display"))


def _resolved(reference: Mapping[str, Any], record: Mapping[str, Any], stock: Shelf) -> Mapping[str, Any] | None:
    target = reference.get("reference")
    if not isinstance(target, str):
        return None
    if target.startswith("#"):
        inner = elements(record.get("contained"))
        return next((item for item in inner if isinstance(item.get("id"), str) and _same(item["id"], target)), None)
    return stock.by_key.get(target) or stock.by_key.get(reference_key(target) or "")


def _same(id_: str, target: str) -> bool:
    return id_.removeprefix("#") == target.removeprefix("#")


def _of_medication(
    medication: Mapping[str, Any], record: Mapping[str, Any], stock: Shelf, depth: int
) -> tuple[tuple[Triple, ...], str | None]:
    """Return what a Medication is; one without a code is its only ingredient."""
    given, text = codings(medication.get("code")), label(medication.get("code"))
    ingredients = elements(medication.get("ingredient"))
    if given or text or len(ingredients) != 1 or depth >= _DEEPEST:
        return given, text
    item = element(ingredients[0].get("item"))
    concept = ingredients[0].get("itemCodeableConcept") or item.get("concept")
    reference = element(ingredients[0].get("itemReference")) or element(item.get("reference"))
    inner = _resolved(reference, record, stock) if reference and not concept else None
    if inner is not None:
        return _of_medication(inner, record, stock, depth + 1)
    return codings(concept), label(concept) or words(reference.get("display"))


# ---------------------------------------------------------------- what the patient takes


def read(
    resources: Sequence[Mapping[str, Any]],
    stock: Shelf,
    knowledge: KnowledgeBase,
    *,
    today: date,
    index: Any = None,
    patient_id: str | None = None,
    except_orders: frozenset[str] = frozenset(),
) -> Listed:
    """Return the drugs that are taken; ``()`` where the list was sent and none is.

    ``except_orders`` are the orders (``Type/id``) that are being written, or that they replace: neither they nor a
    statement that is made of them stand beside themselves.
    """
    sent = [item for item in resources if resource_type(item) in {*ORDERS, *STATEMENTS}]
    own = [item for item in sent if not is_of_another(item, patient_id)]
    found: dict[Coding, None] = {}
    notes = ["a medication of another patient was not used"] if len(own) < len(sent) else []
    says_none = says_nothing = False
    for record in own:
        if len(found) > MOST_CODINGS:
            break
        if not _is_taken(record) or _stands_for(record) & except_orders:
            continue
        if _is_over(record, today):
            notes.append("a medication was not counted: it has ended by its dates")
            continue
        given, text = _named(record, stock)
        says_none = says_none or _NONE in pairs(given)
        says_nothing = says_nothing or _NO_INFORMATION in pairs(given)
        if not {_NONE, _NO_INFORMATION} & pairs(given):
            found |= dict.fromkeys(_of(given, identify(given, text, knowledge, index), text, notes))
    if not own or (says_nothing and not found):
        return Listed(None, unique(notes))
    return listed(found, notes, "medications", says_none=says_none)


def orders_meant(reference: Any) -> frozenset[str]:
    """Return an order that is referred to as ``Type/id``; without its type it may be one of either name."""
    key, id_ = reference_key(reference), bare_id(reference)
    if key is None or id_ is None:
        return frozenset()
    return frozenset({key}) if "/" in key else frozenset(f"{name}/{id_}" for name in ORDERS)


def _stands_for(record: Mapping[str, Any]) -> frozenset[str]:
    """Return the record itself and, of a statement, the orders that it was made of."""
    id_ = bare_id(record.get("id"))
    own = frozenset({f"{resource_type(record)}/{id_}"} if id_ else ())
    if resource_type(record) in ORDERS:
        return own
    sources = (element(part).get("reference") for name in _SOURCES for part in items(record.get(name)))
    return own.union(*[orders_meant(source) for source in sources])


def _is_taken(record: Mapping[str, Any]) -> bool:
    status = word(record.get("status"))
    if (status.lower() if status else None) not in _TAKEN or record.get("doNotPerform") is True:
        return False
    if resource_type(record) in ORDERS:
        return not codes(record.get("intent")) & _ONLY_PROPOSED
    adherence = codes(element(record.get("adherence")).get("code")) | codes(record.get("taken"))
    return not adherence & _NOT_TAKING


def _is_over(record: Mapping[str, Any], today: date) -> bool:
    """Tell whether a medication that nobody stopped has ended by its dates: its own, or those of all its dosages."""
    if is_past(element(record.get("effectivePeriod")).get("end"), today):
        return True
    dosages = elements(record.get("dosageInstruction")) or elements(record.get("dosage"))
    repeats = [element(element(dosage.get("timing")).get("repeat")) for dosage in dosages]
    return bool(repeats) and all(is_past(element(part.get("boundsPeriod")).get("end"), today) for part in repeats)


def _of(given: Sequence[Triple], drug: Drug, text: str | None, notes: list[str]) -> list[Coding]:
    """Return the ingredients; a drug that nobody knows is kept by its code or name, so that it is said to be one."""
    if drug.conflict:
        notes.append("a medication has a code and a text that do not agree, or holds drugs in unknown parts")
    if drug.is_local and not (drug.coding and drug.coding.system == ATC):
        notes.append("a medication for local use was not counted among the medications")
        return []
    recognised = [*([drug.coding] if drug.coding else []), *drug.also]
    if recognised:
        if drug.by == "name":
            notes.append("a medication was recognised by its name alone")
        return recognised
    coded = [Coding(code, system) for system, code, _ in given if code and system in {RXNORM, ATC, SNOMED}]
    if coded and not drug.conflict:
        return coded[:1]
    return [Coding(text) if text else UNREADABLE]
