"""Fits products to an amount: whole and half pieces, vials, volumes; never above a hard limit.

Everything is compared in milligrams of the regimen's own kind of amount (a day, a course): what is given each time,
times the number of administrations, exactly, never a rounded part of a daily amount.
"""

from collections.abc import Iterator
from decimal import ROUND_HALF_DOWN, Decimal
from functools import cache

import msgspec

from dosing_service.knowledge.base import Product, Regimen
from dosing_service.model import Dose, Value
from dosing_service.rules import product_wording as words
from dosing_service.rules.division import Division
from dosing_service.rules.dose import Held
from dosing_service.rules.pieces import MAX_PIECES, Combination, Strength, Table, table
from dosing_service.rules.product_groups import Group
from dosing_service.units import MG_IN, display, over, plain, times

#: A policy of this service, not a clinical figure: an amount that is further than a tenth from what is documented is
#: another dose, and a person chooses it, not a rounding rule.
TOLERANCE_PERCENT = Decimal(10)
#: A policy of this service: volumes from 1 mL on are measured in tenths of a millilitre, smaller ones in hundredths.
_FINE_STEP, _COARSE_STEP, _COARSE_FROM = Decimal("0.01"), Decimal("0.1"), Decimal(1)

_HUNDRED = Decimal(100)
_ZERO = Decimal(0)


class Target(Value, frozen=True):
    """What to aim at, in mg of the regimen's own amount; ``most`` is the hard limit.

    ``concentration`` is the documented strength of an amount that is a strength times a volume.
    """

    low: Decimal
    high: Decimal
    most: Decimal | None
    concentration: Decimal | None


class Case(Value, frozen=True):
    """One group of products for one dose, and how the dose is divided."""

    regimen: Regimen
    group: Group
    division: Division
    dose: Dose
    own: Held

    @property
    def unit(self) -> str:
        return self.dose.amounts[0].unit


class Made(Value, frozen=True):
    """Something that can be given each time: pieces, a volume or both; what it comes to in mg of the own amount, and by
    how many percent that is below (negative) or above the nearer end of what is wanted.
    """

    text: str
    total: Decimal
    deviation: Decimal
    pieces: tuple[tuple[Product, Decimal], ...] = ()
    volume_ml: Decimal | None = None
    diluted_to_ml: Decimal | None = None
    waste_mg: Decimal | None = None
    waste_ml: Decimal | None = None


class Unmade(Value, frozen=True):
    """Nothing fits, and why; with what lies below and above."""

    why: str
    nearest: tuple[Made, ...] = ()


def targets(case: Case) -> Iterator[Target]:
    """Yield the single figures of a source; else the range for whole pieces, and both its ends for what is drawn."""
    own, amount, factor = case.own, case.dose.amounts[0], MG_IN[case.unit]
    limit = None if own.most is None else times(own.most, factor)
    low, high = times(own.low, factor), times(own.high, factor)
    is_drawn = case.group.concentration is not None or case.group.is_powder
    if amount.values and own.high == amount.high:
        ends = [(times(value, factor),) * 2 for value in amount.values]
    elif is_drawn and low != high:
        ends = [(low, low), (high, high)]
    else:
        ends = [(low, high)]
    for start, end in ends:
        if end > 0:
            yield Target(start, end, limit, _documented_concentration(case, is_low=start == low))


def fit(case: Case, target: Target) -> Made | Unmade:
    """Return what comes nearest to a target in the products of a group, or why nothing does."""
    if case.group.concentration is not None:
        return _of_liquid(case, target, case.group.concentration)
    return _of_powder(case, target) if case.group.is_powder else _of_pieces(case, target)


def _documented_concentration(case: Case, *, is_low: bool) -> Decimal | None:
    concentration = case.dose.concentration
    if concentration is None:
        return None
    return concentration.low if is_low else concentration.high


# ---------------------------------------------------------------- whole and half pieces


def _of_pieces(case: Case, target: Target) -> Made | Unmade:
    known, count = _table(case.group), case.division.times
    within = known.within(target.low, target.high, count)
    if within is not None:
        return _made(case, target, within)
    below, above = known.below(target.low, count), known.above(target.high, count)
    nearest = tuple([_made(case, target, item) for item in (below, above) if item is not None])
    if above is None:
        return Unmade(f"more than {MAX_PIECES} pieces would be needed at a time", nearest)
    fitting = [item for item in nearest if _may_round(item, target)]
    if not fitting:
        return Unmade("no combination of whole pieces comes near enough", nearest)
    return min(fitting, key=lambda item: (_distance(item, target), item.total))


