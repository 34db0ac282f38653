"""Which weights, heights and body mass indexes are usual and plausible at an age, and which slips of the pen would
explain one that is not.

Below 20 years the published cut-offs for biologically implausible values are used (``cdc-biv-cutoffs``), from 20 years
on those of a cohort of adults (``chan-raffa-2017``). Where the sex is unknown, the limits of both hold.
"""

from decimal import Decimal
from enum import StrEnum
from functools import cache, lru_cache

from msgspec import structs

from dosing_service.knowledge.growth import GrowthPoint, GrowthReference, Measure
from dosing_service.model import Citations, Patient, Sex, Value, Weight
from dosing_service.rules.body import body_mass_index
from dosing_service.units import display, over, times

#: The tables end here; their last age serves as orientation for adults.
ADULT_YEARS = Decimal(20)
_LAST_MONTH = Decimal(240)
#: The reference was made from children born at term, and how early a newborn came is not part of a request. Until the
#: 28th day nothing above the floor of a request (0.2 kg, 20 cm) is therefore called implausibly small.
_NEWBORN_DAYS = Decimal(28)
_NOTHING = Decimal(0)
_BOTH = (Sex.FEMALE, Sex.MALE)

GROWTH = Citations(("cdc-growth-2000",), verified=True)
CUTOFFS = Citations(("cdc-growth-2000", "cdc-biv-cutoffs"), verified=True)
_ADULT = Citations(("chan-raffa-2017", "cdc-growth-2000", "cdc-biv-cutoffs"), verified=True)
_UNSOURCED = Citations(("unsourced",), verified=False)

#: The pound in kilograms and the inch in centimetres, by definition (``ucum``).
_KG_PER_POUND = Decimal("0.45359237")
_CM_PER_INCH = Decimal("2.54")
_TEN = Decimal(10)


class Grade(StrEnum):
    """How a measure compares with others of the same age."""

    USUAL = "usual"
    UNUSUAL = "unusual"
    IMPLAUSIBLE = "implausible"


class Limits(Value, frozen=True):
    """``low`` to ``high`` is usual, ``least`` to ``most`` still plausible; who says so."""

    least: Decimal
    low: Decimal
    high: Decimal
    most: Decimal
    citations: Citations

    def grade(self, value: Decimal) -> Grade:
        """Return whether ``value``, in the unit of the limits, is usual, unusual or implausible."""
        if self.low <= value <= self.high:
            return Grade.USUAL
        return Grade.UNUSUAL if self.least <= value <= self.most else Grade.IMPLAUSIBLE


class WeightSlip(Value, frozen=True):
    """A weight that would be usual if the one that was sent is a slip: ``factor`` says which slip."""

    kg: Decimal
    factor: str


class _Cuts(Value, frozen=True):
    """Modified z-scores at which a measure stops being plausible (outer) and usual (inner)."""

    least: Decimal
    low: Decimal
    high: Decimal
    most: Decimal


def _cuts(least: int, low: int, high: int, most: int) -> _Cuts:
    return _Cuts(Decimal(least), Decimal(low), Decimal(high), Decimal(most))


#: The outer pairs are the published cut-offs. The inner ones are ours: one unit inside at the lower end, and at the
#: upper end so far inside that the heaviest and tallest few of a thousand children get one minor finding.
_CHILD = {
    Measure.WEIGHT: _cuts(-5, -4, 5, 8),
    Measure.HEIGHT: _cuts(-5, -4, 3, 4),
    Measure.BODY_MASS_INDEX: _cuts(-4, -3, 5, 8),
}
#: For adults the published cut-offs of the last age are where "usual" ends; below, weight keeps the child's inner one,
#: since the adult limit of 22.7 kg lies so close.
_ADULT_USUAL = {
    Measure.WEIGHT: (Decimal(-4), Decimal(8)),
    Measure.HEIGHT: (Decimal(-5), Decimal(4)),
    Measure.BODY_MASS_INDEX: (Decimal(-4), Decimal(8)),
}
#: 22.7 to 340.2 kg and a body mass index of 10 to 100 are those of the cohort. No source was found for the height of
#: adults: 100 to 250 cm is ours, below almost every adult of short stature and above all but a handful of people ever.
_ADULT_PLAUSIBLE = {
    Measure.WEIGHT: (Decimal("22.7"), Decimal("340.2"), _ADULT),
    Measure.HEIGHT: (Decimal(100), Decimal(250), _UNSOURCED),
    Measure.BODY_MASS_INDEX: (Decimal(10), Decimal(100), _ADULT),
}


def limits(measure: Measure, patient: Patient, growth: GrowthReference) -> Limits | None:
    """Return the limits of a measure (kg, cm, kg/m²) for the patient's age and sex, of any age where it is unknown.

    ``None`` for a body mass index below 2 years or without an age, where the reference says nothing.
    """
    if patient.age is None:
        return None if measure is Measure.BODY_MASS_INDEX else _at_any_age(measure, growth)
    if patient.age.years >= ADULT_YEARS:
        return _of_adults(measure, patient.sex, growth)
    found = _of_children(measure, patient.age.months, patient.sex, growth)
    if found is None or patient.age.days >= _NEWBORN_DAYS:
        return found
    return structs.replace(found, least=_NOTHING)


def points(measure: Measure, sex: Sex | None, months: Decimal, growth: GrowthReference) -> list[GrowthPoint]:
    """Return the points of the patient's sex, or of both where it is unknown, at an age in months."""
    sexes = (sex,) if sex is Sex.FEMALE or sex is Sex.MALE else _BOTH
    found = (growth.at(measure, one, months) for one in sexes)
    return [point for point in found if point is not None]


