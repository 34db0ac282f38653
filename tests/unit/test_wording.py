"""How amounts and ages read."""

from decimal import Decimal

import pytest

from dosing_service.model import Age
from dosing_service.rules.wording import age_text, times_text


@pytest.mark.parametrize(
    ("years", "months", "days", "text"),
    [
        ("6.888", "82.656", "2515", "6.8 years"),
        ("17.999", "215.99", "6573", "17.9 years"),
        ("50", "600", "18262", "50 years"),
        ("2", "24", "730", "2 years"),
        ("1.99", "23.9", "727", "23 months"),
        ("0.25", "3", "91", "3 months"),
        ("0.24", "2.9", "88", "88 days"),
        ("0", "0", "0", "0 days"),
    ],
)
def test_nobody_is_made_older_than_they_are(years: str, months: str, days: str, text: str) -> None:
    """An age is rounded down, so that whoever is below a limit never reads as at it."""
    assert age_text(Age(Decimal(years), Decimal(months), Decimal(days))) == text


@pytest.mark.parametrize(
    ("ratio", "text"), [("6.4285", "6.4 times"), ("7", "7 times"), ("2.25", "2.2 times"), ("600", "600 times")]
)
def test_ratio_is_rounded_for_people(ratio: str, text: str) -> None:
    """One decimal is enough below a hundred."""
    assert times_text(Decimal(ratio)) == text
