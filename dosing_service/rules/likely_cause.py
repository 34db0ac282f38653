"""Finds the slip that would explain an order outside every documented range.

Each slip is tried out: without it the order must lie within a regimen of the same patient and of the same use, and the
slip must lead the way the order is off: what is too low already was not meant to be less. A cause is a question to the
prescriber, not a diagnosis; the order is judged without it.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

from msgspec import structs

from dosing_service.model import CauseKind, LikelyCause, Order, OrderedDose, Per, Quantity, Value, WouldBe
from dosing_service.rules.comparison import Candidate, Comparison, Often, Position, compare, distance, documented_rate
from dosing_service.rules.ordered import Ordered, Span, in_unit, scaled
from dosing_service.rules.schedule import ADVERB
from dosing_service.rules.wording import amount_text
from dosing_service.units import ORDER_UNITS, display, times

#: An order is rounded to what can be given, so without its slip it may miss the range by a little.
_ROUNDING = Fraction(1, 20)
#: A factor of 2.2 lies within many ranges by chance, so it must meet an end of the range.
_POUNDS_ROUNDING = Fraction(1, 50)
_EXACT = Fraction(1, 1000)
#: Pounds in a kilogram: the international pound is 0.45359237 kg by definition.
POUNDS_IN_KG = 1 / Fraction("0.45359237")
_MOST = 3
#: With a surface area near 1 m² the figure per m² and the dose are too much alike to be mistaken for each other.
_NEAR_ONE = Decimal("0.85"), Decimal("1.2")
#: Below a gram (in milligrams) an amount is written in milligrams.
_GRAM = Decimal(1000)
_DAILY = Fraction(1)
_WEEKLY = Fraction(1, 7)
_ORDER = list(CauseKind)
_FOR_CALCINOSIS = {"calcinosis", "underlying-disease"}
_TOO_OFTEN = {Often.MORE, Often.DAILY_NOT_WEEKLY}


class CorrectedWeight(Value, frozen=True):
    """A weight that would be plausible where the given one is not, with the regimens worked out for it."""

    kg: Decimal
    words: str
    candidates: Sequence[Candidate]


class _Hit(Value, frozen=True):
    """A slip that explains the order; ``is_exact`` when it then meets an end of the range."""

    is_exact: bool
    cause: LikelyCause


class Suspect(Value, frozen=True):
    """An order outside every range: what it comes to, what it says (``None`` for a sum of orders), the regimen it is
    judged by, and how it compares with each; ``measures`` are the patient's weight (kg) and surface area (m2).
    """

    ordered: Ordered
    order: Order | None
    judged: Comparison
    comparisons: Sequence[Comparison]
    measures: Mapping[str | None, Decimal | None]

    @property
    def is_too_little(self) -> bool:
        """Whether the order lacks something rather than being too much or too often."""
        return self.judged.position is Position.BELOW and self.judged.often not in _TOO_OFTEN

    def may_be(self, candidate: Candidate) -> bool:
        """Tell whether the order may have been meant for a regimen: the one it is judged by, one for calcinosis or its
        disease, or one for the same other use.
        """
        own, other = self.judged.candidate.regimen, candidate.regimen
        return other.use in _FOR_CALCINOSIS or (other.use, other.indication) == (own.use, own.indication)


def causes(suspect: Suspect, weights: Sequence[CorrectedWeight]) -> tuple[LikelyCause, ...]:
    """Return at most three slips that would explain the order, the most probable first."""
    hits = list(_wrong_weight(suspect, weights))
    for item in suspect.comparisons:
        is_below = item.position is Position.BELOW
        if item.position is Position.NOT_COMPARABLE or _is_tapered(item) or not suspect.may_be(item.candidate):
            continue
        if not is_below and not suspect.is_too_little:
            hits += [*_periods(suspect, item.candidate), *_pounds(suspect, item.candidate)]
        if item.position is not Position.WITHIN and is_below == suspect.is_too_little:
            hits += [*_per_body(suspect, item.candidate), *_factors(suspect, item)]
    kept: dict[CauseKind, LikelyCause] = {}
    for hit in sorted(hits, key=_rank):
        kept.setdefault(hit.cause.kind, hit.cause)
    if CauseKind.DAILY_INSTEAD_OF_WEEKLY in kept:
        # The same arithmetic: what is given daily is a week's dose either way.
        kept.pop(CauseKind.WEEKLY_TOTAL_GIVEN_DAILY, None)
    return tuple(kept.values())[:_MOST]


def _is_tapered(item: Comparison) -> bool:
    """Tell whether an order below a range may be a step of the documented taper: then nothing is a slip."""
    return item.position is Position.BELOW and item.candidate.regimen.taper is not None


def _rank(hit: _Hit) -> tuple[bool, bool, int]:
    kind = hit.cause.kind
    return kind is not CauseKind.WRONG_WEIGHT, not hit.is_exact, _ORDER.index(kind)


# ---------------------------------------------------------------- slips of the period


def _periods(suspect: Suspect, candidate: Candidate) -> Iterator[_Hit]:
    ordered, rate = suspect.ordered, suspect.ordered.rate
    if rate is None:
        return
    documented = documented_rate(candidate.regimen)
    is_rare = documented is not None and 0 < documented.high <= _WEEKLY
    each, day = ordered.amounts.get(Per.ADMINISTRATION), ordered.amounts.get(Per.DAY)
    written = suspect.order.dose.per if suspect.order and suspect.order.dose else Per.ADMINISTRATION
    if is_rare and rate.low >= _DAILY and _lies_within(each, candidate.amounts.get(Per.ADMINISTRATION)):
        yield _less_often(suspect, candidate, each)
    if rate.low >= _DAILY and _has_parts(candidate) and _lies_within(day, candidate.amounts.get(Per.COURSE)):
        yield _total(suspect, candidate, CauseKind.COURSE_TOTAL_GIVEN_DAILY, day, Per.COURSE)
    if (rate.low > _DAILY or (rate.low == _DAILY and not is_rare)) and _is_week(day, candidate):
        yield _total(suspect, candidate, CauseKind.WEEKLY_TOTAL_GIVEN_DAILY, day, Per.WEEK)
    if (
        written is not Per.WEEK
        and _WEEKLY < rate.low < _DAILY
        and not is_rare
        and _lies_within(each, candidate.amounts.get(Per.WEEK))
    ):
        yield _total(suspect, candidate, CauseKind.WEEKLY_TOTAL_GIVEN_EACH_TIME, each, Per.WEEK)
    if written is not Per.DAY and rate.low > _DAILY and _lies_within(each, candidate.amounts.get(Per.DAY)):
        yield _total(suspect, candidate, CauseKind.DAILY_TOTAL_GIVEN_EACH_TIME, each, Per.DAY)


def _has_parts(candidate: Candidate) -> bool:
    """Tell whether a course consists of more than one administration."""
    course, each = candidate.amounts.get(Per.COURSE), candidate.amounts.get(Per.ADMINISTRATION)
    own = next(iter(candidate.amounts), None)
    return course is not None and (own is Per.COURSE or each is None or course.high > each.high)


def _is_week(day: Span | None, candidate: Candidate) -> bool:
    """Tell whether a day's amount is that of a week; seven times a daily dose must be met exactly, or chance would."""
    week = _week(candidate)
    is_written = Per.WEEK in candidate.amounts and Per.DAY not in candidate.amounts
    if day is None or week is None:
        return False
    return _lies_within(day, week) if is_written else _meets_end(day, week)


