"""Puts orders of one ingredient together, and compares them with the regimens that may be meant."""

from collections.abc import Sequence

from dosing_service.knowledge.base import Agent, KnowledgeBase, Product
from dosing_service.model import OrderRequest, Patient, Value
from dosing_service.rules.comparison import Candidate, Comparison, Position, best, candidates, compare, for_others
from dosing_service.rules.dose import Doses
from dosing_service.rules.facts import Facts
from dosing_service.rules.measure import VOLUME
from dosing_service.rules.order_lines import SURFACES, Line
from dosing_service.rules.ordered import Ordered, summed

_LOCAL = SURFACES | {"intralesional"}


class Case(Value, frozen=True):
    """One request, and what was found out about its patient."""

    request: OrderRequest
    knowledge: KnowledgeBase
    facts: Facts

    @property
    def patient(self) -> Patient:
        """The patient for whom the orders are."""
        return self.request.patient


class Group(Value, frozen=True):
    """All orders of one ingredient, taken together; ``together`` is ``None`` where none of them can be read.

    Where no regimen is documented for patient, route and product (``is_documented`` is false), they are compared with
    all of them: what is too much for everybody is too much here. ``is_as_named`` tells whether the regimen that they
    name is among those compared.
    """

    case: Case
    lines: tuple[Line, ...]
    agent: Agent
    route: str | None
    product: Product | None
    together: Ordered | None
    doses: Doses
    candidates: tuple[Candidate, ...]
    is_documented: bool
    is_as_named: bool
    comparisons: tuple[Comparison, ...]
    chosen: Comparison | None


def groups(case: Case, ordered: Sequence[Line]) -> list[Group]:
    """Return the orders by ingredient; what stays on a surface or in a lesion is not added to what the whole body gets,
    and strengths of preparations are not added at all.
    """
    together: dict[tuple[str, str | None, str], list[Line]] = {}
    for line in ordered:
        if line.agent is not None:
            alone = line.path if isinstance(line.ordered, Ordered) and line.ordered.unit == "%" else ""
            local = line.route if line.route in _LOCAL else None
            together.setdefault((line.agent.id, local, alone), []).append(line)
    return [_group(case, tuple(members)) for members in together.values()]


def _group(case: Case, members: tuple[Line, ...]) -> Group:
    agent = members[0].agent
    assert agent is not None  # noqa: S101 - only orders of our agents are grouped
    route, product = _common_route(members, agent), _common_product(members)
    readable = [line.ordered for line in members if isinstance(line.ordered, Ordered)]
    together = summed(readable) if readable else None
    doses = Doses(case.patient)
    names = {line.order.regimen for line in members} - {None}
    fitting = candidates(agent, case.facts, doses, route, product)
    named = [item for item in fitting if item.regimen.id in names]
    usable = tuple(named or _written_alike(fitting, together) or _of_others(agent, case.facts, doses, route))
    comparisons = tuple([compare(together, item) for item in usable]) if together else ()
    chosen = _chosen(agent, usable, comparisons)
    is_as_named = bool(named) or not names
    return Group(
        case, members, agent, route, product, together, doses, usable, bool(fitting), is_as_named, comparisons, chosen
    )


def _of_others(agent: Agent, facts: Facts, doses: Doses, route: str | None) -> list[Candidate]:
    """Return the regimens for others; none of them says anything of a preparation on a surface."""
    return [] if route in SURFACES else for_others(agent, facts, doses)


def _written_alike(fitting: list[Candidate], together: Ordered | None) -> list[Candidate]:
    """Return the regimens written per kg or m² for an order written so, where there are any: it means one of these."""
    body = together.body if together else None
    alike = [item for item in fitting if body is not None and item.regimen.any_figure.unit.body == body]
    return alike or fitting


def _chosen(agent: Agent, usable: Sequence[Candidate], comparisons: Sequence[Comparison]) -> Comparison | None:
    """Return the comparison that counts; none but a fitting one while a documented concentration waits for a volume,
    and none below a range while another regimen, which might be lower, waits for the weight.
    """
    chosen = best(agent, comparisons)
    if chosen is None or chosen.fits:
        return chosen
    waits = any(need == VOLUME for item in usable for part in item.needs for need in part.needs)
    may_fit = chosen.position is Position.BELOW and any(item.dose is None for item in usable)
    return None if waits or may_fit else chosen


def _common_route(members: tuple[Line, ...], agent: Agent) -> str | None:
    """Return the route of the orders; a drug that is documented by one route alone needs none."""
    routes = {line.route for line in members}
    if routes == {None}:
        routes = {item.route for item in agent.regimens.values()}
    return routes.pop() if len(routes) == 1 else None


def _common_product(members: tuple[Line, ...]) -> Product | None:
    """Return a product of the formulation that all orders have, since some maxima belong to a formulation."""
    formulations = {line.product.formulation if line.product else None for line in members}
    return members[0].product if len(formulations) == 1 else None
