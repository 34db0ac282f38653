"""Agents, regimens, references and the knowledge base as the service shows them."""

from typing import Any

from marshmallow import fields

from dosing_service.model import Basis, Category, DosingWeight, Per, Severity
from schemas.cited import CitedSchema
from schemas.dose_calculations import QuantitySchema
from schemas.fields import (
    EFFECTS,
    LIMIT_KINDS,
    ROUTES,
    TIME_BOUNDS,
    USES,
    AnswerSchema,
    ExactNumber,
    SortedStrings,
    word,
)


class RangeSchema(AnswerSchema):
    """A range; ``from`` and ``to`` include their bound unless the ``…_included`` flag says otherwise."""

    start = ExactNumber(allow_none=True, data_key="from")
    start_included = fields.Boolean(data_key="from_included")
    end = ExactNumber(allow_none=True, data_key="to")
    end_included = fields.Boolean(data_key="to_included")
    unit = fields.String()


class PopulationSchema(AnswerSchema):
    """For whom a regimen is documented; null when the source does not say."""

    description = fields.String()
    age = fields.Nested(RangeSchema, allow_none=True)
    weight = fields.Nested(RangeSchema, allow_none=True)
    egfr = fields.Nested(RangeSchema, allow_none=True)


class FigureSchema(AnswerSchema):
    """A documented figure in its own unit."""

    low = ExactNumber()
    high = ExactNumber()
    unit = fields.String(attribute="unit.code")
    per = word(Per)
    values = fields.List(ExactNumber(), allow_none=True)


class BandSchema(AnswerSchema):
    """A documented figure for one range of weight, age or body surface area."""

    range = fields.Nested(RangeSchema)
    figure = fields.Nested(FigureSchema, data_key="dose")


class LimitRuleSchema(CitedSchema):
    """A documented maximum; ``cap`` holds the dose, ``warn`` only speaks."""

    kind = word(LIMIT_KINDS)
    value = ExactNumber()
    unit = fields.String(attribute="unit.code")
    effect = word(EFFECTS)
    applies_to = fields.String(allow_none=True)


class RateStepsSchema(AnswerSchema):
    """How the rate is raised; ``size`` is null where the source does not state it."""

    size = ExactNumber(allow_none=True)
    every_minutes = ExactNumber()


class ReducedRateSchema(AnswerSchema):
    """The highest rate for people at risk, in the unit of the rate, and the rules that say who is."""

    high = ExactNumber()
    rules = fields.List(fields.String())


class DilutionSchema(CitedSchema):
    """What is made up to be infused; volumes in mL."""

    amount = ExactNumber()
    unit = fields.String(attribute="unit.code")
    volume_low = ExactNumber()
    volume_high = ExactNumber()


class InfusionSchema(CitedSchema):
    """How fast an infusion may run; ``solution`` is the strength (mg/mL) for which rates in mL are documented."""

    time = fields.Nested(FigureSchema, allow_none=True)
    time_is = fields.String(allow_none=True, metadata={"enum": [*TIME_BOUNDS, None]})
    rate = fields.Nested(FigureSchema, allow_none=True)
    steps = fields.Nested(RateStepsSchema, allow_none=True)
    reduced = fields.Nested(ReducedRateSchema, allow_none=True)
    solution = ExactNumber(allow_none=True)
    dilution = fields.Nested(DilutionSchema, allow_none=True)
    note = fields.String(allow_none=True)


class TaperStepSchema(AnswerSchema):
    """The share of the starting dose that is reached after so much time; 0 is the end."""

    after = fields.Integer()
    unit = fields.String()
    percent = ExactNumber()


class RegimenEvidenceSchema(AnswerSchema):
    """What stands behind a regimen."""

    level = fields.String(allow_none=True)
    patients = fields.Integer(allow_none=True)
    outcome = fields.String(allow_none=True)


class RegimenSummarySchema(CitedSchema):
    """A regimen as it stands beside a dose."""

    id = fields.String()
    name = fields.String()
    use = word(USES)
    indication = fields.String()
    diseases = fields.List(fields.String())
    lesion = fields.String(allow_none=True)
    route = word(ROUTES)
    formulation = fields.String(allow_none=True)
    off_label = fields.Boolean()
    population = fields.Nested(PopulationSchema, allow_none=True)
    basis = word(Basis)
    frequency = fields.String(attribute="frequency.text", dump_default=None, allow_none=True)
    administration = fields.String(allow_none=True)
    titration = fields.String(allow_none=True)
    duration = fields.String(allow_none=True)
    taper = fields.String(allow_none=True)
    taper_steps = fields.List(fields.Nested(TaperStepSchema))
    followed_by = fields.String(allow_none=True)
    infusion = fields.Nested(InfusionSchema, allow_none=True)
    evidence = fields.Nested(RegimenEvidenceSchema)


class CompareWeightsSchema(CitedSchema):
    """Above which body mass index (kg/m²) the doses by ideal and adjusted weight are shown beside."""

    above_bmi = ExactNumber()


class RegimenSchema(RegimenSummarySchema):
    """A regimen in full."""

    dosing_weight = fields.Enum(DosingWeight, by_value=True)
    compare_weights = fields.Nested(CompareWeightsSchema, allow_none=True)
    figure = fields.Nested(FigureSchema, allow_none=True, data_key="dose")
    bands = fields.List(fields.Nested(BandSchema))
    volume = fields.Nested(FigureSchema, allow_none=True)
    limits = fields.List(fields.Nested(LimitRuleSchema))


class CodingSchema(AnswerSchema):
    """A code of an agent."""

    system = fields.String()
    code = fields.String()
    verified = fields.Boolean()


