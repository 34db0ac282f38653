"""Dosages against a table a pharmacist can read; every number in it was worked out by hand."""

from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml

from dosing_service.fhir.reading import ReadOrder
from dosing_service.model import OrderedFrequency, Per

_ROWS = yaml.safe_load(Path(__file__).with_name("dosages.yaml").read_text(encoding="utf-8"))
_DAYS = {"h": Fraction(1, 24), "d": Fraction(1), "wk": Fraction(7), "mo": Fraction(487, 16)}


@pytest.mark.parametrize("row", _ROWS, ids=[row["id"] for row in _ROWS])
def test_a_dosage_orders_what_the_table_says(row: dict[str, Any], ask: Any, make: Any) -> None:
    """Every row comes to the amount, frequency, route, rate and length in it, or to the reason in it."""
    read = _read(row, ask, make)
    _check_amount(row, read)
    _check_the_rest(row, read)
    for words in [row[name] for name in ("says", "why_not") if name in row]:
        assert any(words in sentence for sentence in read.unread), read.unread


def test_the_table_is_as_long_as_the_published_ones() -> None:
    """A public list of dosages has 76; this table has more."""
    assert len(_ROWS) >= 76
    assert len({row["id"] for row in _ROWS}) == len(_ROWS)


def _read(row: dict[str, Any], ask: Any, make: Any) -> ReadOrder:
    given = row["given"] if isinstance(row["given"], list) else [row["given"]]
    prefetch = {"weight": make.bundle(make.observation("29463-7", row["kg"], "kg"))} if "kg" in row else None
    (read,) = ask(make.order(dosageInstruction=given), prefetch=prefetch).orders
    assert read.order is not None
    return read


def _check_amount(row: dict[str, Any], read: ReadOrder) -> None:
    dose = read.order.dose if read.order else None
    if "why_not" in row:
        assert dose is None
        return
    if "dose" in row:
        low, high, unit, per = row["dose"]
        assert dose is not None
        assert (dose.low, dose.high, dose.unit, dose.per) == (Decimal(str(low)), Decimal(str(high)), unit, Per(per))
    if "day" in row:
        assert [pytest.approx(value, rel=1e-8) for value in _per_day(read)] == row["day"]


def _check_the_rest(row: dict[str, Any], read: ReadOrder) -> None:
    order = read.order
    assert order is not None
    infusion = order.infusion
    found = {
        "often": _often(order.frequency),
        "route": order.route,
        "days": order.duration_days,
        "count": order.frequency.count if order.frequency else None,
        "minutes": infusion.duration_minutes if infusion else None,
        "rate": [infusion.rate, infusion.rate_unit] if infusion else None,
    }
    for name, value in found.items():
        if name in row:
            assert value == row[name], name


def _per_day(read: ReadOrder) -> tuple[float, float]:
    """What is given in a day, by the plain product of dose and frequency."""
    order = read.order
    assert order is not None
    assert order.dose is not None
    assert order.frequency is not None
    unit = _DAYS[order.frequency.unit]
    least = order.frequency.times_low / (Fraction(order.frequency.every_high) * unit)
    most = order.frequency.times_high / (Fraction(order.frequency.every_low) * unit)
    return float(Fraction(order.dose.low) * least), float(Fraction(order.dose.high) * most)


def _often(frequency: OrderedFrequency | None) -> str:
    if frequency is None:
        return "unknown"
    if frequency.once:
        return "once"
    if not frequency.times_high:
        return "as needed"
    times = _span(frequency.times_low, frequency.times_high)
    every = _span(frequency.every_low, frequency.every_high)
    return f"{times} in {every} {frequency.unit}{', as needed' if frequency.as_needed else ''}"


def _span(low: Any, high: Any) -> str:
    return f"{low}" if low == high else f"{low} to {high}"
