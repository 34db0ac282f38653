"""Writes assessments as JSON.

What depends only on knowledge (agents, regimens, citations, the alternatives that are the same for everyone) goes
through its schema once and is kept as encoded bytes; what was computed for the patient is encoded as it is, since its
values have the fields of the contract. Decimals become exact JSON numbers.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from marshmallow import Schema

from dosing_service import service
from dosing_service.http.strict_json import encode
from dosing_service.knowledge.base import Agent, KnowledgeBase, Regimen
from dosing_service.model import Alternative, Assessment, Citations, Dose, Finding, Step
from dosing_service.rules.assessment import constant_alternative
from schemas import knowledge as known
from schemas.service import DoseAnswerSchema

_ANSWER = DoseAnswerSchema()


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
        self._safety = {id_: _Static(agent) for id_, agent in knowledge.agents.items()}
        summary = known.RegimenSummarySchema()
        self._regimens = {
            (agent.id, id_): raw(summary, item)
            for agent in knowledge.agents.values()
            for id_, item in agent.regimens.items()
        }
        self._cited = {
            (agent.id, id_): tuple(_of_regimen(item))
            for agent in knowledge.agents.values()
            for id_, item in agent.regimens.items()
        }
        self._references = {id_: raw(known.ReferenceSchema(), item) for id_, item in knowledge.references.items()}
        self._version = raw(known.VersionSchema(), knowledge)
        self._kept: dict[int, tuple[msgspec.Raw, tuple[str, ...]]] = {}
        self._keep(knowledge)

    def _keep(self, knowledge: KnowledgeBase) -> None:
        """Encode the alternatives that are the same object in every answer; they are recognised by identity."""
        for agent in knowledge.agents.values():
            for regimen in agent.regimens.values():
                item = constant_alternative(regimen)
                if item is not None:
                    encoded = msgspec.Raw(encode(self._alternative(agent.id, item)))
                    self._kept[id(item)] = (encoded, tuple(_of_dose(item.dose, item.derivation)))

    def write(self, assessment: Assessment) -> bytes:
        """Return the body of the answer; the same assessment always gives the same bytes."""
        agent = assessment.agent
        evidence, cited_evidence = self._evidence[agent]
        static = self._safety[agent]
        cited = {*cited_evidence, *static.cited, *_of_dose(assessment.dose, assessment.derivation)}
        cited.update(of_findings(assessment.findings), _of_plan(assessment))
        if assessment.regimen:
            cited.update(self._cited[agent, assessment.regimen])
        document = {
            "status": assessment.status,
            "agent": self._agents[agent],
            "regimen": self._regimens[agent, assessment.regimen] if assessment.regimen else None,
            "dose": assessment.dose,
            "alternatives": [self._encoded(agent, item, cited) for item in assessment.alternatives],
            "derivation": assessment.derivation,
            "findings": assessment.findings,
            "not_checked": assessment.not_checked,
            "adverse_effects": static.adverse_effects,
            "monitoring": assessment.monitoring,
            "advice": static.advice,
            "renal_function": assessment.renal_function,
            "body_measures": assessment.body_measures,
            "evidence": evidence,
            "references": {id_: self._references[id_] for id_ in sorted(cited)},
            "as_of": assessment.as_of,
            "knowledge": self._version,
            "notice": service.NOTICE,
        }
        return encode(_ANSWER.dump(document))

    def _encoded(self, agent: str, item: Alternative, cited: set[str]) -> Any:
        """Return an alternative ready to encode, and note what it cites."""
        cited.update(self._cited[agent, item.regimen])
        kept = self._kept.get(id(item))
        if kept is not None:
            cited.update(kept[1])
            return kept[0]
        cited.update(_of_dose(item.dose, item.derivation))
        return self._alternative(agent, item)

    def _alternative(self, agent: str, item: Alternative) -> dict[str, Any]:
        return {
            "regimen": self._regimens[agent, item.regimen],
            "verdict": item.verdict,
            "dose": item.dose,
            "derivation": item.derivation,
            "not_checked": item.not_checked,
        }


class _Static:
    """What is said of an agent to everyone: adverse effects and advice, encoded once."""

    def __init__(self, agent: Agent) -> None:
        effects, advice = agent.safety.adverse_effects, agent.safety.advice
        self.adverse_effects = raw(known.AdverseEffectSchema(many=True), effects)
        self.advice = raw(known.AdviceSchema(many=True), advice)
        self.cited = tuple(dict.fromkeys(id_ for one in self._citations(agent) for id_ in one.references))

    @staticmethod
    def _citations(agent: Agent) -> Iterator[Citations]:
        yield from (item.citations for item in agent.safety.adverse_effects)
        yield from (item.citations for item in agent.safety.advice)


def _of_plan(assessment: Assessment) -> Iterator[str]:
    for clearance in assessment.renal_function:
        yield from clearance.references
    measures = assessment.body_measures
    for measure in (
        *(measures.body_mass_index, measures.body_surface_area),
        *(measures.ideal_weight, measures.adjusted_weight, measures.lean_weight),
    ):
        if measure is not None:
            yield from measure.references
    for line in assessment.monitoring:
        yield from line.references
        for threshold in line.thresholds:
            yield from threshold.references


def _of_evidence(agent: Agent) -> tuple[str, ...]:
    cited = [agent.evidence.citations, *(study.citations for study in agent.evidence.studies)]
    return tuple(id_ for citations in cited for id_ in citations.references)


def _of_regimen(regimen: Regimen) -> Iterator[str]:
    yield from regimen.citations.references
    if regimen.infusion is not None:
        yield from regimen.infusion.citations.references
        yield from regimen.infusion.dilution.citations.references if regimen.infusion.dilution else ()


def of_findings(findings: Iterable[Finding]) -> Iterator[str]:
    """Yield the references of findings and of the positions in them."""
    for finding in findings:
        yield from finding.references
        for position in finding.positions:
            yield from position.references


def _of_dose(dose: Dose | None, steps: Iterable[Step]) -> Iterator[str]:
    for step in steps:
        yield from step.references
    if dose is not None:
        yield from dose.references
        for check in dose.limits:
            yield from check.references
        for other in dose.dosing_weight.beside if dose.dosing_weight else ():
            yield from other.references
        if dose.infusion is not None:
            yield from dose.infusion.references
            yield from dose.infusion.dilution.references if dose.infusion.dilution else ()
        for made in dose.practical or ():
            yield from made.references
