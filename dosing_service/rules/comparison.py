"""Compares what was ordered with what documented regimens come to for the same patient, before any rounding.

A regimen is compared in the kind of amount it is written in and, for orders given more rarely than that kind, in the
next longer one; and by how often it is given.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from fractions import Fraction
from functools import cache

from msgspec import structs

from dosing_service.knowledge.base import Agent, Product, Regimen
from dosing_service.model import DAYS_IN, Dose, ExpectedAmount, NotChecked, Patient, Per, Ratio, Value
from dosing_service.rules.dose import Computed, Doses, compute, constant
from dosing_service.rules.facts import Facts
from dosing_service.rules.measure import Missing
from dosing_service.rules.ordered import Ordered, Span, in_milligrams, in_unit, interval, window
from dosing_service.rules.population import APPLIES, Answer, Applicability, applicability
from dosing_service.rules.schedule import plan

#: Amounts that differ by less are equal: answers keep twelve digits of a quotient, and a dose taken from one must pass.
EQUAL = Fraction(1, 10**10)
_USE_ORDER = {"calcinosis": 0, "underlying-disease": 1, "reference": 2}
_DAILY = Fraction(1)
#: Three times a week or more is as good as daily for a drug that is given once a week.
_NEARLY_DAILY = Fraction(3, 7)
WEEKLY = Fraction(1, 7)
_LONGER = {Per.DAY: (Per.WEEK, DAYS_IN["wk"]), Per.WEEK: (Per.MONTH, DAYS_IN["mo"] / 7)}
#: The least administrations a day at which a period says nothing that its own kind does not say.
_PERIOD_RATE = {Per.DAY: _DAILY, Per.WEEK: WEEKLY}


class Position(StrEnum):
    """Where an order lies beside a documented range."""

    WITHIN = "within"
    ABOVE = "above"
    BELOW = "below"
    NOT_COMPARABLE = "not-comparable"


class Often(StrEnum):
    """How often an order is given beside what is documented."""

    SAME = "same"
    MORE = "more-often"
    DAILY_NOT_WEEKLY = "daily-instead-of-weekly"
    LESS = "less-often"
    ONCE = "once"
    NOT_STATED = "not-stated"
    UNKNOWN = "unknown"


class Candidate(Value, frozen=True):
    """A regimen that may be this patient's, with what it comes to as each kind of amount, in milligrams.

    ``is_other_release`` says that the product releases the drug over longer than the regimen's.
    """

    regimen: Regimen
    applicability: Applicability
    dose: Dose | None
    amounts: Mapping[Per, Span]
    needs: tuple[NotChecked, ...] = ()
    is_other_release: bool = False


class Comparison(Value, frozen=True):
    """An order beside one regimen; ``ordered`` and ``expected`` are in the kind ``per`` that decided the position."""

    candidate: Candidate
    position: Position
    often: Often
    per: Per | None = None
    ordered: Span | None = None
    expected: Span | None = None

    @property
    def fits(self) -> bool:
        """Whether the amount is within the range and not given more often than documented."""
        return self.position is Position.WITHIN and self.often not in {Often.MORE, Often.DAILY_NOT_WEEKLY}

    @property
    def ratio(self) -> Ratio | None:
        """The order divided by the ends of the range."""
        if self.ordered is None or self.expected is None or not self.expected.high:
            return None
        low = self.ordered.high / self.expected.low if self.expected.low else None
        return Ratio(None if low is None else in_unit(low, ""), in_unit(self.ordered.high / self.expected.high, ""))


def candidates(agent: Agent, facts: Facts, doses: Doses, route: str | None, product: Product | None) -> list[Candidate]:
    """Return the regimens that apply, or may apply, and fit the order's route and product."""
    patient = facts.patient
    judged = {item.id: applicability(item, patient, facts) for item in agent.regimens.values()}
    formulation = product.formulation if product else None
    fitting = (
        item
        for item in agent.regimens.values()
        if judged[item.id].answer is not Answer.NO
        and route in {None, item.route}
        and (formulation is None or item.formulation in {None, formulation})
    )
    held = product if formulation is not None else None
    return [_of_patient(item, judged[item.id], patient, doses, held) for item in fitting]


def for_others(agent: Agent, facts: Facts, doses: Doses) -> list[Candidate]:
    """Return every regimen, whomever and whichever route it is for: too much for all of them is too much here."""
    judged = [(item, applicability(item, facts.patient, facts)) for item in agent.regimens.values()]
    return [_of_patient(item, applies, facts.patient, doses, None) for item, applies in judged]


def _of_patient(
    regimen: Regimen, judged: Applicability, patient: Patient, doses: Doses, product: Product | None
) -> Candidate:
    if product is not None:
        found = _candidate(regimen, judged, compute(regimen, patient, product=product))
        return _by_day(found) if product.release_hours is not None and regimen.formulation is None else found
    same_for_all = _constant(regimen) if judged.answer is Answer.YES else None
    return same_for_all or _candidate(regimen, judged, doses.of(regimen))


