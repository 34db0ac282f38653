"""What is wrong with how long an order runs and what it adds up to, beside what is documented."""

from collections.abc import Iterable
from fractions import Fraction
from math import ceil

from dosing_service.knowledge.base import Agent, Effect, Limit, Regimen
from dosing_service.model import DAYS_IN, Category, Finding, NotChecked, Per, Severity
from dosing_service.rules.caps import BoundLimit
from dosing_service.rules.comparison import EQUAL, Comparison
from dosing_service.rules.order_findings import OWN_USES, SEVERITY, TIME_WORDS, finding, is_rounded
from dosing_service.rules.ordered import Ordered, Span, in_milligrams, in_unit, text_of
from dosing_service.units import display, exact_text


def of_duration(
    agent: Agent,
    regimen: Regimen,
    bound: Iterable[BoundLimit],
    ordered: Ordered,
    already_given: Fraction | None,
) -> tuple[list[Finding], list[NotChecked]]:
    """Return what is wrong with how long an order runs and what it adds up to, and what is missing to tell; ``bound``
    are the maxima of ``regimen`` for this patient and dose.
    """
    limits = list(bound)
    totals = [item.limit for item in limits if item.limit.kind == "cumulative-maximum"]
    said = [_cumulative(agent, limit, ordered, already_given) for limit in totals]
    said += [*_durations(agent, limits, ordered), _course_length(agent, regimen, ordered)]
    found = [item for item in said if isinstance(item, Finding)]
    return found, [item for item in said if isinstance(item, NotChecked)]


def of_other_durations(agent: Agent, chosen: Regimen, others: Iterable[Regimen], ordered: Ordered) -> list[Finding]:
    """Return a maximum of time that another regimen of this patient documents, and that the order passes."""
    passed = [
        (regimen, limit)
        for regimen in others
        for limit in regimen.limits
        if regimen is not chosen
        and limit.kind == "duration-maximum"
        and ordered.days is not None
        and ordered.days > Fraction(limit.value) * DAYS_IN[limit.unit.code] * (1 + EQUAL)
    ]
    if not passed or ordered.days is None or any(item.kind == "duration-maximum" for item in chosen.limits):
        return []
    regimen, limit = min(passed, key=lambda pair: Fraction(pair[1].value) * DAYS_IN[pair[1].unit.code])
    words = f"{display(limit.value)} {TIME_WORDS[limit.unit.code]}"
    summary = f"{agent.name} for {_days(ordered.days)} is longer than {words}, the maximum for {regimen.indication}."
    management = f"Review after {words}; no source gives an end for this use."
    severity = SEVERITY["longer-than-another-regimen"]
    id_ = "duration-above-another-maximum"
    return [finding(id_, Category.DURATION, severity, summary, management, ("duration",), limit.citations)]


def _by_effect(limit: Limit) -> Severity:
    return SEVERITY["above-maximum-that-holds" if limit.effect is Effect.CAP else "above-maximum-that-warns"]


def _durations(agent: Agent, bound: Iterable[BoundLimit], ordered: Ordered) -> list[Finding | NotChecked]:
    """Return what is said of the shortest documented maximum of time, and what a shorter one waits for."""
    limits = [item for item in bound if item.limit.kind == "duration-maximum"]
    open_ = [NotChecked("limit-duration-maximum", item.needs, _at_most(item.limit)) for item in limits if item.needs]
    known = min((item.limit for item in limits if not item.needs), key=_length, default=None)
    said = _duration(agent, known, ordered) if known else None
    return [*open_, said] if said else [*open_]


def _length(limit: Limit) -> Fraction:
    return Fraction(limit.value) * DAYS_IN[limit.unit.code]


def _at_most(limit: Limit) -> str:
    words = f"documented is at most {display(limit.value)} {TIME_WORDS[limit.unit.code]}"
    return f"{words} ({limit.applies_to})" if limit.applies_to else words


