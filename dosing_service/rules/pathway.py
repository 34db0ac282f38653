"""Ranks the options that the sources name for a presentation, each run through this patient's own assessment."""

from collections.abc import Iterable, Mapping
from typing import Any

from dosing_service.knowledge.base import KnowledgeBase
from dosing_service.knowledge.pathways import Option, Pathway, Scenario
from dosing_service.model import (
    Assessment,
    DoseRequest,
    NotChecked,
    OptionReason,
    Severity,
    Status,
    TreatmentOption,
    TreatmentOptions,
    TreatmentRequest,
)
from dosing_service.rules.assessment import assess
from dosing_service.rules.population import Answer

_SHOWN = {Severity.CONTRAINDICATED, Severity.MAJOR}
_VERDICT_ORDER = {"supported": 0, "weak": 1, "disputed": 1, "not-established": 2, "advised-against": 3}


def options(request: TreatmentRequest, pathway: Pathway, knowledge: KnowledgeBase) -> TreatmentOptions:
    """Return the options for a presentation, most specific and earliest line first.

    What is contraindicated for this patient stands apart, with the reason; nothing that the sources name is left out.
    """
    answers = {scenario.id: _fits(scenario, request.presentation) for scenario in pathway.scenarios}
    fitting = [scenario for scenario in pathway.scenarios if answers[scenario.id] is Answer.YES]
    named = _named(fitting)
    judged = [_judged(agent, reasons, request, knowledge) for agent, reasons in named.items()]
    ranked = sorted(judged, key=lambda item: (-_features(named[item.agent]), item.line, _VERDICT_ORDER[item.verdict]))
    recommended = tuple(item for item in ranked if item.status is not Status.CONTRAINDICATED)
    open_ = [scenario for scenario in pathway.scenarios if answers[scenario.id] is Answer.UNKNOWN]
    return TreatmentOptions(
        scenarios=tuple(scenario.id for scenario in fitting),
        options=recommended,
        not_recommended=tuple(item for item in ranked if item.status is Status.CONTRAINDICATED),
        notes=tuple(note for scenario in fitting for note in scenario.notes),
        not_checked=(
            *_unknown_disease(request.presentation, pathway),
            *(_open(item, request.presentation) for item in open_),
        ),
        as_of=request.as_of,
    )


def _fits(scenario: Scenario, presentation: Mapping[str, Any]) -> Answer:
    """Return whether a presentation fits a scenario; a feature that was not given is unknown."""
    answers = []
    for feature, wanted in scenario.when.items():
        given = presentation.get(feature)
        answers.append(Answer.UNKNOWN if given is None else Answer.YES if given in wanted else Answer.NO)
    return next((answer for answer in (Answer.NO, Answer.UNKNOWN) if answer in answers), Answer.YES)


def _open(scenario: Scenario, presentation: Mapping[str, Any]) -> NotChecked:
    missing = tuple(f"presentation.{feature}" for feature in scenario.when if presentation.get(feature) is None)
    return NotChecked(scenario.id, missing, f"would settle whether this applies: {scenario.name}")


def _unknown_disease(presentation: Mapping[str, Any], pathway: Pathway) -> list[NotChecked]:
    """Say that no scenario knows the disease, so that a slip of spelling does not pass for "nothing special"."""
    known = dict.fromkeys(disease for scenario in pathway.scenarios for disease in scenario.when.get("disease", ()))
    if presentation.get("disease") is None or presentation["disease"] in known:
        return []
    why = f"no scenario knows this disease, so only what holds for any is shown; known are {', '.join(known)}"
    return [NotChecked("disease", ("presentation.disease",), why)]


def _features(named: list[tuple[Scenario, Option]]) -> int:
    """Return how many features the most specific scenario asks for that names an agent."""
    return len(named[0][0].when)


def _named(scenarios: Iterable[Scenario]) -> dict[str, list[tuple[Scenario, Option]]]:
    """Return every agent with the scenarios that name it, the most specific scenario first."""
    named: dict[str, list[tuple[Scenario, Option]]] = {}
    for scenario in sorted(scenarios, key=lambda item: -len(item.when)):
        for option in scenario.options:
            named.setdefault(option.agent, []).append((scenario, option))
    return named


def _judged(
    agent_id: str, named: list[tuple[Scenario, Option]], request: TreatmentRequest, knowledge: KnowledgeBase
) -> TreatmentOption:
    agent = knowledge.agents[agent_id]
    most_specific = _features(named)
    leading = min(
        (option for scenario, option in named if len(scenario.when) == most_specific), key=lambda item: item.line
    )
    asked = DoseRequest(agent=agent.id, patient=request.patient, regimen=leading.regimen, as_of=request.as_of)
    assessment = assess(asked, agent, knowledge, ask_for_inputs=False, in_products=False)
    return TreatmentOption(
        agent=agent.id,
        name=agent.name,
        kind=agent.kind,
        regimen=leading.regimen,
        line=leading.line,
        role=leading.role,
        reasons=tuple(_reason(scenario, option) for scenario, option in named),
        verdict=agent.evidence.verdict,
        evidence=agent.evidence.summary,
        status=assessment.status,
        dose=_dose_text(assessment),
        findings=tuple(finding for finding in assessment.findings if finding.severity in _SHOWN),
        not_checked=assessment.not_checked,
        references=agent.evidence.citations.references,
        verified=agent.evidence.citations.verified,
    )


def _dose_text(assessment: Assessment) -> str | None:
    if assessment.dose is None:
        return None
    strength = (assessment.dose.concentration,) if assessment.dose.concentration else ()
    return next((amount.text for amount in (*assessment.dose.amounts, *strength)), None)


def _reason(scenario: Scenario, option: Option) -> OptionReason:
    return OptionReason(
        scenario=scenario.id,
        line=option.line,
        role=option.role,
        rationale=option.rationale,
        references=option.citations.references,
        verified=option.citations.verified,
        against=option.against.text if option.against else None,
        against_references=option.against.citations.references if option.against else (),
    )
