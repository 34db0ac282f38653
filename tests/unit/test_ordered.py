"""What an order comes to as each kind of amount, against a table worked out by hand from decision record 13.

The patient weighs 20 kg and is 115.2 cm tall: the surface area is sqrt(115.2 x 20 / 3600) = 0.8 m². A month has
30.4375 days where an order is given more often than monthly; an interval of 28 to 31 days is one month.
"""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from dosing_service.model import Order, Patient, Per
from dosing_service.rules.ordered import Ordered, Span, Strength, Unreadable, normalised, summed
from schemas.reading import order_request

Amounts = Mapping[str, str]
Json = dict[str, Any]

PATIENT = {"weight": {"value": Decimal(20), "unit": "kg"}, "height": {"value": Decimal("115.2"), "unit": "cm"}}
PROBENECID = Strength({"{tablet}": Decimal(500)})
METHOTREXATE = Strength({"mL": Decimal(25), "{vial}": Decimal(50)})


def read(order: Json, patient: Json | None = None) -> tuple[Order, Patient]:
    """Return an order and its patient as the service reads them."""
    body = {"patient": PATIENT if patient is None else patient, "orders": [{"id": "o", "agent": "colchicine"} | order]}
    request = order_request(body)
    return request.orders[0], request.patient


def amounts(order: Json, strength: Strength | None = None) -> dict[str, tuple[Fraction, Fraction]]:
    """Return every amount of an order by its kind."""
    said, patient = read(order)
    found = normalised(said, "orders[0]", patient, strength)
    assert isinstance(found, Ordered)
    return {per.value: (span.low, span.high) for per, span in found.amounts.items()}


def number(text: str) -> Decimal:
    """Return a number as the decoder delivers it."""
    return Decimal(text)


def dose(value: str, unit: str = "mg", per: str | None = None) -> Json:
    """Return a dose; ``1-2`` is a range."""
    low, _, high = value.partition("-")
    numbers = {"low": number(low), "high": number(high)} if high else {"value": number(low)}
    return {"dose": numbers | {"unit": unit} | ({"per": per} if per else {})}


def often(times: str, every: str, unit: str, **more: Any) -> Json:
    """Return a frequency; ``1-2`` is a range."""
    least, _, most = times.partition("-")
    low, _, high = every.partition("-")
    count = {"low": number(least), "high": number(most)} if most else number(least)
    interval = {"low": number(low), "high": number(high)} if high else {"value": number(low)}
    return {"frequency": {"times": count, "every": interval | {"unit": unit}} | more}


def lasting(value: str, unit: str = "d") -> Json:
    """Return a duration."""
    return {"duration": {"value": number(value), "unit": unit}}


def course(count: int, repeat: str, unit: str) -> Json:
    """Return the parts of a frequency that make it a course which comes again."""
    return {"count": number(str(count)), "repeat_every": {"value": number(repeat), "unit": unit}}


ONCE: Json = {"frequency": {"once": True}}
AS_NEEDED: Json = {"frequency": {"as_needed": True}}

