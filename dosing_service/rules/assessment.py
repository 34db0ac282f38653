"""Puts the parts of a dose answer together: the chosen regimen's dose, the alternatives, the findings, what was not
checked.
"""

from collections.abc import Iterator, Mapping
from functools import cache

import msgspec

from dosing_service.errors import InvalidRequest, Problem
from dosing_service.knowledge.base import Agent, KnowledgeBase, Product, Regimen
from dosing_service.model import (
    Alternative,
    Assessment,
    Basis,
    Category,
    Dose,
    DoseRequest,
    Finding,
    LimitCheck,
    MonitoringItem,
    NotChecked,
    Options,
    Patient,
    Per,
    Sex,
    Status,
    Value,
    Verdict,
)
from dosing_service.rules import (
    body,
    disagreements,
    findings,
    interactions,
    monitoring,
    planning,
    plausibility,
    safety,
)
from dosing_service.rules.conditions import Context
from dosing_service.rules.cumulative import GIVEN
from dosing_service.rules.dose import Computed, Doses, compute, constant
from dosing_service.rules.facts import Facts
from dosing_service.rules.measure import Missing
from dosing_service.rules.options import chosen_product, fit, strength_of
from dosing_service.rules.population import HEIGHT, SEX, WEIGHT, Answer, Applicability, applicability
from dosing_service.rules.practical import Practical, constant_practical, practical
from dosing_service.units import exact_text

_VERDICT = {Answer.YES: Verdict.APPLIES, Answer.UNKNOWN: Verdict.POSSIBLE}
_CERTAIN = Applicability(Answer.YES)
_USE_ORDER = {"calcinosis": 0, "underlying-disease": 1, "reference": 2}
_EXPECTED = {
    "patient.weight": 'a body weight, for example {"value": 25.4, "unit": "kg"}',
    "patient.height": 'a height, for example {"value": 128, "unit": "cm"}',
    "patient.age": 'an age, for example {"value": 9, "unit": "a"}, or birth_date',
    "patient.sex": '"female" or "male"',
}


#: What is only worth saying about a dose that may be given.
_ABOUT_DOSES = {Category.DISAGREEMENT, Category.DOSE_LIMIT}


class _Case(Value, frozen=True):
    """One request about one agent, with what was found out about it so far."""

    request: DoseRequest
    agent: Agent
    knowledge: KnowledgeBase
    facts: Facts
    judged: Mapping[str, Applicability]
    doses: Doses
    in_products: bool


def assess(
    request: DoseRequest,
    agent: Agent,
    knowledge: KnowledgeBase,
    *,
    ask_for_inputs: bool = True,
    in_products: bool = True,
) -> Assessment:
    """Return the dose of ``agent`` for the patient of ``request``, with everything that belongs to it;
    ``in_products`` says whether it is turned into tablets, vials and volumes too.

    Raises:
        InvalidRequest: the regimen or an option does not fit, or (with ``ask_for_inputs``) an input of the patient is
            missing without which the chosen regimen cannot be computed.
    """
    patient = request.patient
    product = chosen_product(agent, request.options)
    facts = Facts(patient, knowledge.terminology, as_of=request.as_of)
    judged = {regimen.id: applicability(regimen, patient, facts) for regimen in agent.regimens.values()}
    case = _Case(request, agent, knowledge, facts, judged, Doses(patient, request.options), in_products)
    chosen = _chosen(case)
    if chosen is None:
        none_applies = all(judgement.answer is Answer.NO for judgement in judged.values())
        return _without_dose(case, Status.NO_DOCUMENTED_DOSE if none_applies else Status.CHOOSE_REGIMEN)
    fit(request.options, chosen, product)
    result = _computed(case, chosen, product)
    if judged[chosen.id].answer is Answer.NO and not request.options.include_outside_population:
        return _outside(case, chosen, result)
    if isinstance(result, Missing):
        return _not_computable(case, chosen, result, ask_for_inputs=ask_for_inputs)
    return _with_dose(case, chosen, result, product)


def _chosen(case: _Case) -> Regimen | None:
    """Return the regimen that was asked for, else the agent's default, else the only one that can apply.

    A dose for another use is kept for comparison and is never chosen for the caller.
    """
    regimens, wanted = case.agent.regimens, case.request.regimen
    if wanted is not None:
        if wanted not in regimens:
            accepted = ", ".join(regimens) or "none: this agent has no regimen"
            detail = "this agent has no regimen with this id"
            raise InvalidRequest(Problem("/regimen", "unknown-regimen", detail, accepted))
        return regimens[wanted]
    if case.agent.default_regimen is not None:
        return regimens[case.agent.default_regimen]
    possible = [regimens[id_] for id_, judgement in case.judged.items() if judgement.answer is not Answer.NO]
    return possible[0] if len(possible) == 1 and possible[0].use != "reference" else None


