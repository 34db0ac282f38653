"""The proposed orders of a request, each on its own: one that cannot be read does not keep the others from it."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from msgspec import structs

from dosing_service.fhir import dosage, steps
from dosing_service.fhir.bundles import bare_id, is_of_another, reference_key, unwrapped
from dosing_service.fhir.dosage import Step, Taker
from dosing_service.fhir.drugs import Drug
from dosing_service.fhir.elements import element, elements, items, resource_type, unique, whole, word
from dosing_service.fhir.medications import ORDERS, Shelf, drug_of
from dosing_service.knowledge.base import KnowledgeBase
from dosing_service.model import Order, Value
from dosing_service.systems import RXNORM

#: More orders than anybody signs at once; what lies beyond is not read, and the notes say so.
MOST_ORDERS = 200
_OFF = {
    "entered-in-error": "the order was entered in error; it was not checked",
    "cancelled": "the order is cancelled; it was not checked",
    "stopped": "the order is stopped; it was not checked",
}
#: Where a context holds its orders, the current name first.
PLACES = ("draftOrders", "medications")
#: What an entry of a bundle holds around its resource: where there is nothing else, no resource was sent.
_FRAME = {"id", "fullUrl", "link", "search", "request", "response", "extension", "modifierExtension"}
_BEYOND = f"only the first {MOST_ORDERS} orders were read"
_UNTYPED = "the resource does not say of which type it is; it was read as an order of a drug"


class Entry(Value, frozen=True):
    """A resource of a bundle of orders, with where it stands and its full address; an empty one could not be read."""

    path: str
    resource: Mapping[str, Any]
    address: str | None = None


class ReadOrder(Value, frozen=True):
    """One proposed order as far as it could be read.

    ``order`` is ``None`` where it could not be; ``unread`` says in plain sentences what could not be read or was
    assumed. ``reference`` is ``None`` for an order without an id or a type, which no suggestion can change.
    """

    reference: str | None
    path: str
    resource: Mapping[str, Any]
    drug: Drug | None
    order: Order | None
    selected: bool
    unread: tuple[str, ...]

    @property
    def is_off(self) -> bool:
        """Whether nobody is to carry it out."""
        return _why_off(self.resource) is not None


def entries(context: Mapping[str, Any]) -> list[Entry]:
    """Return every resource among the proposed orders: of ``draftOrders``, else of the older ``medications``."""
    for place in PLACES:
        if context.get(place) is not None:
            return list(_entries(place, unwrapped(context[place])))
    return []


def _entries(place: str, given: Any) -> Iterator[Entry]:
    """Yield what stands in every entry: one that cannot be read may be the order that matters."""
    holder = element(given)
    is_bundle = "entry" in holder or resource_type(holder) == "Bundle"
    listed = holder.get("entry") if is_bundle else given
    prefix = f"{place}.entry" if is_bundle else place
    for index, item in enumerate(items(listed)):
        address = element(item).get("fullUrl")
        path = f"{prefix}[{index}]" if is_bundle or isinstance(given, list) else place
        resource = {} if element(item).keys() <= _FRAME else element(unwrapped(item))
        yield Entry(path, resource, address if isinstance(address, str) else None)


def drafts(given: Sequence[Entry]) -> list[Entry]:
    """Return the orders of drugs among the proposed resources, and those that do not say of which type they are; an
    order that is sent twice, with the same id and content, is one.
    """
    found: dict[str, Entry] = {}
    for entry in given:
        if resource_type(entry.resource) in {*ORDERS, None}:
            found.setdefault(_content(entry) if _reference(entry) else entry.path, entry)
    return list(found.values())


def _content(entry: Entry) -> str:
    """Return all that a resource says, but when and by whom it was stored."""
    return repr({name: item for name, item in entry.resource.items() if name != "meta"})


def read(
    context: Mapping[str, Any],
    given: Sequence[Entry],
    stock: Shelf,
    knowledge: KnowledgeBase,
    *,
    kg: Decimal | None = None,
    index: Any = None,
    patient_id: str | None = None,
) -> tuple[tuple[ReadOrder, ...], tuple[str, ...]]:
    """Return the orders, and notes about them all."""
    notes = []
    own = drafts(given)
    if len(own) > MOST_ORDERS:
        notes.append(_BEYOND)
    chosen = _selected(context, given)
    if chosen is not None and not any(_is_chosen(entry, chosen) for entry in given):
        notes.append("the selected orders are not among those that were sent; all were taken as selected")
        chosen = None
    found: list[ReadOrder] = []
    taken: set[str] = set()
    for entry in own[:MOST_ORDERS]:
        drug = drug_of(entry.resource, stock, knowledge, index)
        order, unread = _order(entry, drug, _free_id(entry, taken), knowledge, kg)
        if is_of_another(entry.resource, patient_id):
            unread = ("the order names another patient than the request", *unread)
        selected = chosen is None or _is_chosen(entry, chosen)
        found.append(ReadOrder(_reference(entry), entry.path, entry.resource, drug, order, selected, unique([*unread])))
    if len(own) > MOST_ORDERS:
        # What was not read is an order that was not checked: a note alone is seen only where there is another card.
        found.append(ReadOrder(None, own[MOST_ORDERS].path, {}, None, None, True, (_BEYOND,)))
    return tuple(found), tuple(notes)


# ---------------------------------------------------------------- which is which


def _selected(context: Mapping[str, Any], given: Sequence[Entry]) -> frozenset[str] | None:
    """Return what is selected, as references and bare ids; ``None`` where nothing is said."""
    listed = [item for item in items(context.get("selections")) if isinstance(item, str) and item.strip()]
    if not listed or not given:
        return None
    return frozenset(key for item in listed for key in (item, reference_key(item)) if key)


def _is_chosen(entry: Entry, chosen: frozenset[str]) -> bool:
    id_, type_ = bare_id(entry.resource.get("id")), resource_type(entry.resource)
    references = [f"{name}/{id_}" for name in ([type_] if type_ else ORDERS)] if id_ else []
    return any(key in chosen for key in (*references, id_, entry.address) if key)


def _reference(entry: Entry) -> str | None:
    id_, type_ = bare_id(entry.resource.get("id")), resource_type(entry.resource)
    return f"{type_}/{id_}" if id_ and type_ else None


def _free_id(entry: Entry, taken: set[str]) -> str:
    """Return the resource's id, or where it stands: unique among the orders of the request."""
    own = bare_id(entry.resource.get("id")) or entry.path
    id_ = own if own not in taken else f"{own} ({entry.path})"
    taken.add(id_)
    return id_


