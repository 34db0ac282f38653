"""What checked orders come to: stop, warn, incomplete or pass."""

from collections.abc import Iterable, Sequence

from dosing_service.knowledge.base import Agent
from dosing_service.model import Category, Finding, NotChecked, OrderVerdict, Severity, Verdict

#: What is shown with an order and does not change its verdict: it is about the sources, not about the order.
_ABOUT_SOURCES = {Category.DISAGREEMENT, Category.OFF_LABEL}
_ABOUT_SOURCES_IDS = {"population-not-stated"}
_WARNS = {Severity.MAJOR, Severity.MODERATE}


def worst(verdicts: Iterable[OrderVerdict]) -> OrderVerdict:
    """Return the worst of several verdicts."""
    return min(verdicts, key=list(OrderVerdict).index)


def verdict_of(agent: Agent | None, found: Sequence[Finding], unchecked: Sequence[NotChecked]) -> OrderVerdict:
    """Return the verdict of one order, or (without an agent) of what is said about the patient."""
    counted = [item for item in found if counts(agent, item)]
    applying = {item.severity for item in counted if item.verdict is Verdict.APPLIES}
    if Severity.CONTRAINDICATED in applying:
        return OrderVerdict.STOP
    if applying & _WARNS:
        return OrderVerdict.WARN
    is_open = unchecked or any(item.verdict is Verdict.POSSIBLE for item in counted)
    return OrderVerdict.INCOMPLETE if is_open else OrderVerdict.PASS


def counts(agent: Agent | None, item: Finding) -> bool:
    """Tell whether a finding is about this order; what only says how sources stand does not change a verdict."""
    if item.category in _ABOUT_SOURCES or item.id in _ABOUT_SOURCES_IDS:
        return False
    evidence = agent.evidence.finding if agent is not None else None
    return item.category is not Category.EVIDENCE or (evidence is not None and evidence.warns)
