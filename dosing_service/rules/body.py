"""Body measures that doses are counted on: surface area, body mass index, ideal, adjusted and lean weight."""

from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal
from types import MappingProxyType

from dosing_service.model import BodyMeasure, BodyMeasures, Citations, Patient, Sex, SurfaceAreaFormula, Value
from dosing_service.units import exact_text, over, square_root, times

#: An area is kept to 0.0001 m², well below the error of any scale; the powers before it are worked out to more digits
#: than that rounding can see.
_AREA_STEP = Decimal("0.0001")
_POWERS = Context(prec=20, rounding=ROUND_HALF_EVEN)
_GRAMS = Decimal(1000)

MOSTELLER = Citations(("mosteller-1987",), verified=True)
DU_BOIS = Citations(("du-bois-1916",), verified=True)
HAYCOCK = Citations(("haycock-1978",), verified=True)
GEHAN_GEORGE = Citations(("gehan-george-1970",), verified=True)
BOYD = Citations(("boyd-1935",), verified=True)

#: Devine's ideal body weight and the adjusted weight as the Australian national programme uses them for immunoglobulin.
IDEAL_WEIGHT = Citations(("australia-ivig-ideal-weight",), verified=True)
_DEVINE_BASE_KG = {Sex.MALE: Decimal(50), Sex.FEMALE: Decimal("45.5")}
_DEVINE_KG_PER_INCH = Decimal("2.3")
_CM_PER_INCH = Decimal("2.54")
#: Sixty inches: the formula says nothing below that height.
IDEAL_WEIGHT_FROM_CM = Decimal("152.4")
_ADJUSTMENT = Decimal("0.4")

#: Janmahasatian's model of fat-free mass was made from patients of 18 to 82 years; children were not among them.
LEAN_WEIGHT = Citations(("janmahasatian-2005",), verified=True)
LEAN_WEIGHT_FROM_YEARS = Decimal(18)
_LEAN_FACTOR = Decimal(9270)
_LEAN = {Sex.MALE: (Decimal(6680), Decimal(216)), Sex.FEMALE: (Decimal(8780), Decimal(244))}

#: The pound and the kilogram, by definition.
UNIT_DEFINITIONS = Citations(("ucum",), verified=True)
#: Kilograms over square metres: a definition, not a finding of somebody.
_QUETELET = Citations(("unit-definition-bmi",), verified=True)
_CM_PER_M = Decimal(100)


class AreaFormula(Value, frozen=True):
    """A formula for the body surface area: its name, how it is written with numbers, and where it is published."""

    name: str
    compute: Callable[[Decimal, Decimal], Decimal]
    written: str
    citations: Citations

    def expression(self, height_cm: Decimal, weight_kg: Decimal) -> str:
        """Return the formula with the patient's numbers, for the working."""
        return self.written.format(cm=exact_text(height_cm), kg=exact_text(weight_kg), g=exact_text(_grams(weight_kg)))


def _mosteller(height_cm: Decimal, weight_kg: Decimal) -> Decimal:
    """The square root of cm times kg over 3600 (``mosteller-1987``)."""
    return square_root(times(height_cm, weight_kg) / 3600)


def _powers(factor: str, height: str, weight: str) -> Callable[[Decimal, Decimal], Decimal]:
    """A factor times cm to one power times kg to another, as most of these formulas are."""
    factor_, height_, weight_ = Decimal(factor), Decimal(height), Decimal(weight)

    def compute(height_cm: Decimal, weight_kg: Decimal) -> Decimal:
        product = _POWERS.multiply(_POWERS.power(height_cm, height_), _POWERS.power(weight_kg, weight_))
        return _POWERS.multiply(factor_, product)

    return compute


def _boyd(height_cm: Decimal, weight_kg: Decimal) -> Decimal:
    """0.0003207 times cm^0.3 times g^(0.7285 - 0.0188 log10 g) (``boyd-1935``)."""
    grams = _grams(weight_kg)
    power = _POWERS.fma(Decimal("-0.0188"), _POWERS.log10(grams), Decimal("0.7285"))
    product = _POWERS.multiply(_POWERS.power(height_cm, Decimal("0.3")), _POWERS.power(grams, power))
    return _POWERS.multiply(Decimal("0.0003207"), product)


def _grams(weight_kg: Decimal) -> Decimal:
    return times(weight_kg, _GRAMS)


