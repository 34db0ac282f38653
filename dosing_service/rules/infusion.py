"""How a dose runs in: volumes, steps of the rate, highest rates and shortest times; and whether an ordered infusion
keeps to them.
"""

from collections.abc import Iterator
from decimal import ROUND_CEILING, Decimal

from msgspec.structs import replace

from dosing_service.knowledge.base import Agent, Dilution, DoseFigure, Infusion, Product, Regimen, ShortestTime, TimeIs
from dosing_service.knowledge.safety import AnyOf
from dosing_service.model import (
    Amount,
    Category,
    Dose,
    Finding,
    InfusionDilution,
    InfusionMaximum,
    InfusionPlan,
    InfusionSpan,
    InfusionStep,
    InfusionTime,
    NotChecked,
    OrderedInfusion,
    Per,
    Quantity,
    Severity,
    Value,
    Verdict,
)
from dosing_service.rules.conditions import Context, Evaluation, evaluate
from dosing_service.rules.population import Answer
from dosing_service.rules.wording import amount_text
from dosing_service.units import display, display_range, in_mg, over, plain, spelled, times

_SIXTY = Decimal(60)
_THOUSAND = Decimal(1000)
#: From here down (mg/mL) a strength is written in micrograms: 0.2 mcg/mL is not misread, 0.0002 mg/mL is.
_MICROGRAMS_BELOW = Decimal("0.01")
_PRODUCT = "options.product"
_TOO_FAST = "infusion-too-fast"
#: Amounts of these kinds are one infusion, or the infusions of one course together.
_RUNNING = {Per.ADMINISTRATION, Per.COURSE}
_WITHOUT_RISK = Evaluation(Answer.NO)


class _Case(Value, frozen=True):
    """One infusion for one patient: the weight that rates per kg count on, and the strength (mg/mL) of what runs."""

    infusion: Infusion
    regimen: Regimen
    dose: Dose
    kg: Decimal | None
    strength: Decimal | None
    rates_fit: bool


def plan(
    agent: Agent, regimen: Regimen, context: Context, product: Product | None = None
) -> tuple[InfusionPlan | None, list[NotChecked]]:
    """Return how the dose of ``context`` runs in, and what would have to be known to say more."""
    infusion, dose = regimen.infusion, context.dose
    if infusion is None or dose is None:
        return None, [_not_documented()] if regimen.route == "intravenous" and dose is not None else []
    strength = _strength(agent, infusion, product)
    fits = infusion.solution is None or strength is None or strength == infusion.solution
    case = _Case(infusion, regimen, dose, _kg(dose, context), strength, fits)
    risk = _risk(agent, infusion, context)
    answer = _plan(case, risk)
    return answer, list(_unchecked(case, agent, risk))


def _not_documented() -> NotChecked:
    return NotChecked(
        "infusion", (), "the source gives neither time nor rate of the infusion; take them from the label"
    )


def _plan(case: _Case, risk: Evaluation) -> InfusionPlan:
    infusion = case.infusion
    volumes = tuple(_volumes(case))
    cited = infusion.citations
    return InfusionPlan(
        concentration=_concentration(case.strength) if case.strength is not None else None,
        solution=Quantity(infusion.solution, "mg/mL") if infusion.solution is not None else None,
        dilution=_dilution(infusion.dilution) if infusion.dilution else None,
        volumes=volumes,
        time=_time(infusion, volumes),
        rate=_dose_rate(case),
        steps=tuple(_steps(case, _highest(case, risk))),
        step_every_minutes=infusion.steps.every_minutes if infusion.steps else None,
        maxima=tuple(_maxima(case, risk, volumes)),
        text=_step_text(case),
        references=cited.references,
        verified=cited.verified,
    )


def _kg(dose: Dose, context: Context) -> Decimal | None:
    """Return the weight that a rate counts on: the smaller of the actual and the dosing weight, which is the slower."""
    weight = context.facts.patient.weight
    known = [item for item in (weight.kg if weight else None, dose.dosing_weight and dose.dosing_weight.value) if item]
    return min(known, default=None)


