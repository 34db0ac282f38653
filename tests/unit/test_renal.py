"""Creatinine clearance and estimated GFR, against figures worked out apart from the code.

The figures were computed in double precision from the published equations; the last column shows the arithmetic, so
that anyone with a calculator can repeat it. They are compared to six digits.
"""

from decimal import Decimal
from typing import Any

import pytest

from dosing_service.rules.renal import Clearance, creatinine_clearance, estimated_gfr
from schemas.reading import dose_request

_SOURCE = "patient.observations[0]"
_BODY = {"age": ("40", "a"), "sex": "female", "weight": ("60", "kg"), "height": ("165", "cm")}
_FORMULAS = {"crcl": creatinine_clearance, "egfr": estimated_gfr}


def _clearance(kind: str, creatinine: str, **changes: Any) -> Clearance | None:
    """Return the clearance of a woman of 40 with ``changes``; ``None`` takes a field away."""
    given = {key: value for key, value in (_BODY | changes).items() if value is not None}
    patient = {
        key: {"value": Decimal(value[0]), "unit": value[1]} if isinstance(value, tuple) else value
        for key, value in given.items()
    }
    asked = dose_request({"agent": "alendronate", "patient": patient})
    return _FORMULAS[kind](asked.patient, Decimal(creatinine), _SOURCE)


@pytest.mark.parametrize(
    ("age", "kg", "sex", "creatinine", "expected", "why"),
    [
        ("40", "72", "male", "1.0", "100", "(140 - 40) x 72 / (72 x 1.0)"),
        ("40", "72", "female", "1.0", "85", "0.85 of the man's 100"),
        ("62", "60", "female", "1.9", "29.0789473684", "78 x 60 / (72 x 1.9) = 34.2105; x 0.85"),
        ("85", "50", "female", "1.2", "27.0543981481", "55 x 50 / (72 x 1.2) = 31.8287; x 0.85"),
        ("18", "70", "male", "0.9", "131.790123457", "122 x 70 / (72 x 0.9): the first day of being adult"),
        ("30", "100", "male", "0.5", "305.555555556", "110 x 100 / (72 x 0.5): neither rounded nor held down"),
    ],
)
def test_creatinine_clearance_is_that_of_cockcroft_and_gault(
    age: str, kg: str, sex: str, creatinine: str, expected: str, why: str
) -> None:
    """(140 - age) x kg / (72 x mg/dL) for men, 0.85 of it for women, in mL/min."""
    found = _clearance("crcl", creatinine, age=(age, "a"), weight=(kg, "kg"), sex=sex)
    assert found is not None, why
    assert pytest.approx(Decimal(expected), rel=Decimal("1e-6")) == found.value, why
    assert found.method == "Cockcroft-Gault"
    assert found.because == (_SOURCE, "patient.age", "patient.weight", "patient.sex")


@pytest.mark.parametrize(
    ("age", "sex", "creatinine", "expected", "why"),
    [
        ("50", "male", "1.0", "91.6914786098", "142 x (1/0.9)^-1.2 = 0.881234 x 0.9938^50 = 0.732740"),
        ("50", "female", "1.0", "68.6334966588", "142 x (1/0.7)^-1.2 = 0.651805 x 0.732740 x 1.012"),
        ("50", "female", "0.7", "105.297601149", "at the knot both powers are 1: 142 x 0.732740 x 1.012"),
        ("50", "male", "0.9", "104.049012993", "at the knot of men: 142 x 0.732740"),
        ("62", "female", "1.9", "29.4862615255", "142 x (1.9/0.7)^-1.2 = 0.301726 x 0.9938^62 = 0.680045 x 1.012"),
        ("25", "female", "0.5", "133.401441883", "142 x (0.5/0.7)^-0.241 = 1.084468 x 0.9938^25 = 0.856002 x 1.012"),
        ("70", "male", "2.0", "35.2429967290", "142 x (2/0.9)^-1.2 = 0.383579 x 0.9938^70 = 0.647038"),
        ("18", "male", "0.8", "131.558305044", "142 x (0.8/0.9)^-0.302 = 1.036211 x 0.9938^18 = 0.894091"),
    ],
)
def test_estimated_gfr_of_adults_is_that_of_ckd_epi_2021(
    age: str, sex: str, creatinine: str, expected: str, why: str
) -> None:
    """142 x min(Scr/k, 1)^a x max(Scr/k, 1)^-1.2 x 0.9938^age, x 1.012 for women, in mL/min/1.73 m2; without race."""
    found = _clearance("egfr", creatinine, age=(age, "a"), sex=sex)
    assert found is not None, why
    assert pytest.approx(Decimal(expected), rel=Decimal("1e-6")) == found.value, why
    assert found.method == "CKD-EPI 2021"
    assert found.because == (_SOURCE, "patient.age", "patient.sex")


