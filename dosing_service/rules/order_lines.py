"""Which ingredients an order holds, and how much of each: the agent, the product, its strength.

A combination product is one line for each of its agents. A drug that no dose is documented of here is a line as well:
it counts as a medication beside the other orders.
"""

from collections.abc import Iterator
from difflib import get_close_matches

from dosing_service.errors import InvalidRequest, Problem
from dosing_service.knowledge.base import Agent, KnowledgeBase, Product, agent_names
from dosing_service.knowledge.products import CodedProduct, Component
from dosing_service.model import Basis, Coding, NotChecked, Order, Patient, Value
from dosing_service.rules.facts import Substance, substance
from dosing_service.rules.interactions import as_substance
from dosing_service.rules.ordered import Ordered, Strength, Unreadable, normalised
from dosing_service.systems import RXNORM
from dosing_service.units import MG_IN, times

#: The routes of product codes that say by which route a drug is given. ``injectable`` does not.
_ROUTES = {"oral", "topical", "rectal", "nasal", "ophthalmic", "otic", "inhalation"}
#: Routes by which a preparation is put on a surface: a gram is a gram of cream, ointment or drops, not of the drug.
SURFACES = frozenset({"topical", "rectal", "nasal", "ophthalmic", "otic"})


class Line(Value, frozen=True):
    """One ingredient of one order at ``path``; ``agent`` is ``None`` for a drug that no dose is documented of here.

    ``unchecked`` says what is not known of the product.
    """

    path: str
    order: Order
    agent: Agent | None
    drug: Substance
    route: str | None
    product: Product | None = None
    ordered: Ordered | Unreadable | None = None
    unchecked: tuple[NotChecked, ...] = ()


def lines(index: int, order: Order, patient: Patient, knowledge: KnowledgeBase) -> list[Line]:
    """Return the ingredients of an order.

    Raises:
        InvalidRequest: the agent, regimen or product is an id that does not exist.
    """
    path = f"orders[{index}]"
    coded = _coded(order, knowledge)
    if coded is not None:
        _check_one_product(path, order)
        found = list(_of_code(path, order, coded, patient, knowledge))
        _check_agrees(path, order, found, knowledge)
        return found
    agent = _agent(path, order.agent, knowledge)
    if agent is None:
        return [Line(path, order, None, substance(_lower(order.agent), knowledge.terminology), order.route)]
    _check_regimen(path, order, agent)
    product = _product(path, order, agent)
    return [_line(path, order, agent, product, _strength_of(product), patient)]


def pointer(path: str) -> str:
    """Return the JSON pointer of a path of the request: ``/orders/0`` for ``orders[0]``."""
    return "/" + path.replace("[", "/").replace("]", "")


def _line(
    path: str, order: Order, agent: Agent, product: Product | None, strength: Strength | None, patient: Patient
) -> Line:
    ordered = _on_surface(order, path, agent, order.route) or normalised(order, path, patient, strength)
    unchecked = _of_other_form(path, order, agent)
    if order.product is not None and product is None:
        why = "nothing here knows this product code, so form and strength were not checked"
        unchecked = (*unchecked, NotChecked("product", (f"{path}.product",), why))
    return Line(path, order, agent, as_substance(agent), order.route, product, ordered, unchecked)


def _on_surface(order: Order, path: str, agent: Agent, route: str | None) -> Unreadable | None:
    """Say that an amount for a surface is one of the preparation, unless it is a strength or a regimen has amounts."""
    if route not in SURFACES or order.dose is None or order.dose.unit == "%":
        return None
    if any(item.route == route and item.basis is not Basis.CONCENTRATION for item in agent.regimens.values()):
        return None
    why = "by this route the amount is one of the preparation; how much of the drug it holds is not known"
    return Unreadable((NotChecked("dose", (f"{path}.dose",), why),))


def _of_other_form(path: str, order: Order, agent: Agent) -> tuple[NotChecked, ...]:
    """Say that a code is of another salt or form of the drug, whose milligrams may not be those of the doses here."""
    own = {item.code for item in agent.codings if item.system == "rxnorm"}
    if order.agent.system != RXNORM or order.agent.code in own:
        return ()
    why = f"the code is of another form or salt of {agent.name}; its milligrams were read as those of {agent.name}"
    return (NotChecked("dose", (f"{path}.agent",), why),)


# ---------------------------------------------------------------- by id or ingredient


def _agent(path: str, coding: Coding, knowledge: KnowledgeBase) -> Agent | None:
    named = agent_names(knowledge).get(coding.code.lower()) if coding.system is None else None
    if named is not None:
        return knowledge.agents[named]
    drug = substance(_lower(coding), knowledge.terminology)
    if drug.agent is not None:
        return knowledge.agents[drug.agent]
    if coding.system is None and not drug.is_known:
        names = sorted({*agent_names(knowledge), *knowledge.terminology.drugs_by_name})
        close = ", ".join(get_close_matches(coding.code.lower(), names, n=3)) or "none"
        expected = f"an agent id, the name of a drug, or a code; nearest: {close}"
        raise InvalidRequest(Problem(f"{pointer(path)}/agent", "unknown-agent", "no drug has this id", expected))
    return None


