"""Judges proposed orders by the regimens that would compute them, with everything the dose endpoint would say."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction

import msgspec

from dosing_service.knowledge.base import Agent, KnowledgeBase, Product
from dosing_service.model import (
    Amount,
    Basis,
    Category,
    Dose,
    Finding,
    LikelyCause,
    LimitCheck,
    NotChecked,
    OrderAssessment,
    OrderCheck,
    OrderRequest,
    OrderVerdict,
    Patient,
    Per,
    Quantity,
    Severity,
    Value,
    Verdict,
    Weight,
)
from dosing_service.rules import (
    caps,
    disagreements,
    findings,
    infusion,
    interactions,
    likely_cause,
    monitoring,
    order_findings,
    plausibility,
    safety,
)
from dosing_service.rules.comparison import Candidate, Comparison, best, candidates, compare, expected
from dosing_service.rules.conditions import Context
from dosing_service.rules.dose import Doses
from dosing_service.rules.facts import Entry, Facts
from dosing_service.rules.measure import area_of
from dosing_service.rules.order_lines import Line, lines
from dosing_service.rules.ordered import Ordered, Unreadable, in_unit, shown, summed
from dosing_service.rules.population import Answer
from dosing_service.rules.schedule import ADVERB, plan
from dosing_service.rules.size import Grade, grades, weight_slips
from dosing_service.rules.wording import amount_text

#: What is shown with an order and does not change its verdict: it is about the sources, not about the order.
_ABOUT_SOURCES = {Category.DISAGREEMENT, Category.OFF_LABEL}
_ABOUT_SOURCES_IDS = {"population-not-stated"}
_WARNS = {Severity.MAJOR, Severity.MODERATE}
_LOCAL = {"topical", "intralesional"}
_BY_SIZE = {Basis.BODY_WEIGHT, Basis.BODY_SURFACE_AREA, Basis.WEIGHT_BAND, Basis.BODY_SURFACE_AREA_BAND}


class _Case(Value, frozen=True):
    """One request, and what was found out about its patient."""

    request: OrderRequest
    knowledge: KnowledgeBase
    facts: Facts

    @property
    def patient(self) -> Patient:
        return self.request.patient


class _Group(Value, frozen=True):
    """All orders of one ingredient, taken together; ``together`` is ``None`` where they cannot be added."""

    case: _Case
    lines: tuple[Line, ...]
    agent: Agent
    route: str | None
    product: Product | None
    together: Ordered | None
    doses: Doses
    candidates: tuple[Candidate, ...]
    comparisons: tuple[Comparison, ...]
    chosen: Comparison | None


class _Said(Value, frozen=True):
    """What is said of a group; the paths in it are relative to an order."""

    causes: tuple[LikelyCause, ...]
    bound: Sequence[caps.BoundLimit]
    found: tuple[Finding, ...]
    unchecked: tuple[NotChecked, ...]


def check(request: OrderRequest, knowledge: KnowledgeBase) -> OrderCheck:
    """Return the judgement of every order of ``request`` and of all together.

    Raises:
        InvalidRequest: an order names an agent, regimen or product that does not exist.
    """
    patient = request.patient
    ordered = [line for index, order in enumerate(request.orders) for line in lines(index, order, patient, knowledge)]
    drugs = tuple([Entry(line.path, line.drug) for line in ordered])
    case = _Case(request, knowledge, Facts(patient, knowledge.terminology, drugs))
    groups = _groups(case, ordered)
    answers = _answers(groups, ordered)
    found = plausibility.found(patient, request.as_of, knowledge.growth)
    depend_on_size = any(_depends_on_size(group) for group in groups)
    unchecked = plausibility.unchecked(patient, request.as_of, knowledge.growth) if depend_on_size else []
    verdict = _worst([*(item.verdict for item in answers), _verdict(None, found, unchecked)])
    return OrderCheck(verdict, tuple(answers), findings.worst_first(found), tuple(unchecked), request.as_of)


def _groups(case: _Case, ordered: Sequence[Line]) -> list[_Group]:
    """Return the orders by ingredient; what stays in the skin or a lesion is not added to what the whole body gets."""
    together: dict[tuple[str, bool], list[Line]] = {}
    for line in ordered:
        if line.agent is not None:
            together.setdefault((line.agent.id, line.route in _LOCAL), []).append(line)
    return [_group(case, tuple(members)) for members in together.values()]


def _answers(groups: Sequence[_Group], ordered: Sequence[Line]) -> list[OrderAssessment]:
    judged = {}
    for group in groups:
        said = _judge(group)
        judged.update({id(line): _assessment(line, group, said) for line in group.lines})
    return [judged.get(id(line)) or _unknown_drug(line) for line in ordered]


def _depends_on_size(group: _Group) -> bool:
    """Tell whether the weight or height matters for the orders: they, or the dose beside them, are counted on it."""
    if group.together is not None and group.together.body is not None:
        return True
    judged_by = [group.chosen.candidate] if group.chosen else group.candidates
    return any(item.regimen.basis in _BY_SIZE for item in judged_by)


def _worst(verdicts: Iterable[OrderVerdict]) -> OrderVerdict:
    return min(verdicts, key=list(OrderVerdict).index)


# ---------------------------------------------------------------- the orders of one ingredient


def _group(case: _Case, members: tuple[Line, ...]) -> _Group:
    agent = members[0].agent
    assert agent is not None  # noqa: S101 - only orders of our agents are grouped
    route, product = _common_route(members, agent), _common_product(members)
    readable = [line.ordered for line in members if isinstance(line.ordered, Ordered)]
    together = summed(readable) if len(readable) == len(members) else None
    doses = Doses(case.patient)
    names = {line.order.regimen for line in members} - {None}
    fitting = candidates(agent, case.patient, doses, route, product)
    usable = tuple([item for item in fitting if not names or item.regimen.id in names])
    comparisons = tuple([compare(together, item) for item in usable]) if together else ()
    return _Group(case, members, agent, route, product, together, doses, usable, comparisons, best(agent, comparisons))


def _common_route(members: tuple[Line, ...], agent: Agent) -> str | None:
    """Return the route of the orders; a drug that is documented by one route alone needs none."""
    routes = {line.route for line in members}
    if routes == {None}:
        routes = {item.route for item in agent.regimens.values()}
    return routes.pop() if len(routes) == 1 else None


def _common_product(members: tuple[Line, ...]) -> Product | None:
    """Return a product of the formulation that all orders have, since some maxima belong to a formulation."""
    formulations = {line.product.formulation if line.product else None for line in members}
    return members[0].product if len(formulations) == 1 else None


def _judge(group: _Group) -> _Said:
    causes = _causes(group)
    found, unchecked = _of_regimens(group)
    bound = _bound(group)
    if group.together is not None and group.chosen is not None:
        more, open_ = _of_dose(group, group.together, group.chosen, bound, has_cause=bool(causes))
        found, unchecked = [*found, *more], [*unchecked, *open_]
    safe, open_safety = _safety(group)
    return _Said(causes, bound, (*found, *safe), (*unchecked, *open_safety))


def _causes(group: _Group) -> tuple[LikelyCause, ...]:
    if group.together is None or group.chosen is None or group.chosen.fits:
        return ()
    patient = group.case.patient
    order = group.lines[0].order if len(group.lines) == 1 else None
    measures = {"kg": patient.weight.kg if patient.weight else None, "m2": area_of(patient)}
    suspect = likely_cause.Suspect(group.together, order, group.comparisons, measures)
    return likely_cause.causes(suspect, _other_weights(group))


def _other_weights(group: _Group) -> list[likely_cause.CorrectedWeight]:
    """Return the weights that would be plausible where the given one is not, with the regimens worked out for each."""
    patient, growth = group.case.patient, group.case.knowledge.growth
    if Grade.IMPLAUSIBLE not in grades(patient, growth).values():
        return []
    found = []
    for slip in weight_slips(patient, growth):
        other = msgspec.structs.replace(patient, weight=Weight(slip.kg, slip.kg, "kg"))
        usable = candidates(group.agent, other, Doses(other), group.route, group.product)
        found.append(likely_cause.CorrectedWeight(slip.kg, slip.factor, usable))
    return found


def _of_regimens(group: _Group) -> tuple[list[Finding], list[NotChecked]]:
    """Return what is said where no regimen could be compared."""
    unchecked = [item for line in group.lines if isinstance(line.ordered, Unreadable) for item in line.ordered.inputs]
    if not group.agent.regimens:
        unchecked.append(NotChecked("dose", (), "no dose of this agent is documented here"))
    elif not group.candidates:
        return [order_findings.no_regimen(group.agent, group.route)], unchecked
    if group.together is None or (group.chosen is not None and group.chosen.fits):
        return [], unchecked
    needs = [need for item in group.candidates if item.dose is None for need in item.needs]
    if group.chosen is None and group.candidates and not needs:
        needs = [NotChecked("dose", ("frequency",), "the documented doses are of another kind of amount")]
    return [], [*unchecked, *needs]


def _bound(group: _Group) -> Sequence[caps.BoundLimit]:
    """Return the documented maxima of the regimen that the orders are compared with."""
    if group.chosen is None:
        return ()
    patient, regimen = group.case.patient, group.chosen.candidate.regimen
    measures = {None: Decimal(1), "kg": patient.weight.kg if patient.weight else None, "m2": area_of(patient)}
    amounts = caps.Amounts(regimen.per, plan(regimen).conversions, measures)
    return caps.concerning(regimen.limits, patient, _formulation(group), amounts)


def _formulation(group: _Group) -> str | None:
    return group.product.formulation if group.product else None


def _of_dose(
    group: _Group, together: Ordered, chosen: Comparison, bound: Sequence[caps.BoundLimit], *, has_cause: bool
) -> tuple[list[Finding], list[NotChecked]]:
    agent, regimen = group.agent, chosen.candidate.regimen
    given = [line.order.already_given_mg for line in group.lines if line.order.already_given_mg is not None]
    above, open_limits = order_findings.of_limits(agent, bound, together, _formulation(group))
    longer, open_duration = order_findings.of_duration(
        agent, regimen, together, Fraction(max(given)) if given else None
    )
    found = [
        *order_findings.of_range(agent, chosen, together, has_cause=has_cause),
        *order_findings.of_frequency(agent, chosen),
        *order_findings.of_division(agent, chosen, together),
        *order_findings.of_use(chosen, group.comparisons),
        *above,
        *longer,
        *(finding for line in group.lines for finding in _of_product(line)),
        *_of_population(group, chosen),
    ]
    routes = {item.route for item in agent.regimens.values()}
    too_fast, open_infusion = _of_infusion(group, chosen)
    unchecked = order_findings.unchecked(chosen, together, group.route, routes)
    return [*found, *too_fast], [*open_limits, *open_duration, *open_infusion, *unchecked]


def _of_infusion(group: _Group, chosen: Comparison) -> tuple[list[Finding], list[NotChecked]]:
    """Return infusions that run faster than documented; what is not documented cannot be checked."""
    regimen, patient = chosen.candidate.regimen, group.case.patient
    if regimen.infusion is None or chosen.candidate.dose is None:
        return [], []
    context = Context(group.case.facts, group.route, regimen.id, chosen.candidate.dose)
    kg = patient.weight.kg if patient.weight else None
    found: list[Finding] = []
    unchecked: list[NotChecked] = []
    for line in group.lines:
        each = line.ordered.amounts.get(Per.ADMINISTRATION) if isinstance(line.ordered, Ordered) else None
        ordered = line.order.infusion
        if ordered is None or each is None:
            why = "the source documents how fast it may run; the order does not say how fast it runs"
            unchecked.append(NotChecked("infusion", ("infusion",), why))
            continue
        planned, open_ = infusion.plan(group.agent, regimen, context, line.product)
        if planned is not None:
            faster, more = infusion.check(planned, Quantity(in_unit(each.high, "mg"), "mg"), kg, ordered)
            found, unchecked = [*found, *faster], [*unchecked, *open_, *more]
    return found, unchecked


def _of_product(line: Line) -> list[Finding]:
    each = line.ordered.amounts.get(Per.ADMINISTRATION) if isinstance(line.ordered, Ordered) else None
    return order_findings.of_product(line.product, each)


def _of_population(group: _Group, chosen: Comparison) -> list[Finding]:
    """Return for whom and for what the regimen is documented, where that is open or another."""
    regimen, applies = chosen.candidate.regimen, chosen.candidate.applicability
    order = group.lines[0].order
    found = [findings.off_label(group.agent, regimen), findings.other_indication(regimen, order.disease, order.lesion)]
    if applies.answer is Answer.UNKNOWN:
        found.append(findings.population_unknown(regimen, applies))
    if regimen.population is None and regimen.basis is not Basis.FIXED:
        found.append(findings.population_not_stated(regimen, group.case.patient))
    return [item for item in found if item is not None]


def _safety(group: _Group) -> tuple[list[Finding], list[NotChecked]]:
    """Return what the dose endpoint says of an agent and a patient, asked about the ordered amounts."""
    agent, case = group.agent, group.case
    regimen = group.chosen.candidate.regimen if group.chosen else None
    dose = _as_dose(group.together) if group.together else None
    context = Context(case.facts, group.route, regimen.id if regimen else None, dose)
    rules = safety.judge(agent, context, case.request.jurisdiction, of_order=True)
    pairs, open_pairs = interactions.found(agent, case.knowledge, context, case.request.jurisdiction)
    evidence = findings.evidence(agent)
    in_play = [regimen.id] if regimen else [item.regimen.id for item in group.candidates]
    contradictions = disagreements.found(agent, in_play, case.patient, group.doses)
    found = [*([evidence] if evidence else []), *contradictions, *safety.findings(rules), *pairs]
    return found, [*safety.unchecked(rules), *open_pairs, *case.facts.uncoded()]


def _as_dose(ordered: Ordered) -> Dose:
    """Return the ordered amounts as a dose, in milligrams, for the rules that ask about one."""
    amounts = tuple([_as_amount(per, ordered) for per in ordered.amounts])
    return Dose(Basis.FIXED, amounts, (), None, None, None, None, None, None, (), verified=True)


def _as_amount(per: Per, ordered: Ordered) -> Amount:
    span = ordered.amounts[per]
    text = amount_text(in_unit(span.low, ordered.unit), in_unit(span.high, ordered.unit), ordered.unit, ADVERB[per])
    return Amount(per, in_unit(span.low, "mg"), in_unit(span.high, "mg"), "mg", text)


# ---------------------------------------------------------------- the answer about one order


def _assessment(line: Line, group: _Group, said: _Said) -> OrderAssessment:
    case, chosen = group.case, group.chosen
    found = findings.worst_first([_found_at(item, line) for item in said.found])
    unchecked = tuple(dict.fromkeys([_unchecked_at(item, line) for item in said.unchecked]))
    others = tuple([other.order.id for other in group.lines if other is not line])
    shown_first = [chosen.candidate] if chosen else []
    shown_first += [item for item in group.candidates if chosen is None or item is not chosen.candidate]
    return OrderAssessment(
        id=line.order.id,
        agent=group.agent.id,
        regimen=chosen.candidate.regimen.id if chosen else None,
        verdict=_verdict(group.agent, found, unchecked),
        ordered=shown(line.ordered) if isinstance(line.ordered, Ordered) else (),
        summed_with=others,
        together=shown(group.together) if others and group.together else (),
        expected=tuple([item for candidate in shown_first if (item := expected(candidate)) is not None]),
        ratio=chosen.ratio if chosen else None,
        likely_causes=said.causes,
        limits=tuple([_limit_check(item, group.together) for item in said.bound]),
        findings=found,
        not_checked=unchecked,
        monitoring=monitoring.plan(group.agent, case.facts, case.request.as_of, None),
    )


def _limit_check(item: caps.BoundLimit, together: Ordered | None) -> LimitCheck:
    per = caps.PER_OF_KIND.get(item.limit.kind)
    given = together.amounts.get(per) if together is not None and per is not None and not item.needs else None
    high = in_unit(given.high, item.limit.unit.amount) if given is not None else None
    return msgspec.structs.replace(
        caps.check(item, Decimal(0)),
        reached=None if high is None else high >= item.value,
        exceeded=None if high is None else high > item.value,
    )


def _verdict(agent: Agent | None, found: Sequence[Finding], unchecked: Sequence[NotChecked]) -> OrderVerdict:
    counted = [item for item in found if _counts(agent, item)]
    applying = {item.severity for item in counted if item.verdict is Verdict.APPLIES}
    if Severity.CONTRAINDICATED in applying:
        return OrderVerdict.STOP
    if applying & _WARNS:
        return OrderVerdict.WARN
    is_open = unchecked or any(item.verdict is Verdict.POSSIBLE for item in counted)
    return OrderVerdict.INCOMPLETE if is_open else OrderVerdict.PASS


def _counts(agent: Agent | None, item: Finding) -> bool:
    """Tell whether a finding is about this order; what only says how sources stand does not change a verdict."""
    if item.category in _ABOUT_SOURCES or item.id in _ABOUT_SOURCES_IDS:
        return False
    return item.category is not Category.EVIDENCE or (agent is not None and agent.evidence.verdict == "advised-against")


_RENAMED = {
    "regimen": "dose",
    "options.times_per_day": "frequency",
    "options.volume": "dose",
    "options.product": "product",
}
_OF_ORDER = {"agent", "dose", "frequency", "route", "duration", "product", "already_given", "infusion"}


def _at(name: str, path: str) -> str:
    """Return a name of the dose endpoint, or one relative to an order, as a path of this request."""
    renamed = _RENAMED.get(name, name)
    is_own = renamed in _OF_ORDER or renamed.startswith(("indication.", "infusion."))
    return f"{path}.{renamed}" if is_own else renamed


def _found_at(item: Finding, line: Line) -> Finding:
    return msgspec.structs.replace(item, because=_paths(item.because, line))


def _unchecked_at(item: NotChecked, line: Line) -> NotChecked:
    return msgspec.structs.replace(item, needs=_paths(item.needs, line))


def _paths(names: tuple[str, ...], line: Line) -> tuple[str, ...]:
    """Return paths of the request. Where the route is not known, a question about the regimen is about the route."""
    named = ("route" if name == "regimen" and line.route is None else name for name in names)
    return tuple([_at(name, line.path) for name in named])


def _unknown_drug(line: Line) -> OrderAssessment:
    """Say that a drug of which no dose is documented here was not checked; the others are checked against it."""
    why = "no dose of this drug is documented here; it only counts as a medication for the other orders"
    unchecked = (NotChecked("agent", (f"{line.path}.agent",), why),)
    return OrderAssessment(
        line.order.id, None, None, OrderVerdict.INCOMPLETE, (), (), (), (), None, (), (), (), unchecked, ()
    )
