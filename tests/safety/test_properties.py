"""What must hold of safety findings for every patient, tried with generated ones."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dosing_service import service
from dosing_service.errors import InvalidRequest
from dosing_service.knowledge import load, safety
from dosing_service.knowledge.base import Agent
from dosing_service.model import Assessment, BaselineStatus, Category, Finding, Patient, Severity, Sex, Verdict
from dosing_service.rules import safety as safety_rules
from dosing_service.rules.conditions import Context, Evaluation, evaluate
from dosing_service.rules.facts import Facts
from dosing_service.rules.population import Answer
from dosing_service.systems import ATC
from schemas.reading import dose_request

_KNOWLEDGE = load()
_TERMINOLOGY = _KNOWLEDGE.terminology
_GRAVE = (Severity.CONTRAINDICATED, Severity.MAJOR)
#: What a finding may be about that is neither a rule nor an interaction: the dose, the agent, the request.
_NOT_SAFETY = {Category.EVIDENCE, Category.DISAGREEMENT, Category.POPULATION, Category.INDICATION}

#: The same examples in every run: a property that fails must fail for everyone.
bounded = settings(max_examples=400, deadline=None, derandomize=True)


def _predicates(predicate: safety.Predicate) -> Iterator[safety.Predicate]:
    yield predicate
    inner = getattr(predicate, "parts", None) or ((predicate.part,) if isinstance(predicate, safety.Not) else ())
    for part in inner:
        yield from _predicates(part)


def _asked(agent: Agent) -> list[safety.Predicate]:
    return [part for rule in agent.safety.rules for part in _predicates(rule.when)]


_ASKED = {agent.id: _asked(agent) for agent in _KNOWLEDGE.agents.values()}
_QUIET = {rule.id for agent in _KNOWLEDGE.agents.values() for rule in agent.safety.rules if rule.quiet_when_unknown}
_ALL_ASKED = [predicate for predicates in _ASKED.values() for predicate in predicates]


# ---------------------------------------------------------------- generated patients


def _codes(groups: list[safety.DrugGroup]) -> list[Any]:
    return [{"system": ATC, "code": code} for group in groups for code in group.atc]


def _partners(agent: str) -> list[Any]:
    return _codes([row.partner for row in _KNOWLEDGE.interactions_of[agent] if agent in row.agents])


def _result(analyte: safety.Analyte, value: Decimal) -> dict[str, Any]:
    code, unit = next(iter(analyte.units.items()))
    return {"code": code, "value": value, "unit": unit}


def _bounds(agent: str, analyte: str) -> list[Decimal]:
    """Return values on, above and below each bound that the agent's rules have for an analyte."""
    ranges = [
        item.range for item in _ASKED[agent] if isinstance(item, safety.ObservationIn) and item.analyte == analyte
    ]
    edges = {edge for range_ in ranges for edge in (range_.start, range_.end) if edge is not None}
    return [value for edge in sorted(edges) for value in (edge / 2, edge, edge * 2)]


@st.composite
def _requests(draw: st.DrawFn) -> dict[str, Any]:
    """Draw an agent, one of its regimens, and a patient who has some of what the agent's rules ask about."""
    agent = draw(st.sampled_from(sorted(_KNOWLEDGE.agents)))
    asked = _ASKED[agent]
    diagnoses = sorted({item.condition for item in asked if isinstance(item, safety.HasCondition)})
    allergens = _codes([item.group for item in asked if isinstance(item, safety.AllergicTo)])
    taken = _codes([item.group for item in asked if isinstance(item, safety.Takes)]) + _partners(agent)
    analytes = sorted({item.analyte for item in asked if isinstance(item, safety.ObservationIn)} | _watched(agent))
    sex = draw(st.sampled_from(["female", "male"]))
    patient: dict[str, Any] = {
        "age": {"value": draw(st.decimals("0.5", "95", places=1)), "unit": "a"},
        "sex": sex,
        "weight": {"value": draw(st.decimals("5", "120", places=1)), "unit": "kg"},
        "height": {"value": draw(st.decimals("60", "200", places=0)), "unit": "cm"},
        "pregnant": sex == "female" and draw(st.booleans()),
        "lactating": sex == "female" and draw(st.booleans()),
        "conditions": draw(_some(diagnoses)),
        "allergies": draw(_some(allergens)),
        "medications": draw(_some(taken)),
        "observations": [draw(_observation(agent, analyte)) for analyte in draw(_some(analytes))]
        + draw(_followed([item.analyte for item in asked if isinstance(item, safety.RiseIn)])),
    }
    regimens = list(_KNOWLEDGE.agents[agent].regimens)
    chosen = {"regimen": draw(st.sampled_from(regimens))} if regimens else {}
    options = {
        "include_outside_population": True,
        "include_contraindicated": True,
        "volume": {"value": Decimal("0.1"), "unit": "mL"},
    }
    return {"agent": agent, "patient": patient, "options": options} | chosen