class StudySchema(CitedSchema):
    """One piece of evidence."""

    design = fields.String()
    patients = fields.Integer(allow_none=True)
    dose = fields.String(allow_none=True)
    outcome = fields.String()


class EvidenceSchema(CitedSchema):
    """What is known of an agent in calcinosis cutis."""

    verdict = fields.String()
    summary = fields.String()
    studies = fields.List(fields.Nested(StudySchema))


class NoteSchema(CitedSchema):
    """A short fact with its source."""

    text = fields.String()


class ProductSchema(CitedSchema):
    """Something that can be dispensed."""

    id = fields.String()
    form = fields.String()
    routes = fields.List(fields.String())
    formulation = fields.String(allow_none=True)
    release_hours = fields.Integer(allow_none=True)
    strength = fields.Method("_strength", metadata={"$ref": "#/components/schemas/Quantity"})
    volume_ml = ExactNumber(allow_none=True)
    divisible = fields.Boolean(allow_none=True)
    regions = fields.List(fields.String())
    diluent = fields.Nested(NoteSchema, allow_none=True)
    rxnorm = fields.List(fields.String())

    def _strength(self, product: Any) -> Any:
        return QuantitySchema().dump({"value": product.strength, "unit": product.strength_unit.code})


class DisagreementSchema(CitedSchema):
    """An entry of the conflict register as it concerns one agent."""

    id = fields.String()
    severity = word(Severity)
    topic = fields.String()
    summary = fields.String()
    management = fields.String()


class AdverseEffectSchema(CitedSchema):
    """An adverse effect; ``frequency`` as the source gives it."""

    effect = fields.String()
    frequency = fields.String(allow_none=True)
    serious = fields.Boolean()


class AdviceSchema(CitedSchema):
    """What to tell or to keep in mind, whatever the findings."""

    topic = fields.String()
    text = fields.String()


class RuleSchema(CitedSchema):
    """A safety rule; when it applies to a patient it is a finding."""

    id = fields.String()
    category = word(Category)
    severity = word(Severity)
    summary = fields.String()
    management = fields.String()
    jurisdiction = fields.String(allow_none=True)


class ThresholdSchema(CitedSchema):
    """A bound of a monitored value in words, and what to do beyond it."""

    text = fields.String()
    action = fields.String()


class MonitoringLineSchema(CitedSchema):
    """One line of a monitoring plan."""

    parameter = fields.String()
    loinc = fields.List(fields.String())
    baseline = fields.Boolean()
    interval = fields.String(attribute="interval_text", allow_none=True)
    thresholds = fields.List(fields.Nested(ThresholdSchema))


class PartnerSchema(AnswerSchema):
    """What an agent interacts with: agents of this service, ATC prefixes, RxNorm ingredients."""

    name = fields.String()
    agents = SortedStrings()
    atc = fields.List(fields.String())
    rxnorm = SortedStrings()


class InteractionSchema(CitedSchema):
    """A row of the interaction table; ``severity`` is null where the pair is known not to interact."""

    id = fields.String()
    agents = SortedStrings()
    routes = SortedStrings()
    kind = fields.String()
    partner = fields.Nested(PartnerSchema, data_key="with")
    severity = fields.String(allow_none=True)
    signals = fields.List(fields.String())
    mechanism = fields.String()
    effect = fields.String()
    management = fields.String()
    jurisdiction = fields.String(allow_none=True)


class AgentNameSchema(AnswerSchema):
    """An agent as it stands in an answer."""

    id = fields.String()
    name = fields.String()
    codings = fields.List(fields.Nested(CodingSchema))


class AgentSummarySchema(AgentNameSchema):
    """An agent in the list."""

    kind = word(("drug", "procedure"))
    class_ = fields.String(data_key="class")
    default_regimen = fields.String(allow_none=True)
    verdict = fields.String(attribute="evidence.verdict")
    diseases = fields.Method("_diseases", metadata={"type": "array", "items": {"type": "string"}})

    def _diseases(self, agent: Any) -> list[str]:
        return sorted({disease for regimen in agent.regimens.values() for disease in regimen.diseases})


class AgentSchema(AgentSummarySchema):
    """An agent's monograph."""

    synonyms = fields.List(fields.String())
    evidence = fields.Nested(EvidenceSchema)
    notes = fields.List(fields.Nested(NoteSchema))
    regimens = fields.Method("_regimens", metadata={"type": "array", "items": {"$ref": "#/components/schemas/Regimen"}})
    products = fields.Method("_products", metadata={"type": "array", "items": {"$ref": "#/components/schemas/Product"}})
    disagreements = fields.List(fields.Nested(DisagreementSchema))

    safety = fields.Nested("SafetySchema")

    def _regimens(self, agent: Any) -> Any:
        return RegimenSchema(many=True).dump(agent.regimens.values())

    def _products(self, agent: Any) -> Any:
        return ProductSchema(many=True).dump(agent.products.values())


class SafetySchema(AnswerSchema):
    """What is known of an agent's safety, its class included."""

    rules = fields.List(fields.Nested(RuleSchema))
    adverse_effects = fields.List(fields.Nested(AdverseEffectSchema))
    monitoring = fields.List(fields.Nested(MonitoringLineSchema))
    advice = fields.List(fields.Nested(AdviceSchema))


class ReferenceSchema(AnswerSchema):
    """A citation: what kind of source, and how much of it was seen."""

    id = fields.String()
    kind = fields.String()
    citation = fields.String()
    seen = fields.String()
    pmid = fields.String(allow_none=True)
    pmcid = fields.String(allow_none=True)
    doi = fields.String(allow_none=True)
    url = fields.String(allow_none=True)


class VersionSchema(AnswerSchema):
    """The knowledge a dose was computed with."""

    version = fields.String()
    digest = fields.String()
