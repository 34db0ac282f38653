"""What must hold for every dose in products, whatever the patient."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import combinations_with_replacement
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from dosing_service import service
from dosing_service.errors import InvalidRequest
from dosing_service.knowledge import load
from dosing_service.knowledge.base import Effect, Limit, Product, Regimen
from dosing_service.knowledge.ranges import Range
from dosing_service.model import Dose, Per, PracticalDose, PracticalStatus
from dosing_service.rules.fitting import TOLERANCE_PERCENT
from dosing_service.rules.pieces import MAX_PIECES, Combination, Strength, table
from schemas.reading import dose_request

_KNOWLEDGE = load()
_REGIMENS = [(agent.id, id_) for agent in _KNOWLEDGE.agents.values() if agent.products for id_ in agent.regimens]
_MG = {"mg": Decimal(1), "g": Decimal(1000)}
_PER_OF_LIMIT = {
    "single-maximum": Per.ADMINISTRATION,
    "daily-maximum": Per.DAY,
    "weekly-maximum": Per.WEEK,
    "course-maximum": Per.COURSE,
}

bounded = settings(max_examples=300, deadline=None, derandomize=True)
ages = st.decimals("0.1", "95", places=1)
weights = st.decimals("2", "180", places=2)
heights = st.decimals("45", "205", places=1)
regimens = st.sampled_from(_REGIMENS)
divisions = st.one_of(st.none(), st.integers(1, 6))


def _dose(
    chosen: tuple[str, str],
    age: Decimal,
    height: Decimal,
    times: int | None,
    *,
    weight: tuple[Decimal, str],
) -> Dose | None:
    options: dict[str, Any] = {
        "include_outside_population": True,
        "include_contraindicated": True,
        "volume": {"value": Decimal("0.4"), "unit": "mL"},
    }
    if times is not None:
        per = _KNOWLEDGE.agents[chosen[0]].regimens[chosen[1]].per
        options["divided_over_days" if per is Per.COURSE else "times_per_day"] = Decimal(times)
    body = {
        "agent": chosen[0],
        "regimen": chosen[1],
        "patient": {
            "age": {"value": age, "unit": "a"},
            "sex": "female",
            "weight": {"value": weight[0], "unit": weight[1]},
            "height": {"value": height, "unit": "cm"},
        },
        "options": options,
    }
    try:
        return service.calculate_dose(dose_request(body), _KNOWLEDGE).dose
    except InvalidRequest:
        return None  # a division that the source does not allow, or no ideal weight for this height


def _regimen(chosen: tuple[str, str]) -> Regimen:
    return _KNOWLEDGE.agents[chosen[0]].regimens[chosen[1]]


def _times(regimen: Regimen, entry: PracticalDose, asked: int | None) -> Decimal:
    """Return how many administrations make up the regimen's own amount, told without the code under test."""
    if regimen.per is Per.ADMINISTRATION:
        return Decimal(1)
    if regimen.per is Per.DAY:
        return Decimal(entry.times_per_day or 0)
    if regimen.per is Per.COURSE:
        course = regimen.course
        assert course is not None
        return Decimal(asked or course.days_low or 0)
    assert regimen.frequency is not None
    return Decimal(regimen.frequency.times_low)


def _made(dose: Dose | None) -> list[PracticalDose]:
    return [entry for entry in (dose.practical or ()) if entry.achieved is not None] if dose else []


def _inside(range_: Range | None, value: Decimal) -> bool:
    return range_ is None or range_.contains(value)


def _limits(regimen: Regimen, entry: PracticalDose, age: Decimal, kg: Decimal) -> Iterator[Limit]:
    """Yield the hard limits that concern this patient and this form."""
    for limit in regimen.limits:
        fits = limit.formulation in {None, entry.formulation} and _inside(limit.age, age) and _inside(limit.weight, kg)
        if fits and limit.effect is Effect.CAP and limit.kind in _PER_OF_LIMIT and limit.unit.body in {None, "kg"}:
            yield limit


