"""Marshmallow schemas of the safety parts of the knowledge files; predicates are read when they are compiled."""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, post_load, validate, validates_schema

from dosing_service.knowledge import safety
from dosing_service.knowledge.base import DoseFigure
from dosing_service.knowledge.fields import CitationsField, Number, UnitField, Whole
from dosing_service.knowledge.schema import JURISDICTIONS, AgentSchema, FileSchema, sentence
from dosing_service.model import Category, Per, Severity
from dosing_service.systems import LOINC, SNOMED

SIGNALS = (
    *("cyp3a4", "p-gp", "bradycardia", "hypotension", "nephrotoxic", "bleeding", "immunosuppression", "absorption"),
    *("hypokalaemia", "hypocalcaemia", "hepatotoxic", "myelosuppression", "thrombosis", "qt", "vaccine"),
    *("neuromuscular", "other"),
)
KINDS = ("drug", "vaccine", "food", "device", "procedure")
TOPICS = ("administration", "interactions", "fertility", "vaccines", "dental", "other")
RULE_CATEGORIES = (
    *(Category.BOXED_WARNING, Category.CONTRAINDICATION, Category.PRECAUTION, Category.AGE, Category.PREGNANCY),
    *(Category.LACTATION, Category.RENAL, Category.HEPATIC, Category.CARDIAC, Category.ALLERGY, Category.DOSE_LIMIT),
    *(Category.VACCINE, Category.ADMINISTRATION),
)


class LoweredSchema(FileSchema):
    """``percent`` of the documented dose, or a figure in mg a day or a week."""

    percent = Number(validate=validate.Range(max=100))
    value = Number()
    unit = UnitField()

    @post_load
    def _build(self, data: dict[str, Any], **_: Any) -> safety.Lowered:
        if set(data) not in ({"percent"}, {"value", "unit"}):
            raise ValidationError("percent, or value and unit, is expected")
        if "percent" in data:
            return safety.Lowered(data["percent"], None)
        per = {"mg/d": Per.DAY, "mg/wk": Per.WEEK}.get(data["unit"].code)
        if per is None:
            raise ValidationError("a lowered dose is in mg/d or mg/wk", "unit")
        return safety.Lowered(None, DoseFigure(data["value"], data["value"], data["unit"], per))


