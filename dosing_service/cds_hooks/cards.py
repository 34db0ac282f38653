"""Writes cards: short for those who are busy, with the numbers, the working and the sources for those who ask why."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from dosing_service import service
from dosing_service.cds_hooks.corrections import corrected, pruned
from dosing_service.cds_hooks.markdown import MOST_SUMMARY, cited, clipped, escaped
from dosing_service.cds_hooks.order_problems import OrderProblem
from dosing_service.config import Profile
from dosing_service.fhir.reading import ReadRequest
from dosing_service.knowledge.base import KnowledgeBase
from dosing_service.model import CauseKind, Finding, OrderAssessment, Per, Severity, Value, Verdict
from dosing_service.rules.wording import times_text

_INDICATOR = {
    Severity.CONTRAINDICATED: "critical",
    Severity.MAJOR: "warning",
    Severity.MODERATE: "warning",
    Severity.MINOR: "info",
    Severity.INFO: "info",
}
_OVERRIDES = "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"
_REASONS = (
    ("risk-benefit-ratio", "The benefit outweighs the risk for this patient"),
    ("patient-ineligible", "It does not apply to this patient"),
    ("action-completed", "It has been dealt with already"),
    ("need-more-info", "More information is needed first"),
)
_TOPICS = "urn:dosing-service:topic"
_MOST_TOPIC = 100
_MOST_NAME = 60
_MOST_SOURCES = 4
_MOST_LISTED = 8
_MOST_OTHERS = 3
_OBSERVATION = re.compile(r"patient\.observations\[(?:([0-9]+)|([0-9]+-[0-9]))\](\.earlier)?")
_PLACE = re.compile(r"\[[0-9]+\]$")
#: A diagnosis that was sent, by its place, or one that is asked for, by its id.
_DIAGNOSIS = re.compile(r"patient\.conditions\[(?:[0-9]+|([a-z0-9-]+))\]")
#: Data by names that say more than the name of the field.
_DATA = {
    "patient.allergies": "allergies",
    "patient.conditions": "diagnoses",
    "patient.medications": "current medication",
    "patient.pregnant": "whether pregnant",
    "patient.lactating": "whether breast-feeding",
}


class Style(Value, frozen=True):
    """How cards are written for a client; links begin with ``base``, and ``instance`` is the call that is answered."""

    profile: Profile
    base: str
    instance: str


def card(problem: OrderProblem, read: ReadRequest, knowledge: KnowledgeBase, style: Style) -> dict[str, Any]:
    """Return the card for one problem, without empty parts."""
    topic = "".join(character for character in problem.topic.title() if character.isalnum())[:_MOST_TOPIC]
    places = "|".join(item.path for item in problem.orders)
    name = f"{style.instance}|{topic}|{places}"
    suggestions = list(_suggestions(problem, knowledge, style, name))
    document: dict[str, Any] = pruned(
        {
            "uuid": str(uuid5(NAMESPACE_URL, name)),
            "summary": _summary(problem),
            "indicator": _INDICATOR[problem.severity],
            "detail": "\n\n".join(part for part in _detail(problem, read, knowledge) if part),
            "source": {
                "label": f"dosing-service, calcinosis cutis knowledge {knowledge.version}",
                "url": f"{style.base}/docs",
                "topic": {"system": _TOPICS, "code": topic, "display": problem.topic},
            },
            "overrideReasons": [{"system": _OVERRIDES, "code": code, "display": words} for code, words in _REASONS]
            if problem.findings
            else [],
            "suggestions": suggestions,
            "selectionBehavior": "at-most-one" if suggestions else None,
            "links": list(_links(problem, style)),
        }
    )
    return document


# ---------------------------------------------------------------- words


def _summary(problem: OrderProblem) -> str:
    if problem.said is not None:
        # The name may be as long as a record has it, and must leave room for what is said of it.
        return clipped(f"{clipped(problem.name, _MOST_NAME)}: {problem.said}")
    text = problem.findings[0].summary
    slip = _first_slip(problem)
    if slip is not None:
        text = f"{problem.name} {_ordered_text(problem.assessment)}: {slip}"
    if problem.name.lower() not in text.lower():
        text = f"{problem.name}: {text}"
    if not problem.is_about_dose or not _together(problem):
        return clipped(text)
    many = f" ({_together(problem)})"
    return clipped(text.removesuffix("."), MOST_SUMMARY - len(many)) + many


def _together(problem: OrderProblem) -> str:
    """Return of how many orders the amounts are the sum, in words; nothing where an order was judged alone."""
    assessment = problem.assessment
    return f"{len(assessment.summed_with) + 1} orders together" if assessment and assessment.together else ""


_SLIPS = {
    CauseKind.WRONG_WEIGHT: "wrong weight?",
    CauseKind.DAILY_INSTEAD_OF_WEEKLY: "daily instead of weekly?",
    CauseKind.COURSE_TOTAL_GIVEN_DAILY: "total of a course given daily?",
    CauseKind.WEEKLY_TOTAL_GIVEN_DAILY: "total of a week given daily?",
    CauseKind.WEEKLY_TOTAL_GIVEN_EACH_TIME: "total of a week given each time?",
    CauseKind.DAILY_TOTAL_GIVEN_EACH_TIME: "total of a day given each time?",
    CauseKind.PER_KG_DOSE_GIVEN_AS_TOTAL: "dose per kg given as total?",
    CauseKind.TENFOLD: "factor of ten?",
    CauseKind.THOUSANDFOLD: "mg, mcg or g mistaken?",
    CauseKind.LB_FOR_KG: "pounds taken for kilograms?",
}


def _first_slip(problem: OrderProblem) -> str | None:
    assessment = problem.assessment
    if assessment is None or not problem.is_about_dose or not assessment.likely_causes:
        return None
    ratio = assessment.ratio
    times = f"{times_text(ratio.high)} the documented dose, " if ratio is not None and ratio.high > 1 else ""
    return f"{times}{_SLIPS[assessment.likely_causes[0].kind]}"


def _ordered_text(assessment: OrderAssessment | None) -> str:
    if assessment is None:
        return ""
    amounts = assessment.together or assessment.ordered
    # What a day, week or month comes to says more than what is given at a time; the shortest of them comes first.
    periods = [item for item in amounts if item.per is not Per.ADMINISTRATION] or amounts
    return periods[0].text if periods else ""


def _detail(problem: OrderProblem, read: ReadRequest, knowledge: KnowledgeBase) -> Iterator[str]:
    if problem.said is not None:
        yield f"**{escaped(problem.said[:1].upper() + problem.said[1:])}.**"
    if problem.findings:
        first, *others = problem.findings
        yield f"**{escaped(first.summary)}**\n{escaped(first.management)}"
        yield "\n".join(f"- {escaped(text)}" for text in _first([item.summary for item in others], _MOST_OTHERS))
    if problem.assessment is not None:
        yield from _working(problem, problem.assessment, knowledge)
    yield from _of_reading(problem, read)
    if problem.assessment is not None:
        yield from _unrecognised(problem.assessment, read)
        yield from _unchecked(problem.assessment, read, knowledge)
    yield from _sources(problem.findings, knowledge)
    yield f"_{escaped(service.NOTICE)}_"


def _working(problem: OrderProblem, assessment: OrderAssessment, knowledge: KnowledgeBase) -> Iterator[str]:
    if not problem.is_about_dose or assessment.agent is None:
        return
    amounts = assessment.together or assessment.ordered
    ordered = "; ".join(item.text for item in amounts)
    expected = next((item for item in assessment.expected if item.regimen == assessment.regimen), None)
    if ordered and expected is not None:
        name = knowledge.agents[assessment.agent].regimens[expected.regimen].name
        many = _together(problem)
        yield (
            f"Ordered{many and f', {many}'}: {escaped(ordered)}\nDocumented: {escaped(expected.text)} ({escaped(name)})"
        )
        if many:
            yield "Orders of one drug are added up; steps that follow one another belong in one order."
    for cause in assessment.likely_causes:
        yield f"Likely slip: {escaped(cause.summary)}"


def _of_reading(problem: OrderProblem, read: ReadRequest) -> Iterator[str]:
    """Yield what must be known of how the orders were read."""
    said = problem.said or ""
    for order in problem.orders:
        if order.drug is not None and order.drug.by == "name":
            yield f"Recognised by its name only: {escaped(order.drug.name)}. Check that it is the drug that is meant."
        yield from (f"As read: {escaped(text)}." for text in order.unread if text not in said)
    yield from (f"Note: {escaped(text)}." for text in _first([text for text in read.notes if text not in said]))


def _unrecognised(assessment: OrderAssessment, read: ReadRequest) -> Iterator[str]:
    """Yield the allergies and drugs that nothing here knows, by the name or code that the record has."""
    lists = {"allergies": read.patient.allergies or (), "medications": read.patient.medications or ()}
    needs = {need for item in assessment.not_checked if item.check == "drugs" for need in item.needs}
    for name, words in (("allergies", "Allergies"), ("medications", "Medication")):
        named = [coding.code for index, coding in enumerate(lists[name]) if f"patient.{name}[{index}]" in needs]
        if named:
            listed = escaped(", ".join(clipped(code, _MOST_NAME) for code in _first(named)))
            yield f"{words} not recognised, and not checked: {listed}."


def _unchecked(assessment: OrderAssessment, read: ReadRequest, knowledge: KnowledgeBase) -> Iterator[str]:
    """Yield what forbids the drug and could not be ruled out, and the data that were missing for the checks; drugs
    that nobody knows are named apart.
    """
    open_ = [item for item in assessment.findings if item.verdict is Verdict.POSSIBLE]
    worst = [item.summary for item in open_ if item.severity is Severity.CONTRAINDICATED]
    if worst:
        yield "Not ruled out:\n" + "\n".join(f"- {escaped(text)}" for text in _first(worst))
    asked = [need for item in assessment.not_checked if item.check != "drugs" for need in item.needs]
    # What was sent and not understood comes before what was not sent.
    asked.sort(key=lambda need: _PLACE.search(need) is None)
    missing = dict.fromkeys(_datum(need, read, knowledge) for need in asked)
    if missing:
        yield f"Not checked for want of: {escaped(', '.join(_first([*missing])))}."


def _first(texts: Sequence[str], most: int = _MOST_LISTED) -> list[str]:
    more = len(texts) - most
    return [*texts[:most], *([f"{more} more"] if more > 0 else [])]


def _datum(need: str, read: ReadRequest, knowledge: KnowledgeBase) -> str:
    """Return ``creatinine in serum or plasma`` for ``patient.observations[2160-0]``, and a result that was sent and
    cannot be read by its name, too.
    """
    result = _OBSERVATION.fullmatch(need)
    if result is not None:
        code = result[2] or (read.patient.observations or ())[int(result[1])].code
        analytes = knowledge.terminology.analytes.values()
        name = next((item.name for item in analytes if code in item.units), f"LOINC {code}")
        if result[1]:
            return f"{name} in a unit that fits its code"
        return f"earlier {name}" if result[3] else name
    diagnosis = _DIAGNOSIS.fullmatch(need)
    if diagnosis is not None and diagnosis[1]:
        return f"yes or no to “{knowledge.terminology.condition_names[diagnosis[1]]}”"
    if diagnosis is not None:
        return "a diagnosis under a code that is known here"
    return _DATA.get(need, need.rpartition(".")[2].replace("_", " "))


def _sources(findings: Iterable[Finding], knowledge: KnowledgeBase) -> Iterator[str]:
    ids = list(dict.fromkeys(id_ for item in findings for id_ in item.references))[:_MOST_SOURCES]
    if ids:
        is_verified = all(item.verified for item in findings)
        sources = "; ".join(cited(knowledge.references[id_].citation) for id_ in ids)
        yield f"Sources: {sources}{'' if is_verified else ' (not all of them verified)'}"


# ---------------------------------------------------------------- actions and links


def _suggestions(problem: OrderProblem, knowledge: KnowledgeBase, style: Style, name: str) -> Iterator[dict[str, Any]]:
    """Yield the order without its slip, for clients that take a whole corrected order."""
    assessment = problem.assessment
    if style.profile is Profile.EPIC or assessment is None or len(problem.orders) != 1 or _first_slip(problem) is None:
        return
    for cause in assessment.likely_causes:
        resource = corrected(problem.orders[0], assessment, cause, knowledge)
        if resource is not None:
            text = f"Change to {cause.would_be.text}"
            yield {
                "label": clipped(text),
                "uuid": str(uuid5(NAMESPACE_URL, f"{name}|{cause.kind.value}")),
                "actions": [{"type": "update", "description": text, "resource": resource}],
            }


def _links(problem: OrderProblem, style: Style) -> Iterator[dict[str, str]]:
    agent = problem.assessment.agent if problem.assessment else None
    if agent is not None:
        yield {"label": f"Doses and sources: {agent}", "url": f"{style.base}/v1/agents/{agent}", "type": "absolute"}
