"""Plausibility as other rules use it: without a day, and the slips of a weight for whoever checks an order."""

from datetime import date
from decimal import Decimal

import pytest

from dosing_service.knowledge.base import KnowledgeBase
from dosing_service.model import Age, Patient, Sex, Weight
from dosing_service.rules import plausibility
from dosing_service.rules.size import WeightSlip, weight_slips

_NINE = Age(Decimal(9), Decimal(108), Decimal("3287.25"))
_OLD = date(2020, 1, 1)


def _weight(kg: str, on: date | None = None) -> Weight:
    return Weight(Decimal(kg), Decimal(kg), "kg", on)


def test_without_a_day_nothing_is_said_of_the_age_of_a_weight(knowledge: KnowledgeBase) -> None:
    """Neither stale nor a jump can be told; the check is left open where the age is missing too."""
    child = Patient(age=_NINE, sex=Sex.FEMALE, weight=_weight("25", _OLD), previous_weight=_weight("12", _OLD))
    unknown = Patient(weight=_weight("25", _OLD))

    assert plausibility.found(child, None, knowledge.growth) == []
    assert "weight-date" in {item.check for item in plausibility.unchecked(unknown, None, knowledge.growth)}


def test_without_a_day_the_open_check_names_it(knowledge: KnowledgeBase) -> None:
    """A dated weight and no day to compare it with: as_of would settle it."""
    child = Patient(age=_NINE, sex=Sex.FEMALE, weight=_weight("25", _OLD))
    assert [item.needs for item in plausibility.unchecked(child, None, knowledge.growth)] == [("as_of",)]


@pytest.mark.parametrize(
    ("kg", "cm", "expected", "why"),
    [
        ("25", None, (), "a usual weight is no slip"),
        ("254", None, (WeightSlip(Decimal("25.4"), "a tenth"),), "a decimal point lost; 115 kg would be odd as well"),
        (
            "128",
            "25.4",
            (
                WeightSlip(Decimal("25.4"), "height and weight exchanged"),
                WeightSlip(Decimal("58.05982336"), "if pounds were taken for kilograms"),
            ),
            "exchanged fields come first: they explain both numbers; 12.8 kg would be too little",
        ),
    ],
)
def test_slips_are_there_for_the_order_checker(
    kg: str, cm: str | None, expected: tuple[WeightSlip, ...], why: str, knowledge: KnowledgeBase
) -> None:
    """The corrected weights of a girl of nine, exact, each with its slip."""
    height = Decimal(cm) if cm else None
    girl = Patient(age=_NINE, sex=Sex.FEMALE, weight=_weight(kg), height_cm=height)
    assert expected == weight_slips(girl, knowledge.growth), why


def test_nobody_without_a_weight_has_a_slip(knowledge: KnowledgeBase) -> None:
    """A patient of whom nothing is known is not odd."""
    assert weight_slips(Patient(), knowledge.growth) == ()