AREA_FORMULAS: Mapping[SurfaceAreaFormula, AreaFormula] = MappingProxyType(
    {
        SurfaceAreaFormula.MOSTELLER: AreaFormula("Mosteller", _mosteller, "√({cm} cm × {kg} kg ÷ 3600)", MOSTELLER),
        SurfaceAreaFormula.DU_BOIS: AreaFormula(
            "Du Bois",
            _powers("0.007184", "0.725", "0.425"),
            "Du Bois: 0.007184 × ({cm} cm)^0.725 × ({kg} kg)^0.425",
            DU_BOIS,
        ),
        SurfaceAreaFormula.HAYCOCK: AreaFormula(
            "Haycock",
            _powers("0.024265", "0.3964", "0.5378"),
            "Haycock: 0.024265 × ({cm} cm)^0.3964 × ({kg} kg)^0.5378",
            HAYCOCK,
        ),
        SurfaceAreaFormula.GEHAN_GEORGE: AreaFormula(
            "Gehan-George",
            _powers("0.0235", "0.42246", "0.51456"),
            "Gehan-George: 0.0235 × ({cm} cm)^0.42246 × ({kg} kg)^0.51456",
            GEHAN_GEORGE,
        ),
        SurfaceAreaFormula.BOYD: AreaFormula(
            "Boyd",
            _boyd,
            "Boyd: 0.0003207 × ({cm} cm)^0.3 × ({g} g)^(0.7285 - 0.0188 × log10({g}))",
            BOYD,
        ),
    }
)


def surface_area(
    height_cm: Decimal, weight_kg: Decimal, formula: SurfaceAreaFormula = SurfaceAreaFormula.MOSTELLER
) -> Decimal:
    """Return the body surface area in m², to 0.0001 m², by the formula that was asked for."""
    return AREA_FORMULAS[formula].compute(height_cm, weight_kg).quantize(_AREA_STEP, ROUND_HALF_EVEN)


def body_mass_index(patient: Patient) -> Decimal | None:
    """Return kg over m², or ``None`` without weight or height."""
    if patient.weight is None or patient.height_cm is None:
        return None
    metres = patient.height_cm / _CM_PER_M
    return over(patient.weight.kg, times(metres, metres))


def ideal_weight(patient: Patient) -> Decimal | None:
    """Return Devine's ideal body weight in kg, or ``None`` without sex and height or below 152.4 cm (``australia-
    ivig-ideal-weight``).
    """
    if patient.height_cm is None or patient.sex not in _DEVINE_BASE_KG or patient.height_cm < IDEAL_WEIGHT_FROM_CM:
        return None
    inches_over_sixty = over(patient.height_cm - IDEAL_WEIGHT_FROM_CM, _CM_PER_INCH)
    return _DEVINE_BASE_KG[patient.sex] + times(_DEVINE_KG_PER_INCH, inches_over_sixty)


def adjusted_weight(patient: Patient) -> Decimal | None:
    """Return ideal weight plus 0.4 of what the actual weight has above it, in kg, or ``None`` where the ideal
    weight is not defined.
    """
    ideal = ideal_weight(patient)
    if ideal is None or patient.weight is None:
        return None
    return ideal + times(_ADJUSTMENT, patient.weight.kg - ideal)


def lean_weight(patient: Patient) -> Decimal | None:
    """Return the lean (fat-free) weight in kg, or ``None`` below 18 years or without sex, age, height and weight.

    9270 x kg / (6680 + 216 x BMI) for men, 9270 x kg / (8780 + 244 x BMI) for women (``janmahasatian-2005``).
    """
    index = body_mass_index(patient)
    if index is None or patient.weight is None or patient.sex not in _LEAN or patient.age is None:
        return None
    if patient.age.years < LEAN_WEIGHT_FROM_YEARS:
        return None
    base, slope = _LEAN[patient.sex]
    return over(times(_LEAN_FACTOR, patient.weight.kg), base + times(slope, index))


def measures(patient: Patient, formula: SurfaceAreaFormula = SurfaceAreaFormula.MOSTELLER) -> BodyMeasures:
    """Return every body measure that is defined for this patient."""
    area, chosen = None, AREA_FORMULAS[formula]
    if patient.weight is not None and patient.height_cm is not None:
        area = surface_area(patient.height_cm, patient.weight.kg, formula)
    return BodyMeasures(
        age=patient.age,
        body_mass_index=_measure(body_mass_index(patient), "kg/m2", "weight over height squared", _QUETELET),
        body_surface_area=_measure(area, "m2", chosen.name, chosen.citations),
        ideal_weight=_measure(ideal_weight(patient), "kg", "Devine", IDEAL_WEIGHT),
        adjusted_weight=_measure(adjusted_weight(patient), "kg", "ideal + 0.4 × (actual - ideal)", IDEAL_WEIGHT),
        lean_weight=_measure(lean_weight(patient), "kg", "Janmahasatian", LEAN_WEIGHT),
    )


def _measure(value: Decimal | None, unit: str, method: str, citations: Citations) -> BodyMeasure | None:
    return None if value is None else BodyMeasure(value, unit, method, citations.references, citations.verified)
