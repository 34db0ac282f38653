"""Computes the dose of one regimen for one patient, exactly, with every step of the working."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache

from dosing_service.knowledge.base import Band, DoseFigure, Limit, Product, Regimen
from dosing_service.model import (
    Amount,
    Basis,
    Cap,
    Citations,
    Dose,
    DosedBy,
    DosingWeight,
    NotChecked,
    Options,
    Patient,
    Per,
    Quantity,
    Step,
)
from dosing_service.rules import body, caps
from dosing_service.rules.population import Answer, in_age_range, in_range
from dosing_service.rules.schedule import Conversion, Plan, plan
from dosing_service.rules.wording import amount_text
from dosing_service.units import display_range, exact_text, over, plain, times

_NO_PATIENT = Patient()
_DEFAULTS = Options()
_PER_UNIT = {Per.DAY: "/d", Per.WEEK: "/wk", Per.MONTH: "/mo", Per.RATE: "/min"}


@dataclass(frozen=True, slots=True)
class Computed:
    """A dose and the working behind it."""

    dose: Dose
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """Inputs without which the dose cannot be computed."""

    inputs: tuple[NotChecked, ...]


@dataclass(frozen=True, slots=True)
class Measure:
    """What the documented figure is multiplied with; ``value`` is ``None`` for a fixed amount."""

    value: Decimal | None = None
    text: str = ""
    steps: tuple[Step, ...] = ()
    weight: DosedBy | None = None
    area: Quantity | None = None


def compute(
    regimen: Regimen, patient: Patient, options: Options = _DEFAULTS, product: Product | None = None
) -> Computed | Missing:
    """Return the dose of ``regimen`` for ``patient``, or what is missing.

    The regimen's population is not looked at here; ``options`` must fit the regimen (see
    :mod:`dosing_service.rules.schedule`).
    """
    figure = _figure(regimen, patient)
    if isinstance(figure, Missing):
        return figure
    if regimen.basis is Basis.CONCENTRATION:
        return _strength_only(regimen, figure)
    by_volume = regimen.basis is Basis.CONCENTRATION_VOLUME
    weight = options.dosing_weight or regimen.dosing_weight
    measured = _by_volume(regimen, options) if by_volume else measure(figure, patient, weight)
    if isinstance(measured, Missing):
        return measured
    low, high, steps = _multiplied(regimen, figure, measured)
    schedule = plan(regimen, options.times_per_day, options.divided_over_days)
    bound = caps.concerning(
        regimen.limits, patient, product.formulation if product else None, _measures(patient, measured)
    )
    checks = tuple(caps.check(item, high, regimen.per, schedule.conversions) for item in bound)
    cap = _cap(regimen, figure, bound, low, high, schedule)
    if cap:
        held = _allowed(cap[0], regimen, schedule)
        low, high = min(low, held), min(high, held)
        steps = (*steps, cap[1])
    own = _own_amount(regimen, figure, low, high, schedule)
    derived, more = _derived(regimen, own, schedule)
    dose = Dose(
        basis=regimen.basis,
        amounts=(own, *derived),
        limits=checks,
        dosing_weight=measured.weight,
        body_surface_area=measured.area,
        concentration=_concentration(regimen, figure),
        cap=cap[2] if cap else None,
        frequency=regimen.frequency.text if regimen.frequency else None,
        course_total=next((item for item in (own, *derived) if item.per is Per.COURSE), None),
        citations=regimen.citations,
    )
    return Computed(dose, (*measured.steps, *steps, *more))


@cache
def constant(regimen: Regimen) -> Computed | None:
    """Return the dose that everyone gets for whom ``regimen`` is documented, or ``None`` where it depends on the patient."""
    concerning = [limit for limit in regimen.limits if _meets(limit, regimen)]
    gated = any(limit.unit.body or limit.age or limit.weight for limit in concerning)
    if regimen.basis is not Basis.FIXED or gated:
        return None
    computed = compute(replace(regimen, limits=tuple(concerning)), _NO_PATIENT)
    return computed if isinstance(computed, Computed) else None


def _meets(limit: Limit, regimen: Regimen) -> bool:
    return regimen.ages is None or limit.age is None or regimen.ages.overlaps(limit.age)


def _figure(regimen: Regimen, patient: Patient) -> DoseFigure | Missing:
    """Return the regimen's figure, or that of the patient's band."""
    if regimen.figure:
        return regimen.figure
    for band in regimen.bands:
        answer = _in_band(regimen.basis, band, patient)
        if answer is Answer.YES:
            return band.figure
    return Missing(_band_inputs(regimen.basis))


def _in_band(basis: Basis, band: Band, patient: Patient) -> Answer:
    if basis is Basis.AGE_BAND:
        return in_age_range(band.range, patient.age)
    if basis is Basis.WEIGHT_BAND:
        return in_range(band.range, patient.weight.kg if patient.weight else None)
    return in_range(band.range, area_of(patient))


def area_of(patient: Patient) -> Decimal | None:
    """Return the patient's body surface area in m², or ``None`` without weight or height."""
    if patient.weight is None or patient.height_cm is None:
        return None
    return body.surface_area(patient.height_cm, patient.weight.kg)


