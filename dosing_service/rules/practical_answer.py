"""Writes what was fitted to a dose as an entry of the answer."""

from decimal import ROUND_CEILING, Decimal
from functools import cache

from dosing_service.knowledge.base import Product
from dosing_service.model import (
    Citations,
    CourseQuantity,
    KindedQuantity,
    NearestDose,
    Per,
    Pieces,
    PracticalDose,
    PracticalStatus,
    Quantity,
    WantedAmount,
    Waste,
)
from dosing_service.rules import product_wording as words
from dosing_service.rules.fitting import Case, Made, Target, Unmade
from dosing_service.rules.schedule import ADVERB
from dosing_service.units import PER_MG, display, display_range, over, plain, spelled, times

_SUFFIX = {Per.DAY: "/d", Per.WEEK: "/wk", Per.MONTH: "/mo"}
_ZERO = Decimal(0)


def entry(case: Case, target: Target, found: Made | Unmade) -> PracticalDose:
    """Return the entry of the answer for what was found for a target."""
    if isinstance(found, Unmade):
        return _not_makeable(case, target, found)
    used = tuple([item for item, _ in found.pieces]) or case.group.products
    citations = _citations(used)
    return PracticalDose(
        product=used[0].id,
        form=used[0].form,
        formulation=used[0].formulation,
        wanted=_wanted(case, target),
        times_per_day=case.division.per_day,
        status=PracticalStatus.ROUNDED if found.deviation else PracticalStatus.EXACT,
        per_administration=found.text,
        pieces=_pieces(found),
        volume_ml=found.volume_ml,
        diluted_to_ml=found.diluted_to_ml,
        waste=_waste(found),
        achieved=_achieved(case, found.total),
        achieved_per_kg=_per_kg(case, found.total),
        deviation_percent=found.deviation,
        quantity_for_course=_for_course(case, found),
        diluent=used[0].diluent.text if used[0].diluent else None,
        text=_made_text(case, target, found),
        references=citations.references,
        verified=citations.verified,
    )


def _not_makeable(case: Case, target: Target, found: Unmade) -> PracticalDose:
    used = tuple([item for made in found.nearest for item, _ in made.pieces]) or case.group.products
    citations = _citations(used)
    return PracticalDose(
        product=used[0].id,
        form=used[0].form,
        formulation=used[0].formulation,
        wanted=_wanted(case, target),
        times_per_day=case.division.per_day,
        status=PracticalStatus.NOT_MAKEABLE,
        nearest=tuple([_near(case, item) for item in found.nearest]),
        text=_unmade_text(case, target, found),
        references=citations.references,
        verified=citations.verified,
    )


@cache
def _citations(used: tuple[Product, ...]) -> Citations:
    """Return all references of the products; verified where each of them is."""
    listed = tuple(dict.fromkeys(id_ for item in used for id_ in item.citations.references))
    return Citations(listed, all(item.citations.verified for item in used))


def _wanted(case: Case, target: Target) -> WantedAmount:
    low, high = times(target.low, PER_MG[case.unit]), times(target.high, PER_MG[case.unit])
    return WantedAmount(plain(low), plain(high), case.unit, case.regimen.per)


def _pieces(made: Made) -> tuple[Pieces, ...]:
    return tuple(Pieces(item.id, plain(count)) for item, count in made.pieces)


def _waste(made: Made) -> Waste | None:
    if made.waste_mg is None:
        return None
    return Waste(plain(made.waste_mg), "mg", None if made.waste_ml is None else plain(made.waste_ml))


def _achieved(case: Case, total: Decimal) -> KindedQuantity:
    return KindedQuantity(plain(times(total, PER_MG[case.unit])), case.unit, case.regimen.per)


def _per_kg(case: Case, total: Decimal) -> Quantity | None:
    if case.dose.dosing_weight is None:
        return None
    value = over(times(total, PER_MG[case.unit]), case.dose.dosing_weight.value)
    return Quantity(plain(value), f"{case.unit}/kg{_SUFFIX.get(case.regimen.per, '')}")


def _near(case: Case, item: Made) -> NearestDose:
    return NearestDose(item.text, _pieces(item), _achieved(case, item.total), item.deviation)


def _for_course(case: Case, made: Made) -> CourseQuantity | None:
    """Return what the whole course takes; vials are opened anew each time, halves of tablets are kept."""
    number = case.division.in_course
    if number is None:
        return None
    counted = tuple((item, (count * number).to_integral_value(ROUND_CEILING)) for item, count in made.pieces)
    volume = made.volume_ml * number if made.volume_ml is not None and not counted else None
    amount = words.pieces(counted) if counted else f"{display(volume or _ZERO)} mL"
    text = f"{amount} for {number} administration{'' if number == 1 else 's'}"
    return CourseQuantity(number, tuple(Pieces(item.id, plain(count)) for item, count in counted), volume, text)


def _made_text(case: Case, target: Target, made: Made) -> str:
    """Return the dose as one sentence: what is given, how often, what it comes to and how far off it is."""
    text = f"{made.text} {case.division.suffix}"
    if case.division.times > 1:
        text += f", {_amount(case, made.total)}"
    return f"{text}: {_off(case, target, made)}" if made.deviation else text


def _unmade_text(case: Case, target: Target, found: Unmade) -> str:
    wanted = _wanted(case, target)
    text = f"{display_range(wanted.low, wanted.high, wanted.unit)} {ADVERB[wanted.per]} is not makeable: {found.why}"
    near = [f"{item.text} {case.division.suffix}, {_off(case, target, item)}" for item in found.nearest]
    return f"{text}; nearest: {'; '.join(near)}" if near else text


def _off(case: Case, target: Target, made: Made) -> str:
    side, end = ("below", target.low) if made.deviation < 0 else ("above", target.high)
    return f"{display(abs(made.deviation))} percent {side} {_amount(case, end)}"


def _amount(case: Case, total: Decimal) -> str:
    return f"{display(times(total, PER_MG[case.unit]))} {spelled(case.unit)} {ADVERB[case.regimen.per]}"