# What is ordered; each kind in milligrams, with a range as "low to high", fractions as they are; how it follows.
TABLE: list[tuple[str, Json, Amounts, str]] = [
    # ---- an amount for each administration
    (
        "every-8-hours",
        dose("60") | often("1", "8", "h"),
        {"administration": "60", "day": "180", "week": "1260", "month": "5478.75"},
        "24 / 8 = 3 a day; 180 x 7; 180 x 30.4375",
    ),
    (
        "every-36-hours",
        dose("60") | often("1", "36", "h"),
        {"administration": "60", "day": "60", "week": "280", "month": "1217.5"},
        "rarer than daily: one on a day it is given; 168 / 36 = 14/3 a week; 730.5 / 36 = 487/24 a month",
    ),
    (
        "once-or-twice-daily",
        dose("50") | often("1-2", "1", "d"),
        {"administration": "50", "day": "50 to 100", "week": "350 to 700", "month": "1521.875 to 3043.75"},
        "50 x 1 and x 2, x 7, x 30.4375",
    ),
    (
        "every-4-to-6-hours",
        dose("10") | often("1", "4-6", "h"),
        {"administration": "10", "day": "40 to 60", "week": "280 to 420", "month": "1217.5 to 1826.25"},
        "24 / 6 = 4 and 24 / 4 = 6 a day",
    ),
    (
        "one-or-two-every-4-to-6-hours",
        dose("5-10") | often("1", "4-6", "h"),
        {"administration": "5 to 10", "day": "20 to 60", "week": "140 to 420", "month": "608.75 to 1826.25"},
        "the least of both, 5 x 4, to the most of both, 10 x 6",
    ),
    (
        "three-times-a-week",
        dose("12.5", "g") | often("3", "1", "wk"),
        {"administration": "12500", "day": "12500", "week": "37500", "month": "18262500/112"},
        "12,500 mg; 3 a week; 37,500 x 487/112 weeks a month",
    ),
    (
        "twice-a-week",
        dose("0.4", "mg/kg") | often("2", "1", "wk"),
        {"administration": "8", "day": "8", "week": "16", "month": "487/7"},
        "0.4 x 20 kg; 16 x 487/112 weeks a month",
    ),
    (
        "three-in-two-weeks",
        dose("8") | often("3", "2", "wk"),
        {"administration": "8", "day": "8", "week": "12", "month": "2922/56"},
        "3/2 a week; 12 x 487/112",
    ),
    (
        "weekly",
        dose("15") | often("1", "1", "wk"),
        {"administration": "15", "day": "15", "week": "15", "month": "7305/112"},
        "15 x 487/112 weeks a month",
    ),
    (
        "every-7-days",
        dose("15") | often("1", "7", "d"),
        {"administration": "15", "day": "15", "week": "15", "month": "7305/112"},
        "seven days are a week",
    ),
    (
        "every-168-hours",
        dose("15") | often("1", "168", "h"),
        {"administration": "15", "day": "15", "week": "15", "month": "7305/112"},
        "168 hours are a week",
    ),
    (
        "every-2-weeks",
        dose("40") | often("1", "2", "wk"),
        {"administration": "40", "day": "40", "week": "40", "month": "4870/56"},
        "one in a week in which it is given; 30.4375 / 14 = 487/224 a month",
    ),
    (
        "every-4-weeks",
        dose("90") | often("1", "4", "wk"),
        {"administration": "90", "day": "90", "week": "90", "month": "90"},
        "28 days count as a month",
    ),
    (
        "every-27-days",
        dose("90") | often("1", "27", "d"),
        {"administration": "90", "day": "90", "week": "90", "month": "2435/24"},
        "27 days are less than a month: 90 x 30.4375 / 27",
    ),
    (
        "every-31-days",
        dose("90") | often("1", "31", "d"),
        {"administration": "90", "day": "90", "week": "90", "month": "90"},
        "31 days count as a month",
    ),
    (
        "monthly",
        dose("60") | often("1", "1", "mo"),
        {"administration": "60", "day": "60", "week": "60", "month": "60"},
        "one a month; a day, a week with it has 60",
    ),
    (
        "twice-a-month",
        dose("60") | often("2", "1", "mo"),
        {"administration": "60", "day": "60", "week": "60", "month": "120"},
        "two a month are rarer than weekly",
    ),
    (
        "every-3-months",
        dose("90") | often("1", "3", "mo"),
        {"administration": "90", "day": "90", "week": "90", "month": "90"},
        "a month with it has 90",
    ),
    (
        "every-8-weeks",
        dose("100") | often("1", "8", "wk"),
        {"administration": "100", "day": "100", "week": "100", "month": "100"},
        "a month with it has 100",
    ),
    (
        "once",
        dose("200") | ONCE,
        {"administration": "200", "day": "200", "week": "200", "month": "200", "course": "200"},
        "a single dose is a day, a week, a month and a course of its own",
    ),
    ("no-frequency", dose("70"), {"administration": "70"}, "no frequency is not once daily"),
    # ---- with an end
    (
        "ten-days",
        dose("100") | often("2", "1", "d") | lasting("10"),
        {"administration": "100", "day": "200", "week": "1400", "month": "2000", "course": "2000"},
        "2 x 10 administrations, which is all that falls into a month",
    ),
    (
        "every-36-hours-for-10-days",
        dose("60") | often("1", "36", "h") | lasting("10"),
        {"administration": "60", "day": "60", "week": "280", "month": "420", "course": "420"},
        "240 / 36 = 6 2/3, the seventh starts within the ten days",
    ),
    (
        "twelve-weeks",
        dose("8") | often("2", "1", "wk") | lasting("12", "wk"),
        {"administration": "8", "day": "8", "week": "16", "month": "487/7", "course": "192"},
        "2 x 12 administrations",
    ),
    (
        "five-daily-monthly",
        dose("400") | often("1", "1", "d", **course(5, "1", "mo")),
        {"administration": "400", "day": "400", "week": "2000", "month": "2000", "course": "2000"},
        "one course falls into a month, all five of it may fall into a week",
    ),
    (
        "five-daily-every-4-weeks",
        dose("400") | often("1", "1", "d", **course(5, "4", "wk")),
        {"administration": "400", "day": "400", "week": "2000", "month": "2000", "course": "2000"},
        "28 days count as a month",
    ),
    (
        "three-daily-every-2-weeks",
        dose("500") | often("1", "1", "d", **course(3, "2", "wk")),
        {"administration": "500", "day": "500", "week": "1500", "month": "182625/56", "course": "1500"},
        "1500 x 30.4375 / 14 courses a month",
    ),
    (
        "eight-weekly",
        dose("250") | often("1", "1", "wk", count=number("8")),
        {"administration": "250", "day": "250", "week": "250", "month": "60875/56", "course": "2000"},
        "8 x 250; 250 x 487/112 weeks a month",
    ),
    (
        "three-daily-not-repeated",
        dose("1", "g") | often("1", "1", "d", count=number("3")),
        {"administration": "1000", "day": "1000", "week": "3000", "month": "3000", "course": "3000"},
        "no more than three fall into any period",
    ),
    (
        "twenty-days-by-the-day",
        dose("2", "g/d") | lasting("20"),
        {"day": "2000", "week": "14000", "month": "60875", "course": "40000"},
        "what is given at one time is not said; 2 g x 20 days",
    ),
    # ---- an amount of a day, a week, a month, a course
    (
        "per-day-in-three",
        dose("180", "mg/d") | often("3", "1", "d"),
        {"day": "180", "administration": "60", "week": "1260", "month": "5478.75"},
        "180 / 3 at one time",
    ),
    (
        "per-day-by-its-name",
        dose("180", per="day") | often("1", "12", "h"),
        {"day": "180", "administration": "90", "week": "1260", "month": "5478.75"},
        "180 / 2 at one time",
    ),
    (
        "per-day-no-frequency",
        dose("4", "mg/kg/d"),
        {"day": "80", "week": "560", "month": "2435"},
        "4 x 20 kg; what is given at one time is not said",
    ),
    (
        "per-week-no-frequency",
        dose("70", "mg/wk"),
        {"week": "70", "month": "17045/56"},
        "a day's amount does not follow; 70 x 487/112",
    ),
    (
        "per-week-in-two",
        dose("70", "mg/wk") | often("2", "1", "wk"),
        {"week": "70", "administration": "35", "day": "35", "month": "17045/56"},
        "35 on each of two days",
    ),
    (
        "per-week-daily",
        dose("70", "mg/wk") | often("1", "1", "d"),
        {"week": "70", "administration": "10", "day": "10", "month": "17045/56"},
        "a seventh each day",
    ),
    (
        "per-month-monthly",
        dose("60", "mg/mo") | often("1", "1", "mo"),
        {"month": "60", "administration": "60", "day": "60", "week": "60"},
        "all of it at one time",
    ),
    (
        "per-month-in-two",
        dose("60", "mg/mo") | often("2", "1", "mo"),
        {"month": "60", "administration": "30", "day": "30", "week": "30"},
        "half of it each time",
    ),
    (
        "per-course-in-five",
        dose("2", "g/kg", "course") | often("1", "1", "d", **course(5, "4", "wk")),
        {"course": "40000", "administration": "8000", "day": "8000", "week": "40000", "month": "40000"},
        "2 g x 20 kg over 5 days",
    ),
    ("per-course-alone", dose("2", "g/kg", "course"), {"course": "40000"}, "how it is divided is not said"),
    # ---- as needed
    (
        "as-needed-with-a-maximum",
        dose("50") | often("1", "6", "h", as_needed=True),
        {"administration": "50", "day": "0 to 200", "week": "0 to 1400", "month": "0 to 6087.5"},
        "at most four a day, perhaps none",
    ),
    ("as-needed-without-a-maximum", dose("50") | AS_NEEDED, {"administration": "50"}, "how often is not bounded"),
    # ---- units
    (
        "micrograms",
        dose("500", "ug") | ONCE | {},
        dict.fromkeys(("administration", "day", "week", "month", "course"), "0.5"),
        "500 / 1000",
    ),
    ("mcg", dose("125", "mcg"), {"administration": "0.125"}, "mcg are micrograms"),
    ("grams", dose("1.5", "g/d"), {"day": "1500", "week": "10500", "month": "45656.25"}, "1.5 x 1000"),
    ("per-area", dose("600", "mg/m2"), {"administration": "480"}, "600 x 0.8 m²"),
    ("per-area-and-week", dose("15", "mg/m2/wk"), {"week": "12", "month": "2922/56"}, "15 x 0.8; 12 x 487/112"),
    ("nanograms-per-kg-and-minute", dose("2", "ng/kg/min"), {"rate": "0.00004"}, "2 x 20 = 40 ng a minute"),
    ("mg-per-hour", dose("90", "mg/h"), {"rate": "1.5"}, "90 / 60 a minute"),
]
# Rows that the code does not meet, with what it says instead.
#: Rows in which a total, a range, a duration or a month meet.
MIXED: list[tuple[str, Json, Amounts, str]] = [
    (
        "per-day-in-three-or-four",
        dose("180", "mg/d") | often("3-4", "1", "d"),
        {"day": "180", "administration": "45 to 60", "week": "1260", "month": "5478.75"},
        "the total of a day does not depend on its division",
    ),
    (
        "per-week-in-one-or-two",
        dose("70", "mg/wk") | often("1-2", "1", "wk"),
        {"week": "70", "administration": "35 to 70", "day": "35 to 70", "month": "17045/56"},
        "as above",
    ),
    (
        "per-course-over-two-days",
        dose("2", "g/kg", "course") | often("1", "1", "d") | lasting("2"),
        {"course": "40000", "administration": "20000", "day": "20000", "week": "40000", "month": "40000"},
        "no week holds more than the whole course",
    ),
    (
        "three-days",
        dose("1", "g") | often("1", "1", "d") | lasting("3"),
        {"administration": "1000", "day": "1000", "week": "3000", "month": "3000", "course": "3000"},
        "three days are three grams, as with a count of 3",
    ),
    (
        "every-4-to-5-weeks",
        dose("60") | often("1", "4-5", "wk"),
        {"administration": "60", "day": "60", "week": "60", "month": "60"},
        "every 4 weeks is 60 mg a month, so every 4 to 5 weeks is not more",
    ),
    (
        "every-4-to-8-weeks",
        dose("60") | often("1", "4-8", "wk"),
        {"administration": "60", "day": "60", "week": "60", "month": "60"},
        "as above",
    ),
    (
        "per-month-every-4-weeks",
        dose("60", "mg/mo") | often("1", "4", "wk"),
        {"month": "60", "administration": "60", "day": "60", "week": "60"},
        "28 days count as a month, so it is all of it",
    ),
    (
        "per-month-every-30-days",
        dose("60", "mg/mo") | often("1", "30", "d"),
        {"month": "60", "administration": "60", "day": "60", "week": "60"},
        "as above",
    ),
    (
        "per-month-every-half-month",
        dose("60", "mg/mo") | often("1", "0.5", "mo"),
        {"month": "60", "administration": "30", "day": "30", "week": "30"},
        "twice a month",
    ),
    (
        "strength",
        dose("25", "%") | often("2", "1", "d"),
        {"administration": "25"},
        "a strength is not added up over a day",
    ),
]
PIECES: list[tuple[str, Json, Strength, Amounts, str]] = [
    (
        "two-tablets-twice-daily",
        dose("2", "{tablet}") | often("2", "1", "d"),
        PROBENECID,
        {"administration": "1000", "day": "2000", "week": "14000", "month": "60875"},
        "2 x 500; x 2 a day",
    ),
    ("half-a-tablet", dose("0.5", "tablet"), PROBENECID, {"administration": "250"}, "500 / 2"),
    (
        "tablets-a-day",
        dose("3", "{tablet}/d"),
        PROBENECID,
        {"day": "1500", "week": "10500", "month": "45656.25"},
        "3 x 500",
    ),
    ("millilitres", dose("0.6", "mL"), METHOTREXATE, {"administration": "15"}, "0.6 x 25 mg/mL"),
    ("vials", dose("1", "{vial}"), METHOTREXATE, {"administration": "50"}, "2 mL of 25 mg/mL"),
]