def _computed(case: _Case, chosen: Regimen, product: Product | None) -> Computed | Missing:
    if _has_wishes(case.request.options):
        return compute(chosen, case.request.patient, case.request.options, product)
    same_for_all = constant(chosen) if case.judged[chosen.id].answer is Answer.YES else None
    return same_for_all or case.doses.of(chosen)


def _has_wishes(options: Options) -> bool:
    """Tell whether an option can change the dose of a regimen."""
    return bool(options.product or options.times_per_day or options.divided_over_days or options.dosing_weight)


def _practical(case: _Case, chosen: Regimen, result: Computed, product: Product | None) -> Practical:
    """Return the dose in products; what is the same for everyone is worked out once."""
    options = case.request.options
    same_for_all = None
    if not _has_wishes(options) and case.judged[chosen.id].answer is Answer.YES:
        same_for_all = constant_practical(case.agent, chosen, options.jurisdiction)
    return same_for_all or practical(case.agent, chosen, result, case.request.patient, options, product)


# ---------------------------------------------------------------- answers with and without a dose


def _with_dose(case: _Case, chosen: Regimen, result: Computed, product: Product | None) -> Assessment:
    planned = _planned(case, chosen, result, product)
    made = _practical(case, chosen, result, product) if case.in_products else Practical(None, ())
    unchecked = (
        *_unchecked(case.judged[chosen.id], planned.dose),
        *planned.not_checked,
        *_unused_options(case.request.options, planned.dose),
        *made.not_checked,
        *_weights_unchecked(chosen, case.request.patient),
    )
    dose = msgspec.structs.replace(planned.dose, practical=made.doses)
    safe = _safety(case, chosen.route, chosen, result.dose)
    said = _Said([*_dose_findings(case, chosen, result), *planned.findings], unchecked, safe)
    return _answer(case, Status.COMPUTED, chosen, said, Computed(dose, result.steps))


def _planned(case: _Case, chosen: Regimen, result: Computed, product: Product | None) -> planning.Planned:
    def follow(id_: str) -> tuple[Regimen, Dose] | None:
        following = case.agent.regimens[id_]
        next_result = case.doses.of(following)
        return (following, next_result.dose) if isinstance(next_result, Computed) else None

    context = Context(case.facts, chosen.route, chosen.id, result.dose)
    return planning.plan(case.agent, chosen, context, case.request.options, product, follow=follow)


def _without_dose(
    case: _Case, status: Status, found: tuple[Finding, ...] = (), chosen: Regimen | None = None
) -> Assessment:
    in_play = [chosen.id] if chosen else [item.regimen for item in _alternatives(case, None)]
    routes = {case.agent.regimens[id_].route for id_ in in_play}
    safe = _safety(case, routes.pop() if len(routes) == 1 else None, chosen, None)
    unchecked = tuple(_unused_options(case.request.options, None))
    said = _Said([*found, *_about_agent(case, in_play)], unchecked, safe)
    return _answer(case, status, chosen, said, None)


def _answer(case: _Case, status: Status, chosen: Regimen | None, said: "_Said", result: Computed | None) -> Assessment:
    """Return everything that is said of the agent and this patient, with the dose where there is one."""
    answer = Assessment(
        status=status,
        agent=case.agent.id,
        regimen=chosen.id if chosen else None,
        dose=result.dose if result else None,
        alternatives=_alternatives(case, chosen),
        derivation=result.steps if result else (),
        findings=findings.worst_first([*said.found, *said.safe.findings]),
        not_checked=(*said.unchecked, *said.safe.not_checked),
        monitoring=said.safe.monitoring,
        renal_function=tuple(case.facts.clearances_used()),
        as_of=case.request.as_of,
    )
    if not safety.withholds(said.safe.findings):
        return answer
    forbidden = msgspec.structs.replace(answer, status=Status.CONTRAINDICATED)
    return forbidden if case.request.options.include_contraindicated else _withheld(forbidden)


def _withheld(answer: Assessment) -> Assessment:
    """Withhold every dose of a contraindicated agent, and what is only worth saying about a dose."""
    without = [msgspec.structs.replace(item, dose=None, derivation=()) for item in answer.alternatives]
    kept = [finding for finding in answer.findings if finding.category not in _ABOUT_DOSES]
    return msgspec.structs.replace(answer, dose=None, derivation=(), alternatives=tuple(without), findings=tuple(kept))


class _Said(Value, frozen=True):
    """Everything that is said beside the dose: about the dose and the evidence, unchecked parts, and safety."""

    found: list[Finding]
    unchecked: tuple[NotChecked, ...]
    safe: "_Safety"


