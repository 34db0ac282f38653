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

from dosing_service.errors import KnowledgeError
from dosing_service.knowledge import base, growth, name_loader, schema, yaml_reader
from dosing_service.knowledge.pathways import PathwaySchema
from dosing_service.knowledge.pathways import check as check_pathway
from dosing_service.knowledge.predicates import Reader
from dosing_service.knowledge.product_loader import FILE as PRODUCTS
from dosing_service.knowledge.product_loader import coded_products, product_of_code
from dosing_service.knowledge.quantities import KindMismatch, convert
from dosing_service.knowledge.safety import Interaction, RiseIn, Safety, Terminology, every, groups, slug
from dosing_service.knowledge.safety_loader import (
    compiled_safety,
    interactions,
    terminology,
    validated,
    with_allergens,
)
from dosing_service.knowledge.safety_schema import AgentFileSchema, ClassSchema
from dosing_service.model import Basis, Citations, Per
from dosing_service.units import DOSE_UNITS, DoseUnit

_PATHWAY = "pathways/calcinosis.yaml"
_GROWTH = "growth/cdc-2000.csv"


def load(root: Traversable | None = None) -> base.KnowledgeBase:
    """Return the compiled knowledge base found under ``root`` (default: the one shipped with the package).

    Raises:
        KnowledgeError: a file does not load; the message is one line with file, path and reason.
    """
    texts = dict(_files(root or files("dosing_service.knowledge")))
    documents = {name: _read(name, text) for name, text in texts.items() if name.endswith(".yaml")}
    references = _references(documents.pop("references.yaml"))
    release = validated("release.yaml", schema.ReleaseSchema(), documents.pop("release.yaml"))
    answers = documents.pop("known_answers.yaml")
    reader = Reader(terminology(documents, texts["terminology/drugs.csv"]))
    agents = _agents(documents, reader)
    coded = coded_products(texts[PRODUCTS], agents)
    rows = _interactions(documents, agents, reader)
    pathway = validated(_PATHWAY, PathwaySchema(), documents[_PATHWAY])
    check_pathway(_PATHWAY, pathway, agents)
    _check_references(documents, references)
    return base.KnowledgeBase(
        **release,
        digest=_digest(texts),
        agents=MappingProxyType(agents),
        references=references,
        known_answers=tuple(_known_answers(answers)),
        terminology=name_loader.with_names(
            with_allergens(_complete(reader.terminology, agents, rows), documents), texts, coded
        ),
        interactions=MappingProxyType({row.id: row for row in rows}),
        interactions_of=MappingProxyType(_by_agent(rows, agents)),
        pathway=pathway,
        coded_products=coded,
        product_of_code=product_of_code(agents, coded),
        growth=growth.read(_GROWTH, texts[_GROWTH]),
    )


def _files(root: Traversable) -> Iterator[tuple[str, str]]:
    tables = ("terminology/drugs.csv", PRODUCTS, _GROWTH, *name_loader.FILES)
    single = ("references.yaml", "release.yaml", "known_answers.yaml", _PATHWAY, *tables)
    parts = ("allergens", "conditions", "observations", "states", "atc_aliases", "local_use")
    for name in (*single, *(f"terminology/{part}.yaml" for part in parts)):
        yield name, _text(root, name)
    for folder in ("agents", "classes", "interactions"):
        if not root.joinpath(folder).is_dir():
            raise KnowledgeError(folder, "", "the folder is missing")
        for entry in sorted(root.joinpath(folder).iterdir(), key=lambda item: item.name):
            if entry.name.endswith(".yaml"):
                yield f"{folder}/{entry.name}", _text(root, f"{folder}/{entry.name}")


def _text(root: Traversable, name: str) -> str:
    file = root.joinpath(name)
    if not file.is_file():
        raise KnowledgeError(name, "", "the file is missing")
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise KnowledgeError(name, "", "the file is not UTF-8") from error


def _digest(texts: Mapping[str, str]) -> str:
    digest = hashlib.sha256()
    for name in sorted(texts):
        digest.update(name.encode() + b"\0" + texts[name].encode() + b"\0")
    return f"sha256:{digest.hexdigest()}"


def _known_answers(document: list[Any]) -> Iterator[base.KnownAnswer]:
    for index, item in enumerate(document):
        yield validated("known_answers.yaml", schema.KnownAnswerSchema(), item, f"{index}")


def _folder(documents: Mapping[str, Any], folder: str) -> Iterator[tuple[str, Any]]:
    return ((name, document) for name, document in documents.items() if name.startswith(f"{folder}/"))


def _agents(documents: Mapping[str, Any], reader: Reader) -> dict[str, base.Agent]:
    shared: dict[str, list[Safety]] = {}
    known = {name.removeprefix("agents/").removesuffix(".yaml") for name, _ in _folder(documents, "agents")}
    for name, document in _folder(documents, "classes"):
        data = validated(name, ClassSchema(), document)
        compiled = compiled_safety(name, data, (), reader)
        for agent in data["agents"]:
            if agent not in known:
                raise KnowledgeError(name, "agents", f"there is no agent {agent!r}")
            shared.setdefault(agent, []).append(compiled)
    agents = [_agent(name, document, shared, reader) for name, document in _folder(documents, "agents")]
    return {agent.id: agent for agent in agents}


def _interactions(documents: Mapping[str, Any], agents: Mapping[str, base.Agent], reader: Reader) -> list[Interaction]:
    rows: dict[str, Interaction] = {}
    for name, document in _folder(documents, "interactions"):
        for row in interactions(name, document, agents, reader):
            if row.id in rows:
                raise KnowledgeError(name, row.id, "this id occurs twice")
            rows[row.id] = row
    return [rows[id_] for id_ in sorted(rows)]