def _some(pool: list[Any]) -> st.SearchStrategy[list[Any]]:
    if not pool:
        return st.just([])
    return st.lists(st.integers(0, len(pool) - 1), max_size=3, unique=True).map(lambda at: [pool[i] for i in at])


@st.composite
def _followed(draw: st.DrawFn, analytes: list[str]) -> list[dict[str, Any]]:
    """Draw an earlier and a later result of each analyte whose rise is asked about, or nothing."""
    if not analytes or not draw(st.booleans()):
        return []
    values = st.sampled_from([Decimal("0.8"), Decimal("1.3"), Decimal("1.4"), Decimal("2.4")])
    return [
        _result(_TERMINOLOGY.analytes[analyte], draw(values)) | {"measured_on": day}
        for analyte in dict.fromkeys(analytes)
        for day in ("2026-10-15", "2026-11-18")
    ]


def _watched(agent: str) -> set[str]:
    """Return the analytes that the agent's plan has a threshold for, and creatinine, which clearances come from."""
    lines = [line for line in _KNOWLEDGE.agents[agent].safety.monitoring if line.thresholds]
    return {_TERMINOLOGY.analyte_of_loinc[code] for line in lines for code in line.loinc} | {"creatinine"}


@st.composite
def _observation(draw: st.DrawFn, agent: str, analyte: str) -> dict[str, Any]:
    """Draw a result in the first unit of the analyte; bounds are in its base unit, which is that of a mass."""
    known = _TERMINOLOGY.analytes[analyte]
    near = _bounds(agent, analyte) or [Decimal("0.5"), Decimal(1), Decimal(4)]
    return _result(known, draw(st.sampled_from(near)))


def _answer(body: dict[str, Any]) -> Assessment | None:
    try:
        return service.calculate_dose(dose_request(body), _KNOWLEDGE)
    except InvalidRequest:
        return None  # the dose cannot be computed without it: the caller is asked for it, which is no silence


def _grave(answer: Assessment) -> list[Finding]:
    return [item for item in answer.findings if item.severity in _GRAVE and item.category not in _NOT_SAFETY]


def _waiting(answer: Assessment) -> set[str]:
    """Return the ids of the rules and interactions that ``not_checked`` says are not settled."""
    prefix = "would settle: "
    return {
        id_
        for item in answer.not_checked
        if item.why.startswith(prefix)
        for id_ in item.why.removeprefix(prefix).split(", ")
    }


#: A number that is not sent cannot be implausible.
_MEASURED = ("weight", "height")
_KEYS = ("age", "sex", "weight", "height", "pregnant", "lactating", "conditions", "allergies", "medications")


# ---------------------------------------------------------------- knowing less, knowing more


