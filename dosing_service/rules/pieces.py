"""Which amounts can be put together from pieces of given strengths, and with how few pieces.

The table of a set of strengths depends on knowledge alone: it is built once and then only searched.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from dosing_service.model import Value

#: A policy of this service: more pieces at one time are no practical dose. It also bounds the table.
MAX_PIECES = 12

_HALF = Decimal("0.5")
_TWO = Decimal(2)


class Strength(Value, frozen=True):
    """A piece that can be taken: its amount, and whether a source says that it may be halved."""

    amount: Decimal
    divisible: bool


class Combination(Value, frozen=True):
    """How many pieces of each strength (in the order of the table's strengths), and their exact sum.

    A count of 0.5 or 1.5 holds a half piece; there is at most one.
    """

    counts: tuple[Decimal, ...]
    total: Decimal


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """All sums of up to :data:`MAX_PIECES` pieces, each in the combination with the fewest pieces.

    ``levels`` holds the sums by number of pieces, whole pieces before those with a half.
    """

    combinations: Mapping[Decimal, Combination]
    sums: tuple[Decimal, ...]
    levels: tuple[tuple[Decimal, ...], ...]

    def within(self, low: Decimal, high: Decimal, times: int) -> Combination | None:
        """Return the combination with the fewest pieces that, given ``times``, lies in ``low`` to ``high``; among
        several the one closest to the middle, then the lower one.
        """
        first = self.holding(low, times)
        if first is None or first.total * times > high:
            return None
        inside = next(part for part in self._levels_within(low, high, times) if part)
        return self.combinations[min(inside, key=lambda total: (abs(_TWO * total * times - low - high), total))]

    def _levels_within(self, low: Decimal, high: Decimal, times: int) -> Iterator[tuple[Decimal, ...]]:
        for level in self.levels:
            start = bisect_left(level, low, key=lambda total: total * times)
            yield level[start : bisect_right(level, high, start, key=lambda total: total * times)]

    def below(self, low: Decimal, times: int) -> Combination | None:
        """Return the largest sum that, given ``times``, is below ``low``."""
        end = bisect_left(self.sums, low, key=lambda total: total * times)
        return self.combinations[self.sums[end - 1]] if end else None

    def above(self, high: Decimal, times: int) -> Combination | None:
        """Return the smallest sum that, given ``times``, is above ``high``; ``None`` beyond the table."""
        start = bisect_right(self.sums, high, key=lambda total: total * times)
        return self.combinations[self.sums[start]] if start < len(self.sums) else None

    def fewest_holding(self, amount: Decimal, times: int) -> Combination | None:
        """Return the fewest pieces that, given ``times``, hold ``amount``; among several the smallest sum."""
        for level in self.levels:
            start = bisect_left(level, amount, key=lambda total: total * times)
            if start < len(level):
                return self.combinations[level[start]]
        return None

    def holding(self, amount: Decimal, times: int) -> Combination | None:
        """Return the smallest sum that, given ``times``, holds ``amount``; ``None`` beyond the table."""
        start = bisect_left(self.sums, amount, key=lambda total: total * times)
        return self.combinations[self.sums[start]] if start < len(self.sums) else None


@cache
def table(strengths: tuple[Strength, ...]) -> Table:
    """Return the table of ``strengths``, which are in falling order of amount and each above 0."""
    whole: dict[Decimal, Combination] = {}
    combinations: dict[Decimal, Combination] = {}
    levels: list[tuple[Decimal, ...]] = []
    previous = [Combination(tuple(Decimal(0) for _ in strengths), Decimal(0))]
    for _ in range(MAX_PIECES):
        halved = _with_a_half(strengths, previous)
        previous = list(_new(_with_one_more(strengths, previous), whole).values())
        whole |= {item.total: item for item in previous}
        for candidates in (iter(previous), halved):
            level = _new(candidates, combinations)
            combinations |= level
            levels.append(tuple(sorted(level)))
    return Table(combinations, tuple(sorted(combinations)), tuple(level for level in levels if level))


def _with_one_more(strengths: tuple[Strength, ...], previous: Iterable[Combination]) -> Iterator[Combination]:
    for combination in previous:
        for index, strength in enumerate(strengths):
            yield _plus(combination, index, Decimal(1), strength.amount)


def _with_a_half(strengths: tuple[Strength, ...], previous: Iterable[Combination]) -> Iterator[Combination]:
    for combination in previous:
        for index, strength in enumerate(strengths):
            if strength.divisible:
                yield _plus(combination, index, _HALF, strength.amount * _HALF)


def _plus(combination: Combination, index: int, count: Decimal, amount: Decimal) -> Combination:
    counts = combination.counts
    return Combination((*counts[:index], counts[index] + count, *counts[index + 1 :]), combination.total + amount)


def _new(candidates: Iterable[Combination], known: Mapping[Decimal, Combination]) -> dict[Decimal, Combination]:
    """Return the sums that are not known yet, each as the fewest different products, the stronger ones first."""
    found: dict[Decimal, Combination] = {}
    for candidate in candidates:
        total = candidate.total
        if total not in known and (total not in found or _simplicity(candidate) < _simplicity(found[total])):
            found[total] = candidate
    return found


def _simplicity(combination: Combination) -> tuple[int, tuple[Decimal, ...]]:
    return sum(1 for count in combination.counts if count), tuple(-count for count in combination.counts)