# ---------------------------------------------------------------- what runs


def _strength(agent: Agent, infusion: Infusion, product: Product | None) -> Decimal | None:
    """Return mg/mL of what runs: as diluted, else of the product, else what all products share."""
    if infusion.dilution is not None:
        return _diluted(infusion.dilution)
    products = [product] if product is not None else list(agent.products.values())
    strengths = {item.strength if item.strength_unit.code == "mg/mL" else None for item in products}
    return strengths.pop() if len(strengths) == 1 else None


def _diluted(dilution: Dilution) -> Decimal | None:
    """Return mg/mL of an infusion made up to one volume; with a range of volumes there is no one strength."""
    amount = in_mg(dilution.amount, dilution.unit.code)
    if amount is None or dilution.volume_low != dilution.volume_high:
        return None
    return over(amount, dilution.volume_low)


def _concentration(strength: Decimal) -> Quantity:
    """Return a strength as people write it: below a microgram in a microlitre in micrograms."""
    if strength < _MICROGRAMS_BELOW:
        return Quantity(plain(times(strength, _THOUSAND)), "ug/mL")
    return Quantity(plain(strength), "mg/mL")


def _dilution(dilution: Dilution) -> InfusionDilution:
    amount = Quantity(dilution.amount, dilution.unit.code)
    drug = f"{display(dilution.amount)} {spelled(dilution.unit.code)}"
    text = f"{drug} in {display_range(dilution.volume_low, dilution.volume_high, 'mL')}"
    cited = dilution.citations
    volumes = (dilution.volume_low, dilution.volume_high)
    return InfusionDilution(amount, *volumes, text, cited.references, cited.verified)


def _volumes(case: _Case) -> Iterator[InfusionSpan]:
    """Yield the volume of each amount that runs in; of a rate, that of one infusion of the documented time."""
    rate, minutes = _dose_rate(case), case.infusion.minutes
    if rate is not None and minutes is not None:
        low, high = (times(end, time) for end, time in zip((rate.low, rate.high), minutes, strict=True))
        yield _span(Per.ADMINISTRATION, None, over(low, _SIXTY), over(high, _SIXTY), "mL")
    for amount in case.dose.amounts:
        if amount.per in _RUNNING:
            volume = _volume(case, amount)
            if volume is not None:
                yield _span(amount.per, amount.divided_over_days, *volume, "mL")


def _volume(case: _Case, amount: Amount) -> tuple[Decimal, Decimal] | None:
    low, high = in_mg(amount.low, amount.unit), in_mg(amount.high, amount.unit)
    if low is None or high is None:
        return None
    if case.strength is not None:
        return over(low, case.strength), over(high, case.strength)
    dilution = case.infusion.dilution
    if dilution is None or amount.per is Per.COURSE:
        return None
    made_up = in_mg(dilution.amount, dilution.unit.code)
    return (dilution.volume_low, dilution.volume_high) if low == high == made_up else None


def _span(per: Per, days: int | None, low: Decimal, high: Decimal, unit: str) -> InfusionSpan:
    text = display_range(low, high, "mL") if unit == "mL" else f"at least {_hours(_up(low), _up(high))}"
    if days is not None:
        text = f"{text} on each of {days} days" if days > 1 else f"{text} on a single day"
    elif per is Per.COURSE:
        text = f"{text} per course"
    return InfusionSpan(per, days, plain(low), plain(high), unit, text)


def _up(minutes: Decimal) -> Decimal:
    """Return whole minutes, rounded up: a shortest time stays one when it is read."""
    return minutes.to_integral_value(ROUND_CEILING)


def _hours(low: Decimal, high: Decimal) -> str:
    """Return minutes in words, in hours from one hour on."""
    if low != high:
        in_hours = low % _SIXTY == high % _SIXTY == 0
        factor, word = (_SIXTY, "hours") if in_hours else (Decimal(1), "minutes")
        return f"{display(over(low, factor))} to {display(over(high, factor))} {word}"
    if low < _SIXTY:
        return "1 minute" if low == 1 else f"{display(low)} minutes"
    hours, minutes = divmod(low, _SIXTY)
    words = f"{display(hours)} {'hour' if hours == 1 else 'hours'}"
    return f"{words} {display(minutes)} minutes" if minutes else words


