"""The use cases. Each takes a request and the knowledge base and returns an answer; nothing here knows HTTP, files
or the clock.
"""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from typing import TypeVar

from dosing_service.errors import InvalidRequest, Problem, UnknownId
from dosing_service.knowledge.base import Agent, KnowledgeBase, Product, Reference, Regimen
from dosing_service.model import (
    Alternative,
    Assessment,
    Basis,
    Dose,
    DoseRequest,
    Finding,
    LimitCheck,
    NotChecked,
    Options,
    Patient,
    Per,
    Status,
    Verdict,
)
from dosing_service.rules import disagreements, dose, findings
from dosing_service.rules.population import Answer, Applicability, applicability
from dosing_service.rules.schedule import may_divide_daily
from dosing_service.units import exact_text

_T = TypeVar("_T")

NOTICE = (
    "Decision support for professionals, not clinically approved. Verify every dose against primary sources before use."
)

#: This knowledge base holds doses and evidence. What a complete check would add is named in every answer, never
#: passed over.
NOT_IN_KNOWLEDGE = (
    NotChecked(
        "contraindications-and-precautions",
        ("patient.conditions", "patient.allergies", "patient.observations", "patient.pregnant", "patient.lactating"),
        "no rules on conditions, allergies, laboratory values, pregnancy or lactation yet; check the product label",
    ),
    NotChecked(
        "interactions",
        ("patient.medications",),
        "no interaction rules yet; check current medication against the product label",
    ),
    NotChecked(
        "adverse-effects-and-monitoring", (), "no adverse effects and no monitoring plans yet; check the product label"
    ),
)
_VERDICT = {Answer.YES: Verdict.APPLIES, Answer.UNKNOWN: Verdict.POSSIBLE}
_CERTAIN = Applicability(Answer.YES)
_USE_ORDER = {"calcinosis": 0, "underlying-disease": 1, "reference": 2}


def find_agent(id_: str, knowledge: KnowledgeBase) -> Agent:
    """Return the agent with this id.

    Raises:
        UnknownId: there is none; the error carries the nearest ids.
    """
    return _find("agent", id_, knowledge.agents, _names(knowledge))


def find_reference(id_: str, knowledge: KnowledgeBase) -> Reference:
    """Return the citation with this id.

    Raises:
        UnknownId: there is none; the error carries the nearest ids.
    """
    return _find("reference", id_, knowledge.references, {known: known for known in knowledge.references})


def _find(kind: str, id_: str, known: Mapping[str, _T], names: Mapping[str, str]) -> _T:
    if id_ in known:
        return known[id_]
    close = get_close_matches(id_.lower(), names, n=3)
    raise UnknownId(kind, tuple(dict.fromkeys(names[name] for name in close)))


@cache
def _names(knowledge: KnowledgeBase) -> Mapping[str, str]:
    """Every id, name and synonym in lower case, with the id it stands for."""
    return {
        name.lower(): agent.id
        for agent in knowledge.agents.values()
        for name in (agent.id, agent.name, *agent.synonyms)
    }


def calculate_dose(request: DoseRequest, knowledge: KnowledgeBase) -> Assessment:
    """Return the dose of one agent for one patient, every other regimen that applies, and what must be known about
    both.

    Raises:
        UnknownId: the agent is not in the knowledge base.
        InvalidRequest: the regimen or an option does not fit, or an input is missing without which the chosen regimen
            cannot be computed.
    """
    agent = find_agent(request.agent, knowledge)
    product = _product(agent, request.options.product)
    judged = {regimen.id: applicability(regimen, request.patient) for regimen in agent.regimens.values()}
    chosen = _chosen(agent, request.regimen, judged)
    if chosen is None:
        several = any(judgement.answer is not Answer.NO for judgement in judged.values())
        return _without_dose(
            request, agent, judged, Status.CHOOSE_REGIMEN if several else Status.NO_DOCUMENTED_DOSE, []
        )
    judgement = judged[chosen.id]
    _check_product(chosen, product)
    _check_options(chosen, request.options)
    result = _computed(chosen, judgement, request, product)
    is_outside = judgement.answer is Answer.NO
    if is_outside and not request.options.include_outside_population:
        return _outside(request, agent, judged, chosen, result)
    if isinstance(result, dose.Missing):
        return _not_computable(request, agent, judged, chosen, result)
    found = _dose_findings(request, agent, chosen, judgement, result)
    return Assessment(
        status=Status.COMPUTED,
        agent=agent.id,
        regimen=chosen.id,
        dose=result.dose,
        alternatives=_alternatives(agent, judged, request.patient, chosen.id),
        derivation=result.steps,
        findings=findings.worst_first(found),
        not_checked=(
            *_unchecked(judgement, result.dose),
            *_unused_options(request.options, with_dose=True),
            *NOT_IN_KNOWLEDGE,
        ),
        as_of=request.as_of,
    )


