"""Where sources contradict each other: every side, who says so, and what it comes to for this patient."""

from collections.abc import Iterable
from decimal import Decimal
from functools import cache

from dosing_service.knowledge.base import Agent, Disagreement, DoseFigure, PositionRule, Regimen, describe_population
from dosing_service.model import Amount, Basis, Category, Dose, Finding, Patient, Per, Position, Value, Verdict
from dosing_service.rules import dose
from dosing_service.rules.findings import per_kg_text
from dosing_service.rules.measure import Missing, area_of, of_figure
from dosing_service.rules.population import Answer, applicability, in_age_range, in_range
from dosing_service.rules.schedule import ADVERB, amounts_in_year
from dosing_service.rules.wording import amount_text
from dosing_service.units import display_range, over, times

_WORDS_OF_INPUT = {
    "patient.weight": "the weight",
    "patient.height": "the height",
    "patient.age": "the age",
    "patient.sex": "the sex",
    "options.volume": "the volume",
}


class _Case(Value, frozen=True):
    """One disagreement about one agent, for one request."""

    agent: Agent
    item: Disagreement
    patient: Patient
    doses: dose.Doses


def found(agent: Agent, in_play: Iterable[str], patient: Patient, doses: dose.Doses) -> list[Finding]:
    """Return the disagreements about ``agent`` that concern this patient and one of the regimens ``in_play``."""
    regimens = set(in_play)
    concerning = (item for item in agent.disagreements if _concerns(item, regimens, patient))
    return [_finding(_Case(agent, item, patient, doses)) for item in concerning]


def _concerns(item: Disagreement, in_play: set[str], patient: Patient) -> bool:
    if item.regimens and not in_play & set(item.regimens):
        return False
    return not _ruled_out(item, patient)


def _ruled_out(item: Disagreement | PositionRule, patient: Patient) -> bool:
    kg = patient.weight.kg if patient.weight else None
    return Answer.NO in (in_age_range(item.age, patient.age), in_range(item.weight, kg))


def _finding(case: _Case) -> Finding:
    item = case.item
    sides = [rule for rule in item.positions if not _ruled_out(rule, case.patient)]
    return Finding(
        id=item.id,
        category=Category.DISAGREEMENT,
        severity=item.severity,
        verdict=Verdict.APPLIES,
        summary=item.summary,
        because=("agent",),
        management=item.management,
        references=item.citations.references,
        verified=item.citations.verified,
        positions=tuple(_position(case, rule) for rule in sides),
    )


def _position(case: _Case, rule: PositionRule) -> Position:
    if rule.regimen is not None:
        return _says(rule, _regimen_text(case, case.agent.regimens[rule.regimen]))
    if rule.figure is not None:
        return _says(rule, _figure_text(case, rule, rule.figure))
    return _in_words(rule)


def _says(rule: PositionRule, text: str) -> Position:
    return Position(rule.says, text, rule.citations.references, rule.citations.verified)


@cache
def _in_words(rule: PositionRule) -> Position:
    return _says(rule, rule.text or "")


def _regimen_text(case: _Case, regimen: Regimen) -> str:
    text = _computed_text(case, regimen)
    if applicability(regimen, case.patient).answer is Answer.NO:
        return f"{text} [documented for {describe_population(regimen)}, not for this patient]"
    return text


def _computed_text(case: _Case, regimen: Regimen) -> str:
    result = dose.constant(regimen) or case.doses.of(regimen)
    if isinstance(result, Missing):
        return _not_worked_out(regimen.figure, result)
    if not result.dose.amounts:
        return result.dose.concentration.text if result.dose.concentration else regimen.name
    own, total = _own(result.dose), result.dose.course_total
    extra = _per_body(case, own)
    in_year = amounts_in_year(regimen) if "per-year" in case.item.compare else None
    if in_year is not None:
        extra.append(amount_text(times(own.low, in_year[0]), times(own.high, in_year[1]), own.unit, "in a year"))
    if "per-course" in case.item.compare and total is not None and total is not own:
        extra.append(total.text)
    return _with(own.text, extra)


def _own(said: Dose) -> Amount:
    """Return what a source says: a fixed amount as it is written, although another source's maximum holds it here."""
    return said.cap.uncapped if said.cap is not None and said.basis is Basis.FIXED else said.amounts[0]


def _not_worked_out(figure: DoseFigure | None, missing: Missing) -> str:
    needed = " and ".join(dict.fromkeys(_WORDS_OF_INPUT[item.needs[0]] for item in missing.inputs))
    if figure is None:
        return f"depends on {needed}, which is not given"
    documented = amount_text(
        figure.low, figure.high, figure.unit.code, ADVERB[figure.per] if not figure.unit.time else ""
    )
    return f"{documented} (not worked out without {needed})"


def _figure_text(case: _Case, rule: PositionRule, figure: DoseFigure) -> str:
    if figure.unit.body == "mL":
        return f"{display_range(figure.low, figure.high, figure.unit.amount)} in each mL"
    measure = of_figure(figure, case.patient, rule.dosing_weight, case.doses.formula)
    if isinstance(measure, Missing):
        return _not_worked_out(figure, measure)
    factor = measure.value if measure.value is not None else Decimal(1)
    low, high, unit = times(figure.low, factor), times(figure.high, factor), figure.unit.amount
    if figure.per is Per.RATE:
        unit = f"{unit}/{figure.unit.time}"
    own = Amount(figure.per, low, high, unit, amount_text(low, high, unit, ADVERB[figure.per]))
    extra = _per_body(case, own)
    if rule.reaches is not None:
        total = amount_text(rule.reaches, rule.reaches, unit, "in all")
        extra.append(f"{total} after {display_range(over(rule.reaches, high), over(rule.reaches, low), 'days')}")
    return _with(own.text, extra)


def _per_body(case: _Case, own: Amount) -> list[str]:
    extra = []
    if "per-kg" in case.item.compare and case.patient.weight is not None:
        extra.append(per_kg_text(own, case.patient.weight.kg))
    area = area_of(case.patient, case.doses.formula) if "per-m2" in case.item.compare else None
    if area is not None:
        extra.append(amount_text(over(own.low, area), over(own.high, area), f"{own.unit}/m2", ADVERB[own.per]))
    return extra


def _with(text: str, extra: list[str]) -> str:
    return f"{text} ({'; '.join(extra)})" if extra else text