def _lower(coding: Coding) -> Coding:
    """Return a name as the terminology spells it; a code is what it is."""
    return Coding(coding.code.lower()) if coding.system is None else coding


def _check_regimen(path: str, order: Order, agent: Agent) -> None:
    if order.regimen is not None and order.regimen not in agent.regimens:
        accepted = ", ".join(agent.regimens) or "none: this agent has no regimen"
        detail = "this agent has no regimen with this id"
        raise InvalidRequest(Problem(f"{pointer(path)}/regimen", "unknown-regimen", detail, accepted))


def _product(path: str, order: Order, agent: Agent) -> Product | None:
    if order.product is None or order.product.system is not None:
        return None
    if order.product.code not in agent.products:
        accepted = ", ".join(agent.products) or "none: no product of this agent is in the knowledge base"
        detail = "no product of this agent has this id"
        raise InvalidRequest(Problem(f"{pointer(path)}/product/id", "unknown-product", detail, accepted))
    return agent.products[order.product.code]


def _strength_of(product: Product | None) -> Strength | None:
    """Return how many milligrams one piece, one vial or one millilitre of a product holds."""
    if product is None:
        return None
    unit = product.strength_unit.code
    if unit not in MG_IN:
        vial = {"{vial}": times(product.strength, product.volume_ml)} if product.volume_ml is not None else {}
        return Strength({"mL": product.strength} | vial)
    return Strength({_piece(product.form): times(product.strength, MG_IN[unit])})


def _piece(form: str) -> str:
    """Return what a form is counted in."""
    words = form.lower()
    return "{tablet}" if "tablet" in words else "{capsule}" if "capsule" in words else "{vial}"


# ---------------------------------------------------------------- by product code


def _coded(order: Order, knowledge: KnowledgeBase) -> CodedProduct | None:
    """Return the product code that the order's product or agent is."""
    for coding in (order.product, order.agent):
        if coding is not None and coding.system == RXNORM and coding.code in knowledge.coded_products:
            return knowledge.coded_products[coding.code]
    return None


def _of_code(
    path: str, order: Order, coded: CodedProduct, patient: Patient, knowledge: KnowledgeBase
) -> Iterator[Line]:
    route = order.route or (coded.route if coded.route in _ROUTES else None)
    agent_id, product_id = knowledge.product_of_code.get(coded.code, (None, None))
    for id_ in coded.agents:
        agent = knowledge.agents[id_]
        component = next((item for item in coded.components if item.agent == id_), None)
        product = agent.products[product_id] if product_id is not None and agent_id == id_ else None
        ordered: Ordered | Unreadable
        on_surface = _on_surface(order, path, agent, route)
        if on_surface is not None:
            ordered = on_surface
        elif coded.not_computable is not None:
            ordered = Unreadable((NotChecked("dose", (f"{path}.product",), coded.not_computable),))
        elif len(coded.agents) > 1 and order.dose is not None and order.dose.unit not in _counted(coded, component):
            why = "of a combination product only a number of pieces says how much of each drug is given"
            ordered = Unreadable((NotChecked("dose", (f"{path}.dose",), why),))
        else:
            ordered = normalised(order, path, patient, _strength_of_code(coded, component))
        if len(coded.agents) == 1:
            _check_regimen(path, order, agent)
        yield Line(path, order, agent, as_substance(agent), route, product, ordered)


def _counted(coded: CodedProduct, component: Component | None) -> tuple[str, ...]:
    strength = _strength_of_code(coded, component)
    return tuple(strength.milligrams) if strength else ()


def _strength_of_code(coded: CodedProduct, component: Component | None) -> Strength | None:
    if component is None:
        return None
    if component.per == "each":
        return Strength({_piece(coded.form): component.strength})
    if component.per != "mL":
        return None
    container = {"{vial}": times(component.strength, coded.container_ml)} if coded.container_ml is not None else {}
    return Strength({"mL": component.strength} | container)


def _check_one_product(path: str, order: Order) -> None:
    """Refuse a product id beside a product code: which of the two is meant is open."""
    if order.product is not None and order.product.system is None:
        detail = "the order is of a product code already"
        raise InvalidRequest(Problem(f"{pointer(path)}/product", "two-products", detail, "leave the product out"))


def _check_agrees(path: str, order: Order, found: list[Line], knowledge: KnowledgeBase) -> None:
    """Refuse an order whose product is of another drug than the one it names: which of the two is meant is open."""
    if order.product is None or order.product.system != RXNORM or order.agent == order.product:
        return
    named = _agent(path, order.agent, knowledge)
    if named is not None and named.id not in {line.agent.id for line in found if line.agent}:
        detail = "the product code is of another drug than the agent"
        expected = "a product code of the agent"
        raise InvalidRequest(Problem(f"{pointer(path)}/product", "other-drug", detail, expected))
