"""Computes the dose of one regimen for one patient, exactly, with every step of the working."""

from dataclasses import replace
from decimal import Decimal
from functools import cache

from msgspec import structs

from dosing_service.knowledge.base import Band, DoseFigure, Effect, Limit, Product, Regimen
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
    SurfaceAreaFormula,
    Value,
    WeightDose,
)
from dosing_service.rules import body, caps, measure
from dosing_service.rules.measure import Measure, Missing, step
from dosing_service.rules.population import WEIGHT, Answer, in_age_range, in_range
from dosing_service.rules.schedule import Conversion, Plan, plan
from dosing_service.rules.wording import amount_text
from dosing_service.units import display_range, exact_text, over, plain, times

_NO_PATIENT = Patient()
_DEFAULTS = Options()
_ONE = Decimal(1)
_WITHOUT_WEIGHT = Missing(
    (NotChecked("dose", (WEIGHT,), "at this age the documented maximum is counted per kg of body weight"),)
)
_PER_UNIT = {Per.DAY: "/d", Per.WEEK: "/wk", Per.MONTH: "/mo", Per.RATE: "/min"}


class Computed(Value, frozen=True):
    """A dose and the working behind it; ``most`` is the hard limit of the regimen's own amount, whether reached or
    not.
    """

    dose: Dose
    steps: tuple[Step, ...]
    most: Decimal | None = None


def compute(
    regimen: Regimen, patient: Patient, options: Options = _DEFAULTS, product: Product | None = None
) -> Computed | Missing:
    """Return the dose of ``regimen`` for ``patient``, or what is missing.

    The regimen's population is not looked at here; ``options`` must fit the regimen (see
    :mod:`dosing_service.rules.schedule`).
    """
    computed = _by_one_weight(regimen, patient, options, product)
    if regimen.compare_weights is None or isinstance(computed, Missing):
        return computed
    return _with_other_weights(computed, regimen, patient, options, product=product)


def _by_one_weight(regimen: Regimen, patient: Patient, options: Options, product: Product | None) -> Computed | Missing:
    figure = _figure(regimen, patient, options)
    if isinstance(figure, Missing):
        return figure
    if regimen.basis is Basis.CONCENTRATION:
        return _strength_only(regimen, figure)
    measured = _measured(regimen, figure, patient, options)
    if isinstance(measured, Missing):
        return measured
    low, high, steps = _multiplied(regimen, figure, measured)
    schedule = plan(regimen, options.times_per_day, options.divided_over_days)
    bound = _bound(regimen, patient, measured, high, options, product)
    if any(_waits_for_weight(item, patient) for item in bound):
        return _WITHOUT_WEIGHT
    checks = tuple([caps.check(item, high) for item in bound])
    holding, cap = caps.holding(bound, high), None
    if holding is not None and holding.most is not None:
        cap = _cap(regimen, figure, holding, low, high, schedule)
        low, high = min(low, holding.most), holding.most
        steps = (*steps, _cap_step(regimen, holding.limit, low, high))
    own = _own_amount(regimen, figure, low, high, schedule)
    derived, more = _derived(regimen, own, schedule)
    dose = Dose(
        basis=regimen.basis,
        amounts=(own, *derived),
        limits=checks,
        dosing_weight=_explained(measured.weight, regimen, patient, options),
        body_surface_area=measured.area,
        concentration=_concentration(regimen, figure),
        cap=cap,
        frequency=regimen.frequency.text if regimen.frequency else None,
        course_total=next((item for item in (own, *derived) if item.per is Per.COURSE), None),
        references=regimen.citations.references,
        verified=regimen.citations.verified,
    )
    return Computed(dose, (*measured.steps, *steps, *more), caps.most(bound))


def _waits_for_weight(item: caps.BoundLimit, patient: Patient) -> bool:
    """Tell whether the dose of this patient's age is held at an amount per kg, and the weight is not known."""
    is_of_age = item.limit.age is not None and patient.age is not None
    return is_of_age and item.limit.effect is Effect.CAP and item.needs == (WEIGHT,)


class Held(Value, frozen=True):
    """A regimen's own amount as the maxima of one product hold it; ``most`` is the lowest of them."""

    low: Decimal
    high: Decimal
    most: Decimal | None


def held(regimen: Regimen, dose: Dose, patient: Patient, options: Options, product: Product) -> Held:
    """Return a computed dose as the maxima of another product, or of another division, hold it."""
    own = dose.cap.uncapped if dose.cap else dose.amounts[0]
    measured = Measure(weight=dose.dosing_weight, area=dose.body_surface_area)
    most = caps.most(_bound(regimen, patient, measured, own.high, options, product))
    if most is None:
        return Held(own.low, own.high, None)
    return Held(min(own.low, most), min(own.high, most), most)


