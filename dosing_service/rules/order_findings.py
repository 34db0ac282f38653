"""What is wrong with an order's dose, frequency, route, duration or product, beside what is documented.

The severities are the policy of this service; they stand in ``SEVERITY`` and in decision record 13.
"""

from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType

from dosing_service.knowledge.base import Agent, Effect, Limit, Product, Regimen, describe_population
from dosing_service.model import Category, Citations, Finding, NotChecked, Per, Severity, Verdict
from dosing_service.rules.caps import PER_OF_KIND, BoundLimit
from dosing_service.rules.comparison import EQUAL, Comparison, Often, Position
from dosing_service.rules.findings import limit_text
from dosing_service.rules.ordered import DAYS, Ordered, Span, in_milligrams, in_unit
from dosing_service.rules.schedule import ADVERB
from dosing_service.rules.wording import amount_text, join
from dosing_service.units import display, exact_text

SEVERITY = MappingProxyType(
    {
        "above-maximum-that-holds": Severity.CONTRAINDICATED,
        "above-maximum-that-warns": Severity.MAJOR,
        "above-maximum-of-another-formulation": Severity.MODERATE,
        "above-range": Severity.MAJOR,
        "above-range-by-a-slip": Severity.CONTRAINDICATED,
        "below-range": Severity.MODERATE,
        "below-range-of-a-taper": Severity.MINOR,
        "daily-instead-of-weekly": Severity.CONTRAINDICATED,
        "more-often": Severity.MAJOR,
        "less-often": Severity.MINOR,
        "given-at-once": Severity.MODERATE,
        "route-not-documented": Severity.MAJOR,
        "no-regimen-for-patient": Severity.MAJOR,
        "only-other-use": Severity.MINOR,
        "only-other-use-above-calcinosis": Severity.MAJOR,
        "course-longer-than-documented": Severity.MODERATE,
        "not-splittable": Severity.MODERATE,
        "not-splittable-extended-release": Severity.MAJOR,
    }
)
#: A part of a tablet that a scored tablet gives.
_HALF = Fraction(1, 2)
_TIME_WORDS = {"h": "hours", "d": "days", "wk": "weeks", "mo": "months"}
_IMMEDIATE = {None, "immediate-release"}


def _finding(
    id_: str,
    category: Category,
    severity: Severity,
    summary: str,
    management: str,
    because: tuple[str, ...],
    citations: Citations,
) -> Finding:
    return Finding(
        id=id_,
        category=category,
        severity=severity,
        verdict=Verdict.APPLIES,
        summary=summary,
        because=because,
        management=management,
        references=citations.references,
        verified=citations.verified,
    )


def range_text(item: Comparison, span: Span, unit: str) -> str:
    """Return one side of a comparison in words, in the unit of the order."""
    assert item.per is not None  # noqa: S101 - only compared ones are worded
    unit_text = f"{unit}/min" if item.per is Per.RATE else unit
    return amount_text(in_unit(span.low, unit), in_unit(span.high, unit), unit_text, ADVERB[item.per])


def of_range(agent: Agent, item: Comparison, ordered: Ordered, *, has_cause: bool) -> list[Finding]:
    """Return what is wrong with the amount: above or below the documented range, with both in numbers."""
    if item.position not in {Position.ABOVE, Position.BELOW} or item.ordered is None or item.expected is None:
        return []
    regimen = item.candidate.regimen
    is_above = item.position is Position.ABOVE
    id_ = "above-range" if is_above else "below-range"
    severity = SEVERITY[_range_policy(agent, regimen, is_above=is_above, has_cause=has_cause)]
    given, documented = (range_text(item, span, ordered.unit) for span in (item.ordered, item.expected))
    ratio = _ratio_text(item)
    where = "above" if is_above else "below"
    summary = f"{agent.name} {given}{ratio} is {where} the documented {documented} ({regimen.name})."
    other_uses = f" {agent.other_uses.text}" if is_above and agent.other_uses else ""
    management = f"Order {documented}, or document why another dose is meant.{other_uses}"
    return [_finding(id_, Category.DOSE, severity, summary, management, ("dose",), regimen.citations)]


def _range_policy(agent: Agent, regimen: Regimen, *, is_above: bool, has_cause: bool) -> str:
    """Return the name of a severity. A drug with other uses is often above its range for a good reason, one that is
    tapered is often below it.
    """
    if is_above:
        return "above-range-by-a-slip" if has_cause and agent.other_uses is None else "above-range"
    return "below-range-of-a-taper" if regimen.taper is not None else "below-range"


