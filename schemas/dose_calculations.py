"""``POST /v1/dose-calculations``: one agent, one patient; the documented dose with its working."""

from collections.abc import Mapping
from typing import Any

from marshmallow import fields, post_load

from dosing_service.model import (
    BaselineStatus,
    Basis,
    Category,
    DoseRequest,
    DosingWeight,
    Options,
    Per,
    PracticalStatus,
    Severity,
    SurfaceAreaFormula,
    Verdict,
)
from dosing_service.units import Measure
from schemas.cited import StatedSchema
from schemas.fields import (
    EFFECTS,
    LIMIT_KINDS,
    TIME_BOUNDS,
    AnswerSchema,
    Choice,
    Date,
    ExactNumber,
    Flag,
    QuantityField,
    StrictSchema,
    Text,
    Whole,
    part,
    word,
)
from schemas.patient import PatientSchema, build_patient

#: Ten kilograms: many years of the largest doses known here, and no more than a slip of the pen beyond.
MOST_GIVEN_MG = "10000000"
JURISDICTIONS = ("US", "EU", "UK", "FR", "AU")


class IndicationSchema(StrictSchema):
    """What the agent is meant for."""

    disease = Text("a disease id, for example juvenile-dermatomyositis")
    lesion = Choice(("small", "large"))


class OptionsSchema(StrictSchema):
    """How the dose should be worked out."""

    product = Text("a product id of the agent")
    times_per_day = Whole(low=1, high=24)
    divided_over_days = Whole(low=1, high=31)
    volume = QuantityField(Measure.VOLUME, to="1000", base_unit="mL")
    start_date = Date()
    schedule_until = Date()
    courses = Whole(low=1, high=26)
    already_given = QuantityField(Measure.DRUG_AMOUNT, to=MOST_GIVEN_MG, base_unit="mg", or_none=True)
    body_surface_area_formula = Choice(tuple(SurfaceAreaFormula))
    dosing_weight = Choice(tuple(DosingWeight))
    jurisdiction = Choice(JURISDICTIONS)
    include_contraindicated = Flag()
    include_outside_population = Flag()


class DoseRequestSchema(StrictSchema):
    """The request."""

    agent = Text("an agent id, see GET /v1/agents", required=True)
    regimen = Text("a regimen id of the agent, see GET /v1/agents/{id}")
    indication = part(IndicationSchema)
    patient = part(PatientSchema, load_default=dict)
    options = part(OptionsSchema, load_default=dict)
    as_of = Date()

    @post_load
    def _build(self, data: dict[str, Any], **_: Any) -> DoseRequest:
        indication = data.get("indication", {})
        return DoseRequest(
            agent=data["agent"],
            patient=build_patient(data),
            regimen=data.get("regimen"),
            disease=indication.get("disease"),
            lesion=indication.get("lesion"),
            options=_options(data["options"]),
            as_of=data.get("as_of"),
        )


def _options(given: Mapping[str, Any]) -> Options:
    converted = {"volume", "dosing_weight", "body_surface_area_formula", "already_given"}
    known: dict[str, Any] = {name: given[name] for name in given if name not in converted}
    if "body_surface_area_formula" in given:
        known["body_surface_area_formula"] = SurfaceAreaFormula(given["body_surface_area_formula"])
    weight = DosingWeight(given["dosing_weight"]) if "dosing_weight" in given else None
    volume = given["volume"].base if "volume" in given else None
    already = given["already_given"].base if "already_given" in given else None
    return Options(volume_ml=volume, dosing_weight=weight, already_given_mg=already, **known)


# ---------------------------------------------------------------- the answer


class QuantitySchema(AnswerSchema):
    """A number with its unit."""

    value = ExactNumber()
    unit = fields.String()


class AmountSchema(AnswerSchema):
    """An amount of one kind; ``low`` equals ``high`` for a single figure, ``values`` holds the single figures of a
    source.
    """

    per = word(Per)
    low = ExactNumber()
    high = ExactNumber()
    unit = fields.String()
    text = fields.String()
    values = fields.List(ExactNumber(), allow_none=True)
    times_per_day = fields.Integer(allow_none=True)
    divided_over_days = fields.Integer(allow_none=True)


class WeightDoseSchema(StatedSchema):
    """The amount that the same regimen comes to by another body weight (``value`` in ``unit``)."""

    kind = word(DosingWeight)
    value = ExactNumber()
    unit = fields.String()
    amount = fields.Nested(AmountSchema)