def _week(candidate: Candidate) -> Span | None:
    if Per.WEEK in candidate.amounts:
        return candidate.amounts[Per.WEEK]
    day = candidate.amounts.get(Per.DAY)
    return day.by(Fraction(7), Fraction(7)) if day else None


def _lies_within(given: Span | None, expected: Span | None, slack: Fraction = _ROUNDING) -> bool:
    if given is None or expected is None:
        return False
    return expected.low * (1 - slack) <= given.low and given.high <= expected.high * (1 + slack)


def _meets_end(given: Span, expected: Span, slack: Fraction = _EXACT) -> bool:
    return any(abs(given.high - end) <= end * slack for end in expected)


def _less_often(suspect: Suspect, candidate: Candidate, each: Span | None) -> _Hit:
    expected, frequency = candidate.amounts.get(Per.ADMINISTRATION), candidate.regimen.frequency
    assert each and expected and frequency  # noqa: S101, PT018 - the caller looked
    text = _text(each, suspect.ordered.unit, frequency.text)
    summary = f"Given daily instead of {frequency.text}? Then it would be {text}."
    would_be = WouldBe(text, candidate.regimen.id, _dose(each, suspect, Per.ADMINISTRATION), frequency.text)
    kind = CauseKind.DAILY_INSTEAD_OF_WEEKLY
    return _Hit(_meets_end(each, expected), LikelyCause(kind, summary, would_be))


