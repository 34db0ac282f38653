"""What must hold for every body: formulas rise, units do not matter, and worse is never called better."""

from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dosing_service.knowledge import load
from dosing_service.model import Finding, Patient, SurfaceAreaFormula
from dosing_service.rules import body, plausibility, size
from dosing_service.rules.size import Grade
from schemas.reading import dose_request

_KNOWLEDGE = load()
_GROWTH = _KNOWLEDGE.growth
_TODAY = date(2026, 11, 21)
_POUND = Decimal("0.45359237")
_INCH = Decimal("2.54")
_RANK = list(Grade)

#: The same examples in every run: a property that fails must fail for everyone.
bounded = settings(max_examples=300, deadline=None, derandomize=True)
ages = st.decimals("0.01", "95", places=2)
pounds = st.decimals("1", "1500", places=1)
kilograms = st.decimals("0.2", "1000", places=1)
inches = st.decimals("10", "100", places=1)
sexes = st.sampled_from(["female", "male", "other", None])
formulas = st.sampled_from(SurfaceAreaFormula)


def _patient(age: Decimal | None, sex: str | None, weight: tuple[Decimal, str], height: tuple[Decimal, str]) -> Patient:
    patient: dict[str, Any] = {
        "weight": {"value": weight[0], "unit": weight[1]},
        "height": {"value": height[0], "unit": height[1]},
    }
    if age is not None:
        patient["age"] = {"value": age, "unit": "a"}
    if sex is not None:
        patient["sex"] = sex
    return dose_request({"agent": "diltiazem", "patient": patient}).patient


def _found(patient: Patient) -> list[Finding]:
    return plausibility.found(patient, _TODAY, _GROWTH)


@bounded
@given(formulas, kilograms, inches, st.decimals("0.1", "200", places=1))
def test_a_larger_body_has_a_larger_surface(
    formula: SurfaceAreaFormula, kg: Decimal, inch: Decimal, more: Decimal
) -> None:
    """Every formula rises with the weight and with the height, and gives an area above nothing."""
    cm = inch * _INCH
    area = body.surface_area(cm, kg, formula)
    assert 0 < area <= body.surface_area(cm, kg + more, formula)
    assert area <= body.surface_area(cm + more, kg, formula)


@bounded
@given(st.one_of(ages, st.none()), sexes, pounds, inches)
def test_units_do_not_matter(age: Decimal | None, sex: str | None, lb: Decimal, inch: Decimal) -> None:
    """The same body in pounds and inches and in kilograms and centimetres has the same findings and measures."""
    imperial = _patient(age, sex, (lb, "[lb_av]"), (inch, "[in_i]"))
    metric = _patient(age, sex, (lb * _POUND, "kg"), (inch * _INCH, "cm"))
    assert _found(metric) == _found(imperial)
    assert body.measures(metric) == body.measures(imperial)


@bounded
@given(ages, sexes, kilograms, st.decimals("0", "300", places=1))
def test_farther_from_usual_is_never_graded_better(age: Decimal, sex: str | None, kg: Decimal, more: Decimal) -> None:
    """Above the usual weights more weight is never more usual, and below them less."""
    limits = size.limits(size.Measure.WEIGHT, _patient(age, sex, (kg, "kg"), (Decimal(100), "cm")), _GROWTH)
    assert limits is not None
    assert limits.least < limits.low < limits.high < limits.most
    nearer, farther = (limits.high + kg, limits.high + kg + more)
    assert _RANK.index(limits.grade(nearer)) <= _RANK.index(limits.grade(farther))
    assert _RANK.index(limits.grade(limits.low - kg)) <= _RANK.index(limits.grade(limits.low - kg - more))


@bounded
@given(ages, st.sampled_from(["female", "male"]), kilograms, inches)
def test_an_unknown_sex_is_never_stricter(age: Decimal, sex: str, kg: Decimal, inch: Decimal) -> None:
    """Without the sex nothing is found that is not found for one of the sexes, and what depends on it is named."""
    known = _patient(age, sex, (kg, "kg"), (inch, "[in_i]"))
    unknown = _patient(age, None, (kg, "kg"), (inch, "[in_i]"))
    strict, lenient = size.grades(known, _GROWTH), size.grades(unknown, _GROWTH)
    assert all(_RANK.index(lenient[measure]) <= _RANK.index(strict[measure]) for measure in strict)
    if strict != lenient:
        needed = {path for item in plausibility.unchecked(unknown, _TODAY, _GROWTH) for path in item.needs}
        assert "patient.sex" in needed


@bounded
@given(st.one_of(ages, st.none()), sexes, kilograms, inches)
def test_a_slip_is_named_for_an_odd_weight_alone_and_is_usual(
    age: Decimal | None, sex: str | None, kg: Decimal, inch: Decimal
) -> None:
    """A usual weight has no slip; every weight that is named as the right one is usual itself."""
    patient = _patient(age, sex, (kg, "kg"), (inch, "[in_i]"))
    limits = size.limits(size.Measure.WEIGHT, patient, _GROWTH)
    assert limits is not None
    assert patient.weight is not None
    slips = size.weight_slips(patient, _GROWTH)
    assert not slips or limits.grade(patient.weight.kg) is not Grade.USUAL
    assert all(limits.grade(slip.kg) is Grade.USUAL for slip in slips)
