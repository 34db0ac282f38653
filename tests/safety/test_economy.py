"""A healthy adult with complete data is told little: what everyone is told is read by nobody.

:func:`median_findings` returns the table behind the claim, so that it can be quoted.
"""

from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from itertools import islice
from random import Random
from statistics import median
from typing import Any

import pytest
from msgspec.structs import replace

from dosing_service import service
from dosing_service.knowledge import load, safety
from dosing_service.knowledge.base import Agent
from dosing_service.knowledge.safety import Predicate
from dosing_service.model import (
    Assessment,
    Category,
    Coding,
    DoseRequest,
    Finding,
    Options,
    Severity,
    Status,
    Verdict,
)
from dosing_service.rules.population import Answer, applicability
from dosing_service.systems import ICD10, SNOMED
from schemas.reading import dose_request

_KNOWLEDGE = load()
_ANALYTES = _KNOWLEDGE.terminology.analytes
_PATIENTS = 200
_GRAVE = (Severity.CONTRAINDICATED, Severity.MAJOR)
#: About the agent, not about the patient: said of everyone who is offered it.
_ABOUT_THE_AGENT = (Category.EVIDENCE, Category.DISAGREEMENT)

#: What laboratories print as normal for adults of both sexes, in the unit of the analyte's first code.
_NORMAL = {
    "alt": ("10", "35"),
    "ast": ("10", "35"),
    "bicarbonate": ("22", "28"),
    "bilirubin-total": ("0.3", "1.1"),
    "calcium-total": ("8.6", "10.2"),
    "crcl": ("95", "130"),
    "creatine-kinase": ("40", "150"),
    "diastolic-blood-pressure": ("62", "84"),
    "glucose": ("72", "98"),
    "haemoglobin": ("13.5", "15.5"),
    "heart-rate": ("60", "95"),
    "inr": ("0.9", "1.1"),
    "leukocytes": ("6.0", "10.0"),
    "lvef": ("55", "70"),
    "lymphocytes": ("1.2", "3.0"),
    "neutrophils": ("2.5", "5.5"),
    "phosphate": ("2.6", "4.4"),
    "platelets": ("160", "390"),
    "potassium": ("3.6", "4.9"),
    "pr-interval": ("125", "195"),
    "sodium": ("136", "144"),
    "systolic-blood-pressure": ("100", "132"),
    "vitamin-d-25-hydroxy": ("31", "55"),
    "vitamin-d3-25-hydroxy": ("31", "55"),
}
#: Creatinine differs between women and men, in mg/dL.
_CREATININE = {"female": ("0.5", "0.85"), "male": ("0.7", "1.05")}
#: Every result is of this day, and creatinine of the month before as well: a rise needs something to rise from.
_DAY, _DAY_BEFORE = "2026-11-18", "2026-10-18"


def _watched() -> Iterator[str]:
    """Yield every analyte that a monitoring plan has a threshold for."""
    for agent in _KNOWLEDGE.agents.values():
        for line in agent.safety.monitoring:
            for code in line.loinc if line.thresholds else ():
                yield _KNOWLEDGE.terminology.analyte_of_loinc[code]


def _asked() -> Iterator[str]:
    """Yield every analyte that a rule or an interaction asks about."""
    predicates = [rule.when for agent in _KNOWLEDGE.agents.values() for rule in agent.safety.rules]
    predicates += [row.when for row in _KNOWLEDGE.interactions.values()]
    predicates += [row.escalated[0] for row in _KNOWLEDGE.interactions.values() if row.escalated]
    while predicates:
        predicate: Predicate = predicates.pop()
        predicates += getattr(predicate, "parts", ())
        if isinstance(predicate, safety.Not):
            predicates.append(predicate.part)
        if isinstance(predicate, safety.ObservationIn):
            yield predicate.analyte


def _between(random: Random, low: str, high: str) -> Decimal:
    return Decimal(str(round(random.uniform(float(low), float(high)), 2)))


def _patients() -> Iterator[dict[str, Any]]:
    """Yield healthy adults of 20 to 60 years, women and men in turn, with everything known that a rule asks about."""
    random = Random(20)  # noqa: S311 - a fixed seed, so that everyone sees the same patients
    for index in range(_PATIENTS):
        sex = ("female", "male")[index % 2]
        cm = _between(random, *{"female": ("155", "178"), "male": ("166", "192")}[sex])
        kg = _between(random, "20", "27") * cm * cm / 10_000
        normal = _NORMAL | {"creatinine": _CREATININE[sex]}
        yield {
            "age": {"value": Decimal(random.randint(20, 60)), "unit": "a"},
            "sex": sex,
            "weight": {"value": round(kg, 1), "unit": "kg"},
            "height": {"value": cm, "unit": "cm"},
            "pregnant": False,
            "lactating": False,
            "conditions": [],
            "allergies": [],
            "medications": [],
            "observations": [
                {"code": code, "value": _between(random, *normal[analyte]), "unit": unit, "measured_on": day}
                for analyte in sorted(normal)
                for code, unit in [next(iter(_ANALYTES[analyte].units.items()))]
                for day in ([_DAY_BEFORE, _DAY] if analyte == "creatinine" else [_DAY])
            ],
        }


