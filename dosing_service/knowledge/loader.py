"""Reads the knowledge files, checks them against each other and compiles them.

The order is: strict YAML, marshmallow schema per file, references, cross-checks within an agent, compilation (limits
converted by pint into the unit of
the dose they guard). The first fault stops it with one line that names file, path and reason.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Any

import yaml
from marshmallow import Schema, ValidationError

from dosing_service.errors import KnowledgeError
from dosing_service.knowledge import base, schema, yaml_reader
from dosing_service.knowledge.quantities import KindMismatch, convert
from dosing_service.model import Basis, Citations, Per
from dosing_service.units import DOSE_UNITS, DoseUnit


def load(root: Traversable | None = None) -> base.KnowledgeBase:
    """Return the compiled knowledge base found under ``root`` (default: the one shipped with the package).

    Raises:
        KnowledgeError: a file does not load; the message is one line with file, path and reason.
    """
    root = root or files("dosing_service.knowledge")
    texts = dict(_files(root))
    documents = {name: _read(name, text) for name, text in texts.items()}
    references = _references(documents.pop("references.yaml", {}))
    release = _validated("release.yaml", schema.ReleaseSchema(), documents.pop("release.yaml", {}))
    answers = documents.pop("known_answers.yaml", [])
    known = [
        _validated("known_answers.yaml", schema.KnownAnswerSchema(), item, f"{index}")
        for index, item in enumerate(answers)
    ]
    agents = {
        name.removeprefix("agents/").removesuffix(".yaml"): _agent(name, document)
        for name, document in documents.items()
    }
    _check_references(documents, references)
    digest = hashlib.sha256()
    for name in sorted(texts):
        digest.update(name.encode() + b"\0" + texts[name].encode() + b"\0")
    return base.KnowledgeBase(
        **release,
        digest=f"sha256:{digest.hexdigest()}",
        agents=MappingProxyType(agents),
        references=references,
        known_answers=tuple(known),
    )


def _files(root: Traversable) -> Iterator[tuple[str, str]]:
    for name in ("references.yaml", "release.yaml", "known_answers.yaml"):
        if not (root / name).is_file():
            raise KnowledgeError(name, "", "the file is missing")
        yield name, (root / name).read_text("utf-8")
    for entry in sorted((root / "agents").iterdir(), key=lambda item: item.name):
        if entry.name.endswith(".yaml"):
            yield f"agents/{entry.name}", entry.read_text("utf-8")


def _read(name: str, text: str) -> Any:
    try:
        return yaml_reader.read(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise KnowledgeError(name, where, str(getattr(error, "problem", error))) from error


def _validated(name: str, schema_: Schema, document: Any, prefix: str = "") -> Any:
    try:
        return schema_.load(document)
    except ValidationError as error:
        path, reason = _first(error.messages)
        raise KnowledgeError(name, ".".join(filter(None, [prefix, *path])), reason) from error


def _first(messages: Any) -> tuple[list[str], str]:
    if isinstance(messages, Mapping):
        key, inner = next(iter(messages.items()))
        path, reason = _first(inner)
        return ([] if key == "_schema" else [str(key)]) + path, reason
    return [], str(messages[0] if isinstance(messages, list) else messages)


def _references(document: Mapping[str, Any]) -> Mapping[str, base.Reference]:
    records = {
        id_: _validated("references.yaml", schema.ReferenceSchema(), record, id_) for id_, record in document.items()
    }
    return MappingProxyType({id_: base.Reference(id=id_, **record) for id_, record in records.items()})


def _check_references(documents: Mapping[str, Any], references: Mapping[str, base.Reference]) -> None:
    for name, document in documents.items():
        for path, id_ in _cited(document, ""):
            if id_ not in references:
                raise KnowledgeError(name, path, f"unknown reference {id_!r}")


def _cited(node: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            if key == "references":
                yield from (
                    (f"{path}.references".lstrip("."), item if isinstance(item, str) else item["id"]) for item in value
                )
            else:
                yield from _cited(value, f"{path}.{key}".lstrip("."))
    elif isinstance(node, list):
        for index, item in enumerate(node):
            yield from _cited(item, f"{path}.{index}")


def _agent(name: str, document: Any) -> base.Agent:
    data = _validated(name, schema.AgentSchema(), document)
    if f"agents/{data['id']}.yaml" != name:
        raise KnowledgeError(name, "id", "the id is not the file's name")
    regimens = _unique(name, "regimens", [_compiled(name, regimen, data["limits"]) for regimen in data["regimens"]])
    products = _unique(name, "products", data["products"])
    _check_links(name, data, regimens, products)
    return base.Agent(
        id=data["id"],
        name=data["name"],
        kind=data["kind"],
        class_=data["class_"],
        synonyms=tuple(data["synonyms"]),
        codings=tuple(data["codings"]),
        default_regimen=data.get("default_regimen"),
        notes=tuple(data["notes"]),
        evidence=data["evidence"],
        products=products,
        regimens=regimens,
        disagreements=tuple(_disagreement(item, regimens) for item in data["disagreements"]),
    )


def _unique(name: str, key: str, items: list[Any]) -> Mapping[str, Any]:
    by_id: dict[str, Any] = {}
    for item in items:
        if item.id in by_id:
            raise KnowledgeError(name, f"{key}.{item.id}", "this id occurs twice")
        by_id[item.id] = item
    return MappingProxyType(by_id)


def _check_links(
    name: str, data: Mapping[str, Any], regimens: Mapping[str, base.Regimen], products: Mapping[str, base.Product]
) -> None:
    links = [("default_regimen", data.get("default_regimen"))]
    links += [(f"regimens.{regimen.id}.followed_by", regimen.followed_by) for regimen in regimens.values()]
    for item in data["disagreements"]:
        path = f"disagreements.{item['id']}"
        links += [(f"{path}.applies_to.regimens", id_) for id_ in item["applies_to"].get("regimens", [])]
        links += [(f"{path}.positions", position.get("regimen")) for position in item["positions"]]
    for path, id_ in links:
        if id_ is not None and id_ not in regimens:
            raise KnowledgeError(name, path, f"there is no regimen {id_!r}")
    formulations = {product.formulation for product in products.values()}
    for limit in data["limits"]:
        if limit.formulation is not None and limit.formulation not in formulations:
            raise KnowledgeError(name, "limits", f"no product has the formulation {limit.formulation!r}")


def _compiled(name: str, regimen: base.Regimen, agent_limits: list[base.Limit]) -> base.Regimen:
    """Return the regimen with its own and its agent's limits in the unit of its dose."""
    target = regimen.any_figure.unit
    inherited = [limit for limit in agent_limits if _guards(limit, regimen)]
    try:
        limits = tuple(_in_unit_of(limit, target) for limit in (*regimen.limits, *inherited))
    except KindMismatch as error:
        raise KnowledgeError(name, f"regimens.{regimen.id}.limits", str(error)) from error
    _check_own_caps(name, regimen, limits)
    return replace(regimen, limits=limits)


