"""The growth reference: L, M and S values by sex, measure and age, compiled so that a look-up is a few multiplications.

The values are those of the CDC growth charts of 2000 (``cdc-growth-2000``): weight and height from birth to 20 years,
body mass index from 2 years. Distances from the median are counted in the charts' modified z-scores
(``cdc-biv-cutoffs``), whose unit is half the distance between the median and the second standard deviation; that unit
is a fixed length above and another below the median, so it can be worked out when knowledge is loaded.
"""

import csv
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Context, Decimal, InvalidOperation
from enum import StrEnum
from itertools import pairwise
from types import MappingProxyType

from dosing_service.errors import KnowledgeError
from dosing_service.model import Sex

#: Twelve digits are two more than the tables have; more would only make loading slower.
_DIGITS = Context(prec=12)
_HEADER = ["sex", "measure", "months", "l", "m", "s"]
_TWO = Decimal(2)


class Measure(StrEnum):
    """What the reference says something about: kg, cm and kg/m²."""

    WEIGHT = "weight"
    HEIGHT = "height"
    BODY_MASS_INDEX = "bmi"


@dataclass(frozen=True, slots=True, eq=False)
class GrowthPoint:
    """The median at one age, and the length of one modified standard deviation below and above it."""

    median: Decimal
    below: Decimal
    above: Decimal

    def at(self, z: Decimal) -> Decimal:
        """Return the value at a modified z-score."""
        return _DIGITS.add(self.median, _DIGITS.multiply(z, self.above if z > 0 else self.below))


@dataclass(frozen=True, slots=True, eq=False)
class GrowthCurve:
    """The points of one measure and sex, by rising age in months."""

    months: tuple[Decimal, ...]
    points: tuple[GrowthPoint, ...]

    def at(self, months: Decimal) -> GrowthPoint | None:
        """Return the point at an age, linear between two of the table and the last beyond its end; ``None`` before
        its beginning.
        """
        if months < self.months[0]:
            return None
        right = bisect_right(self.months, months)
        if right == len(self.months):
            return self.points[-1]
        start, end = self.months[right - 1], self.months[right]
        return _between(self.points[right - 1], self.points[right], _DIGITS.divide(months - start, end - start))


def _between(left: GrowthPoint, right: GrowthPoint, part: Decimal) -> GrowthPoint:
    return GrowthPoint(
        _DIGITS.fma(part, right.median - left.median, left.median),
        _DIGITS.fma(part, right.below - left.below, left.below),
        _DIGITS.fma(part, right.above - left.above, left.above),
    )


@dataclass(frozen=True, slots=True, eq=False)
class GrowthReference:
    """The curves of both sexes."""

    curves: Mapping[tuple[Sex, Measure], GrowthCurve] = field(repr=False)

    def at(self, measure: Measure, sex: Sex, months: Decimal) -> GrowthPoint | None:
        """Return the point of a sex (female or male) at an age in months."""
        return self.curves[sex, measure].at(months)


def value_at(z: Decimal, l_value: Decimal, median: Decimal, s_value: Decimal) -> Decimal:
    """Return the measure at a standard deviation score: M (1 + L S z)^(1/L), or M exp(S z) where L is zero
    (``cdc-growth-2000``).
    """
    if l_value == 0:
        return _DIGITS.multiply(median, _DIGITS.exp(s_value * z))
    base = _DIGITS.fma(l_value * s_value, z, Decimal(1))
    return _DIGITS.multiply(median, _DIGITS.power(base, _DIGITS.divide(Decimal(1), l_value)))


def read(name: str, text: str) -> GrowthReference:
    """Return the growth reference in a CSV file of L, M and S values.

    Raises:
        KnowledgeError: a column, number, sex or measure is wrong, ages do not rise, or a curve is missing.
    """
    rows: dict[tuple[Sex, Measure], list[tuple[Decimal, GrowthPoint]]] = {}
    for line, row in _rows(name, text):
        try:
            key, point = (Sex(row[0]), Measure(row[1])), _point(*(Decimal(cell) for cell in row[2:]))
        except (ValueError, InvalidOperation, TypeError) as error:
            raise KnowledgeError(name, f"line {line}", "sex, measure, months, l, m, s are expected") from error
        rows.setdefault(key, []).append(point)
    for sex in (Sex.FEMALE, Sex.MALE):
        for measure in Measure:
            _check(name, f"{sex.value} {measure.value}", [months for months, _ in rows.get((sex, measure), ())])
    return GrowthReference(MappingProxyType({key: _curve(points) for key, points in rows.items()}))


def _rows(name: str, text: str) -> Iterator[tuple[int, list[str]]]:
    lines = csv.reader(text.splitlines())
    if next(lines, None) != _HEADER:
        raise KnowledgeError(name, "line 1", f"the columns are {', '.join(_HEADER)}")
    yield from enumerate(lines, start=2)


def _point(months: Decimal, l_value: Decimal, median: Decimal, s_value: Decimal) -> tuple[Decimal, GrowthPoint]:
    low, high = (value_at(z, l_value, median, s_value) for z in (-_TWO, _TWO))
    below, above = (_DIGITS.divide(length, _TWO) for length in (median - low, high - median))
    return months, GrowthPoint(median, below, above)


def _check(name: str, curve: str, months: list[Decimal]) -> None:
    if len(months) < 2:
        raise KnowledgeError(name, curve, "the curve is missing")
    if any(earlier >= later for earlier, later in pairwise(months)):
        raise KnowledgeError(name, curve, "the ages do not rise")


def _curve(points: list[tuple[Decimal, GrowthPoint]]) -> GrowthCurve:
    return GrowthCurve(tuple(months for months, _ in points), tuple(point for _, point in points))