_TOTAL_WORDS = {
    CauseKind.COURSE_TOTAL_GIVEN_DAILY: "The total of a whole course ordered for each day?",
    CauseKind.WEEKLY_TOTAL_GIVEN_DAILY: "The total of a week ordered for each day?",
    CauseKind.WEEKLY_TOTAL_GIVEN_EACH_TIME: "The total of a week ordered for each time?",
    CauseKind.DAILY_TOTAL_GIVEN_EACH_TIME: "The total of a day ordered for each time?",
}


def _total(suspect: Suspect, candidate: Candidate, kind: CauseKind, given: Span | None, per: Per) -> _Hit:
    expected = _week(candidate) if per is Per.WEEK else candidate.amounts[per]
    assert given and expected  # noqa: S101, PT018 - the caller looked
    text = _text(given, suspect.ordered.unit, ADVERB[per])
    would_be = WouldBe(text, candidate.regimen.id, _dose(given, suspect, per))
    cause = LikelyCause(kind, f"{_TOTAL_WORDS[kind]} Then it would be {text}.", would_be)
    return _Hit(_meets_end(given, expected), cause)


def _text(span: Span, unit: str, suffix: str) -> str:
    shown = "mg" if unit == "g" and span.high < _GRAM else unit
    return amount_text(in_unit(span.low, shown), in_unit(span.high, shown), shown, suffix)


def _dose(span: Span, suspect: Suspect, per: Per) -> OrderedDose:
    unit = suspect.ordered.unit
    return OrderedDose(in_unit(span.low, unit), in_unit(span.high, unit), unit, per)


# ---------------------------------------------------------------- factors


def _factors(suspect: Suspect, item: Comparison) -> Iterator[_Hit]:
    is_above = item.position is Position.ABOVE
    for kind, number in ((CauseKind.TENFOLD, 10), (CauseKind.THOUSANDFOLD, 1000)):
        if item is not suspect.judged and distance(suspect.judged) ** 2 < number:
            # Nearer to the range it is judged by than to a multiple of it: plainly too much or too little.
            continue
        factor = Fraction(1, number) if is_above else Fraction(number)
        # As needed at most, and any smaller dose would fit: it must fit as if it were always given.
        ordered = structs.replace(scaled(suspect.ordered, factor), as_needed=False)
        compared = compare(ordered, item.candidate, _ROUNDING)
        if compared.fits and compared.ordered is not None and compared.expected is not None:
            is_exact = _meets_end(compared.ordered, compared.expected)
            yield _by_factor(suspect, item.candidate, kind, factor, is_exact=is_exact)


def _pounds(suspect: Suspect, candidate: Candidate) -> Iterator[_Hit]:
    own = next(iter(candidate.amounts), None)
    given = suspect.ordered.amounts.get(own) if own else None
    if not _follows_from_weight(candidate) or given is None or own is None or suspect.ordered.body is not None:
        return
    factor = 1 / POUNDS_IN_KG
    if _meets_end(given.by(factor, factor), candidate.amounts[own], _POUNDS_ROUNDING):
        yield _by_factor(suspect, candidate, CauseKind.LB_FOR_KG, factor, is_exact=False)


def _follows_from_weight(candidate: Candidate) -> bool:
    """Tell whether a dose is written per kg, or held at a maximum per kg."""
    regimen, dose = candidate.regimen, candidate.dose
    is_held = dose is not None and any(limit.reached for limit in dose.limits)
    return regimen.any_figure.unit.body == "kg" or (is_held and any(item.unit.body == "kg" for item in regimen.limits))


