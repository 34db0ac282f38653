"""Whatever is sent as an order, the answer says where it is wrong and what is accepted, and never echoes it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

ORDERS = "/v1/order-checks"
JSON = "application/json"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ATC = "http://www.whocc.no/atc"
WEEKLY = {"times": 1, "every": {"value": 1, "unit": "wk"}}
GOOD: dict[str, Any] = {
    "id": "a",
    "agent": "methotrexate",
    "dose": {"value": 15, "unit": "mg"},
    "frequency": WEEKLY,
    "route": "oral",
}


def order(**changes: Any) -> dict[str, Any]:
    """Return a request with one order, changed."""
    return {"orders": [GOOD | changes]}


def without(name: str) -> dict[str, Any]:
    """Return a request with one order that lacks a field."""
    return {"orders": [{key: value for key, value in GOOD.items() if key != name}]}


def dose(value: Any = 15, unit: Any = "mg", **more: Any) -> dict[str, Any]:
    """Return a request with another dose."""
    return order(dose={"value": value, "unit": unit} | more)


def span(low: Any, high: Any) -> dict[str, Any]:
    """Return a request with a range of doses."""
    return order(dose={"low": low, "high": high, "unit": "mg"})


def often(**changes: Any) -> dict[str, Any]:
    """Return a request with another frequency."""
    return order(frequency=WEEKLY | changes)


def every(value: Any = 1, unit: Any = "d", **more: Any) -> dict[str, Any]:
    """Return a request with another interval."""
    return often(every={"value": value, "unit": unit} | more)


def at_intervals(value: Any, unit: str, interval: Any, interval_unit: str, **more: Any) -> dict[str, Any]:
    """Return a request with an amount per time that is given in some interval."""
    frequency = {"times": 1, "every": {"value": interval, "unit": interval_unit}}
    return order(dose={"value": value, "unit": unit} | more, frequency=frequency)


def coded(code: str, system: str = RXNORM) -> dict[str, str]:
    """Return a coding."""
    return {"system": system, "code": code}


_D, _F, _P = "/orders/0/dose", "/orders/0/frequency", "/orders/0/product"
ONE_DAY = {"value": 1, "unit": "d"}

# Each row: what is sent, status, pointer and code of the (first) problem, and why the row is here.
BODIES: list[tuple[Any, int, str, str, str]] = [
    # ---- the request
    ({}, 422, "/orders", "missing", "nothing is ordered"),
    ({"orders": None}, 422, "/orders", "null", "null instead of orders"),
    ({"orders": {}}, 422, "/orders", "not-a-list", "an object instead of a list"),
    ({"orders": GOOD}, 422, "/orders", "not-a-list", "one order without its list"),
    ({"orders": []}, 422, "/orders", "bad-length", "no order at all would pass"),
    ({"orders": [GOOD | {"id": str(i)} for i in range(51)]}, 422, "/orders", "bad-length", "51 orders"),
    ({"orders": [None]}, 422, "/orders/0", "null", "null instead of an order"),
    ({"orders": ["methotrexate"]}, 422, "/orders/0", "not-an-object", "a word instead of an order"),
    ({"orders": [GOOD, GOOD]}, 422, "/orders/1/id", "duplicate-id", "two answers could not be told apart"),
    ({"orders": [GOOD, GOOD | {"id": "b", "agent": 1}]}, 422, "/orders/1/agent", "not-a-coding", "in the second"),
    ({"orders": [GOOD], "order": {}}, 422, "/order", "unknown-field", "a slip in the request"),
    ({"orders": [GOOD], "patient": None}, 422, "/patient", "null", "null instead of a patient"),
    ({"orders": [GOOD], "options": {"volume": 1}}, 422, "/options/volume", "unknown-field", "of the dose endpoint"),
    ({"orders": [GOOD], "options": {"jurisdiction": "XX"}}, 422, "/options/jurisdiction", "not-a-choice", "no country"),
    ({"orders": [GOOD], "as_of": "2026-13-01"}, 422, "/as_of", "not-a-date", "no month"),
    (
        {"orders": [GOOD], "patient": {"weight": {"value": 1544, "unit": "kg"}}},
        *(422, "/patient/weight/value", "out-of-bounds", "no person weighs 1,544 kg"),
    ),
    # ---- the order
    (order(strength=2.5), 422, "/orders/0/strength", "unknown-field", "a name that is no field"),
    (order(Dose={}), 422, "/orders/0/Dose", "unknown-field", "names are compared as they are"),
    ({"orders": [{}]}, 422, "/orders/0/id", "missing", "an empty order"),
    (without("agent"), 422, "/orders/0/agent", "missing", "an order of nothing"),
    (order(id=7), 422, "/orders/0/id", "not-a-string", "a number as an id"),
    (order(id=None), 422, "/orders/0/id", "null", "null as an id"),
    (order(id=""), 422, "/orders/0/id", "bad-string", "an empty id"),
    (order(id="a" * 201), 422, "/orders/0/id", "bad-string", "a long id"),
    (order(id="a\u202eb"), 422, "/orders/0/id", "bad-string", "a character that turns the text around"),
    (order(route="po"), 422, "/orders/0/route", "not-a-choice", "an abbreviation"),
    (order(route=["oral"]), 422, "/orders/0/route", "not-a-choice", "a list"),
    (order(route=None), 422, "/orders/0/route", "null", "null instead of a route"),
    (order(indication="x"), 422, "/orders/0/indication", "not-an-object", "a word"),
    (order(indication={"lesions": "x"}), 422, "/orders/0/indication/lesions", "unknown-field", "a slip"),
    (order(regimen=1), 422, "/orders/0/regimen", "not-a-string", "a number"),
    (order(regimen="nope"), 422, "/orders/0/regimen", "unknown-regimen", "no regimen of the agent"),
    (order(agent="diltiazem", regimen="review-adult-oral"), 422, "/orders/0/regimen", "unknown-regimen", "another's"),
    (order(agent=7), 422, "/orders/0/agent", "not-a-coding", "a number"),
    (order(agent="methotrexat"), 422, "/orders/0/agent", "unknown-agent", "a slip of the pen"),
    (order(agent={"code": "1"}), 422, "/orders/0/agent", "not-a-coding", "a code of nowhere"),
    # ---- the dose
    (order(dose=None), 422, _D, "null", "null instead of a dose"),
    (order(dose=15), 422, _D, "not-a-quantity", "a number without a unit"),
    (order(dose="15 mg"), 422, _D, "not-a-quantity", "a sentence"),
    (order(dose=[]), 422, _D, "not-a-quantity", "a list"),
    (order(dose={"value": 15}), 422, f"{_D}/unit", "missing", "a unit is never guessed"),
    (order(dose={"unit": "mg"}), 422, f"{_D}/value", "missing", "no number"),
    (order(dose={"low": 15, "unit": "mg"}), 422, f"{_D}/low", "missing", "half a range"),
    (order(dose={"value": 1, "low": 1, "high": 2, "unit": "mg"}), 422, f"{_D}/high", "missing", "both forms at once"),
    (span(15, 10), 422, f"{_D}/low", "range-reversed", "a range from above"),
    (span("10", 15), 422, f"{_D}/low", "not-a-number", "a number in quotes"),
    (dose(0), 422, f"{_D}/value", "out-of-bounds", "no dose"),
    (dose(-15), 422, f"{_D}/value", "out-of-bounds", "less than none"),
    (dose(1_000_000_001), 422, f"{_D}/value", "out-of-bounds", "more than a tonne"),
    (dose("15"), 422, f"{_D}/value", "not-a-number", "a number in quotes"),
    (dose(True), 422, f"{_D}/value", "not-a-number", "true counts as 1 in Python"),
    (dose(None), 422, f"{_D}/value", "null", "null instead of a number"),
    (dose(15, None), 422, f"{_D}/unit", "not-a-string", "null instead of a unit"),
    (dose(15, 1), 422, f"{_D}/unit", "not-a-string", "a number as a unit"),
    (dose(15, "Mg"), 422, f"{_D}/unit", "unit-not-accepted", "a megagram"),
    (dose(15, "MG"), 422, f"{_D}/unit", "unit-not-accepted", "a megagauss"),
    (dose(15, "ML"), 422, f"{_D}/unit", "unit-not-accepted", "a megalitre"),
    (dose(15, "U"), 422, f"{_D}/unit", "unit-not-accepted", "U is read as 0"),
    (dose(15, "IU"), 422, f"{_D}/unit", "unit-not-accepted", "IU is read as IV or 10"),
    (dose(15, "units"), 422, f"{_D}/unit", "unit-not-accepted", "of what?"),
    (dose(15, "milligram"), 422, f"{_D}/unit", "unit-not-accepted", "a unit by its name"),
    (dose(15, "tablets"), 422, f"{_D}/unit", "unit-not-accepted", "not on the list"),
    (dose(15, "µg"), 422, f"{_D}/unit", "unit-not-accepted", "µg is read as mg"),
    (dose(15, "cc"), 422, f"{_D}/unit", "unit-not-accepted", "cc is read as u"),
    (dose(15, "kg"), 422, f"{_D}/unit", "unit-not-accepted", "no dose is a kilogram"),
    (dose(15, "mg "), 422, f"{_D}/unit", "unit-not-accepted", "compared as they are"),
    (dose(15, "mg/kg/kg"), 422, f"{_D}/unit", "unit-not-accepted", "no unit"),
    (dose(per="rate"), 422, f"{_D}/per", "not-a-choice", "a rate is said by the unit"),
    (dose(per="daily"), 422, f"{_D}/per", "not-a-choice", "an adverb"),
    (dose(per=None), 422, f"{_D}/per", "null", "null instead of a kind"),
    (dose(per=["day"]), 422, f"{_D}/per", "not-a-choice", "a list"),
    (dose(kind="day"), 422, f"{_D}/kind", "unknown-field", "a slip"),
    (dose(15, "mg/kg/d", per="week"), 422, f"{_D}/per", "contradiction", "a day or a week?"),
    (dose(15, "mg/h", per="day"), 422, f"{_D}/per", "contradiction", "an hour or a day?"),
    # ---- the frequency
    (order(frequency=None), 422, _F, "null", "null instead of a frequency"),
    (order(frequency="daily"), 422, _F, "not-an-object", "a word"),
    (order(frequency={}), 422, f"{_F}/times", "missing", "nothing is not once"),
    (order(frequency={"as_needed": False}), 422, f"{_F}/times", "missing", "not as needed is no frequency"),
    (order(frequency={"once": False}), 422, f"{_F}/times", "missing", "not once is no frequency"),
    (order(frequency={"times": 2}), 422, f"{_F}/every", "missing", "twice in what?"),
    (order(frequency={"every": ONE_DAY}), 422, f"{_F}/times", "missing", "how many times?"),
    (often(once=True), 422, f"{_F}/once", "contradiction", "once and weekly"),
    (order(frequency={"once": True, "as_needed": True}), 422, f"{_F}/once", "contradiction", "once and as needed"),
    (order(frequency={"once": 1}), 422, f"{_F}/once", "not-a-boolean", "1 is not true"),
    (often(as_needed="yes"), 422, f"{_F}/as_needed", "not-a-boolean", "a word"),
    (often(times=0), 422, f"{_F}/times", "out-of-bounds", "never"),
    (often(times=101), 422, f"{_F}/times", "out-of-bounds", "101 times"),
    (often(times=1.5), 422, f"{_F}/times", "not-whole", "half an administration"),
    (often(times="1"), 422, f"{_F}/times", "not-a-number", "a number in quotes"),
    (often(times={"low": 2, "high": 1}), 422, f"{_F}/times", "range-reversed", "a range from above"),
    (often(times={"low": 2}), 422, f"{_F}/times", "not-a-range", "half a range"),
    (often(times=None), 422, f"{_F}/times", "null", "null instead of a number"),
    (often(times_per_day=1), 422, f"{_F}/times_per_day", "unknown-field", "a field of the dose endpoint"),
    (often(every=1), 422, f"{_F}/every", "not-a-quantity", "one what?"),
    (every(0), 422, f"{_F}/every/value", "out-of-bounds", "all the time"),
    (every(10_001), 422, f"{_F}/every/value", "out-of-bounds", "27 years"),
    (every(1, "D"), 422, f"{_F}/every/unit", "unit-not-accepted", "no UCUM code"),
    (every(1, "min"), 422, f"{_F}/every/unit", "unit-not-accepted", "every minute is a rate"),
    (every(1, "a"), 422, f"{_F}/every/unit", "unit-not-accepted", "yearly is not on the list"),
    (every(1, "m"), 422, f"{_F}/every/unit", "unit-not-accepted", "a metre; or a minute, or a month"),
    (often(every={"low": 3, "high": 2, "unit": "d"}), 422, f"{_F}/every/low", "range-reversed", "a range from above"),
    (often(count=0), 422, f"{_F}/count", "out-of-bounds", "a course of none"),
    (often(count=2.5), 422, f"{_F}/count", "not-whole", "half an administration"),
    (often(repeat_every={"value": 4, "unit": "wk"}), 422, "/orders/0/duration", "missing", "a course without a length"),
    (
        often(count=3, repeat_every={"value": 4, "unit": "h"}),
        *(422, f"{_F}/repeat_every/unit", "unit-not-accepted", "a course every four hours"),
    ),
    # ---- what contradicts itself
    (at_intervals(15, "mg/wk", 1, "mo"), 422, _F, "contradiction", "per week, given monthly"),
    (at_intervals(15, "mg", 1, "mo", per="week"), 422, _F, "contradiction", "the same by its name"),
    (at_intervals(15, "mg/d", 36, "h"), 422, _F, "contradiction", "per day, given every 36 hours"),
    (at_intervals(15, "mg/d", 1, "wk"), 422, _F, "contradiction", "per day, given weekly: the lethal slip"),
    (at_intervals(15, "mg/wk", 169, "h"), 422, _F, "contradiction", "per week, given every 169 hours"),
    (at_intervals(15, "mg/mo", 5, "wk"), 422, _F, "contradiction", "per month, given every 35 days"),
    (
        dose(15, "mg/d") | {"orders": [GOOD | {"dose": {"value": 15, "unit": "mg/d"}, "frequency": {"once": True}}]},
        422,
        _F,
        "contradiction",
        "per day, once only",
    ),
    # ---- duration, infusion, what was given
    (order(duration=30), 422, "/orders/0/duration", "not-a-quantity", "30 what?"),
    (order(duration={"value": 0, "unit": "d"}), 422, "/orders/0/duration/value", "out-of-bounds", "no time"),
    (order(duration={"value": 3, "unit": "h"}), 422, "/orders/0/duration/unit", "unit-not-accepted", "hours"),
    (order(duration={"low": 1, "high": 2, "unit": "d"}), 422, "/orders/0/duration/low", "unknown-field", "a range"),
    (
        order(infusion={"duration": {"value": 2, "unit": "d"}}),
        422,
        "/orders/0/infusion/duration/unit",
        "unit-not-accepted",
        "days",
    ),
    (
        order(infusion={"rate": {"value": 2, "unit": "ML/h"}}),
        422,
        "/orders/0/infusion/rate/unit",
        "unit-not-accepted",
        "megalitres",
    ),
    (order(infusion={"speed": 1}), 422, "/orders/0/infusion/speed", "unknown-field", "a slip"),
    (order(already_given=3), 422, "/orders/0/already_given", "not-a-quantity", "three what?"),
    (
        order(already_given={"value": 3, "unit": "kg"}),
        422,
        "/orders/0/already_given/unit",
        "unit-not-accepted",
        "kilograms",
    ),
    # ---- the product
    (order(product=None), 422, _P, "null", "null instead of a product"),
    (order(product="tablet-5"), 422, _P, "not-an-object", "an id without its object"),
    (order(product={"id": 5}), 422, _P, "not-a-coding", "a number as an id"),
    (order(product={"id": "tablet-5", "strength": 5}), 422, _P, "not-a-coding", "more than an id"),
    (order(product={"id": "nope"}), 422, f"{_P}/id", "unknown-product", "no product of the agent"),
    (order(product={"id": "ir-tablet-60"}), 422, f"{_P}/id", "unknown-product", "a product of diltiazem"),
    (order(product=coded("830837")), 422, _P, "other-drug", "a code of diltiazem"),
    (
        order(product=coded("1", "http://example.org")),
        422,
        f"{_P}/system",
        "not-a-choice",
        "a system that is not on the list",
    ),
]


def check_problem(response: TestResponse, status: int) -> list[dict[str, str]]:
    """Check that a response is a problem document as the contract has it; return its problems."""
    assert (response.status_code, response.mimetype) == (status, "application/problem+json"), response.get_data()
    assert response.headers["Cache-Control"] == "no-store"
    problems: list[dict[str, str]] = response.get_json()["errors"]
    for item in problems:
        assert set(item) == {"pointer", "code", "detail", "expected"}
        assert all(value or name == "pointer" for name, value in item.items())
    return problems


@pytest.mark.parametrize(("body", "status", "pointer", "code", "why"), BODIES, ids=[row[-1] for row in BODIES])
def test_bad_order_is_refused(client: FlaskClient, body: Any, status: int, pointer: str, code: str, why: str) -> None:
    """A bad order gets its status, and a problem with a JSON pointer, a code and what is accepted instead."""
    problems = check_problem(client.post(ORDERS, data=json.dumps(body), content_type=JSON), status)

    assert (pointer, code) == (problems[0]["pointer"], problems[0]["code"]), why


# Each row: a request of which a part is wrong, and why.
WRONG_PART: list[tuple[dict[str, Any], str]] = [
    (
        order(agent=coded("830837"), product={"id": "tablet-5"}),
        "the product id belongs to another drug than the product code, and is not passed over in silence",
    ),
    (order(agent=coded("830837"), product={"id": "nope"}), "no product of any agent has this id"),
]


@pytest.mark.parametrize(("body", "why"), WRONG_PART, ids=[row[-1] for row in WRONG_PART])
def test_wrong_part_is_not_passed_over(client: FlaskClient, body: dict[str, Any], why: str) -> None:
    """What cannot be meant is refused rather than left out."""
    assert client.post(ORDERS, json=body).status_code == 422, why


def test_every_problem_of_every_order_is_named(client: FlaskClient) -> None:
    """A caller learns of all faults of all orders at once."""
    bad = {"id": 1, "agent": "methotrexate", "dose": {"value": 15, "unit": "Mg"}, "route": "po"}
    problems = check_problem(client.post(ORDERS, json={"orders": [GOOD, bad, {}]}), 422)

    pointers = {"/orders/1/id", "/orders/1/dose/unit", "/orders/1/route", "/orders/2/id", "/orders/2/agent"}
    assert pointers == {problem["pointer"] for problem in problems}


@pytest.mark.parametrize(
    ("agent", "nearest"),
    [
        ("methotrexat", "methotrexate"),
        ("alendronat", "alendronate"),
        ("diltiazen", "diltiazem"),
        ("warfarine", "warfarin"),
    ],
)
def test_unknown_drug_comes_with_the_nearest_ids(client: FlaskClient, agent: str, nearest: str) -> None:
    """Whoever mistypes a drug is told the ids that are spelled alike, the likeliest first."""
    (problem,) = check_problem(client.post(ORDERS, json=order(agent=agent)), 422)
    assert (problem["pointer"], problem["code"]) == ("/orders/0/agent", "unknown-agent")
    assert f"nearest: {nearest}" in problem["expected"]


@pytest.mark.parametrize("name", ["METHOTREXATE", "Methotrexate", "MTX"])
def test_name_is_read_in_any_letters_and_by_its_synonyms(client: FlaskClient, name: str) -> None:
    """A drug is the same drug at the start of a sentence, in capitals and by its usual short name."""
    answer = client.post(ORDERS, json=order(agent=name)).get_json()
    assert answer["orders"][0]["agent"]["id"] == "methotrexate"


def test_product_is_told_in_its_own_words(client: FlaskClient) -> None:
    """A product that is no object is told both of its forms."""
    (problem,) = check_problem(client.post(ORDERS, json=order(product=5)), 422)
    assert "a product id of the agent" in problem["expected"]


def test_null_product_is_told_in_its_own_words(client: FlaskClient) -> None:
    """So is null."""
    (problem,) = check_problem(client.post(ORDERS, json=order(product=None)), 422)
    assert "a product id of the agent" in problem["expected"]


# ---------------------------------------------------------------- nothing that was sent comes back, nothing breaks

MARKER = "tell-tale-77"
FULL: dict[str, Any] = {
    "patient": {
        "age": {"value": 40, "unit": "a"},
        "sex": "female",
        "weight": {"value": 65, "unit": "kg", "method": "measured"},
        "height": {"value": 168, "unit": "cm"},
        "pregnant": False,
        "conditions": ["raynaud-phenomenon"],
        "allergies": [],
        "medications": [{"system": RXNORM, "code": "3443"}],
        "observations": [{"code": "2160-0", "value": 0.8, "unit": "mg/dL"}],
    },
    "orders": [
        GOOD
        | {
            "regimen": "review-adult-oral",
            "indication": {"disease": "dermatomyositis", "lesion": "large"},
            "product": {"id": "tablet-5"},
            "duration": {"value": 12, "unit": "wk"},
            "already_given": {"value": 1, "unit": "g"},
        },
        {
            "id": "b",
            "agent": {"system": RXNORM, "code": "198153"},
            "dose": {"low": 1, "high": 2, "unit": "{tablet}"},
            "frequency": {
                "times": {"low": 1, "high": 2},
                "every": {"low": 12, "high": 24, "unit": "h"},
                "as_needed": True,
            },
        },
        {
            "id": "c",
            "agent": "ivig",
            "dose": {"value": 2, "unit": "g/kg", "per": "course"},
            "frequency": {
                "times": 1,
                "every": {"value": 1, "unit": "d"},
                "count": 5,
                "repeat_every": {"value": 4, "unit": "wk"},
            },
            "infusion": {"rate": {"value": 100, "unit": "mL/h"}},
            "product": {"system": RXNORM, "code": "1"},
        },
        {"id": "d", "agent": "pamidronate", "dose": {"value": 90, "unit": "mg"}, "frequency": {"once": True}},
    ],
    "options": {"jurisdiction": "US"},
    "as_of": "2026-11-21",
}


def paths(node: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of every value below ``node``."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        yield (*path, key)
        yield from paths(value, (*path, key))


def replaced(node: Any, path: tuple[str | int, ...], value: Any) -> Any:
    """Return ``node`` with the value at ``path`` replaced."""
    if not path:
        return value
    copy = node.copy()
    copy[path[0]] = replaced(node[path[0]], path[1:], value)
    return copy


PATHS = list(paths(FULL))
NAMES = sorted({step for path in PATHS for step in path if isinstance(step, str)})
UNITS = ["kg", "mg", "g", "ng/kg/min", "mg/m2/wk", "%", "mL", "{vial}", "{tablet}", "d", "mo", "h"]
AGENTS = ["ivig", "warfarin", "sodium-thiosulfate", "iloprost", "co2-laser", "triamcinolone", "prednisone"]
WORDS = [*UNITS, *AGENTS, "topical", "intravenous", "day", "course", MARKER]
NUMBERS = st.integers(-1, 10**6) | st.floats() | st.sampled_from([0, 1, 28, 1e-12, 1e12, 999999999])
SCALARS = st.none() | st.booleans() | NUMBERS | st.text(max_size=8) | st.sampled_from(WORDS)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=8,
)
#: Where a caller's own words come back on purpose: the ids of the orders.
_ECHOED = {path for path in PATHS if path[-1] == "id" and len(path) == 3}


def test_full_request_is_good(client: FlaskClient) -> None:
    """The request that the next tests spoil has every field of the contract, and is answered."""
    response = client.post(ORDERS, json=FULL)
    assert response.status_code == 200
    assert [item["id"] for item in response.get_json()["orders"]] == ["a", "b", "b", "c", "d"]


WRONG: list[Any] = [None, True, 0, -1, 0.5, 1e300, "", MARKER, "x" * 300, "\x00", [], [[]], [None], {}, {"value": {}}]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: ".".join(map(str, path)))
def test_wrong_value_is_refused_where_it_stands(client: FlaskClient, path: tuple[str | int, ...]) -> None:
    """Any value in the place of another is accepted, or refused at that place, above or below; it never breaks."""
    pointer = "".join(f"/{step}" for step in path)
    for value in WRONG:
        response = client.post(ORDERS, json=replaced(FULL, path, value))
        assert response.status_code in {200, 422}
        if response.status_code == 422:
            (problem, *_) = check_problem(response, 422)
            assert problem["pointer"].startswith(f"/{path[0]}")
            assert problem["pointer"].startswith(pointer) or pointer.startswith(problem["pointer"].rpartition("/")[0])
        if path not in _ECHOED:
            assert MARKER not in response.get_data(as_text=True)


@settings(max_examples=600, derandomize=True, deadline=None)
@given(path=st.sampled_from(PATHS), value=ANYTHING)
def test_anything_anywhere_gets_an_answer(app: Flask, path: tuple[str | int, ...], value: Any) -> None:
    """A good request with any JSON at any place is answered below 500 and does not repeat what was planted."""
    planted = [value, MARKER] if isinstance(value, list) else {**value, MARKER: 1} if isinstance(value, dict) else value
    for changed in (value, planted):
        response = app.test_client().post(ORDERS, data=json.dumps(replaced(FULL, path, changed)), content_type=JSON)
        assert response.status_code < 500
        if response.status_code != 200:
            check_problem(response, response.status_code)


@settings(max_examples=300, derandomize=True, deadline=None)
@given(path=st.sampled_from([path for path in PATHS if path not in _ECHOED]))
def test_planted_marker_never_comes_back(app: Flask, path: tuple[str | int, ...]) -> None:
    """Nothing that a client writes into a field is repeated, in a problem or an answer; only ids of orders are."""
    for value in (MARKER, [MARKER], {MARKER: MARKER}, {"value": MARKER, "unit": MARKER}, {"id": MARKER}):
        response = app.test_client().post(ORDERS, json=replaced(FULL, path, value))
        body = response.get_data(as_text=True)
        if isinstance(value, dict) and MARKER in value:
            # The name of an unknown field is part of its pointer; its value is not.
            body = body.replace(f"/{MARKER}", "")
        assert MARKER not in body


DOSES = st.fixed_dictionaries(
    {"value": st.floats(1e-6, 1e9) | st.integers(1, 10**9), "unit": st.sampled_from(UNITS)},
    optional={"per": st.sampled_from(["administration", "day", "week", "month", "course"])},
)
INTERVALS = st.fixed_dictionaries(
    {
        "value": st.integers(1, 10_000) | st.sampled_from([0.001, 0.5, 1.5]),
        "unit": st.sampled_from(["h", "d", "wk", "mo"]),
    }
)
COURSES = st.fixed_dictionaries(
    {"times": st.integers(1, 100), "every": INTERVALS},
    optional={
        "count": st.integers(1, 1000),
        "as_needed": st.booleans(),
        "repeat_every": st.fixed_dictionaries(
            {"value": st.integers(1, 60), "unit": st.sampled_from(["d", "wk", "mo"])}
        ),
    },
)
WELL_FORMED = st.fixed_dictionaries(
    {"agent": st.sampled_from([*AGENTS, "methotrexate", "diltiazem", "colchicine", "infliximab", "rituximab"])},
    optional={
        "dose": DOSES,
        "frequency": COURSES | st.just({"once": True}) | st.just({"as_needed": True}),
        "route": st.sampled_from(["oral", "intravenous", "topical", "intralesional", "subcutaneous", "intrathecal"]),
        "duration": st.fixed_dictionaries(
            {"value": st.integers(1, 10_000), "unit": st.sampled_from(["d", "wk", "mo"])}
        ),
        "already_given": st.fixed_dictionaries({"value": st.floats(1e-6, 1e9), "unit": st.sampled_from(["mg", "g"])}),
    },
)


@settings(max_examples=600, derandomize=True, deadline=None)
@given(orders=st.lists(WELL_FORMED, min_size=1, max_size=4), has_patient=st.booleans())
def test_well_formed_nonsense_gets_an_answer(app: Flask, orders: list[dict[str, Any]], has_patient: bool) -> None:
    """Orders of any size, unit, frequency and route, alone and together, are judged or refused, never a crash."""
    body = {"orders": [order | {"id": str(index)} for index, order in enumerate(orders)]}
    body |= {"patient": FULL["patient"]} if has_patient else {}
    response = app.test_client().post(ORDERS, json=body)
    assert response.status_code in {200, 422}, response.get_data(as_text=True)
    if response.status_code == 422:
        check_problem(response, 422)


@pytest.mark.parametrize(
    ("unit", "interval", "interval_unit"),
    [
        ("mg/d", 24, "h"),
        ("mg/d", 1, "d"),
        ("mg/wk", 168, "h"),
        ("mg/wk", 7, "d"),
        ("mg/mo", 744, "h"),
        ("mg/mo", 1, "mo"),
    ],
)
def test_amount_of_a_period_that_is_given_once_in_it_is_taken(
    unit: str, interval: int, interval_unit: str, client: FlaskClient
) -> None:
    """168 hours are a week, and 744 the longest month, to the hour."""
    body = at_intervals(15, unit, interval, interval_unit)
    assert client.post("/v1/order-checks", json=body).status_code == 200


@pytest.mark.parametrize(("times", "hours"), [(3, 504), (7, 1176), (2, 336)])
def test_interval_is_divided_exactly(times: int, hours: int, client: FlaskClient) -> None:
    """3 times in 504 hours are one a week: 504 / 24 / 3 = 7 days."""
    body = at_intervals(15, "mg/wk", hours, "h")
    body["orders"][0]["frequency"]["times"] = times
    assert client.post("/v1/order-checks", json=body).status_code == 200
