"""Products by their code in RxNorm: what one tablet, millilitre or spray of a code holds."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, eq=False)
class Component:
    """How much of one of our agents is in a product: ``strength`` ``unit`` (always mg) ``per`` each piece, mL, mg of
    the preparation or actuation.
    """

    agent: str
    strength: Decimal
    unit: str
    per: str


@dataclass(frozen=True, slots=True, eq=False)
class CodedProduct:
    """A product code: a clinical drug, a branded drug or a pack.

    ``agents`` are ours that are in it, ``co_ingredients`` the other substances. Where an amount of the product is no
    dose of the agent (another salt or ester, a pack, a veterinary brand), ``components`` is empty and
    ``not_computable`` says why; such a code is known, and nothing may be computed from it. ``container_ml`` is the
    volume of one container, where the code fixes it. The route ``injectable`` leaves open into what.
    """

    code: str
    kind: str
    name: str
    agents: tuple[str, ...]
    components: tuple[Component, ...]
    form: str
    route: str
    release: str
    container_ml: Decimal | None
    co_ingredients: tuple[str, ...]
    not_computable: str | None
    verified: bool
