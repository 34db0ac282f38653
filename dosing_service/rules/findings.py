"""What a clinician should know about the dose itself: for whom it is documented, which maxima it meets, and how
good the evidence is.
"""

from collections.abc import Iterable
from decimal import Decimal
from functools import cache

from dosing_service.knowledge.base import Agent, Regimen, describe_population
from dosing_service.model import Amount, Basis, Category, Dose, Finding, LimitCheck, Patient, Severity, Verdict
from dosing_service.rules.population import AGE, CREATININE, EGFR, HEIGHT, SEX, WEIGHT, Applicability
from dosing_service.rules.schedule import ADVERB
from dosing_service.rules.wording import amount_text, join
from dosing_service.units import display, over, spelled, times

_SEVERITY_ORDER = {severity: index for index, severity in enumerate(Severity)}
_CATEGORY_ORDER = {category: index for index, category in enumerate(Category)}
_USE_ANOTHER = "use a regimen documented for this patient, or take specialist advice."
_ADULT_YEARS = Decimal(18)
_MG_PER_G = Decimal(1000)
_KIND_WORDS = {
    "single-maximum": "per administration",
    "daily-maximum": "daily",
    "weekly-maximum": "weekly",
    "monthly-maximum": "monthly",
    "course-maximum": "per course",
    "rate-maximum": "",
}


def worst_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings ordered by severity, then by category, then by id; what applies stands before what is only
    possible.
    """
    return tuple(
        sorted(
            findings,
            key=lambda item: (
                _SEVERITY_ORDER[item.severity],
                item.verdict is Verdict.POSSIBLE,
                _CATEGORY_ORDER[item.category],
                item.id,
            ),
        )
    )


def outside_population(
    agent: Agent, regimen: Regimen, dose: Dose, patient: Patient, applicability: Applicability
) -> Finding:
    """Say that a regimen is not documented for this patient; a fixed amount is shown per kg for orientation, never
    as a dose.
    """
    described = describe_population(regimen)
    summary = f"{regimen.name}: documented for {described}, not for this patient."
    per_kg = orientation(dose, patient)
    if per_kg:
        summary = f"{summary} For orientation only: {dose.amounts[0].text} would be {per_kg} here."
    return Finding(
        id="outside-population",
        category=Category.POPULATION,
        severity=Severity.MAJOR,
        verdict=Verdict.APPLIES,
        summary=summary,
        because=applicability.because,
        management=f"Do not scale this figure of {agent.name}; {_USE_ANOTHER}",
        references=regimen.citations.references,
        verified=regimen.citations.verified,
    )


def outside_bands(agent: Agent, regimen: Regimen, applicability: Applicability) -> Finding:
    """Say that none of the ages or weights a regimen is documented for is this patient's."""
    return Finding(
        id="outside-population",
        category=Category.POPULATION,
        severity=Severity.MAJOR,
        verdict=Verdict.APPLIES,
        summary=f"{regimen.name}: no documented band holds this patient.",
        because=applicability.because,
        management=f"Do not extrapolate this figure of {agent.name}; {_USE_ANOTHER}",
        references=regimen.citations.references,
        verified=regimen.citations.verified,
    )


def orientation(dose: Dose, patient: Patient) -> str | None:
    """Return a fixed amount divided by the patient's weight, in words, or ``None`` without a weight or for an
    amount that is not fixed.
    """
    if patient.weight is None or dose.basis is not Basis.FIXED:
        return None
    own = dose.amounts[0]
    return per_kg_text(own, patient.weight.kg)


def per_kg_text(own: Amount, kg: Decimal) -> str:
    """Return an amount divided by ``kg``, ``10 mg/kg daily``; below 1 g/kg in milligrams, as such doses are known."""
    low, high, unit = over(own.low, kg), over(own.high, kg), own.unit
    if unit == "g" and high < 1:
        low, high, unit = times(low, _MG_PER_G), times(high, _MG_PER_G), "mg"
    return amount_text(low, high, f"{unit}/kg", ADVERB[own.per])


def population_unknown(regimen: Regimen, applicability: Applicability) -> Finding:
    """Say that a missing fact about the patient leaves open whether the regimen is for this patient."""
    described = describe_population(regimen)
    missing = join([_word(path) for path in applicability.because])
    return Finding(
        id="population-unknown",
        category=Category.POPULATION,
        severity=Severity.MAJOR,
        verdict=Verdict.POSSIBLE,
        summary=f"{regimen.name} is for {described}; without {missing} it is not known whether that fits this patient.",
        because=applicability.because,
        management=f"Give {missing} and ask again before using this dose.",
        references=regimen.citations.references,
        verified=regimen.citations.verified,
    )


_WORDS = {
    AGE: "the age",
    WEIGHT: "the weight",
    HEIGHT: "the height",
    SEX: "the sex",
    CREATININE: "the creatinine",
    EGFR: "the eGFR",
}


def _word(path: str) -> str:
    return _WORDS.get(path, path)