# ---------------------------------------------------------------- rates


def _figure(case: _Case) -> DoseFigure | None:
    """Return the documented rate: that of the infusion, or the dose itself where it is one."""
    return case.infusion.rate or (case.regimen.figure if case.regimen.per is Per.RATE else None)


def _per_hour(case: _Case, rate: Decimal, figure: DoseFigure) -> Decimal | None:
    """Return a rate in the figure's unit as mL/h; ``None`` where weight, strength or solution do not allow it."""
    unit = figure.unit
    value = rate
    if unit.body == "kg":
        if case.kg is None:
            return None
        value = times(value, case.kg)
    if unit.time == "min":
        value = times(value, _SIXTY)
    if unit.amount == "mL":
        return plain(value) if case.rates_fit else None
    amount = in_mg(value, unit.amount)
    return None if amount is None or case.strength is None else plain(over(amount, case.strength))


def _dose_rate(case: _Case) -> Amount | None:
    """Return the dose itself in mL/h, where it is a rate."""
    figure = _figure(case)
    if figure is None or case.regimen.per is not Per.RATE:
        return None
    low, high = _per_hour(case, figure.low, figure), _per_hour(case, figure.high, figure)
    if low is None or high is None:
        return None
    return Amount(Per.RATE, low, high, "mL/h", amount_text(low, high, "mL/h", ""))


def _risk(agent: Agent, infusion: Infusion, context: Context) -> Evaluation:
    """Return whether the patient belongs to those whose rate stays lower."""
    if infusion.reduced is None:
        return _WITHOUT_RISK
    asked = set(infusion.reduced.rules)
    return evaluate(AnyOf(tuple([rule.when for rule in agent.safety.rules if rule.id in asked])), context)


def _highest(case: _Case, risk: Evaluation) -> Decimal | None:
    """Return the highest rate that holds: the reduced one also while it is unknown whether the patient is at risk."""
    figure, reduced = _figure(case), case.infusion.reduced
    if figure is None:
        return None
    return reduced.high if reduced is not None and risk.answer is not Answer.NO else figure.high


def _maxima(case: _Case, risk: Evaluation, volumes: tuple[InfusionSpan, ...]) -> Iterator[InfusionMaximum]:
    figure, reduced = _figure(case), case.infusion.reduced
    if figure is None:
        return
    unknown = risk.answer is Answer.UNKNOWN
    verdict = Verdict.POSSIBLE if unknown else Verdict.APPLIES
    if reduced is not None and risk.answer is not Answer.NO:
        words = f"with a risk factor ({', '.join(reduced.rules)})"
        yield _maximum(case, reduced.high, volumes, words, verdict, risk)
    if reduced is None or risk.answer is not Answer.YES:
        yield _maximum(case, figure.high, volumes, "without a risk factor" if reduced else None, verdict, risk)


def _maximum(
    case: _Case,
    rate: Decimal,
    volumes: tuple[InfusionSpan, ...],
    applies_to: str | None,
    verdict: Verdict,
    risk: Evaluation,
) -> InfusionMaximum:
    figure = _figure(case)
    assert figure is not None  # noqa: S101 - the caller looked
    per_hour = _per_hour(case, rate, figure)
    text = f"at most {display(rate)} {spelled(figure.unit.code)}"
    if per_hour is not None:
        text = f"{text}, {display(per_hour)} mL/h"
    return InfusionMaximum(
        rate=Quantity(plain(rate), figure.unit.code),
        ml_per_hour=per_hour,
        applies_to=applies_to,
        verdict=verdict,
        because=risk.because,
        needs=risk.needs,
        shortest=tuple(_shortest(volumes, per_hour)) if case.regimen.per is not Per.RATE else (),
        text=text if applies_to is None else f"{text} {applies_to}",
    )


