"""CDS Hooks calls, cards and feedback, as the contract states them.

Calls are read leniently (:mod:`dosing_service.cds_hooks.requests`), so their schemas say only what is refused without.
Answers are written strictly: what is empty is left out, and what is required says so.
"""

from marshmallow import fields, validate

from schemas.fields import SparseSchema
from schemas.service import ProblemSchema

_SERVICE_HOOKS = ("order-select", "order-sign", "medication-prescribe")
_INDICATORS = ("info", "warning", "critical")
_OUTCOMES = ("accepted", "overridden")


def _text(**more: object) -> fields.String:
    return fields.String(required=True, **more)  # type: ignore[arg-type]  # keyword arguments of a field


class CallSchema(SparseSchema):
    """A call of a service. Other members, and what cannot be read, are ignored; orders that cannot be read are named in
    cards. Members of a FHIR server are used only if it is listed in the settings.
    """

    hook = fields.String(
        required=True, validate=validate.OneOf(_SERVICE_HOOKS), metadata={"description": "the hook of the service"}
    )
    hook_instance = fields.String(data_key="hookInstance", required=True, validate=validate.Length(min=1))
    context = fields.Dict(
        required=True,
        metadata={"description": "patientId, draftOrders (a Bundle), and selections while orders are selected"},
    )
    prefetch = fields.Raw(
        metadata={"description": "resources by key; a key that is absent is unknown, null is known to be none"}
    )
    fhir_server = fields.Raw(
        data_key="fhirServer", metadata={"description": "the address of a FHIR server that may be asked back"}
    )
    fhir_authorization = fields.Raw(
        data_key="fhirAuthorization", metadata={"description": "access_token for that server"}
    )


class CardCodingSchema(SparseSchema):
    """A code, its system and its words."""

    system = _text()
    code = _text()
    display = _text()


class SourceSchema(SparseSchema):
    """Where a card comes from; ``topic`` is the same for the same problem in every call."""

    label = _text()
    url = _text()
    topic = fields.Nested(CardCodingSchema, required=True)


class ActionSchema(SparseSchema):
    """A change of an order; ``resource`` is the whole order as it would be."""

    type = _text(validate=validate.OneOf(["update"]))
    description = _text()
    resource = fields.Dict(required=True)


class SuggestionSchema(SparseSchema):
    """The order without the slip that would explain it."""

    label = _text()
    uuid = fields.UUID(required=True)
    actions = fields.List(fields.Nested(ActionSchema), required=True)


class LinkSchema(SparseSchema):
    """A page with more."""

    label = _text()
    url = _text()
    type = _text(validate=validate.OneOf(["absolute"]))


class CardSchema(SparseSchema):
    """One problem that a clinician must act on. ``uuid`` is the same for the same call."""

    uuid = fields.UUID(required=True)
    summary = _text(validate=validate.Length(max=139))
    indicator = _text(validate=validate.OneOf(_INDICATORS))
    detail = _text(metadata={"description": "GitHub Flavored Markdown without HTML"})
    source = fields.Nested(SourceSchema, required=True)
    override_reasons = fields.List(fields.Nested(CardCodingSchema), data_key="overrideReasons")
    suggestions = fields.List(fields.Nested(SuggestionSchema))
    selection_behavior = fields.String(data_key="selectionBehavior", validate=validate.OneOf(["at-most-one"]))
    links = fields.List(fields.Nested(LinkSchema))


class CardsSchema(SparseSchema):
    """The cards, worst first; an empty list when there is nothing to say."""

    cards = fields.List(fields.Nested(CardSchema), required=True)


class OfferSchema(SparseSchema):
    """A service that can be called."""

    hook = _text(validate=validate.OneOf(_SERVICE_HOOKS))
    title = _text()
    description = _text()
    id = _text()
    prefetch = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    usage_requirements = _text(data_key="usageRequirements")


class DiscoverySchema(SparseSchema):
    """The services that are offered."""

    services = fields.List(fields.Nested(OfferSchema), required=True)


class FeedbackSchema(SparseSchema):
    """What clinicians did with cards. Entries that cannot be read are passed over, unless it is all of them."""

    feedback = fields.List(
        fields.Raw(),
        required=True,
        metadata={"description": f"objects with card, outcome ({' or '.join(_OUTCOMES)}) and outcomeTimestamp"},
    )


class IssueSchema(SparseSchema):
    """One thing that is wrong, as FHIR says it."""

    severity = _text()
    code = _text()
    diagnostics = _text()


class CdsProblemSchema(ProblemSchema):
    """A problem document that is also a FHIR OperationOutcome."""

    resource_type = fields.String(data_key="resourceType", validate=validate.Equal("OperationOutcome"))
    issue = fields.List(fields.Nested(IssueSchema))
