"""Completes the chosen regimen's dose: how it runs in, on which days it is given, and what is left of it."""

from datetime import date
from decimal import Decimal

from msgspec.structs import replace

from dosing_service.knowledge.base import Agent, Product, Regimen
from dosing_service.model import Dose, Finding, LimitCheck, NotChecked, Options, Value
from dosing_service.rules import administrations, cumulative, infusion
from dosing_service.rules.administrations import Follow, Schedule, Wish
from dosing_service.rules.conditions import Context
from dosing_service.units import from_mg

_START = "options.start_date"
_NO_SCHEDULE = Schedule(None, None)


class Planned(Value, frozen=True):
    """A dose with its plan, what must be known of it, and what could not be worked out."""

    dose: Dose
    findings: tuple[Finding, ...] = ()
    not_checked: tuple[NotChecked, ...] = ()


def plan(
    agent: Agent, regimen: Regimen, context: Context, options: Options, product: Product | None, *, follow: Follow
) -> Planned:
    """Return the dose of ``context`` with infusion, schedule and totals; ``follow`` finds the dose of a regimen that
    this one leads on to.
    """
    dose = context.dose
    assert dose is not None  # noqa: S101 - there is nothing to plan without a dose
    runs_in, open_points = infusion.plan(agent, regimen, context, product)
    given = _given(dose, options)
    schedule = _undated(agent, regimen, options) or _schedule(regimen, dose, options, given, follow)
    last_on = schedule.summary.last_on if schedule.summary else None
    totals = cumulative.checks(dose, given, options.start_date)
    limits = tuple(_compared(item, given, options, last_on) for item in dose.limits)
    left = cumulative.remaining(dose, given) if given is not None and not totals else None
    planned = replace(
        dose,
        limits=limits,
        infusion=runs_in,
        schedule=schedule.entries,
        schedule_summary=schedule.summary,
        remaining=left,
        cumulative=totals,
    )
    open_points += [*schedule.not_checked, *_unused(planned, options)]
    found = [*cumulative.findings(totals, limits, schedule.summary), *cumulative.whole_course_given(dose, left)]
    return Planned(planned, tuple(found), tuple(open_points))


def _given(dose: Dose, options: Options) -> Decimal | None:
    """Return what was already given in the unit of the dose; ``None`` when it was not said or is no mass there."""
    if options.already_given_mg is None or not dose.amounts:
        return None
    return from_mg(options.already_given_mg, dose.amounts[0].unit)


def _undated(agent: Agent, regimen: Regimen, options: Options) -> Schedule | None:
    """Return no dates for a rhythm of which an order is stopped: a dated plan would be printed and followed."""
    if options.start_date is None or options.include_contraindicated:
        return None
    about = [item for item in agent.disagreements if item.undated and regimen.id in item.regimens]
    if not about:
        return None
    why = f"an order in this rhythm is stopped ({about[0].id}, {about[0].topic}), so its days are dated only on request"
    return Schedule(None, None, (NotChecked("schedule", ("options.include_contraindicated",), why),))


def _schedule(regimen: Regimen, dose: Dose, options: Options, given: Decimal | None, follow: Follow) -> Schedule:
    if options.start_date is None:
        return _NO_SCHEDULE
    counts_in_all = any(item.kind == cumulative.KIND for item in dose.limits)
    wish = Wish(
        start=options.start_date,
        until=options.schedule_until,
        courses=options.courses or 1,
        divided_over_days=options.divided_over_days,
        given=None if counts_in_all or dose.course_total is None else given,
    )
    return administrations.dated(regimen, dose, wish, follow)


def _compared(check: LimitCheck, given: Decimal | None, options: Options, last_on: date | None) -> LimitCheck:
    """Return a maximum compared with what was given or with the length of the schedule, where it is about either."""
    result = cumulative.compared(check, given, options.start_date, last_on)
    return check if result is None else replace(check, reached=result[0], exceeded=result[1])


def _unused(dose: Dose, options: Options) -> list[NotChecked]:
    """Return the wishes that changed nothing."""
    found = []
    if options.start_date is None and (options.schedule_until or options.courses):
        found.append(NotChecked("schedule", (_START,), "administrations are dated from a first day on"))
    if options.already_given_mg is not None and dose.remaining is None and not dose.cumulative:
        why = (
            "neither a course total nor a maximum over all courses is documented; options.already_given changed nothing"
        )
        found.append(NotChecked("already-given", (), why))
    return found