class LoweredField(fields.Field[safety.Lowered]):
    """``not-stated``, ``{percent}`` or ``{value, unit}``."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> safety.Lowered:
        if value == "not-stated":
            return safety.Lowered(None, None)
        lowered: safety.Lowered = LoweredSchema().load(value)
        return lowered


class RuleSchema(FileSchema):
    id = fields.String(required=True, validate=validate.Regexp(r"^[a-z0-9]+(-[a-z0-9]+)*$"))
    category = fields.Enum(Category, by_value=True, required=True, validate=validate.OneOf(RULE_CATEGORIES))
    severity = fields.Enum(Severity, by_value=True, required=True)
    when = fields.Dict(required=True)
    summary = sentence(required=True)
    management = sentence(required=True)
    jurisdiction = fields.String(validate=validate.OneOf(JURISDICTIONS))
    order_severity = fields.Enum(Severity, by_value=True)
    orders_only = fields.Boolean(truthy={True}, falsy={False}, load_default=False)
    lowers_dose = LoweredField()
    quiet_when_unknown = fields.Boolean(truthy={True}, falsy={False}, load_default=False)
    references = CitationsField(required=True)

    @validates_schema(skip_on_field_errors=True)
    def _is_consistent(self, data: Mapping[str, Any], **_: Any) -> None:
        if "always" in data["when"] and data["severity"] is not Severity.INFO:
            raise ValidationError("what holds for everyone is info, or it would alarm everyone", "severity")


class AdverseEffectSchema(FileSchema):
    effect = sentence(required=True)
    frequency = sentence()
    serious = fields.Boolean(required=True, truthy={True}, falsy={False})
    references = CitationsField(required=True)

    @post_load
    def _build(self, data: dict[str, Any], **_: Any) -> safety.AdverseEffect:
        return safety.AdverseEffect(data["effect"], data.get("frequency"), data["serious"], data["references"])


class ThresholdSchema(FileSchema):
    above = Number()
    from_ = Number(data_key="from")
    below = Number()
    to = Number()
    unit = sentence(required=True)
    action = sentence(required=True)
    severity = fields.Enum(Severity, by_value=True, required=True)
    when = fields.Dict()
    references = CitationsField(required=True)


class IntervalSchema(FileSchema):
    low = Number(required=True)
    high = Number(required=True)
    unit = fields.String(required=True, validate=validate.OneOf(("d", "wk", "mo")))


class MonitoringSchema(FileSchema):
    parameter = sentence(required=True)
    loinc = fields.List(fields.String(), load_default=list)
    one_is_enough = fields.Boolean(load_default=False, truthy={True}, falsy={False})
    rise = fields.Boolean(load_default=False, truthy={True}, falsy={False})
    baseline = fields.Boolean(required=True, truthy={True}, falsy={False})
    interval = fields.Nested(IntervalSchema)
    interval_text = sentence()
    thresholds = fields.List(fields.Nested(ThresholdSchema), load_default=list)
    references = CitationsField(required=True)

    @validates_schema(skip_on_field_errors=True)
    def _is_consistent(self, data: Mapping[str, Any], **_: Any) -> None:
        if data["rise"] and len(data["loinc"]) != 1:
            raise ValidationError("a rise is that of one code", "loinc")


class AdviceSchema(FileSchema):
    topic = fields.String(required=True, validate=validate.OneOf(TOPICS))
    text = sentence(required=True)
    references = CitationsField(required=True)

    @post_load
    def _build(self, data: dict[str, Any], **_: Any) -> safety.Advice:
        return safety.Advice(data["topic"], data["text"], data["references"])


class ClassSchema(FileSchema):
    """Facts that several agents share, written once."""

    id = sentence(required=True)
    agents = fields.List(fields.String(), required=True, validate=validate.Length(min=1))
    rules = fields.List(fields.Nested(RuleSchema), load_default=list)
    adverse_effects = fields.List(fields.Nested(AdverseEffectSchema), load_default=list)
    monitoring = fields.List(fields.Nested(MonitoringSchema), load_default=list)
    advice = fields.List(fields.Nested(AdviceSchema), load_default=list)


class EscalationSchema(FileSchema):
    when = fields.Dict(required=True)
    severity = fields.Enum(Severity, by_value=True, required=True)


class InteractionSchema(FileSchema):
    id = fields.String(required=True, validate=validate.Regexp(r"^[ABN][0-9]{3}$"))
    agents = fields.List(fields.String(), required=True, validate=validate.Length(min=1))
    routes = fields.List(fields.String(), load_default=list)
    with_ = fields.Dict(required=True, data_key="with")
    except_atc = fields.List(fields.String(), load_default=list)
    severity = fields.String(required=True, validate=validate.OneOf((*Severity, "none")))
    signals = fields.List(fields.String(validate=validate.OneOf(SIGNALS)), load_default=list)
    mechanism = sentence(required=True)
    effect = sentence(required=True)
    management = sentence(required=True)
    when = fields.Dict()
    escalate = fields.Nested(EscalationSchema)
    jurisdiction = fields.String(validate=validate.OneOf(JURISDICTIONS))
    lowers_dose = fields.Dict(keys=fields.String(), values=LoweredField(), load_default=dict)
    references = CitationsField(required=True)


#: A code that others begin with (``K74.6``), or a range of categories of one letter (``C00-C96``).
_ICD10 = validate.Regexp(r"^([A-Z])[0-9][0-9A-Z](\.[0-9A-Z]{1,4}|-\1[0-9]{2})?$")


class ConditionCodesSchema(FileSchema):
    """SNOMED CT codes, and ICD-10-CM prefixes or ranges of categories."""

    snomed = fields.List(fields.String(), load_default=list)
    icd10 = fields.List(fields.String(validate=_ICD10), load_default=list)


class ConditionSchema(ConditionCodesSchema):
    """A value set: the codes that are it, broader ones that leave it open, and the group of which only one holds.

    ``icd10_who`` stands where the edition of the WHO is to be read by other codes than ICD-10-CM.
    """

    name = sentence(required=True)
    snomed = fields.List(fields.String(), required=True)
    icd10 = fields.List(fields.String(validate=_ICD10), required=True)
    icd10_who = fields.List(fields.String(validate=_ICD10))
    suggested_by = fields.Nested(ConditionCodesSchema, load_default=lambda: {"snomed": [], "icd10": []})
    one_of = fields.String()
    verified = fields.Boolean(required=True, truthy={True}, falsy={False})


class AllergenCodeSchema(FileSchema):
    """A code of an allergen beside the one that rules ask about, under the name that its terminology gives it."""

    system = fields.String(required=True, validate=validate.OneOf(("rxnorm", "snomed")))
    code = sentence(required=True)
    name = sentence(required=True)
    verified = fields.Boolean(required=True, truthy={True}, falsy={False})


class AllergenSchema(FileSchema):
    snomed = sentence()
    names = fields.List(sentence(), required=True, validate=validate.Length(min=1))
    codes = fields.List(fields.Nested(AllergenCodeSchema), required=True)


class AnswerSchema(FileSchema):
    system = fields.String(required=True, validate=validate.OneOf((LOINC, SNOMED)))
    code = sentence(required=True)
    verified = fields.Boolean(required=True, truthy={True}, falsy={False})


class QuestionSchema(FileSchema):
    code = sentence(required=True)
    verified = fields.Boolean(required=True, truthy={True}, falsy={False})


class StateSchema(FileSchema):
    condition = sentence(required=True)
    question = fields.Nested(QuestionSchema, required=True)
    answers_yes = fields.List(fields.Nested(AnswerSchema), required=True, validate=validate.Length(min=1))
    answers_no = fields.List(fields.Nested(AnswerSchema), required=True, validate=validate.Length(min=1))
    yes_days = Whole(required=True)
    no_days = Whole(required=True)
    diagnosis_days = Whole()


class LoincSchema(FileSchema):
    """A LOINC code with the unit of its values; a finding without a number (present, absent) has none."""

    code = sentence(required=True)
    unit = sentence(load_default="1")
    verified = fields.Boolean(required=True, truthy={True}, falsy={False})
    formula = sentence()


class MolarMassSchema(FileSchema):
    value = Number(required=True)
    unit = fields.String(required=True, validate=validate.OneOf(("g/mol",)))


class AnalyteSchema(FileSchema):
    name = sentence(required=True)
    loinc = fields.List(fields.Nested(LoincSchema), required=True, validate=validate.Length(min=1))
    molar_mass = fields.Nested(MolarMassSchema)
    units = fields.List(fields.String())


class AgentFileSchema(AgentSchema):
    """An agent's file: doses and evidence, and what is known of its safety."""

    rules = fields.List(fields.Nested(RuleSchema), load_default=list)
    adverse_effects = fields.List(fields.Nested(AdverseEffectSchema), load_default=list)
    monitoring = fields.List(fields.Nested(MonitoringSchema), load_default=list)
    advice = fields.List(fields.Nested(AdviceSchema), load_default=list)
