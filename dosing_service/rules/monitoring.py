"""The monitoring plan for one patient: what is done, what is out of range or too old, and when the next is due; and
what a result that is out of range says now.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal

from dosing_service.knowledge.base import Agent
from dosing_service.knowledge.lab_units import dimension, in_base
from dosing_service.knowledge.ranges import Range
from dosing_service.knowledge.safety import Analyte, MonitoringLine, Threshold
from dosing_service.model import (
    BaselineStatus,
    Category,
    Finding,
    MonitoringItem,
    MonitoringThreshold,
    Observation,
    Quantity,
    Severity,
    Value,
    Verdict,
)
from dosing_service.rules.conditions import Context, evaluate, result_text
from dosing_service.rules.facts import Facts, Result
from dosing_service.rules.population import Answer
from dosing_service.units import minus

_ORDER = list(Severity)
#: A result counts as current for the longest interval that any plan documents, where its own line has none in days.
_YEAR = Decimal("365.25")


class _Crossed(Value, frozen=True):
    """A threshold, the result beyond it, and what tells whether the threshold is one for this patient."""

    threshold: Threshold
    result: Result
    needs: tuple[str, ...]


def plan(agent: Agent, context: Context, as_of: date | None, start: date | None) -> tuple[MonitoringItem, ...]:
    """Return the agent's plan, with the results of the request in it and dates when a start date is given."""
    return tuple(_item(line, context, as_of, start) for line in agent.safety.monitoring)


def findings(agent: Agent, context: Context, as_of: date | None, said: Iterable[Finding]) -> list[Finding]:
    """Return one finding per current result beyond a threshold of the plan, with the severity of that threshold.

    A result that one of the findings ``said`` already counts, and at least as gravely, is not said again.
    """
    known = tuple(said)
    found: dict[str, Finding] = {}
    for line in agent.safety.monitoring:
        for result in _given(line, context.facts):
            crossed = _crossed(line, context, result) if result and _is_current(line, result, as_of) else None
            if crossed is not None and not any(_says(item, crossed) for item in known):
                finding = _finding(line, crossed, context.facts)
                found.setdefault(finding.id, finding)
    return list(found.values())


def _says(finding: Finding, crossed: _Crossed) -> bool:
    """Tell whether a finding already counts the result or, while it is open whom the threshold is for, waits for the
    same.
    """
    if _ORDER.index(finding.severity) > _ORDER.index(crossed.threshold.severity):
        return False
    if finding.verdict is Verdict.POSSIBLE:
        return bool(crossed.needs) and set(crossed.needs) <= set(finding.because)
    return crossed.result.path in finding.because


def _is_current(line: MonitoringLine, result: Result, as_of: date | None) -> bool:
    measured_on = result.observation.measured_on
    if as_of is None or measured_on is None:
        return True
    longest = line.interval_days[1] if line.interval_days else _YEAR
    return Decimal((as_of - measured_on).days) <= longest


def _finding(line: MonitoringLine, crossed: _Crossed, facts: Facts) -> Finding:
    threshold, result = crossed.threshold, crossed.result
    measured_on = result.observation.measured_on
    dated = f" on {measured_on}" if measured_on else ""
    text = f"{'rise of ' if line.is_rise else ''}{result_text(result, facts)}{dated}"
    bound = threshold.text.removesuffix(" {INR}")
    is_open = bool(crossed.needs)
    return Finding(
        id=f"{'rise-of' if line.is_rise else 'out-of-range'}-{_analyte(result, facts).id}",
        category=Category.PRECAUTION,
        severity=threshold.severity,
        verdict=Verdict.POSSIBLE if is_open else Verdict.APPLIES,
        summary=f"{text[0].upper()}{text[1:]}, which is {bound}.",
        because=crossed.needs if is_open else (result.path,),
        management=f"Find out first. If it holds: {threshold.action}" if is_open else threshold.action,
        references=threshold.citations.references,
        verified=threshold.citations.verified,
    )


def _item(line: MonitoringLine, context: Context, as_of: date | None, start: date | None) -> MonitoringItem:
    given = _given(line, context.facts)
    status, result, crossed = _judged(line, context, given, as_of)
    next_on = None
    if start is not None and line.interval_days is not None:
        next_on = start + timedelta(days=int(line.interval_days[0]))
    return MonitoringItem(
        parameter=line.parameter,
        loinc=line.loinc,
        baseline=line.baseline,
        interval=line.interval_text,
        thresholds=tuple(_shown(item) for item in line.thresholds),
        status=status,
        result=Quantity(result.observation.value, result.observation.unit) if result else None,
        measured_on=result.observation.measured_on if result else None,
        action=crossed.action if crossed else _to_compare(line, status),
        baseline_on=start if line.baseline else None,
        next_on=next_on,
        references=line.citations.references,
        verified=line.citations.verified,
    )


