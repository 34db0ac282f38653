"""Documented maxima: which concern this patient and product, which are reached, and which of them holds the dose."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec

from dosing_service.knowledge.base import Effect, Limit
from dosing_service.model import LimitCheck, Patient, Per, Value
from dosing_service.rules.population import AGE, HEIGHT, WEIGHT, Answer, in_age_range, in_range
from dosing_service.rules.schedule import Conversion
from dosing_service.units import over, over_down, times

FREQUENCY = "frequency"
PER_OF_KIND = {
    "single-maximum": Per.ADMINISTRATION,
    "daily-maximum": Per.DAY,
    "weekly-maximum": Per.WEEK,
    "monthly-maximum": Per.MONTH,
    "course-maximum": Per.COURSE,
    "rate-maximum": Per.RATE,
}


class Amounts(Value, frozen=True):
    """What limits are compared with: the kind of the regimen's own amount and the kinds that follow from it, and the
    patient's measures (by the unit that a limit may be counted on). ``daily_mg`` is the most that is given in a day,
    for the limits of a range of doses.
    """

    own: Per
    conversions: tuple[Conversion, ...]
    measures: Mapping[str | None, Decimal | None]
    daily_mg: Decimal | None = None


class BoundLimit(Value, frozen=True):
    """A limit worked out for this patient, in the unit of the dose.

    ``most`` is how much of the regimen's own amount it allows, ``None`` where that cannot be told; ``holds`` says
    whether it may hold the dose; ``needs`` names the inputs without which it cannot be compared.
    """

    limit: Limit
    value: Decimal
    most: Decimal | None
    holds: bool
    needs: tuple[str, ...] = ()


def concerning(
    limits: Sequence[Limit], patient: Patient, formulation: str | None, amounts: Amounts
) -> tuple[BoundLimit, ...]:
    """Return the limits that concern this patient.

    A limit for another age, weight or formulation is left out; one whose gate cannot be decided stays, and holds
    nothing. Among caps of formulations, without a chosen product (or with one whose formulation has no documented
    maximum), only the highest holds the dose: no product permits more, and each lower one still speaks.
    """
    documented = {limit.formulation for limit in limits if limit.formulation}
    chosen = formulation if formulation in documented else None
    bound = [
        item
        for limit in limits
        if chosen is None or limit.formulation in {None, chosen}
        if (item := _bound(limit, patient, amounts)) is not None
    ]
    return _only_highest_hold(bound) if documented and chosen is None else tuple(bound)


def _bound(limit: Limit, patient: Patient, amounts: Amounts) -> BoundLimit | None:
    """Return a limit with what it lacks, or ``None`` when it is for another age, weight or dose."""
    needs: tuple[str, ...] = ()
    if limit.age is not None or limit.weight is not None or limit.dose is not None:
        by_age = in_age_range(limit.age, patient.age)
        by_weight = in_range(limit.weight, patient.weight.kg if patient.weight else None)
        by_dose = in_range(limit.dose, _daily_mg_per_kg(amounts))
        if Answer.NO in {by_age, by_weight, by_dose}:
            return None
        needs = (AGE,) if by_age is Answer.UNKNOWN else ()
        needs = (*needs, WEIGHT) if by_weight is Answer.UNKNOWN else needs
        needs = (*needs, _need_of_dose(amounts)) if by_dose is Answer.UNKNOWN else needs
    measure = amounts.measures[limit.unit.body]
    if measure is None:
        needs = tuple(dict.fromkeys((*needs, *((WEIGHT, HEIGHT) if limit.unit.body == "m2" else (WEIGHT,)))))
        return BoundLimit(limit, limit.value, None, holds=False, needs=needs)
    value = times(limit.value, measure)
    most = None if needs else _most(limit, value, amounts)
    return BoundLimit(limit, value, most, holds=most is not None and limit.effect is Effect.CAP, needs=needs)


def _daily_mg_per_kg(amounts: Amounts) -> Decimal | None:
    kg = amounts.measures["kg"]
    return None if kg is None or amounts.daily_mg is None else over(amounts.daily_mg, kg)


def _need_of_dose(amounts: Amounts) -> str:
    return WEIGHT if amounts.measures["kg"] is None else FREQUENCY


def _most(limit: Limit, value: Decimal, amounts: Amounts) -> Decimal | None:
    """Return the most of the regimen's own amount that a limit allows; ``None`` when its kind of amount is unknown."""
    per = PER_OF_KIND.get(limit.kind)
    if per is None or per is amounts.own:
        return None if per is None else value
    for conversion in amounts.conversions:
        if conversion.per is per:
            return times(value, conversion.low) if conversion.divides else over_down(value, conversion.high)
    return None


def _only_highest_hold(bound: Sequence[BoundLimit]) -> tuple[BoundLimit, ...]:
    highest: dict[str, Decimal] = {}
    for item in bound:
        if item.limit.formulation:
            highest[item.limit.kind] = max(item.value, highest.get(item.limit.kind, item.value))
    return tuple(
        msgspec.structs.replace(item, holds=False)
        if item.limit.formulation and item.value < highest[item.limit.kind]
        else item
        for item in bound
    )


def holding(bound: Sequence[BoundLimit], high: Decimal) -> BoundLimit | None:
    """Return the limit that holds a dose of ``high``: the lowest of those that may, if the dose is above it."""
    candidates = [(item.most, item) for item in bound if item.holds and item.most is not None and high > item.most]
    return min(candidates, key=lambda pair: pair[0])[1] if candidates else None


def most(bound: Sequence[BoundLimit]) -> Decimal | None:
    """Return the most of the regimen's own amount that may be given at all: the lowest of the limits that may hold a
    dose, ``None`` without one.
    """
    return min((item.most for item in bound if item.holds and item.most is not None), default=None)


def check(item: BoundLimit, high: Decimal) -> LimitCheck:
    """Return the limit as the answer shows it, compared with the uncapped amount before any rounding."""
    limit = item.limit
    return LimitCheck(
        kind=limit.kind,
        value=item.value,
        unit=_unit(item),
        effect=limit.effect,
        applies_to=limit.applies_to,
        reached=None if item.most is None else high >= item.most,
        exceeded=None if item.most is None else high > item.most,
        needs=item.needs,
        references=limit.citations.references,
        verified=limit.citations.verified,
    )


def _unit(item: BoundLimit) -> str:
    """Return the amount unit alone, since the kind carries the period (a rate keeps its own); per body where the
    measure was not given.
    """
    unit = item.limit.unit
    if item.limit.kind == "rate-maximum" and unit.body and item.value is not item.limit.value:
        return unit.code.replace(f"/{unit.body}", "")
    if item.limit.kind in {"rate-maximum", "duration-maximum"}:
        return unit.code
    return f"{unit.amount}/{unit.body}" if unit.body and item.value is item.limit.value else unit.amount
