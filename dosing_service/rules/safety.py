"""The safety rules of an agent, asked about one patient: findings, and what would have to be known to settle the
rest.
"""

from collections.abc import Iterable
from dataclasses import replace
from functools import cache

from dosing_service.knowledge.base import Agent
from dosing_service.knowledge.safety import Rule
from dosing_service.model import Finding, NotChecked, Severity, Value, Verdict
from dosing_service.rules.conditions import Context, Evaluation, evaluate
from dosing_service.rules.population import Answer

#: A rule that is not settled is shown as possible from this severity on (unless the rule says otherwise); below it, it
#: only stands under not_checked.
_SHOWN_WHEN_UNKNOWN = {Severity.CONTRAINDICATED, Severity.MAJOR}
_ORDER = list(Severity)
#: European rules hold in France, and are shown for the United Kingdom, whose texts descend from them.
_INCLUDED = {"FR": ("EU",), "UK": ("EU",)}


class Judged(Value, frozen=True):
    """A rule with the answer to its question."""

    rule: Rule
    evaluation: Evaluation


def judge(agent: Agent, context: Context, jurisdiction: str | None, *, of_order: bool = False) -> list[Judged]:
    """Return every rule of ``agent`` that is in force, with its answer and, for an order, with the severity that it has
    then; rules of other regions are left out.
    """
    rules = (
        _for_order(rule) if of_order else rule
        for rule in agent.safety.rules
        if in_force(rule.jurisdiction, jurisdiction) and (of_order or not rule.orders_only)
    )
    return [Judged(rule, evaluate(rule.when, context)) for rule in rules]


@cache
def _for_order(rule: Rule) -> Rule:
    return replace(rule, severity=rule.order_severity) if rule.order_severity else rule


def in_force(of_rule: str | None, asked: str | None) -> bool:
    """Tell whether a region's rule counts for the region that was asked about; without one every rule counts."""
    return asked is None or of_rule is None or of_rule == asked or of_rule in _INCLUDED.get(asked, ())


def findings(judged: Iterable[Judged]) -> list[Finding]:
    """Return one finding per cause: of rules of one kind that the same inputs decided, the most severe speaks.

    What is only possible is never merged: each open question is one that a reader may be able to answer.
    """
    kept: dict[tuple[object, ...], Finding] = {}
    for item in judged:
        finding = _finding(item)
        if finding is None:
            continue
        is_settled = finding.verdict is Verdict.APPLIES and item.evaluation.because
        key = (finding.category, item.evaluation.because) if is_settled else (finding.id,)
        other = kept.get(key)
        if other is None or _ORDER.index(finding.severity) < _ORDER.index(other.severity):
            kept[key] = finding
    return list(kept.values())


def _finding(item: Judged) -> Finding | None:
    rule, evaluation = item.rule, item.evaluation
    if evaluation.answer is Answer.NO:
        return None
    is_shown_open = rule.severity in _SHOWN_WHEN_UNKNOWN and not rule.quiet_when_unknown
    if evaluation.answer is Answer.UNKNOWN and not is_shown_open:
        return None
    applies = evaluation.answer is Answer.YES
    return Finding(
        id=rule.id,
        category=rule.category,
        severity=rule.severity,
        verdict=Verdict.APPLIES if applies else Verdict.POSSIBLE,
        summary=_summary(rule, evaluation),
        because=evaluation.because if applies else evaluation.needs,
        management=rule.management if applies else f"Find out first. If it holds: {rule.management}",
        references=rule.citations.references,
        verified=rule.citations.verified,
    )


def _summary(rule: Rule, evaluation: Evaluation) -> str:
    """Return the rule's line with this patient's numbers and, where it is one region's rule, whose it is."""
    notes = [*evaluation.numbers, *([f"{rule.jurisdiction} rule"] if rule.jurisdiction else [])]
    if evaluation.answer is Answer.UNKNOWN:
        notes.append("not known for this patient")
    return f"{rule.summary.rstrip('.')} ({'; '.join(notes)})." if notes else rule.summary


def unchecked(judged: Iterable[Judged]) -> list[NotChecked]:
    """Return one entry per set of missing inputs, with the rules that wait for them."""
    waiting: dict[tuple[str, ...], list[str]] = {}
    for item in judged:
        if item.evaluation.answer is Answer.UNKNOWN:
            waiting.setdefault(item.evaluation.needs, []).append(item.rule.id)
    return [NotChecked("safety-rules", needs, f"would settle: {', '.join(rules)}") for needs, rules in waiting.items()]


def withholds(found: Iterable[Finding]) -> bool:
    """Tell whether a finding applies that forbids the dose."""
    return any(item.severity is Severity.CONTRAINDICATED and item.verdict is Verdict.APPLIES for item in found)
