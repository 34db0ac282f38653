"""Turns a computed dose into products: which groups of products suit it, and how it is divided among them."""

from functools import cache

import msgspec

from dosing_service.knowledge.base import Agent, Product, Regimen
from dosing_service.model import NotChecked, Options, Patient, Per, PracticalDose, Value
from dosing_service.rules.division import Division, division
from dosing_service.rules.dose import Computed, Held, constant, held, unconditional
from dosing_service.rules.fitting import Case, fit, targets
from dosing_service.rules.practical_answer import entry
from dosing_service.rules.product_groups import Group, groups
from dosing_service.units import MG_IN

_NO_PATIENT = Patient()


class Practical(Value, frozen=True):
    """The dose in products, one entry for each group of them (``None`` where nobody asked), and what is open."""

    doses: tuple[PracticalDose, ...] | None
    not_checked: tuple[NotChecked, ...]


_NOTHING = Practical((), ())


def practical(
    agent: Agent, regimen: Regimen, computed: Computed, patient: Patient, options: Options, product: Product | None
) -> Practical:
    """Return ``computed`` in the products of ``agent`` that suit ``regimen`` (or in ``product`` alone)."""
    if not computed.dose.amounts or computed.dose.amounts[0].unit not in MG_IN:
        return _NOTHING
    doses: list[PracticalDose] = []
    unchecked: dict[NotChecked, None] = {}
    for group in groups(agent, regimen, options.jurisdiction, product):
        times_per_day = _times_per_day(regimen, group, options)
        divided = division(regimen, times_per_day, options.divided_over_days)
        if divided is None:
            unchecked[_open_division(regimen)] = None
        elif not _may_be_given(regimen, group, divided):
            unchecked |= {_other_rhythm(group): None} if product else {}
        else:
            own = _of_group(regimen, group, computed, patient, options, product, times_per_day)
            case = Case(regimen, group, divided, computed.dose, own)
            doses += [entry(case, target, fit(case, target)) for target in targets(case)]
    return Practical(tuple(doses), tuple(unchecked))


@cache
def constant_practical(agent: Agent, regimen: Regimen, jurisdiction: str | None) -> Practical | None:
    """Return what is the same for everyone for whom ``regimen`` is documented, or ``None`` where it depends on the
    patient.
    """
    computed, same = constant(regimen), unconditional(regimen)
    if computed is None or same is None:
        return None
    return practical(agent, same, computed, _NO_PATIENT, Options(jurisdiction=jurisdiction), None)


def _times_per_day(regimen: Regimen, group: Group, options: Options) -> int | None:
    """Return how often a day the caller wants it, else how often an extended-release form is given, where the source
    leaves that open.
    """
    if options.times_per_day is not None or regimen.per is not Per.DAY or regimen.frequency is not None:
        return options.times_per_day
    return group.times_per_day


def _may_be_given(regimen: Regimen, group: Group, divided: Division) -> bool:
    """Tell whether a form is given so often: an extended-release form at its own rhythm, or as its regimen says."""
    if group.times_per_day in {None, divided.per_day}:
        return True
    documented = division(regimen, None, None)
    for_this_form = regimen.formulation is not None and regimen.formulation == group.first.formulation
    return for_this_form and documented is not None and documented.per_day == divided.per_day


def _open_division(regimen: Regimen) -> NotChecked:
    needs: tuple[str, ...] = ()
    if regimen.per is Per.DAY:
        needs = ("options.times_per_day",)
    elif regimen.per is Per.COURSE and regimen.course is not None and regimen.course.days_low is not None:
        needs = ("options.divided_over_days",)
    why = f"tablets, vials and volumes follow once it is known into how many parts the amount per {regimen.per} goes"
    return NotChecked("practical", needs, why)


def _other_rhythm(group: Group) -> NotChecked:
    often = {1: "once daily", 2: "twice daily"}[group.times_per_day or 1]
    why = f"this product acts for {group.first.release_hours} hours and is given {often}"
    return NotChecked("practical", ("options.times_per_day",), why)


def _of_group(
    regimen: Regimen,
    group: Group,
    computed: Computed,
    patient: Patient,
    options: Options,
    product: Product | None,
    times_per_day: int | None,
) -> Held:
    """Return the regimen's own amount as the maxima of this formulation and this rhythm hold it."""
    by_formulation = product is None and any(limit.formulation for limit in regimen.limits)
    if not by_formulation and times_per_day == options.times_per_day:
        own = computed.dose.amounts[0]
        return Held(own.low, own.high, computed.most)
    asked = msgspec.structs.replace(options, times_per_day=times_per_day)
    return held(regimen, computed.dose, patient, asked, group.first)
