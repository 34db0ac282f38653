"""Ranges of ages, weights, areas, doses and laboratory values, each bound included or not."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, eq=False)
class Range:
    """A range of ages, weights or areas; each bound is given at most once per side."""

    unit: str
    start: Decimal | None
    start_included: bool
    end: Decimal | None
    end_included: bool

    def contains(self, value: Decimal) -> bool:
        """Tell whether ``value``, in this range's unit, lies inside."""
        if self.start is not None and (value < self.start or (value == self.start and not self.start_included)):
            return False
        return self.end is None or value < self.end or (value == self.end and self.end_included)

    def overlaps(self, other: "Range") -> bool:
        """Tell whether some value lies in both ranges; ranges in different units are taken to overlap."""
        return self.unit != other.unit or not (self.lies_below(other) or other.lies_below(self))

    def covers(self, other: "Range") -> bool:
        """Tell whether every value of ``other``, in the same unit, lies in this range."""
        return self._starts_with(other) and self._ends_with(other)

    def _starts_with(self, other: "Range") -> bool:
        if self.start is None or other.start is None:
            return self.start is None
        return self.start < other.start or (
            self.start == other.start and (self.start_included or not other.start_included)
        )

    def _ends_with(self, other: "Range") -> bool:
        if self.end is None or other.end is None:
            return self.end is None
        return self.end > other.end or (self.end == other.end and (self.end_included or not other.end_included))

    def lies_below(self, other: "Range") -> bool:
        """Tell whether this range ends before ``other`` starts."""
        if self.end is None or other.start is None:
            return False
        return self.end < other.start or (self.end == other.start and not (self.end_included and other.start_included))


_UNIT_WORDS = {
    "a": "years",
    "mo": "months",
    "wk": "weeks",
    "d": "days",
    "kg": "kg",
    "m2": "m²",
    "mg/kg/d": "mg/kg daily",
    "mL/min/{1.73_m2}": "mL/min/1.73 m²",
}


def describe(range_: Range | None) -> str | None:
    """Return a range in words, ``from 2 to below 14 years``, or ``None``."""
    if range_ is None:
        return None
    parts = []
    if range_.start is not None:
        parts.append(f"{'from' if range_.start_included else 'above'} {range_.start}")
    if range_.end is not None:
        parts.append(f"{'to' if range_.end_included else 'below'} {range_.end}")
    return f"{' '.join(parts)} {_UNIT_WORDS[range_.unit]}"