def _bound(
    regimen: Regimen, patient: Patient, measured: Measure, high: Decimal, options: Options, product: Product | None
) -> tuple[caps.BoundLimit, ...]:
    conversions = plan(regimen, options.times_per_day, options.divided_over_days).conversions
    measures = _measures(patient, measured, options)
    amounts = caps.Amounts(regimen.per, conversions, measures, high if regimen.per is Per.DAY else None)
    return caps.concerning(regimen.limits, patient, product.formulation if product else None, amounts)


def _explained(weight: DosedBy | None, regimen: Regimen, patient: Patient, options: Options) -> DosedBy | None:
    """Return the dosing weight with the reason for it."""
    if weight is None or patient.weight is None:
        return weight
    why = _why(weight.kind, options.dosing_weight is not None, regimen.dosing_weight, patient.weight.method)
    return DosedBy(weight.value, weight.kind, weight.unit, why)


@cache
def _why(kind: DosingWeight, asked: bool, documented: DosingWeight, method: str | None) -> str:  # noqa: FBT001 - a value of the reason, not a switch
    if asked and kind is not documented:
        why = f"the caller asked for {kind.value} body weight; the source counts on {documented.value} body weight"
    elif kind is DosingWeight.ACTUAL:
        why = "the source counts per kg of body weight and names no other weight, so the actual weight is used"
    else:
        why = f"the source counts on {kind.value} body weight"
    return why if method in {None, "measured"} else f"{why}; it is {method}, not measured"


def _with_other_weights(
    computed: Computed, regimen: Regimen, patient: Patient, options: Options, *, product: Product | None
) -> Computed:
    """Return the dose with those by actual, ideal and adjusted weight beside it, where a source asks for that."""
    rule, weight = regimen.compare_weights, computed.dose.dosing_weight
    index = body.body_mass_index(patient)
    if rule is None or weight is None or index is None or index <= rule.above_bmi:
        return computed
    beside = []
    for kind in (DosingWeight.ACTUAL, DosingWeight.IDEAL, DosingWeight.ADJUSTED):
        other = _by_one_weight(regimen, patient, structs.replace(options, dosing_weight=kind), product)
        if kind is not weight.kind and isinstance(other, Computed) and other.dose.dosing_weight is not None:
            beside.append(_weight_dose(other.dose, other.dose.dosing_weight, rule.citations))
    dosed_by = structs.replace(weight, beside=tuple(beside))
    return structs.replace(computed, dose=structs.replace(computed.dose, dosing_weight=dosed_by))


def _weight_dose(dose: Dose, weight: DosedBy, citations: Citations) -> WeightDose:
    return WeightDose(weight.kind, weight.value, weight.unit, dose.amounts[0], citations.references, citations.verified)


class Doses:
    """The doses of one request as documented, without the caller's wishes but with the volume and with the formula for
    the body surface area; each computed once.
    """

    def __init__(self, patient: Patient, options: Options = _DEFAULTS) -> None:
        self._patient = patient
        self.formula = options.body_surface_area_formula
        is_default = options.volume_ml is None and self.formula is SurfaceAreaFormula.MOSTELLER
        self._options = (
            _DEFAULTS if is_default else Options(volume_ml=options.volume_ml, body_surface_area_formula=self.formula)
        )
        self._known: dict[str, Computed | Missing] = {}

    def of(self, regimen: Regimen) -> Computed | Missing:
        """Return the dose of ``regimen`` (of the one agent of the request), or what is missing."""
        known = self._known.get(regimen.id)
        if known is None:
            known = self._known[regimen.id] = compute(regimen, self._patient, self._options)
        return known


@cache
def constant(regimen: Regimen) -> Computed | None:
    """Return the dose of everyone for whom ``regimen`` is documented, or ``None`` where it depends on the patient."""
    same = unconditional(regimen)
    computed = compute(same, _NO_PATIENT) if same else None
    return computed if isinstance(computed, Computed) else None


@cache
def unconditional(regimen: Regimen) -> Regimen | None:
    """Return ``regimen`` with the limits that concern those for whom it is documented, or ``None`` where its dose or
    one of those limits depends on the patient.
    """
    concerning = [limit for limit in regimen.limits if _meets(limit, regimen)]
    gated = any(limit.unit.body or limit.age or limit.weight or limit.dose for limit in concerning)
    if regimen.basis is not Basis.FIXED or gated:
        return None
    return replace(regimen, limits=tuple(concerning))


