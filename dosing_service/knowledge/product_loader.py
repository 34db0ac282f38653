"""Reads the coded products and ties them to the products of the agents."""

import csv
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from io import StringIO
from types import MappingProxyType

from dosing_service.errors import KnowledgeError
from dosing_service.knowledge.base import Agent, Product
from dosing_service.knowledge.products import CodedProduct, Component

FILE = "terminology/products.csv"
_COLUMNS = (
    *("rxcui", "kind", "agent", "name", "strength", "unit", "per", "container_ml", "form", "route", "release"),
    *("co_ingredients", "not_computable", "verified"),
)
_WORDS = {
    "kind": {"clinical", "branded", "pack"},
    "unit": {"mg"},
    "per": {"each", "mL", "mg", "actuation"},
    "route": {
        *("oral", "injectable", "subcutaneous", "topical", "ophthalmic", "otic", "nasal", "rectal", "inhalation"),
        "oromucosal",
    },
    "release": {"IR", "DR", "ER", "12 HR ER", "24 HR ER"},
    "verified": {"yes", "no"},
}
#: The dose forms of RxNorm that a form of our products may be.
_FORMS: Mapping[str, frozenset[str]] = {
    "tablet": frozenset({"Oral Tablet", "Extended Release Oral Tablet"}),
    "capsule": frozenset({"Oral Capsule", "Extended Release Oral Capsule"}),
    "oral-solution": frozenset({"Oral Solution"}),
    "oral-suspension": frozenset({"Oral Suspension"}),
    "vial": frozenset({"Injection", "Injectable Solution", "Injectable Suspension"}),
    "autoinjector": frozenset({"Auto-Injector"}),
    "prefilled-syringe": frozenset({"Prefilled Syringe"}),
}
_RELEASE = {None: "IR", 12: "12 HR ER", 24: "24 HR ER"}


@dataclass(frozen=True, slots=True, eq=False)
class _Row:
    """A line of the file: one agent in one code."""

    line: int
    cells: Mapping[str, str]
    component: Component
    container_ml: Decimal | None

    @property
    def shared(self) -> tuple[str, ...]:
        """What all lines of one code must agree on."""
        return tuple(
            self.cells[name] for name in _COLUMNS if name not in {"agent", "strength", "per", "co_ingredients"}
        )


def coded_products(text: str, agents: Collection[str]) -> Mapping[str, CodedProduct]:
    """Return the products of the file by RxNorm code.

    Raises:
        KnowledgeError: a line that is not understood, or two lines of one code that contradict each other.
    """
    by_code: dict[str, list[_Row]] = {}
    for row in _rows(text, agents):
        by_code.setdefault(row.cells["rxcui"], []).append(row)
    return MappingProxyType({code: _product(code, rows) for code, rows in by_code.items()})


def _rows(text: str, agents: Collection[str]) -> Iterator[_Row]:
    reader = csv.DictReader(StringIO(text), strict=True)
    if tuple(reader.fieldnames or ()) != _COLUMNS:
        raise KnowledgeError(FILE, "line 1", f"the columns are {', '.join(_COLUMNS)}")
    for cells in reader:
        yield _row(reader.line_num, cells, agents)


def _row(line: int, cells: Mapping[str, str], agents: Collection[str]) -> _Row:
    if None in cells or None in cells.values():
        raise _fault(line, "the line has too few or too many cells")
    if not cells["rxcui"].isdecimal():
        raise _fault(line, "the code is not a number")
    if cells["agent"] not in agents:
        raise _fault(line, f"there is no agent {cells['agent']!r}")
    for column, words in _WORDS.items():
        if cells[column] not in words:
            raise _fault(line, f"{column} is one of {', '.join(sorted(words))}")
    if not cells["name"] or not cells["form"]:
        raise _fault(line, "name and form are needed")
    strength = _number(line, cells["strength"])
    container = _number(line, cells["container_ml"]) if cells["container_ml"] else None
    if container is not None and cells["per"] != "mL":
        raise _fault(line, "only a strength per mL has a container")
    return _Row(line, cells, Component(cells["agent"], strength, cells["unit"], cells["per"]), container)


