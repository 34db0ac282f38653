"""How amounts of products read: ``1 and a half tablets of 60 mg``, ``50 mL of 250 mg/mL (1 vial of 50 mL)``."""

from collections.abc import Iterable
from decimal import Decimal

from dosing_service.knowledge.base import Product
from dosing_service.rules.product_groups import FORM_WORDS
from dosing_service.rules.wording import join
from dosing_service.units import display

_HALF = Decimal("0.5")


def pieces(counted: Iterable[tuple[Product, Decimal]]) -> str:
    """Return pieces of one or more products in words."""
    return join([f"{_count(product, count)} of {_content(product)}" for product, count in counted])


def liquid(volume_ml: Decimal, concentration: Decimal, vials: str | None, diluted_to_ml: Decimal | None) -> str:
    """Return a volume of a liquid in words, with the vials it comes from and what it is made up to."""
    text = f"{display(volume_ml)} mL of {display(concentration)} mg/mL"
    if diluted_to_ml is not None:
        text += f" diluted to {display(diluted_to_ml)} mL"
    return f"{text} ({vials})" if vials else text


def _count(product: Product, count: Decimal) -> str:
    one, several = FORM_WORDS[product.form]
    kind = "extended-release " if product.release_hours else ""
    whole = int(count)
    if count == _HALF:
        return f"half a {kind}{one}"
    if count != whole:
        return f"{whole} and a half {kind}{several}"
    return f"{whole} {kind}{one if whole == 1 else several}"


def _content(product: Product) -> str:
    if product.strength_unit.code == "mg/mL" and product.volume_ml is not None:
        return f"{display(product.volume_ml)} mL"
    return f"{display(product.strength)} mg"