def _shortest(volumes: tuple[InfusionSpan, ...], per_hour: Decimal | None) -> Iterator[InfusionSpan]:
    """Yield the time that each volume takes at the highest rate throughout; real infusions begin slower."""
    for volume in volumes if per_hour else ():
        assert per_hour is not None  # noqa: S101 - stated for the type checker
        low, high = (over(times(end, _SIXTY), per_hour) for end in (volume.low, volume.high))
        yield _span(volume.per, volume.divided_over_days, low, high, "min")


def _steps(case: _Case, highest: Decimal | None) -> Iterator[InfusionStep]:
    """Yield the steps of the rate; where the source does not state their size, the first alone."""
    figure, steps = _figure(case), case.infusion.steps
    if figure is None or steps is None or highest is None:
        return
    rate, minute = figure.low, Decimal(0)
    while steps.size and rate < highest:
        yield _step(case, figure, rate, minute, steps.every_minutes)
        rate, minute = min(rate + steps.size, highest), minute + steps.every_minutes
    yield _step(case, figure, rate, minute, None if steps.size else steps.every_minutes)


def _step(case: _Case, figure: DoseFigure, rate: Decimal, minute: Decimal, length: Decimal | None) -> InfusionStep:
    per_hour = _per_hour(case, rate, figure)
    begins = f"from minute {display(minute)}" if minute else "at the start"
    flow = f" ({display(per_hour)} mL/h)" if per_hour is not None else ""
    lasts = f" for {display(length)} minutes" if length else ""
    text = f"{begins} {display(rate)} {spelled(figure.unit.code)}{flow}{lasts}"
    return InfusionStep(minute, length, Quantity(plain(rate), figure.unit.code), per_hour, text)


def _step_text(case: _Case) -> str | None:
    steps, note = case.infusion.steps, case.infusion.note
    if steps is None or steps.size:
        return note
    added = f"The rate is raised every {display(steps.every_minutes)} minutes; the source does not state by how much."
    return f"{note} {added}" if note else added


def _time(infusion: Infusion, volumes: tuple[InfusionSpan, ...]) -> InfusionTime | None:
    minutes, is_ = infusion.minutes, infusion.time_is
    if minutes is None or is_ is None:
        return None
    low, high = minutes
    words = "at least" if is_ is TimeIs.AT_LEAST else "over"
    longest = high if is_ is TimeIs.BETWEEN else None
    return InfusionTime(is_.value, low, longest, _fastest(volumes, low), f"{words} {_hours(low, high)}")


def _fastest(volumes: tuple[InfusionSpan, ...], minutes: Decimal) -> Amount | None:
    """Return the flow at which one infusion takes the shortest documented time."""
    single = [item for item in volumes if item.per is Per.ADMINISTRATION]
    if len(single) != 1:
        return None
    low, high = (plain(over(times(end, _SIXTY), minutes)) for end in (single[0].low, single[0].high))
    return Amount(Per.RATE, low, high, "mL/h", amount_text(low, high, "mL/h", ""))


# ---------------------------------------------------------------- what is not known


def _unchecked(case: _Case, agent: Agent, risk: Evaluation) -> Iterator[NotChecked]:
    if risk.answer is Answer.UNKNOWN:
        yield NotChecked("infusion-rate", risk.needs, "the highest rate depends on risk factors; the lower one is kept")
    figure = _figure(case)
    if not case.rates_fit:
        why = "the rates in mL are documented for another strength than that of this product; take them from its label"
        yield NotChecked("infusion-rate", (), why)
    elif figure is not None and figure.unit.body == "kg" and case.kg is None:
        yield NotChecked("infusion-rate", ("patient.weight",), "the rate is counted per kg of body weight")
    liquids = {item.strength for item in agent.products.values() if item.strength_unit.code == "mg/mL"}
    if case.strength is None and case.infusion.dilution is None and len(liquids) > 1:
        yield NotChecked("infusion-volume", (_PRODUCT,), "products differ in strength, so the volume depends on which")