class _Safety(Value, frozen=True):
    """The safety findings of one regimen for one patient, what they would need to know, and what to watch."""

    findings: tuple[Finding, ...]
    not_checked: tuple[NotChecked, ...]
    monitoring: tuple[MonitoringItem, ...]


def _safety(case: _Case, route: str | None, chosen: Regimen | None, dose: Dose | None) -> _Safety:
    strength = strength_of(chosen_product(case.agent, case.request.options))
    context = Context(case.facts, route, chosen.id if chosen else None, dose, strength)
    judged = safety.judge(case.agent, context, case.request.options.jurisdiction)
    pairs, open_pairs = interactions.found(case.agent, case.knowledge, context, case.request.options.jurisdiction)
    patient, as_of = case.request.patient, case.request.as_of
    unknown = (
        *safety.unchecked(judged),
        *open_pairs,
        *case.facts.uncoded(),
        *plausibility.unchecked(patient, as_of, case.knowledge.growth),
    )
    implausible = plausibility.found(patient, as_of, case.knowledge.growth)
    by_rule = safety.findings(judged)
    by_result = monitoring.findings(case.agent, context, as_of, by_rule)
    plan = monitoring.plan(case.agent, context, as_of, case.request.options.start_date)
    return _Safety((*by_rule, *by_result, *pairs, *implausible), unknown, plan)


def _outside(case: _Case, chosen: Regimen, result: Computed | Missing) -> Assessment:
    """No dose, because the chosen regimen is not for this patient; what is documented stands under the alternatives."""
    judgement = case.judged[chosen.id]
    if isinstance(result, Computed):
        finding = findings.outside_population(case.agent, chosen, result.dose, case.request.patient, judgement)
    else:
        finding = findings.outside_bands(case.agent, chosen, judgement)
    return _without_dose(case, Status.NO_DOCUMENTED_DOSE, (finding,), chosen)


def _not_computable(case: _Case, chosen: Regimen, missing: Missing, *, ask_for_inputs: bool) -> Assessment:
    """Ask for what a client can send; what the sources leave open is an answer, not an error."""
    of_patient = [item for item in missing.inputs if item.needs[0].startswith("patient.")]
    if of_patient and ask_for_inputs:
        raise InvalidRequest(*(_missing_input(item) for item in of_patient))
    answer = _without_dose(case, Status.NOT_COMPUTABLE, (), chosen)
    return msgspec.structs.replace(answer, not_checked=(*missing.inputs, *answer.not_checked))


def _missing_input(item: NotChecked) -> Problem:
    path = item.needs[0]
    return Problem(f"/{path.replace('.', '/')}", "missing", item.why, _EXPECTED[path])


# ---------------------------------------------------------------- findings


def _dose_findings(case: _Case, chosen: Regimen, result: Computed) -> list[Finding]:
    request, judgement = case.request, case.judged[chosen.id]
    found = [*_about_agent(case, [chosen.id]), *findings.limits(result.dose, _inputs_used(result))]
    if judgement.answer is Answer.NO:
        found.append(findings.outside_population(case.agent, chosen, result.dose, request.patient, judgement))
    if judgement.answer is Answer.UNKNOWN:
        found.append(findings.population_unknown(chosen, judgement))
    if chosen.population is None and chosen.basis is not Basis.FIXED and result.dose.amounts:
        found.append(findings.population_not_stated(chosen, request.patient))
    optional = (
        findings.off_label(case.agent, chosen),
        findings.other_indication(chosen, request.disease, request.lesion),
    )
    return [*found, *(item for item in optional if item is not None)]


def _about_agent(case: _Case, in_play: list[str]) -> list[Finding]:
    evidence = findings.evidence(case.agent)
    contradictions = disagreements.found(case.agent, in_play, case.request.patient, case.doses)
    return [evidence, *contradictions] if evidence else contradictions


def _inputs_used(result: Computed) -> tuple[str, ...]:
    if result.dose.body_surface_area is not None:
        return (WEIGHT, HEIGHT)
    return (WEIGHT,) if result.dose.dosing_weight is not None else ("regimen",)


# ---------------------------------------------------------------- alternatives


def _alternatives(case: _Case, chosen: Regimen | None) -> tuple[Alternative, ...]:
    """Return every other regimen that applies or may apply, those for calcinosis first."""
    others = [
        case.agent.regimens[id_]
        for id_, judgement in case.judged.items()
        if judgement.answer is not Answer.NO and (chosen is None or id_ != chosen.id)
    ]
    ordered = sorted(others, key=lambda regimen: _USE_ORDER[regimen.use])
    return tuple([_alternative(regimen, case.judged[regimen.id], case.doses) for regimen in ordered])