def spans(expected: Amounts) -> dict[str, tuple[Fraction, Fraction]]:
    """Return the amounts that a row of the table holds."""
    found = {}
    for per, text in expected.items():
        low, _, high = text.partition(" to ")
        found[per] = (Fraction(low), Fraction(high or low))
    return found


@pytest.mark.parametrize(
    ("order", "expected", "why"), [row[1:] for row in (*TABLE, *MIXED)], ids=[row[0] for row in (*TABLE, *MIXED)]
)
def test_every_kind_follows_exactly(order: Json, expected: Amounts, why: str) -> None:
    """The kinds that follow are those of the table and no other, as exact fractions."""
    assert amounts(order) == spans(expected), why


@pytest.mark.parametrize(
    ("order", "strength", "expected", "why"), [row[1:] for row in PIECES], ids=[row[0] for row in PIECES]
)
def test_pieces_count_with_the_strength(order: Json, strength: Strength, expected: Amounts, why: str) -> None:
    """Tablets, vials and millilitres are as many milligrams as the product holds."""
    assert amounts(order, strength) == spans(expected), why


# ---------------------------------------------------------------- what an order says beside its amounts


@pytest.mark.parametrize(
    ("frequency", "low", "high", "why"),
    [
        (often("1", "8", "h"), "3", "3", "24 / 8"),
        (often("1", "36", "h"), "2/3", "2/3", "24 / 36"),
        (often("1-2", "1", "wk"), "1/7", "2/7", "a week has seven days"),
        (often("1", "4-6", "wk"), "1/42", "1/28", "the longest interval is the least often"),
        (often("1", "1", "mo"), "1/31", "1/28", "a month is any interval of 28 to 31 days"),
        (often("1", "3", "mo"), "1/93", "1/84", "three such months"),
    ],
)
def test_rate_is_administrations_a_day(frequency: Json, low: str, high: str, why: str) -> None:
    """How often is a span of administrations a day, in which a month is 28 to 31 days."""
    order, patient = read(dose("1") | frequency)
    found = normalised(order, "orders[0]", patient, None)
    assert isinstance(found, Ordered)
    assert found.rate == Span(Fraction(low), Fraction(high)), why


