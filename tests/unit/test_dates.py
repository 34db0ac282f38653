"""Arithmetic of the calendar, against a paper one."""

from datetime import date
from decimal import Decimal

import pytest

from dosing_service.rules.dates import after, after_interval, last_of

AFTER = [
    ("2026-12-01", 0, "d", "2026-12-01", "no time at all"),
    ("2026-12-31", 1, "d", "2027-01-01", "over New Year"),
    ("2028-02-28", 1, "d", "2028-02-29", "into the leap day"),
    ("2027-02-28", 1, "d", "2027-03-01", "past it in a common year"),
    ("2028-02-22", 1, "wk", "2028-02-29", "a week to the leap day"),
    ("2026-12-01", 12, "wk", "2027-02-23", "84 days"),
    ("2027-01-31", 1, "mo", "2027-02-28", "the last day of a shorter month"),
    ("2028-01-31", 1, "mo", "2028-02-29", "the same in a leap year"),
    ("2027-01-31", 2, "mo", "2027-03-31", "the day is counted from the first, so it comes back"),
    ("2026-12-31", 2, "mo", "2027-02-28", "over New Year"),
    ("2028-02-29", 12, "mo", "2029-02-28", "a year after the leap day"),
    ("2028-02-29", 48, "mo", "2032-02-29", "four years after it"),
    ("2096-02-29", 48, "mo", "2100-02-28", "2100 is no leap year"),
    ("2026-08-31", 25, "mo", "2028-09-30", "more than two years"),
    ("9998-12-31", 12, "mo", "9999-12-31", "the last day of the calendar"),
]


@pytest.mark.parametrize(("day", "count", "unit", "expected", "why"), AFTER)
def test_day_after(day: str, count: int, unit: str, expected: str, why: str) -> None:
    """Days and weeks are counted, months keep the day of the month where there is one."""
    assert after(date.fromisoformat(day), count, unit) == date.fromisoformat(expected), why


@pytest.mark.parametrize(("count", "unit"), [(366, "d"), (53, "wk"), (13, "mo"), (10**6, "d"), (10**6, "mo")])
def test_nothing_lies_beyond_the_calendar(count: int, unit: str) -> None:
    """A day after the year 9999 is none, and no error."""
    assert after(date(9998, 12, 31), count, unit) is None


@pytest.mark.parametrize(
    ("interval", "unit", "expected", "why"),
    [
        ("4", "mo", "2027-04-01", "a whole number of months is counted on the calendar"),
        ("3.8", "mo", "2027-03-27", "115.66 days, to the nearest whole one"),
        ("1.5", "wk", "2026-12-12", "10.5 days; halves go up"),
        ("2.4", "d", "2026-12-03", "2.4 days"),
    ],
)
def test_interval_that_is_no_whole_number(interval: str, unit: str, expected: str, why: str) -> None:
    """A part of a month or week is counted in days."""
    assert after_interval(date(2026, 12, 1), Decimal(interval), unit) == date.fromisoformat(expected), why


@pytest.mark.parametrize(
    ("first", "interval", "unit", "expected"),
    [
        ("2026-12-01", "20", "d", "2026-12-20"),
        ("2026-11-30", "3", "mo", "2027-02-27"),
        ("9998-12-31", "13", "mo", "9999-12-31"),
    ],
)
def test_last_day_of_a_stretch(first: str, interval: str, unit: str, expected: str) -> None:
    """The last day is inside the stretch; beyond the calendar it is the calendar's last."""
    assert last_of(date.fromisoformat(first), Decimal(interval), unit) == date.fromisoformat(expected)