_FACTOR_WORDS = {
    CauseKind.TENFOLD: "A decimal point or a zero?",
    CauseKind.THOUSANDFOLD: "mg, mcg and g mistaken for each other?",
    CauseKind.LB_FOR_KG: "Worked out with the weight in pounds as if it were kilograms?",
}


def _by_factor(suspect: Suspect, candidate: Candidate, kind: CauseKind, factor: Fraction, *, is_exact: bool) -> _Hit:
    dose = _scaled_dose(suspect, factor)
    text = _dose_text(dose)
    would_be = WouldBe(text, candidate.regimen.id, dose)
    return _Hit(is_exact, LikelyCause(kind, f"{_FACTOR_WORDS[kind]} Then it would be {text}.", would_be))


def _dose_text(dose: OrderedDose) -> str:
    if dose.unit == "g" and dose.high < 1:
        return _dose_text(OrderedDose(times(dose.low, _GRAM), times(dose.high, _GRAM), "mg", dose.per))
    has_period = dose.per is Per.ADMINISTRATION or ORDER_UNITS[dose.unit].time is not None
    return amount_text(dose.low, dose.high, dose.unit, "" if has_period else ADVERB[dose.per])


def _scaled_dose(suspect: Suspect, factor: Fraction) -> OrderedDose:
    """Return the dose as the order writes it, times ``factor``; of a sum of orders, its first kind of amount."""
    if suspect.order is not None and suspect.order.dose is not None:
        dose = suspect.order.dose
        low, high = (in_unit(Fraction(value) * factor, "") for value in (dose.low, dose.high))
        return OrderedDose(low, high, dose.unit, dose.per)
    per, span = next(iter(suspect.ordered.amounts.items()))
    return _dose(span.by(factor, factor), suspect, per)


def _per_body(suspect: Suspect, candidate: Candidate) -> Iterator[_Hit]:
    body = candidate.regimen.any_figure.unit.body
    measure = suspect.measures.get(body) if body else None
    if measure is None or suspect.ordered.body is not None or _NEAR_ONE[0] <= measure <= _NEAR_ONE[1]:
        return
    compared = compare(scaled(suspect.ordered, Fraction(measure)), candidate, _ROUNDING)
    if not compared.fits or compared.ordered is None or compared.expected is None:
        return
    own = _scaled_dose(suspect, Fraction(1))
    dose = OrderedDose(own.low, own.high, f"{own.unit}/{body}", own.per)
    text = _dose_text(dose)
    kind = CauseKind.PER_KG_DOSE_GIVEN_AS_TOTAL
    summary = f"The figure per {'kg' if body == 'kg' else 'm²'} ordered as the whole dose? Then it would be {text}."
    would_be = WouldBe(text, candidate.regimen.id, dose)
    yield _Hit(_meets_end(compared.ordered, compared.expected), LikelyCause(kind, summary, would_be))


def _wrong_weight(suspect: Suspect, weights: Sequence[CorrectedWeight]) -> Iterator[_Hit]:
    """Yield the weights at which the order would be right, where the given weight is implausible."""
    given = suspect.measures["kg"]
    for weight in weights:
        is_per_kg = suspect.ordered.body == "kg" and given is not None
        ordered = scaled(suspect.ordered, Fraction(weight.kg) / Fraction(given or 1)) if is_per_kg else suspect.ordered
        for candidate in filter(suspect.may_be, weight.candidates):
            compared = compare(ordered, candidate, _ROUNDING)
            if compared.fits and compared.ordered is not None and compared.expected is not None:
                text = f"a weight of {display(weight.kg)} kg"
                would_be = WouldBe(text, candidate.regimen.id, weight=Quantity(weight.kg, "kg"))
                summary = f"A wrong weight ({weight.words})? The order fits {text}."
                cause = LikelyCause(CauseKind.WRONG_WEIGHT, summary, would_be)
                yield _Hit(_meets_end(compared.ordered, compared.expected), cause)