def test_as_needed_without_a_maximum_has_no_rate() -> None:
    """As needed alone says nothing about how often; once has no rate either, and counts as one administration."""
    for frequency, count in ((AS_NEEDED, None), (ONCE, 1)):
        order, patient = read(dose("1") | frequency)
        found = normalised(order, "orders[0]", patient, None)
        assert isinstance(found, Ordered)
        assert (found.rate, found.count) == (None, count)


@pytest.mark.parametrize(
    ("order", "patient", "needs"),
    [
        ({}, PATIENT, ("orders[3].dose",)),
        (dose("1", "{tablet}"), PATIENT, ("orders[3].product",)),
        (dose("1", "mL/d"), PATIENT, ("orders[3].product",)),
        (dose("1", "mg/kg"), {}, ("patient.weight",)),
        (dose("1", "mg/m2"), {}, ("patient.weight", "patient.height")),
    ],
)
def test_unreadable_order_names_what_it_lacks(order: Json, patient: Json, needs: tuple[str, ...]) -> None:
    """An order from which no amount follows says which field of the request would settle it."""
    said, who = read(order, patient)
    found = normalised(said, "orders[3]", who, None)
    assert isinstance(found, Unreadable)
    assert [(item.check, item.needs) for item in found.inputs] == [("dose", needs)]
    assert all(item.why for item in found.inputs)