@bounded
@given(_requests(), st.sampled_from([*_KEYS, "observations"]))
def test_knowing_less_never_silences_a_grave_finding(body: dict[str, Any], key: str) -> None:
    """Without a key, a contraindicated or major finding that applied still applies or becomes possible, and what would
    settle it is named; or a graver one of its kind speaks. A rule that is quiet while it is open is named all the same,
    and a value that was out of range is one that the plan asks for.
    """
    full = _answer(body)
    less = _answer(body | {"patient": {name: value for name, value in body["patient"].items() if name != key}})
    if full is None or less is None:
        return
    shown = {item.id: item for item in less.findings}
    waiting = _waiting(less)
    for finding in _grave(full):
        if finding.verdict is not Verdict.APPLIES:
            continue
        if finding.category is Category.INTERACTION and key == "medications":
            assert ("patient.medications",) in {item.needs for item in less.not_checked}
            continue
        if finding.category is Category.PLAUSIBILITY and finding.id not in shown:
            assert key in _MEASURED or (f"patient.{key}",) in {item.needs for item in less.not_checked}
            continue
        stays = shown.get(finding.id)
        if finding.id.startswith("out-of-range-") and stays is None:
            assert key == "observations"
            assert {line.status for line in less.monitoring if line.loinc} == {BaselineStatus.NOT_GIVEN}
        elif stays is None and finding.id in _QUIET:
            assert finding.id in waiting, finding.id
        elif stays is None:
            assert any(
                item.category is finding.category and item.verdict is Verdict.APPLIES and _rank(item) <= _rank(finding)
                for item in less.findings
            ), finding.id
        elif stays.verdict is Verdict.POSSIBLE:
            assert finding.id in waiting, finding.id


def _rank(finding: Finding) -> int:
    return list(Severity).index(finding.severity)


def _answers(body: dict[str, Any], patient: dict[str, Any]) -> dict[str, Evaluation]:
    """Return every rule of the agent with its answer, at the regimen of the request and no dose."""
    agent = _KNOWLEDGE.agents[body["agent"]]
    regimen = body.get("regimen")
    route = agent.regimens[regimen].route if regimen else None
    facts = Facts(dose_request({"agent": agent.id, "patient": patient}).patient, _TERMINOLOGY)
    judged = safety_rules.judge(agent, Context(facts, route, regimen, None), None)
    return {item.rule.id: item.evaluation for item in judged}


@bounded
@given(_requests(), st.sets(st.sampled_from([*_KEYS, "observations"]), min_size=1))
def test_more_data_settles_and_never_reverses(body: dict[str, Any], keys: set[str]) -> None:
    """Adding what was missing turns unknown into yes or no; a yes or no that stood without it stands with it."""
    known = _answers(body, body["patient"])
    partial = _answers(body, {name: value for name, value in body["patient"].items() if name not in keys})
    for rule, before in partial.items():
        assert before.answer in {Answer.UNKNOWN, known[rule].answer}, rule


@bounded
@given(_requests(), st.sets(st.sampled_from([*_KEYS, "observations"])))
def test_every_unknown_rule_is_named(body: dict[str, Any], keys: set[str]) -> None:
    """What could not be settled is in ``not_checked`` with the exact fields, whatever its severity; and nothing else
    is.
    """
    patient = {name: value for name, value in body["patient"].items() if name not in keys}
    answer = _answer(body | {"patient": patient})
    if answer is None:
        return
    agent = _KNOWLEDGE.agents[body["agent"]]
    regimen = body.get("regimen")
    route = agent.regimens[regimen].route if regimen else None
    facts = Facts(dose_request({"agent": agent.id, "patient": patient}).patient, _TERMINOLOGY)
    judged = safety_rules.judge(agent, Context(facts, route, regimen, answer.dose), None)
    unknown = {item.rule.id: item.evaluation.needs for item in judged if item.evaluation.answer is Answer.UNKNOWN}
    assert set(unknown) == {id_ for id_ in _waiting(answer) if not id_.startswith("interaction-")}
    needs = {item.needs for item in answer.not_checked}
    assert all(fields and fields in needs for fields in unknown.values())


