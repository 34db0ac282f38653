"""Dimension-checked conversion of knowledge figures with pint.

The registry is closed: it knows the units below and nothing else, numbers are :class:`~decimal.Decimal`, and body
weight and body surface area are
dimensions of their own, so mg/kg times a drug mass, or times nothing, is an error and not a number. Used while
knowledge is compiled, never per request.
"""

from decimal import Decimal
from functools import cache

import pint

from dosing_service.model import Per
from dosing_service.units import DOSE_UNITS, DoseUnit

_DEFINITIONS = """
gram = [mass]
milligram = 0.001 * gram
microgram = 0.000001 * gram
nanogram = 0.000000001 * gram
liter = [volume]
milliliter = 0.001 * liter
body_kilogram = [body_mass]
body_square_meter = [body_area]
percent = [concentration]
day = [time]
hour = day / 24
minute = hour / 60
week = 7 * day
month = 30.4375 * day
""".strip().splitlines()

_TIME_OF = {Per.DAY: "d", Per.WEEK: "wk", Per.MONTH: "mo", Per.RATE: "min"}


class KindMismatch(ValueError):
    """A unit that contradicts the kind of amount or the dimension it is used for."""


@cache
def registry() -> "pint.UnitRegistry[Decimal]":
    """Return the closed registry; built once, it takes about a tenth of a second."""
    units: pint.UnitRegistry[Decimal] = pint.UnitRegistry(None, non_int_type=Decimal)
    for line in _DEFINITIONS:
        units.define(line)
    return units


def convert(value: Decimal, unit: DoseUnit, target: DoseUnit) -> Decimal:
    """Return ``value`` in ``target``, exactly.

    Raises:
        KindMismatch: the two units measure different things.
    """
    if unit.code == target.code:
        return value
    try:
        magnitude = registry().Quantity(value, unit.pint).to(target.pint).magnitude
    except pint.DimensionalityError as error:
        raise KindMismatch(f"{unit.code} cannot be expressed in {target.code}") from error
    return Decimal(magnitude)


def check_kind(unit: DoseUnit, per: Per) -> None:
    """Check that a unit and a kind of amount say the same about time.

    Raises:
        KindMismatch: for example ``mg/d`` written as an amount per week, or ``mg`` as a rate.
    """
    expected = _TIME_OF.get(per)
    if unit.time != expected and not (per is Per.RATE and unit.time == "h"):
        raise KindMismatch(f"unit {unit.code} is not an amount per {per.value}")


def amount_unit(unit: DoseUnit) -> DoseUnit:
    """Return the unit that is left when a dose is multiplied by the body measure and read as one kind of amount:
    ``mg`` for ``mg/kg/d``.
    """
    return DOSE_UNITS[unit.amount]