def _by_day(candidate: Candidate) -> Candidate:
    """Return the candidate for an extended-release product: one piece holds several doses of the immediate-release
    form that the source gave, so that only the total of a day can be compared.
    """
    amounts = candidate.amounts
    if candidate.regimen.per is not Per.ADMINISTRATION or Per.DAY not in amounts:
        return candidate
    longer = {per: span for per, span in amounts.items() if per not in {Per.ADMINISTRATION, Per.DAY}}
    return structs.replace(candidate, amounts={Per.DAY: amounts[Per.DAY], **longer}, is_other_release=True)


@cache
def _constant(regimen: Regimen) -> Candidate | None:
    """Return the candidate of all for whom a regimen is documented, or ``None`` where it depends on the patient."""
    result = constant(regimen)
    return None if result is None else _candidate(regimen, APPLIES, result)


def _candidate(regimen: Regimen, judged: Applicability, result: Computed | Missing) -> Candidate:
    if not isinstance(result, Computed):
        return Candidate(regimen, judged, None, {}, result.inputs)
    if not result.dose.amounts:
        return Candidate(regimen, judged, result.dose, _strength(result.dose))
    return Candidate(regimen, judged, result.dose, _amounts(regimen, result.dose))


def _strength(dose: Dose) -> dict[Per, Span]:
    strength = dose.concentration
    return {Per.ADMINISTRATION: Span(Fraction(strength.low), Fraction(strength.high))} if strength else {}


def _amounts(regimen: Regimen, dose: Dose) -> dict[Per, Span]:
    """Return the regimen's own amount and all that follow from it, from exact fractions."""
    own = dose.amounts[0]
    low, high = in_milligrams(own.low, own.unit), in_milligrams(own.high, own.unit)
    return {per: Span(low * factor.low, high * factor.high) for per, factor in _factors(regimen).items()}


@cache
def _factors(regimen: Regimen) -> Mapping[Per, Span]:
    """Return what the regimen's own amount is multiplied with for each kind that follows from it."""
    found = {regimen.per: Span(Fraction(1), Fraction(1))}
    for item in plan(regimen).conversions:
        low, high = Fraction(item.low), Fraction(item.high)
        factor = Span(1 / high, 1 / low) if item.divides else Span(low, high)
        known = found.get(item.per, factor)
        found[item.per] = Span(min(known.low, factor.low), max(known.high, factor.high))
    if regimen.per in _LONGER:
        longer, length = _LONGER[regimen.per]
        found.setdefault(longer, Span(length, length))
    return found


def compare(ordered: Ordered, candidate: Candidate, slack: Fraction = EQUAL) -> Comparison:
    """Return where the order lies beside one regimen; amounts that differ by less than ``slack`` are equal."""
    often = _often(ordered, candidate.regimen)
    pairs = [
        (per, given, candidate.amounts[per])
        for per in _kinds(ordered, candidate)
        if (given := _given(ordered, per)) is not None
    ]
    if not pairs:
        return _by_parts(ordered, candidate, often)
    above = [(per, given, expected) for per, given, expected in pairs if given.high > expected.high * (1 + slack)]
    if above:
        # A little too much each time, and far too often, is far too much a day: the kind that is passed most decides.
        worst = max(above, key=lambda pair: pair[1].high / pair[2].high if pair[2].high else pair[1].high)
        return Comparison(candidate, Position.ABOVE, often, *worst)
    longest = pairs[-1]
    is_below = longest[1].low < longest[2].low * (1 - slack) and not ordered.as_needed and not ordered.is_partial
    decided = longest if is_below else pairs[0]
    return Comparison(candidate, Position.BELOW if is_below else Position.WITHIN, often, *decided)


def _by_parts(ordered: Ordered, candidate: Candidate, often: Often) -> Comparison:
    """Compare a course whose length the order does not say: more at one time than any part of it is above the range."""
    given, part = (item.get(Per.ADMINISTRATION) for item in (ordered.amounts, candidate.amounts))
    is_course = next(iter(candidate.amounts), None) is Per.COURSE
    if is_course and given and part and given.high > part.high * (1 + EQUAL):
        return Comparison(candidate, Position.ABOVE, often, Per.ADMINISTRATION, given, part)
    return Comparison(candidate, Position.NOT_COMPARABLE, often)


def _kinds(ordered: Ordered, candidate: Candidate) -> list[Per]:
    """Return the kinds to compare: the regimen's own, and the next longer one where that says more."""
    amounts = candidate.amounts
    if not amounts or ((ordered.unit == "%") != (candidate.dose is not None and not candidate.dose.amounts)):
        return []
    own = next(iter(amounts))
    if own is Per.ADMINISTRATION:
        rhythm = next((per for per in (Per.DAY, Per.WEEK, Per.MONTH) if per in amounts), None)
        return [own] if rhythm is None or ordered.once else [own, rhythm]
    threshold = _PERIOD_RATE.get(own)
    if threshold is None or ordered.once or ordered.rate is None or ordered.rate.low >= threshold:
        return [own]
    return [own, _LONGER[own][0]]