@bounded
@given(_requests())
def test_one_cause_is_one_finding_and_the_worst_comes_first(body: dict[str, Any]) -> None:
    """No id twice, worst first, and of the rules of one kind that the same inputs decided only one speaks."""
    answer = _answer(body)
    if answer is None:
        return
    ids = [item.id for item in answer.findings]
    assert len(set(ids)) == len(ids)
    ranks = [_rank(item) for item in answer.findings]
    assert ranks == sorted(ranks)
    rules = {rule.id for rule in _KNOWLEDGE.agents[body["agent"]].safety.rules}
    settled = [item for item in answer.findings if item.id in rules and item.verdict is Verdict.APPLIES]
    causes = [(item.category, item.because) for item in settled if item.because]
    assert len(set(causes)) == len(causes)


def test_a_measured_clearance_says_no_where_a_computed_one_said_yes() -> None:
    """The one way in which data take a finding back: a better result decides against it, and the answer names it."""
    patient = {
        "age": {"value": Decimal(80), "unit": "a"},
        "sex": "female",
        "weight": {"value": Decimal(45), "unit": "kg"},
        "conditions": [],
        "observations": [{"code": "2160-0", "value": Decimal("1.2"), "unit": "mg/dL"}],
    }
    computed = _answers({"agent": "alendronate"}, patient)
    measured = {"code": "2164-2", "value": Decimal(50), "unit": "mL/min"}
    better = _answers({"agent": "alendronate"}, patient | {"observations": [*patient["observations"], measured]})
    reversed_ = [id_ for id_, item in computed.items() if (item.answer, better[id_].answer) == (Answer.YES, Answer.NO)]
    assert reversed_
    assert all("patient.observations[1]" in better[id_].because for id_ in reversed_)


# ---------------------------------------------------------------- units and quantities


def _mass_and_molar() -> list[tuple[str, str, str, Decimal]]:
    """Return LOINC codes of one analyte in mass and in amount of substance, and the mg/dL that one unit of the latter
    is.
    """
    millimoles = {"mmol/L": Decimal(1), "umol/L": Decimal("0.001"), "nmol/L": Decimal("0.000001")}
    return [
        (mass, molar, analyte.units[molar], millimoles[analyte.units[molar]] * analyte.molar_mass / 10)
        for analyte in _TERMINOLOGY.analytes.values()
        if analyte.molar_mass is not None
        for mass in analyte.units
        for molar in analyte.units
        if analyte.units[mass] == "mg/dL" and analyte.units[molar] in millimoles
    ]


def _verdicts(patient: dict[str, Any]) -> dict[tuple[str, str], Answer]:
    """Return the answer of every rule of every agent for a patient."""
    facts = Facts(dose_request({"agent": "alendronate", "patient": patient}).patient, _TERMINOLOGY)
    context = Context(facts, None, None, None)
    return {
        (agent.id, item.rule.id): item.evaluation.answer
        for agent in _KNOWLEDGE.agents.values()
        for item in safety_rules.judge(agent, context, None)
    }


_WOMAN = {
    "age": {"value": Decimal(62), "unit": "a"},
    "sex": "female",
    "weight": {"value": Decimal(60), "unit": "kg"},
    "height": {"value": Decimal(160), "unit": "cm"},
}


def test_creatinine_has_a_code_of_each_kind() -> None:
    """The property below is about the codes that laboratories send."""
    assert ("2160-0", "14682-9", "umol/L", Decimal("0.011312")) in _mass_and_molar()


@settings(bounded, max_examples=100)
@given(st.sampled_from(_mass_and_molar()), st.decimals("0.1", "900", places=1))
def test_mass_and_amount_of_substance_give_the_same_verdicts(
    codes: tuple[str, str, str, Decimal], amount: Decimal
) -> None:
    """A threshold in mg/dL gives the same verdict from mmol/L or umol/L, for every rule of every agent."""
    mass, molar, unit, factor = codes
    in_mass = _WOMAN | {"observations": [{"code": mass, "value": amount * factor, "unit": "mg/dL"}]}
    in_moles = _WOMAN | {"observations": [{"code": molar, "value": amount, "unit": unit}]}
    assert _verdicts(in_mass) == _verdicts(in_moles)


