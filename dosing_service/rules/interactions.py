"""Interactions of an agent with what the patient takes.

Of several rows that fit a pair, the most specific speaks: an agent or ingredient before an ATC prefix, a longer prefix
before a shorter one. A row that says "no interaction" silences the broader ones beside it.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache

from dosing_service.knowledge.base import Agent, KnowledgeBase
from dosing_service.knowledge.safety import Interaction
from dosing_service.model import Category, Finding, NotChecked, Position, Severity, Value, Verdict
from dosing_service.rules.conditions import Context, Evaluation, evaluate
from dosing_service.rules.facts import Entry, Facts, Substance, belongs
from dosing_service.rules.population import Answer
from dosing_service.rules.safety import in_force
from dosing_service.rules.wording import join

#: Weak signals that add up: two drugs that slow the heart are one problem, said once.
_COUNTED = {
    "bradycardia": "slow the heart",
    "cyp3a4": "compete for CYP3A4",
    "nephrotoxic": "strain the kidneys",
    "bleeding": "raise the risk of bleeding",
    "immunosuppression": "suppress the immune system",
}
_WEAK = {Severity.MODERATE, Severity.MINOR}
_ORDER = list(Severity)
_NOT_ESCALATED = Evaluation(Answer.NO)


class _Hit(Value, frozen=True):
    """A row that speaks about one or several drugs of the patient, at the grade and verdict that hold here."""

    row: Interaction
    entries: tuple[Entry, ...]
    severity: Severity
    verdict: Verdict
    numbers: tuple[str, ...]
    needs: tuple[str, ...]


def found(
    agent: Agent, knowledge: KnowledgeBase, context: Context, jurisdiction: str | None = None
) -> tuple[list[Finding], list[NotChecked]]:
    """Return the findings about ``agent`` and the patient's medication, and what would settle the rest.

    With a jurisdiction, rows of other regions are left out.
    """
    unknown = []
    if context.facts.medications is None:
        why = "without the current medication no interaction was checked; send [] when there is none"
        unknown.append(NotChecked("interactions", ("patient.medications",), why))
    hits = _hits(agent, knowledge, context, jurisdiction)
    counted, merged = _counted(agent, hits)
    pairs = [_finding(agent, hit) for hit in hits if hit.row.id not in counted]
    return [*pairs, *merged, *_duplicates(agent, knowledge, context.facts, hits)], [*unknown, *_open(hits)]


def applying(
    agent: Agent, knowledge: KnowledgeBase, context: Context, jurisdiction: str | None = None
) -> list[Interaction]:
    """Return the rows that hold for ``agent`` and what the patient takes."""
    hits = _hits(agent, knowledge, context, jurisdiction)
    return [hit.row for hit in hits if hit.verdict is Verdict.APPLIES]


def _open(hits: Iterable[_Hit]) -> list[NotChecked]:
    """Return one entry per set of inputs that the verdict or the grade of an interaction waits for."""
    waiting: dict[tuple[str, ...], list[str]] = {}
    for hit in hits:
        if hit.needs:
            waiting.setdefault(hit.needs, []).append(f"interaction-{hit.row.id}")
    return [NotChecked("interactions", needs, f"would settle: {', '.join(ids)}") for needs, ids in waiting.items()]


def matching(
    agent: Agent, knowledge: KnowledgeBase, given: Substance, route: str | None = None, jurisdiction: str | None = None
) -> tuple[Interaction, ...]:
    """Return the rows that speak about ``agent``, given by ``route``, and a substance: the most specific ones, a
    silent row alone. A name that nothing knows matches none.
    """
    if given.is_nameless:
        return ()
    return _matching(agent, knowledge, given, route, jurisdiction)


@lru_cache(maxsize=16384)
def _matching(
    agent: Agent, knowledge: KnowledgeBase, given: Substance, route: str | None, jurisdiction: str | None
) -> tuple[Interaction, ...]:
    """Return the rows; remembered, because the same few hundred drugs come again and again, and the answer depends on
    nothing else. What a record calls a drug that nobody knows does not get here.
    """
    itself = as_substance(agent)
    of_region = (row for row in knowledge.interactions_of.get(agent.id, ()) if in_force(row.jurisdiction, jurisdiction))
    rows_ = (row for row in of_region if _is_in_play(row, agent, route))
    scored = [(_score(row, agent, itself, given), row) for row in rows_]
    best = max((score for score, _ in scored), default=0)
    rows = tuple([row for score, row in scored if score == best and score > 0])
    return tuple([row for row in rows if row.severity is None]) or rows


def _is_in_play(row: Interaction, agent: Agent, route: str | None) -> bool:
    """Tell whether the routes of a row fit. Where the route is not known, a row may speak but not silence others."""
    if not row.routes:
        return True
    known = route if agent.id in row.agents else None
    return row.severity is not None if known is None else known in row.routes


def as_substance(agent: Agent) -> Substance:
    """Return an agent as a drug of a list would look."""
    codes = {
        system: tuple(item.code for item in agent.codings if item.system == system) for system in ("atc", "rxnorm")
    }
    return Substance(agent.name, agent.id, codes["atc"], frozenset(codes["rxnorm"]))


def _score(row: Interaction, agent: Agent, itself: Substance, given: Substance) -> int:
    """Return how specifically a row fits the pair, in either direction."""
    forward = belongs(given, row.partner, row.except_atc) if agent.id in row.agents else 0
    is_ours = given.agent is not None and given.agent in row.agents
    return max(forward, belongs(itself, row.partner, row.except_atc) if is_ours else 0)


def _hits(agent: Agent, knowledge: KnowledgeBase, context: Context, jurisdiction: str | None) -> list[_Hit]:
    spoken: dict[str, tuple[Interaction, list[Entry]]] = {}
    for entry in context.facts.drugs:
        if entry.substance.agent == agent.id:
            continue
        for row in matching(agent, knowledge, entry.substance, context.route, jurisdiction):
            spoken.setdefault(row.id, (row, []))[1].append(entry)
    hits = (_hit(agent, row, tuple(taken), context) for row, taken in spoken.values())
    return [hit for hit in hits if hit is not None]


def _hit(agent: Agent, row: Interaction, entries: tuple[Entry, ...], context: Context) -> _Hit | None:
    """Return the row as it holds for this regimen and dose, or ``None`` where it stays silent.

    A row may be about the other drug's dose and route. A list of medication does not carry them: they are unknown.
    """
    if row.severity is None:
        return None
    is_ours = agent.id in row.agents
    asked = context if is_ours else Context(context.facts, None, None, None)
    gate = evaluate(row.when, asked)
    if gate.answer is Answer.NO:
        return None
    is_open = gate.answer is Answer.UNKNOWN or (bool(row.routes) and asked.route is None)
    verdict = Verdict.POSSIBLE if is_open else Verdict.APPLIES
    escalation = evaluate(row.escalated[0], asked) if row.escalated else _NOT_ESCALATED
    route = ("regimen",) if row.routes and asked.route is None else ()
    needs = tuple(
        need
        for need in dict.fromkeys((*route, *gate.needs, *escalation.needs))
        if is_ours or need.startswith("patient.")
    )
    if row.escalated and escalation.answer is Answer.YES:
        return _Hit(row, entries, row.escalated[1], verdict, (*gate.numbers, *escalation.numbers), needs)
    return _Hit(row, entries, row.severity, verdict, gate.numbers, needs)


def _finding(agent: Agent, hit: _Hit) -> Finding:
    row = hit.row
    names = join(list(dict.fromkeys(entry.substance.name for entry in hit.entries)))
    notes = [*dict.fromkeys(hit.numbers), *([f"{row.jurisdiction} rule"] if row.jurisdiction else [])]
    effect = f"{row.effect.removesuffix('.')} ({'; '.join(notes)})." if notes else row.effect
    return Finding(
        id=f"interaction-{row.id}",
        category=Category.INTERACTION,
        severity=hit.severity,
        verdict=hit.verdict,
        summary=f"{agent.name} with {names}: {effect}",
        because=tuple(entry.path for entry in hit.entries),
        management=row.management,
        references=row.citations.references,
        verified=row.citations.verified,
    )


def _counted(agent: Agent, hits: list[_Hit]) -> tuple[set[str], list[Finding]]:
    """Return the rows that are said together, and what is said: two or more weak signals of one mechanism."""
    told: set[str] = set()
    merged = []
    for signal, words in _COUNTED.items():
        same = [hit for hit in hits if signal in hit.row.signals and hit.severity in _WEAK and hit.row.id not in told]
        if len(same) > 1:
            told |= {hit.row.id for hit in same}
            merged.append(_together(agent, signal, words, same))
    return told, merged


def _together(agent: Agent, signal: str, words: str, hits: list[_Hit]) -> Finding:
    names = list(dict.fromkeys(entry.substance.name for hit in hits for entry in hit.entries))
    worst = min((hit.severity for hit in hits), key=_ORDER.index)
    references = tuple(dict.fromkeys(id_ for hit in hits for id_ in hit.row.citations.references))
    return Finding(
        id=f"interactions-{signal}",
        category=Category.INTERACTION,
        severity=worst,
        verdict=Verdict.APPLIES if any(hit.verdict is Verdict.APPLIES for hit in hits) else Verdict.POSSIBLE,
        summary=f"{agent.name} and {len(names)} other drugs {words}: {join(names)}",
        because=tuple(entry.path for hit in hits for entry in hit.entries),
        management=" ".join(dict.fromkeys(hit.row.management.rstrip(".") + "." for hit in hits)),
        references=references,
        verified=any(hit.row.citations.verified for hit in hits),
        positions=tuple(
            Position(join([entry.substance.name for entry in hit.entries]), hit.row.effect, *_cited(hit.row))
            for hit in hits
        ),
    )


def _cited(row: Interaction) -> tuple[tuple[str, ...], bool]:
    return row.citations.references, row.citations.verified


def _duplicates(agent: Agent, knowledge: KnowledgeBase, facts: Facts, hits: list[_Hit]) -> list[Finding]:
    """Return the same drug, and drugs of its class that no row speaks about, among what the patient takes.

    Orders of the same drug are added up instead.
    """
    spoken = {entry.path for hit in hits for entry in hit.entries}
    same = [entry for entry in facts.medications or () if entry.substance.agent == agent.id]
    alike = [entry for entry in facts.drugs if entry.path not in spoken and _same_class(agent, knowledge.agents, entry)]
    found_ = []
    if same:
        summary = f"{agent.name} is already on the list of medication."
        found_.append(_duplicate(agent, "duplicate-drug", same, summary))
    if alike:
        names = join([entry.substance.name for entry in alike])
        found_.append(_duplicate(agent, "duplicate-class", alike, f"{agent.name} and {names} are of one class."))
    return found_


def _same_class(agent: Agent, agents: Mapping[str, Agent], entry: Entry) -> bool:
    other = agents.get(entry.substance.agent or "")
    return other is not None and other.id != agent.id and other.class_ == agent.class_


def _duplicate(agent: Agent, id_: str, entries: list[Entry], summary: str) -> Finding:
    return Finding(
        id=id_,
        category=Category.DUPLICATE_THERAPY,
        severity=Severity.MODERATE,
        verdict=Verdict.APPLIES,
        summary=summary,
        because=tuple(entry.path for entry in entries),
        management="Make sure that this order replaces the other and is not given in addition.",
        references=agent.evidence.citations.references,
        verified=agent.evidence.citations.verified,
    )