def _computed(
    chosen: Regimen, judgement: Applicability, request: DoseRequest, product: Product | None
) -> dose.Computed | dose.Missing:
    is_plain = judgement.answer is Answer.YES and product is None and request.options.times_per_day is None
    same_for_all = dose.constant(chosen) if is_plain else None
    return same_for_all or dose.compute(chosen, request.patient, request.options, product)


def _product(agent: Agent, id_: str | None) -> Product | None:
    if id_ is None:
        return None
    if id_ not in agent.products:
        accepted = ", ".join(agent.products) or "none: no product of this agent is in the knowledge base"
        raise InvalidRequest(
            Problem("/options/product", "unknown-product", "no product of this agent has this id", accepted)
        )
    return agent.products[id_]


def _check_product(regimen: Regimen, product: Product | None) -> None:
    if product is None or regimen.formulation in {None, product.formulation}:
        return
    detail = "the regimen is documented for another formulation than that of this product"
    raise InvalidRequest(
        Problem("/options/product", "other-formulation", detail, f"a product of the formulation {regimen.formulation}")
    )


def _chosen(agent: Agent, wanted: str | None, judged: Mapping[str, Applicability]) -> Regimen | None:
    """Return the regimen that was asked for, else the agent's default, else the only one that can apply; a dose for
    another use is never chosen.
    """
    if wanted is not None:
        if wanted not in agent.regimens:
            accepted = ", ".join(agent.regimens) or "none: this agent has no regimen"
            raise InvalidRequest(
                Problem("/regimen", "unknown-regimen", "this agent has no regimen with this id", accepted)
            )
        return agent.regimens[wanted]
    if agent.default_regimen is not None:
        return agent.regimens[agent.default_regimen]
    possible = [agent.regimens[id_] for id_, judgement in judged.items() if judgement.answer is not Answer.NO]
    return possible[0] if len(possible) == 1 and possible[0].use != "reference" else None


def _check_options(regimen: Regimen, options: Options) -> None:
    times = options.times_per_day
    if times is not None and not may_divide_daily(regimen, times):
        documented = regimen.frequency.text if regimen.frequency else f"an amount per {regimen.per.value}"
        detail = "this regimen cannot be given so many times a day without changing its total"
        raise InvalidRequest(
            Problem(
                "/options/times_per_day",
                "frequency-not-documented",
                detail,
                f"leave it out; documented is {documented}",
            )
        )
    days = options.divided_over_days
    if days is None:
        return
    course = regimen.course
    if regimen.per is not Per.COURSE or course is None or course.days_low is None or course.days_high is None:
        detail = "this regimen is not a course total that is divided over days"
        raise InvalidRequest(Problem("/options/divided_over_days", "not-divisible", detail, "leave it out"))
    if not course.days_low <= days <= course.days_high:
        expected = f"a whole number from {course.days_low} to {course.days_high}"
        raise InvalidRequest(
            Problem("/options/divided_over_days", "not-documented", "a division that is not documented", expected)
        )


def _dose_findings(
    request: DoseRequest, agent: Agent, chosen: Regimen, judgement: Applicability, result: dose.Computed
) -> list[Finding]:
    patient = request.patient
    found = [*_about_agent(agent, [chosen.id], request), *findings.limits(result.dose, _inputs_used(result))]
    if judgement.answer is Answer.NO:
        found.append(findings.outside_population(agent, chosen, result.dose, patient, judgement))
    if judgement.answer is Answer.UNKNOWN:
        found.append(findings.population_unknown(chosen, judgement))
    if chosen.population is None and chosen.basis is not Basis.FIXED and result.dose.amounts:
        found.append(findings.population_not_stated(chosen, patient))
    optional = (findings.off_label(agent, chosen), findings.other_indication(chosen, request.disease, request.lesion))
    return [*found, *(item for item in optional if item is not None)]