def _to_compare(line: MonitoringLine, status: BaselineStatus) -> str | None:
    """Return what a reader must compare: multiples of the upper limit of normal, which differs by laboratory."""
    open_ = [item.text for item in line.thresholds if dimension(item.unit) is None]
    if status is not BaselineStatus.DONE or not open_:
        return None
    return f"Compare it with your laboratory's upper limit of normal, which is not known here: {', '.join(open_)}."


def _shown(threshold: Threshold) -> MonitoringThreshold:
    citations = threshold.citations
    return MonitoringThreshold(threshold.text, threshold.action, citations.references, citations.verified)


def _given(line: MonitoringLine, facts: Facts) -> list[Result | None]:
    """Return the result of each analyte that the line asks for, ``None`` for one that was not given."""
    analytes = dict.fromkeys(facts.terminology.analyte_of_loinc[code] for code in line.loinc)
    results = [_rise(id_, facts) if line.is_rise else facts.results.get(id_) for id_ in analytes]
    return [result for result in results if result is not None] or results if line.one_is_enough else results


def _rise(analyte: str, facts: Facts) -> Result | None:
    """Return by how much the latest result is above the baseline, in the unit of the analyte's first code."""
    latest, baseline = facts.results.get(analyte), facts.baseline(analyte)
    if latest is None or baseline is None:
        return None
    code, unit = next(iter(facts.terminology.analytes[analyte].units.items()))
    rise = minus(latest.base, baseline.base)
    return Result(latest.path, rise, Observation(code, rise, unit, latest.observation.measured_on))


def _judged(
    line: MonitoringLine, context: Context, given: list[Result | None], as_of: date | None
) -> tuple[BaselineStatus, Result | None, Threshold | None]:
    """Return what the results come to and the one that decided it; a line is done only when nothing of it is
    missing.
    """
    known = [result for result in given if result is not None]
    for result in known:
        crossed = _crossed(line, context, result)
        if crossed is not None:
            return BaselineStatus.OUT_OF_RANGE, result, crossed.threshold
    if not known or None in given:
        return BaselineStatus.NOT_GIVEN, None, None
    old = next((result for result in known if _is_old(line, result, as_of)), None)
    return (BaselineStatus.TOO_OLD, old, None) if old else (BaselineStatus.DONE, known[0], None)


def _is_old(line: MonitoringLine, result: Result, as_of: date | None) -> bool:
    measured_on = result.observation.measured_on
    if as_of is None or measured_on is None or line.interval_days is None:
        return False
    return Decimal((as_of - measured_on).days) > line.interval_days[1]


def _crossed(line: MonitoringLine, context: Context, result: Result) -> _Crossed | None:
    """Return the outermost threshold that the result crosses and that is, or may be, one for this patient; one in a
    unit that does not fit the analyte is never crossed.
    """
    analyte = _analyte(result, context.facts)
    beyond = [(item, evaluate(item.when, context)) for item in line.thresholds if _contains(item, analyte, result.base)]
    own = [_Crossed(item, result, answer.needs) for item, answer in beyond if answer.answer is not Answer.NO]
    return max(own, key=lambda item: _outermost(item.threshold), default=None)


def _analyte(result: Result, facts: Facts) -> Analyte:
    return facts.terminology.analytes[facts.terminology.analyte_of_loinc[result.observation.code]]


def _outermost(threshold: Threshold) -> Decimal:
    """Return what grows with the distance from normal: the bound of a range upwards, minus that of one downwards."""
    if threshold.range.start is not None:
        return threshold.range.start
    return -threshold.range.end if threshold.range.end is not None else Decimal(0)


def _contains(threshold: Threshold, analyte: Analyte, value: Decimal) -> bool:
    range_ = threshold.range
    start = None if range_.start is None else in_base(range_.start, threshold.unit, analyte)
    end = None if range_.end is None else in_base(range_.end, threshold.unit, analyte)
    if (range_.start is not None and start is None) or (range_.end is not None and end is None):
        return False
    return Range(threshold.unit, start, range_.start_included, end, range_.end_included).contains(value)