_HEALTHY = [dose_request({"agent": "curettage", "patient": patient}).patient for patient in _patients()]


def _answers(agent: Agent, regimen: str | None) -> Iterator[Assessment]:
    """Yield the answer for every patient for whom the regimen is documented."""
    options = Options(volume_ml=Decimal("0.1"))
    for patient in _HEALTHY:
        if regimen is None or applicability(agent.regimens[regimen], patient).answer is Answer.YES:
            request = DoseRequest(agent.id, patient, regimen, options=options)
            yield service.calculate_dose(request, _KNOWLEDGE)


def _grave(answer: Assessment) -> list[Finding]:
    return [finding for finding in answer.findings if finding.severity in _GRAVE]


@cache
def median_findings() -> dict[tuple[str, str | None], tuple[float, float]]:
    """Return, for every agent and regimen that some of 200 healthy adults may have, the median number of findings of
    grade major or worse: about the patient, and in all (with what is about the agent).
    """
    table = {}
    for agent in _KNOWLEDGE.agents.values():
        for regimen in list(agent.regimens) or [None]:
            counts = []
            for answer in _answers(agent, regimen):
                grave = _grave(answer)
                counts.append((sum(item.category not in _ABOUT_THE_AGENT for item in grave), len(grave)))
            if counts:
                table[agent.id, regimen] = (median(own for own, _ in counts), median(every for _, every in counts))
    return table


def test_the_patients_are_complete() -> None:
    """Every analyte that any rule asks about, or any plan watches, has a normal value here: nothing is left open."""
    assert {*_asked(), *_watched()} - {"creatinine"} <= set(_NORMAL)


def test_a_healthy_adult_has_nothing_out_of_range() -> None:
    """A result within its bounds is shown in the plan, and no finding is made of it."""
    said = {
        finding.id
        for agent in _KNOWLEDGE.agents.values()
        for regimen in list(agent.regimens) or [None]
        for answer in islice(_answers(agent, regimen), 5)
        for finding in answer.findings
    }
    assert {id_ for id_ in said if id_.startswith(("out-of-range", "rise-of"))} == set()


def test_most_agents_are_measured() -> None:
    """The claim is about most agents; the others have regimens for children alone."""
    measured = {agent for agent, _ in median_findings()}
    assert len(measured) >= 28


@pytest.mark.parametrize("agent", sorted(_KNOWLEDGE.agents))
def test_a_healthy_adult_is_told_nothing_grave(agent: str) -> None:
    """The median number of grave findings about the patient is zero for every regimen: nothing is wrong with them."""
    told = {regimen: own for (id_, regimen), (own, _) in median_findings().items() if id_ == agent}
    assert dict.fromkeys(told, 0) == told


@pytest.mark.parametrize("agent", sorted(_KNOWLEDGE.agents))
def test_a_healthy_adult_with_complete_data_leaves_no_rule_open(agent: str) -> None:
    """With everything known, no rule waits for an input of the patient, and the dose is not withheld."""
    found = _KNOWLEDGE.agents[agent]
    for regimen in list(found.regimens) or [None]:
        for answer in islice(_answers(found, regimen), 5):
            assert [item for item in answer.not_checked if item.check in {"safety-rules", "interactions"}] == []
            assert answer.status is not Status.CONTRAINDICATED


#: Two on warfarin, three on methotrexate: plans and circumstances that no list of diagnoses holds.
_MOST_OPEN = 3


@pytest.mark.parametrize("diagnosis", [Coding("M33.10", ICD10), Coding("396230008", SNOMED)], ids=["icd", "snomed"])
@pytest.mark.parametrize("agent", sorted(_KNOWLEDGE.agents))
def test_a_list_in_codes_leaves_little_open(agent: str, diagnosis: Coding) -> None:
    """What no code can say is open in a record that speaks in codes, and that must not become a wall either."""
    found = _KNOWLEDGE.agents[agent]
    patient = replace(_HEALTHY[0], conditions=(diagnosis,))
    for regimen in list(found.regimens) or [None]:
        if regimen is None or applicability(found.regimens[regimen], patient).answer is Answer.YES:
            request = DoseRequest(agent, patient, regimen, options=Options(volume_ml=Decimal("0.1")))
            answer = service.calculate_dose(request, _KNOWLEDGE)
            assert len([item for item in _grave(answer) if item.verdict is Verdict.POSSIBLE]) <= _MOST_OPEN
