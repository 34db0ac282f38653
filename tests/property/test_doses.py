"""What must hold for every patient, tried with generated ones."""

from decimal import Decimal
from typing import Any

from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dosing_service import service
from dosing_service.errors import InvalidRequest
from dosing_service.knowledge import load
from dosing_service.model import Assessment, Dose, Status
from schemas.reading import dose_request

_KNOWLEDGE = load()
_REGIMENS = [(agent.id, id_) for agent in _KNOWLEDGE.agents.values() for id_ in agent.regimens]
_POUND = Decimal("0.45359237")

#: The same examples in every run: a property that fails must fail for everyone.
bounded = settings(
    max_examples=300, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
ages = st.decimals("0.1", "95", places=1)
weights = st.decimals("2", "180", places=2)
heights = st.decimals("45", "205", places=1)
regimens = st.sampled_from(_REGIMENS)


def _assess(agent: str, regimen: str, age: Decimal, weight: dict[str, Any], height: Decimal) -> Assessment:
    body = {
        "agent": agent,
        "regimen": regimen,
        "patient": {
            "age": {"value": age, "unit": "a"},
            "sex": "female",
            "weight": weight,
            "height": {"value": height, "unit": "cm"},
        },
        "options": {"include_outside_population": True, "volume": {"value": Decimal("0.1"), "unit": "mL"}},
    }
    return service.calculate_dose(dose_request(body), _KNOWLEDGE)


def _dose(chosen: tuple[str, str], age: Decimal, kg: Decimal, height: Decimal) -> Dose | None:
    try:
        return _assess(*chosen, age, {"value": kg, "unit": "kg"}, height).dose
    except InvalidRequest:
        return None  # ideal body weight is not defined below 152.4 cm: the caller is told so


@bounded
@given(regimens, ages, weights, heights)
def test_no_cap_is_exceeded(chosen: tuple[str, str], age: Decimal, kg: Decimal, height: Decimal) -> None:
    """Whatever the patient, an amount is never above a cap of its own kind that is known to apply to it."""
    dose = _dose(chosen, age, kg, height)
    if dose is None:
        return
    regimen = _KNOWLEDGE.agents[chosen[0]].regimens[chosen[1]]
    by_formulation = [
        limit.value for limit in regimen.limits if limit.formulation and limit.kind == "daily-maximum" and not limit.age
    ]
    kinds = {
        "single-maximum": "administration",
        "daily-maximum": "day",
        "weekly-maximum": "week",
        "course-maximum": "course",
    }
    for limit in dose.limits:
        if limit.effect != "cap" or limit.needs or limit.kind not in kinds:
            continue
        is_lower_formulation = by_formulation and limit.value in by_formulation and limit.value < max(by_formulation)
        for amount in dose.amounts:
            if amount.per.value == kinds[limit.kind] and not is_lower_formulation:
                assert amount.high <= limit.value, (chosen, amount.text, limit)


@bounded
@given(regimens, ages, weights, heights, st.decimals("0", "40", places=2))
def test_dose_never_falls_when_weight_rises(
    chosen: tuple[str, str], age: Decimal, kg: Decimal, height: Decimal, more: Decimal
) -> None:
    """Heavier is never less, except where a documented band steps down."""
    lighter, heavier = _dose(chosen, age, kg, height), _dose(chosen, age, kg + more, height)
    regimen = _KNOWLEDGE.agents[chosen[0]].regimens[chosen[1]]
    if lighter is None or heavier is None or regimen.bands or not lighter.amounts:
        return
    assert lighter.amounts[0].low <= heavier.amounts[0].low
    assert lighter.amounts[0].high <= heavier.amounts[0].high


@bounded
@given(regimens, ages, st.decimals("5", "300", places=2), heights)
def test_dose_does_not_depend_on_the_unit_of_weight(
    chosen: tuple[str, str], age: Decimal, pounds: Decimal, height: Decimal
) -> None:
    """Kilograms, grams and pounds give the same dose to the last digit."""
    kg = pounds * _POUND
    spelled = [
        {"value": kg, "unit": "kg"},
        {"value": kg * 1000, "unit": "g"},
        {"value": pounds, "unit": "[lb_av]"},
        {"value": pounds, "unit": "lb"},
    ]
    try:
        answers = [_assess(*chosen, age, weight, height) for weight in spelled]
    except InvalidRequest:
        return
    assert all(answers[0].dose == answer.dose for answer in answers)
    assert all(answers[0].findings == answer.findings for answer in answers)


@bounded
@given(regimens, ages, weights, heights)
def test_every_number_is_cited(chosen: tuple[str, str], age: Decimal, kg: Decimal, height: Decimal) -> None:
    """Every dose, limit, step, finding and position of an answer carries references, and each of them exists."""
    try:
        answer = _assess(*chosen, age, {"value": kg, "unit": "kg"}, height)
    except InvalidRequest:
        return
    doses = [answer.dose, *(item.dose for item in answer.alternatives)]
    stated = [*answer.derivation, *answer.findings]
    stated += [position for finding in answer.findings for position in finding.positions]
    stated += [item for dose in doses if dose for item in (dose, *dose.limits)]
    stated += [step for item in answer.alternatives for step in item.derivation]
    for item in stated:
        assert item.references
        assert set(item.references) <= set(_KNOWLEDGE.references)


@bounded
@given(regimens, ages, weights, heights)
def test_answers_are_repeated_byte_for_byte(
    client: FlaskClient, chosen: tuple[str, str], age: Decimal, kg: Decimal, height: Decimal
) -> None:
    """The same request gives the same bytes."""
    body = {
        "agent": chosen[0],
        "regimen": chosen[1],
        "patient": {
            "age": {"value": float(age), "unit": "a"},
            "sex": "male",
            "weight": {"value": float(kg), "unit": "kg"},
            "height": {"value": float(height), "unit": "cm"},
        },
    }
    first, second = (client.post("/v1/dose-calculations", json=body) for _ in range(2))
    assert (first.status_code, first.data) == (second.status_code, second.data)


@bounded
@given(st.sampled_from(sorted(_KNOWLEDGE.agents)), ages, weights)
def test_unknown_age_never_hides_an_alternative(agent: str, age: Decimal, kg: Decimal) -> None:
    """What applies to a patient with an age is also shown, as possible, when the age is unknown."""
    weight = {"weight": {"value": kg, "unit": "kg"}}

    def shown(patient: dict[str, Any]) -> set[str]:
        try:
            answer = service.calculate_dose(dose_request({"agent": agent, "patient": patient}), _KNOWLEDGE)
        except InvalidRequest:
            return set(_KNOWLEDGE.agents[agent].regimens)
        chosen = {answer.regimen} if answer.regimen and answer.status is Status.COMPUTED else set()
        return {item.regimen for item in answer.alternatives} | chosen

    assert shown(weight | {"age": {"value": age, "unit": "a"}}) <= shown(weight)
