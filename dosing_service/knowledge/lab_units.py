"""Units of laboratory values and vital signs: a closed list, each with its dimension and exact factor to a base
unit.
"""

import re
import unicodedata
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
    "ng/dL": ("mass", Decimal("0.000001")),
    "ng/L": ("mass", Decimal("0.0000001")),
    "pg/mL": ("mass", Decimal("0.0000001")),
    "mmol/L": ("molar", Decimal(1)),
    "umol/L": ("molar", Decimal("0.001")),
    "nmol/L": ("molar", Decimal("0.000001")),
    "meq/L": ("equivalents", Decimal(1)),
    "10*3/uL": ("count", Decimal(1)),
    "10*9/L": ("count", Decimal(1)),
    "10*6/L": ("count", Decimal("0.001")),
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
    "mg/mg": ("mass ratio", Decimal(1000)),
    "g/g": ("mass ratio", Decimal(1000)),
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
#: UCUM has two signs for the litre, two for the international unit and two for a power of ten, all of them legal, and
#: the cubic millimetre is a microlitre.
_LITRE = re.compile(r"(?<![A-Za-z])([dmu]?)l(?![A-Za-z])")
_SAME_IN_UCUM = (("[IU]", "[iU]"), ("10^", "10*"), ("/mm3", "/uL"))
#: What laboratories write for people, in lower case and without spaces, and what of it stands for what.
_AS_WRITTEN = (
    *(("\u03bc", "u"), ("mcg", "ug"), ("mcl", "ul"), ("cu.mm", "ul"), ("cumm", "ul"), ("cmm", "ul"), ("mm^3", "ul")),
    *(("mm3", "ul"), ("litre", "l"), ("liter", "l"), ("units/", "u/"), ("unit/", "u/"), ("cells/", "/")),
)
_POWER = r"x?10[*^e]*\+?\(?0?"
_COUNTS = (
    (re.compile(rf"(?:{_POWER}3\)?|k|th|tho|thou|thous|thousand|1000)/{{1,2}}ul"), "10*3/uL"),
    (re.compile(rf"(?:{_POWER}9\)?)/{{1,2}}l"), "10*9/L"),
    (re.compile(rf"(?:{_POWER}6\)?)/{{1,2}}l"), "10*6/L"),
    (re.compile(r"ml/min/[({]?1\.73[_.]?(?:m2|m\^2|sqm)?[)}]?(?:m2)?"), "mL/min/{1.73_m2}"),
)
_MOST_CHARACTERS = 40
#: Each code as it is when nobody minds capitals, and words for some.
_FOLDED = {
    **{code.lower(): code for code in LAB_UNITS},
    **{alias.lower(): code for alias, code in ALIASES.items()},
    "percent": "%",
    "beats/min": "/min",
    "mm/hr": "mm/h",
    "msec": "ms",
    "sec": "s",
    "\u00b0c": "Cel",
    "degc": "Cel",
}


def canonical(unit: str) -> str:
    """Return a unit code as this list has it: ``mg/dl`` and ``mg/dL`` are one code of UCUM. Others stay as they are."""
    if unit in LAB_UNITS:
        return unit
    if unit in ALIASES:
        return ALIASES[unit]
    code = unit
    for other, own in _SAME_IN_UCUM:
        code = code.replace(other, own)
    code = _LITRE.sub(r"\1L", code)
    return code if code in LAB_UNITS else unit


def spelled(text: str) -> str | None:
    """Return the code of a unit that is written for people (``x10E3/uL``, ``MG/DL``), or ``None`` where it is none.

    Capitals make no difference here: of what they could change, a gram and a giga, only one fits the analyte.
    """
    code = canonical(text)
    if code in LAB_UNITS:
        return code
    folded = "".join(unicodedata.normalize("NFKC", text[:_MOST_CHARACTERS]).lower().split())
    for other, own in _AS_WRITTEN:
        folded = folded.replace(other, own)
    counted = next((code for pattern, code in _COUNTS if pattern.fullmatch(folded)), None)
    return counted or _FOLDED.get(folded)


def dimension(unit: str) -> str | None:
    """Return the dimension of a unit code, or ``None`` for a code outside the list."""
    known = LAB_UNITS.get(canonical(unit))
    return known[0] if known else None


def in_base(value: Decimal, unit: str, analyte: Analyte) -> Decimal | None:
    """Return ``value`` in the base unit of the analyte, or ``None`` when its unit measures something else.

    Amount of substance becomes mass through the molar mass: mmol/L times g/mol is mg/L, a tenth of it mg/dL. What has
    no
    molar mass is never converted between the two.
    """
    known = LAB_UNITS.get(canonical(unit))
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
