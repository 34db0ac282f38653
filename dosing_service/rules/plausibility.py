"""Whether the size of the patient can be right: weight, height and body mass index for the age, the age of the weight
itself, and a jump against an earlier weight.

What no person can have is refused when the request is read; here are values that a person can have and that are, more
often, a slip.
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from dosing_service.knowledge.growth import GrowthReference, Measure
from dosing_service.model import (
    Age,
    Category,
    Citations,
    Finding,
    NotChecked,
    Patient,
    Severity,
    Value,
    Verdict,
    Weight,
)
from dosing_service.rules import size
from dosing_service.rules.body import body_mass_index
from dosing_service.rules.population import AGE, HEIGHT, SEX, WEIGHT
from dosing_service.rules.size import Grade, Limits, weight_slips
from dosing_service.units import display, over, times

_MEASURED_ON = "patient.weight.measured_on"
_PREVIOUS = "patient.previous_weight"
_PREVIOUS_ON = "patient.previous_weight.measured_on"

_NAMES = {Measure.WEIGHT: "weight", Measure.HEIGHT: "height", Measure.BODY_MASS_INDEX: "body mass index"}
_SEVERITY = {Grade.UNUSUAL: Severity.MINOR, Grade.IMPLAUSIBLE: Severity.MAJOR}
_INFANT_YEARS = Decimal(1)
_DAYS_PER_MONTH = Decimal("30.4375")

#: No source sets a limit, so these are ours. A weight is stale once the median of the age has grown by a tenth since:
#: a dose per kg is then a tenth too low. Adults grow no more, but a year is long in the diseases treated here.
_STALE_GROWTH = Decimal("1.1")
_STALE_DAYS = 365
_POLICY = Citations(("unsourced",), verified=False)
#: A change beyond growth of a fifth for each year begun, and of half at most, is followed up; ours as well. It leaves
#: room for steroids, oedema and illness.
_CHANGE_PER_YEAR = Decimal("0.2")
_MOST_CHANGE = Decimal("0.5")
#: Pounds in a kilogram, and a moved decimal point; a real change comes on top of the slip, so a tenth either way is
#: allowed for.
_POUNDS = Decimal("2.20462")
_TEN = Decimal(10)
_NEAR = Decimal("0.1")
_NONE, _ONE, _HUNDRED = Decimal(0), Decimal(1), Decimal(100)

_NO_AGE = NotChecked(
    "size-for-age",
    (AGE,),
    "whether weight and height are plausible depends on the age; only limits that hold for any age were compared",
)
_NO_SEX = NotChecked(
    "size-for-age",
    (SEX,),
    "weight or height is outside the limits of one sex; without the sex, those of both were allowed",
)
_NO_DAY = NotChecked(
    "weight-date", (_MEASURED_ON,), "how old the weight is was not said; a weight from long ago gives a wrong dose"
)
_NO_AGE_OF_WEIGHT = NotChecked("weight-date", (AGE,), "how fast a weight goes out of date depends on the age")
_NO_AS_OF = NotChecked(
    "weight-date", ("as_of",), "how old the weight is depends on the day for which the dose is meant"
)
_NO_JUMP = {
    WEIGHT: NotChecked("weight-jump", (WEIGHT,), "an earlier weight was sent and none to compare it with"),
    _PREVIOUS_ON: NotChecked(
        "weight-jump", (_PREVIOUS_ON,), "what growth explains depends on the days between the two weights"
    ),
    AGE: NotChecked("weight-jump", (AGE,), "what growth explains depends on the age"),
}


def found(patient: Patient, as_of: date | None, growth: GrowthReference) -> list[Finding]:
    """Return what is unusual, implausible, stale or changed too fast about the patient's weight and height."""
    if patient.weight is None and patient.height_cm is None:
        return []
    of_weight = (_stale(patient, as_of, growth), _jump(patient, as_of, growth))
    return [*_of_size(patient, growth), *(item for item in of_weight if item is not None)]


def unchecked(patient: Patient, as_of: date | None, growth: GrowthReference) -> list[NotChecked]:
    """Return the checks of weight and height that lack an input, with the field that would settle each."""
    items = [*_size_unchecked(patient, growth), *_date_unchecked(patient, as_of)]
    missing = _missing_for_jump(patient)
    return [*items, _NO_JUMP[missing]] if missing else items


def _date_unchecked(patient: Patient, as_of: date | None) -> Iterator[NotChecked]:
    weight = patient.weight
    if weight is None:
        return
    if weight.measured_on is None:
        yield _NO_DAY
    elif as_of is None:
        yield _NO_AS_OF
    elif patient.age is None and (as_of - weight.measured_on).days <= _STALE_DAYS:
        yield _NO_AGE_OF_WEIGHT


