"""Dates, rates and totals over HTTP: what is shown, what is asked for, and what is refused."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

Calculate = Callable[[Any], dict[str, Any]]
Refuse = Callable[[Any], list[tuple[int, str, str]]]

ADULT = {
    "age": {"value": 50, "unit": "a"},
    "weight": {"value": 70, "unit": "kg"},
    "sex": "female",
    "conditions": [],
    "allergies": [],
    "medications": [],
}
CHILD = {"age": {"value": 9, "unit": "a"}, "weight": {"value": 25, "unit": "kg"}}
START = "2026-12-01"


def body(agent: str, regimen: str | None = None, patient: Any = None, **options: Any) -> dict[str, Any]:
    """Return a request about an adult, or another patient, with options."""
    request = {"agent": agent, "patient": patient or ADULT, "options": options}
    return request | ({"regimen": regimen} if regimen else {})


def unchecked(answer: dict[str, Any], name: str) -> list[list[str]]:
    """Return the fields that the unchecked parts of one name need."""
    return [item["needs"] for item in answer["not_checked"] if item["check"] == name]


def findings(answer: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the findings about limits of the dose, by id."""
    return {item["id"]: item for item in answer["findings"] if item["category"] == "dose-limit"}


# ---------------------------------------------------------------- the schedule


def test_a_rhythm_that_an_order_is_stopped_for_has_no_dates(calculate: Calculate) -> None:
    """Weekly pamidronate keeps its figure and its contradiction, but no plan of twelve infusions to be printed; those
    who ask for what is contraindicated get the dates, and the monthly series has them without.
    """
    asked = body("pamidronate", start_date=START)
    answer = calculate(asked)
    assert (answer["status"], answer["dose"]["schedule"]) == ("computed", None)
    assert unchecked(answer, "schedule") == [["options.include_contraindicated"]]

    overridden = calculate(body("pamidronate", start_date=START, include_contraindicated=True))
    assert [entry["on"] for entry in overridden["dose"]["schedule"]][:2] == ["2026-12-01", "2026-12-08"]
    assert calculate(body("pamidronate", "calcinosis-monthly-series", start_date=START))["dose"]["schedule"]


def test_contract_example_of_a_schedule(calculate: Calculate) -> None:
    """An entry has a day and an amount with value and unit, as the contract shows it."""
    answer = calculate(body("ivig", patient=CHILD, start_date=START, divided_over_days=2))

    first = answer["dose"]["schedule"][0]
    assert (first["on"], first["amount"]["value"], first["amount"]["unit"]) == (START, 25, "g")
    assert (first["until"], first["count"], first["cycle"], first["step"], first["text"]) == (START, 1, 1, 1, "25 g")
    summary = answer["dose"]["schedule_summary"]
    assert (summary["first_on"], summary["last_on"], summary["complete"]) == (START, "2026-12-02", True)
    assert unchecked(answer, "schedule") == []


def test_range_has_no_single_value(calculate: Calculate) -> None:
    """Where low and high differ, `value` is null, so that nobody takes one end for the dose."""
    answer = calculate(body("methotrexate", "review-adult-oral", start_date=START))

    amount = answer["dose"]["schedule"][0]["amount"]
    assert amount == {"value": None, "low": 15, "high": 25, "unit": "mg"}


def test_without_a_start_date_nothing_is_dated(calculate: Calculate) -> None:
    """No day is made up, and no entry says that one is missing."""
    answer = calculate(body("ceftriaxone"))

    assert (answer["dose"]["schedule"], answer["dose"]["schedule_summary"]) == (None, None)
    assert unchecked(answer, "schedule") == []


def test_alternatives_are_not_dated(calculate: Calculate) -> None:
    """Dates and rates are worked out for the chosen regimen alone."""
    answer = calculate(body("ivig", start_date=START, divided_over_days=2))

    assert answer["dose"]["schedule"]
    others = [item["dose"] for item in answer["alternatives"] if item["dose"]]
    assert others
    assert all(dose["schedule"] is None and dose["infusion"] is None for dose in others)