@cache
def _table(group: Group) -> Table:
    """Return what can be put together from the pieces, powder vials or sized containers of a group."""
    if group.concentration is not None:
        return table(tuple(Strength(item.volume_ml or _ZERO, divisible=False) for item in group.products))
    return table(tuple(Strength(item.strength, bool(item.divisible)) for item in group.products))


def _made(case: Case, target: Target, combination: Combination) -> Made:
    text, counted = _counted(case.group, combination.total)
    total = combination.total * case.division.times
    return Made(text, total, _deviation(total, target), counted)


@cache
def _counted(group: Group, total: Decimal) -> tuple[str, tuple[tuple[Product, Decimal], ...]]:
    """Return the pieces of a sum of the group's table, in words and counted."""
    counts = _table(group).combinations[total].counts
    counted = tuple((item, count) for item, count in zip(group.products, counts, strict=True) if count)
    return words.pieces(counted), counted


def _may_round(item: Made, target: Target) -> bool:
    is_allowed = target.most is None or item.total <= target.most
    return is_allowed and abs(item.deviation) <= TOLERANCE_PERCENT


def _distance(item: Made, target: Target) -> Decimal:
    return target.low - item.total if item.total < target.low else item.total - target.high


def _deviation(total: Decimal, target: Target) -> Decimal:
    """Return by how many percent an amount is below (negative) or above the nearer end; 0 inside the range."""
    if target.low <= total <= target.high:
        return _ZERO
    end = target.low if total < target.low else target.high
    return plain(over((total - end) * _HUNDRED, end))


# ---------------------------------------------------------------- what is drawn: liquids and dissolved powders


def _of_powder(case: Case, target: Target) -> Made | Unmade:
    """Return the fewest vials that hold the amount; what is not needed stays in the last one."""
    holding = _table(case.group).fewest_holding(target.low, case.division.times)
    if holding is None:
        return Unmade(f"more than {MAX_PIECES} vials would be needed at a time")
    text, counted = _counted(case.group, holding.total)
    part = over(target.low, Decimal(case.division.times))
    return Made(text, target.low, _ZERO, counted, waste_mg=holding.total - part)


def _of_liquid(case: Case, target: Target, concentration: Decimal) -> Made | Unmade:
    documented = target.concentration
    volume = _measured(case, target, concentration)
    total = volume * concentration * case.division.times
    deviation = _deviation(total, target)
    if volume == 0 or abs(deviation) > TOLERANCE_PERCENT:
        return Unmade("the volume is too small to be measured")
    stronger = documented is not None and concentration > documented
    diluted = plain(over(target.low, documented)) if documented is not None and stronger else None
    made = _from_vials(case, Made("", total, deviation, volume_ml=volume, diluted_to_ml=diluted), concentration)
    if documented is None or concentration >= documented or isinstance(made, Unmade):
        return made
    # The same milligrams are in more of a weaker liquid.
    instead = f"in place of {display(plain(over(target.low, documented)))} mL of {display(documented)} mg/mL"
    return msgspec.structs.replace(made, text=f"{made.text} {instead}")


def _measured(case: Case, target: Target, concentration: Decimal) -> Decimal:
    """Return the nearest volume that can be measured; a tie goes down, and so does what would pass the hard limit."""
    exact = over(target.low, concentration * case.division.times)
    step = _COARSE_STEP if exact >= _COARSE_FROM else _FINE_STEP
    nearest = exact.quantize(step, ROUND_HALF_DOWN)
    while target.most is not None and nearest * concentration * case.division.times > target.most:
        nearest -= step
    return plain(nearest)


def _from_vials(case: Case, made: Made, concentration: Decimal) -> Made | Unmade:
    """Return the volume with the vials it is drawn from: least waste, then fewest; without, where no size is known."""
    volume = made.volume_ml or _ZERO
    if case.group.first.volume_ml is None:
        text = words.liquid(volume, concentration, None, made.diluted_to_ml)
        return msgspec.structs.replace(made, text=text)
    holding = _table(case.group).holding(volume, 1)
    if holding is None:
        return Unmade(f"more than {MAX_PIECES} vials would be needed at a time")
    vials, counted = _counted(case.group, holding.total)
    left = holding.total - volume
    text = words.liquid(volume, concentration, vials, made.diluted_to_ml)
    return msgspec.structs.replace(made, text=text, pieces=counted, waste_ml=left, waste_mg=left * concentration)