def _meets(limit: Limit, regimen: Regimen) -> bool:
    return regimen.ages is None or limit.age is None or regimen.ages.overlaps(limit.age)


def _figure(regimen: Regimen, patient: Patient, options: Options) -> DoseFigure | Missing:
    """Return the regimen's figure, or that of the patient's band."""
    if regimen.figure:
        return regimen.figure
    for band in regimen.bands:
        if _in_band(regimen.basis, band, patient, options) is Answer.YES:
            return band.figure
    return measure.of_band(regimen.bands[0].range.unit)


def _in_band(basis: Basis, band: Band, patient: Patient, options: Options) -> Answer:
    if basis is Basis.AGE_BAND:
        return in_age_range(band.range, patient.age)
    if basis is Basis.WEIGHT_BAND:
        return in_range(band.range, patient.weight.kg if patient.weight else None)
    return in_range(band.range, measure.area_of(patient, options.body_surface_area_formula))


def _measured(regimen: Regimen, figure: DoseFigure, patient: Patient, options: Options) -> Measure | Missing:
    if regimen.basis is Basis.CONCENTRATION_VOLUME:
        return measure.of_volume(regimen, options)
    kind = options.dosing_weight or regimen.dosing_weight
    return measure.of_figure(figure, patient, kind, options.body_surface_area_formula)


def _measures(patient: Patient, measured: Measure, options: Options) -> dict[str | None, Decimal | None]:
    """Return what limits are multiplied with: nothing, the dosing weight (else the actual one), the surface area."""
    kg = measured.weight.value if measured.weight else (patient.weight.kg if patient.weight else None)
    area = measured.area.value if measured.area else measure.area_of(patient, options.body_surface_area_formula)
    return {None: _ONE, "kg": kg, "m2": area}


def _multiplied(regimen: Regimen, figure: DoseFigure, measured: Measure) -> tuple[Decimal, Decimal, tuple[Step, ...]]:
    """Return low and high of the regimen's own amount, and the steps."""
    unit = _own_unit(regimen)
    if figure.unit.body is None:
        return (
            figure.low,
            figure.high,
            (step("documented amount", _result(figure.low, figure.high, unit), regimen.citations),),
        )
    if measured.value is None and regimen.volume:
        return _by_documented_volume(regimen, figure, unit)
    value = measured.value if measured.value is not None else _ONE
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
    factor: Decimal, figure: DoseFigure, measured: str, result: Decimal, unit: str, citations: Citations
) -> Step:
    return step(f"{exact_text(factor)} {figure.unit.code} × {measured}", f"{exact_text(result)} {unit}", citations)


def _own_unit(regimen: Regimen) -> str:
    return regimen.amount_unit + _PER_UNIT.get(regimen.per, "")


def _result(low: Decimal, high: Decimal, unit: str) -> str:
    return f"{exact_text(low)} {unit}" if low == high else f"{exact_text(low)} to {exact_text(high)} {unit}"


def _wire_unit(regimen: Regimen) -> str:
    """Return the unit of the amounts: the kind of amount carries the period, only a rate keeps its time in the unit."""
    return _own_unit(regimen) if regimen.per is Per.RATE else regimen.amount_unit


def _cap(
    regimen: Regimen, figure: DoseFigure, holding: caps.BoundLimit, low: Decimal, high: Decimal, schedule: Plan
) -> Cap:
    """Return what a limit does to a dose of ``low`` to ``high``, and from which weight or surface area on."""
    unit = _wire_unit(regimen)
    uncapped = Amount(regimen.per, low, high, unit, amount_text(low, high, unit, schedule.suffix))
    bites = None
    if figure.unit.body in {"kg", "m2"} and holding.limit.unit.body is None and holding.most is not None:
        bites = Quantity(over(holding.most, figure.high), figure.unit.body)
    return Cap(holding.limit.kind, uncapped, holding.value, holding.limit.unit.amount, bites)


def _cap_step(regimen: Regimen, limit: Limit, low: Decimal, high: Decimal) -> Step:
    unit = _own_unit(regimen)
    return step(f"at most {exact_text(high)} {unit} ({limit.kind})", _result(low, high, unit), limit.citations)


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
    return step(f"{left} {sign} {factor} {conversion.words}", result, regimen.citations)


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
        references=regimen.citations.references,
        verified=regimen.citations.verified,
    )
    return Computed(dose, (step("documented strength", _result(figure.low, figure.high, "%"), regimen.citations),))
