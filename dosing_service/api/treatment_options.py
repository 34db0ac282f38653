"""``POST /v1/treatment-options``."""

from typing import Any

import msgspec
from flask import Blueprint, Response, request

from dosing_service import service
from dosing_service.api.answers import of_findings, raw
from dosing_service.config import Settings
from dosing_service.http.strict_json import encode, read_object
from dosing_service.knowledge.base import KnowledgeBase
from dosing_service.model import TreatmentOption, TreatmentOptions
from schemas.knowledge import NoteSchema, ReferenceSchema, VersionSchema
from schemas.reading import treatment_request
from schemas.treatment_options import ContradictionSchema, TreatmentAnswerSchema

_ANSWER = TreatmentAnswerSchema()


def blueprint(settings: Settings, knowledge: KnowledgeBase) -> Blueprint:
    """Return the routes of this resource."""
    routes = Blueprint("treatment_options", __name__)
    writer = _Writer(knowledge)

    @routes.post("/v1/treatment-options")
    def options() -> Response:
        asked = treatment_request(read_object(request, settings.max_body_bytes))
        response = Response(writer.write(service.treatment_options(asked, knowledge)), mimetype="application/json")
        response.headers["Cache-Control"] = "no-store"
        return response

    return routes


class _Writer:
    """Writes answers; what is said to everybody is encoded once."""

    def __init__(self, knowledge: KnowledgeBase) -> None:
        pathway = knowledge.pathway
        self._measures = raw(NoteSchema(many=True), pathway.supportive_measures)
        self._expectations = raw(NoteSchema(many=True), pathway.expectations)
        self._contradictions = raw(ContradictionSchema(many=True), pathway.contradictions)
        self._version = raw(VersionSchema(), knowledge)
        self._references = {id_: raw(ReferenceSchema(), item) for id_, item in knowledge.references.items()}
        cited = [note.citations for note in (*pathway.supportive_measures, *pathway.expectations)]
        cited += [side.citations for item in pathway.contradictions for side in item.positions]
        self._cited = {id_ for citations in cited for id_ in citations.references}

    def write(self, answer: TreatmentOptions) -> bytes:
        cited = set(self._cited)
        for option in (*answer.options, *answer.not_recommended):
            cited.update(option.references, of_findings(option.findings))
            for reason in option.reasons:
                cited.update(reason.references, reason.against_references)
        cited.update(id_ for note in answer.notes for id_ in note.citations.references)
        document = {
            "scenarios": answer.scenarios,
            "options": [_linked(option) for option in answer.options],
            "not_recommended": [_linked(option) for option in answer.not_recommended],
            "notes": answer.notes,
            "supportive_measures": self._measures,
            "expectations": self._expectations,
            "contradictions": self._contradictions,
            "not_checked": answer.not_checked,
            "references": {id_: self._references[id_] for id_ in sorted(cited)},
            "as_of": answer.as_of,
            "knowledge": self._version,
            "notice": service.NOTICE,
        }
        return encode(_ANSWER.dump(document))


def _linked(option: TreatmentOption) -> dict[str, Any]:
    """Return an option with where its dose is calculated."""
    asked = {"agent": option.agent} | ({"regimen": option.regimen} if option.regimen else {})
    link = {"method": "POST", "href": "/v1/dose-calculations", **asked}
    return msgspec.structs.asdict(option) | {"dose_calculation": link}