# ---------------------------------------------------------------- an ordered infusion


def check(
    answer: InfusionPlan,
    amount: Quantity,
    kg: Decimal | None,
    ordered: OrderedInfusion,
    *,
    shortest: ShortestTime | None = None,
) -> tuple[list[Finding], list[NotChecked]]:
    """Return whether an infusion of ``amount``, ordered with a time or a rate, keeps to the documented time and rate.

    A rate is compared with the maximum that holds (the lower one while risk factors are unknown); a time with the
    documented one, with the ``shortest`` that is not forbidden, and with what the highest rate allows for the amount.
    At most one finding of each kind comes back.
    """
    order = _Order(answer, amount, kg, ordered, shortest)
    results = [*_rate_findings(order), *_time_findings(order)]
    found = sorted((item for item in results if isinstance(item, Finding)), key=_gravity)
    by_id = {item.id: item for item in reversed(found)}
    return list(by_id.values()), [item for item in results if isinstance(item, NotChecked)]


def _gravity(finding: Finding) -> tuple[int, bool]:
    return list(Severity).index(finding.severity), finding.verdict is Verdict.POSSIBLE


class _Order(Value, frozen=True):
    """An ordered infusion beside the plan it is judged by."""

    plan: InfusionPlan
    amount: Quantity
    kg: Decimal | None
    ordered: OrderedInfusion
    shortest: ShortestTime | None


def _rate_findings(order: _Order) -> Iterator[Finding | NotChecked]:
    """Compare the ordered rate with the highest one."""
    rate, unit = order.ordered.rate, order.ordered.rate_unit
    if rate is None or unit is None or not order.plan.maxima:
        return
    per_hour = _ml_per_hour(order, rate, unit)
    passed = []
    for maximum in order.plan.maxima:
        if unit == maximum.rate.unit:
            is_faster = rate > maximum.rate.value
        elif per_hour is not None and maximum.ml_per_hour is not None:
            is_faster = per_hour > maximum.ml_per_hour
        else:
            why = f"a rate in {spelled(unit)} cannot be compared without the strength of what runs and the weight"
            yield NotChecked("infusion-rate", _rate_needs(order), why)
            return
        passed += [maximum] if is_faster else []
    if passed:
        yield _above(order, f"{display(rate)} {spelled(unit)}", passed, passed[-1].text)


def _rate_needs(order: _Order) -> tuple[str, ...]:
    needs = (_PRODUCT,) if order.plan.concentration is None else ()
    return needs if order.kg is not None else (*needs, "patient.weight")


def _ml_per_hour(order: _Order, rate: Decimal, unit: str) -> Decimal | None:
    """Return a rate in mL/h; ``None`` for a unit that is no rate, or without the weight or strength it needs."""
    amount, *rest = unit.split("/")
    value = rate
    if rest[:1] == ["kg"]:
        if order.kg is None:
            return None
        value, rest = times(value, order.kg), rest[1:]
    if rest not in (["h"], ["min"]):
        return None
    value = times(value, _SIXTY) if rest == ["min"] else value
    if amount == "mL":
        return value
    mass, strength = in_mg(value, amount), _strength_of(order)
    return None if mass is None or strength is None else over(mass, strength)


def _strength_of(order: _Order) -> Decimal | None:
    """Return mg/mL of what runs."""
    known = order.plan.concentration
    return None if known is None else in_mg(known.value, known.unit.removesuffix("/mL"))


def _time_findings(order: _Order) -> Iterator[Finding | NotChecked]:
    """Compare the ordered time, or the time that the ordered rate takes, with the documented one and the highest
    rate.
    """
    minutes = order.ordered.duration_minutes
    if minutes is None:
        minutes = _minutes_at(order)
    if minutes is None:
        if order.ordered.rate is None or not order.plan.maxima:
            why = "without the time of the infusion, or its rate and volume, it cannot be told whether it is too fast"
            yield NotChecked("infusion-time", (), why)
        return
    if order.plan.rate is None:
        yield from _against_documented(order, minutes)
        yield from _against_highest(order, minutes)