@example(("ivig", "guide-juvenile-myositis"), Decimal(15), Decimal("70.338"), Decimal(150), None)
@bounded
@given(regimens, ages, weights, heights, divisions)
def test_nothing_is_rounded_above_a_hard_limit(
    chosen: tuple[str, str], age: Decimal, kg: Decimal, height: Decimal, asked: int | None
) -> None:
    """Each time, in a day, a week and a course, the products never hold more than a cap that concerns them."""
    dose, regimen = _dose(chosen, age, height, asked, weight=(kg, "kg")), _regimen(chosen)
    for entry in _made(dose):
        assert dose is not None
        assert entry.achieved is not None
        times = _times(regimen, entry, asked)
        given_amounts = {regimen.per: entry.achieved.value, Per.ADMINISTRATION: entry.achieved.value / times}
        if regimen.per is Per.ADMINISTRATION and entry.times_per_day:
            given_amounts[Per.DAY] = entry.achieved.value * entry.times_per_day
        measure = dose.dosing_weight.value if dose.dosing_weight else kg
        for limit in _limits(regimen, entry, age, kg):
            most = limit.value * (measure if limit.unit.body else 1)
            amount = given_amounts.get(_PER_OF_LIMIT[limit.kind])
            assert amount is None or amount <= most, (entry.text, limit.kind, most)


@bounded
@given(regimens, ages, weights, heights, divisions)
def test_achieved_is_exactly_what_the_products_hold(
    chosen: tuple[str, str], age: Decimal, kg: Decimal, height: Decimal, asked: int | None
) -> None:
    """Pieces add up to the achieved amount; vials hold it and the waste; a volume is it times the strength."""
    products = _KNOWLEDGE.agents[chosen[0]].products
    for entry in _made(_dose(chosen, age, height, asked, weight=(kg, "kg"))):
        assert entry.achieved is not None
        each = entry.achieved.value * _MG[entry.achieved.unit] / _times(_regimen(chosen), entry, asked)
        waste = entry.waste.value if entry.waste else Decimal(0)
        if entry.volume_ml is not None:
            assert abs(entry.volume_ml * products[entry.product].strength - each) <= each / 10**20
        if entry.pieces:
            held = sum((_content(products[item.product]) * item.count for item in entry.pieces), Decimal(0))
            assert abs(held - each - waste) <= held / 10**11


def _content(product: Product) -> Decimal:
    if product.strength_unit.code == "mg":
        return product.strength
    assert product.volume_ml is not None
    return product.strength * product.volume_ml


@bounded
@given(regimens, ages, weights, heights, divisions)
def test_status_deviation_and_nearest_agree(
    chosen: tuple[str, str], age: Decimal, kg: Decimal, height: Decimal, asked: int | None
) -> None:
    """Exact is inside what is wanted, rounded is off by at most the tolerance on the side of its sign, and what cannot
    be made names nothing that would have been near enough below.
    """
    dose = _dose(chosen, age, height, asked, weight=(kg, "kg"))
    for entry in (dose.practical or ()) if dose else ():
        if entry.status is PracticalStatus.NOT_MAKEABLE:
            assert (entry.achieved, entry.deviation_percent, entry.per_administration) == (None, None, None)
            assert all(_sign(near.amount.value, entry) == _sign_of(near.deviation_percent) for near in entry.nearest)
            assert all(near.deviation_percent != 0 for near in entry.nearest)
            continue
        assert entry.achieved is not None
        assert entry.deviation_percent is not None
        assert entry.nearest == ()
        assert _sign(entry.achieved.value, entry) == _sign_of(entry.deviation_percent)
        assert (entry.status is PracticalStatus.EXACT) == (entry.deviation_percent == 0)
        assert abs(entry.deviation_percent) <= TOLERANCE_PERCENT


def _sign(value: Decimal, entry: PracticalDose) -> int:
    return (value > entry.wanted.high) - (value < entry.wanted.low)


def _sign_of(value: Decimal) -> int:
    return (value > 0) - (value < 0)


