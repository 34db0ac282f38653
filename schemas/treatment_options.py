"""``POST /v1/treatment-options``: the options that the sources name for a presentation, judged for one patient."""

from typing import Any

from marshmallow import fields, post_load

from dosing_service.model import Status, TreatmentRequest
from schemas.cited import CitedSchema, StatedSchema
from schemas.dose_calculations import FindingSchema, NotCheckedSchema
from schemas.fields import AnswerSchema, Choice, Date, Encoded, Flag, StrictSchema, Text, part, word
from schemas.knowledge import NoteSchema, ReferenceSchema, VersionSchema
from schemas.patient import PatientSchema, build_patient


class PresentationSchema(StrictSchema):
    """What is seen; a feature that is left out is unknown."""

    disease = Text("a disease id, for example dermatomyositis")
    activity = Choice(("active", "inactive"))
    lesion_size = Choice(("small", "large"))
    extent = Choice(("localized", "generalized"))
    refractory = Flag()
    ulcerated = Flag()
    inflamed = Flag()
    painful = Flag()


class TreatmentRequestSchema(StrictSchema):
    """The request."""

    patient = part(PatientSchema, load_default=dict)
    presentation = part(PresentationSchema, required=True)
    as_of = Date()

    @post_load
    def _build(self, data: dict[str, Any], **_: Any) -> TreatmentRequest:
        return TreatmentRequest(data["presentation"], build_patient(data), data.get("as_of"))


class OptionReasonSchema(StatedSchema):
    """Why a source names the option for a presentation, and what speaks against it."""

    scenario = fields.String()
    line = fields.Integer()
    role = fields.String()
    rationale = fields.String()
    against = fields.String(allow_none=True)
    against_references = fields.List(fields.String())


class TreatmentOptionSchema(StatedSchema):
    """An option: line of therapy, reasons, evidence, this patient's dose, serious findings and unknowns."""

    agent = fields.String()
    name = fields.String()
    kind = word(("drug", "procedure"))
    regimen = fields.String(allow_none=True)
    line = fields.Integer()
    role = fields.String()
    reasons = fields.List(fields.Nested(OptionReasonSchema))
    verdict = fields.String()
    evidence = fields.String()
    status = word(Status)
    dose = fields.String(allow_none=True)
    findings = fields.List(fields.Nested(FindingSchema))
    not_checked = fields.List(fields.Nested(NotCheckedSchema))
    dose_calculation = fields.Dict(keys=fields.String(), values=fields.String())


class SideSchema(CitedSchema):
    """What one source says."""

    says = fields.String()
    text = fields.String()


class ContradictionSchema(AnswerSchema):
    """Where the sources contradict each other."""

    id = fields.String()
    topic = fields.String()
    text = fields.String()
    positions = fields.List(fields.Nested(SideSchema))


class TreatmentAnswerSchema(AnswerSchema):
    """The options, most specific and earliest line first; what is contraindicated stands apart with its reason."""

    scenarios = fields.List(fields.String())
    options = Encoded(TreatmentOptionSchema, many=True)
    not_recommended = Encoded(TreatmentOptionSchema, many=True)
    notes = fields.List(fields.Nested(NoteSchema))
    supportive_measures = Encoded(NoteSchema, many=True)
    expectations = Encoded(NoteSchema, many=True)
    contradictions = Encoded(ContradictionSchema, many=True)
    not_checked = Encoded(NotCheckedSchema, many=True)
    references = fields.Dict(keys=fields.String(), values=Encoded(ReferenceSchema))
    as_of = fields.Date(allow_none=True)
    knowledge = Encoded(VersionSchema)
    notice = fields.String()
