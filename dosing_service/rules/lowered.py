"""Orders below a documented range because a rule or an interaction asks for a lower dose.

Without this a clinician who halves a dose as told would next be told that it is too low.
"""

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from dosing_service.knowledge.base import Agent, KnowledgeBase
from dosing_service.knowledge.safety import Lowered
from dosing_service.model import Category, Citations, Finding, Severity, Value, Verdict
from dosing_service.rules import interactions, safety
from dosing_service.rules.comparison import EQUAL, Comparison, Position
from dosing_service.rules.conditions import Context
from dosing_service.rules.ordered import Ordered, in_milligrams, text_of
from dosing_service.rules.population import Answer

_ALREADY = "The ordered dose is already lower than documented."


class Asked(Value, frozen=True):
    """A rule or interaction that holds for this patient and asks for less than documented; ``id`` is its finding's."""

    id: str
    management: str
    lowered: Lowered
    citations: Citations


def asked(
    agent: Agent, item: Comparison, context: Context, knowledge: KnowledgeBase, jurisdiction: str | None
) -> list[Asked]:
    """Return what asks for less of ``agent`` than the regimen that an order below its range is compared with.

    Rules are asked about the documented dose: one that holds it at a lower amount says nothing of an order that has it.
    """
    if item.position is not Position.BELOW:
        return []
    documented = replace(context, dose=item.candidate.dose)
    found = [
        Asked(judged.rule.id, judged.rule.management, judged.rule.lowers_dose, judged.rule.citations)
        for judged in safety.judge(agent, documented, jurisdiction, of_order=True)
        if judged.rule.lowers_dose is not None and judged.evaluation.answer is Answer.YES
    ]
    rows = interactions.applying(agent, knowledge, documented, jurisdiction)
    return found + [
        Asked(f"interaction-{row.id}", row.management, row.lowers_dose[agent.id], row.citations)
        for row in rows
        if agent.id in row.lowers_dose
    ]


def explained(asked_: Iterable[Asked], item: Comparison, ordered: Ordered) -> Asked | None:
    """Return what explains how low an order is: one that gives no figure, or whose figure the order reaches."""
    return next((one for one in asked_ if _reaches(one.lowered, item, ordered)), None)


def _reaches(lowered: Lowered, item: Comparison, ordered: Ordered) -> bool:
    if lowered.figure is not None:
        given = ordered.amounts.get(lowered.figure.per)
        least = in_milligrams(lowered.figure.low, lowered.figure.unit.amount)
        return given is not None and given.low >= least * (1 - EQUAL)
    if lowered.percent is None or item.ordered is None or item.expected is None:
        return True
    return item.ordered.low * 100 >= item.expected.low * int(lowered.percent) * (1 - EQUAL)


def of_explained(agent: Agent, item: Comparison, ordered: Ordered, because: Asked) -> Finding:
    """Say that an order is below the documented range, as is asked for."""
    assert item.per and item.ordered and item.expected  # noqa: S101, PT018 - what is below a range was compared
    given, documented = (text_of(item.per, span, ordered) for span in (item.ordered, item.expected))
    return Finding(
        id="below-range-as-asked",
        category=Category.DOSE,
        severity=Severity.INFO,
        verdict=Verdict.APPLIES,
        summary=f"{agent.name} {given} is lower than the documented {documented}, as is asked for ({because.id}).",
        because=("dose",),
        management=because.management,
        references=because.citations.references,
        verified=because.citations.verified,
    )


def noted(found: Sequence[Finding], asked_: Sequence[Asked]) -> list[Finding]:
    """Return findings where those that ask for a lower dose say that the order already has one."""
    ids = {one.id for one in asked_}
    return [replace(item, management=f"{item.management} {_ALREADY}") if item.id in ids else item for item in found]
