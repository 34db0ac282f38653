"""Whole answers, as the contract states them: doses, lists, problems, operations."""

from marshmallow import fields

from dosing_service.model import Status
from schemas import dose_calculations as parts
from schemas import knowledge as known
from schemas.fields import AnswerSchema, Encoded, word


class AnswerDoseSchema(parts.DoseSchema):
    """A dose. Products, rates and dates are worked out for the chosen regimen alone; ``schedule`` is null without a
    start date, and where the source leaves the days open.
    """

    infusion = fields.Nested(parts.InfusionPlanSchema, allow_none=True)
    schedule = fields.List(fields.Nested(parts.ScheduleEntrySchema), allow_none=True)
    schedule_summary = fields.Nested(parts.ScheduleSummarySchema, allow_none=True)
    remaining = fields.Nested(parts.RemainingSchema, allow_none=True)
    cumulative = fields.List(fields.Nested(parts.CumulativeSchema))


class AnswerAlternativeSchema(parts.AlternativeSchema):
    """Another regimen that applies, or may apply when data are missing; ``dose`` is null where an input is missing."""

    dose = Encoded(AnswerDoseSchema, allow_none=True)
    regimen = fields.Nested(known.RegimenSummarySchema)


class DoseAnswerSchema(AnswerSchema):
    """The assessment: dose, alternatives, working, findings worst first, what was not checked, what to watch."""

    status = word(Status)
    agent = Encoded(known.AgentNameSchema)
    regimen = Encoded(known.RegimenSummarySchema, allow_none=True)
    dose = Encoded(AnswerDoseSchema, allow_none=True)
    alternatives = Encoded(AnswerAlternativeSchema, many=True)
    derivation = Encoded(parts.StepSchema, many=True)
    findings = Encoded(parts.FindingSchema, many=True)
    not_checked = Encoded(parts.NotCheckedSchema, many=True)
    adverse_effects = Encoded(known.AdverseEffectSchema, many=True)
    monitoring = Encoded(parts.MonitoringItemSchema, many=True)
    advice = Encoded(known.AdviceSchema, many=True)
    renal_function = Encoded(parts.RenalFunctionSchema, many=True)
    body_measures = Encoded(parts.BodyMeasuresSchema)
    evidence = Encoded(known.EvidenceSchema)
    references = fields.Dict(keys=fields.String(), values=Encoded(known.ReferenceSchema))
    as_of = fields.Date(allow_none=True)
    knowledge = Encoded(known.VersionSchema)
    notice = fields.String()


class InteractionListSchema(AnswerSchema):
    """The rows that fit the filters."""

    interactions = fields.List(fields.Nested(known.InteractionSchema))


class AgentListSchema(AnswerSchema):
    """All agents that fit the filters."""

    agents = fields.List(fields.Nested(known.AgentSummarySchema))


class CountsSchema(AnswerSchema):
    """How much is known."""

    agents = fields.Integer()
    drugs = fields.Integer()
    procedures = fields.Integer()
    regimens = fields.Integer()
    references = fields.Integer()
    safety_rules = fields.Integer()
    interactions = fields.Integer()
    conditions = fields.Integer()


class CoverageSchema(AnswerSchema):
    """How far it reaches."""

    agents_with_default_regimen = fields.Integer()
    agents_without_dose = fields.List(fields.String())
    regimens_verified = fields.Integer()
    regimens_by_use = fields.Dict(keys=fields.String(), values=fields.Integer())
    not_covered = fields.List(fields.String())


class RegisterEntrySchema(AnswerSchema):
    """A disagreement and the agents it concerns."""

    id = fields.String()
    agents = fields.List(fields.String())


class SelfTestSchema(AnswerSchema):
    """The known-answer doses: how many there are, and the sentences that fail."""

    doses = fields.Integer()
    failures = fields.List(fields.String())


class KnowledgeSchema(known.VersionSchema):
    """The knowledge base."""

    released = fields.String()
    reviewed = fields.String()
    counts = fields.Nested(CountsSchema)
    coverage = fields.Nested(CoverageSchema)
    disagreements = fields.List(fields.Nested(RegisterEntrySchema))
    self_test = fields.Nested(SelfTestSchema)


class AliveSchema(AnswerSchema):
    """The process answers."""

    status = fields.String()


class ReadySchema(AliveSchema):
    """Whether the known-answer doses come out right."""

    known_answers = fields.Integer()
    failures = fields.List(fields.String())


class ServiceVersionSchema(AnswerSchema):
    """Which service and which knowledge."""

    service = fields.String()
    knowledge = fields.Nested(known.VersionSchema)


class FaultSchema(AnswerSchema):
    """One reason: where (a JSON pointer into the request), what, and what is accepted there."""

    pointer = fields.String()
    code = fields.String()
    detail = fields.String()
    expected = fields.String()


class ProblemSchema(AnswerSchema):
    """An RFC 9457 problem document."""

    type = fields.String()
    title = fields.String()
    status = fields.Integer()
    detail = fields.String()
    errors = fields.List(fields.Nested(FaultSchema))
