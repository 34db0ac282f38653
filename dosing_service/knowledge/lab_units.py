"""Units of laboratory values and vital signs: a closed list, each with its dimension and exact factor to a base
unit.
"""

from decimal import Decimal

from dosing_service.knowledge.safety import Analyte
from dosing_service.units import over, times

#: Unit code -> dimension and factor to the base unit of that dimension (mg/dL, mmol/L, 10*3/uL, %, …).
LAB_UNITS: dict[str, tuple[str, Decimal]] = {
    "mg/dL": ("mass", Decimal(1)),
    "g/dL": ("mass", Decimal(1000)),
    "g/L": ("mass", Decimal(100)),
    "mg/L": ("mass", Decimal("0.1")),
    "ug/dL": ("mass", Decimal("0.001")),
    "ug/mL": ("mass", Decimal("0.1")),
    "ug/L": ("mass", Decimal("0.0001")),
    "ng/mL": ("mass", Decimal("0.0001")),
    "pg/mL": ("mass", Decimal("0.0000001")),
    "mmol/L": ("molar", Decimal(1)),
    "umol/L": ("molar", Decimal("0.001")),
    "nmol/L": ("molar", Decimal("0.000001")),
    "meq/L": ("equivalents", Decimal(1)),
    "10*3/uL": ("count", Decimal(1)),
    "10*9/L": ("count", Decimal(1)),
    "/uL": ("count", Decimal("0.001")),
    "%": ("percent", Decimal(1)),
    "U/L": ("activity", Decimal(1)),
    "[iU]/L": ("activity", Decimal(1)),
    "mm[Hg]": ("pressure", Decimal(1)),
    "/min": ("rate", Decimal(1)),
    "ms": ("duration", Decimal(1)),
    "s": ("seconds", Decimal(1)),
    "Cel": ("temperature", Decimal(1)),
    "mL/min": ("clearance", Decimal(1)),
    "mL/min/{1.73_m2}": ("indexed clearance", Decimal(1)),
    "{INR}": ("ratio", Decimal(1)),
    "1": ("ratio", Decimal(1)),
    "{ratio}": ("ratio", Decimal(1)),
    "mg/g": ("mass ratio", Decimal(1)),
    "mg/mmol": ("mass per amount", Decimal(1)),
    "mL": ("volume", Decimal(1)),
    "L": ("volume", Decimal(1000)),
    "cP": ("viscosity", Decimal(1)),
    "mm/h": ("sedimentation", Decimal(1)),
    "kg": ("body mass", Decimal(1)),
    "cm": ("length", Decimal(1)),
}
#: Spellings that laboratories send.
ALIASES = {
    "mcg/dL": "ug/dL",
    "mcg/L": "ug/L",
    "µmol/L": "umol/L",
    "μmol/L": "umol/L",
    "mEq/L": "meq/L",
    "K/uL": "10*3/uL",
    "10^9/L": "10*9/L",
    "10^3/uL": "10*3/uL",
    "mmHg": "mm[Hg]",
    "bpm": "/min",
    "IU/L": "[iU]/L",
    "mL/min/1.73m2": "mL/min/{1.73_m2}",
    "mL/min/1.73 m2": "mL/min/{1.73_m2}",
    "INR": "{INR}",
}
_DL_PER_L = Decimal(10)


def dimension(unit: str) -> str | None:
    """Return the dimension of a unit code, or ``None`` for a code outside the list."""
    known = LAB_UNITS.get(ALIASES.get(unit, unit))
    return known[0] if known else None


def in_base(value: Decimal, unit: str, analyte: Analyte) -> Decimal | None:
    """Return ``value`` in the base unit of the analyte, or ``None`` when its unit measures something else.

    Amount of substance becomes mass through the molar mass: mmol/L times g/mol is mg/L, a tenth of it mg/dL. What has
    no
    molar mass is never converted between the two.
    """
    known = LAB_UNITS.get(ALIASES.get(unit, unit))
    if known is None:
        return None
    kind, factor = known
    base = times(value, factor)
    wanted = {dimension(code_unit) for code_unit in analyte.units.values()}
    if kind == "molar" and analyte.molar_mass is not None:
        return over(times(base, analyte.molar_mass), _DL_PER_L)
    if kind == "equivalents" and "molar" in wanted and analyte.molar_mass is None:
        return base  # a monovalent ion: one millimole is one milliequivalent
    return base if kind in wanted else None
