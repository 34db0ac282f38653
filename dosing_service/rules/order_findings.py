"""What is wrong with an order's dose, frequency, route or product, beside what is documented.

The severities are the policy of this service; they stand in ``SEVERITY`` and in decision record 13.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from math import ceil
from types import MappingProxyType

from msgspec import structs

from dosing_service.knowledge.base import Agent, Effect, Product, Regimen, describe_population
from dosing_service.model import Basis, Category, Citations, Finding, NotChecked, Per, Severity, Verdict
from dosing_service.rules.caps import PER_OF_KIND, BoundLimit
from dosing_service.rules.comparison import EQUAL, WEEKLY, Comparison, Often, Position, documented_rate, expected
from dosing_service.rules.findings import limit_text
from dosing_service.rules.ordered import Ordered, Span, in_milligrams, in_unit, text_of
from dosing_service.rules.wording import join, times_text
from dosing_service.units import display, exact_text

SEVERITY = MappingProxyType(
    {
        "above-maximum-that-holds": Severity.CONTRAINDICATED,
        "above-maximum-that-warns": Severity.MAJOR,
        "above-maximum-of-another-formulation": Severity.MODERATE,
        "above-range": Severity.MAJOR,
        "far-above-range": Severity.CONTRAINDICATED,
        "above-range-of-another-release": Severity.MODERATE,
        "above-starting-dose": Severity.INFO,
        "rounded": Severity.MINOR,
        "below-range": Severity.MODERATE,
        "below-range-of-a-taper": Severity.MINOR,
        "below-range-by-less-than-a-piece": Severity.MINOR,
        "daily-instead-of-weekly": Severity.CONTRAINDICATED,
        "daily-for-another-use-only": Severity.MAJOR,
        "more-often": Severity.MAJOR,
        "weekly-drug-as-needed": Severity.MAJOR,
        "less-often": Severity.MINOR,
        "given-at-once": Severity.MODERATE,
        "route-not-documented": Severity.MAJOR,
        "no-regimen-for-patient": Severity.MAJOR,
        "only-other-use": Severity.MINOR,
        "only-other-use-above-calcinosis": Severity.MAJOR,
        "course-longer-than-documented": Severity.MODERATE,
        "longer-than-another-regimen": Severity.MODERATE,
        "above-course-total": Severity.MAJOR,
        "no-end-ordered": Severity.MODERATE,
        "formulation-frequency": Severity.MODERATE,
        "product-for-another-route": Severity.MAJOR,
        "named-regimen-does-not-fit": Severity.MAJOR,
        "not-splittable": Severity.MODERATE,
        "not-splittable-extended-release": Severity.MAJOR,
    }
)
#: From so many times the most of every regimen for calcinosis or its disease on, an order that fits no regimen at all
#: is stopped. It is ours: half of what is ordered would still be all that any of these sources gives, and nearly every
#: slip that is looked for is as large.
FAR_ABOVE = 2
#: The same for a drug that is much used in other doses: warfarin against clotting takes several times this 1 mg.
_FAR_ABOVE_OTHER_USES = 20
#: The same for the start of a titration that has no documented end: steps as large as the first dose every three days
#: take most of a year to come so far, and whoever wrote milligrams for micrograms passes it at once.
_FAR_ABOVE_START = 100
#: Up to here nothing but the titration itself is said.
_MUCH_ABOVE_START = 20
#: A dose per kg or m² is rounded to what can be given; ours, and that of the doses in products.
_ROUNDED = Fraction(1, 10)
#: A part of a tablet that a scored tablet gives.
_HALF = Fraction(1, 2)
#: Forms that are counted.
_PIECES = {"tablet", "capsule"}
#: Forms that give one fixed amount.
_FIXED = {"autoinjector", "pen", "prefilled-syringe"}
TIME_WORDS = {"h": "hours", "d": "days", "wk": "weeks", "mo": "months"}

_IMMEDIATE = {None, "immediate-release"}
OWN_USES = {"calcinosis", "underlying-disease"}


def finding(
    id_: str,
    category: Category,
    severity: Severity,
    summary: str,
    management: str,
    because: tuple[str, ...],
    citations: Citations,
) -> Finding:
    """Return a finding that applies, with the sources of what it is measured by."""
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


def of_range(
    agent: Agent, item: Comparison, comparisons: Sequence[Comparison], ordered: Ordered, *, is_explained: bool
) -> list[Finding]:
    """Return what is wrong with the amount: above or below the documented range, with both in numbers.

    ``is_explained`` says that a regimen documents a maximum of its own which the order keeps: it is not far above.
    """
    if item.position not in {Position.ABOVE, Position.BELOW} or item.per is None or item.ordered is None:
        return []
    regimen, dose = item.candidate.regimen, expected(item.candidate)
    assert dose is not None  # noqa: S101 - a compared regimen has an amount
    is_above = item.position is Position.ABOVE
    id_ = "above-range" if is_above else "below-range"
    policy = _range_policy(agent, item, comparisons, is_above=is_above)
    if policy == "below-range" and _is_nearest_piece(agent, item, ordered):
        policy = "below-range-by-less-than-a-piece"
    severity = SEVERITY["above-range" if policy == "far-above-range" and is_explained else policy]
    where = "above" if is_above else "below"
    given = text_of(item.per, item.ordered, ordered)
    is_about_start = policy == "above-starting-dose"
    by = "" if is_explained or is_about_start else _ratio_text(item)
    by = _percent_text(item) if given == dose.text else by
    documented = f"{dose.text}{_part_text(item, ordered)}"
    documented_as = "the documented starting dose of" if is_about_start else "the documented"
    summary = f"{agent.name} {given}{by} is {where} {documented_as} {documented} ({regimen.name})."
    other_uses = f" {agent.other_uses.text}" if is_above and agent.other_uses else ""
    do = "Do not exceed it without a documented reason." if is_above else "Check that so little is meant."
    do = "Rounding to what can be given may explain it." if is_rounded(item) else do
    do = "The source names no most; check that it was reached step by step." if is_about_start else do
    if item.candidate.is_other_release:
        do = f"{do} That is of a form that releases at once; this product releases slowly, so days were compared."
    raised = f" {regimen.titration}" if is_above and regimen.titration else ""
    management = f"Documented is {documented}.{raised} {do}{other_uses}"
    return [finding(id_, Category.DOSE, severity, summary, management, ("dose",), regimen.citations)]


def explains(item: Comparison, bound: Sequence[BoundLimit], ordered: Ordered) -> bool:
    """Tell whether a regimen documents by a maximum that doses as high as the order are given: it is not passed, and
    the order is given no more often.

    The maximum must grow with the patient as the dose does: 40 mg a week explain nothing in a child for whom 12 mg are
    documented.
    """
    regimen = item.candidate.regimen
    if item.often in {Often.MORE, Often.DAILY_NOT_WEEKLY}:
        return False
    holding = [one for one in bound if one.limit.effect is Effect.CAP and _amount_of(one, ordered) is not None]
    is_alike = [one.limit.unit.body is not None or regimen.basis is Basis.FIXED for one in holding]
    return any(is_alike) and not any(_passes(one, ordered) for one in holding)


def _amount_of(item: BoundLimit, ordered: Ordered) -> Span | None:
    """Return what the order gives of the kind of a maximum that is known for this patient."""
    per = PER_OF_KIND.get(item.limit.kind)
    return None if per is None or per is Per.RATE or item.needs else ordered.amounts.get(per)


def _passes(item: BoundLimit, ordered: Ordered) -> bool:
    given = _amount_of(item, ordered)
    return given is not None and given.high > in_milligrams(item.value, item.limit.unit.amount) * (1 + EQUAL)


def _part_text(item: Comparison, ordered: Ordered) -> str:
    """Return ``, 28 to 70 g per administration`` where a part of a course is compared."""
    is_part = item.per is Per.ADMINISTRATION and item.candidate.regimen.per is Per.COURSE
    return f", {text_of(item.per, item.expected, ordered)}" if is_part and item.per and item.expected else ""


def is_rounded(item: Comparison) -> bool:
    """Tell whether an order misses a single figure per kg or m² by no more than rounding."""
    given, documented = item.ordered, item.expected
    if item.position is Position.WITHIN or given is None or documented is None or documented.low != documented.high:
        return False
    if item.candidate.regimen.basis not in {Basis.BODY_WEIGHT, Basis.BODY_SURFACE_AREA}:
        return False
    return abs(given.high - documented.high) <= documented.high * _ROUNDED


def is_titration_step(item: Comparison) -> bool:
    """Tell whether an order above a starting dose may have been reached step by step."""
    if item.position is not Position.ABOVE or item.ratio is None:
        return False
    return item.candidate.regimen.titrated and item.ratio.high < _MUCH_ABOVE_START


def _range_policy(agent: Agent, item: Comparison, comparisons: Sequence[Comparison], *, is_above: bool) -> str:
    """Return the name of a severity. A drug with other uses is often above its range for a good reason, one that is
    tapered is often below it.
    """
    if is_rounded(item):
        return "rounded"
    if not is_above:
        return "below-range-of-a-taper" if item.candidate.regimen.taper is not None else "below-range"
    compared = [other for other in comparisons if other.position is not Position.NOT_COMPARABLE]
    own_use = [other for other in compared if other.candidate.regimen.use != "reference"]
    ratios = [other.ratio for other in own_use or compared]
    if item.candidate.is_other_release and item.ratio is not None and item.ratio.high < FAR_ABOVE:
        return "above-range-of-another-release"
    if is_titration_step(item):
        return "above-starting-dose"
    is_open = agent.other_uses is not None and agent.other_uses.limit is None
    far = _FAR_ABOVE_OTHER_USES if is_open else FAR_ABOVE
    far = _FAR_ABOVE_START if item.candidate.regimen.titrated else far
    is_far = all(ratio is not None and ratio.high >= far for ratio in ratios)
    return "far-above-range" if is_far else "above-range"


def _is_nearest_piece(agent: Agent, item: Comparison, ordered: Ordered) -> bool:
    """Tell whether an order below a range is in whole pieces of a product of which one more would be above it: 1 mg
    cannot be made from tablets of 0.6 mg.
    """
    each, given, documented = ordered.amounts.get(Per.ADMINISTRATION), item.ordered, item.expected
    if each is None or given is None or documented is None or not each.high:
        return False
    held = [one for one in agent.products.values() if one.form in _PIECES]
    pieces = [each.high / in_milligrams(one.strength, one.strength_unit.code) for one in held]
    return any(one.denominator == 1 and given.high * (one + 1) / one > documented.high for one in pieces)


def _percent_text(item: Comparison) -> str:
    """Return by how much an order differs that reads like what is documented."""
    assert item.ordered and item.expected  # noqa: S101, PT018 - only compared ones are worded
    by = abs(item.ordered.high / item.expected.high - 1) * 100
    return f", by {display(in_unit(by, ''))} percent,"


def _ratio_text(item: Comparison) -> str:
    ratio = item.ratio
    if ratio is None or item.position is not Position.ABOVE or ratio.high < Decimal("1.5"):
        return ""
    return f", {times_text(ratio.high)} the most,"


def of_frequency(agent: Agent, item: Comparison, ordered: Ordered) -> list[Finding]:
    """Return what is wrong with how often the order is given."""
    regimen = item.candidate.regimen
    documented = regimen.frequency.text if regimen.frequency else _repeat_text(regimen)
    rate = documented_rate(regimen)
    if ordered.as_needed and rate is not None and 0 < rate.high <= WEEKLY:
        summary = f"{agent.name} is ordered as needed; documented is {documented} ({regimen.name})."
        management = f"Order {documented} on a named day, never as needed."
        id_ = "weekly-drug-as-needed"
    elif item.often is Often.DAILY_NOT_WEEKLY:
        how = "daily" if ordered.rate is not None and ordered.rate.high >= 1 else "several times a week"
        summary = f"{agent.name} is ordered {how}; documented is {documented} ({regimen.name})."
        management = f"Do not give as ordered: give {documented}, and name the day of the week in the order."
        id_ = "daily-instead-of-weekly"
    elif item.often is Often.MORE:
        summary = f"{agent.name} is ordered more often than documented: {documented} ({regimen.name})."
        management = f"Give {documented}, or document why it is given more often."
        id_ = "more-often"
    elif item.often in {Often.LESS, Often.ONCE} and item.position is Position.WITHIN:
        how = "once only" if item.often is Often.ONCE else "less often"
        summary = f"{agent.name} is given {how}, or divided otherwise; documented is {documented}."
        management = "Check that this is meant."
        id_ = "less-often"
    else:
        return []
    return [finding(id_, Category.FREQUENCY, SEVERITY[id_], summary, management, ("frequency",), regimen.citations)]


def of_rhythm(agent: Agent, comparisons: Sequence[Comparison], ordered: Ordered) -> list[Finding]:
    """Return what is wrong with how often an order is given whose amount could be compared with no regimen.

    Only what every regimen for calcinosis or its disease would say is said, in the mildest of their words. Where
    another use is documented as often as ordered the amount may be of that use, so that nothing is stopped.
    """
    own = [item for item in comparisons if item.candidate.regimen.use != "reference"] or list(comparisons)
    said = [of_frequency(agent, item, ordered) for item in own]
    if not said or not all(said):
        return []
    mildest = max([item for one in said for item in one], key=lambda item: list(Severity).index(item.severity))
    as_often = [item for item in comparisons if not of_frequency(agent, item, ordered)]
    if not as_often:
        return [mildest]
    if mildest.severity is not Severity.CONTRAINDICATED:
        return []
    uses = join(list(dict.fromkeys(item.candidate.regimen.indication for item in as_often)))
    management = f"Clarify dose and indication: only for another use ({uses}) may it be given so often."
    return [structs.replace(mildest, severity=SEVERITY["daily-for-another-use-only"], management=management)]


def _repeat_text(regimen: Regimen) -> str:
    course = regimen.course
    if course is None or course.repeat_low is None or course.repeat_high is None:
        return "another frequency"
    low, high = exact_text(course.repeat_low), exact_text(course.repeat_high)
    words = TIME_WORDS[course.repeat_unit or "d"]
    return f"a course every {low if low == high else f'{low} to {high}'} {words}"


def of_division(agent: Agent, item: Comparison, comparisons: Sequence[Comparison], ordered: Ordered) -> list[Finding]:
    """Return a course total that is given in fewer parts than any regimen of this patient divides its own into."""
    regimen, each = item.candidate.regimen, ordered.amounts.get(Per.ADMINISTRATION)
    parts = [one.candidate.amounts.get(Per.ADMINISTRATION) for one in comparisons if one.per is Per.COURSE]
    part = max([one for one in parts if one is not None], key=lambda one: one.high, default=None)
    if item.per is not Per.COURSE or each is None or part is None or each.high <= part.high * (1 + EQUAL):
        return []
    most, given = (text_of(Per.ADMINISTRATION, Span(one.high, one.high), ordered) for one in (part, each))
    summary = f"{agent.name} {given} is more than the {most} of the documented division ({regimen.name})."
    management = "Divide the course over the documented number of days."
    severity = SEVERITY["given-at-once"]
    return [
        finding("given-at-once", Category.DOSE, severity, summary, management, ("dose", "frequency"), regimen.citations)
    ]


def of_use(agent: Agent, item: Comparison, comparisons: Sequence[Comparison]) -> list[Finding]:
    """Say that an order fits only a dose that is documented for another use than calcinosis or its disease.

    One that is only rounded up, by a tenth or to whole vials, is not above what is documented for calcinosis.
    """
    regimen = item.candidate.regimen
    if not item.fits or regimen.use != "reference":
        return []
    own = [other for other in comparisons if other.candidate.regimen.use != "reference"]
    is_above = bool(own) and all(other.position is Position.ABOVE for other in own)
    is_above = is_above and not any(is_rounded(other) or _fills_vials(agent, other) for other in own)
    severity = SEVERITY["only-other-use-above-calcinosis" if is_above else "only-other-use"]
    more = ", and it is above everything documented for calcinosis or its disease" if is_above else ""
    summary = f"This dose is documented for {regimen.indication}{more}."
    management = f"Check the indication: is it {regimen.indication}?"
    return [finding("only-other-use", Category.INDICATION, severity, summary, management, ("dose",), regimen.citations)]


def _fills_vials(agent: Agent, item: Comparison) -> bool:
    """Tell whether an order is a documented figure in whole vials of a powder, the last one used up."""
    held = [one for one in agent.products.values() if one.form == "vial" and one.strength_unit.code in {"mg", "g"}]
    if not held or item.ordered is None or item.expected is None or item.expected.low != item.expected.high:
        return False
    vial = min(in_milligrams(one.strength, one.strength_unit.code) for one in held)
    return item.ordered.high == ceil(item.expected.high / vial) * vial


def no_regimen(agent: Agent, route: str | None, because: tuple[str, ...]) -> Finding:
    """Say that no regimen is documented for this patient (``because`` of these facts), or none by this route."""
    routes = list(dict.fromkeys(item.route for item in agent.regimens.values()))
    cited = next((item.citations for item in agent.regimens.values()), agent.evidence.citations)
    if route is not None and route not in routes:
        summary = f"{agent.name} is ordered by a route ({route}) for which no dose is documented here."
        management = f"Check the route; documented is {join(routes)}."
        return finding(
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
    decided = because or ("patient.age",)
    return finding("no-regimen-for-patient", Category.POPULATION, severity, summary, management, decided, cited)


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
        # Whatever the period, at least one administration falls into it.
        given = ordered.amounts.get(per) or ordered.amounts.get(Per.ADMINISTRATION)
        if item.needs or given is None:
            unchecked.append(_limit_unchecked(item, ordered, per))
        elif given.high > in_milligrams(item.value, item.limit.unit.amount) * (1 + EQUAL):
            found.append(_above(agent, item, given, ordered, formulation))
        elif per not in ordered.amounts:
            unchecked.append(_limit_unchecked(item, ordered, per))
    worst = {finding.id: finding for finding in sorted(found, key=lambda one: -list(Severity).index(one.severity))}
    return list(worst.values()), unchecked


def _limit_unchecked(item: BoundLimit, ordered: Ordered, per: Per) -> NotChecked:
    limit = item.limit
    words = limit_text(limit.kind, item.value, limit.unit.code if item.needs else limit.unit.amount, limit.applies_to)
    is_course = per is Per.COURSE and ordered.rate is not None
    needs = item.needs or (("duration",) if is_course else ("frequency",))
    return NotChecked(f"limit-{limit.kind}", needs, f"whether this maximum is met depends on it ({words})")


def _above(agent: Agent, item: BoundLimit, given: Span, ordered: Ordered, formulation: str | None) -> Finding:
    limit, per = item.limit, PER_OF_KIND[item.limit.kind]
    shown = per if per in ordered.amounts else Per.ADMINISTRATION
    amount = text_of(shown, Span(given.high, given.high), ordered)
    most = limit_text(limit.kind, item.value, limit.unit.amount, limit.applies_to)
    summary = f"{agent.name} {amount} passes the documented maximum of {most}."
    management = f"Do not exceed {most}."
    if limit.effect is Effect.WARN:
        # Sources differ about it, and a computed dose is not held here either.
        summary = f"{agent.name} {amount} passes a documented maximum of {most}."
        management = f"Stay at or below {most}, or document why more is meant."
    return finding(
        f"above-{limit.kind}-{_slug(limit.applies_to)}-{exact_text(item.value)}",
        Category.DOSE_LIMIT,
        _limit_severity(item, formulation),
        summary,
        management,
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


# ---------------------------------------------------------------- product


def of_product(product: Product | None, each: Span | None, route: str | None) -> tuple[list[Finding], list[NotChecked]]:
    """Return what is wrong with the product: for another route, or in parts that it does not give."""
    if product is None:
        return [], []
    found = []
    if route is not None and route not in product.routes:
        summary = f"This product ({product.form}) is not for {route} use, as it is ordered."
        management = f"Choose a product for this route, or correct the route: {join(list(product.routes))}."
        severity, cited = SEVERITY["product-for-another-route"], product.citations
        id_ = "product-for-another-route"
        found.append(finding(id_, Category.ROUTE, severity, summary, management, ("product", "route"), cited))
    parts, unchecked_ = _of_parts(product, each)
    return [*found, *parts], unchecked_


def _of_parts(product: Product, each: Span | None) -> tuple[list[Finding], list[NotChecked]]:
    is_liquid = product.strength_unit.code not in {"mg", "g"} and product.form not in _FIXED
    if each is None or is_liquid or product.form == "vial":
        return [], []
    whole = in_milligrams(product.strength, product.strength_unit.code)
    whole *= Fraction(product.volume_ml) if product.form in _FIXED and product.volume_ml is not None else 1
    pieces = each.high / whole
    if pieces.denominator == 1 or (product.divisible and (pieces / _HALF).denominator == 1):
        return [], []
    if product.divisible is None and product.form not in _FIXED and (pieces / _HALF).denominator == 1:
        why = "no source seen says whether this form may be halved"
        return [], [NotChecked("product", (), why)]
    is_extended = product.formulation not in _IMMEDIATE
    severity = SEVERITY["not-splittable-extended-release" if is_extended else "not-splittable"]
    strength = f"{display(in_unit(whole, 'mg'))} mg"
    summary = f"The dose is {display(in_unit(pieces, ''))} of a {product.form} of {strength}, which cannot be given so."
    why = "A scored tablet gives halves only." if product.divisible else "It is given whole only."
    why = "Splitting it releases the whole day's dose at once." if is_extended else why
    management = f"{why} Choose another strength or form."
    id_, because = "not-splittable", ("product", "dose")
    return [finding(id_, Category.FORMULATION, severity, summary, management, because, product.citations)], []


def of_formulation(
    agent: Agent, product: Product | None, chosen: Comparison, comparisons: Iterable[Comparison], ordered: Ordered
) -> list[Finding]:
    """Return a formulation that is given in another rhythm than its own label has.

    A form that releases at once may be divided otherwise, though not given all at once, where the dose it is compared
    with leaves the division open.
    """
    if product is None or product.formulation is None:
        return []
    own = [item for item in comparisons if item.candidate.regimen.formulation == product.formulation]
    if not own or any(item.often in {Often.SAME, Often.NOT_STATED, Often.UNKNOWN, Often.ONCE} for item in own):
        return []
    is_open = chosen.often is Often.NOT_STATED and product.formulation in _IMMEDIATE
    is_divided = ordered.rate is not None and ordered.rate.low > 1
    if is_open and is_divided and all(item.often is Often.LESS for item in own):
        return []
    regimen = own[0].candidate.regimen
    documented = regimen.frequency.text if regimen.frequency else "otherwise"
    summary = f"{agent.name} as {product.formulation} {product.form} is documented {documented} ({regimen.name})."
    severity, id_ = SEVERITY["formulation-frequency"], "formulation-frequency"
    management = "Check the form and how often it is given."
    because = ("product", "frequency")
    return [finding(id_, Category.FORMULATION, severity, summary, management, because, regimen.citations)]


def named_regimen(agent: Agent) -> Finding:
    """Say that the regimen that the order names is not for this patient, route or product."""
    summary = f"The regimen that the order of {agent.name} names is not for this patient, route or product."
    severity, cited = SEVERITY["named-regimen-does-not-fit"], agent.evidence.citations
    management = "Name another regimen or none; the order was compared with those that fit."
    return finding("named-regimen-does-not-fit", Category.POPULATION, severity, summary, management, ("dose",), cited)


def unchecked(item: Comparison, ordered: Ordered) -> list[NotChecked]:
    """Return what the order leaves open beside the regimen it is compared with."""
    found = []
    if item.often is Often.UNKNOWN:
        found.append(NotChecked("frequency", ("frequency",), "how often it is given decides whether the dose fits"))
    own = next(iter(item.candidate.amounts), None)
    if own is not None and own not in ordered.amounts and item.per is not own:
        found.append(of_kind(own, ordered))
    return found


def of_kind(own: Per, ordered: Ordered) -> NotChecked:
    """Say which kind of amount the order does not give, and which field would give it."""
    need = "duration" if own is Per.COURSE and ordered.rate is not None else "frequency"
    return NotChecked("dose", (need,), f"documented is an amount per {own.value}, which the order does not say")