def _ratio_text(item: Comparison) -> str:
    ratio = item.ratio
    if ratio is None or item.position is not Position.ABOVE or ratio.high < Decimal("1.5"):
        return ""
    return f", {display(ratio.high)} times the most,"


def of_frequency(agent: Agent, item: Comparison) -> list[Finding]:
    """Return what is wrong with how often the order is given."""
    regimen = item.candidate.regimen
    documented = regimen.frequency.text if regimen.frequency else _repeat_text(regimen)
    if item.often is Often.DAILY_NOT_WEEKLY:
        summary = f"{agent.name} is ordered daily; documented is {documented} ({regimen.name})."
        management = f"Do not give as ordered: give {documented}, and name the day of the week in the order."
        id_ = "daily-instead-of-weekly"
    elif item.often is Often.MORE:
        summary = f"{agent.name} is ordered more often than documented: {documented} ({regimen.name})."
        management = f"Give {documented}, or document why it is given more often."
        id_ = "more-often"
    elif item.often is Often.LESS and item.position is Position.WITHIN:
        summary = f"{agent.name} is divided otherwise, or given less often, than documented: {documented}."
        management = "Check that this is meant."
        id_ = "less-often"
    else:
        return []
    return [_finding(id_, Category.FREQUENCY, SEVERITY[id_], summary, management, ("frequency",), regimen.citations)]


def _repeat_text(regimen: Regimen) -> str:
    course = regimen.course
    if course is None or course.repeat_low is None or course.repeat_high is None:
        return "another frequency"
    low, high = exact_text(course.repeat_low), exact_text(course.repeat_high)
    words = _TIME_WORDS[course.repeat_unit or "d"]
    return f"a course every {low if low == high else f'{low} to {high}'} {words}"


def of_division(agent: Agent, item: Comparison, ordered: Ordered) -> list[Finding]:
    """Return a course total that is given in fewer parts than documented."""
    regimen, each = item.candidate.regimen, ordered.amounts.get(Per.ADMINISTRATION)
    part = item.candidate.amounts.get(Per.ADMINISTRATION)
    if item.per is not Per.COURSE or each is None or part is None or each.high <= part.high * (1 + EQUAL):
        return []
    most = amount_text(in_unit(part.high, ordered.unit), in_unit(part.high, ordered.unit), ordered.unit, "at one time")
    given = amount_text(in_unit(each.high, ordered.unit), in_unit(each.high, ordered.unit), ordered.unit, "")
    summary = f"{agent.name} {given} at one time is more than the {most} of the documented division ({regimen.name})."
    management = "Divide the course over the documented number of days."
    severity = SEVERITY["given-at-once"]
    return [
        _finding(
            "given-at-once", Category.DOSE, severity, summary, management, ("dose", "frequency"), regimen.citations
        )
    ]


def of_use(item: Comparison, comparisons: Sequence[Comparison]) -> list[Finding]:
    """Say that an order fits only a dose that is documented for another use than calcinosis or its disease."""
    regimen = item.candidate.regimen
    if not item.fits or regimen.use != "reference":
        return []
    own = [other for other in comparisons if other.candidate.regimen.use != "reference"]
    is_above = bool(own) and all(other.position is Position.ABOVE for other in own)
    severity = SEVERITY["only-other-use-above-calcinosis" if is_above else "only-other-use"]
    more = ", and it is above everything documented for calcinosis or its disease" if is_above else ""
    summary = f"This dose is documented for {regimen.indication}{more}."
    management = f"Check the indication: is it {regimen.indication}?"
    return [
        _finding("only-other-use", Category.INDICATION, severity, summary, management, ("dose",), regimen.citations)
    ]


def no_regimen(agent: Agent, route: str | None) -> Finding:
    """Say that no regimen is documented for this patient, or none by this route."""
    routes = list(dict.fromkeys(item.route for item in agent.regimens.values()))
    cited = next((item.citations for item in agent.regimens.values()), agent.evidence.citations)
    if route is not None and route not in routes:
        summary = f"{agent.name} is ordered by a route ({route}) for which no dose is documented here."
        management = f"Check the route; documented is {join(routes)}."
        return _finding(
            "route-not-documented",
            Category.ROUTE,
            SEVERITY["route-not-documented"],
            summary,
            management,
            ("route",),
            cited,
        )
    described = list(dict.fromkeys(describe_population(item) for item in agent.regimens.values()))
    summary = f"No dose of {agent.name} is documented for this patient; documented is {join(described)}."
    management = "Do not scale a dose that is documented for others; take specialist advice."
    severity = SEVERITY["no-regimen-for-patient"]
    return _finding(
        "no-regimen-for-patient", Category.POPULATION, severity, summary, management, ("patient.age",), cited
    )