class DosingWeightSchema(QuantitySchema):
    """The weight the dose was multiplied with and why; ``beside`` holds the dose by other weights where a source asks
    for that (immunoglobulin above a body mass index of 30).
    """

    kind = word(DosingWeight)
    why = fields.String()
    beside = fields.List(fields.Nested(WeightDoseSchema))


class LimitSchema(StatedSchema):
    """A documented maximum. ``reached`` (at or above) and ``exceeded`` compare the amount before any cap; null when
    it could not be compared.
    """

    kind = word(LIMIT_KINDS)
    value = ExactNumber()
    unit = fields.String()
    effect = word(EFFECTS)
    applies_to = fields.String(allow_none=True)
    reached = fields.Boolean(allow_none=True)
    exceeded = fields.Boolean(allow_none=True)
    needs = fields.List(fields.String())


class CapSchema(AnswerSchema):
    """What a maximum did to the dose: the amount without it, and the body measure above which it bites."""

    kind = word(LIMIT_KINDS)
    value = ExactNumber()
    unit = fields.String()
    uncapped = fields.Nested(AmountSchema)
    bites_above = fields.Nested(QuantitySchema, allow_none=True)


class KindedQuantitySchema(QuantitySchema):
    """A number with its unit and its kind of amount."""

    per = word(Per)


class WantedAmountSchema(AnswerSchema):
    """What a practical dose aims at: a documented range, one end of it, or a single figure."""

    low = ExactNumber()
    high = ExactNumber()
    unit = fields.String()
    per = word(Per)


class PiecesSchema(AnswerSchema):
    """A number of tablets, vials or other pieces of one product; 0.5 is half a tablet."""

    product = fields.String()
    count = ExactNumber()


class WasteSchema(QuantitySchema):
    """What is left over in opened vials at each administration."""

    volume_ml = ExactNumber(allow_none=True)


class NearestDoseSchema(AnswerSchema):
    """An amount that can be made although the wanted one cannot; its deviation is from the nearer end."""

    per_administration = fields.String()
    pieces = fields.List(fields.Nested(PiecesSchema))
    amount = fields.Nested(KindedQuantitySchema)
    deviation_percent = ExactNumber()


class CourseQuantitySchema(AnswerSchema):
    """What the whole course takes: pieces rounded up to whole ones, or a volume."""

    administrations = fields.Integer()
    pieces = fields.List(fields.Nested(PiecesSchema))
    volume_ml = ExactNumber(allow_none=True)
    text = fields.String()


class PracticalSchema(StatedSchema):
    """The dose in products that can be combined; never above a hard limit. ``achieved`` is exactly what the pieces or
    the volume hold; where nothing fits it is null and ``nearest`` holds what lies below and above.
    """

    product = fields.String()
    form = fields.String()
    formulation = fields.String(allow_none=True)
    wanted = fields.Nested(WantedAmountSchema)
    times_per_day = fields.Integer(allow_none=True)
    status = word(PracticalStatus)
    per_administration = fields.String(allow_none=True)
    pieces = fields.List(fields.Nested(PiecesSchema))
    volume_ml = ExactNumber(allow_none=True)
    diluted_to_ml = ExactNumber(allow_none=True)
    waste = fields.Nested(WasteSchema, allow_none=True)
    achieved = fields.Nested(KindedQuantitySchema, allow_none=True)
    achieved_per_kg = fields.Nested(QuantitySchema, allow_none=True)
    deviation_percent = ExactNumber(allow_none=True)
    nearest = fields.List(fields.Nested(NearestDoseSchema))
    quantity_for_course = fields.Nested(CourseQuantitySchema, allow_none=True)
    diluent = fields.String(allow_none=True)
    text = fields.String()


class DoseSchema(StatedSchema):
    """A dose: the regimen's own kind of amount first, then every kind that follows from it. ``practical`` is worked out
    for the chosen regimen; under the alternatives it is null.
    """

    basis = word(Basis)
    dosing_weight = fields.Nested(DosingWeightSchema, allow_none=True)
    body_surface_area = fields.Nested(QuantitySchema, allow_none=True)
    concentration = fields.Nested(AmountSchema, allow_none=True)
    amounts = fields.List(fields.Nested(AmountSchema))
    frequency = fields.String(allow_none=True)
    limits = fields.List(fields.Nested(LimitSchema))
    cap = fields.Nested(CapSchema, allow_none=True)
    course_total = fields.Nested(AmountSchema, allow_none=True)
    practical = fields.List(fields.Nested(PracticalSchema), allow_none=True)


