"""Every safety rule: a patient for whom it speaks, a twin for whom it is silent, and one of whom too little is known.

The cases are written from the sources, not from the code; see README.md beside this file.
"""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from dosing_service import service
from dosing_service.knowledge import safety, yaml_reader
from dosing_service.knowledge.base import KnowledgeBase
from dosing_service.model import Amount, Basis, Dose, Finding, NotChecked, Per, Severity
from dosing_service.rules import safety as safety_rules
from dosing_service.rules.conditions import Context
from dosing_service.rules.facts import Facts
from schemas.reading import dose_request

_HERE = Path(__file__).parent
_SYSTEMS = {
    "snomed": "http://snomed.info/sct",
    "icd10": "http://hl7.org/fhir/sid/icd-10-cm",
    "rxnorm": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "atc": "http://www.whocc.no/atc",
}
_LISTS = ("conditions", "allergies", "medications")


def _read(path: Path) -> Any:
    return yaml_reader.read(path.read_text(encoding="utf-8"))


_BASE = _read(_HERE / "base.yaml")
_CASES = [(file.stem, case) for file in sorted((_HERE / "cases").glob("*.yaml")) for case in _read(file)]


def request_of(agent: str, case: dict[str, Any]) -> dict[str, Any]:
    """Return a case as the body of a request: the healthy base patient with the case's changes."""
    base = _BASE.get("patient", _BASE)
    changes = dict(case.get("patient", {}))
    dropped = set(changes.pop("drop", []))
    own = changes.pop("observations", [])
    replaced = {item["code"] for item in own} | dropped
    patient = {key: value for key, value in (base | changes).items() if key not in dropped}
    if "observations" not in dropped:
        kept = [item for item in base["observations"] if not _is_replaced(item["code"], replaced)]
        patient["observations"] = [*kept, *own]
    for name in _LISTS:
        if name in patient:
            patient[name] = [_coding(item) for item in patient[name]]
    body = {"agent": agent, "patient": patient, "options": case.get("options", {})}
    return body | ({"regimen": case["regimen"]} if "regimen" in case else {})


def _is_replaced(code: str, replaced: set[str]) -> bool:
    """A result replaces every result of the same analyte, whatever its code (mg/dL or umol/L)."""
    analytes = [set(codes) for codes in _ANALYTES if code in codes]
    return code in replaced or any(codes & replaced for codes in analytes)


_ANALYTES = [
    [item["code"] for item in record["loinc"]]
    for record in _read(
        Path(safety.__file__).parent / "terminology" / "observations.yaml",
    ).values()
]


def _coding(item: Any) -> Any:
    if isinstance(item, str):
        return item
    ((system, code),) = item.items()
    return {"system": _SYSTEMS[system], "code": str(code)}


def _asked(
    agent: str, case: dict[str, Any], knowledge: KnowledgeBase
) -> tuple[Sequence[Finding], Sequence[NotChecked]]:
    """Return what is found and what is left open, for a dose of a regimen or for an ordered one."""
    request = dose_request(request_of(agent, case))
    if "order" not in case:
        assessment = service.calculate_dose(request, knowledge)
        return assessment.findings, assessment.not_checked
    order = case["order"]
    facts, strength = Facts(request.patient, knowledge.terminology), order.get("strength")
    context = Context(
        facts, order["route"], "as-ordered", _ordered(order), None if strength is None else Decimal(strength)
    )
    judged = safety_rules.judge(knowledge.agents[agent], context, request.options.jurisdiction, of_order=True)
    return safety_rules.findings(judged), safety_rules.unchecked(judged)


def _ordered(order: dict[str, Any]) -> Dose:
    """Return an amount that no regimen reaches, as each kind of amount that follows from how often it is given."""
    each, unit, frequency = Decimal(order["dose"]["value"]), order["dose"]["unit"], order["frequency"]
    days = frequency["every"]["value"] * {"d": 1, "wk": 7}[frequency["every"]["unit"]]
    a_day = each * frequency["times"] / days
    amounts = {Per.ADMINISTRATION: each, Per.WEEK: a_day * 7, Per.MONTH: a_day * Decimal("30.4375")}
    if days == 1:
        amounts[Per.DAY] = each * frequency["times"]
    stated = tuple(Amount(per, value, value, unit, f"{value} {unit}") for per, value in amounts.items())
    return Dose(Basis.FIXED, stated, (), None, None, None, None, None, None, (), verified=True)


def _named(findings: Sequence[Finding], rule: str) -> Finding | None:
    return next((finding for finding in findings if finding.id == rule), None)


@pytest.mark.parametrize(
    ("agent", "case"),
    _CASES,
    ids=[f"{agent}-{case['rule']}-{case['kind']}-{index}" for index, (agent, case) in enumerate(_CASES)],
)
def test_case(agent: str, case: dict[str, Any], knowledge: KnowledgeBase) -> None:
    """The rule speaks, is silent or is open, as the sources say."""
    expect = case["expect"]
    findings, not_checked = _asked(agent, case, knowledge)
    finding = _named(findings, case["rule"]) or _named(findings, case.get("shadowed_by", case["rule"]))
    if expect.get("absent"):
        assert finding is None, case["why"]
    else:
        assert finding is not None, case["why"]
        if finding.id == case["rule"]:
            assert (Severity(expect["severity"]), expect["verdict"]) == (finding.severity, finding.verdict.value)
    if "needs" in expect:
        needed = {path for item in not_checked for path in item.needs}
        assert any(path.startswith(expect["needs"]) for path in needed), (case["why"], sorted(needed))


#: What is known of every computed dose, so that a rule about nothing else is never open.
_OF_THE_DOSE = (safety.DoseIn, safety.RouteIs, safety.RegimenIs, safety.WeightIn)


def _asks_only_the_dose(predicate: safety.Predicate) -> bool:
    if isinstance(predicate, safety.AllOf | safety.AnyOf):
        return all(_asks_only_the_dose(part) for part in predicate.parts)
    return (
        _asks_only_the_dose(predicate.part)
        if isinstance(predicate, safety.Not)
        else isinstance(predicate, _OF_THE_DOSE)
    )


def test_every_rule_has_a_positive_a_negative_and_an_unknown_case(knowledge: KnowledgeBase) -> None:
    """A rule without all three does not ship; a rule of a class needs them under one of its agents.

    What holds for everyone needs none, and what asks only about the dose is never unknown.
    """
    have = {(agent, case["rule"], case["kind"]) for agent, case in _CASES}
    holders: dict[int, tuple[safety.Rule, set[str]]] = {}
    for agent in knowledge.agents.values():
        for rule in agent.safety.rules:
            holders.setdefault(id(rule), (rule, set()))[1].add(agent.id)
    missing = []
    for rule, agents in holders.values():
        kinds = {"positive", "negative"} | (set() if _asks_only_the_dose(rule.when) else {"unknown"})
        wanted = set() if isinstance(rule.when, safety.Always) else kinds
        covered = {kind for kind in wanted if any((agent, rule.id, kind) in have for agent in agents)}
        missing += [(sorted(agents)[0], rule.id, kind) for kind in sorted(wanted - covered)]
    assert missing == []


def test_there_are_at_least_150_cases() -> None:
    """The table is as long as it claims to be."""
    assert len(_CASES) >= 150


def test_numbers_of_the_base_patient_are_decimals() -> None:
    """The base patient is read as the strict reader would read it, so nothing of it is rounded."""
    assert all(isinstance(item["value"], Decimal) for item in _BASE.get("patient", _BASE)["observations"])