def _size_unchecked(patient: Patient, growth: GrowthReference) -> Iterator[NotChecked]:
    if patient.weight is None and patient.height_cm is None:
        return
    if patient.age is None:
        yield _NO_AGE
    elif patient.sex is None and size.depends_on_sex(patient, growth):
        yield _NO_SEX


# ---------------------------------------------------------------- weight, height and body mass index for age


def _of_size(patient: Patient, growth: GrowthReference) -> Iterator[Finding]:
    odd = {measure: grade for measure, grade in size.grades(patient, growth).items() if grade is not Grade.USUAL}
    if not odd:
        return
    if size.are_exchanged(patient, growth):
        yield _exchanged(patient)
        return
    if Measure.WEIGHT in odd:
        yield _weight(patient, odd[Measure.WEIGHT], growth)
    if Measure.HEIGHT in odd:
        yield _height(patient, odd[Measure.HEIGHT], growth)
    if set(odd) == {Measure.BODY_MASS_INDEX}:
        yield _body_mass_index(patient, odd[Measure.BODY_MASS_INDEX], growth)


class _Odd(Value, frozen=True):
    """A measure that is not usual: the value and its unit, how odd it is, and the slips that would explain it."""

    measure: Measure
    value: Decimal
    unit: str
    grade: Grade
    slips: tuple[str, ...]
    because: tuple[str, ...]


def _weight(patient: Patient, grade: Grade, growth: GrowthReference) -> Finding:
    assert patient.weight is not None  # noqa: S101 - it was graded
    slips = tuple([f"{display(slip.kg)} kg ({slip.factor})" for slip in weight_slips(patient, growth)])
    return _finding(_Odd(Measure.WEIGHT, patient.weight.kg, "kg", grade, slips, (WEIGHT,)), patient, growth)


def _height(patient: Patient, grade: Grade, growth: GrowthReference) -> Finding:
    assert patient.height_cm is not None  # noqa: S101 - it was graded
    cm = size.from_inches(patient.height_cm, patient, growth)
    slips = (f"{display(cm)} cm (if inches were taken for centimetres)",) if cm else ()
    return _finding(_Odd(Measure.HEIGHT, patient.height_cm, "cm", grade, slips, (HEIGHT,)), patient, growth)


def _body_mass_index(patient: Patient, grade: Grade, growth: GrowthReference) -> Finding:
    value = body_mass_index(patient)
    assert value is not None  # noqa: S101 - it was graded
    slips = tuple(size.explaining_body_mass_index(patient, growth))
    odd = _Odd(Measure.BODY_MASS_INDEX, value, "kg/m²", grade, slips, (WEIGHT, HEIGHT))
    return _finding(odd, patient, growth)


def _finding(odd: _Odd, patient: Patient, growth: GrowthReference) -> Finding:
    limits = size.limits(odd.measure, patient, growth)
    assert limits is not None  # noqa: S101 - the measure was graded by them
    return Finding(
        id=f"{_NAMES[odd.measure].replace(' ', '-')}-{odd.grade.value}",
        category=Category.PLAUSIBILITY,
        severity=_SEVERITY[odd.grade],
        verdict=Verdict.APPLIES,
        summary=_summary(odd, limits, patient.age),
        because=(*odd.because, AGE) if patient.age is not None else odd.because,
        management=_management(odd, limits, patient.age),
        references=limits.citations.references,
        verified=limits.citations.verified,
    )


def _summary(odd: _Odd, limits: Limits, age: Age | None) -> str:
    name = f"a {_NAMES[odd.measure]} of " if odd.measure is Measure.BODY_MASS_INDEX else ""
    said = f"{name}{display(odd.value)} {odd.unit} is {odd.grade.value} {_at_age(age)}"
    within = (limits.least, limits.most) if odd.grade is Grade.IMPLAUSIBLE else (limits.low, limits.high)
    bounds = f"{display(within[0])} to {display(within[1])}" if within[0] else f"up to {display(within[1])}"
    word = "plausible" if odd.grade is Grade.IMPLAUSIBLE else "usual"
    return f"{said[0].upper()}{said[1:]} ({word}: {bounds} {odd.unit}){_explained(odd)}."


def _explained(odd: _Odd) -> str:
    if not odd.slips:
        return ""
    corrected = " or ".join(odd.slips)
    if odd.measure is Measure.BODY_MASS_INDEX:
        return f"; with {corrected} it would be plausible"
    return f"; {corrected} would be plausible"


def _management(odd: _Odd, limits: Limits, age: Age | None) -> str:
    text = f"Check the {_NAMES[odd.measure]} and its unit before using a dose that is counted on it."
    if age is not None and age.years < _INFANT_YEARS and odd.value < limits.low:
        return f"{text} An infant who was born early can be smaller than this reference allows."
    return text


def _at_age(age: Age | None) -> str:
    if age is None:
        return "at any age"
    if age.years >= size.ADULT_YEARS:
        return "for an adult"
    if age.years >= 2:
        return f"at {int(age.years)} years"
    months = int(age.months)
    return f"at {months} months" if months >= 2 else f"at {int(age.days)} days"


