"""Judges proposed orders by the regimens that would compute them, with everything the dose endpoint would say."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

import msgspec

from dosing_service.knowledge.base import KnowledgeBase, Regimen
from dosing_service.model import (
    Amount,
    Basis,
    Dose,
    Finding,
    LikelyCause,
    LimitCheck,
    NotChecked,
    OrderAssessment,
    OrderCheck,
    OrderRequest,
    OrderVerdict,
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
    lowered,
    monitoring,
    order_durations,
    order_findings,
    plausibility,
    safety,
)
from dosing_service.rules.comparison import (
    Candidate,
    Comparison,
    Often,
    Position,
    candidates,
    compare,
    expected,
)
from dosing_service.rules.conditions import Context
from dosing_service.rules.dose import Doses
from dosing_service.rules.facts import Entry, Facts
from dosing_service.rules.measure import VOLUME, measures_of
from dosing_service.rules.options import strength_of
from dosing_service.rules.order_groups import Case, Group, groups
from dosing_service.rules.order_lines import Line, lines
from dosing_service.rules.order_paths import found_at, unchecked_at
from dosing_service.rules.ordered import Ordered, Unreadable, in_unit, rhythm, scaled, shown, text_of
from dosing_service.rules.population import Answer
from dosing_service.rules.schedule import plan
from dosing_service.rules.size import Grade, grades, weight_slips
from dosing_service.rules.verdict import verdict_of, worst

#: Far above a maximum, whatever was not said: the heaviest plausible adult weighs five times the usual one.
_FAR = Fraction(5)
_BY_SIZE = {Basis.BODY_WEIGHT, Basis.BODY_SURFACE_AREA, Basis.WEIGHT_BAND, Basis.BODY_SURFACE_AREA_BAND}


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
    case = Case(request, knowledge, Facts(patient, knowledge.terminology, drugs, as_of=request.as_of))
    grouped = groups(case, ordered)
    answers = _answers(grouped, ordered)
    found = plausibility.found(patient, request.as_of, knowledge.growth)
    depend_on_size = any(_depends_on_size(group) for group in grouped)
    unchecked = plausibility.unchecked(patient, request.as_of, knowledge.growth) if depend_on_size else []
    verdict = worst([*(item.verdict for item in answers), verdict_of(None, found, unchecked)])
    return OrderCheck(verdict, tuple(answers), findings.worst_first(found), tuple(unchecked), request.as_of)


def _answers(grouped: Sequence[Group], ordered: Sequence[Line]) -> list[OrderAssessment]:
    judged = {}
    for group in grouped:
        said = _judge(group)
        judged.update({id(line): _assessment(line, group, said) for line in group.lines})
    return [judged.get(id(line)) or _unknown_drug(line) for line in ordered]


def _depends_on_size(group: Group) -> bool:
    """Tell whether the weight or height matters for the orders: they, or the dose beside them, are counted on it."""
    if group.together is not None and group.together.body is not None:
        return True
    judged_by = [group.chosen.candidate] if group.chosen else group.candidates
    return any(item.regimen.basis in _BY_SIZE for item in judged_by)


# ---------------------------------------------------------------- the orders of one ingredient


def _judge(group: Group) -> _Said:
    found, unchecked = _of_regimens(group), _not_compared(group)
    context = _context(group)
    asked = _asked_lower(group, context)
    bound = _bound(group)
    if group.together is not None:
        above, open_limits = order_findings.of_limits(group.agent, bound, group.together, _formulation(group))
        if above and group.chosen is None and _may_fit(group, group.together):
            above = []
        if _is_of_other_use(group, group.together):
            above = [_as_warning(item) for item in above]
        if not group.is_documented:
            above = [item for item in above if _is_stopping(item)]
        found, unchecked = [*found, *above], [*unchecked, *open_limits, *_route_unchecked(group)]
    if group.together is not None and group.chosen is not None:
        more, open_ = _of_dose(group, group.together, group.chosen, asked)
        found, unchecked = [*found, *more], [*unchecked, *open_]
    elif group.together is not None:
        found = [*found, *_of_strength(group, group.together)]
    found += [item for item in _of_rhythms(group) if item.id not in {known.id for known in found}]
    for line in group.lines:
        wrong, open_product = _of_product(line, group.route)
        found, unchecked = [*found, *wrong], [*unchecked, *open_product]
    safe, open_safety = _safety(group, context)
    causes = () if _asked_for_less(group, asked) else _causes(group)
    return _Said(causes, bound, (*found, *lowered.noted(safe, asked)), (*unchecked, *open_safety))


def _asked_lower(group: Group, context: Context) -> list[lowered.Asked]:
    """Return the rules and interactions that ask for less than documented, for orders below their range."""
    if group.chosen is None:
        return []
    return lowered.asked(group.agent, group.chosen, context, group.case.knowledge, group.case.request.jurisdiction)


def _of_strength(group: Group, together: Ordered) -> list[Finding]:
    """Return that a strength is injected more often than it is documented, where no volume is that amounts could be
    compared with.
    """
    strength = _strength(group)
    alike = [
        item
        for item in group.comparisons
        if strength is not None
        and (regimen := item.candidate.regimen).basis is Basis.CONCENTRATION_VOLUME
        and regimen.use != "reference"
        and regimen.any_figure.low <= strength <= regimen.any_figure.high
    ]
    is_more = bool(alike) and all(item.often in {Often.MORE, Often.DAILY_NOT_WEEKLY} for item in alike)
    return order_findings.of_frequency(group.agent, alike[0], together) if is_more else []


def _asked_for_less(group: Group, asked: Sequence[lowered.Asked]) -> lowered.Asked | None:
    if group.together is None or group.chosen is None:
        return None
    return lowered.explained(asked, group.chosen, group.together)


def _causes(group: Group) -> tuple[LikelyCause, ...]:
    if group.together is None or group.chosen is None or group.chosen.fits:
        return ()
    is_rounded = any(order_findings.is_rounded(item) for item in group.comparisons)
    if is_rounded or group.together.is_partial or not group.is_documented:
        return ()
    if order_findings.is_titration_step(group.chosen):
        return ()
    order = group.lines[0].order if len(group.lines) == 1 else None
    suspect = likely_cause.Suspect(
        group.together, order, group.chosen, group.comparisons, measures_of(group.case.patient)
    )
    return likely_cause.causes(suspect, _other_weights(group))


def _other_weights(group: Group) -> list[likely_cause.CorrectedWeight]:
    """Return the weights that would be plausible where the given one is not, with the regimens worked out for each."""
    patient, growth = group.case.patient, group.case.knowledge.growth
    if Grade.IMPLAUSIBLE not in grades(patient, growth).values():
        return []
    found = []
    for slip in weight_slips(patient, growth):
        other = msgspec.structs.replace(patient, weight=Weight(slip.kg, slip.kg, "kg"))
        facts = Facts(other, group.case.knowledge.terminology)
        usable = candidates(group.agent, facts, Doses(other), group.route, group.product)
        found.append(likely_cause.CorrectedWeight(slip.kg, slip.factor, usable))
    return found


def _of_regimens(group: Group) -> list[Finding]:
    """Return what is said where no regimen, or not the one that is named, fits patient, route and product."""
    found = []
    if group.agent.regimens and not group.is_documented:
        judged = [item.applicability for item in group.candidates]
        because = dict.fromkeys(path for item in judged if item.answer is Answer.NO for path in item.because)
        found.append(order_findings.no_regimen(group.agent, group.route, tuple(because)))
    if not group.is_as_named:
        found.append(order_findings.named_regimen(group.agent))
    return found


def _not_compared(group: Group) -> list[NotChecked]:
    """Return what is missing to read the orders, and to compare them with the regimens they do not fit. An order that
    fits a dose for another use may still be above the doses for calcinosis that could not be worked out.
    """
    unchecked = [item for line in group.lines if isinstance(line.ordered, Unreadable) for item in line.ordered.inputs]
    unchecked += [item for line in group.lines for item in line.unchecked]
    if not group.agent.regimens:
        unchecked.append(NotChecked("dose", (), "no dose of this agent is documented here"))
    fits = group.chosen.candidate.regimen.use if group.chosen is not None and group.chosen.fits else None
    if group.together is None or fits not in {None, "reference"} or not group.candidates:
        return unchecked
    open_ = [item for item in group.candidates if item.dose is None and (fits is None or item.regimen.use != fits)]
    needs = [_without_volume(need) for item in open_ for need in item.needs]
    if group.chosen is None and not needs:
        own = next(per for item in group.candidates for per in item.amounts)
        needs = [order_findings.of_kind(own, group.together)]
    return [*unchecked, *needs]


def _without_volume(item: NotChecked) -> NotChecked:
    """A volume at one site is not part of an order, so nothing in it would let the comparison run."""
    is_volume = VOLUME in item.needs
    why = "the source gives a concentration and no volume, so there is no documented amount to compare with"
    return NotChecked("dose", (), why) if is_volume else item


def _bound(group: Group) -> Sequence[caps.BoundLimit]:
    """Return the documented maxima of the regimen that the orders are compared with, or (where none could be compared)
    those of the agent's regimens.
    """
    regimens = [group.chosen.candidate.regimen] if group.chosen else [item.regimen for item in group.candidates]
    return _limits_of(group, regimens)


def _may_fit(group: Group, together: Ordered) -> bool:
    """Tell whether orders that lack something for a comparison pass no maximum of at least one regimen, and none of the
    others far. Such a maximum, of a day where this regimen is weekly, is then not theirs.
    """

    def passes(bound: Sequence[caps.BoundLimit], amounts: Ordered) -> bool:
        return bool(order_findings.of_limits(group.agent, bound, amounts, _formulation(group))[0])

    is_far = passes(_bound(group), scaled(together, 1 / _FAR))
    return not is_far and any(not passes(_limits_of(group, [item.regimen]), together) for item in group.candidates)


def _limits_of(group: Group, regimens: Sequence[Regimen]) -> Sequence[caps.BoundLimit]:
    patient, measures = group.case.patient, measures_of(group.case.patient)
    daily = group.together.amounts.get(Per.DAY) if group.together else None
    daily_mg = in_unit(daily.high, "mg") if daily else None
    found: dict[tuple[object, ...], caps.BoundLimit] = {}
    for regimen in regimens:
        amounts = caps.Amounts(regimen.per, plan(regimen).conversions, measures, daily_mg)
        for item in caps.concerning(regimen.limits, patient, _formulation(group), amounts):
            found.setdefault((item.limit.kind, item.value, item.limit.unit.code, item.limit.applies_to), item)
    return list(found.values())


def _formulation(group: Group) -> str | None:
    return group.product.formulation if group.product else None


def _of_dose(
    group: Group, together: Ordered, chosen: Comparison, asked: Sequence[lowered.Asked]
) -> tuple[list[Finding], list[NotChecked]]:
    """Return what is said of the amount, how often and how long, beside the regimen it is compared with."""
    agent, regimen = group.agent, chosen.candidate.regimen
    given = [line.order.already_given_mg for line in group.lines if line.order.already_given_mg is not None]
    bound, already_given = _bound(group), Fraction(max(given)) if given else None
    longer, unchecked = order_durations.of_duration(agent, regimen, bound, together, already_given)
    too_much = order_durations.of_course_total(agent, chosen, group.comparisons, together)
    if too_much:
        longer = [item for item in longer if item.id != "duration-above-course"]
    others = [item.regimen for item in group.candidates]
    too_fast, open_infusion = _of_infusion(group, chosen)
    reason = _asked_for_less(group, asked)
    found = [
        *([lowered.of_explained(agent, chosen, together, reason)] if reason else _of_range(group, together, chosen)),
        *order_findings.of_frequency(agent, chosen, together),
        *order_findings.of_division(agent, chosen, group.comparisons, together),
        *order_findings.of_formulation(agent, group.product, chosen, group.comparisons, together),
        *too_much,
        *longer,
        *order_durations.of_other_durations(agent, regimen, others, together),
        *too_fast,
    ]
    if not group.is_documented:
        # The regimens are for others: only what is far too much for them says something about this patient.
        return [item for item in found if _is_stopping(item)], unchecked
    found += [*order_findings.of_use(agent, chosen, group.comparisons), *_of_population(group, chosen)]
    unchecked += [*open_infusion, *order_findings.unchecked(chosen, together), *_frequency_unchecked(group)]
    return found, unchecked


def _of_range(group: Group, together: Ordered, chosen: Comparison) -> list[Finding]:
    is_explained = chosen.position is Position.ABOVE and _is_explained(group, together)
    found = order_findings.of_range(group.agent, chosen, group.comparisons, together, is_explained=is_explained)
    applies = chosen.candidate.applicability
    if chosen.candidate.regimen.egfr is None or applies.answer is not Answer.UNKNOWN:
        return found
    return [msgspec.structs.replace(item, verdict=Verdict.POSSIBLE, because=applies.because) for item in found]


def _of_rhythms(group: Group) -> list[Finding]:
    """Return what is wrong with how often those orders are given whose amount is compared with nothing."""
    uncompared = [rhythm(line.order) for line in group.lines if isinstance(line.ordered, Unreadable)]
    if group.together is not None and group.chosen is None:
        uncompared.append(group.together)
    found: dict[str, Finding] = {}
    for ordered in uncompared:
        comparisons = [compare(ordered, item) for item in group.candidates]
        said = order_findings.of_rhythm(group.agent, comparisons, ordered)
        found.update({item.id: item for item in said if group.is_documented or _is_stopping(item)})
    return list(found.values())


def _is_stopping(item: Finding) -> bool:
    return item.severity is Severity.CONTRAINDICATED


def _is_explained(group: Group, together: Ordered) -> bool:
    """Tell whether any regimen documents, by a maximum of its own, doses as high as the order, or another use does."""
    return _is_of_other_use(group, together) or any(
        order_findings.explains(item, _limits_of(group, [item.candidate.regimen]), together)
        for item in group.comparisons
    )


def _is_of_other_use(group: Group, together: Ordered) -> bool:
    """Tell whether the order keeps the documented most of other uses."""
    limit = group.agent.other_uses.limit if group.agent.other_uses else None
    if limit is None or not group.candidates:
        return False
    like = group.candidates[0].regimen
    amounts = caps.Amounts(like.per, plan(like).conversions, measures_of(group.case.patient))
    bound = caps.concerning((limit,), group.case.patient, _formulation(group), amounts)
    is_known = bool(bound) and not any(item.needs for item in bound)
    return is_known and not order_findings.of_limits(group.agent, bound, together, _formulation(group))[0]


def _as_warning(item: Finding) -> Finding:
    """Return a maximum that another use passes every day as a warning."""
    return msgspec.structs.replace(item, severity=Severity.MAJOR) if _is_stopping(item) else item


def _frequency_unchecked(group: Group) -> list[NotChecked]:
    """Return the orders of a sum that do not say how often, although another one does."""
    lacking = [line for line in group.lines if line.order.frequency is None]
    is_open = 0 < len(lacking) < len(group.lines)
    return [NotChecked("frequency", ("frequency",), "the sum of the orders depends on it")] if is_open else []


def _route_unchecked(group: Group) -> list[NotChecked]:
    """Return that a route is open, where the doses differ by it."""
    routes = {item.route for item in group.agent.regimens.values()}
    is_open = len(routes) > 1 and any(line.route is None for line in group.lines)
    return [NotChecked("route", ("route",), "the doses of this drug differ by route")] if is_open else []


def _of_infusion(group: Group, chosen: Comparison) -> tuple[list[Finding], list[NotChecked]]:
    """Return infusions that run faster than is documented for the regimen, else for another by this route."""
    judged_by = _with_infusion(group, chosen)
    found: list[Finding] = []
    unchecked: list[NotChecked] = []
    for line in group.lines:
        ordered, amount = line.order.infusion, _infused(line)
        if judged_by is None and ordered is not None:
            unchecked.append(NotChecked("infusion", (), "no source seen gives a time or rate for this infusion"))
        elif judged_by is not None and (ordered is None or amount is None):
            why = "the source documents how fast it may run; the order does not say how fast it runs"
            unchecked.append(NotChecked("infusion", ("infusion",), why))
        elif judged_by is not None and ordered is not None and amount is not None:
            faster, open_ = _infusion(group, judged_by, line, amount)
            found, unchecked = [*found, *faster], [*unchecked, *open_]
    return found, unchecked


def _with_infusion(group: Group, chosen: Comparison) -> Candidate | None:
    same_route = [item for item in group.candidates if item.regimen.route == chosen.candidate.regimen.route]
    documented = [item for item in (chosen.candidate, *same_route) if item.regimen.infusion and item.dose]
    return documented[0] if documented else None


def _infused(line: Line) -> Quantity | None:
    """Return what runs in at one time: the dose, or a rate over the time that is ordered."""
    if not isinstance(line.ordered, Ordered):
        return None
    each, rate = (line.ordered.amounts.get(per) for per in (Per.ADMINISTRATION, Per.RATE))
    minutes = line.order.infusion.duration_minutes if line.order.infusion else None
    if each is None and rate is not None and minutes is not None:
        return Quantity(in_unit(rate.high * Fraction(minutes), "mg"), "mg")
    return Quantity(in_unit(each.high, "mg"), "mg") if each is not None else None


def _infusion(
    group: Group, judged_by: Candidate, line: Line, amount: Quantity
) -> tuple[list[Finding], list[NotChecked]]:
    patient, ordered = group.case.patient, line.order.infusion
    context = Context(group.case.facts, group.route, judged_by.regimen.id, judged_by.dose)
    planned, open_ = infusion.plan(group.agent, judged_by.regimen, context, line.product)
    if planned is None or ordered is None:
        return [], open_
    documented, kg = judged_by.regimen.infusion, patient.weight.kg if patient.weight else None
    shortest = documented.shortest if documented else None
    found, unchecked = infusion.check(planned, amount, kg, ordered, shortest=shortest)
    return found, [*open_, *unchecked]


def _of_product(line: Line, route: str | None) -> tuple[list[Finding], list[NotChecked]]:
    each = line.ordered.amounts.get(Per.ADMINISTRATION) if isinstance(line.ordered, Ordered) else None
    return order_findings.of_product(line.product, each, line.route or route)


def _of_population(group: Group, chosen: Comparison) -> list[Finding]:
    """Return for whom and for what the regimen is documented, where that is open or another."""
    regimen, applies = chosen.candidate.regimen, chosen.candidate.applicability
    order = group.lines[0].order
    found = [findings.off_label(group.agent, regimen), findings.other_indication(regimen, order.disease, order.lesion)]
    if applies.answer is Answer.UNKNOWN:
        found.append(findings.population_unknown(regimen, applies))
    if regimen.population is None and regimen.basis is not Basis.FIXED:
        found.append(findings.population_not_stated(regimen, group.case.patient))
    return [item for item in found if item is not None]


def _safety(group: Group, context: Context) -> tuple[list[Finding], list[NotChecked]]:
    """Return what the dose endpoint says of an agent and a patient, asked about the ordered amounts."""
    agent, case = group.agent, group.case
    rules = safety.judge(agent, context, case.request.jurisdiction, of_order=True)
    by_rule = safety.findings(rules)
    by_result = monitoring.findings(agent, context, case.request.as_of, by_rule)
    pairs, open_pairs = interactions.found(agent, case.knowledge, context, case.request.jurisdiction)
    evidence = findings.evidence(agent)
    in_play = [context.regimen] if context.regimen else [item.regimen.id for item in group.candidates]
    contradictions = disagreements.found(agent, in_play, case.patient, group.doses)
    found = [*([evidence] if evidence else []), *contradictions, *by_rule, *by_result, *pairs]
    return found, [*safety.unchecked(rules), *open_pairs, *case.facts.uncoded()]


def _context(group: Group) -> Context:
    """Return what rules are asked about: the patient, and the ordered amounts."""
    regimen = group.chosen.candidate.regimen.id if group.chosen else None
    dose = _as_dose(group.together) if group.together else None
    return Context(group.case.facts, _judged_route(group), regimen, dose, _strength(group))


def _strength(group: Group) -> Decimal | None:
    """Return the strength (mg/mL) of the product that all orders have."""
    strengths = {strength_of(line.product) for line in group.lines}
    return strengths.pop() if len(strengths) == 1 else None


def _judged_route(group: Group) -> str | None:
    """Return the route; orders by two routes are added, and judged by what is said of the first."""
    return group.route or next((line.route for line in group.lines if line.route is not None), None)


def _as_dose(ordered: Ordered) -> Dose:
    """Return the ordered amounts as a dose, in milligrams, for the rules that ask about one."""
    amounts = tuple([_as_amount(per, ordered) for per in ordered.amounts])
    return Dose(Basis.FIXED, amounts, (), None, None, None, None, None, None, (), verified=True)


def _as_amount(per: Per, ordered: Ordered) -> Amount:
    span = ordered.amounts[per]
    return Amount(per, in_unit(span.low, "mg"), in_unit(span.high, "mg"), "mg", text_of(per, span, ordered))


# ---------------------------------------------------------------- the answer about one order


def _assessment(line: Line, group: Group, said: _Said) -> OrderAssessment:
    # A regimen that is for others is no range of this patient's; what is too much for them stands among the findings.
    case, chosen = group.case, group.chosen if group.is_documented else None
    found = findings.worst_first([found_at(item, line, group.lines) for item in said.found])
    unchecked = tuple(dict.fromkeys([unchecked_at(item, line, group.lines) for item in said.unchecked]))
    others = tuple([other.order.id for other in group.lines if other is not line])
    shown_first = [chosen.candidate] if chosen else []
    if group.is_documented:
        shown_first += [item for item in group.candidates if chosen is None or item is not chosen.candidate]
    return OrderAssessment(
        id=line.order.id,
        agent=group.agent.id,
        regimen=chosen.candidate.regimen.id if chosen else None,
        verdict=verdict_of(group.agent, found, unchecked),
        ordered=shown(line.ordered) if isinstance(line.ordered, Ordered) else (),
        summed_with=others,
        together=shown(group.together) if others and group.together else (),
        expected=tuple([item for candidate in shown_first if (item := expected(candidate)) is not None]),
        ratio=chosen.ratio if chosen else None,
        likely_causes=said.causes,
        limits=tuple([_limit_check(item, group.together) for item in said.bound]),
        findings=found,
        not_checked=unchecked,
        monitoring=monitoring.plan(
            group.agent, Context(case.facts, _judged_route(group), None, None), case.request.as_of, None
        ),
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


def _unknown_drug(line: Line) -> OrderAssessment:
    """Say that a drug of which no dose is documented here was not checked; the others are checked against it."""
    why = "no dose of this drug is documented here; it only counts as a medication for the other orders"
    if not line.drug.is_known:
        why = "nothing here knows this code, so neither the drug nor its interactions were checked"
    unchecked = (NotChecked("agent", (f"{line.path}.agent",), why),)
    return OrderAssessment(
        line.order.id, None, None, OrderVerdict.INCOMPLETE, (), (), (), (), None, (), (), (), unchecked, ()
    )