@pytest.mark.parametrize("option", [{"schedule_until": "2026-12-31"}, {"courses": 2}], ids=["until", "courses"])
def test_wish_without_a_start_is_not_passed_over(calculate: Calculate, option: dict[str, Any]) -> None:
    """An end or a number of courses needs a first day, and the answer asks for it."""
    assert unchecked(calculate(body("ivig", **option)), "schedule") == [["options.start_date"]]


def test_dose_that_was_not_computed_is_not_dated(calculate: Calculate) -> None:
    """With a choice of regimens open the answer says that nothing is dated."""
    answer = calculate(body("abatacept", start_date=START, already_given={"value": 1, "unit": "g"}))

    assert answer["status"] == "choose-regimen"
    assert unchecked(answer, "schedule") == [[]]
    assert unchecked(answer, "already-given") == [[]]


def test_taper_says_what_lies_between_its_steps(calculate: Calculate) -> None:
    """The shares at each date are documented, the way between them is not."""
    answer = calculate(body("prednisone", "consensus-german-full", CHILD, start_date=START))

    texts = [entry["text"] for entry in answer["dose"]["schedule"]]
    assert texts[0] == "50 mg daily (100 % of the starting dose)"
    assert texts[-1] == "stopped"
    assert unchecked(answer, "taper") == [[]]


@pytest.mark.parametrize(
    ("agent", "regimen", "name", "why"),
    [
        ("prednisone", "review-adult-dermatomyositis", "taper", "a taper in words alone"),
        ("infliximab", "label-rheumatoid-arthritis", "titration", "a dose that may be raised"),
        ("ivig", "consensus-juvenile-dermatomyositis", "division", "a course without days"),
        ("infliximab", "juvenile-calcinosis-start", "schedule", "a maintenance of which nobody knows when it begins"),
    ],
)
def test_words_that_are_not_dated_are_listed(
    calculate: Calculate, agent: str, regimen: str, name: str, why: str
) -> None:
    """What the source says in words is not part of the dates, and the answer says so."""
    answer = calculate(body(agent, regimen, start_date=START, include_outside_population=True))

    assert unchecked(answer, name) == [[]], why


def test_long_schedule_is_cut(calculate: Calculate) -> None:
    """26 courses of 5 days in 4 weeks fit; weekly doses over ten years do not, and the answer says that it was cut."""
    courses = calculate(body("ivig", start_date=START, divided_over_days=5, courses=26))["dose"]
    assert (len(courses["schedule"]), courses["schedule_summary"]["complete"]) == (130, True)

    weekly = calculate(body("alendronate", start_date=START, schedule_until="2036-12-01"))["dose"]
    assert len(weekly["schedule"]) == 200
    assert weekly["schedule_summary"]["why"] == "cut after 200 entries"


@pytest.mark.parametrize(
    ("agent", "regimen", "options"),
    [
        ("ivig", None, {"divided_over_days": 5, "courses": 26}),
        ("methylprednisolone", "consensus-german-pulse", {"courses": 26}),
        ("prednisone", "consensus-german-full", {}),
        ("pamidronate", "child-osteogenesis-imperfecta", {"courses": 26}),
        ("sodium-thiosulfate", "intravenous-with-abatacept-start", {}),
        ("treprostinil", "calcinosis-systemic-sclerosis", {}),
        ("etidronate", "label-paget-low", {}),
        ("minocycline", None, {"already_given": {"value": 0, "unit": "g"}}),
        ("iloprost", "label-raynaud-ischaemia", {}),
    ],
)
def test_last_day_of_the_calendar_is_answered(
    calculate: Calculate, agent: str, regimen: str | None, options: dict[str, Any]
) -> None:
    """The latest start that the contract takes overflows nothing: what lies beyond the calendar is left out."""
    request = body(agent, regimen, start_date="9998-12-31", include_outside_population=True, **options)

    dose = calculate(request)["dose"]
    assert dose["schedule"][0]["on"] == "9998-12-31"
    assert all(entry["on"] <= "9999-12-31" for entry in dose["schedule"])


