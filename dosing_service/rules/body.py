"""Body measures that doses are counted on."""

from decimal import ROUND_HALF_EVEN, Decimal

from dosing_service.model import Citations, Patient, Sex
from dosing_service.units import over, square_root, times

#: Mosteller's formula; the area is kept to 0.0001 m², well below the error of any scale.
MOSTELLER = Citations(("mosteller-1987",), verified=True)
_AREA_STEP = Decimal("0.0001")

#: Devine's ideal body weight and the adjusted weight as the Australian national programme uses them for immunoglobulin.
IDEAL_WEIGHT = Citations(("australia-ivig-ideal-weight",), verified=True)
_DEVINE_BASE_KG = {Sex.MALE: Decimal(50), Sex.FEMALE: Decimal("45.5")}
_DEVINE_KG_PER_INCH = Decimal("2.3")
_CM_PER_INCH = Decimal("2.54")
#: Sixty inches: the formula says nothing below that height.
IDEAL_WEIGHT_FROM_CM = Decimal("152.4")
_ADJUSTMENT = Decimal("0.4")

#: The pound and the kilogram, by definition.
UNIT_DEFINITIONS = Citations(("ucum",), verified=True)


def surface_area(height_cm: Decimal, weight_kg: Decimal) -> Decimal:
    """Return the body surface area in m² by Mosteller: the square root of cm times kg over 3600, to 0.0001 m²
    (``mosteller-1987``).
    """
    return square_root(times(height_cm, weight_kg) / 3600).quantize(_AREA_STEP, ROUND_HALF_EVEN)


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
