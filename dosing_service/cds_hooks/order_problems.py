"""What a clinician must act on in checked orders: one problem each, worst first, said once for all orders it is in."""

from collections.abc import Iterator, Mapping, Sequence

from dosing_service.fhir.drugs import NAMELESS
from dosing_service.fhir.orders import ReadOrder
from dosing_service.fhir.reading import ABSENT, UNKNOWN, ReadRequest
from dosing_service.knowledge.base import KnowledgeBase
from dosing_service.model import Category, Finding, OrderAssessment, OrderCheck, Severity, Value, Verdict
from dosing_service.rules.verdict import counts
from dosing_service.terminology.names import name_book

_DOSE = {Category.DOSE, Category.DOSE_LIMIT, Category.FREQUENCY}
_ORDER = list(Severity)
#: What a dose can depend on: the datum of the record that brings it, and its name.
_BODY: Mapping[str, tuple[str, str]] = {
    "patient.weight": ("weight", "weight"),
    "patient.height": ("height", "height"),
    "patient.age": ("patient", "birth date"),
}


class OrderProblem(Value, frozen=True):
    """One problem: its findings (worst first), the orders it is in, and the judgement of the first of them.

    ``topic`` is the same for the same problem in every call. ``assessment`` is ``None`` for what is about the patient,
    or about an order that could not be read; then ``said`` says it.
    """

    topic: str
    severity: Severity
    name: str
    orders: tuple[ReadOrder, ...]
    findings: tuple[Finding, ...] = ()
    assessment: OrderAssessment | None = None
    said: str | None = None

    @property
    def is_about_dose(self) -> bool:
        """Whether the amount, the frequency or a documented maximum is the problem."""
        return any(item.category in _DOSE for item in self.findings)


def problems(
    read: ReadRequest, checked: OrderCheck, knowledge: KnowledgeBase, least: Severity, *, is_writing: bool
) -> list[OrderProblem]:
    """Return the problems of the selected orders that are at least as severe as ``least``, worst first.

    A dose that could not be checked is shown whatever ``least`` is; while the order is being written (``is_writing``)
    only where there is a dose already. Other checks that did not run are shown where ``least`` is the very least.
    """
    by_id = {item.order.id: item for item in read.orders if item.order is not None}
    found: dict[str, OrderProblem] = {}
    for assessment in checked.orders:
        order = by_id[assessment.id]
        if order.selected and assessment.agent is not None:
            mine = _found(order, assessment, knowledge, least)
            if not is_writing or _has_dosage(order):
                mine += _unchecked(order, assessment, read, knowledge, mine, least)
            for problem in mine:
                known = found.get(problem.topic)
                found[problem.topic] = _merged(known, problem) if known else problem
    of_patient = [_of_patient(item) for item in checked.findings if _is_shown(item, least)]
    unread = [_unread(item, knowledge) for item in read.orders if item.selected and item.order is None]
    return sorted([*found.values(), *of_patient, *filter(None, unread)], key=lambda item: _ORDER.index(item.severity))


def _found(
    order: ReadOrder, assessment: OrderAssessment, knowledge: KnowledgeBase, least: Severity
) -> list[OrderProblem]:
    agent = knowledge.agents[assessment.agent or ""]
    shown = [item for item in assessment.findings if _is_shown(item, least) and counts(agent, item)]
    groups: dict[str, list[Finding]] = {}
    for item in shown:
        groups.setdefault(_topic(agent.id, item), []).append(item)
    for items in groups.values():
        # Of equally severe findings, what is wrong with the frequency says best what to do.
        items.sort(key=lambda item: (_ORDER.index(item.severity), item.category is not Category.FREQUENCY))
    return [
        OrderProblem(topic, items[0].severity, agent.name, (order,), tuple(items), assessment)
        for topic, items in groups.items()
    ]


def _unchecked(
    order: ReadOrder,
    assessment: OrderAssessment,
    read: ReadRequest,
    knowledge: KnowledgeBase,
    found: Sequence[OrderProblem],
    least: Severity,
) -> list[OrderProblem]:
    """Return what must be said of checks that did not run: at most one problem."""
    agent = knowledge.agents[assessment.agent or ""]
    said = None
    if not any(_says_why(item) for problem in found for item in problem.findings):
        said = _why_unchecked(order, assessment, read)
    if said is None and least is Severity.INFO and assessment.not_checked and not found:
        said = "not every check ran"
    topic = f"{agent.id} not checked"
    return [OrderProblem(topic, Severity.INFO, agent.name, (order,), (), assessment, said)] if said else []