REFUSED = [
    ({"schedule_until": "2026-11-30"}, "/options/schedule_until", "before-start", "it would end before it begins"),
    ({"schedule_until": "9999-01-01"}, "/options/schedule_until", "not-a-date", "the year 9999 is left out"),
    ({"schedule_until": "2027-02-29"}, "/options/schedule_until", "not-a-date", "no such day"),
    ({"schedule_until": None}, "/options/schedule_until", "null", "null is no day"),
    ({"courses": 0}, "/options/courses", "out-of-bounds", "no course at all"),
    ({"courses": 27}, "/options/courses", "out-of-bounds", "more than two years of courses"),
    ({"courses": 1.5}, "/options/courses", "not-whole", "half a course"),
    ({"courses": 2}, "/options/courses", "not-repeatable", "nobody says when a second course begins"),
    ({"already_given": 30}, "/options/already_given", "not-a-quantity", "a number without a unit"),
    ({"already_given": {"value": -1, "unit": "g"}}, "/options/already_given/value", "out-of-bounds", "less than none"),
    ({"already_given": {"value": 1, "unit": "kg"}}, "/options/already_given/unit", "unit-not-accepted", "no drug unit"),
    ({"already_given": {"value": 1, "unit": "Mg"}}, "/options/already_given/unit", "unit-not-accepted", "a megagram"),
    (
        {"already_given": {"value": 10000.1, "unit": "g"}},
        *("/options/already_given/value", "out-of-bounds", "above ten kilograms"),
    ),
    ({"already_given": {"value": -0.0, "unit": "g"}}, "/options/already_given/value", "negative-zero", "minus nothing"),
]


@pytest.mark.parametrize(("option", "pointer", "code", "why"), REFUSED)
def test_bad_wish_is_refused(refuse: Refuse, option: dict[str, Any], pointer: str, code: str, why: str) -> None:
    """An impossible date, number or amount is refused where it stands."""
    assert refuse(body("ceftriaxone", start_date=START, **option)) == [(422, pointer, code)], why


# ---------------------------------------------------------------- what was already given, totals, length


@pytest.mark.parametrize(
    ("given", "left", "why"),
    [
        ({"value": 0, "unit": "g"}, 40, "nothing was given"),
        ({"value": 5, "unit": "g"}, 35, "40 - 5"),
        ({"value": 500, "unit": "mg"}, Decimal("39.5"), "half a gram"),
        ({"value": 500000, "unit": "mcg"}, Decimal("39.5"), "the same in micrograms"),
        ({"value": 40, "unit": "g"}, 0, "all of it"),
        ({"value": 50, "unit": "g"}, 0, "more than all: nothing is left, and never less"),
    ],
)
def test_remaining_of_a_course(calculate: Calculate, given: dict[str, Any], left: Any, why: str) -> None:
    """The course total of ceftriaxone, 40 g, less what was given; no start date is needed."""
    remaining = calculate(body("ceftriaxone", already_given=given))["dose"]["remaining"]

    assert (remaining["low"], remaining["high"], remaining["unit"]) == (left, left, "g"), why


@pytest.mark.parametrize(("grams", "is_said"), [(39.9, False), (40, True), (41, True)])
def test_whole_course_given_is_a_finding(calculate: Calculate, grams: float, is_said: bool) -> None:
    """Nothing is left of 40 g: no more in this course."""
    answer = calculate(body("ceftriaxone", start_date=START, already_given={"value": grams, "unit": "g"}))

    assert ("course-already-given" in findings(answer)) == is_said
    assert (answer["dose"]["schedule"] == []) == is_said


def test_range_of_a_course_is_not_shortened(calculate: Calculate) -> None:
    """Of 1,500 to 3,000 mg nobody knows how much is left in days, so the dates are those of the whole course."""
    given = {"value": 500, "unit": "mg"}
    answer = calculate(body("methylprednisolone", "review-adult-pulse", start_date=START, already_given=given))

    assert len(answer["dose"]["schedule"]) == 3
    assert answer["dose"]["remaining"]["text"] == "1,000 to 2,500 mg of 1,500 to 3,000 mg left"
    assert unchecked(answer, "already-given") == [[]]