def _about_agent(agent: Agent, in_play: list[str], request: DoseRequest) -> list[Finding]:
    evidence = findings.evidence(agent)
    return [*([evidence] if evidence else []), *disagreements.found(agent, in_play, request.patient, request.options)]


def _inputs_used(result: dose.Computed) -> tuple[str, ...]:
    if result.dose.body_surface_area is not None:
        return ("patient.weight", "patient.height")
    return ("patient.weight",) if result.dose.dosing_weight is not None else ("regimen",)


def _without_dose(
    request: DoseRequest,
    agent: Agent,
    judged: Mapping[str, Applicability],
    status: Status,
    found: list[Finding],
    chosen: Regimen | None = None,
) -> Assessment:
    alternatives = _alternatives(agent, judged, request.patient, chosen.id if chosen else None)
    in_play = [chosen.id] if chosen else [item.regimen for item in alternatives]
    return Assessment(
        status=status,
        agent=agent.id,
        regimen=chosen.id if chosen else None,
        dose=None,
        alternatives=alternatives,
        derivation=(),
        findings=findings.worst_first([*found, *_about_agent(agent, in_play, request)]),
        not_checked=(*_unused_options(request.options, with_dose=False), *NOT_IN_KNOWLEDGE),
        as_of=request.as_of,
    )


def _outside(
    request: DoseRequest,
    agent: Agent,
    judged: Mapping[str, Applicability],
    chosen: Regimen,
    result: dose.Computed | dose.Missing,
) -> Assessment:
    """No dose, because the chosen regimen is not for this patient; what is documented for the patient stands under
    the alternatives.
    """
    found = []
    if isinstance(result, dose.Computed):
        found.append(findings.outside_population(agent, chosen, result.dose, request.patient, judged[chosen.id]))
    else:
        found.append(findings.outside_bands(agent, chosen, judged[chosen.id]))
    return _without_dose(request, agent, judged, Status.NO_DOCUMENTED_DOSE, found, chosen)


def _not_computable(
    request: DoseRequest, agent: Agent, judged: Mapping[str, Applicability], chosen: Regimen, missing: dose.Missing
) -> Assessment:
    """Ask for what a client can send; what the sources leave open is an answer, not an error."""
    of_patient = [item for item in missing.inputs if item.needs and item.needs[0].startswith("patient.")]
    if of_patient:
        raise InvalidRequest(*(_missing_input(item) for item in of_patient))
    answer = _without_dose(request, agent, judged, Status.NOT_COMPUTABLE, [], chosen)
    return Assessment(
        status=answer.status,
        agent=answer.agent,
        regimen=answer.regimen,
        dose=None,
        alternatives=answer.alternatives,
        derivation=(),
        findings=answer.findings,
        not_checked=(*missing.inputs, *answer.not_checked),
        as_of=answer.as_of,
    )


_EXPECTED = {
    "patient.weight": 'a body weight, for example {"value": 25.4, "unit": "kg"}',
    "patient.height": 'a height, for example {"value": 128, "unit": "cm"}',
    "patient.age": 'an age, for example {"value": 9, "unit": "a"}, or birth_date',
    "patient.sex": '"female" or "male"',
}


def _missing_input(item: NotChecked) -> Problem:
    path = item.needs[0]
    return Problem(f"/{path.replace('.', '/')}", "missing", item.why, _EXPECTED[path])


def _alternatives(
    agent: Agent, judged: Mapping[str, Applicability], patient: Patient, chosen: str | None
) -> tuple[Alternative, ...]:
    """Return every other regimen that applies or may apply, those for calcinosis first."""
    others = [
        agent.regimens[id_] for id_, judgement in judged.items() if id_ != chosen and judgement.answer is not Answer.NO
    ]
    ordered = sorted(others, key=lambda regimen: _USE_ORDER[regimen.use])
    return tuple(_alternative(regimen, judged[regimen.id], patient) for regimen in ordered)