#: One request asks several times for the same age and sex, and there are some 7,000 days of childhood.
@lru_cache(maxsize=8192)
def _of_children(measure: Measure, months: Decimal, sex: Sex | None, growth: GrowthReference) -> Limits | None:
    at_age, cuts = points(measure, sex, months, growth), _CHILD[measure]
    if not at_age:
        return None
    return Limits(
        least=min(point.at(cuts.least) for point in at_age),
        low=min(point.at(cuts.low) for point in at_age),
        high=max(point.at(cuts.high) for point in at_age),
        most=max(point.at(cuts.most) for point in at_age),
        citations=CUTOFFS,
    )


@cache
def _of_adults(measure: Measure, sex: Sex | None, growth: GrowthReference) -> Limits:
    least, most, citations = _ADULT_PLAUSIBLE[measure]
    at_age, (low, high) = points(measure, sex, _LAST_MONTH, growth), _ADULT_USUAL[measure]
    return Limits(
        least=least,
        low=min(point.at(low) for point in at_age),
        high=max(point.at(high) for point in at_age),
        most=most,
        citations=citations,
    )


@cache
def _at_any_age(measure: Measure, growth: GrowthReference) -> Limits:
    """Return limits that hold for everyone from a newborn to an adult."""
    newborn = min(point.at(_CHILD[measure].low) for point in points(measure, None, _NOTHING, growth))
    adult = _of_adults(measure, None, growth)
    return Limits(_NOTHING, newborn, adult.high, adult.most, adult.citations)


# ---------------------------------------------------------------- slips of the pen


def weight_slips(patient: Patient, growth: GrowthReference) -> tuple[WeightSlip, ...]:
    """Return the weights (kg) that would be usual if the patient's weight is a slip; none where it is usual itself.

    Looked at are a decimal point that moved, pounds and kilograms mistaken for each other, and height and weight
    exchanged.
    """
    weight = patient.weight
    limits_ = limits(Measure.WEIGHT, patient, growth) if weight else None
    if weight is None or limits_ is None or limits_.grade(weight.kg) is Grade.USUAL:
        return ()
    usual = tuple([slip for slip in _corrected(weight.kg) if limits_.grade(slip.kg) is Grade.USUAL])
    if patient.height_cm is None or not are_exchanged(patient, growth):
        return usual
    return (WeightSlip(patient.height_cm, "height and weight exchanged"), *usual)


def _corrected(kg: Decimal) -> tuple[WeightSlip, ...]:
    return (
        WeightSlip(over(kg, _TEN), "a tenth"),
        WeightSlip(times(kg, _TEN), "ten times as much"),
        WeightSlip(times(kg, _KG_PER_POUND), "if pounds were taken for kilograms"),
        WeightSlip(over(kg, _KG_PER_POUND), "if kilograms were taken for pounds"),
    )


def depends_on_sex(patient: Patient, growth: GrowthReference) -> bool:
    """Tell whether a measure of a patient without a known sex is outside the limits of one sex."""
    lenient = grades(patient, growth)
    return any(grades(structs.replace(patient, sex=sex), growth) != lenient for sex in _BOTH)


def explaining_body_mass_index(patient: Patient, growth: GrowthReference) -> list[str]:
    """Return the usual weights and heights that would make a body mass index usual which is not, each with its slip."""
    weight, cm = patient.weight, patient.height_cm
    assert weight is not None  # noqa: S101 - there was an index
    assert cm is not None  # noqa: S101 - as above
    others = [
        (f"{display(slip.kg)} kg ({slip.factor})", Weight(slip.kg, slip.kg, "kg"), cm) for slip in _corrected(weight.kg)
    ]
    inches = times(cm, _CM_PER_INCH)
    others.append((f"{display(inches)} cm (if inches were taken for centimetres)", weight, inches))
    return [words for words, kg, height in others if _is_usual(patient, kg, height, growth)]


def _is_usual(patient: Patient, weight: Weight, height_cm: Decimal, growth: GrowthReference) -> bool:
    other = structs.replace(patient, weight=weight, height_cm=height_cm)
    return set(grades(other, growth).values()) == {Grade.USUAL}


def are_exchanged(patient: Patient, growth: GrowthReference) -> bool:
    """Tell whether height and weight are implausible as they were sent and usual the other way round."""
    weight, cm = patient.weight, patient.height_cm
    if weight is None or cm is None or Grade.IMPLAUSIBLE not in grades(patient, growth).values():
        return False
    return _is_usual(patient, Weight(cm, cm, "kg"), weight.kg, growth)


def grades(patient: Patient, growth: GrowthReference) -> dict[Measure, Grade]:
    """Return how each measure that is known compares with its limits, where there are any."""
    known = {
        Measure.WEIGHT: patient.weight.kg if patient.weight else None,
        Measure.HEIGHT: patient.height_cm,
        Measure.BODY_MASS_INDEX: body_mass_index(patient),
    }
    found = {}
    for measure, value in known.items():
        limits_ = limits(measure, patient, growth) if value is not None else None
        if value is not None and limits_ is not None:
            found[measure] = limits_.grade(value)
    return found


def from_inches(inches: Decimal, patient: Patient, growth: GrowthReference) -> Decimal | None:
    """Return a height in cm if it is usual for the patient, where inches were taken for centimetres."""
    cm, limits_ = times(inches, _CM_PER_INCH), limits(Measure.HEIGHT, patient, growth)
    return cm if limits_ is not None and limits_.grade(cm) is Grade.USUAL else None
