"""What must hold for every order, tried with generated patients and orders.

Doses are taken from the service's own answers and changed in ways that must, or must not, matter.
"""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from dosing_service import service
from dosing_service.errors import InvalidRequest
from dosing_service.knowledge import load
from dosing_service.knowledge.base import Frequency, Regimen
from dosing_service.model import (
    Amount,
    Assessment,
    Basis,
    OrderAssessment,
    OrderCheck,
    OrderVerdict,
    Per,
    Severity,
    Verdict,
)
from schemas.reading import dose_request, order_request

Json = dict[str, Any]

_KNOWLEDGE = load()
_BASE = yaml.safe_load((Path(__file__).parents[1] / "safety" / "base.yaml").read_text(encoding="utf-8"))
#: Normal results, so that an order can pass.
_RESULTS = json.loads(json.dumps(_BASE["observations"]), parse_float=Decimal, parse_int=Decimal)
_REGIMENS = [(agent.id, id_) for agent in _KNOWLEDGE.agents.values() for id_ in agent.regimens]
#: Best first.
_RANK = [*reversed(OrderVerdict)]
_OUTSIDE = {"above-range", "below-range"}
_AMOUNT_FINDINGS = {*_OUTSIDE, "daily-instead-of-weekly", "more-often"}

#: The same examples in every run: a property that fails must fail for everyone.
bounded = settings(
    max_examples=250, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
each_regimen = settings(bounded, max_examples=15)
#: Many generated orders are not above a range of the patient.
above = settings(bounded, suppress_health_check=[*bounded.suppress_health_check, HealthCheck.filter_too_much])


def _quantity(value: Decimal, unit: str) -> Json:
    return {"value": value, "unit": unit}


def _patient(age: Decimal, kg: Decimal, height: Decimal) -> Json:
    return {
        "age": _quantity(age, "a"),
        "sex": "female",
        "weight": _quantity(kg, "kg") | {"measured_on": "2026-11-20"},
        "height": _quantity(height, "cm"),
        "pregnant": False,
        "lactating": False,
        "conditions": [],
        "allergies": [],
        "medications": [],
        "observations": _RESULTS,
    }


ADULTS = st.builds(
    _patient, st.decimals("18", "90", places=1), st.decimals("40", "140", places=1), st.decimals("150", "200", places=0)
)
CHILDREN = st.builds(
    _patient, st.decimals("1", "17", places=1), st.decimals("8", "70", places=1), st.decimals("75", "180", places=0)
)
patients = ADULTS | CHILDREN
regimens = st.sampled_from(_REGIMENS)


def _checked(orders: list[Json], patient: Json) -> OrderCheck:
    numbered = [{"id": str(index)} | order for index, order in enumerate(orders)]
    body = {"patient": patient, "orders": numbered, "as_of": "2026-11-21"}
    return service.check_orders(order_request(body), _KNOWLEDGE)


def _one(order: Json, patient: Json) -> OrderAssessment:
    return _checked([order], patient).orders[0]


def _computed(agent: str, regimen: str, patient: Json, *, outside: bool = False) -> Assessment | None:
    body = {
        "agent": agent,
        "regimen": regimen,
        "patient": patient,
        "as_of": "2026-11-21",
        "options": {
            "include_contraindicated": True,
            "include_outside_population": outside,
            "volume": _quantity(Decimal("0.1"), "mL"),
        },
    }
    try:
        return service.calculate_dose(dose_request(body), _KNOWLEDGE)
    except InvalidRequest:
        return None  # ideal body weight is not defined below 152.4 cm: the caller is told so


def _span(low: Decimal, high: Decimal, unit: str) -> Json:
    # More digits than a request may have: what a client would send is the number as it stands in the answer.
    return {"low": low, "high": high, "unit": unit} if low != high else {"value": low, "unit": unit}


def _often(frequency: Frequency) -> Json:
    if frequency.unit == "once":
        return {"once": True}
    times = {"low": Decimal(frequency.times_low), "high": Decimal(frequency.times_high)}
    every = {"low": Decimal(frequency.every_low), "high": Decimal(frequency.every_high), "unit": frequency.unit}
    return {"times": times, "every": every}


def _fits(amount: Amount, regimen: Regimen, frequency: Frequency) -> bool:
    """Tell whether an amount and a frequency say the same together as the regimen does.

    The most at one time, taken as often as possible, is more than the most of a day.
    """
    if amount.per is regimen.per:
        return amount.per is Per.ADMINISTRATION or frequency.unit != "once"
    return frequency.times_low == frequency.times_high and amount.per is Per.ADMINISTRATION


def _taken(agent: str, regimen: Regimen, amount: Amount) -> Iterator[Json]:
    """Yield the orders that say what an amount of a computed dose says."""
    order: Json = {"agent": agent, "regimen": regimen.id, "route": regimen.route}
    dose = _span(amount.low, amount.high, amount.unit)
    if amount.per is not Per.RATE:
        dose["per"] = amount.per.value
    yield order | {"dose": dose}
    if amount.times_per_day is not None:
        every = {"times": Decimal(amount.times_per_day), "every": _quantity(Decimal(1), "d")}
        yield order | {"dose": dose, "frequency": every}
    elif amount.divided_over_days is not None:
        daily = {"times": Decimal(1), "every": _quantity(Decimal(1), "d"), "count": Decimal(amount.divided_over_days)}
        yield order | {"dose": dose, "frequency": daily}
    elif regimen.frequency is not None and _fits(amount, regimen, regimen.frequency):
        yield order | {"dose": dose, "frequency": _often(regimen.frequency)}


def _ids(found: OrderAssessment) -> list[str]:
    return [item.id for item in found.findings]


def _told(found: OrderAssessment) -> tuple[Any, ...]:
    """Return what must not depend on how an order is written."""
    return (found.verdict, found.regimen, found.ratio, _ids(found), [cause.kind for cause in found.likely_causes])


@pytest.mark.parametrize("chosen", _REGIMENS, ids="/".join)
@each_regimen
@given(patients)
def test_a_computed_dose_is_a_good_order(chosen: tuple[str, str], patient: Json) -> None:
    """What the dose endpoint answers, written as an order, is neither above nor below, nor past a cap, nor a slip."""
    answer = _computed(*chosen, patient)
    if answer is None or answer.dose is None or answer.regimen != chosen[1]:
        return
    regimen = _KNOWLEDGE.agents[chosen[0]].regimens[chosen[1]]
    # An order has no volume of a lesion, so what is counted on one cannot be compared.
    if regimen.basis is Basis.CONCENTRATION_VOLUME:
        return
    for amount in answer.dose.amounts:
        for order in _taken(chosen[0], regimen, amount):
            found = _one(order, patient)
            wrong = [
                item.id
                for item in found.findings
                if item.id in _AMOUNT_FINDINGS
                or (
                    item.id.startswith("above-")
                    and item.severity is Severity.CONTRAINDICATED
                    and "dose" in item.because[0]
                )
            ]
            assert (wrong, found.likely_causes) == ([], ()), (chosen, order, amount)
            assert found.regimen == chosen[1] or (amount.per is not regimen.per and "frequency" not in order)


# ---------------------------------------------------------------- orders near and far from a documented dose

#: How far an order lies from a documented dose.
FACTORS = [
    Decimal(text) for text in ("0.001", "0.1", "0.5", "0.9", "1", "1.001", "1.5", "2.2", "4", "7", "10", "20", "1000")
]
ABOVE = [factor for factor in FACTORS if factor > 1]


def _round(value: Decimal) -> Decimal:
    """Return an amount as a prescriber writes it: no more than four significant figures."""
    return Decimal(f"{value:.4g}")


_FREQUENCIES: list[Json | None] = [
    None,
    {"times": Decimal(1), "every": _quantity(Decimal(1), "d")},
    {"times": Decimal(3), "every": _quantity(Decimal(1), "d")},
    {"times": Decimal(1), "every": _quantity(Decimal(8), "h")},
    {"times": Decimal(1), "every": _quantity(Decimal(1), "wk")},
    {"times": Decimal(2), "every": _quantity(Decimal(1), "wk")},
    {"times": Decimal(1), "every": _quantity(Decimal(4), "wk")},
    {"times": Decimal(1), "every": _quantity(Decimal(1), "d"), "count": Decimal(3)},
    {"once": True},
]


def _milligrams(amount: Amount) -> Decimal:
    factors = {"mg": Decimal(1), "g": Decimal(1000), "ug": Decimal("0.001"), "ng": Decimal("0.000001")}
    return amount.high * factors[amount.unit]


@st.composite
def orders(draw: st.DrawFn, factors: list[Decimal] = FACTORS) -> tuple[Json, Json]:
    """Return an order in milligrams, some factor away from a documented dose, and its patient."""
    patient = draw(patients)
    agent, id_ = draw(regimens)
    regimen = _KNOWLEDGE.agents[agent].regimens[id_]
    answer = _computed(agent, id_, patient, outside=True)
    assume(answer is not None and answer.dose is not None)
    assert answer is not None  # for the type checker
    assert answer.dose is not None
    amounts = [item for item in answer.dose.amounts if item.unit in {"mg", "g", "ug", "ng"}]
    assume(amounts)
    amount = draw(st.sampled_from(amounts))
    value = _round(_milligrams(amount) * draw(st.sampled_from(factors)))
    frequency = draw(st.sampled_from(_FREQUENCIES))
    order: Json = {"agent": agent, "route": regimen.route}
    per = Per.ADMINISTRATION if frequency is not None else amount.per
    order["dose"] = {"value": value, "unit": "mg", "per": per.value}
    order |= {"frequency": frequency} if frequency is not None else {}
    order |= {"regimen": id_} if draw(st.booleans()) else {}
    return order, patient


def _with_dose(order: Json, factor: Decimal, unit: str = "mg") -> Json:
    dose = order["dose"]
    return order | {"dose": dose | {"value": dose["value"] * factor, "unit": unit}}


@bounded
@given(orders(), st.sampled_from([("g", "0.001"), ("ug", "1000"), ("ng", "1000000")]))
def test_unit_does_not_matter(case: tuple[Json, Json], unit: tuple[str, str]) -> None:
    """The same mass in another unit gets the same verdict, ratio, findings and causes."""
    order, patient = case
    other = _with_dose(order, Decimal(unit[1]), unit[0])
    assume(Decimal("0.000001") <= other["dose"]["value"] <= Decimal(10**9))
    assert _told(_one(order, patient)) == _told(_one(other, patient))


@bounded
@given(orders())
def test_per_kg_or_whole_does_not_matter(case: tuple[Json, Json]) -> None:
    """The same mass per kg lies where the whole lies, beside the same regimen; only the choice of a regimen and the
    causes look at how an order is written.
    """
    order, patient = case
    assume("regimen" in order)
    per_kg = order | {"dose": order["dose"] | {"unit": "mg/kg"}}
    whole = _with_dose(order, patient["weight"]["value"])
    assume(whole["dose"]["value"] <= Decimal(10**9))
    first, second = _one(per_kg, patient), _one(whole, patient)
    assume("named-regimen-does-not-fit" not in _ids(first))
    assert (first.regimen, first.ratio, sorted(_ids(first))) == (second.regimen, second.ratio, sorted(_ids(second)))
    if not first.likely_causes and not second.likely_causes:
        assert first.verdict is second.verdict


@bounded
@given(orders(), orders(), orders())
def test_order_of_the_orders_does_not_matter(
    first: tuple[Json, Json], second: tuple[Json, Json], third: tuple[Json, Json]
) -> None:
    """Sent the other way round, each order gets the same answer."""
    said, patient = [case[0] for case in (first, second, third)], first[1]
    forward, backward = _checked(said, patient), _checked([*reversed(said)], patient)
    assert forward.verdict is backward.verdict
    for one, other in zip(forward.orders, reversed(backward.orders), strict=True):
        assert (one.agent, one.verdict, one.ratio) == (other.agent, other.verdict, other.ratio)
        assert sorted(_ids(one)) == sorted(_ids(other))
        assert {cause.kind for cause in one.likely_causes} == {cause.kind for cause in other.likely_causes}


@bounded
@given(orders())
def test_two_halves_are_one_order(case: tuple[Json, Json]) -> None:
    """An order split into two of half the dose and the same frequency is judged as the whole."""
    order, patient = case
    half = _with_dose(order, Decimal("0.5"))
    whole, halves = _one(order, patient), _checked([half, half], patient)
    for found in halves.orders:
        assert (found.verdict, found.regimen, found.ratio) == (whole.verdict, whole.regimen, whole.ratio)
        assert sorted(_ids(found)) == sorted(_ids(whole))
    assert [found.summed_with for found in halves.orders] == [("1",), ("0",)]


MORE = st.sampled_from([Decimal(text) for text in ("1.1", "2", "3", "5", "10", "30", "1000")])


def _pinned(case: tuple[Json, Json]) -> tuple[Json, Json]:
    """Return an order above its range with the regimen it is compared with named, so that a higher dose is compared
    with the same one.
    """
    order, patient = case
    found = _one(order, patient)
    assume("above-range" in _ids(found) and found.regimen is not None)
    return order | {"regimen": found.regimen}, patient


@above
@given(orders(ABOVE), MORE)
def test_more_is_never_better(case: tuple[Json, Json], factor: Decimal) -> None:
    """Of an order that is stopped for too much, no higher dose at the same frequency is less than stopped."""
    order, patient = _pinned(case)
    assume(order["dose"]["value"] * factor <= Decimal(10**9))
    assume(_one(order, patient).verdict is OrderVerdict.STOP)
    assert _one(_with_dose(order, factor), patient).verdict is OrderVerdict.STOP


@above
@given(orders(ABOVE), MORE)
def test_more_than_too_much_is_too_much(case: tuple[Json, Json], factor: Decimal) -> None:
    """An order above the range of a regimen stays above it, with a warning at least, when the dose is raised.

    The exceptions are a start that its source raises without an end, and a range that is this patient's only perhaps.
    """
    order, patient = _pinned(case)
    assume(order["dose"]["value"] * factor <= Decimal(10**9))
    first, higher = _one(order, patient), _one(_with_dose(order, factor), patient)
    assert "above-range" in _ids(first)
    assert "above-range" in _ids(higher)
    (said,) = [item for item in higher.findings if item.id == "above-range"]
    is_open = said.severity is Severity.INFO or said.verdict is Verdict.POSSIBLE
    assert is_open or higher.verdict in {OrderVerdict.STOP, OrderVerdict.WARN}
    assert first.ratio is not None
    assert higher.ratio is not None
    # A ratio keeps twelve digits.
    assert abs(higher.ratio.high - first.ratio.high * factor) <= first.ratio.high * factor / 10**10


_FIELDS = ["age", "sex", "weight", "height", "pregnant", "lactating", "conditions", "allergies", "medications"]
_FIELDS += ["observations"]


@bounded
@given(orders(), st.sets(st.sampled_from(_FIELDS), min_size=1))
def test_not_knowing_is_never_a_pass(case: tuple[Json, Json], dropped: set[str]) -> None:
    """An order that does not pass does not pass either when less is known of the patient."""
    order, patient = case
    known = _checked([order], patient)
    less = _checked([order], {name: value for name, value in patient.items() if name not in dropped})
    if known.verdict is not OrderVerdict.PASS:
        assert less.verdict is not OrderVerdict.PASS


@bounded
@given(orders())
def test_pass_means_that_every_check_ran(case: tuple[Json, Json]) -> None:
    """A pass has no open check and nothing that may apply, and the whole is as bad as its worst part."""
    answer = _checked([case[0]], case[1])
    (found,) = answer.orders
    if found.verdict is OrderVerdict.PASS:
        assert found.not_checked == ()
        assert not _AMOUNT_FINDINGS & set(_ids(found))
        assert not [item for item in found.findings if item.verdict.value == "possible"]
    assert _RANK.index(answer.verdict) >= _RANK.index(found.verdict)


@bounded
@given(orders())
def test_a_cause_is_only_named_for_what_does_not_fit(case: tuple[Json, Json]) -> None:
    """An order within its range has no cause; one outside has at most three, each of another kind."""
    found = _one(*case)
    if not _AMOUNT_FINDINGS & set(_ids(found)):
        assert found.likely_causes == ()
    kinds = [cause.kind for cause in found.likely_causes]
    assert len(kinds) == len(set(kinds)) <= 3
    assert all(cause.summary.endswith(".") and cause.would_be.text for cause in found.likely_causes)
    regimens = _KNOWLEDGE.agents[found.agent or ""].regimens
    for cause in found.likely_causes:
        meant = regimens[cause.would_be.regimen]
        is_other_use = meant.use == "reference" and found.regimen is not None
        assert not is_other_use or meant.indication == regimens[found.regimen or ""].indication


@bounded
@given(orders())
def test_every_reason_is_a_path_of_the_request(case: tuple[Json, Json]) -> None:
    """What an answer points to, as a reason or as missing, is a place of the request, never a name of its own."""
    answer = _checked([case[0]], case[1])
    (found,) = answer.orders
    places = [*(path for item in found.findings for path in item.because)]
    places += [path for item in [*found.not_checked, *answer.not_checked] for path in item.needs]
    assert not [path for path in places if not path.startswith(("patient.", "orders[0]", "options.jurisdiction"))]


@bounded
@given(orders())
def test_answers_are_repeated(case: tuple[Json, Json]) -> None:
    """The same order of the same patient gets the same answer."""
    assert _checked([case[0]], case[1]) == _checked([case[0]], case[1])