def _alternative(regimen: Regimen, judgement: Applicability, patient: Patient) -> Alternative:
    if judgement.answer is Answer.YES:
        constant = _constant_alternative(regimen)
        if constant is not None:
            return constant
    result = dose.compute(regimen, patient)
    if isinstance(result, dose.Computed):
        return _built_alternative(regimen, judgement, result)
    return Alternative(regimen.id, _VERDICT[judgement.answer], None, (), result.inputs)


def constant_alternatives(agent: Agent) -> Iterator[Alternative]:
    """Yield the alternatives of ``agent`` that are the same object in every answer, so that a writer can encode
    them once.
    """
    for regimen in agent.regimens.values():
        constant = _constant_alternative(regimen)
        if constant is not None:
            yield constant


def constant_findings(agent: Agent) -> Iterator[Finding]:
    """Yield the findings of ``agent`` that are the same object in every answer."""
    candidates = [
        findings.evidence(agent),
        *(findings.off_label(agent, regimen) for regimen in agent.regimens.values()),
    ]
    yield from (item for item in candidates if item is not None)


@cache
def _constant_alternative(regimen: Regimen) -> Alternative | None:
    """Return the alternative that is the same for every patient it applies to; ``None`` for any other regimen."""
    result = dose.constant(regimen)
    return None if result is None else _built_alternative(regimen, _CERTAIN, result)


def _built_alternative(regimen: Regimen, judgement: Applicability, result: dose.Computed) -> Alternative:
    return Alternative(
        regimen.id, _VERDICT[judgement.answer], result.dose, result.steps, tuple(_unchecked(judgement, result.dose))
    )


def _unchecked(judgement: Applicability, computed: Dose) -> Iterator[NotChecked]:
    """Yield what could not be compared or decided about a computed dose."""
    if judgement.answer is Answer.UNKNOWN:
        yield NotChecked(
            "population", judgement.because, "whether the regimen is documented for this patient depends on it"
        )
    for check in computed.limits:
        if check.reached is None:
            yield _limit_unchecked(check)
    if not computed.amounts:
        yield NotChecked(
            "amount", (), "the source gives the strength of the preparation and neither amount nor frequency"
        )
    elif computed.frequency is None and computed.amounts[0].per is Per.DAY:
        needs = () if any(item.per is Per.ADMINISTRATION for item in computed.amounts) else ("options.times_per_day",)
        yield NotChecked("frequency", needs, "the source does not state how often the daily amount is divided")


def _limit_unchecked(check: LimitCheck) -> NotChecked:
    name = f"limit-{check.kind}"
    if check.kind in {"duration-maximum", "cumulative-maximum"}:
        return NotChecked(
            name, (), "the length of treatment is not part of the request; compare it with this maximum yourself"
        )
    if check.kind == "rate-maximum":
        return NotChecked(name, (), "the infusion rate is not part of the request; keep the rate below this maximum")
    if check.needs:
        return NotChecked(name, check.needs, f"whether this maximum ({_limit_words(check)}) is met depends on it")
    why = f"this maximum ({_limit_words(check)}) is on a kind of amount that does not follow from the source"
    return NotChecked(name, ("options.times_per_day",), why)


def _limit_words(check: LimitCheck) -> str:
    return f"{exact_text(check.value)} {check.unit}, {check.applies_to or 'for everyone'}"


def _unused_options(options: Options, *, with_dose: bool) -> Iterator[NotChecked]:
    """Yield the options that changed nothing, so that no wish of the caller is passed over."""
    if options.start_date is not None:
        yield NotChecked(
            "schedule", (), "dated schedules are not part of this version; options.start_date changed nothing"
        )
    if options.jurisdiction is not None:
        yield NotChecked(
            "jurisdiction",
            (),
            "no rule of this knowledge base depends on the jurisdiction yet; options.jurisdiction changed nothing",
        )
    if not with_dose and (options.times_per_day or options.divided_over_days):
        yield NotChecked("division", (), "no dose was computed, so the division asked for was not applied")