def _guards(limit: base.Limit, regimen: base.Regimen) -> bool:
    """Tell whether an agent's limit can concern a regimen at all: by route and formulation, and because a strength on
    the skin has no milligrams.
    """
    if regimen.basis is Basis.CONCENTRATION or limit.route not in {None, regimen.route}:
        return False
    if regimen.formulation is not None and limit.formulation not in {None, regimen.formulation}:
        return False
    if limit.kind == "rate-maximum":
        return regimen.per is Per.RATE or regimen.infusion is not None
    return True


def _in_unit_of(limit: base.Limit, target: DoseUnit) -> base.Limit:
    is_volume_rate = limit.unit.amount == "mL" and target.amount != "mL"
    if limit.kind == "duration-maximum" or limit.unit.amount == target.amount or is_volume_rate:
        return limit
    code = limit.unit.code.replace(limit.unit.amount, target.amount, 1)
    if code not in DOSE_UNITS:
        raise KindMismatch(f"{limit.unit.code} cannot be expressed in {target.amount}")
    return replace(limit, value=convert(limit.value, limit.unit, DOSE_UNITS[code]), unit=DOSE_UNITS[code])


def _check_own_caps(name: str, regimen: base.Regimen, limits: tuple[base.Limit, ...]) -> None:
    """Refuse a usual dose above a cap that is written in the same unit and applies to everyone."""
    figures = [regimen.figure] if regimen.figure else [band.figure for band in regimen.bands]
    for limit in limits:
        is_general = limit.formulation is None and limit.age is None and limit.weight is None
        per = schema.LIMIT_KINDS[limit.kind]
        for figure in figures:
            same = per is figure.per and limit.unit.body == figure.unit.body
            if limit.effect is base.Effect.CAP and is_general and same and figure.high > limit.value:
                dose, cap = f"{figure.high} {figure.unit.code}", f"{limit.kind} of {limit.value} {limit.unit.code}"
                raise KnowledgeError(name, f"regimens.{regimen.id}", f"the dose of up to {dose} is above its own {cap}")


def _disagreement(data: Mapping[str, Any], regimens: Mapping[str, base.Regimen]) -> base.Disagreement:
    to = data["applies_to"]
    positions = tuple(_position(item, regimens) for item in data["positions"])
    cited = [position.citations for position in positions]
    return base.Disagreement(
        id=data["id"],
        severity=data["severity"],
        topic=data["topic"],
        summary=data["summary"],
        management=data["management"],
        regimens=tuple(to.get("regimens", ())),
        age=to.get("age"),
        weight=to.get("weight"),
        compare=frozenset(data["compare"]),
        positions=positions,
        citations=Citations(
            tuple(dict.fromkeys(id_ for one in cited for id_ in one.references)), any(one.verified for one in cited)
        ),
    )


def _position(data: Mapping[str, Any], regimens: Mapping[str, base.Regimen]) -> base.PositionRule:
    reaches: Mapping[str, Any] = data.get("reaches", {})
    figure: base.DoseFigure | None = data.get("amount")
    total: Decimal | None = None
    if reaches and figure:
        total = convert(reaches["value"], reaches["unit"], DOSE_UNITS[figure.unit.amount])
    return base.PositionRule(
        says=data["says"],
        regimen=data.get("regimen"),
        figure=figure,
        text=data.get("text"),
        age=data.get("age"),
        weight=data.get("weight"),
        dosing_weight=data["dosing_weight"],
        reaches=total,
        reaches_unit=figure.unit.amount if figure and reaches else None,
        citations=data["references"] if "references" in data else regimens[data["regimen"]].citations,
    )