# ---------------------------------------------------------------- documented maxima


def of_limits(
    agent: Agent, bound: Iterable[BoundLimit], ordered: Ordered, formulation: str | None
) -> tuple[list[Finding], list[NotChecked]]:
    """Return the documented maxima that the order passes, compared before any rounding, and those not comparable."""
    found, unchecked = [], []
    for item in bound:
        per = PER_OF_KIND.get(item.limit.kind)
        if per is None or item.limit.kind == "rate-maximum":
            continue
        given = ordered.amounts.get(per)
        if item.needs or given is None:
            unchecked.append(_limit_unchecked(item, ordered, per))
        elif given.high > in_milligrams(item.value, item.limit.unit.amount) * (1 + EQUAL):
            found.append(_above(agent, item, given, ordered, formulation))
    return found, unchecked


def _limit_unchecked(item: BoundLimit, ordered: Ordered, per: Per) -> NotChecked:
    limit = item.limit
    words = limit_text(limit.kind, item.value, limit.unit.code if item.needs else limit.unit.amount, limit.applies_to)
    is_course = per is Per.COURSE and ordered.rate is not None
    needs = item.needs or (("duration",) if is_course else ("frequency",))
    return NotChecked(f"limit-{limit.kind}", needs, f"whether this maximum is met depends on it ({words})")


def _above(agent: Agent, item: BoundLimit, given: Span, ordered: Ordered, formulation: str | None) -> Finding:
    limit, per = item.limit, PER_OF_KIND[item.limit.kind]
    amount = amount_text(
        in_unit(given.high, ordered.unit), in_unit(given.high, ordered.unit), ordered.unit, ADVERB[per]
    )
    most = limit_text(limit.kind, item.value, limit.unit.amount, limit.applies_to)
    return _finding(
        f"above-{limit.kind}-{_slug(limit.applies_to)}-{exact_text(item.value)}",
        Category.DOSE_LIMIT,
        _limit_severity(item, formulation),
        f"{agent.name} {amount} passes the documented maximum of {most}.",
        f"Do not exceed {most}.",
        ("dose", "frequency"),
        limit.citations,
    )


def _limit_severity(item: BoundLimit, formulation: str | None) -> Severity:
    if item.limit.effect is not Effect.CAP:
        return SEVERITY["above-maximum-that-warns"]
    is_other = item.limit.formulation is not None and item.limit.formulation != formulation and not item.holds
    return SEVERITY["above-maximum-of-another-formulation" if is_other else "above-maximum-that-holds"]


def _slug(words: str | None) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in words or "all").strip("-")


# ---------------------------------------------------------------- duration and cumulative amount


def of_duration(
    agent: Agent, regimen: Regimen, ordered: Ordered, already_given: Fraction | None
) -> tuple[list[Finding], list[NotChecked]]:
    """Return what is wrong with how long an order runs and what it adds up to, and what is missing to tell."""
    said = [
        _duration(agent, limit, ordered)
        if limit.kind == "duration-maximum"
        else _cumulative(agent, limit, ordered, already_given)
        for limit in regimen.limits
        if limit.kind in {"duration-maximum", "cumulative-maximum"}
    ]
    said.append(_course_length(agent, regimen, ordered))
    found = [item for item in said if isinstance(item, Finding)]
    return found, [item for item in said if isinstance(item, NotChecked)]


def _by_effect(limit: Limit) -> Severity:
    return SEVERITY["above-maximum-that-holds" if limit.effect is Effect.CAP else "above-maximum-that-warns"]


def _duration(agent: Agent, limit: Limit, ordered: Ordered) -> Finding | NotChecked | None:
    words = f"{display(limit.value)} {_TIME_WORDS[limit.unit.code]}"
    if ordered.days is None:
        return NotChecked("limit-duration-maximum", ("duration",), f"documented is at most {words}")
    if ordered.days <= Fraction(limit.value) * DAYS[limit.unit.code] * (1 + EQUAL):
        return None
    summary = f"{agent.name} for {_days(ordered.days)} is longer than the documented maximum of {words}."
    cited, severity = limit.citations, _by_effect(limit)
    return _finding(
        "duration-above-maximum", Category.DURATION, severity, summary, f"Stop after {words}.", ("duration",), cited
    )


