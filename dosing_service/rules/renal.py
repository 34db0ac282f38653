"""Renal function from serum creatinine. Creatinine clearance and estimated GFR are different quantities and never
mixed.
"""

from decimal import Decimal

from dosing_service.model import Age, Citations, Patient, Sex, Value
from dosing_service.units import over, times

COCKCROFT_GAULT = Citations(("cockcroft-gault-1976",), verified=True)
CKD_EPI_2021 = Citations(("ckd-epi-2021",), verified=True)
BEDSIDE_SCHWARTZ = Citations(("bedside-schwartz-2009",), verified=True)
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


def _is_adult(age: Age) -> bool:
    return age.years >= ADULT_YEARS