def _duration(agent: Agent, limit: Limit, ordered: Ordered) -> Finding | NotChecked | None:
    words = f"{display(limit.value)} {TIME_WORDS[limit.unit.code]}"
    restricted = f" ({limit.applies_to})" if limit.applies_to else ""
    if ordered.days is None:
        is_open = ordered.count is None and not ordered.once
        return _no_end(agent, limit, words + restricted) if is_open else _duration_unchecked(limit)
    if ordered.days <= _length(limit) * (1 + EQUAL):
        return None
    given, id_ = _days(ordered.days), "duration-above-maximum"
    summary = f"{agent.name} for {given} is longer than the documented maximum of {words}{restricted}."
    cited, severity = limit.citations, _by_effect(limit)
    return finding(id_, Category.DURATION, severity, summary, f"Stop after {words}.", ("duration",), cited)


def _duration_unchecked(limit: Limit) -> NotChecked:
    return NotChecked("limit-duration-maximum", ("duration",), _at_most(limit))


def _no_end(agent: Agent, limit: Limit, words: str) -> Finding:
    """Say that an order goes on although a longest time is documented."""
    summary = f"{agent.name} is ordered without an end; documented is at most {words}."
    management = f"Order an end within {display(limit.value)} {TIME_WORDS[limit.unit.code]}."
    id_ = "no-end-ordered"
    return finding(id_, Category.DURATION, SEVERITY[id_], summary, management, ("duration",), limit.citations)


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
    return finding(
        "above-cumulative-maximum", Category.DOSE_LIMIT, severity, summary, management, because, limit.citations
    )


def _course_length(agent: Agent, regimen: Regimen, ordered: Ordered) -> Finding | NotChecked | None:
    course = regimen.course
    if course is None or (course.length is None and course.administrations_high is None):
        return None
    longest = course.length_high if course.length_high is not None else course.length
    length = Fraction(longest) * DAYS_IN[course.length_unit or "d"] if longest is not None else None
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
    return finding(
        "duration-above-course", Category.DURATION, severity, summary, management, ("duration",), regimen.citations
    )


def of_course_total(
    agent: Agent, item: Comparison, comparisons: Iterable[Comparison], ordered: Ordered
) -> list[Finding]:
    """Return more administrations than the documented course has that together are more than any such course."""
    course, given = item.candidate.regimen.course, ordered.amounts.get(Per.COURSE)
    count, most = _administrations(ordered), course.administrations_high if course else None
    if given is None or count is None or most is None or count <= most or is_rounded(item):
        return []
    uses = {item.candidate.regimen.use} if item.candidate.regimen.use == "reference" else OWN_USES
    totals = [
        (total, other.candidate.regimen)
        for other in comparisons
        if other.candidate.regimen.use in uses and (total := other.candidate.amounts.get(Per.COURSE)) is not None
    ]
    highest, regimen = max(totals, key=lambda pair: pair[0].high, default=(given, item.candidate.regimen))
    if given.high <= highest.high * (1 + EQUAL):
        return []
    ordered_text = text_of(Per.COURSE, Span(given.high, given.high), ordered)
    documented = f"{text_of(Per.COURSE, Span(highest.high, highest.high), ordered)} ({regimen.name})"
    times = exact_text(in_unit(count, ""))
    summary = f"{agent.name} in {times} administrations comes to {ordered_text}; the most documented is {documented}."
    management = f"Stop after {most} administrations of this amount, or order another regimen as a whole."
    id_, because = "above-course-total", ("dose", "duration")
    return [finding(id_, Category.DOSE, SEVERITY[id_], summary, management, because, regimen.citations)]


def _administrations(ordered: Ordered) -> Fraction | None:
    if ordered.count is not None:
        return Fraction(ordered.count)
    if ordered.days is not None and ordered.rate is not None:
        return Fraction(ceil(ordered.rate.high * ordered.days))
    each, course = ordered.amounts.get(Per.ADMINISTRATION), ordered.amounts.get(Per.COURSE)
    return course.high / each.high if each and course and each.high else None


def _days(days: Fraction) -> str:
    value = in_unit(days, "")
    return "1 day" if value == 1 else f"{display(value)} days"