def _given(ordered: Ordered, per: Per) -> Span | None:
    """Return what is given as one kind; what is given more rarely than weekly is a course of its own each time."""
    if per is Per.COURSE and per not in ordered.amounts and ordered.rate is not None and ordered.rate.high <= WEEKLY:
        return ordered.amounts.get(Per.ADMINISTRATION)
    return ordered.amounts.get(per)


def _often(ordered: Ordered, regimen: Regimen) -> Often:
    documented = documented_rate(regimen)
    if documented is None:
        return _courses_often(ordered, regimen)
    is_once = regimen.frequency is not None and regimen.frequency.unit == "once"
    if ordered.once:
        return Often.SAME if is_once else Often.ONCE
    if ordered.rate is None or ordered.most is None:
        return Often.UNKNOWN
    if ordered.most > documented.high or _is_loading_for_ever(ordered, regimen):
        is_daily_instead = 0 < documented.high <= WEEKLY and ordered.most >= _NEARLY_DAILY
        return Often.DAILY_NOT_WEEKLY if is_daily_instead else Often.MORE
    return Often.LESS if ordered.rate.high < documented.low else Often.SAME


def _is_loading_for_ever(ordered: Ordered, regimen: Regimen) -> bool:
    """Tell whether the short intervals of the first doses go on beyond them."""
    frequency = regimen.frequency
    if frequency is None or not frequency.on_days or ordered.most is None:
        return False
    every = Span(Fraction(frequency.every_low), Fraction(frequency.every_high))
    steady = window(Span(Fraction(frequency.times_low), Fraction(frequency.times_high)), every, frequency.unit)
    if ordered.most <= steady.high:
        return False
    if ordered.count is not None:
        return ordered.count > len(frequency.on_days)
    return ordered.days is None or ordered.days > frequency.on_days[-1] + 1


def _courses_often(ordered: Ordered, regimen: Regimen) -> Often:
    """Compare how soon a course comes again, where only that is documented."""
    course = regimen.course
    if course is None or course.repeat_low is None or course.repeat_high is None or course.repeat_unit is None:
        return Often.NOT_STATED
    again = ordered.repeat
    if again is None and ordered.rate is not None and ordered.rate.high <= WEEKLY:
        again = Span(1 / ordered.rate.high, 1 / ordered.rate.low)
    if again is None:
        return Often.NOT_STATED
    documented = interval(course.repeat_low, course.repeat_high, course.repeat_unit)
    if again.high < documented.low:
        return Often.MORE
    return Often.LESS if again.low > documented.high else Often.SAME


@cache
def documented_rate(regimen: Regimen) -> Span | None:
    """Return the documented administrations a day, or ``None`` where the source does not state a frequency."""
    frequency = regimen.frequency
    if frequency is None:
        return None
    if frequency.unit == "once":
        return Span(Fraction(0), Fraction(0))
    times = Span(Fraction(frequency.times_low), Fraction(frequency.times_high))
    rate = window(times, Span(Fraction(frequency.every_low), Fraction(frequency.every_high)), frequency.unit)
    if not frequency.on_days:
        return rate
    gaps = [later - earlier for earlier, later in zip(frequency.on_days, frequency.on_days[1:], strict=False)]
    return Span(rate.low, max([rate.high, *(Fraction(1, gap) for gap in gaps)]))


def best(agent: Agent, comparisons: Iterable[Comparison]) -> Comparison | None:
    """Return the comparison that an order is judged by.

    That is one it fits; else the default regimen; else the nearest, one whose amount it has before all others. Those
    for calcinosis come before those for its disease, and these before other uses.
    """
    usable = [item for item in comparisons if item.position is not Position.NOT_COMPARABLE]
    return min(usable, key=lambda item: _rank(agent, item), default=None)


def _rank(agent: Agent, item: Comparison) -> tuple[object, ...]:
    regimen = item.candidate.regimen
    use, is_other = _USE_ORDER[regimen.use], regimen.id != agent.default_regimen
    is_otherwise = item.often not in {Often.SAME, Often.NOT_STATED}
    if item.fits:
        return (0, item.often is Often.ONCE, use, is_other, is_otherwise, regimen.id)
    is_once = regimen.frequency is not None and regimen.frequency.unit == "once" and item.often is Often.MORE
    is_amount_other = item.position is not Position.WITHIN
    return (1, is_other, use, is_amount_other, is_once, distance(item), is_otherwise, regimen.id)


def distance(item: Comparison) -> Fraction:
    """Return how many times the order is above the range, or the range above the order; 1 or less within it."""
    assert item.ordered and item.expected  # noqa: S101, PT018 - only comparable ones are ranked
    if item.position is Position.ABOVE and item.expected.high:
        return item.ordered.high / item.expected.high
    return item.expected.low / item.ordered.low if item.ordered.low else item.expected.low


def expected(candidate: Candidate) -> ExpectedAmount | None:
    """Return what a regimen comes to, for the answer."""
    dose = candidate.dose
    own = None if dose is None else dose.amounts[0] if dose.amounts else dose.concentration
    if own is None:
        return None
    return ExpectedAmount(candidate.regimen.id, own.per, own.low, own.high, own.unit, own.text)