def _band_inputs(basis: Basis) -> tuple[NotChecked, ...]:
    if basis is Basis.AGE_BAND:
        return (_needs("patient.age", "the dose depends on the age"),)
    if basis is Basis.WEIGHT_BAND:
        return (_needs("patient.weight", "the dose depends on a weight band"),)
    return _area_inputs(_NO_PATIENT)


def _needs(path: str, why: str) -> NotChecked:
    return NotChecked("dose", (path,), why)


def _area_inputs(patient: Patient) -> tuple[NotChecked, ...]:
    why = "the dose is counted on body surface area"
    missing = [("patient.weight", patient.weight), ("patient.height", patient.height_cm)]
    return tuple(_needs(path, why) for path, value in missing if value is None)


def measure(figure: DoseFigure, patient: Patient, kind: DosingWeight) -> Measure | Missing:
    """Return what a figure that is fixed, per kg or per m2 is multiplied with, and how it came about."""
    if figure.unit.body is None:
        return Measure()
    return _by_area(patient) if figure.unit.body == "m2" else _by_weight(patient, kind)


def _by_weight(patient: Patient, kind: DosingWeight) -> Measure | Missing:
    weight = patient.weight
    if weight is None:
        return Missing((_needs("patient.weight", "the dose is counted per kg of body weight"),))
    if kind is DosingWeight.ACTUAL:
        steps = _unit_step(patient)
        return Measure(weight.kg, f"{exact_text(weight.kg)} kg", steps, DosedBy(weight.kg, kind))
    value = body.ideal_weight(patient) if kind is DosingWeight.IDEAL else body.adjusted_weight(patient)
    if value is None:
        return Missing(_ideal_inputs(patient))
    step = Step(f"{kind.value} body weight from sex, height and weight", f"{exact_text(value)} kg", body.IDEAL_WEIGHT)
    return Measure(value, f"{exact_text(value)} kg", (step,), DosedBy(value, kind))


def _unit_step(patient: Patient) -> tuple[Step, ...]:
    weight = patient.weight
    if weight is None or weight.unit == "kg":
        return ()
    return (
        Step(
            f"{exact_text(weight.value)} {weight.unit} in kilograms",
            f"{exact_text(weight.kg)} kg",
            body.UNIT_DEFINITIONS,
        ),
    )


def _ideal_inputs(patient: Patient) -> tuple[NotChecked, ...]:
    why = "the dose is counted on ideal body weight, which needs sex (female or male) and a height from 152.4 cm"
    missing = [
        (
            "patient.sex",
            patient.sex is None or body.ideal_weight(replace(patient, height_cm=body.IDEAL_WEIGHT_FROM_CM)) is None,
        )
    ]
    missing.append(("patient.height", patient.height_cm is None or patient.height_cm < body.IDEAL_WEIGHT_FROM_CM))
    return tuple(_needs(path, why) for path, is_missing in missing if is_missing)