@pytest.mark.parametrize(
    ("umol", "expected"),
    [("265.2", Answer.NO), ("265.3", Answer.YES)],
    ids=["3.0 mg/dL rounded down", "above 3.0 mg/dL"],
)
def test_a_threshold_in_mg_is_met_by_the_micromoles_it_is_worth(umol: str, expected: Answer) -> None:
    """3.0 mg/dL of creatinine is 265.2 umol/L: 3.0 x 10 000 / 113.12 = 265.205."""
    asked = safety.ObservationIn("creatinine", _above(Decimal("3.0")))
    results = [{"code": "14682-9", "value": Decimal(umol), "unit": "umol/L"}]
    assert expected is evaluate(asked, _context({"observations": results})).answer


def _above(start: Decimal) -> Any:
    return next(
        item.range.__class__("mg/dL", start, start_included=False, end=None, end_included=False)
        for item in _ALL_ASKED
        if isinstance(item, safety.ObservationIn)
    )


def _context(patient: dict[str, Any]) -> Context:
    asked = dose_request({"agent": "alendronate", "patient": patient})
    return Context(Facts(asked.patient, _TERMINOLOGY), None, None, None)


@settings(bounded, max_examples=150)
@given(
    st.sampled_from([(analyte.id, code) for analyte in _TERMINOLOGY.analytes.values() for code in analyte.units]),
    st.decimals("0.01", "500", places=2),
)
def test_a_result_answers_questions_about_its_own_analyte_alone(asked: tuple[str, str], value: Decimal) -> None:
    """Ionised calcium says nothing of total calcium, and no other result of what it is not."""
    analyte, code = asked
    unit = _TERMINOLOGY.analytes[analyte].units[code]
    context = _context({"observations": [{"code": code, "value": value, "unit": unit}]})
    for predicate in _ALL_ASKED:
        if isinstance(predicate, safety.ObservationIn) and predicate.analyte != analyte:
            assert evaluate(predicate, context).answer is Answer.UNKNOWN, (predicate.analyte, analyte)


def test_total_corrected_and_ionised_calcium_are_three_analytes() -> None:
    """The property above covers calcium, because the terminology keeps its three forms apart."""
    forms = {"17861-6": "calcium-total", "29265-6": "calcium-corrected", "17864-0": "calcium-ionised"}
    assert forms == {code: _TERMINOLOGY.analyte_of_loinc[code] for code in forms}


@settings(bounded, max_examples=100)
@given(st.sampled_from(["crcl", "egfr"]), st.decimals("1", "150", places=1))
def test_one_measure_of_renal_function_never_answers_for_the_other(kind: str, value: Decimal) -> None:
    """An eGFR leaves a rule about creatinine clearance unknown, the figure is shown beside it, and the other way
    round.
    """
    code = {"crcl": "2164-2", "egfr": "98979-8"}[kind]
    unit = _TERMINOLOGY.analytes[kind].units[code]
    context = _context(_WOMAN | {"observations": [{"code": code, "value": value, "unit": unit}]})
    for predicate in _ALL_ASKED:
        if not isinstance(predicate, safety.ClearanceIn):
            continue
        found = evaluate(predicate, context)
        if predicate.kind == kind:
            assert found.answer is not Answer.UNKNOWN
        else:
            assert (found.answer, found.needs) == (Answer.UNKNOWN, ("patient.observations[2160-0]",))
            assert "but the rule counts" in " ".join(found.numbers)


