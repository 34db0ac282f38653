"""What a documented figure is multiplied with: a weight, a surface area, a volume; and what is missing for it."""

from decimal import Decimal

from dosing_service.knowledge.base import DoseFigure, Regimen
from dosing_service.model import (
    Citations,
    DosedBy,
    DosingWeight,
    NotChecked,
    Options,
    Patient,
    Quantity,
    Sex,
    Step,
    SurfaceAreaFormula,
    Value,
)
from dosing_service.rules import body
from dosing_service.rules.population import AGE, HEIGHT, WEIGHT
from dosing_service.units import exact_text

SEX = "patient.sex"
VOLUME = "options.volume"


class Measure(Value, frozen=True):
    """A factor for a documented figure; no ``value`` for a fixed amount, or where the source gives the volume."""

    value: Decimal | None = None
    text: str = ""
    steps: tuple[Step, ...] = ()
    weight: DosedBy | None = None
    area: Quantity | None = None


class Missing(Value, frozen=True):
    """Inputs without which a dose cannot be computed."""

    inputs: tuple[NotChecked, ...]


_NOTHING = Measure()


def step(expression: str, result: str, citations: Citations) -> Step:
    """Return one line of the working."""
    return Step(expression, result, citations.references, citations.verified)


def missing(why: str, *paths: str) -> Missing:
    """Return the inputs at ``paths`` as missing, all for the same reason."""
    return Missing(tuple(NotChecked("dose", (path,), why) for path in paths))


def of_figure(
    figure: DoseFigure, patient: Patient, kind: DosingWeight, formula: SurfaceAreaFormula = SurfaceAreaFormula.MOSTELLER
) -> Measure | Missing:
    """Return what a figure that is fixed, per kg or per m2 is multiplied with, and how it came about."""
    if figure.unit.body is None:
        return _NOTHING
    return _area(patient, formula) if figure.unit.body == "m2" else _weight(patient, kind)


def of_volume(regimen: Regimen, options: Options) -> Measure | Missing:
    """Return the volume to multiply a concentration with: the caller's, else (as no value) the documented one."""
    if options.volume_ml is not None:
        return Measure(options.volume_ml, f"{exact_text(options.volume_ml)} mL")
    if regimen.volume is not None:
        return _NOTHING
    return missing(
        "the source gives a concentration and no volume; the milligrams follow from the volume given", VOLUME
    )


def of_band(key: str) -> Missing:
    """Return what is missing to find the band of a patient."""
    paths = {"a": (AGE,), "mo": (AGE,), "wk": (AGE,), "d": (AGE,), "kg": (WEIGHT,), "m2": (WEIGHT, HEIGHT)}[key]
    return missing("the dose depends on a band", *paths)


def area_of(patient: Patient, formula: SurfaceAreaFormula = SurfaceAreaFormula.MOSTELLER) -> Decimal | None:
    """Return the patient's body surface area in m², or ``None`` without weight or height."""
    if patient.weight is None or patient.height_cm is None:
        return None
    return body.surface_area(patient.height_cm, patient.weight.kg, formula)


def measures_of(patient: Patient) -> dict[str | None, Decimal | None]:
    """Return what an amount may be counted on, by the unit it is counted per: nothing, kg, m2."""
    return {None: Decimal(1), "kg": patient.weight.kg if patient.weight else None, "m2": area_of(patient)}


def _weight(patient: Patient, kind: DosingWeight) -> Measure | Missing:
    weight = patient.weight
    if weight is None:
        return missing("the dose is counted per kg of body weight", WEIGHT)
    if kind is DosingWeight.ACTUAL:
        return Measure(weight.kg, f"{exact_text(weight.kg)} kg", _in_kilograms(patient), DosedBy(weight.kg, kind))
    formula, citations = _OTHER_WEIGHTS[kind]
    value = formula(patient)
    if value is None:
        return _no_lean_weight(patient) if kind is DosingWeight.LEAN else _no_ideal_weight(patient)
    text = f"{exact_text(value)} kg"
    line = step(f"{kind.value} body weight from sex, height and weight", text, citations)
    return Measure(value, text, (line,), DosedBy(value, kind))


_OTHER_WEIGHTS = {
    DosingWeight.IDEAL: (body.ideal_weight, body.IDEAL_WEIGHT),
    DosingWeight.ADJUSTED: (body.adjusted_weight, body.IDEAL_WEIGHT),
    DosingWeight.LEAN: (body.lean_weight, body.LEAN_WEIGHT),
}


def _in_kilograms(patient: Patient) -> tuple[Step, ...]:
    weight = patient.weight
    if weight is None or weight.unit == "kg":
        return ()
    sent = f"{exact_text(weight.value)} {weight.unit} in kilograms"
    return (step(sent, f"{exact_text(weight.kg)} kg", body.UNIT_DEFINITIONS),)


def _no_ideal_weight(patient: Patient) -> Missing:
    why = "the dose is counted on ideal body weight, which needs sex (female or male) and a height from 152.4 cm"
    paths = [] if patient.sex in {Sex.FEMALE, Sex.MALE} else [SEX]
    if patient.height_cm is None or patient.height_cm < body.IDEAL_WEIGHT_FROM_CM:
        paths.append(HEIGHT)
    return missing(why, *paths)


def _no_lean_weight(patient: Patient) -> Missing:
    why = "the dose is counted on lean body weight, which needs sex (female or male), height and an age from 18 years"
    paths = [] if patient.sex in {Sex.FEMALE, Sex.MALE} else [SEX]
    if patient.height_cm is None:
        paths.append(HEIGHT)
    if patient.age is None or patient.age.years < body.LEAN_WEIGHT_FROM_YEARS:
        paths.append(AGE)
    return missing(why, *paths)


def _area(patient: Patient, formula: SurfaceAreaFormula) -> Measure | Missing:
    area, used = area_of(patient, formula), body.AREA_FORMULAS[formula]
    if area is None or patient.height_cm is None or patient.weight is None:
        given = ((WEIGHT, patient.weight), (HEIGHT, patient.height_cm))
        return missing("the dose is counted on body surface area", *(path for path, value in given if value is None))
    expression = used.expression(patient.height_cm, patient.weight.kg)
    text = f"{exact_text(area)} m2"
    steps = (*_in_kilograms(patient), step(expression, text, used.citations))
    return Measure(area, text, steps, area=Quantity(area, "m2"))