def _by_area(patient: Patient) -> Measure | Missing:
    area = area_of(patient)
    if area is None or patient.height_cm is None or patient.weight is None:
        return Missing(_area_inputs(patient))
    expression = f"√({exact_text(patient.height_cm)} cm × {exact_text(patient.weight.kg)} kg ÷ 3600)"
    text = f"{exact_text(area)} m2"
    steps = (*_unit_step(patient), Step(expression, text, body.MOSTELLER))
    return Measure(area, text, steps, area=Quantity(area, "m2"))


def _by_volume(regimen: Regimen, options: Options) -> Measure | Missing:
    if options.volume_ml is not None:
        return Measure(options.volume_ml, f"{exact_text(options.volume_ml)} mL")
    if regimen.volume is None:
        return Missing(
            (
                _needs(
                    "options.volume",
                    "the source gives a concentration and no volume; the milligrams follow from the volume given",
                ),
            )
        )
    return Measure()


def _measures(patient: Patient, measured: Measure) -> dict[str | None, Decimal | None]:
    """Return what a limit per kg or per m2 is multiplied with: the dosing weight where there is one, else the
    actual weight.
    """
    kg = measured.weight.value if measured.weight else (patient.weight.kg if patient.weight else None)
    return {None: Decimal(1), "kg": kg, "m2": measured.area.value if measured.area else area_of(patient)}


def _multiplied(regimen: Regimen, figure: DoseFigure, measured: Measure) -> tuple[Decimal, Decimal, tuple[Step, ...]]:
    """Return low and high of the regimen's own amount, and the steps."""
    unit = _own_unit(regimen)
    if figure.unit.body is None:
        return (
            figure.low,
            figure.high,
            (Step("documented amount", _result(figure.low, figure.high, unit), regimen.citations),),
        )
    if measured.value is None and regimen.volume:
        return _by_documented_volume(regimen, figure, unit)
    value = measured.value if measured.value is not None else Decimal(1)
    low, high = times(figure.low, value), times(figure.high, value)
    steps = [_product_step(figure.low, figure, measured.text, low, unit, regimen.citations)]
    if figure.high != figure.low:
        steps.append(_product_step(figure.high, figure, measured.text, high, unit, regimen.citations))
    return low, high, tuple(steps)


def _by_documented_volume(regimen: Regimen, figure: DoseFigure, unit: str) -> tuple[Decimal, Decimal, tuple[Step, ...]]:
    volume = regimen.volume
    assert volume is not None  # noqa: S101 - narrowed by the caller, stated for the type checker
    low, high = times(figure.low, volume.low), times(figure.high, volume.high)
    steps = [_product_step(figure.low, figure, f"{exact_text(volume.low)} mL", low, unit, regimen.citations)]
    steps.append(_product_step(figure.high, figure, f"{exact_text(volume.high)} mL", high, unit, regimen.citations))
    return low, high, tuple(steps)


def _product_step(
    factor: Decimal, figure: DoseFigure, measure: str, result: Decimal, unit: str, citations: Citations
) -> Step:
    return Step(f"{exact_text(factor)} {figure.unit.code} × {measure}", f"{exact_text(result)} {unit}", citations)


def _own_unit(regimen: Regimen) -> str:
    return regimen.amount_unit + _PER_UNIT.get(regimen.per, "")


def _result(low: Decimal, high: Decimal, unit: str) -> str:
    return f"{exact_text(low)} {unit}" if low == high else f"{exact_text(low)} to {exact_text(high)} {unit}"


def _wire_unit(regimen: Regimen) -> str:
    """Return the unit of the amounts: the kind of amount carries the period, only a rate keeps its time in the unit."""
    return _own_unit(regimen) if regimen.per is Per.RATE else regimen.amount_unit


def _allowed(item: caps.BoundLimit, regimen: Regimen, schedule: Plan) -> Decimal:
    most = caps.allowed(item, regimen.per, schedule.conversions)
    assert most is not None  # noqa: S101 - only limits that could be compared are chosen as cap
    return most