def _exchanged(patient: Patient) -> Finding:
    return Finding(
        id="height-and-weight-exchanged",
        category=Category.PLAUSIBILITY,
        severity=Severity.MAJOR,
        verdict=Verdict.APPLIES,
        summary="Height and weight are implausible as they were sent and usual the other way round.",
        because=(WEIGHT, HEIGHT, AGE) if patient.age is not None else (WEIGHT, HEIGHT),
        management="Check both numbers before using a dose that is counted on them.",
        references=size.CUTOFFS.references,
        verified=size.CUTOFFS.verified,
    )


# ---------------------------------------------------------------- the age of the weight, and a jump against an earlier


def _stale(patient: Patient, as_of: date | None, growth: GrowthReference) -> Finding | None:
    weight = patient.weight
    if weight is None or weight.measured_on is None or as_of is None:
        return None
    days = (as_of - weight.measured_on).days
    grown = _grown(patient, growth, days, 0) if patient.age is not None else _ONE
    if days <= _STALE_DAYS and grown <= _STALE_GROWTH:
        return None
    since = f"; the median weight for the age has risen by {_percent(grown)} % since" if grown > _STALE_GROWTH else ""
    citations = size.GROWTH if since else _POLICY
    return Finding(
        id="weight-stale",
        category=Category.PLAUSIBILITY,
        severity=Severity.MODERATE,
        verdict=Verdict.APPLIES,
        summary=f"The weight is {days} days old{since}.",
        because=(_MEASURED_ON, AGE) if since else (_MEASURED_ON,),
        management="Weigh again before using a dose that is counted on the weight.",
        references=citations.references,
        verified=citations.verified,
    )


def _jump(patient: Patient, as_of: date | None, growth: GrowthReference) -> Finding | None:
    weight, earlier = patient.weight, patient.previous_weight
    if weight is None or earlier is None or as_of is None or _missing_for_jump(patient):
        return None
    now, then = _days_ago(weight, as_of), _days_ago(earlier, as_of)
    expected = times(earlier.kg, _grown(patient, growth, then, now))
    ratio = over(max(weight.kg, expected), min(weight.kg, expected))
    if ratio <= _allowed(abs(then - now)):
        return None
    slip = _slip(ratio)
    went = f"from {display(earlier.kg)} kg to {display(weight.kg)} kg within {abs(then - now)} days"
    return Finding(
        id="weight-jump",
        category=Category.PLAUSIBILITY,
        severity=Severity.MAJOR if slip else Severity.MODERATE,
        verdict=Verdict.APPLIES,
        summary=f"The weight went {went}; growth would explain {display(expected)} kg{slip}.",
        because=(WEIGHT, _PREVIOUS, AGE),
        management="Check both weights and their units before using a dose that is counted on the weight.",
        references=size.GROWTH.references,
        verified=size.GROWTH.verified,
    )


def _allowed(days: int) -> Decimal:
    """Return how many times the expected weight a weight may be after so many days."""
    return _ONE + min(times(_CHANGE_PER_YEAR, Decimal(days // _STALE_DAYS + 1)), _MOST_CHANGE)


def _slip(ratio: Decimal) -> str:
    if abs(over(ratio, _POUNDS) - _ONE) <= _NEAR:
        return ", and the factor between is that of pounds and kilograms"
    if abs(over(ratio, _TEN) - _ONE) <= _NEAR:
        return ", and the factor between is ten, as if a decimal point had moved"
    return ""


def _missing_for_jump(patient: Patient) -> str | None:
    """Return the field without which two weights cannot be compared, or ``None`` where nothing is missing."""
    if patient.previous_weight is None:
        return None
    if patient.weight is None:
        return WEIGHT
    if patient.previous_weight.measured_on is None:
        return _PREVIOUS_ON
    return AGE if patient.age is None else None


def _days_ago(weight: Weight, as_of: date) -> int:
    """Return how many days before ``as_of`` a weight was taken; one without a day counts as today's."""
    return (as_of - weight.measured_on).days if weight.measured_on is not None else 0


def _grown(patient: Patient, growth: GrowthReference, then: int, now: int) -> Decimal:
    """Return the factor by which the median weight rose from ``then`` to ``now`` (days ago)."""
    assert patient.age is not None  # noqa: S101 - the caller looked
    medians = []
    for days in (then, now):
        months = max(patient.age.months - over(Decimal(days), _DAYS_PER_MONTH), _NONE)
        medians.append([point.median for point in size.points(Measure.WEIGHT, patient.sex, months, growth)])
    return max(over(later, earlier) for earlier, later in zip(*medians, strict=True))


def _percent(factor: Decimal) -> str:
    return display((times(factor - _ONE, _HUNDRED)).quantize(_ONE))
