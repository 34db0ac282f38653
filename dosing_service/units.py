"""The closed set of unit codes, their exact factors, and how amounts are written for people.

Unit codes are UCUM, case-sensitive. Nothing a caller sends is ever parsed: a code is in one of these tables or it is
refused.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal, Inexact
from enum import StrEnum
from functools import cache, reduce
from types import MappingProxyType

#: Sums and products of request and knowledge figures are exact or they raise; 60 digits hold every product the
#: request bounds allow.
EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN, traps=[Inexact])
#: A quotient that does not terminate is kept to 12 significant digits, far below any product's precision and safe in
#: an IEEE double.
_QUOTIENT = Context(prec=12, rounding=ROUND_HALF_EVEN)
_QUOTIENT_DOWN = Context(prec=12, rounding=ROUND_DOWN)
#: At most four significant figures reach a reader; halves go up, as clinicians round.
_DISPLAY = Context(prec=4, rounding=ROUND_HALF_UP)
_WIDE = Context(prec=60)


class Measure(StrEnum):
    """What a quantity in a request measures; it decides which unit codes are accepted."""

    BODY_WEIGHT = "body weight"
    HEIGHT = "height"
    AGE = "age"
    GESTATION = "gestational age"
    VOLUME = "volume"
    DRUG_AMOUNT = "amount of a drug"


#: Factor of each accepted code to the canonical unit (kg, cm, a, mL, mg). The international pound and inch are exact by
#: definition; a UCUM year has
#: 365.25 days, a month 30.4375.
FACTORS: dict[Measure, dict[str, Decimal]] = {
    Measure.BODY_WEIGHT: {"kg": Decimal(1), "g": Decimal("0.001"), "[lb_av]": Decimal("0.45359237")},
    Measure.HEIGHT: {"cm": Decimal(1), "m": Decimal(100), "[in_i]": Decimal("2.54")},
    Measure.AGE: {"a": Decimal("365.25"), "mo": Decimal("30.4375"), "wk": Decimal(7), "d": Decimal(1)},
    Measure.GESTATION: {"wk": Decimal(7), "d": Decimal(1)},
    Measure.VOLUME: {"mL": Decimal(1), "L": Decimal(1000)},
    Measure.DRUG_AMOUNT: {"mg": Decimal(1), "g": Decimal(1000), "ug": Decimal("0.001")},
}

#: Spellings that cannot be misread.
ALIASES = {
    "lb": "[lb_av]",
    "lbs": "[lb_av]",
    "in": "[in_i]",
    "mcg": "ug",
    "IU": "[iU]",
    "y": "a",
    "year": "a",
    "years": "a",
    "month": "mo",
    "months": "mo",
    "week": "wk",
    "weeks": "wk",
    "day": "d",
    "days": "d",
    "ml": "mL",
    "l": "L",
}

#: Codes that are valid or familiar elsewhere and dangerous here, with the reason given to the caller.
REFUSED = {
    "Mg": "Mg is a megagram, one million grams",
    "MG": "MG is a megagauss in UCUM",
    "ML": "ML is a megalitre, one million litres",
    "G": "G is a gauss in UCUM",
    "KG": "KG is not a UCUM code; the kilogram is kg",
    "Kg": "Kg is not a UCUM code; the kilogram is kg",
    "U": "U is an enzyme unit in UCUM",
    "unit": "unit names no unit of measure",
    "units": "units names no unit of measure",
}


class UnitRefused(ValueError):
    """A unit code outside the closed list of a measure; ``reason`` may be shown to a caller, it never echoes free
    input.
    """

    def __init__(self, reason: str, accepted: tuple[str, ...]) -> None:
        super().__init__(reason)
        self.reason = reason
        self.accepted = accepted


def accepted_codes(measure: Measure) -> tuple[str, ...]:
    """Return the unit codes a request may use for ``measure``."""
    return tuple(FACTORS[measure])


def resolve(measure: Measure, code: str) -> tuple[str, Decimal]:
    """Return the canonical code and its exact factor to the measure's base unit.

    Raises:
        UnitRefused: the code is not in the closed list.
    """
    factors = FACTORS[measure]
    canonical = code if code in factors else ALIASES.get(code, code)
    factor = factors.get(canonical)
    if factor is None:
        reason = REFUSED.get(code, f"not an accepted unit of {measure.value}")
        raise UnitRefused(reason, accepted_codes(measure))
    return canonical, factor


@dataclass(frozen=True, slots=True)
class DoseUnit:
    """A dose unit taken apart: ``mg/kg/d`` is amount ``mg``, body ``kg``, time ``d``. ``pint`` is its definition in
    the closed registry.
    """

    code: str
    amount: str
    body: str | None
    time: str | None
    pint: str


def _dose_unit(code: str) -> DoseUnit:
    amount, *rest = code.split("/")
    body = next((part for part in rest if part in _BODY_PINT), None)
    time = next((part for part in rest if part in _TIME_PINT), None)
    pint = " / ".join(
        [_AMOUNT_PINT[amount], *([_BODY_PINT[body]] if body else []), *([_TIME_PINT[time]] if time else [])]
    )
    return DoseUnit(code, amount, body, time, pint)


_AMOUNT_PINT = {
    "mg": "milligram",
    "g": "gram",
    "ug": "microgram",
    "ng": "nanogram",
    "mL": "milliliter",
    "%": "percent",
    "min": "minute",
    "h": "hour",
    "d": "day",
    "wk": "week",
    "mo": "month",
}
_BODY_PINT = {"kg": "body_kilogram", "m2": "body_square_meter", "mL": "milliliter"}
_TIME_PINT = {"d": "day", "wk": "week", "mo": "month", "min": "minute", "h": "hour"}

#: Every unit a dose, limit, strength or rate may have in the knowledge base.
DOSE_UNITS = {
    code: _dose_unit(code)
    for code in (
        *("mg", "g", "ug", "ng", "mL", "%", "min", "h", "d", "wk", "mo"),
        *("mg/d", "g/d", "ug/d", "mg/wk", "g/wk", "mg/mo", "g/mo"),
        *("mg/kg", "g/kg", "ug/kg", "mL/kg", "mg/kg/d", "g/kg/d", "mg/kg/wk", "mg/kg/mo"),
        *("mg/m2", "g/m2", "mg/m2/d", "mg/m2/wk"),
        *("ng/kg/min", "ng/min", "mL/kg/min", "mg/kg/min", "mL/h", "mg/mL", "ug/mL"),
    )
}


@dataclass(frozen=True, slots=True)
class OrderUnit:
    """A unit an order may be written in, taken apart: ``mg/kg/d`` is amount ``mg``, body ``kg``, time ``d``.

    ``milligrams`` is the factor of the amount to milligrams, ``None`` for what only a product gives a mass: pieces,
    vials, millilitres.
    """

    code: str
    amount: str
    body: str | None
    time: str | None
    milligrams: Decimal | None


#: How many milligrams each unit of mass is, and how many of each a milligram is; both exact.
MG_IN: Mapping[str, Decimal] = MappingProxyType(
    {"mg": Decimal(1), "g": Decimal(1000), "ug": Decimal("0.001"), "ng": Decimal("0.000001")}
)
PER_MG: Mapping[str, Decimal] = MappingProxyType(
    {"mg": Decimal(1), "g": Decimal("0.001"), "ug": Decimal(1000), "ng": Decimal(1000000)}
)
#: What is counted in products. ``{tablet}`` and its like are UCUM annotations.
PIECES = ("{tablet}", "{capsule}", "{vial}", "mL")
_BODIES = (None, "kg", "m2")
_TIMES = (None, "d", "wk", "mo", "h", "min")


def _order_units() -> dict[str, OrderUnit]:
    """Return every unit of an order by its code: masses, per body and per time, pieces, and strengths in percent."""
    shapes = [(mass, body, time) for mass in MG_IN for body in _BODIES for time in _TIMES]
    shapes += [(piece, None, time) for piece in PIECES for time in (None, "d")]
    shapes += [("%", None, None)]
    codes = {"/".join(part for part in shape if part): shape for shape in shapes}
    return {code: OrderUnit(code, *shape, MG_IN.get(shape[0])) for code, shape in codes.items()}


def _order_aliases(codes: Mapping[str, OrderUnit]) -> dict[str, str]:
    """Return other spellings that cannot be misread: mcg for ug, periods in full, pieces without braces."""
    words = {"d": "day", "wk": "week", "mo": "month", "h": "hour", "min": "minute"}
    found = {code.strip("{}"): code for code in PIECES if code.startswith("{")} | {"ml": "mL"}
    for code, unit in codes.items():
        period = f"/{words[unit.time]}" if unit.time else ""
        bare = code.removesuffix(f"/{unit.time}") if unit.time else code
        for amount in (bare, bare.replace("ug", "mcg")):
            found |= dict.fromkeys((amount + period, amount + code.removeprefix(bare)), code)
    return {alias: code for alias, code in found.items() if alias not in codes}


ORDER_UNITS = _order_units()
ORDER_ALIASES = _order_aliases(ORDER_UNITS)


def order_unit(code: str) -> OrderUnit:
    """Return the unit of an order.

    Raises:
        UnitRefused: the code is not in the closed list.
    """
    canonical = ORDER_ALIASES.get(code, code)
    if canonical not in ORDER_UNITS:
        raise UnitRefused(REFUSED.get(code, "not an accepted unit of an order"), tuple(ORDER_UNITS))
    return ORDER_UNITS[canonical]


_SPELLED = {"ug": "mcg", "ng": "nanograms", "mL/kg/min": "mL/kg/minute"}


@cache
def spelled(unit: str) -> str:
    """Return a unit as a prescriber reads it: ``mcg`` for ``ug``, nanograms and minutes in full, m² for ``m2``."""
    if unit in _SPELLED:
        return _SPELLED[unit]
    amount, _, rest = unit.partition("/")
    text = _SPELLED.get(amount, amount)
    if not rest:
        return text
    return (
        f"{text}/{rest}".replace("/min", "/minute")
        .replace("/m2", "/m²")
        .replace("/mo", "/month")
        .replace("/wk", "/week")
        .replace("/d", "/day")
    )


def times(left: Decimal, right: Decimal) -> Decimal:
    """Return the exact product.

    Raises:
        decimal.Inexact: the product has more than 60 digits, which the request bounds exclude.
    """
    return EXACT.multiply(left, right)


def added(values: Iterable[Decimal]) -> Decimal:
    """Return the exact sum."""
    return reduce(EXACT.add, values, Decimal(0))


def minus(left: Decimal, right: Decimal) -> Decimal:
    """Return the exact difference."""
    return EXACT.subtract(left, right)


def over(dividend: Decimal, divisor: Decimal) -> Decimal:
    """Return the quotient, exact where it terminates within 12 significant digits, else rounded half-even to 12."""
    return _QUOTIENT.divide(dividend, divisor)


def over_down(dividend: Decimal, divisor: Decimal) -> Decimal:
    """Return the quotient like :func:`over` but never above the true value: a maximum divided into parts stays a
    maximum.
    """
    return _QUOTIENT_DOWN.divide(dividend, divisor)


def from_mg(value: Decimal, unit: str) -> Decimal | None:
    """Return milligrams in another unit of mass, exactly; ``None`` where ``unit`` is none."""
    factor = PER_MG.get(unit)
    return None if factor is None else times(value, factor)


def in_mg(value: Decimal, unit: str) -> Decimal | None:
    """Return an amount of a mass in milligrams, exactly; ``None`` where ``unit`` is no mass."""
    factor = MG_IN.get(unit)
    return None if factor is None else times(value, factor)


def square_root(value: Decimal) -> Decimal:
    """Return the square root to 60 digits, for formulas that round it themselves."""
    return _WIDE.sqrt(value)


def plain(value: Decimal) -> Decimal:
    """Return the same number without trailing zeros and without an exponent, as it should be written."""
    return Decimal(exact_text(value))


def exact_text(value: Decimal) -> str:
    """Return the number in full, without trailing zeros or exponent, for the working."""
    return format(value.normalize(_WIDE), "f")


def display(value: Decimal) -> str:
    """Return the number for a reader: at most four significant figures, a leading zero, no trailing zeros, commas
    from 1,000 on.
    """
    return format(_DISPLAY.plus(value).normalize(_WIDE), ",f")


def display_range(low: Decimal, high: Decimal, unit: str) -> str:
    """Return ``50.8 to 101.6 mg``, or ``50 g`` where both ends are the same."""
    name = spelled(unit)
    return f"{display(low)} {name}" if low == high else f"{display(low)} to {display(high)} {name}"