def _cap(
    regimen: Regimen, figure: DoseFigure, bound: Sequence[caps.BoundLimit], low: Decimal, high: Decimal, schedule: Plan
) -> tuple[caps.BoundLimit, Step, Cap] | None:
    """Return the limit that holds the dose, if one does: the lowest of those that may."""
    holding = [
        item for item in bound if item.holds and caps.allowed(item, regimen.per, schedule.conversions) is not None
    ]
    if not holding:
        return None
    lowest = min(holding, key=lambda item: _allowed(item, regimen, schedule))
    most = _allowed(lowest, regimen, schedule)
    if high <= most:
        return None
    unit = _wire_unit(regimen)
    uncapped = Amount(regimen.per, low, high, unit, amount_text(low, high, unit, schedule.suffix))
    bites = None
    if figure.unit.body in {"kg", "m2"} and lowest.limit.unit.body is None:
        bites = Quantity(over(most, figure.high), figure.unit.body)
    step = Step(
        f"at most {exact_text(most)} {_own_unit(regimen)} ({lowest.limit.kind})",
        _result(min(low, most), most, _own_unit(regimen)),
        lowest.limit.citations,
    )
    return lowest, step, Cap(lowest.limit.kind, uncapped, lowest.value, lowest.limit.unit.amount, bites)


def _own_amount(regimen: Regimen, figure: DoseFigure, low: Decimal, high: Decimal, schedule: Plan) -> Amount:
    unit = _wire_unit(regimen)
    values = figure.values if figure.unit.body is None and high == figure.high else None
    text = amount_text(low, high, unit, schedule.suffix, values)
    return Amount(regimen.per, plain(low), plain(high), unit, text, values, schedule.times_per_day)


def _derived(regimen: Regimen, own: Amount, schedule: Plan) -> tuple[tuple[Amount, ...], tuple[Step, ...]]:
    amounts, steps = [], []
    for conversion in schedule.conversions:
        low, high = _converted(own.low, own.high, conversion)
        text = amount_text(low, high, own.unit, conversion.suffix)
        amounts.append(
            Amount(conversion.per, low, high, own.unit, text, None, conversion.times_per_day, conversion.days)
        )
        steps.append(_conversion_step(regimen, own, conversion, low, high))
    return tuple(amounts), tuple(steps)


def _converted(low: Decimal, high: Decimal, conversion: Conversion) -> tuple[Decimal, Decimal]:
    if conversion.divides:
        return plain(over(low, conversion.high)), plain(over(high, conversion.low))
    return plain(times(low, conversion.low)), plain(times(high, conversion.high))


def _conversion_step(regimen: Regimen, own: Amount, conversion: Conversion, low: Decimal, high: Decimal) -> Step:
    factor = (
        exact_text(conversion.low)
        if conversion.low == conversion.high
        else f"{exact_text(conversion.low)} to {exact_text(conversion.high)}"
    )
    sign = "÷" if conversion.divides else "×"
    left = _result(own.low, own.high, _own_unit(regimen))
    if own.low != own.high:
        left = f"({left})"
    result = _result(low, high, own.unit + _PER_UNIT.get(conversion.per, ""))
    return Step(f"{left} {sign} {factor} {conversion.words}", result, regimen.citations)


def _concentration(regimen: Regimen, figure: DoseFigure) -> Amount | None:
    if regimen.basis not in {Basis.CONCENTRATION, Basis.CONCENTRATION_VOLUME}:
        return None
    unit = figure.unit.code
    return Amount(Per.ADMINISTRATION, figure.low, figure.high, unit, display_range(figure.low, figure.high, unit))


def _strength_only(regimen: Regimen, figure: DoseFigure) -> Computed:
    """A preparation whose strength is documented and whose amount is not: no amounts, and the answer says so."""
    dose = Dose(
        basis=regimen.basis,
        amounts=(),
        limits=(),
        dosing_weight=None,
        body_surface_area=None,
        concentration=_concentration(regimen, figure),
        cap=None,
        frequency=regimen.frequency.text if regimen.frequency else None,
        course_total=None,
        citations=regimen.citations,
    )
    return Computed(dose, (Step("documented strength", _result(figure.low, figure.high, "%"), regimen.citations),))
