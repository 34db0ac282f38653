"""Whether a regimen is documented for this patient: yes, no or unknown, and which field would settle it."""

from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from dosing_service.knowledge.base import Regimen
from dosing_service.knowledge.ranges import Range
from dosing_service.model import Age, Basis, Patient, Value

if TYPE_CHECKING:
    from dosing_service.rules.facts import Facts


class Answer(StrEnum):
    """Three values: unknown is not no."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Applicability(Value, frozen=True):
    """The answer, the inputs that decided it or are missing (as paths into the request)."""

    answer: Answer
    because: tuple[str, ...] = ()


APPLIES = Applicability(Answer.YES)
AGE = "patient.age"
WEIGHT = "patient.weight"
HEIGHT = "patient.height"
SEX = "patient.sex"
CREATININE = "patient.observations[2160-0]"
EGFR = "patient.observations[98979-8]"

_DAYS = {"d": Decimal(1), "wk": Decimal(7)}


def in_age_range(range_: Range | None, age: Age | None) -> Answer:
    """Return whether an age lies in a range written in years, months, weeks or days."""
    if range_ is None:
        return Answer.YES
    if age is None:
        return Answer.UNKNOWN
    return Answer.YES if range_.contains(_age_in(range_.unit, age)) else Answer.NO


def _age_in(unit: str, age: Age) -> Decimal:
    if unit == "a":
        return age.years
    return age.months if unit == "mo" else age.days / _DAYS[unit]


def in_range(range_: Range | None, value: Decimal | None) -> Answer:
    """Return whether ``value``, in the unit of the range, lies in it."""
    if range_ is None:
        return Answer.YES
    if value is None:
        return Answer.UNKNOWN
    return Answer.YES if range_.contains(value) else Answer.NO


def applicability(regimen: Regimen, patient: Patient, facts: "Facts | None" = None) -> Applicability:
    """Return whether ``regimen`` is documented for ``patient``: its population, and the ages or weights its bands
    cover. Without ``facts`` no result of the laboratory is known.
    """
    kg = patient.weight.kg if patient.weight else None
    gates = []
    if regimen.ages is not None:
        gates.append((AGE, in_age_range(regimen.ages, patient.age)))
    if regimen.weights is not None:
        gates.append((WEIGHT, in_range(regimen.weights, kg)))
    if regimen.basis is Basis.AGE_BAND:
        gates.append((AGE, _covered([in_age_range(band.range, patient.age) for band in regimen.bands])))
    elif regimen.basis is Basis.WEIGHT_BAND:
        gates.append((WEIGHT, _covered([in_range(band.range, kg) for band in regimen.bands])))
    if regimen.egfr is not None:
        gates += _renal_gates(regimen.egfr, facts)
    for wanted in (Answer.NO, Answer.UNKNOWN):
        because = [path for path, answer in gates if answer is wanted]
        if because:
            return Applicability(wanted, tuple(dict.fromkeys(because)))
    return APPLIES


def _renal_gates(egfr: Range, facts: "Facts | None") -> list[tuple[str, Answer]]:
    """Return each input of the estimated GFR with whether it lies in the range (mL/min/1.73 m²), or what it lacks."""
    if facts is None:
        return [(EGFR, Answer.UNKNOWN)]
    found = facts.clearance("egfr")
    if found is None:
        return [(path, Answer.UNKNOWN) for path in facts.clearance_needs("egfr")]
    return [(path, in_range(egfr, found.value)) for path in found.because]


def _covered(answers: list[Answer]) -> Answer:
    return next((answer for answer in (Answer.YES, Answer.UNKNOWN) if answer in answers), Answer.NO)