def test_amount_that_counts_for_nothing_is_not_passed_over(calculate: Calculate) -> None:
    """Neither a course nor a maximum in all: the answer says that the amount changed nothing."""
    answer = calculate(body("diltiazem", already_given={"value": 1, "unit": "g"}))

    assert answer["dose"]["remaining"] is None
    assert unchecked(answer, "already-given") == [[]]


CUMULATIVE = [
    (None, None, 700, 1400, None, None, "70 g / 100 mg and / 50 mg, from nothing; no date without a start"),
    (None, START, 700, 1400, "2028-10-30", "2030-09-30", "the 700th and the 1,400th day from 1 December 2026"),
    (0, START, 700, 1400, "2028-10-30", "2030-09-30", "known to be none"),
    (30, START, 400, 800, "2028-01-04", "2029-02-07", "40 g are left: the 400th and the 800th day"),
    (69.98, START, 1, 1, START, START, "20 mg are left: the first dose reaches it"),
    (69.85, START, 2, 3, "2026-12-02", "2026-12-03", "150 mg are left: 1.5 and 3 days, a part of a day is a day"),
    (70, START, 0, 0, None, None, "reached before the first dose"),
]


@pytest.mark.parametrize(("given", "start", "low", "high", "early", "late", "why"), CUMULATIVE)
def test_total_over_all_courses(
    calculate: Calculate,
    given: float | None,
    start: str | None,
    low: int,
    high: int,
    early: str | None,
    late: str | None,
    why: str,
) -> None:
    """Minocycline, 50 to 100 mg daily: when 70 g in all are reached; the figure is not verified and says so."""
    options = {"start_date": start} if start else {}
    options |= {"already_given": {"value": given, "unit": "g"}} if given is not None else {}  # type: ignore[dict-item]
    answer = calculate(body("minocycline", **options))

    (check,) = answer["dose"]["cumulative"]
    assert (check["days_low"], check["days_high"]) == (low, high), why
    assert (check["reached_on"], check["reached_on_latest"]) == (early, late), why
    assert check["verified"] is False
    needs = unchecked(answer, "limit-cumulative-maximum")
    assert needs == ([["options.already_given"]] if given is None else [])


def test_total_already_reached_is_a_finding(calculate: Calculate) -> None:
    """80 g were given and 70 g are a signal to decide: moderate, because the limit only warns, and not verified."""
    answer = calculate(body("minocycline", already_given={"value": 80, "unit": "g"}))

    found = findings(answer)["cumulative-maximum-reached"]
    assert (found["severity"], found["verdict"], found["verified"]) == ("moderate", "applies", False)
    assert found["because"] == ["options.already_given"]
    limit = next(item for item in answer["dose"]["limits"] if item["kind"] == "cumulative-maximum")
    assert (limit["reached"], limit["exceeded"]) == (True, True)
    assert answer["dose"]["cumulative"][0]["remaining"] == 0


@pytest.mark.parametrize(
    ("until", "is_reached", "why"),
    [("2028-10-29", False, "the day before"), ("2028-10-30", True, "the day itself, at 100 mg daily")],
)
def test_total_reached_within_the_schedule_is_a_finding(
    calculate: Calculate, until: str, is_reached: bool, why: str
) -> None:
    """The earliest day on which 70 g may be reached decides."""
    answer = calculate(body("minocycline", start_date=START, schedule_until=until))

    assert ("cumulative-maximum-within-schedule" in findings(answer)) == is_reached, why


def test_pauses_between_courses_have_no_date(calculate: Calculate) -> None:
    """In courses with pauses the days of treatment are known, the day on the calendar is not."""
    (check,) = calculate(body("minocycline", "calcinosis-cyclic-cohort", start_date=START))["dose"]["cumulative"]

    assert (check["days_low"], check["days_high"], check["reached_on"]) == (350, 1400, None)


