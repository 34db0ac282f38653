"""The monitoring plan for one patient: what is done, what is out of range or too old, and when the next is due."""

from datetime import date, timedelta
from decimal import Decimal

from dosing_service.knowledge.base import Agent
from dosing_service.knowledge.lab_units import dimension, in_base
from dosing_service.knowledge.ranges import Range
from dosing_service.knowledge.safety import Analyte, MonitoringLine, Threshold
from dosing_service.model import BaselineStatus, MonitoringItem, MonitoringThreshold, Quantity
from dosing_service.rules.facts import Facts, Result


def plan(agent: Agent, facts: Facts, as_of: date | None, start: date | None) -> tuple[MonitoringItem, ...]:
    """Return the agent's plan, with the results of the request in it and dates when a start date is given."""
    return tuple(_item(line, facts, as_of, start) for line in agent.safety.monitoring)


def _item(line: MonitoringLine, facts: Facts, as_of: date | None, start: date | None) -> MonitoringItem:
    given = _given(line, facts)
    status, result, crossed = _judged(line, facts, given, as_of)
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
    results = [facts.results.get(id_) for id_ in analytes]
    return [result for result in results if result is not None] or results if line.one_is_enough else results


def _judged(
    line: MonitoringLine, facts: Facts, given: list[Result | None], as_of: date | None
) -> tuple[BaselineStatus, Result | None, Threshold | None]:
    """Return what the results come to and the one that decided it; a line is done only when nothing of it is
    missing.
    """
    known = [result for result in given if result is not None]
    for result in known:
        crossed = _crossed(line, facts, result)
        if crossed is not None:
            return BaselineStatus.OUT_OF_RANGE, result, crossed
    if not known or None in given:
        return BaselineStatus.NOT_GIVEN, None, None
    old = next((result for result in known if _is_old(line, result, as_of)), None)
    return (BaselineStatus.TOO_OLD, old, None) if old else (BaselineStatus.DONE, known[0], None)


def _is_old(line: MonitoringLine, result: Result, as_of: date | None) -> bool:
    measured_on = result.observation.measured_on
    if as_of is None or measured_on is None or line.interval_days is None:
        return False
    return Decimal((as_of - measured_on).days) > line.interval_days[1]


def _crossed(line: MonitoringLine, facts: Facts, result: Result) -> Threshold | None:
    """Return the outermost threshold that the result crosses; one in a unit that does not fit the analyte never
    does.
    """
    analyte = facts.terminology.analytes[facts.terminology.analyte_of_loinc[result.observation.code]]
    crossed = [item for item in line.thresholds if _contains(item, analyte, result.base)]
    return max(crossed, key=_outermost, default=None)


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
