"""Judges proposed orders by the regimens that would compute them, and says what else must be known before they are given."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from difflib import get_close_matches
from fractions import Fraction

import msgspec

from dosing_service.errors import InvalidRequest, Problem
from dosing_service.knowledge.base import Agent, KnowledgeBase, Product
from dosing_service.model import (
    Amount,
    Basis,
    Category,
    Coding,
    Dose,
    Finding,
    LikelyCause,
    LimitCheck,
    NotChecked,
    Order,
    OrderAssessment,
    OrderCheck,
    OrderRequest,
    OrderVerdict,
    Patient,
    Per,
    Severity,
    Value,
    Verdict,
)
from dosing_service.rules import caps, disagreements, findings, interactions, monitoring, order_findings, safety
from dosing_service.rules import likely_cause as likely
from dosing_service.rules.comparison import Candidate, Comparison, Position, best, candidates, compare, expected
from dosing_service.rules.conditions import Context
from dosing_service.rules.dose import Doses
from dosing_service.rules.facts import Entry, Facts, Substance, substance
from dosing_service.rules.measure import area_of
from dosing_service.rules.ordered import Ordered, Strength, Unreadable, in_unit, normalised, shown, summed
from dosing_service.rules.population import Answer, Applicability, applicability
from dosing_service.rules.schedule import ADVERB, plan
from dosing_service.rules.wording import amount_text
from dosing_service.units import times

#: What is shown with an order and does not change its verdict: it is about the sources, not about the order.
_ABOUT_SOURCES = {Category.DISAGREEMENT, Category.OFF_LABEL}
_ABOUT_SOURCES_IDS = {"population-not-stated"}
_WARNS = {Severity.MAJOR, Severity.MODERATE}
_LOCAL = {"topical", "intralesional"}
_PIECES = {"tablet": "{tablet}", "capsule": "{capsule}"}


class _Line(Value, frozen=True):
    """One ingredient of one order; ``agent`` is ``None`` for a drug that no dose is documented of here."""

    path: str
    order: Order
    agent: Agent | None
    product: Product | None
    ordered: Ordered | Unreadable | None
    drug: Substance


class _Case(Value, frozen=True):
    """One request, and what was found out about its patient."""

    request: OrderRequest
    knowledge: KnowledgeBase
    facts: Facts


class _Judgement(Value, frozen=True):
    """What is said of all orders of one ingredient together; paths in it are relative to an order."""

    agent: Agent
    together: Ordered | None
    comparison: Comparison | None
    candidates: Sequence[Candidate]
    causes: tuple[LikelyCause, ...]
    bound: Sequence[caps.BoundLimit]
    found: tuple[Finding, ...]
    unchecked: tuple[NotChecked, ...]


def check(request: OrderRequest, knowledge: KnowledgeBase) -> OrderCheck:
    """Return the judgement of every order of ``request`` and of all together.

    Raises:
        InvalidRequest: an order names an agent, regimen or product that does not exist.
    """
    lines = [line for index, order in enumerate(request.orders) for line in _lines(index, order, request, knowledge)]
    drugs = tuple([Entry(line.path, line.drug) for line in lines])
    case = _Case(request, knowledge, Facts(request.patient, knowledge.terminology, drugs))
    groups: dict[tuple[str, bool], list[_Line]] = {}
    for line in lines:
        if line.agent is not None:
            groups.setdefault((line.agent.id, line.order.route in _LOCAL), []).append(line)
    judged = {key: _judge(case, group) for key, group in groups.items()}
    answers = []
    for line in lines:
        if line.agent is None:
            answers.append(_unknown_drug(line, case))
        else:
            key = (line.agent.id, line.order.route in _LOCAL)
            answers.append(_assessment(case, line, groups[key], judged[key]))
    verdict = worst([item.verdict for item in answers])
    return OrderCheck(verdict, tuple(answers), (), (), request.as_of)


def worst(verdicts: Iterable[OrderVerdict]) -> OrderVerdict:
    """Return the worst of several verdicts."""
    return min(verdicts, key=list(OrderVerdict).index)


# ---------------------------------------------------------------- which drug


def _lines(index: int, order: Order, request: OrderRequest, knowledge: KnowledgeBase) -> list[_Line]:
    path = f"orders[{index}]"
    agent = _agent(order.agent, path, knowledge)
    drug = substance(order.agent, knowledge.terminology)
    if agent is None:
        return [_Line(path, order, None, None, None, drug)]
    product = _product(order, path, agent)
    ordered = normalised(order, path, request.patient, _strength(product))
    return [_Line(path, order, agent, product, ordered, interactions.as_substance(agent))]


def _agent(coding: Coding, path: str, knowledge: KnowledgeBase) -> Agent | None:
    if coding.system is None and coding.code in knowledge.agents:
        return knowledge.agents[coding.code]
    drug = substance(coding, knowledge.terminology)
    if drug.agent is not None:
        return knowledge.agents[drug.agent]
    if coding.system is None and not drug.is_known:
        names = {*knowledge.agents, *knowledge.terminology.drugs_by_name}
        close = get_close_matches(coding.code.lower(), sorted(names), n=3)
        expected_ = f"an agent id, the name of a drug, or a code; nearest: {', '.join(close) or 'none'}"
        raise InvalidRequest(Problem(f"/{_pointer(path)}/agent", "unknown-agent", "no drug has this id", expected_))
    return None


def _pointer(path: str) -> str:
    return path.replace("[", "/").replace("]", "")


def _product(order: Order, path: str, agent: Agent) -> Product | None:
    if order.product is None:
        return None
    product = agent.products.get(order.product.code) if order.product.system is None else None
    if product is None:
        accepted = ", ".join(agent.products) or "none: no product of this agent is in the knowledge base"
        detail = "no product of this agent has this id"
        raise InvalidRequest(Problem(f"/{_pointer(path)}/product", "unknown-product", detail, accepted))
    return product


def _strength(product: Product | None) -> Strength | None:
    """Return how many milligrams one piece, one vial or one millilitre of a product holds."""
    if product is None:
        return None
    unit = product.strength_unit.code
    if unit == "mg/mL":
        vial = {"{vial}": times(product.strength, product.volume_ml)} if product.volume_ml is not None else {}
        return Strength({"mL": product.strength} | vial)
    factor = {"mg": Decimal(1), "g": Decimal(1000)}[unit]
    piece = next((code for word, code in _PIECES.items() if word in product.form), "{vial}")
    return Strength({piece: times(product.strength, factor)})


# ---------------------------------------------------------------- the judgement of one ingredient


def _judge(case: _Case, lines: list[_Line]) -> _Judgement:
    agent, patient = lines[0].agent, case.request.patient
    assert agent is not None  # noqa: S101 - only orders of our agents are grouped
    order, route, formulation = lines[0].order, _common_route(lines), _common_formulation(lines)
    judged = {item.id: applicability(item, patient) for item in agent.regimens.values()}
    doses = Doses(patient, None)
    found_candidates = _named(candidates(agent, judged, doses, route, formulation), lines, agent)
    readable = [line.ordered for line in lines if isinstance(line.ordered, Ordered)]
    together = summed(readable) if len(readable) == len(lines) else None
    unchecked = [item for line in lines if isinstance(line.ordered, Unreadable) for item in line.ordered.inputs]
    comparisons = [compare(together, item) for item in found_candidates] if together else []
    chosen = best(agent, comparisons)
    causes = _causes(case, lines, agent, together, chosen, found_candidates)
    said: list[Finding] = []
    bound: Sequence[caps.BoundLimit] = ()
    if not found_candidates and agent.regimens:
        said.append(order_findings.no_regimen(agent, route))
    if not agent.regimens:
        unchecked.append(NotChecked("dose", (), "no dose of this agent is documented here"))
    if together is not None and (chosen is None or not chosen.fits):
        unchecked += [need for item in found_candidates if item.dose is None for need in item.needs]
        if chosen is None and found_candidates and not any(item.needs for item in found_candidates):
            unchecked.append(
                NotChecked("dose", ("dose",), "no documented dose can be compared with this kind of amount")
            )
    if together is not None and chosen is not None:
        bound = _bound(patient, chosen, formulation)
        more, open_ = _of_dose(
            case, lines, agent, together, chosen, comparisons, bound, formulation, has_cause=bool(causes)
        )
        said, unchecked = [*said, *more], [*unchecked, *open_]
    safe, open_safety = _safety(case, agent, route, chosen, together, judged, doses)
    return _Judgement(
        agent, together, chosen, found_candidates, causes, bound, (*said, *safe), (*unchecked, *open_safety)
    )


def _common_route(lines: list[_Line]) -> str | None:
    """Return the route of the orders; a drug that is only given by one route needs none."""
    routes = {line.order.route for line in lines}
    if routes != {None}:
        return routes.pop() if len(routes) == 1 else None
    agent = lines[0].agent
    documented = {item.route for item in agent.regimens.values()} if agent else set()
    return documented.pop() if len(documented) == 1 else None


def _common_formulation(lines: list[_Line]) -> str | None:
    formulations = {line.product.formulation if line.product else None for line in lines}
    return formulations.pop() if len(formulations) == 1 else None


def _named(found: list[Candidate], lines: list[_Line], agent: Agent) -> list[Candidate]:
    """Return only the regimen that the orders name, if they name one."""
    for line in lines:
        if line.order.regimen is not None and line.order.regimen not in agent.regimens:
            accepted = ", ".join(agent.regimens) or "none: this agent has no regimen"
            detail = "this agent has no regimen with this id"
            raise InvalidRequest(Problem(f"/{_pointer(line.path)}/regimen", "unknown-regimen", detail, accepted))
    names = {line.order.regimen for line in lines} - {None}
    return [item for item in found if item.regimen.id in names] if names else found


def _causes(
    case: _Case,
    lines: list[_Line],
    agent: Agent,
    together: Ordered | None,
    chosen: Comparison | None,
    found: Sequence[Candidate],
) -> tuple[LikelyCause, ...]:
    if together is None or chosen is None or chosen.position not in {Position.ABOVE, Position.BELOW}:
        return ()
    patient = case.request.patient
    measures = {"kg": patient.weight.kg if patient.weight else None, "m2": area_of(patient)}
    order = lines[0].order if len(lines) == 1 else None
    suspect = likely.Suspect(together, order, chosen.position, found, measures)
    return likely.causes(suspect, lambda: ())


def _bound(patient: Patient, chosen: Comparison, formulation: str | None) -> Sequence[caps.BoundLimit]:
    regimen = chosen.candidate.regimen
    measures = {None: Decimal(1), "kg": patient.weight.kg if patient.weight else None, "m2": area_of(patient)}
    amounts = caps.Amounts(regimen.per, plan(regimen).conversions, measures)
    return caps.concerning(regimen.limits, patient, formulation, amounts)


def _of_dose(
    case: _Case,
    lines: list[_Line],
    agent: Agent,
    together: Ordered,
    chosen: Comparison,
    comparisons: Sequence[Comparison],
    bound: Sequence[caps.BoundLimit],
    formulation: str | None,
    *,
    has_cause: bool,
) -> tuple[list[Finding], list[NotChecked]]:
    order, patient, regimen = lines[0].order, case.request.patient, chosen.candidate.regimen
    given = [line.order.already_given_mg for line in lines]
    already = (
        Fraction(max(item for item in given if item is not None)) if any(item is not None for item in given) else None
    )
    above, open_limits = order_findings.of_limits(agent, bound, together, formulation)
    longer, open_duration = order_findings.of_duration(agent, regimen, together, already)
    found = [
        *order_findings.of_range(agent, chosen, together, has_cause=has_cause),
        *order_findings.of_frequency(agent, chosen),
        *order_findings.of_division(agent, chosen, together),
        *order_findings.of_use(chosen, comparisons),
        *above,
        *longer,
    ]
    for line in lines:
        each = line.ordered.amounts.get(Per.ADMINISTRATION) if isinstance(line.ordered, Ordered) else None
        found += order_findings.of_product(agent, line.product, line.order, each)
    if chosen.candidate.applicability.answer is Answer.UNKNOWN:
        found.append(findings.population_unknown(regimen, chosen.candidate.applicability))
    if regimen.population is None and regimen.basis is not Basis.FIXED:
        found.append(findings.population_not_stated(regimen, patient))
    optional = (findings.off_label(agent, regimen), findings.other_indication(regimen, order.disease, order.lesion))
    found += [item for item in optional if item is not None]
    routes = {item.route: None for item in agent.regimens.values()}
    return found, [*open_limits, *open_duration, *order_findings.unchecked(chosen, together, order, routes)]


def _safety(
    case: _Case,
    agent: Agent,
    route: str | None,
    chosen: Comparison | None,
    together: Ordered | None,
    judged: Mapping[str, Applicability],
    doses: Doses,
) -> tuple[list[Finding], list[NotChecked]]:
    """Return what the dose endpoint says of an agent and a patient, asked about the ordered amounts."""
    regimen = chosen.candidate.regimen if chosen else None
    context = Context(case.facts, route, regimen.id if regimen else None, _as_dose(together) if together else None)
    asked = case.request.jurisdiction
    rules = safety.judge(agent, context, asked, of_order=True)
    pairs, open_pairs = interactions.found(agent, case.knowledge, context, asked)
    evidence = findings.evidence(agent)
    in_play = [regimen.id] if regimen else [id_ for id_, item in judged.items() if item.answer is not Answer.NO]
    contradictions = disagreements.found(agent, in_play, case.request.patient, doses)
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


def _assessment(case: _Case, line: _Line, group: list[_Line], judged: _Judgement) -> OrderAssessment:
    found = findings.worst_first([_found_at(item, line.path) for item in judged.found])
    has_route = line.order.route is not None
    unchecked = tuple(dict.fromkeys(_unchecked_at(item, line.path, has_route=has_route) for item in judged.unchecked))
    chosen = judged.comparison
    ordered = shown(line.ordered) if isinstance(line.ordered, Ordered) else ()
    others = tuple(other.order.id for other in group if other is not line)
    return OrderAssessment(
        id=line.order.id,
        agent=judged.agent.id,
        regimen=chosen.candidate.regimen.id if chosen else None,
        verdict=_verdict(judged.agent, found, unchecked),
        ordered=ordered,
        summed_with=others,
        together=shown(judged.together) if others and judged.together else (),
        expected=tuple(
            item for candidate in _first(chosen, judged.candidates) if (item := expected(candidate)) is not None
        ),
        ratio=chosen.ratio if chosen else None,
        likely_causes=judged.causes,
        limits=tuple(_limit_check(item, judged.together) for item in judged.bound),
        findings=found,
        not_checked=unchecked,
        monitoring=monitoring.plan(judged.agent, case.facts, case.request.as_of, None),
    )


def _first(chosen: Comparison | None, found: Sequence[Candidate]) -> list[Candidate]:
    """Return the regimens with the one compared first."""
    if chosen is None:
        return list(found)
    return [chosen.candidate, *(item for item in found if item is not chosen.candidate)]


def _limit_check(item: caps.BoundLimit, together: Ordered | None) -> LimitCheck:
    per = caps.PER_OF_KIND.get(item.limit.kind)
    given = together.amounts.get(per) if together is not None and per is not None and not item.needs else None
    bare = caps.check(item, Decimal(0))
    if given is None:
        return msgspec.structs.replace(bare, reached=None, exceeded=None)
    high = in_unit(given.high, item.limit.unit.amount)
    return msgspec.structs.replace(bare, reached=high >= item.value, exceeded=high > item.value)


def _verdict(agent: Agent, found: Sequence[Finding], unchecked: Sequence[NotChecked]) -> OrderVerdict:
    counted = [item for item in found if _counts(agent, item)]
    applying = {item.severity for item in counted if item.verdict is Verdict.APPLIES}
    if Severity.CONTRAINDICATED in applying:
        return OrderVerdict.STOP
    if applying & _WARNS:
        return OrderVerdict.WARN
    is_open = unchecked or any(item.verdict is Verdict.POSSIBLE for item in counted)
    return OrderVerdict.INCOMPLETE if is_open else OrderVerdict.PASS


def _counts(agent: Agent, item: Finding) -> bool:
    """Tell whether a finding is about this order; what only says how sources stand does not change a verdict."""
    if item.category in _ABOUT_SOURCES or item.id in _ABOUT_SOURCES_IDS:
        return False
    return item.category is not Category.EVIDENCE or agent.evidence.verdict == "advised-against"


_RENAMED = {"regimen": "dose", "options.times_per_day": "frequency", "options.volume": "dose"}
_OF_ORDER = {"agent", "dose", "frequency", "route", "duration", "product", "already_given", "infusion"}


def _at(name: str, path: str) -> str:
    renamed = _RENAMED.get(name, name)
    is_own = renamed in _OF_ORDER or renamed.startswith("indication.")
    return f"{path}.{renamed}" if is_own else renamed


def _found_at(item: Finding, path: str) -> Finding:
    return msgspec.structs.replace(item, because=tuple(_at(name, path) for name in item.because))


def _unchecked_at(item: NotChecked, path: str, *, has_route: bool) -> NotChecked:
    needs = (("route" if name == "regimen" and not has_route else name) for name in item.needs)
    return msgspec.structs.replace(item, needs=tuple(_at(name, path) for name in needs))


def _unknown_drug(line: _Line, case: _Case) -> OrderAssessment:
    """Say that a drug of which nothing is documented here was not checked; the others are checked against it."""
    why = "no dose of this drug is documented here; it was only counted as a medication for the other orders"
    unchecked = (NotChecked("agent", (f"{line.path}.agent",), why),)
    return OrderAssessment(
        line.order.id, None, None, OrderVerdict.INCOMPLETE, (), (), (), (), None, (), (), (), unchecked, ()
    )