def _alternative(regimen: Regimen, judgement: Applicability, doses: Doses) -> Alternative:
    same_for_all = constant_alternative(regimen) if judgement.answer is Answer.YES else None
    if same_for_all is not None:
        return same_for_all
    result = doses.of(regimen)
    if isinstance(result, Computed):
        return _built(regimen, judgement, result)
    return Alternative(regimen.id, _VERDICT[judgement.answer], None, (), result.inputs)


@cache
def constant_alternative(regimen: Regimen) -> Alternative | None:
    """Return the alternative that is the same object in every answer it stands in; ``None`` for any other regimen."""
    result = constant(regimen)
    return None if result is None else _built(regimen, _CERTAIN, result)


def _built(regimen: Regimen, judgement: Applicability, result: Computed) -> Alternative:
    unchecked = tuple(_unchecked(judgement, result.dose))
    return Alternative(regimen.id, _VERDICT[judgement.answer], result.dose, result.steps, unchecked)


# ---------------------------------------------------------------- what was not checked


def _unchecked(judgement: Applicability, dose: Dose) -> Iterator[NotChecked]:
    """Yield what could not be compared or decided about a computed dose."""
    if judgement.answer is Answer.UNKNOWN:
        why = "whether the regimen is documented for this patient depends on it"
        yield NotChecked("population", judgement.because, why)
    for check in dose.limits:
        if check.reached is None:
            yield _limit_unchecked(check)
    if not dose.amounts:
        yield NotChecked("amount", (), "the source gives the strength of the preparation, neither amount nor frequency")
    elif dose.frequency is None and dose.amounts[0].per is Per.DAY:
        is_divided = any(item.per is Per.ADMINISTRATION for item in dose.amounts)
        needs = () if is_divided else ("options.times_per_day",)
        yield NotChecked("frequency", needs, "the source does not state how often the daily amount is divided")


def _weights_unchecked(regimen: Regimen, patient: Patient) -> Iterator[NotChecked]:
    """Yield what is missing to tell whether the dose by other weights belongs beside this one."""
    rule = regimen.compare_weights
    if rule is None or patient.weight is None:
        return
    index = body.body_mass_index(patient)
    words = f"above a body mass index of {exact_text(rule.above_bmi)} one source doses by the adjusted weight"
    if index is None:
        yield NotChecked("dosing-weight", (HEIGHT,), words)
    elif index > rule.above_bmi and patient.sex not in {Sex.FEMALE, Sex.MALE}:
        yield NotChecked("dosing-weight", (SEX,), f"{words}, which needs the sex (female or male)")


def _limit_unchecked(check: LimitCheck) -> NotChecked:
    name = f"limit-{check.kind}"
    words = f"{exact_text(check.value)} {check.unit}, {check.applies_to or 'for everyone'}"
    if check.kind == "duration-maximum":
        why = f"how long the treatment lasts is not known; compare it with this maximum ({words})"
        return NotChecked(name, ("options.start_date", "options.schedule_until"), why)
    if check.kind == "cumulative-maximum":
        why = f"what was given before is not known; this maximum counts it ({words})"
        return NotChecked(name, (GIVEN,), why)
    if check.kind == "rate-maximum":
        return NotChecked(
            name, (), f"the infusion rate is not part of the request; keep it below this maximum ({words})"
        )
    if check.needs:
        return NotChecked(name, check.needs, f"whether this maximum is met depends on it ({words})")
    why = f"this maximum is on a kind of amount that does not follow from the source ({words})"
    return NotChecked(name, ("options.times_per_day",), why)


def _unused_options(options: Options, dose: Dose | None) -> Iterator[NotChecked]:
    """Yield the options that changed nothing, so that no wish of the caller is passed over."""
    if dose is None and (options.start_date or options.schedule_until or options.courses):
        why = "no dose was computed, so no administration is dated; options.start_date dates the monitoring plan alone"
        yield NotChecked("schedule", (), why)
    if dose is None and options.already_given_mg is not None:
        yield NotChecked("already-given", (), "no dose was computed, so what was already given was not counted")
    if dose is None and (options.times_per_day or options.divided_over_days):
        yield NotChecked("division", (), "no dose was computed, so the division asked for was not applied")
    if options.dosing_weight is not None and (dose is None or dose.dosing_weight is None):
        yield NotChecked("dosing-weight", (), "no dose per kg was computed; options.dosing_weight changed nothing")
    if options.volume_ml is not None and dose is not None and dose.basis is not Basis.CONCENTRATION_VOLUME:
        yield NotChecked(
            "volume", (), "this dose is not counted on a volume; options.volume changed no more than alternatives"
        )