def _minutes_at(order: _Order) -> Decimal | None:
    """Return how long the amount takes at the ordered rate."""
    rate, unit = order.ordered.rate, order.ordered.rate_unit
    per_hour = _ml_per_hour(order, rate, unit) if rate and unit else None
    volume = _volume_of(order)
    return over(times(volume, _SIXTY), per_hour) if per_hour and volume is not None else None


def _volume_of(order: _Order) -> Decimal | None:
    mass, strength = in_mg(order.amount.value, order.amount.unit), _strength_of(order)
    return None if mass is None or strength is None else over(mass, strength)


def _against_documented(order: _Order, minutes: Decimal) -> Iterator[Finding]:
    time = order.plan.time
    if time is None:
        return
    ordered = _hours(minutes, minutes)
    if _is_forbidden(order, minutes):
        yield _forbidden(order, ordered)
    elif minutes < time.shortest_minutes:
        severity = Severity.MODERATE if time.bound == TimeIs.ABOUT else Severity.MAJOR
        yield _finding(order, _TOO_FAST, severity, f"{ordered} is faster than documented: {time.text}.")
    elif time.longest_minutes is not None and minutes > time.longest_minutes:
        yield _finding(order, "infusion-too-slow", Severity.MINOR, f"{ordered} is slower than documented: {time.text}.")


def _is_forbidden(order: _Order, minutes: Decimal) -> bool:
    shortest, amount = order.shortest, in_mg(order.amount.value, order.amount.unit)
    return shortest is not None and amount is not None and amount >= shortest.amount and minutes < shortest.minutes


def _forbidden(order: _Order, ordered: str) -> Finding:
    shortest = order.shortest
    assert shortest is not None  # noqa: S101 - the caller looked
    least = _hours(shortest.minutes, shortest.minutes)
    summary = f"{ordered} is too fast: {display(shortest.amount)} mg and more take at least {least}."
    found = _finding(order, _TOO_FAST, Severity.CONTRAINDICATED, summary)
    return replace(found, references=shortest.citations.references, verified=shortest.citations.verified)


def _against_highest(order: _Order, minutes: Decimal) -> Iterator[Finding | NotChecked]:
    """Compare a time with what the highest rate allows for the amount, before any rounding."""
    if not order.plan.maxima:
        return
    volume, rates = _volume_of(order), [item.ml_per_hour for item in order.plan.maxima]
    if volume is None or None in rates:
        why = "whether the amount can run in within this time depends on the strength of what runs and the weight"
        yield NotChecked("infusion-time", _rate_needs(order), why)
        return
    needed = times(volume, _SIXTY)
    passed = [item for item in order.plan.maxima if item.ml_per_hour and needed > times(minutes, item.ml_per_hour)]
    if passed and passed[-1].ml_per_hour:
        shortest = over(needed, passed[-1].ml_per_hour)
        documented = f"{passed[-1].text}, so at least {_hours(shortest, shortest)} for {display(volume)} mL"
        yield _above(order, _hours(minutes, minutes), passed, documented)


def _above(order: _Order, ordered: str, passed: list[InfusionMaximum], documented: str) -> Finding:
    """Say that a rate or time passes some of the maxima: with risk factors unknown, all of them or only the lower."""
    is_certain = len(passed) == len(order.plan.maxima)
    summary = f"{ordered} is faster than documented: {documented}."
    found = _finding(order, _TOO_FAST, Severity.MAJOR, summary)
    return found if is_certain else replace(found, verdict=Verdict.POSSIBLE, because=passed[0].needs)


def _finding(order: _Order, id_: str, severity: Severity, summary: str) -> Finding:
    return Finding(
        id=id_,
        category=Category.ADMINISTRATION,
        severity=severity,
        verdict=Verdict.APPLIES,
        summary=summary,
        because=("infusion",),
        management="Change the rate or the time of the infusion to what is documented.",
        references=order.plan.references,
        verified=order.plan.verified,
    )