@pytest.mark.parametrize(
    ("until", "reached", "exceeded", "why"),
    [
        ("2026-12-27", False, False, "27 days"),
        ("2026-12-28", True, False, "28 days are 4 weeks"),
        ("2026-12-29", True, True, "29 days"),
    ],
)
def test_length_of_treatment_is_compared(
    calculate: Calculate, until: str, reached: bool, exceeded: bool, why: str
) -> None:
    """Iloprost for at most 4 weeks: a longer schedule is a finding, and nothing is left unchecked."""
    answer = calculate(body("iloprost", "label-raynaud-ischaemia", start_date=START, schedule_until=until))

    limit = next(item for item in answer["dose"]["limits"] if item["kind"] == "duration-maximum")
    assert (limit["reached"], limit["exceeded"]) == (reached, exceeded), why
    assert ("above-duration-maximum" in findings(answer)) == exceeded
    assert unchecked(answer, "limit-duration-maximum") == []


def test_length_of_treatment_is_asked_for(calculate: Calculate) -> None:
    """Without an end the maximum of duration is not compared, and the answer says what it needs."""
    answer = calculate(body("iloprost", "label-raynaud-ischaemia"))

    assert unchecked(answer, "limit-duration-maximum") == [["options.start_date", "options.schedule_until"]]


# ---------------------------------------------------------------- the infusion


def test_worked_example_of_an_infusion(calculate: Calculate) -> None:
    """70.5 kg: 141 g are 1,410 mL of a 10 percent solution, at most 169.2 mL/h, so 8 hours 20 minutes or more."""
    patient = ADULT | {"weight": {"value": 70.5, "unit": "kg"}}
    infusion = calculate(body("ivig", patient=patient, product="solution-10-percent-200ml"))["dose"]["infusion"]

    assert infusion["volumes"][0]["text"] == "1,410 mL per course"
    (highest,) = infusion["maxima"]
    assert highest["text"] == "at most 0.04 mL/kg/minute, 169.2 mL/h without a risk factor"
    assert highest["shortest"][0]["text"] == "at least 8 hours 20 minutes per course"
    assert set(infusion["references"]) == {"label-octagam-dermatomyositis", "label-octagam-eu-dermatomyositis"}


def test_sources_of_a_dilution_are_cited(calculate: Calculate) -> None:
    """How pamidronate is made up comes from a text written by a machine: marked, and among the references."""
    answer = calculate(body("pamidronate"))

    dilution = answer["dose"]["infusion"]["dilution"]
    assert (dilution["text"], dilution["verified"]) == ("90 mg in 250 to 500 mL", False)
    assert "ai-page-pamidronate" in answer["references"]


def test_tablets_do_not_run_in(calculate: Calculate) -> None:
    """A dose by mouth has no infusion, and none is missing."""
    answer = calculate(body("diltiazem"))

    assert answer["dose"]["infusion"] is None
    assert unchecked(answer, "infusion") == []


def test_monograph_shows_rates_and_tapers(client: Any) -> None:
    """Structured steps, reduced rates, dilutions and tapers stand in the monographs."""
    ivig = client.get("/v1/agents/ivig").get_json()["regimens"][0]["infusion"]
    assert ivig["steps"] == {"size": None, "every_minutes": 30}
    assert ivig["reduced"] == {"high": 0.03, "rules": ["kidney-risk", "thrombosis-risk"]}
    assert ivig["solution"] == 100
    iloprost = client.get("/v1/agents/iloprost").get_json()["regimens"][0]["infusion"]
    assert (iloprost["dilution"]["amount"], iloprost["dilution"]["unit"]) == (0.1, "mg")
    assert (iloprost["time_is"], iloprost["steps"]["size"]) == ("about", 0.5)
    regimens = client.get("/v1/agents/prednisone").get_json()["regimens"]
    steps = next(item["taper_steps"] for item in regimens if item["id"] == "consensus-german-full")
    assert [(step["after"], step["percent"]) for step in steps] == [(2, 50), (4, 25), (6, 12.5), (12, 0)]
