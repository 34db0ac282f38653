"""Treatment pathways: which options the sources name for which presentation. Values and the schema of their file."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from marshmallow import fields, post_load, validate

from dosing_service.errors import KnowledgeError
from dosing_service.knowledge.base import Agent, Note
from dosing_service.knowledge.fields import CitationsField, Whole
from dosing_service.knowledge.schema import FileSchema, NoteSchema, sentence
from dosing_service.model import Citations


@dataclass(frozen=True, slots=True, eq=False)
class Option:
    """An agent or procedure named for a presentation, with its line of therapy and what speaks against it."""

    agent: str
    regimen: str | None
    line: int
    role: str
    rationale: str
    against: Note | None
    citations: Citations


@dataclass(frozen=True, slots=True, eq=False)
class Scenario:
    """A presentation: ``when`` maps features to the values that fit; an empty one fits everybody."""

    id: str
    name: str
    when: Mapping[str, tuple[Any, ...]]
    options: tuple[Option, ...]
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """What one source says in a contradiction."""

    says: str
    text: str
    citations: Citations


@dataclass(frozen=True, slots=True, eq=False)
class Contradiction:
    """Where the sources of the pathway contradict each other."""

    id: str
    topic: str
    text: str
    positions: tuple[Side, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Pathway:
    """Everything that is said about the choice of treatment."""

    scenarios: tuple[Scenario, ...]
    supportive_measures: tuple[Note, ...]
    expectations: tuple[Note, ...]
    contradictions: tuple[Contradiction, ...]


class OptionSchema(FileSchema):
    agent = sentence(required=True)
    regimen = sentence()
    line = Whole(required=True)
    role = fields.String(required=True, validate=validate.OneOf(("first-line", "adjunct", "alternative", "refractory")))
    rationale = sentence(required=True)
    references = CitationsField(required=True)
    against = fields.Nested(NoteSchema)

    @post_load
    def _build(self, data: dict[str, Any], **_: Any) -> Option:
        fixed = (data["agent"], data.get("regimen"), data["line"], data["role"], data["rationale"])
        return Option(*fixed, data.get("against"), data["references"])


class WhenSchema(FileSchema):
    disease = fields.List(fields.String(), validate=validate.Length(min=1))
    activity = fields.String(validate=validate.OneOf(("active", "inactive")))
    lesion_size = fields.String(validate=validate.OneOf(("small", "large")))
    extent = fields.String(validate=validate.OneOf(("localized", "generalized")))
    refractory = fields.Boolean(truthy={True}, falsy={False})
    ulcerated = fields.Boolean(truthy={True}, falsy={False})
    inflamed = fields.Boolean(truthy={True}, falsy={False})
    painful = fields.Boolean(truthy={True}, falsy={False})


class ScenarioSchema(FileSchema):
    id = sentence(required=True)
    name = sentence(required=True)
    when = fields.Nested(WhenSchema, required=True)
    options = fields.List(fields.Nested(OptionSchema), required=True)
    notes = fields.List(fields.Nested(NoteSchema), load_default=list)

    @post_load
    def _build(self, data: dict[str, Any], **_: Any) -> Scenario:
        when = {key: tuple(value) if isinstance(value, list) else (value,) for key, value in data["when"].items()}
        return Scenario(data["id"], data["name"], when, tuple(data["options"]), tuple(data["notes"]))


class SideSchema(FileSchema):
    says = sentence(required=True)
    text = sentence(required=True)
    references = CitationsField(required=True)

    @post_load
    def _build(self, data: dict[str, Any], **_: Any) -> Side:
        return Side(data["says"], data["text"], data["references"])


class ContradictionSchema(FileSchema):
    id = sentence(required=True)
    topic = sentence(required=True)
    text = sentence(required=True)
    positions = fields.List(fields.Nested(SideSchema), required=True, validate=validate.Length(min=2))

    @post_load
    def _build(self, data: dict[str, Any], **_: Any) -> Contradiction:
        return Contradiction(data["id"], data["topic"], data["text"], tuple(data["positions"]))


class PathwaySchema(FileSchema):
    id = sentence(required=True)
    name = sentence(required=True)
    scenarios = fields.List(fields.Nested(ScenarioSchema), required=True)
    supportive_measures = fields.List(fields.Nested(NoteSchema), required=True)
    expectations = fields.List(fields.Nested(NoteSchema), required=True)
    contradictions = fields.List(fields.Nested(ContradictionSchema), required=True)

    @post_load
    def _build(self, data: dict[str, Any], **_: Any) -> Pathway:
        parts = ("scenarios", "supportive_measures", "expectations", "contradictions")
        return Pathway(*(tuple(data[part]) for part in parts))


def check(name: str, pathway: Pathway, agents: Mapping[str, Agent]) -> None:
    """Check that every option names an agent and regimen that exist.

    Raises:
        KnowledgeError: one does not.
    """
    for scenario in pathway.scenarios:
        for option in _unknown(scenario.options, agents):
            raise KnowledgeError(name, scenario.id, f"there is no {option.agent!r} with regimen {option.regimen!r}")


def _unknown(options: Iterable[Option], agents: Mapping[str, Agent]) -> list[Option]:
    return [
        option
        for option in options
        if option.agent not in agents or (option.regimen and option.regimen not in agents[option.agent].regimens)
    ]