class ScheduledAmountSchema(AnswerSchema):
    """The amount of a dated entry; ``value`` is null where low and high differ."""

    value = ExactNumber(allow_none=True)
    low = ExactNumber()
    high = ExactNumber()
    unit = fields.String()


class ScheduleEntrySchema(AnswerSchema):
    """One administration, or a run of equal days: ``until`` is its last day, null where no end is known. ``on_latest``
    and ``until_latest`` stand beside a documented range of dates, ``count`` says how many amounts fall into the entry.
    """

    on = fields.Date()
    on_latest = fields.Date(allow_none=True)
    until = fields.Date(allow_none=True)
    until_latest = fields.Date(allow_none=True)
    per = word(Per)
    amount = fields.Nested(ScheduledAmountSchema)
    count = fields.Integer(allow_none=True)
    times_per_day = fields.Integer(allow_none=True)
    percent = ExactNumber(allow_none=True)
    cycle = fields.Integer()
    step = fields.Integer()
    regimen = fields.String()
    text = fields.String()


class ScheduleSummarySchema(AnswerSchema):
    """From when to when the schedule goes, what it adds up to, and why it is not whole."""

    first_on = fields.Date(allow_none=True)
    last_on = fields.Date(allow_none=True)
    total = fields.Nested(ScheduledAmountSchema, allow_none=True)
    complete = fields.Boolean()
    why = fields.String(allow_none=True)


class RemainingSchema(AnswerSchema):
    """What is left of the course after what was already given."""

    given = ExactNumber()
    low = ExactNumber()
    high = ExactNumber()
    unit = fields.String()
    text = fields.String()


class CumulativeSchema(StatedSchema):
    """A documented total over all courses, and after how many days it is reached: ``days_low`` at the upper dose,
    ``days_high`` at the lower one; from nothing, where ``given`` is null.
    """

    kind = word(LIMIT_KINDS)
    value = ExactNumber()
    unit = fields.String()
    effect = word(EFFECTS)
    given = ExactNumber(allow_none=True)
    remaining = ExactNumber(allow_none=True)
    days_low = fields.Integer(allow_none=True)
    days_high = fields.Integer(allow_none=True)
    reached_on = fields.Date(allow_none=True)
    reached_on_latest = fields.Date(allow_none=True)
    text = fields.String()


class InfusionDilutionSchema(StatedSchema):
    """How the source makes the infusion up."""

    amount = fields.Nested(QuantitySchema)
    volume_low = ExactNumber()
    volume_high = ExactNumber()
    text = fields.String()


class InfusionSpanSchema(AnswerSchema):
    """A volume (mL) or a length of time (min) of one of the dose's amounts."""

    per = word(Per)
    divided_over_days = fields.Integer(allow_none=True)
    low = ExactNumber()
    high = ExactNumber()
    unit = word(("mL", "min"))
    text = fields.String()


class InfusionTimeSchema(AnswerSchema):
    """The documented time: a shortest one, a range, or how long it took; ``fastest`` is the flow in mL/h at which one
    infusion takes the shortest time.
    """

    bound = word(TIME_BOUNDS)
    shortest_minutes = ExactNumber()
    longest_minutes = ExactNumber(allow_none=True)
    fastest = fields.Nested(AmountSchema, allow_none=True)
    text = fields.String()


class InfusionStepSchema(AnswerSchema):
    """One step of the rate; ``for_minutes`` is null for the last."""

    from_minute = ExactNumber()
    for_minutes = ExactNumber(allow_none=True)
    rate = fields.Nested(QuantitySchema)
    ml_per_hour = ExactNumber(allow_none=True)
    text = fields.String()


class InfusionMaximumSchema(AnswerSchema):
    """A highest rate and the shortest times it allows; ``possible`` where missing data (``needs``) decide whether it
    holds.
    """

    rate = fields.Nested(QuantitySchema)
    ml_per_hour = ExactNumber(allow_none=True)
    applies_to = fields.String(allow_none=True)
    verdict = word(Verdict)
    because = fields.List(fields.String())
    needs = fields.List(fields.String())
    shortest = fields.List(fields.Nested(InfusionSpanSchema))
    text = fields.String()