@pytest.mark.parametrize(
    ("age", "cm", "creatinine", "expected", "why"),
    [
        ("9", "128", "0.5", "105.728", "0.413 x 128 / 0.5"),
        ("14", "140", "0.7", "82.6", "0.413 x 140 / 0.7"),
        ("1", "75", "0.3", "103.25", "0.413 x 75 / 0.3: the equation begins with the first birthday"),
        ("17.9", "170", "1.0", "70.21", "0.413 x 170 / 1.0: a child until 18"),
    ],
)
def test_estimated_gfr_of_children_is_that_of_bedside_schwartz(
    age: str, cm: str, creatinine: str, expected: str, why: str
) -> None:
    """0.413 x cm / mg/dL, from the first birthday until 18."""
    found = _clearance("egfr", creatinine, age=(age, "a"), height=(cm, "cm"))
    assert found is not None, why
    assert Decimal(expected) == found.value, why
    assert found.method == "bedside Schwartz"
    assert found.because == (_SOURCE, "patient.age", "patient.height")


@pytest.mark.parametrize(
    ("kind", "changes", "creatinine", "why"),
    [
        ("crcl", {"age": ("17.9", "a")}, "0.8", "Cockcroft and Gault had no children"),
        ("crcl", {"age": None}, "0.8", "without an age"),
        ("crcl", {"weight": None}, "0.8", "without a weight"),
        ("crcl", {"sex": None}, "0.8", "without a sex"),
        ("crcl", {"sex": "other"}, "0.8", "the factor is known for two sexes"),
        ("crcl", {}, "0", "a creatinine of nothing is no result"),
        ("egfr", {"age": None}, "0.8", "without an age neither formula can be chosen"),
        ("egfr", {"sex": None}, "0.8", "without a sex"),
        ("egfr", {"sex": "other"}, "0.8", "the constants are known for two sexes"),
        ("egfr", {"age": ("17.9", "a"), "height": None}, "0.8", "a child without a height"),
        ("egfr", {"age": ("11", "mo")}, "0.3", "an infant"),
        ("egfr", {}, "0", "a creatinine of nothing is no result"),
    ],
)
def test_what_cannot_be_computed_is_not_guessed(kind: str, changes: dict[str, Any], creatinine: str, why: str) -> None:
    """A missing or unfit input gives no figure at all."""
    assert _clearance(kind, creatinine, **changes) is None, why


@pytest.mark.parametrize(("age", "method"), [("17.9", "bedside Schwartz"), ("18", "CKD-EPI 2021")])
def test_the_formula_changes_on_the_eighteenth_birthday(age: str, method: str) -> None:
    """One formula for each age, and no age without one."""
    found = _clearance("egfr", "0.8", age=(age, "a"))
    assert found is not None
    assert method == found.method


def test_a_child_needs_no_sex() -> None:
    """Bedside Schwartz is the same for girls, boys and everyone else."""
    values = {_clearance("egfr", "0.5", age=("9", "a"), height=("128", "cm"), sex=sex) for sex in ("other", "male")}
    assert len(values) == 1


@pytest.mark.parametrize("kind", ["crcl", "egfr"])
def test_clearance_falls_as_creatinine_rises(kind: str) -> None:
    """Over the whole range, knots included, a higher creatinine is never a better kidney."""
    found = [_clearance(kind, f"{tenths / 10}") for tenths in range(1, 100)]
    values = [item.value for item in found if item]
    assert len(values) == len(found)
    assert values == sorted(values, reverse=True)
    assert len(set(values)) == len(values)
