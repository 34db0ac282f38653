"""Writes assessments as JSON.

What depends only on knowledge (agents, regimens, citations, the alternatives that are the same for everyone) goes
through its schema once and is kept as encoded bytes;
what depends on the patient goes through its schema for each answer. Decimals become exact JSON numbers.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec
from marshmallow import Schema

from dosing_service import service
from dosing_service.knowledge.base import Agent, KnowledgeBase
from dosing_service.model import Alternative, Assessment, Dose, Finding, Step
from schemas import dose_calculations as wire
from schemas import knowledge as known

_ENCODER = msgspec.json.Encoder(decimal_format="number")
_DOSE, _STEP, _FINDING, _NOT_CHECKED = (
    wire.DoseSchema(),
    wire.StepSchema(),
    wire.FindingSchema(),
    wire.NotCheckedSchema(),
)


def encode(document: Any) -> bytes:
    """Return ``document`` as JSON with exact decimals."""
    return _ENCODER.encode(document)


def raw(schema: Schema, value: Any) -> msgspec.Raw:
    """Return ``value``, dumped by its schema, as bytes that can stand inside another document."""
    return msgspec.Raw(encode(schema.dump(value)))


class AnswerWriter:
    """Writes the answers of one knowledge base."""

    def __init__(self, knowledge: KnowledgeBase) -> None:
        self._agents = {id_: raw(known.AgentNameSchema(), agent) for id_, agent in knowledge.agents.items()}
        self._evidence = {
            id_: (raw(known.EvidenceSchema(), agent.evidence), _of_evidence(agent))
            for id_, agent in knowledge.agents.items()
        }
        summary = known.RegimenSummarySchema()
        self._regimens = {
            (agent.id, id_): raw(summary, item)
            for agent in knowledge.agents.values()
            for id_, item in agent.regimens.items()
        }
        self._references = {id_: raw(known.ReferenceSchema(), item) for id_, item in knowledge.references.items()}
        self._version = raw(known.VersionSchema(), knowledge)
        self._kept: dict[int, tuple[msgspec.Raw, tuple[str, ...]]] = {}
        self._keep(knowledge)

    def _keep(self, knowledge: KnowledgeBase) -> None:
        """Encode the values that the rules build once and hand out again and again; they are recognised by identity."""
        for item in service.NOT_IN_KNOWLEDGE:
            self._kept[id(item)] = (raw(_NOT_CHECKED, item), ())
        for agent in knowledge.agents.values():
            for finding in service.constant_findings(agent):
                self._kept[id(finding)] = (raw(_FINDING, finding), finding.citations.references)
            for alternative in service.constant_alternatives(agent):
                self._kept[id(alternative)] = (
                    msgspec.Raw(encode(self._alternative(agent.id, alternative))),
                    tuple(_of_alternative(alternative)),
                )

    def write(self, assessment: Assessment) -> bytes:
        """Return the body of the answer; the same assessment always gives the same bytes."""
        agent = assessment.agent
        evidence, cited_evidence = self._evidence[agent]
        cited = dict.fromkeys(cited_evidence)
        regimen = self._regimens[agent, assessment.regimen] if assessment.regimen else None
        document = {
            "status": assessment.status,
            "agent": self._agents[agent],
            "regimen": regimen,
            "dose": None if assessment.dose is None else _dose(assessment.dose),
            "alternatives": [
                self._encoded(item, lambda one: self._alternative(agent, one), _of_alternative, cited)
                for item in assessment.alternatives
            ],
            "derivation": _STEP.dump(assessment.derivation, many=True),
            "findings": [self._encoded(item, _FINDING.dump, _of_finding, cited) for item in assessment.findings],
            "not_checked": [
                self._encoded(item, _NOT_CHECKED.dump, _of_nothing, cited) for item in assessment.not_checked
            ],
            "adverse_effects": None,
            "monitoring": None,
            "evidence": evidence,
            "references": None,
            "as_of": assessment.as_of,
            "knowledge": self._version,
            "notice": service.NOTICE,
        }
        cited |= dict.fromkeys(_of_dose(assessment.dose, assessment.derivation))
        document["references"] = {id_: self._references[id_] for id_ in sorted(cited)}
        return encode(document)

    def _encoded(
        self, item: Any, dump: Callable[[Any], Any], of: Callable[[Any], Iterable[str]], cited: dict[str, None]
    ) -> Any:
        """Return the item ready to encode, and note what it cites."""
        kept = self._kept.get(id(item))
        cited |= dict.fromkeys(kept[1] if kept else of(item))
        return kept[0] if kept else dump(item)

    def _alternative(self, agent: str, item: Alternative) -> dict[str, Any]:
        return {
            "regimen": self._regimens[agent, item.regimen],
            "verdict": item.verdict,
            "dose": None if item.dose is None else _dose(item.dose),
            "derivation": _STEP.dump(item.derivation, many=True),
            "not_checked": _NOT_CHECKED.dump(item.not_checked, many=True),
        }


def _dose(dose: Dose) -> dict[str, Any]:
    """Return a dose for the wire; what turns it into tablets, rates and dates is not part of this version and says
    so with null.
    """
    dumped: dict[str, Any] = _DOSE.dump(dose)
    return dumped | {"practical": None, "infusion": None, "schedule": None}


def _of_nothing(_: Any) -> tuple[str, ...]:
    return ()


def _of_evidence(agent: Agent) -> tuple[str, ...]:
    cited = [agent.evidence.citations, *(study.citations for study in agent.evidence.studies)]
    return tuple(id_ for citations in cited for id_ in citations.references)


def _of_finding(finding: Finding) -> Iterator[str]:
    yield from finding.citations.references
    for position in finding.positions:
        yield from position.citations.references


def _of_dose(dose: Dose | None, steps: Iterable[Step]) -> Iterator[str]:
    for step in steps:
        yield from step.citations.references
    if dose is not None:
        yield from dose.citations.references
        for check in dose.limits:
            yield from check.citations.references


def _of_alternative(item: Alternative) -> Iterator[str]:
    return _of_dose(item.dose, item.derivation)