def _says_why(item: Finding) -> bool:
    """Tell whether a finding says already that the dose is wrong, or that there is none to compare it with."""
    return item.category in {*_DOSE, Category.POPULATION} or item.id == "route-not-documented"


def _has_dosage(order: ReadOrder) -> bool:
    return any(order.resource.get(name) for name in ("dosageInstruction", "dosage"))


def _topic(agent: str, item: Finding) -> str:
    """Return what makes two findings one problem: all about the dose is one, an interaction is one for both drugs."""
    if item.category in _DOSE:
        return f"{agent} dose"
    return item.id if item.category is Category.INTERACTION else f"{agent} {item.id}"


def _is_shown(item: Finding, least: Severity) -> bool:
    return item.verdict is Verdict.APPLIES and _ORDER.index(item.severity) <= _ORDER.index(least)


def _merged(known: OrderProblem, other: OrderProblem) -> OrderProblem:
    worse = min(known, other, key=lambda item: _ORDER.index(item.severity))
    orders: Sequence[ReadOrder] = [*known.orders, *(item for item in other.orders if item not in known.orders)]
    return OrderProblem(
        known.topic, worse.severity, worse.name, tuple(orders), worse.findings, worse.assessment, worse.said
    )


def _of_patient(item: Finding) -> OrderProblem:
    return OrderProblem(f"patient {item.id}", item.severity, "Patient", (), (item,))


def _unread(order: ReadOrder, knowledge: KnowledgeBase) -> OrderProblem | None:
    """Return that an order was not read, if it is to be carried out and may be of one of our drugs: it has no name, or
    one of ours stands in it.
    """
    if order.is_off:
        return None
    said = f"dose not checked, {'; '.join(order.unread) or 'the order could not be read'}"
    if order.drug is None or not order.resource:
        return OrderProblem("order unread", Severity.INFO, "A medication order", (order,), said=said)
    name, conflict = order.drug.name, order.drug.conflict
    agent = name_book(knowledge).mentioned(f"{name}; {conflict}")
    if agent is None and name != NAMELESS:
        return None
    return OrderProblem(f"{agent or 'order'} unread", Severity.INFO, name, (order,), said=said)


def _why_unchecked(order: ReadOrder, assessment: OrderAssessment, read: ReadRequest) -> str | None:
    """Return in a few words why the dose of an order could not be compared, or could only be in part."""
    open_ = [item for item in assessment.not_checked if item.check in {"dose", "frequency", "route"}]
    for datum, name in _missing(assessment):
        if read.known[datum] == ABSENT:
            return f"dose not checked, no {name} on file"
        if datum in read.unused:
            return f"dose not checked, no usable {name} was sent: {read.unused[datum]}"
        if read.known[datum] == UNKNOWN:
            return f"dose not checked, no {name} was sent"
    if assessment.ratio is not None:
        return None
    if order.order is not None and order.order.dose is None and order.unread:
        return f"dose not checked, {order.unread[0]}"
    return f"dose not checked, {open_[0].why if open_ else 'no documented dose can be compared with it'}"


def lacking(read: ReadRequest, checked: OrderCheck) -> list[str]:
    """Return the data that nobody sent and the doses of selected orders depend on. What was sent and cannot be used is
    not asked for: the client would send the same again.
    """
    selected = {item.order.id for item in read.orders if item.order is not None and item.selected}
    needed = [
        datum
        for assessment in checked.orders
        if assessment.agent is not None and assessment.id in selected
        for datum, _ in _missing(assessment)
    ]
    return [datum for datum in dict.fromkeys(needed) if read.known[datum] == UNKNOWN and datum not in read.unused]


def _missing(assessment: OrderAssessment) -> Iterator[tuple[str, str]]:
    for item in assessment.not_checked:
        if item.check == "dose":
            yield from (_BODY[need] for need in item.needs if need in _BODY)
