"""Renal function from serum creatinine. Creatinine clearance and estimated GFR are different quantities and never
mixed.
"""

from decimal import Decimal

from dosing_service.model import Age, Citations, Patient, Sex, Value
from dosing_service.rules.population import AGE, CREATININE, EGFR, HEIGHT, SEX, WEIGHT
from dosing_service.units import over, times

COCKCROFT_GAULT = Citations(("cockcroft-gault-1976",), verified=True)
CKD_EPI_2021 = Citations(("ckd-epi-2021",), verified=True)
BEDSIDE_SCHWARTZ = Citations(("bedside-schwartz-2009",), verified=True)
_MEASURED = {"crcl": "patient.observations[2164-2]", "egfr": EGFR}
#: From here on the equations of adults hold.
ADULT_YEARS = Decimal(18)
#: The equation was made for children from one year on.
SCHWARTZ_FROM_YEARS = Decimal(1)


class Clearance(Value, frozen=True):
    """A creatinine clearance (mL/min) or an estimated GFR (mL/min/1.73 m²): the value, how it came about, from what."""

    value: Decimal
    method: str
    because: tuple[str, ...]
    citations: Citations


def creatinine_clearance(patient: Patient, creatinine_mg_dl: Decimal, source: str) -> Clearance | None:
    """Return the clearance in mL/min by Cockcroft and Gault, ``None`` without adult age, sex or weight.

    (140 - age) x kg / (72 x mg/dL), times 0.85 for women (``cockcroft-gault-1976``).
    """
    if patient.age is None or patient.weight is None or not _is_adult(patient.age):
        return None
    if patient.sex not in {Sex.FEMALE, Sex.MALE} or creatinine_mg_dl <= 0:
        return None
    value = over(times(140 - patient.age.years, patient.weight.kg), times(Decimal(72), creatinine_mg_dl))
    if patient.sex is Sex.FEMALE:
        value = times(value, Decimal("0.85"))
    return Clearance(
        value, "Cockcroft-Gault", (source, "patient.age", "patient.weight", "patient.sex"), COCKCROFT_GAULT
    )


def estimated_gfr(patient: Patient, creatinine_mg_dl: Decimal, source: str) -> Clearance | None:
    """Return the estimated GFR in mL/min/1.73 m²: CKD-EPI 2021 for adults, bedside Schwartz for children from 1
    year on.
    """
    if patient.age is None or creatinine_mg_dl <= 0:
        return None
    if _is_adult(patient.age):
        return _ckd_epi(patient.age, patient.sex, creatinine_mg_dl, source)
    if patient.height_cm is None or patient.age.years < SCHWARTZ_FROM_YEARS:
        return None
    value = over(times(Decimal("0.413"), patient.height_cm), creatinine_mg_dl)
    return Clearance(value, "bedside Schwartz", (source, "patient.age", "patient.height"), BEDSIDE_SCHWARTZ)


def _ckd_epi(age: Age, sex: Sex | None, creatinine_mg_dl: Decimal, source: str) -> Clearance | None:
    """Return 142 x min(Scr/k, 1)^a x max(Scr/k, 1)^-1.2 x 0.9938^age, times 1.012 for women (``ckd-epi-2021``)."""
    if sex not in {Sex.FEMALE, Sex.MALE}:
        return None
    kappa, alpha = (Decimal("0.7"), Decimal("-0.241")) if sex is Sex.FEMALE else (Decimal("0.9"), Decimal("-0.302"))
    ratio = creatinine_mg_dl / kappa
    value = Decimal(142) * min(ratio, Decimal(1)) ** alpha * max(ratio, Decimal(1)) ** Decimal("-1.2")
    value *= Decimal("0.9938") ** age.years
    if sex is Sex.FEMALE:
        value *= Decimal("1.012")
    return Clearance(over(value, Decimal(1)), "CKD-EPI 2021", (source, "patient.age", "patient.sex"), CKD_EPI_2021)


def inputs(kind: str, patient: Patient, *, has_creatinine: bool) -> tuple[str, ...]:
    """Return what a formula lacks; where no formula is for this patient, the measured value."""
    by_formula = _formula_inputs(kind, patient)
    given = {AGE: patient.age, SEX: patient.sex, WEIGHT: patient.weight, HEIGHT: patient.height_cm}
    missing = tuple(path for path in by_formula if not given[path])
    if by_formula and not has_creatinine:
        missing = (CREATININE, *missing)
    return missing or (_MEASURED[kind],)


def _formula_inputs(kind: str, patient: Patient) -> tuple[str, ...]:
    """Return the inputs beside creatinine of the formulas that may be this patient's; none, if none is."""
    years = patient.age.years if patient.age else None
    is_child = years is not None and years < ADULT_YEARS
    if kind == "egfr" and is_child:
        return () if years is not None and years < SCHWARTZ_FROM_YEARS else (AGE, HEIGHT)
    if is_child or patient.sex is Sex.OTHER:
        return ()
    if kind == "crcl":
        return (AGE, SEX, WEIGHT)
    return (AGE, SEX, HEIGHT) if years is None else (AGE, SEX)


def _is_adult(age: Age) -> bool:
    return age.years >= ADULT_YEARS