def _number(line: int, text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal(0)
    if not value.is_finite() or value <= 0:
        raise _fault(line, f"{text!r} is no number above 0")
    return value


def _fault(line: int, reason: str) -> KnowledgeError:
    return KnowledgeError(FILE, f"line {line}", reason)


def _product(code: str, rows: list[_Row]) -> CodedProduct:
    first = rows[0]
    for row in rows[1:]:
        if row.shared != first.shared:
            raise _fault(row.line, f"code {code} was described otherwise in line {first.line}")
    agents = tuple(row.component.agent for row in rows)
    if len(set(agents)) != len(agents):
        raise _fault(rows[-1].line, f"code {code} names an agent twice")
    cells = first.cells
    return CodedProduct(
        code=code,
        kind=cells["kind"],
        name=cells["name"],
        agents=agents,
        components=() if cells["not_computable"] else tuple(row.component for row in rows),
        form=cells["form"],
        route=cells["route"],
        release=cells["release"],
        container_ml=first.container_ml,
        co_ingredients=tuple(item for item in cells["co_ingredients"].split("; ") if item),
        not_computable=cells["not_computable"] or None,
        verified=cells["verified"] == "yes",
    )


# ---------------------------------------------------------------- products of agents


def product_of_code(agents: Mapping[str, Agent], coded: Mapping[str, CodedProduct]) -> Mapping[str, tuple[str, str]]:
    """Return the agent and product of each code: those that a product names, and the branded ones that fit one.

    Raises:
        KnowledgeError: a product names a code that is unknown, holds something else or belongs to another product.
    """
    found: dict[str, tuple[str, str]] = {}
    for agent in agents.values():
        for product in agent.products.values():
            for code in product.rxnorm:
                _check(agent, product, code, coded)
                if code in found:
                    raise _mismatch(agent, product, f"code {code} belongs to {found[code][1]} too")
                found[code] = (agent.id, product.id)
    for item in coded.values():
        product_id = _product_of_brand(agents, item) if item.kind == "branded" else None
        if product_id is not None:
            found[item.code] = (item.agents[0], product_id)
    return MappingProxyType(found)


def _product_of_brand(agents: Mapping[str, Agent], item: CodedProduct) -> str | None:
    """Return the one product of the agent that a brand is; ``None`` where none or more than one fits."""
    products = agents[item.agents[0]].products.values()
    fitting = [product.id for product in products if _difference(item.agents[0], product, item) is None]
    return fitting[0] if len(fitting) == 1 else None


def _check(agent: Agent, product: Product, code: str, coded: Mapping[str, CodedProduct]) -> None:
    item = coded.get(code)
    if item is None or item.kind != "clinical":
        raise _mismatch(agent, product, f"{FILE} has no clinical drug {code}")
    difference = _difference(agent.id, product, item)
    if difference is not None:
        raise _mismatch(agent, product, f"code {code} is {difference}: {item.name}")


def _difference(agent: str, product: Product, item: CodedProduct) -> str | None:
    """Return in what a coded product is not this product: ingredient, form, route, release or strength."""
    if item.agents != (agent,) or item.co_ingredients or item.not_computable:
        return "not this agent alone"
    if item.form not in _FORMS.get(product.form, ()) or item.release != _RELEASE[product.release_hours]:
        return "another form"
    if item.route not in {*product.routes, "injectable"} or (item.route == "injectable" and "oral" in product.routes):
        return "for another route"
    return None if _same_strength(product, item) else "another strength"


def _same_strength(product: Product, item: CodedProduct) -> bool:
    """Tell whether a piece or a millilitre of both holds the same; containers are compared where both state one."""
    component = item.components[0]
    if product.strength_unit.code == "mg/mL":
        same_container = product.volume_ml == item.container_ml
        return component.per == "mL" and component.strength == product.strength and same_container
    if component.per == "mL" and item.container_ml is not None:
        return component.strength * item.container_ml == product.strength
    return component.per == "each" and component.strength == product.strength


def _mismatch(agent: Agent, product: Product, reason: str) -> KnowledgeError:
    return KnowledgeError(f"agents/{agent.id}.yaml", f"products.{product.id}.rxnorm", reason)
