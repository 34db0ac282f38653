"""Answers as lines for people; the numbers are rounded as in the texts of the answers."""

from collections.abc import Iterator

from dosing_service import service
from dosing_service.knowledge.base import KnowledgeBase
from dosing_service.model import (
    Assessment,
    Dose,
    Finding,
    MonitoringItem,
    NotChecked,
    OrderAssessment,
    OrderCheck,
    ScheduleEntry,
    Step,
    Verdict,
)
from dosing_service.units import display, display_range, exact_text


def of_orders(check: OrderCheck, known: KnowledgeBase) -> Iterator[str]:
    """Yield the lines of an order check."""
    for order in check.orders:
        yield from _order(order, known)
    yield from _section("about the patient", (_finding_line(item) for item in check.findings), check.findings)
    yield from _section("not checked", (_not_checked_line(item) for item in check.not_checked), check.not_checked)
    yield f"verdict: {check.verdict.value}"
    yield f"knowledge {known.version} {known.digest[:19]}…"
    yield service.NOTICE


def _order(order: OrderAssessment, known: KnowledgeBase) -> Iterator[str]:
    name = known.agents[order.agent].name if order.agent else "a drug without documented doses"
    yield f"{order.id}, {name}: {order.verdict.value}"
    amounts = order.together or order.ordered
    if amounts:
        yield f"  ordered      {'; '.join(item.text for item in amounts)}"
    for item in order.expected:
        mark = "*" if item.regimen == order.regimen else " "
        yield f"  documented {mark} {item.text}  ({item.regimen})"
    if order.ratio is not None and order.ratio.high > 1:
        yield f"  ratio        {display(order.ratio.high)} times the most"
    for cause in order.likely_causes:
        yield f"  slip?        {cause.summary}  [{cause.kind.value}]"
    yield from _section("findings", (_finding_line(item) for item in order.findings), order.findings)
    yield from _section("not checked", (_not_checked_line(item) for item in order.not_checked), order.not_checked)


def of_dose(assessment: Assessment, known: KnowledgeBase) -> Iterator[str]:
    """Yield the lines of a dose answer."""
    agent = known.agents[assessment.agent]
    regimen = agent.regimens[assessment.regimen] if assessment.regimen else None
    yield f"{agent.name}: {assessment.status.value}"
    if regimen:
        yield f"  regimen      {regimen.id} ({regimen.name}; {regimen.route})"
    if assessment.dose:
        strength = [assessment.dose.concentration] if assessment.dose.concentration else []
        for amount in (*assessment.dose.amounts, *strength):
            yield f"  dose         {amount.text}"
        yield from _plan(assessment.dose)
        for made in assessment.dose.practical or ():
            yield f"  in products  {made.text}"
    yield from _working(assessment.derivation)
    yield from _section("findings", (_finding_line(item) for item in assessment.findings), assessment.findings)
    yield from _section("monitoring", (_monitoring_line(item) for item in assessment.monitoring), assessment.monitoring)
    yield from _alternatives(assessment, known)
    yield from _section(
        "not checked", (_not_checked_line(item) for item in assessment.not_checked), assessment.not_checked
    )
    yield f"knowledge {known.version} {known.digest[:19]}…"
    yield service.NOTICE


def _plan(dose: Dose) -> Iterator[str]:
    """Yield how the dose runs in, on which days it is given, and what is left of it."""
    if dose.infusion:
        volumes, steps, maxima = dose.infusion.volumes, dose.infusion.steps, dose.infusion.maxima
        lines = [*(item.text for item in volumes), *(item.text for item in steps)]
        lines += [text for item in maxima for text in (item.text, *(span.text for span in item.shortest))]
        lines += [item.text for item in (dose.infusion.rate, dose.infusion.time) if item]
        yield from (f"  infusion     {line}" for line in lines)
    for entry in dose.schedule or ():
        yield f"  schedule     {_days(entry)}  {entry.text}"
    summary = dose.schedule_summary
    if summary and summary.why:
        yield f"  schedule     … ({summary.why})"
    if summary and summary.total:
        total = display_range(summary.total.low, summary.total.high, summary.total.unit)
        yield f"  schedule     {total} in {'all' if summary.complete else 'what is shown'}"
    texts = [*([dose.remaining.text] if dose.remaining else []), *(item.text for item in dose.cumulative)]
    yield from (f"  total        {text}" for text in texts)


def _days(entry: ScheduleEntry) -> str:
    """Return the day of an entry, or its first and last day; where a day may come later, until when."""
    first = f"{entry.on} (to {entry.on_latest})" if entry.on_latest else f"{entry.on}"
    if entry.until == entry.on:
        return first
    last = f"{entry.until}" if entry.until else "no end"
    latest = f" (at most to {entry.until_latest})" if entry.until_latest else ""
    return f"{first} to {last}{latest}"


def _working(steps: tuple[Step, ...]) -> Iterator[str]:
    for step in steps:
        yield f"  working      {step.expression} = {step.result}  [{', '.join(step.references)}]"


def _section(title: str, lines: Iterator[str], items: tuple[object, ...]) -> Iterator[str]:
    if items:
        yield title
        yield from (f"  {line}" for line in lines)


def _finding_line(item: Finding) -> str:
    grade = f"possibly {item.severity.value}" if item.verdict is Verdict.POSSIBLE else item.severity.value
    lines = [f"{grade:<24} {item.summary}"]
    lines += [f"{'':<24}   {position.says}: {position.text}" for position in item.positions]
    return "\n  ".join(lines)


def _monitoring_line(item: MonitoringItem) -> str:
    when = item.interval or ("before the start" if item.baseline else "")
    result = f" {exact_text(item.result.value)} {item.result.unit}" if item.result else ""
    action = f": {item.action}" if item.action else ""
    due = f"; next on {item.next_on}" if item.next_on else ""
    return f"{item.status.value:<12} {item.parameter}{result}{action}  ({when}{due})"


def _not_checked_line(item: NotChecked) -> str:
    """Return a check that did not run, with the fields of a request that would let it run."""
    needs = f"  [{', '.join(item.needs)}]" if item.needs else ""
    return f"{item.check}: {item.why}{needs}"


def _alternatives(assessment: Assessment, known: KnowledgeBase) -> Iterator[str]:
    regimens = known.agents[assessment.agent].regimens
    lines = []
    for item in assessment.alternatives:
        texts = item.dose.amounts if item.dose else ()
        amount = texts[0].text if texts else "not computed"
        lines.append(f"{item.regimen:<40} {amount}  ({regimens[item.regimen].use}, {item.verdict.value})")
    yield from _section("alternatives", iter(lines), assessment.alternatives)