def together(*orders: Json) -> Ordered:
    """Return the sum of several orders."""
    parts = []
    for order in orders:
        said, patient = read(order)
        found = normalised(said, "orders[0]", patient, None)
        assert isinstance(found, Ordered)
        parts.append(found)
    return summed(parts)


def test_orders_are_added_kind_by_kind() -> None:
    """10 mg twice daily and 5 mg three times daily: 15 mg when the times coincide, 35 mg a day, 245 mg a week."""
    found = together(dose("10") | often("2", "1", "d"), dose("5") | often("3", "1", "d"))
    assert found.amounts[Per.ADMINISTRATION] == Span(Fraction(15), Fraction(15))
    assert found.amounts[Per.DAY] == Span(Fraction(35), Fraction(35))
    assert found.amounts[Per.WEEK] == Span(Fraction(245), Fraction(245))
    assert found.rate == Span(Fraction(3), Fraction(3))


def test_kind_that_one_order_lacks_is_at_least_what_the_others_give() -> None:
    """Of an order without a frequency nothing is known per day: the sum says so, and holds what the other one gives."""
    found = together(dose("10") | often("2", "1", "d"), dose("5"))
    assert found.is_partial
    assert found.amounts[Per.ADMINISTRATION] == Span(Fraction(15), Fraction(15))
    assert found.amounts[Per.DAY] == Span(Fraction(20), Fraction(20))