def _complete(terminology_: Terminology, agents: Mapping[str, base.Agent], rows: list[Interaction]) -> Terminology:
    """Return the terminology with the substances, names and rises that rules, plans and rows ask about."""
    questions = [rule.when for agent in agents.values() for rule in agent.safety.rules]
    questions += [question for row in rows for question in (row.when, *(row.escalated or ())[:1])]
    asked = [group for question in questions for group in groups(question)]
    rises = {item.analyte for question in questions for item in every(question) if isinstance(item, RiseIn)}
    planned = [line for agent in agents.values() for line in agent.safety.monitoring if line.is_rise]
    return replace(
        terminology_,
        followed=frozenset(rises | {terminology_.analyte_of_loinc[code] for line in planned for code in line.loinc}),
        substances=frozenset(code for group in asked for code in group.snomed),
        partners=frozenset(
            slug(name) for name in (*(row.partner.name for row in rows), *(item.name for item in asked))
        ),
    )


def _by_agent(rows: list[Interaction], agents: Mapping[str, base.Agent]) -> dict[str, tuple[Interaction, ...]]:
    """Return the rows that concern each agent on either side: by its id, or by a code of its own in the other side."""
    found: dict[str, tuple[Interaction, ...]] = {}
    for agent in agents.values():
        atc = [item.code for item in agent.codings if item.system == "atc"]
        found[agent.id] = tuple([row for row in rows if _names(row, agent.id, atc)])
    return found


def _names(row: Interaction, agent: str, atc: list[str]) -> bool:
    if agent in row.agents or agent in row.partner.agents:
        return True
    return bool(row.partner.atc) and any(code.startswith(row.partner.atc) for code in atc)


def _read(name: str, text: str) -> Any:
    try:
        document = yaml_reader.read(text)
    except (yaml.YAMLError, TypeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        reason = str(getattr(error, "problem", None) or error)
        raise KnowledgeError(name, where, " ".join(reason.split())) from error
    if not isinstance(document, dict | list):
        raise KnowledgeError(name, "", "the file holds neither a mapping nor a list")
    return document


def _references(document: Any) -> Mapping[str, base.Reference]:
    if not isinstance(document, Mapping):
        raise KnowledgeError("references.yaml", "", "a mapping from ids to citations is expected")
    schema_ = schema.ReferenceSchema()
    records = {id_: validated("references.yaml", schema_, record, id_) for id_, record in document.items()}
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


def _agent(name: str, document: Any, shared: Mapping[str, list[Safety]], reader: Reader) -> base.Agent:
    data = validated(name, AgentFileSchema(), document)
    if f"agents/{data['id']}.yaml" != name:
        raise KnowledgeError(name, "id", "the id is not the file's name")
    regimens = _unique(name, "regimens", [_compiled(name, regimen, data["limits"]) for regimen in data["regimens"]])
    products = _unique(name, "products", data["products"])
    _check_links(name, data, regimens, products)
    safe = compiled_safety(name, data, shared.get(data["id"], ()), reader)
    _check_reduced_rates(name, regimens, safe)
    return base.Agent(
        id=data["id"],
        name=data["name"],
        kind=data["kind"],
        class_=data["class_"],
        synonyms=tuple(data["synonyms"]),
        codings=tuple(data["codings"]),
        default_regimen=data.get("default_regimen"),
        notes=tuple(data["notes"]),
        other_uses=data.get("other_uses"),
        evidence=data["evidence"],
        products=products,
        regimens=regimens,
        disagreements=tuple(_disagreement(item, regimens) for item in data["disagreements"]),
        safety=safe,
    )


def _check_reduced_rates(name: str, regimens: Mapping[str, base.Regimen], safe: Safety) -> None:
    """Refuse a lower rate for people whom no rule describes."""
    known = {rule.id for rule in safe.rules}
    for regimen in regimens.values():
        reduced = regimen.infusion.reduced if regimen.infusion else None
        for id_ in reduced.rules if reduced else ():
            if id_ not in known:
                raise KnowledgeError(name, f"regimens.{regimen.id}.infusion.reduced", f"there is no rule {id_!r}")


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
    is_gated = any(limit.dose is not None for limit in (*regimen.limits, *inherited))
    if is_gated and (regimen.per is not Per.DAY or target.amount != "mg"):
        raise KnowledgeError(name, f"regimens.{regimen.id}.limits", "a maximum for a range of doses needs mg a day")
    try:
        limits = tuple(_in_unit_of(limit, target) for limit in (*regimen.limits, *inherited))
    except KindMismatch as error:
        raise KnowledgeError(name, f"regimens.{regimen.id}.limits", str(error)) from error
    _check_own_caps(name, regimen, limits)
    return replace(regimen, limits=limits)


def _guards(limit: base.Limit, regimen: base.Regimen) -> bool:
    """Tell whether an agent's limit can concern a regimen at all: by route and formulation, and because a strength on
    the skin has no milligrams. A regimen that says itself how long it may last does not take over how long others may.
    """
    if limit.kind == "duration-maximum" and any(own.kind == limit.kind for own in regimen.limits):
        return False
    if regimen.basis is Basis.CONCENTRATION or limit.route not in {None, regimen.route}:
        return False
    if regimen.formulation is not None and limit.formulation not in {None, regimen.formulation}:
        return False
    if limit.kind == "rate-maximum":
        return regimen.per is Per.RATE or regimen.infusion is not None
    return True


def _in_unit_of(limit: base.Limit, target: DoseUnit) -> base.Limit:
    is_volume_rate = limit.kind == "rate-maximum" and limit.unit.amount == "mL"
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
        is_general = all(gate is None for gate in (limit.formulation, limit.age, limit.weight, limit.dose))
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
        undated=data["undated"],
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
