"""Documented maxima: which concern this patient and product, whether they are reached, and what they do to the dose."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from dosing_service.knowledge.base import Effect, Limit
from dosing_service.model import LimitCheck, Patient, Per
from dosing_service.rules.population import AGE, HEIGHT, WEIGHT, Answer, in_age_range, in_range
from dosing_service.rules.schedule import Conversion
from dosing_service.units import over_down, times

PER_OF_KIND = {
    "single-maximum": Per.ADMINISTRATION,
    "daily-maximum": Per.DAY,
    "weekly-maximum": Per.WEEK,
    "monthly-maximum": Per.MONTH,
    "course-maximum": Per.COURSE,
    "rate-maximum": Per.RATE,
}


@dataclass(frozen=True, slots=True)
class BoundLimit:
    """A limit worked out for this patient, in the unit of the dose.

    ``holds`` says whether it may hold the dose; ``needs`` names the inputs without which it cannot be compared.
    """

    limit: Limit
    value: Decimal
    holds: bool
    needs: tuple[str, ...] = ()


def concerning(
    limits: Sequence[Limit], patient: Patient, formulation: str | None, measures: Mapping[str | None, Decimal | None]
) -> tuple[BoundLimit, ...]:
    """Return the limits that concern this patient, bound to the patient's measures.

    A limit for another age, weight or formulation is left out; one whose gate cannot be decided stays, and holds
    nothing. Among caps of formulations, without a chosen product (or with one whose formulation has no documented
    maximum), only the highest holds the dose: no product permits more, and each lower one still speaks.
    """
    if formulation not in {limit.formulation for limit in limits}:
        formulation = None
    bound = [_bound(limit, patient, measures[limit.unit.body]) for limit in limits if not _is_other(limit, formulation)]
    kept = [item for item in bound if item is not None]
    return tuple(kept) if formulation else _only_highest_hold(kept)


def _is_other(limit: Limit, formulation: str | None) -> bool:
    return limit.formulation is not None and formulation is not None and limit.formulation != formulation


def _bound(limit: Limit, patient: Patient, measure: Decimal | None) -> BoundLimit | None:
    """Return a limit with what it lacks, or ``None`` when it is for another age or weight."""
    kg = patient.weight.kg if patient.weight else None
    gates = ((AGE, in_age_range(limit.age, patient.age)), (WEIGHT, in_range(limit.weight, kg)))
    if any(answer is Answer.NO for _, answer in gates):
        return None
    needs = tuple(path for path, answer in gates if answer is Answer.UNKNOWN)
    if measure is None:
        missing = (WEIGHT, HEIGHT) if limit.unit.body == "m2" else (WEIGHT,)
        return BoundLimit(limit, limit.value, holds=False, needs=tuple(dict.fromkeys((*needs, *missing))))
    return BoundLimit(limit, times(limit.value, measure), holds=not needs and limit.effect is Effect.CAP, needs=needs)


def _only_highest_hold(bound: Sequence[BoundLimit]) -> tuple[BoundLimit, ...]:
    highest: dict[str, Decimal] = {}
    for item in bound:
        if item.limit.formulation:
            highest[item.limit.kind] = max(item.value, highest.get(item.limit.kind, item.value))
    return tuple(
        replace(item, holds=False) if item.limit.formulation and item.value < highest[item.limit.kind] else item
        for item in bound
    )


def allowed(item: BoundLimit, own: Per, conversions: Sequence[Conversion]) -> Decimal | None:
    """Return the most of the regimen's own amount that a limit allows.

    ``None`` means that it cannot be compared: an input is missing, or the limit is on a kind of amount that does not
    follow from the source.
    """
    per = PER_OF_KIND.get(item.limit.kind)
    if item.needs or per is None:
        return None
    if per is own:
        return item.value
    for conversion in conversions:
        if conversion.per is per:
            return times(item.value, conversion.low) if conversion.divides else over_down(item.value, conversion.high)
    return None


def check(item: BoundLimit, highest_own: Decimal, own: Per, conversions: Sequence[Conversion]) -> LimitCheck:
    """Return the limit as the answer shows it; ``reached`` compares the uncapped amount, before any rounding."""
    most = allowed(item, own, conversions)
    limit = item.limit
    return LimitCheck(
        kind=limit.kind,
        value=item.value,
        unit=_unit(item),
        effect=limit.effect.value,
        applies_to=limit.applies_to,
        reached=None if most is None else highest_own >= most,
        exceeded=None if most is None else highest_own > most,
        needs=item.needs,
        citations=limit.citations,
    )


def _unit(item: BoundLimit) -> str:
    """Return the unit of a limit's value: the amount alone, since the kind carries the period; per body where no
    measure was given.
    """
    unit = item.limit.unit
    if item.limit.kind in {"rate-maximum", "duration-maximum"}:
        return unit.code
    per_body = unit.body is not None and item.value == item.limit.value and bool(item.needs)
    return f"{unit.amount}/{unit.body}" if per_body else unit.amount