# ---------------------------------------------------------------- one order


def _order(
    entry: Entry, drug: Drug, id_: str, knowledge: KnowledgeBase, kg: Decimal | None
) -> tuple[Order | None, tuple[str, ...]]:
    why = _why_not(entry.resource, drug)
    if why is not None or drug.coding is None:
        return None, (why,) if why else ()
    taker = _taker(drug, knowledge, kg)
    step, unread = _step(entry.resource, taker)
    notes = [step.why] if step.why else []
    route = step.route
    if route is None and drug.is_local and drug.coding.code not in knowledge.coded_products:
        route = "topical"
        notes.append("the product is for local use; the order was judged as one for the skin")
    order = Order(
        id=id_,
        agent=drug.coding,
        dose=step.dose,
        frequency=step.frequency,
        route=route,
        duration_days=step.duration_days,
        infusion=step.infusion,
    )
    if resource_type(entry.resource) is None:
        notes.append(_UNTYPED)
    return order, (*notes, *unread, *step.notes)


def _why_not(resource: Mapping[str, Any], drug: Drug) -> str | None:
    """Return why nothing of an order is checked."""
    if not resource:
        return "the entry holds no resource that can be read"
    why = _why_off(resource)
    if why is not None:
        return why
    if drug.conflict is not None:
        return drug.conflict
    return "the drug of the order was not recognised" if drug.coding is None else None


def _why_off(resource: Mapping[str, Any]) -> str | None:
    if resource.get("doNotPerform") is True:
        return "the order says that the drug is not to be given; it was not checked"
    return _OFF.get((word(resource.get("status")) or "").lower())


def _taker(drug: Drug, knowledge: KnowledgeBase, kg: Decimal | None) -> Taker:
    """Return the strength only for a drug whose product the knowledge base does not know: it knows its own better."""
    assert drug.coding is not None  # noqa: S101 - the caller looked
    is_own = drug.coding.system == RXNORM and drug.coding.code in knowledge.coded_products
    piece = drug.strength[1] if drug.strength else None
    if is_own and piece is None:
        form = knowledge.coded_products[drug.coding.code].form.lower()
        piece = "{capsule}" if "capsule" in form else None
    return Taker(kg, piece if piece in {"{tablet}", "{capsule}"} else None, None if is_own else drug.strength)


def _step(resource: Mapping[str, Any], taker: Taker) -> tuple[Step, tuple[str, ...]]:
    """Return the dosages of an order as one; of the fields that hold them in several releases."""
    given = elements(resource.get("dosageInstruction")) or elements(resource.get("dosage"))
    if not given:
        return Step(None, None, None, None, None, "the order has no dosage instruction", ()), ()
    notes = []
    if len(given) > steps.MOST_STEPS:
        notes.append(f"only the first {steps.MOST_STEPS} dosage entries were read")
    read_steps = [_sequenced(item, taker) for item in given[: steps.MOST_STEPS]]
    return steps.together(read_steps), tuple(notes)


def _sequenced(given: Mapping[str, Any], taker: Taker) -> Step:
    return structs.replace(dosage.read(given, taker), sequence=whole(given.get("sequence")))