def _cumulative(
    agent: Agent, limit: Limit, ordered: Ordered, already_given: Fraction | None
) -> Finding | NotChecked | None:
    course, most = ordered.amounts.get(Per.COURSE), in_milligrams(limit.value, limit.unit.amount)
    words = f"{display(limit.value)} {limit.unit.amount} in all"
    known = (course.high if course else Fraction(0)) + (already_given or Fraction(0))
    if known <= most * (1 + EQUAL):
        given = (("duration", course), ("already_given", already_given))
        needs = tuple(name for name, value in given if value is None)
        return NotChecked("limit-cumulative-maximum", needs, f"documented is at most {words}") if needs else None
    summary = f"{agent.name} comes to more than {words} with what was already given."
    because, management = ("dose", "duration", "already_given"), "Weigh benefit and harm again before going on."
    severity = _by_effect(limit)
    return _finding(
        "above-cumulative-maximum", Category.DOSE_LIMIT, severity, summary, management, because, limit.citations
    )


def _course_length(agent: Agent, regimen: Regimen, ordered: Ordered) -> Finding | NotChecked | None:
    course = regimen.course
    if course is None or (course.length is None and course.administrations_high is None):
        return None
    length = Fraction(course.length) * DAYS[course.length_unit or "d"] if course.length is not None else None
    words = _days(length) if length is not None else f"{course.administrations_high} administrations"
    count = _administrations(ordered)
    if ordered.days is None and count is None:
        return NotChecked("duration", ("duration",), f"the documented course is {words}")
    most = course.administrations_high
    is_longer = length is not None and ordered.days is not None and ordered.days > length
    has_more = most is not None and count is not None and count > most
    if not is_longer and not has_more:
        return None
    summary = f"{agent.name} is ordered for longer than the documented course of {words} ({regimen.name})."
    severity, management = SEVERITY["course-longer-than-documented"], f"Stop after {words}, or document why not."
    return _finding(
        "duration-above-course", Category.DURATION, severity, summary, management, ("duration",), regimen.citations
    )


def _administrations(ordered: Ordered) -> Fraction | None:
    if ordered.count is not None:
        return Fraction(ordered.count)
    each, course = ordered.amounts.get(Per.ADMINISTRATION), ordered.amounts.get(Per.COURSE)
    return course.high / each.high if each and course and each.high else None


def _days(days: Fraction) -> str:
    value = in_unit(days, "")
    return "1 day" if value == 1 else f"{display(value)} days"


# ---------------------------------------------------------------- product


def of_product(product: Product | None, each: Span | None) -> list[Finding]:
    """Return a product that would have to be split although it may not be."""
    if product is None or each is None or product.strength_unit.code not in {"mg", "g"} or product.divisible is None:
        return []
    pieces = each.high / in_milligrams(product.strength, product.strength_unit.code)
    step = _HALF if product.divisible else Fraction(1)
    if (pieces / step).denominator == 1:
        return []
    is_extended = product.formulation not in _IMMEDIATE
    severity = SEVERITY["not-splittable-extended-release" if is_extended else "not-splittable"]
    strength = f"{display(product.strength)} {product.strength_unit.code}"
    summary = (
        f"The dose is {display(in_unit(pieces, ''))} times a {product.form} of {strength}, which cannot be divided so."
    )
    why = "Splitting it releases the whole day's dose at once." if is_extended else "It has no score line."
    management = f"{why} Choose another strength or form."
    return [
        _finding(
            "not-splittable",
            Category.FORMULATION,
            severity,
            summary,
            management,
            ("product", "dose"),
            product.citations,
        )
    ]


def unchecked(item: Comparison, ordered: Ordered, route: str | None, routes: Collection[str]) -> list[NotChecked]:
    """Return what the order leaves open beside the regimen it is compared with."""
    found = []
    if route is None and len(routes) > 1:
        found.append(NotChecked("route", ("route",), "the doses of this drug differ by route"))
    if item.often is Often.UNKNOWN:
        found.append(NotChecked("frequency", ("frequency",), "how often it is given decides whether the dose fits"))
    own = next(iter(item.candidate.amounts), None)
    if own is not None and own not in ordered.amounts and item.per is not own:
        found.append(NotChecked("dose", ("frequency",), f"documented is an amount per {own.value}"))
    return found