class InfusionPlanSchema(StatedSchema):
    """How the dose runs in. The first of ``maxima`` holds, the lower one while risk factors are unknown. ``solution``
    is the strength for which rates in mL are documented, ``concentration`` that of what runs.
    """

    concentration = fields.Nested(QuantitySchema, allow_none=True)
    solution = fields.Nested(QuantitySchema, allow_none=True)
    dilution = fields.Nested(InfusionDilutionSchema, allow_none=True)
    volumes = fields.List(fields.Nested(InfusionSpanSchema))
    time = fields.Nested(InfusionTimeSchema, allow_none=True)
    rate = fields.Nested(AmountSchema, allow_none=True)
    steps = fields.List(fields.Nested(InfusionStepSchema))
    step_every_minutes = ExactNumber(allow_none=True)
    maxima = fields.List(fields.Nested(InfusionMaximumSchema))
    text = fields.String(allow_none=True)


class StepSchema(StatedSchema):
    """One line of the working."""

    expression = fields.String()
    result = fields.String()


class PositionSchema(StatedSchema):
    """What one side of a disagreement comes to for this patient."""

    says = fields.String()
    text = fields.String()


class FindingSchema(StatedSchema):
    """Something to know before acting; ``because`` names the inputs that decided it."""

    id = fields.String()
    category = word(Category)
    severity = word(Severity)
    verdict = word(Verdict)
    summary = fields.String()
    because = fields.List(fields.String())
    management = fields.String()
    positions = fields.List(fields.Nested(PositionSchema))


class NotCheckedSchema(AnswerSchema):
    """A check that did not run, and the fields that would let it run."""

    check = fields.String()
    needs = fields.List(fields.String())
    why = fields.String()


class MonitoringThresholdSchema(StatedSchema):
    """A bound of a monitored value in words, and what to do beyond it."""

    text = fields.String()
    action = fields.String()


class MonitoringItemSchema(StatedSchema):
    """One line of the plan: what the request says of it, what to do, and dates when a start date was given."""

    parameter = fields.String()
    loinc = fields.List(fields.String())
    baseline = fields.Boolean()
    interval = fields.String(allow_none=True)
    thresholds = fields.List(fields.Nested(MonitoringThresholdSchema))
    status = word(BaselineStatus)
    result = fields.Nested(QuantitySchema, allow_none=True)
    measured_on = fields.Date(allow_none=True)
    action = fields.String(allow_none=True)
    baseline_on = fields.Date(allow_none=True)
    next_on = fields.Date(allow_none=True)


class RenalFunctionSchema(StatedSchema):
    """A clearance that a rule used: creatinine clearance (``crcl``) or estimated GFR (``egfr``), how it came about."""

    kind = word(("crcl", "egfr"))
    value = ExactNumber()
    unit = fields.String()
    method = fields.String()
    because = fields.List(fields.String())


class AgeSchema(AnswerSchema):
    """The age: completed years and months of the calendar with the part of the running one, and days."""

    years = ExactNumber()
    months = ExactNumber()
    days = ExactNumber()


class BodyMeasureSchema(StatedSchema):
    """A measure worked out from height, weight, sex or age, and by which method."""

    value = ExactNumber()
    unit = fields.String()
    method = fields.String()


class BodyMeasuresSchema(AnswerSchema):
    """What is known of the patient's body; null where a measure is not defined or an input is missing."""

    age = fields.Nested(AgeSchema, allow_none=True)
    body_mass_index = fields.Nested(BodyMeasureSchema, allow_none=True)
    body_surface_area = fields.Nested(BodyMeasureSchema, allow_none=True)
    ideal_weight = fields.Nested(BodyMeasureSchema, allow_none=True)
    adjusted_weight = fields.Nested(BodyMeasureSchema, allow_none=True)
    lean_weight = fields.Nested(BodyMeasureSchema, allow_none=True)


class AlternativeSchema(AnswerSchema):
    """Another regimen that applies (or may, when data are missing); ``dose`` is null where an input is missing."""

    regimen = fields.Nested("RegimenSummarySchema")
    verdict = word(Verdict)
    dose = fields.Nested(DoseSchema, allow_none=True)
    derivation = fields.List(fields.Nested(StepSchema))
    not_checked = fields.List(fields.Nested(NotCheckedSchema))
