"""Calcium corrected for albumin: as the laboratory reports it, else by the usual formula."""

from decimal import Decimal

from dosing_service.knowledge.lab_units import in_base
from dosing_service.model import Value
from dosing_service.rules.facts import Facts, Result
from dosing_service.units import added, display, minus, over, times

TOTAL, ALBUMIN = "calcium-total", "albumin"
_REPORTED = "calcium-corrected"
#: mg/dL of calcium for each g/dL that albumin is below 4 g/dL. No source of it was seen; the rules that use it say so.
_PER_GRAM, _NORMAL = Decimal("0.8"), Decimal(4)
_MG_PER_G = Decimal(1000)


class Corrected(Value, frozen=True):
    """Corrected calcium in mg/dL, the results it comes from, and how it was worked out in words."""

    value: Decimal
    because: tuple[str, ...]
    working: str
    is_reported: bool


def corrected(facts: Facts) -> Corrected | None:
    """Return the latest corrected calcium, or ``None``: an albumin of another day than the calcium corrects nothing."""
    total, albumin, reported = (facts.results.get(analyte) for analyte in (TOTAL, ALBUMIN, _REPORTED))
    if reported is not None and (total is None or not _is_older(reported, total)):
        return _as_reported(reported, facts)
    if total is None or albumin is None or total.observation.measured_on != albumin.observation.measured_on:
        return None
    grams = over(albumin.base, _MG_PER_G)
    value = added([total.base, times(_PER_GRAM, minus(_NORMAL, grams))])
    working = f"{display(total.base)} + 0.8 × (4 - {display(grams)}) = {display(value)} mg/dL"
    return Corrected(value, (total.path, albumin.path), working, is_reported=False)


def _as_reported(reported: Result, facts: Facts) -> Corrected | None:
    sent = reported.observation
    value = in_base(sent.value, sent.unit, facts.terminology.analytes[TOTAL])
    working = f"{display(sent.value)} {sent.unit}, corrected by the laboratory"
    return None if value is None else Corrected(value, (reported.path,), working, is_reported=True)


def _is_older(one: Result, other: Result) -> bool:
    day, other_day = one.observation.measured_on, other.observation.measured_on
    return day is not None and other_day is not None and day < other_day
