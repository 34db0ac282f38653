"""How amounts read. Text is rounded for people (see :func:`dosing_service.units.display`); the numbers beside it
are exact.
"""

from collections.abc import Sequence
from decimal import ROUND_DOWN, Decimal

from dosing_service.model import Age, Amount, Per
from dosing_service.units import display, display_range, spelled

_TODDLER_YEARS, _INFANT_MONTHS = 2, 3
_TENTH, _HUNDRED = Decimal("0.1"), Decimal(100)


def amount_text(low: Decimal, high: Decimal, unit: str, suffix: str, values: Sequence[Decimal] | None = None) -> str:
    """Return ``50.8 to 101.6 mg daily``; single figures of a source are listed: ``1.8, 2.24 or 2.4 g daily``."""
    if values and len(values) > 1:
        amount = f"{', '.join(display(value) for value in values[:-1])} or {display(values[-1])} {spelled(unit)}"
    else:
        amount = display_range(low, high, unit)
    return f"{amount} {suffix}" if suffix else amount


def amount(per: Per, low: Decimal, high: Decimal, unit: str, suffix: str) -> Amount:
    """Return an amount with its text."""
    return Amount(per, low, high, unit, amount_text(low, high, unit, suffix))


def times_text(ratio: Decimal) -> str:
    """Return ``6.4 times`` for 6.429."""
    return f"{display(ratio.quantize(_TENTH) if ratio < _HUNDRED else ratio)} times"


def age_text(age: Age) -> str:
    """Return ``6.8 years``, ``14 months`` or ``20 days``, rounded down: nobody is made older than they are."""
    if age.years >= _TODDLER_YEARS:
        return f"{display(age.years.quantize(_TENTH, ROUND_DOWN))} years"
    if age.months >= _INFANT_MONTHS:
        return f"{int(age.months)} months"
    return f"{int(age.days)} days"


def join(parts: Sequence[str]) -> str:
    """Return the parts as a list in a sentence: ``a, b and c``."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