def population_not_stated(regimen: Regimen, patient: Patient) -> Finding:
    """Say that the source of a weight-based dose names no population; in a child that deserves more than a footnote."""
    is_adult = patient.age is not None and patient.age.years >= _ADULT_YEARS
    return Finding(
        id="population-not-stated",
        category=Category.POPULATION,
        severity=Severity.INFO if is_adult else Severity.MODERATE,
        verdict=Verdict.APPLIES,
        summary=f"{regimen.name}: the source states no population; the figure per kg or m² is applied to all ages.",
        because=() if is_adult else (AGE,),
        management="Compare with the regimens documented for this age before using it."
        if not is_adult
        else "Compare with the alternatives.",
        references=regimen.citations.references,
        verified=regimen.citations.verified,
    )


def limits(dose: Dose, because: tuple[str, ...]) -> list[Finding]:
    """Return one finding for the maximum that holds the dose and one for every other maximum that the dose passes."""
    if not dose.amounts:
        return []
    held = [_held(dose, because)] if dose.cap else []
    passed = [check for check in dose.limits if check.exceeded and not _is_holding(dose, check)]
    return held + [_passed(dose, dose.amounts[0], check, because) for check in passed]


def _is_holding(dose: Dose, check: LimitCheck) -> bool:
    return dose.cap is not None and check.kind == dose.cap.kind and check.value == dose.cap.value


def limit_text(kind: str, value: Decimal, unit: str, applies_to: str | None) -> str:
    """Return a documented maximum in words: ``360 mg daily (immediate-release)``."""
    words = _KIND_WORDS.get(kind, kind)
    text = f"{display(value)} {spelled(unit)} {words}".rstrip()
    return f"{text} ({applies_to})" if applies_to else text


def _limit_text(check: LimitCheck) -> str:
    return limit_text(check.kind, check.value, check.unit, check.applies_to)


def _held(dose: Dose, because: tuple[str, ...]) -> Finding:
    cap = dose.cap
    assert cap is not None  # noqa: S101 - the caller looked
    holding = next(check for check in dose.limits if _is_holding(dose, check))
    bites = (
        f"; it bites above {display(cap.bites_above.value)} {spelled(cap.bites_above.unit)}" if cap.bites_above else ""
    )
    return Finding(
        id=f"held-at-{cap.kind}",
        category=Category.DOSE_LIMIT,
        severity=Severity.MODERATE,
        verdict=Verdict.APPLIES,
        summary=f"{cap.uncapped.text} is held at the documented maximum of {_limit_text(holding)}{bites}.",
        because=because,
        management=f"Do not exceed {_limit_text(holding)}.",
        references=holding.references,
        verified=holding.verified,
    )


def _passed(dose: Dose, own: Amount, check: LimitCheck, because: tuple[str, ...]) -> Finding:
    uncapped = dose.cap.uncapped if dose.cap else own
    slug = "".join(character if character.isalnum() else "-" for character in (check.applies_to or "all")).strip("-")
    return Finding(
        id=f"above-{check.kind}-{slug}-{check.value.normalize():f}",
        category=Category.DOSE_LIMIT,
        severity=Severity.MODERATE,
        verdict=Verdict.APPLIES,
        summary=f"{uncapped.text} passes a documented maximum of {_limit_text(check)}.",
        because=because,
        management=f"Stay at or below {_limit_text(check)} where this maximum applies.",
        references=check.references,
        verified=check.verified,
    )


@cache
def evidence(agent: Agent) -> Finding | None:
    """Return what the evidence obliges the service to say with every answer for this agent."""
    finding = agent.evidence.finding
    if finding is None:
        return None
    return Finding(
        id=f"evidence-{agent.id}",
        category=Category.EVIDENCE,
        severity=finding.severity,
        verdict=Verdict.APPLIES,
        summary=finding.summary,
        because=("agent",),
        management=finding.management,
        references=agent.evidence.citations.references,
        verified=agent.evidence.citations.verified,
    )


@cache
def off_label(agent: Agent, regimen: Regimen) -> Finding | None:
    """Say that the use is outside the licence."""
    if not regimen.off_label:
        return None
    return Finding(
        id="off-label",
        category=Category.OFF_LABEL,
        severity=Severity.INFO,
        verdict=Verdict.APPLIES,
        summary=f"{agent.name} for {regimen.indication} is an off-label use.",
        because=("regimen",),
        management="Document the reason and the consent as your institution asks.",
        references=regimen.citations.references,
        verified=regimen.citations.verified,
    )


def other_indication(regimen: Regimen, disease: str | None, lesion: str | None) -> Finding | None:
    """Say that the regimen is documented for another disease or lesion size than the one asked about."""
    because = []
    if disease is not None and regimen.diseases and not {disease, "calcinosis-cutis"} & set(regimen.diseases):
        because.append("indication.disease")
    if lesion is not None and regimen.lesion is not None and regimen.lesion != lesion:
        because.append("indication.lesion")
    if not because:
        return None
    return Finding(
        id="other-indication",
        category=Category.INDICATION,
        severity=Severity.MINOR,
        verdict=Verdict.APPLIES,
        summary=f"This regimen is documented for {regimen.indication}, not for the indication given.",
        because=tuple(because),
        management="Look at the alternatives for a regimen that fits the indication.",
        references=regimen.citations.references,
        verified=regimen.citations.verified,
    )