@pytest.mark.parametrize(
    ("code", "unit", "is_used", "why"),
    [
        ("2160-0", "mg/dL", True, "creatinine as mass"),
        ("14682-9", "umol/L", True, "creatinine as amount of substance"),
        ("14682-9", "µmol/L", True, "as some laboratories spell it"),
        ("2160-0", "umol/L", False, "the unit is that of the other code: one of the two is wrong, by a factor of 88"),
        ("14682-9", "mg/dL", False, "the same the other way round"),
        ("2164-2", "mL/min", True, "creatinine clearance"),
        ("2164-2", "mL/min/{1.73_m2}", False, "a clearance is not indexed to the body surface"),
        ("98979-8", "mL/min", False, "and an eGFR is"),
        ("17861-6", "mmol/L", False, "total calcium has a code for amount of substance"),
        ("2160-0", "widgets", False, "no unit at all"),
        ("99999-9", "mg/dL", False, "no analyte has this code"),
    ],
)
def test_a_result_that_cannot_be_read_is_named(code: str, unit: str, is_used: bool, why: str) -> None:
    """A result is used in a unit of its code; otherwise it is listed as not used, never converted by guess."""
    body = {"agent": "curettage", "patient": {"observations": [{"code": code, "value": Decimal(2), "unit": unit}]}}
    answer = _answer(body)
    assert answer is not None
    named = ("observations", ("patient.observations[0]",)) in {(item.check, item.needs) for item in answer.not_checked}
    assert named is not is_used, why


# ---------------------------------------------------------------- three-valued logic

_YES, _NO, _UNKNOWN = Answer.YES, Answer.NO, Answer.UNKNOWN
#: Asked of a woman of whom nothing else is known.
_PREDICATE: dict[Answer, safety.Predicate] = {
    _YES: safety.SexIs(Sex.FEMALE),
    _NO: safety.SexIs(Sex.MALE),
    _UNKNOWN: safety.StateIs("pregnant", value=True),
}
_KNOWN_WOMAN = Context(Facts(Patient(sex=Sex.FEMALE), _TERMINOLOGY), None, None, None)


@pytest.mark.parametrize(
    ("left", "right", "both", "either"),
    [
        (_YES, _YES, _YES, _YES),
        (_YES, _NO, _NO, _YES),
        (_YES, _UNKNOWN, _UNKNOWN, _YES),
        (_NO, _YES, _NO, _YES),
        (_NO, _NO, _NO, _NO),
        (_NO, _UNKNOWN, _NO, _UNKNOWN),
        (_UNKNOWN, _YES, _UNKNOWN, _YES),
        (_UNKNOWN, _NO, _NO, _UNKNOWN),
        (_UNKNOWN, _UNKNOWN, _UNKNOWN, _UNKNOWN),
    ],
)
def test_all_and_any_are_those_of_kleene(left: Answer, right: Answer, both: Answer, either: Answer) -> None:
    """One no settles `all`, one yes settles `any`; what is then unknown no longer matters."""
    parts = (_PREDICATE[left], _PREDICATE[right])
    assert both is evaluate(safety.AllOf(parts), _KNOWN_WOMAN).answer
    assert either is evaluate(safety.AnyOf(parts), _KNOWN_WOMAN).answer


@pytest.mark.parametrize(("given_", "expected"), [(_YES, _NO), (_NO, _YES), (_UNKNOWN, _UNKNOWN)])
def test_not_is_that_of_kleene(given_: Answer, expected: Answer) -> None:
    """The opposite of unknown is unknown."""
    assert expected is evaluate(safety.Not(_PREDICATE[given_]), _KNOWN_WOMAN).answer


_nested = st.recursive(
    st.sampled_from(list(_PREDICATE.values())),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: safety.AllOf(tuple(parts))),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: safety.AnyOf(tuple(parts))),
        inner.map(safety.Not),
    ),
    max_leaves=8,
)


@bounded
@given(_nested, _nested)
def test_not_of_all_is_any_of_not(one: safety.Predicate, other: safety.Predicate) -> None:
    """De Morgan's law holds at any depth, and an answer says what decided it or what would."""
    left = evaluate(safety.Not(safety.AllOf((one, other))), _KNOWN_WOMAN)
    right = evaluate(safety.AnyOf((safety.Not(one), safety.Not(other))), _KNOWN_WOMAN)
    assert left.answer is right.answer
    for found in (left, right):
        assert bool(found.needs) is (found.answer is _UNKNOWN)
        assert bool(found.because) is (found.answer is not _UNKNOWN)