@bounded
@given(regimens, ages, weights, heights, divisions)
def test_only_scored_tablets_are_halved(
    chosen: tuple[str, str], age: Decimal, kg: Decimal, height: Decimal, asked: int | None
) -> None:
    """A half stands only where a source says that the tablet is scored, never in an extended-release form, and never
    more than once.
    """
    products = _KNOWLEDGE.agents[chosen[0]].products
    for entry in _made(_dose(chosen, age, height, asked, weight=(kg, "kg"))):
        halves = [products[item.product] for item in entry.pieces if item.count != int(item.count)]
        assert len(halves) <= 1
        assert all(item.divisible is True and item.release_hours is None for item in halves)
        assert sum(item.count for item in entry.pieces) <= MAX_PIECES


@bounded
@given(regimens, ages, st.integers(2000, 180000), heights, divisions)
def test_unit_of_the_weight_changes_nothing(
    chosen: tuple[str, str], age: Decimal, grams: int, height: Decimal, asked: int | None
) -> None:
    """The same weight in grams and in kilograms gives the same products."""
    in_grams = _dose(chosen, age, height, asked, weight=(Decimal(grams), "g"))
    in_kilograms = _dose(chosen, age, height, asked, weight=(Decimal(grams) / 1000, "kg"))
    assert (in_grams and in_grams.practical) == (in_kilograms and in_kilograms.practical)


# ---------------------------------------------------------------- the table of pieces

strengths = st.lists(
    st.tuples(st.integers(1, 24), st.booleans()), min_size=1, max_size=3, unique_by=lambda item: item[0]
)


def _all(pieces: tuple[Strength, ...], most: int) -> list[tuple[Decimal, int, int]]:
    """Return sum, number of pieces and number of halves of everything that up to ``most`` pieces make."""
    found = []
    halves: list[Decimal | None] = [None, *(item.amount / 2 for item in pieces if item.divisible)]
    for half in halves:
        for count in range(most + 1 - (half is not None)):
            for chosen in combinations_with_replacement(pieces, count):
                total = sum((item.amount for item in chosen), half or Decimal(0))
                found.append((total, count + (half is not None), int(half is not None)))
    return [item for item in found if item[0] > 0]


def _size(combination: Combination) -> tuple[int, int]:
    halves = sum(1 for count in combination.counts if count != int(count))
    return int(sum(combination.counts) + Decimal("0.5") * halves), halves


@settings(max_examples=60, deadline=None, derandomize=True)
@given(strengths, st.integers(1, 60), st.integers(0, 30), st.integers(1, 4))
def test_table_finds_what_trying_everything_finds(
    items: list[tuple[int, bool]], low: int, width: int, times: int
) -> None:
    """Inside a range: the fewest pieces, whole before half, nearest the middle, then lower; outside: the neighbours."""
    pieces = tuple(Strength(Decimal(amount), divisible) for amount, divisible in sorted(items, reverse=True))
    start, end = Decimal(low), Decimal(low + width)
    tried = _all(pieces, MAX_PIECES)
    inside = [item for item in tried if start <= item[0] * times <= end]
    found = table(pieces).within(start, end, times)
    if inside:
        assert found is not None
        best = min((count, halves, abs(2 * total * times - start - end), total) for total, count, halves in inside)
        assert (*_size(found), found.total) == (best[0], best[1], best[3])
    else:
        assert found is None
    below = max((total for total, _, _ in tried if total * times < start), default=None)
    above = min((total for total, _, _ in tried if total * times > end), default=None)
    holding = min((total for total, _, _ in tried if total * times >= start), default=None)
    known = table(pieces)
    assert below == _total(known.below(start, times))
    assert above == _total(known.above(end, times))
    assert holding == _total(known.holding(start, times))
    whole = min(((count, total) for total, count, half in tried if not half and total * times >= start), default=None)
    undivided = table(tuple(Strength(item.amount, divisible=False) for item in pieces))
    assert (whole and whole[1]) == _total(undivided.fewest_holding(start, times))


def _total(combination: Combination | None) -> Decimal | None:
    return combination.total if combination else None
