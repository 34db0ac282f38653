"""Which products of an agent suit a regimen, in groups of products that can be combined with each other."""

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from types import MappingProxyType

from dosing_service.knowledge.base import Agent, Product, Regimen
from dosing_service.model import Value

#: How one and several of a form read.
FORM_WORDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "tablet": ("tablet", "tablets"),
        "capsule": ("capsule", "capsules"),
        "effervescent-tablet": ("effervescent tablet", "effervescent tablets"),
        "single-dose-solution": ("single-dose solution", "single-dose solutions"),
        "vial": ("vial", "vials"),
        "autoinjector": ("autoinjector", "autoinjectors"),
        "prefilled-syringe": ("prefilled syringe", "prefilled syringes"),
    }
)


class Group(Value, frozen=True):
    """Products of one form, formulation, region and (for liquids) concentration, the strongest or largest first."""

    products: tuple[Product, ...]

    @property
    def first(self) -> Product:
        return self.products[0]

    @property
    def concentration(self) -> Decimal | None:
        """Milligrams in a millilitre, for a liquid."""
        return self.first.strength if self.first.strength_unit.code == "mg/mL" else None

    @property
    def is_powder(self) -> bool:
        """Whether it is a vial of which any part of the amount can be drawn once it is dissolved."""
        return self.first.form == "vial" and self.concentration is None

    @property
    def times_per_day(self) -> int | None:
        """How often a day an extended-release form is given."""
        return 24 // self.first.release_hours if self.first.release_hours else None


@cache
def groups(agent: Agent, regimen: Regimen, jurisdiction: str | None, product: Product | None) -> tuple[Group, ...]:
    """Return the groups that suit the route and formulation of ``regimen`` and are sold in ``jurisdiction``; with a
    ``product`` that one alone, wherever it is sold.
    """
    found: dict[tuple[object, ...], list[Product]] = {}
    for item in agent.products.values() if product is None else (product,):
        if _suits(item, regimen) and (product is not None or _is_sold(item, jurisdiction)):
            found.setdefault(_kind(item), []).append(item)
    return tuple(Group(tuple(sorted(items, key=_size, reverse=True))) for items in found.values())


def _suits(product: Product, regimen: Regimen) -> bool:
    return regimen.route in product.routes and regimen.formulation in {None, product.formulation}


def _is_sold(product: Product, jurisdiction: str | None) -> bool:
    return jurisdiction is None or not product.regions or jurisdiction in product.regions


def _kind(product: Product) -> tuple[object, ...]:
    liquid = (product.strength, product.volume_ml is None) if product.strength_unit.code == "mg/mL" else None
    return product.form, product.formulation, product.release_hours, product.regions, liquid


def _size(product: Product) -> Decimal:
    """Return the strength of a piece, or the volume of a container of a liquid."""
    is_liquid = product.strength_unit.code == "mg/mL"
    return (product.volume_ml or Decimal(0)) if is_liquid else product.strength
