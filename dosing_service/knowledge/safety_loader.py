"""Compiles the safety parts of the knowledge: terminology, rules, monitoring, interactions."""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from io import StringIO
from types import MappingProxyType
from typing import Any

from marshmallow import Schema, ValidationError

from dosing_service.errors import KnowledgeError
from dosing_service.knowledge import safety, safety_schema
from dosing_service.knowledge.predicates import PredicateError, Reader, drug_group
from dosing_service.knowledge.ranges import Range
from dosing_service.model import Severity
from dosing_service.systems import ICD10, RXNORM, SNOMED
from dosing_service.units import display_range, exact_text

_SYSTEMS = {"rxnorm": RXNORM, "snomed": SNOMED}
_DAYS_IN = {"d": Decimal(1), "wk": Decimal(7), "mo": Decimal("30.4375")}
_WORDS = {"d": "days", "wk": "weeks", "mo": "months"}
#: The editions of ICD-10 share their categories of three characters and most of four.
_SHARED_LENGTH = 4


def validated(name: str, schema_: Schema, document: Any, prefix: str = "") -> Any:
    """Return ``document`` as its schema reads it.

    Raises:
        KnowledgeError: with the file, the path of the first fault inside it, and its reason.
    """
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


# ---------------------------------------------------------------- terminology


def terminology(documents: Mapping[str, Any], drugs_csv: str) -> safety.Terminology:
    """Return the compiled terminology: conditions, analytes, drugs and former ATC codes.

    Raises:
        KnowledgeError: a file does not fit its schema, or a code stands for two things.
    """
    conditions = _conditions(documents["terminology/conditions.yaml"])
    analytes = _analytes(documents["terminology/observations.yaml"])
    drugs = list(_drugs(drugs_csv))
    return safety.Terminology(
        condition_names=MappingProxyType({id_: record["name"] for id_, record in conditions.items()}),
        conditions_by_snomed=_index(conditions, lambda codes: codes["snomed"]),
        conditions_by_icd=_index(conditions, lambda codes: _categories(codes["icd10"])),
        conditions_by_icd_who=_index(conditions, _international),
        conditions=MappingProxyType({id_: _value_set(id_, conditions) for id_ in conditions}),
        analytes=MappingProxyType(analytes),
        analyte_of_loinc=_analyte_of_loinc(analytes),
        drugs_by_rxnorm=MappingProxyType({code: drug for codes, drug in drugs for code in codes}),
        drugs_by_name=MappingProxyType(
            {drug.agent or drug.name: drug for _, drug in reversed(drugs) if drug.agent or drug.name}
        ),
        drugs_by_atc=MappingProxyType(_by_atc(drug for _, drug in drugs)),
        atc_aliases=MappingProxyType(dict(documents["terminology/atc_aliases.yaml"])),
        local_atc=tuple(documents["terminology/local_use.yaml"]),
        states=MappingProxyType(_states(documents["terminology/states.yaml"], conditions)),
    )


def with_allergens(terms: safety.Terminology, documents: Mapping[str, Any]) -> safety.Terminology:
    """Return the terminology with the groups of allergens, each of which some rule asks about.

    Raises:
        KnowledgeError: no rule asks about a group, or a name or code stands for two of them.
    """
    file, schema_ = "terminology/allergens.yaml", safety_schema.AllergenSchema()
    codes: dict[tuple[str, str], safety.Allergen] = {}
    names: dict[tuple[str, ...], safety.Allergen] = {}
    for name, record in documents[file].items():
        data = validated(file, schema_, record, name)
        allergen = safety.Allergen(name, data.get("snomed"))
        asked = terms.partners if allergen.snomed is None else terms.substances
        if (allergen.snomed or safety.slug(name)) not in asked:
            raise KnowledgeError(file, name, "no rule asks about this allergen")
        own = {safety.singular(item) for item in (name, *data["names"])}
        given = {(_SYSTEMS[item["system"]], item["code"]) for item in data["codes"]}
        own_codes = given | ({(SNOMED, allergen.snomed)} if allergen.snomed else set())
        if own & names.keys() or own_codes & codes.keys():
            raise KnowledgeError(file, name, "a name or code stands for two allergens")
        names |= dict.fromkeys(own, allergen)
        codes |= dict.fromkeys(own_codes, allergen)
    return replace(terms, allergens=MappingProxyType(codes), allergen_names=MappingProxyType(names))


def _conditions(document: Mapping[str, Any]) -> dict[str, Any]:
    name, schema_ = "terminology/conditions.yaml", safety_schema.ConditionSchema()
    return {id_: validated(name, schema_, record, id_) for id_, record in document.items()}


def _index(
    conditions: Mapping[str, Any], codes_of: Callable[[Mapping[str, Any]], Iterable[str]]
) -> Mapping[str, safety.Meaning]:
    """Return what each code says: the value sets that it stands for, and those that it only suggests."""
    stands: dict[str, list[str]] = {}
    suggests: dict[str, list[str]] = {}
    for id_, record in conditions.items():
        for found, codes in ((stands, record), (suggests, record["suggested_by"])):
            for code in codes_of(codes):
                found.setdefault(code, []).append(id_)
    return MappingProxyType(
        {code: safety.Meaning(tuple(stands.get(code, ())), tuple(suggests.get(code, ()))) for code in stands | suggests}
    )


def _categories(codes: Iterable[str]) -> Iterator[str]:
    """Yield codes of ICD-10 without their dots, and every category of a range: C00, C01 and so on for ``C00-C96``."""
    for code in codes:
        first, _, last = code.partition("-")
        if last:
            yield from (f"{first[0]}{number:02}" for number in range(int(first[1:]), int(last[1:]) + 1))
        else:
            yield safety.without_dot(code)


def _value_set(id_: str, conditions: Mapping[str, Any]) -> safety.ValueSet:
    record = conditions[id_]
    codes = {SNOMED: "snomed", ICD10: "icd10"}
    group = record.get("one_of")
    others = [other for other, item in conditions.items() if other != id_ and group and item.get("one_of") == group]
    return safety.ValueSet(
        name=record["name"],
        systems=frozenset(system for system, key in codes.items() if record[key] or record["suggested_by"][key]),
        excluded_by=frozenset(others),
    )


def _international(codes: Mapping[str, Any]) -> list[str]:
    """Return the codes of the WHO's ICD-10: those named, else of ICD-10-CM's those of up to four characters.

    Beyond the fourth character, and where the file names codes, the editions mean different things by one code.
    """
    if "icd10_who" in codes:
        return list(_categories(codes["icd10_who"]))
    return [code for code in _categories(codes["icd10"]) if len(code) <= _SHARED_LENGTH]


def _states(document: Mapping[str, Any], conditions: Mapping[str, Any]) -> dict[str, safety.State]:
    name, schema_ = "terminology/states.yaml", safety_schema.StateSchema()
    found = {}
    for field in ("pregnant", "lactating"):
        data = validated(name, schema_, document.get(field), field)
        if data["condition"] not in conditions:
            raise KnowledgeError(name, f"{field}.condition", f"there is no value set {data['condition']!r}")
        found[field] = safety.State(
            condition=data["condition"],
            question=data["question"]["code"],
            yes=_answers(data["answers_yes"]),
            no=_answers(data["answers_no"]),
            yes_days=data["yes_days"],
            no_days=data["no_days"],
            diagnosis_days=data.get("diagnosis_days"),
        )
    return found


def _answers(records: Iterable[Mapping[str, Any]]) -> frozenset[tuple[str, str]]:
    return frozenset((record["system"], record["code"]) for record in records)


def _analytes(document: Mapping[str, Any]) -> dict[str, safety.Analyte]:
    name, schema_ = "terminology/observations.yaml", safety_schema.AnalyteSchema()
    records = {id_: validated(name, schema_, record, id_) for id_, record in document.items()}
    return {
        id_: safety.Analyte(
            id=id_,
            name=record["name"],
            units=MappingProxyType({item["code"]: item["unit"] for item in record["loinc"]}),
            molar_mass=record["molar_mass"]["value"] if "molar_mass" in record else None,
        )
        for id_, record in records.items()
    }


def _analyte_of_loinc(analytes: Mapping[str, safety.Analyte]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for analyte in analytes.values():
        for code in analyte.units:
            if code in found:
                reason = f"LOINC {code} stands for {found[code]} and {analyte.id}"
                raise KnowledgeError("terminology/observations.yaml", analyte.id, reason)
            found[code] = analyte.id
    return MappingProxyType(found)


def _drugs(text: str) -> Iterator[tuple[tuple[str, ...], safety.Drug]]:
    """Yield each ingredient with its RxNorm codes: its own and those of its salts."""
    for row in csv.DictReader(StringIO(text)):
        codes = tuple(code for code in (row["rxnorm"], *row["rxnorm_salts"].split()) if code)
        drug = safety.Drug(row["name"], row["rxnorm"] or None, tuple(row["atc"].split()), row["agent"] or None)
        yield codes, drug


def _by_atc(drugs: Iterable[safety.Drug]) -> dict[str, safety.Drug]:
    """Return the drug of each ATC code: one of our agents, else the only drug that has the code."""
    having: dict[str, list[safety.Drug]] = {}
    for drug in drugs:
        for code in drug.atc:
            having.setdefault(code, []).append(drug)
    named = {code: next((drug for drug in found if drug.agent), found[0]) for code, found in having.items()}
    return {code: drug for code, drug in named.items() if drug.agent or (drug.name and len(having[code]) == 1)}


# ---------------------------------------------------------------- rules of agents and classes


def compiled_safety(
    name: str, data: Mapping[str, Any], shared: Iterable[safety.Safety], reader: Reader
) -> safety.Safety:
    """Return what ``data`` (an agent's or a class's document) says of safety, followed by what its classes say."""
    own = safety.Safety(
        rules=tuple(_rule(name, item, reader) for item in data["rules"]),
        adverse_effects=tuple(data["adverse_effects"]),
        monitoring=tuple(_monitoring(name, item, reader) for item in data["monitoring"]),
        advice=tuple(data["advice"]),
    )
    parts = (own, *shared)
    return safety.Safety(
        rules=_rules(name, own, shared),
        adverse_effects=tuple(item for part in parts for item in part.adverse_effects),
        monitoring=tuple(item for part in parts for item in part.monitoring),
        advice=tuple(item for part in parts for item in part.advice),
    )


def _rules(name: str, own: safety.Safety, shared: Iterable[safety.Safety]) -> tuple[safety.Rule, ...]:
    """Return the agent's rules and those of its classes; where both have one id, the agent's own speaks."""
    found: dict[str, safety.Rule] = {}
    for rule in own.rules:
        if rule.id in found:
            raise KnowledgeError(name, f"rules.{rule.id}", "this id occurs twice")
        found[rule.id] = rule
    for part in shared:
        for rule in part.rules:
            found.setdefault(rule.id, rule)
    return tuple(found.values())


def _rule(name: str, data: Mapping[str, Any], reader: Reader) -> safety.Rule:
    return safety.Rule(
        id=data["id"],
        category=data["category"],
        severity=data["severity"],
        when=_predicate(name, f"rules.{data['id']}", data["when"], reader),
        summary=data["summary"],
        management=data["management"],
        jurisdiction=data.get("jurisdiction"),
        order_severity=data.get("order_severity"),
        orders_only=data["orders_only"],
        lowers_dose=data.get("lowers_dose"),
        quiet_when_unknown=data["quiet_when_unknown"],
        citations=data["references"],
    )


def _predicate(name: str, path: str, data: Any, reader: Reader) -> safety.Predicate:
    try:
        return reader.read(data)
    except (PredicateError, ValidationError, ValueError, TypeError) as error:
        raise KnowledgeError(name, f"{path}.when", str(error)) from error


def _monitoring(name: str, data: Mapping[str, Any], reader: Reader) -> safety.MonitoringLine:
    for code in data["loinc"]:
        if code not in reader.terminology.analyte_of_loinc:
            raise KnowledgeError(name, f"monitoring.{data['parameter']}", f"LOINC {code} belongs to no analyte")
    interval = data.get("interval")
    days = (
        (interval["low"] * _DAYS_IN[interval["unit"]], interval["high"] * _DAYS_IN[interval["unit"]])
        if interval
        else None
    )
    return safety.MonitoringLine(
        parameter=data["parameter"],
        loinc=tuple(data["loinc"]),
        one_is_enough=data["one_is_enough"],
        is_rise=data["rise"],
        baseline=data["baseline"],
        interval_days=days,
        interval_text=data.get("interval_text") or _interval_text(interval),
        thresholds=tuple(_threshold(name, data["parameter"], item, reader) for item in data["thresholds"]),
        citations=data["references"],
    )


def _interval_text(interval: Mapping[str, Any] | None) -> str | None:
    """Return an interval in words, ``every 8 to 12 weeks``."""
    if interval is None:
        return None
    return f"every {display_range(interval['low'], interval['high'], _WORDS[interval['unit']])}"


def _threshold(name: str, parameter: str, data: Mapping[str, Any], reader: Reader) -> safety.Threshold:
    words = {"above": "above", "from_": "from", "below": "below", "to": "at most"}
    bounds = [f"{word} {exact_text(data[key])}" for key, word in words.items() if key in data]
    start, end = data.get("from_", data.get("above")), data.get("to", data.get("below"))
    return safety.Threshold(
        range=Range(data["unit"], start, "from_" in data, end, "to" in data),
        unit=data["unit"],
        text=f"{' and '.join(bounds)} {data['unit']}",
        action=data["action"],
        severity=data["severity"],
        when=_predicate(name, f"monitoring.{parameter}", data["when"], reader) if "when" in data else safety.Always(),
        citations=data["references"],
    )


# ---------------------------------------------------------------- interactions


def interactions(name: str, document: list[Any], agents: Iterable[str], reader: Reader) -> Iterator[safety.Interaction]:
    """Yield the compiled rows of one interaction file.

    Raises:
        KnowledgeError: a row does not fit its schema, or names an agent that does not exist.
    """
    known = set(agents)
    schema_ = safety_schema.InteractionSchema()
    for index, item in enumerate(document):
        data = validated(name, schema_, item, str(index))
        row = _interaction(name, data, reader)
        for agent in row.agents | row.partner.agents | set(row.lowers_dose):
            if agent not in known:
                raise KnowledgeError(name, row.id, f"there is no agent {agent!r}")
        yield row


def _interaction(name: str, data: Mapping[str, Any], reader: Reader) -> safety.Interaction:
    partner, escalate = data["with_"], data.get("escalate")
    kind = partner.get("kind", "drug")
    if kind not in safety_schema.KINDS:
        raise KnowledgeError(
            name, f"{data['id']}.with.kind", f"{kind!r} is not one of {', '.join(safety_schema.KINDS)}"
        )
    escalated = None
    if escalate:
        escalated = (_predicate(name, data["id"], escalate["when"], reader), escalate["severity"])
    try:
        group = drug_group(partner)
    except PredicateError as error:
        raise KnowledgeError(name, f"{data['id']}.with", str(error)) from error
    return safety.Interaction(
        id=data["id"],
        agents=frozenset(data["agents"]),
        routes=frozenset(data["routes"]),
        kind=kind,
        partner=group,
        except_atc=tuple(data["except_atc"]),
        severity=None if data["severity"] == "none" else Severity(data["severity"]),
        signals=tuple(data["signals"]),
        mechanism=data["mechanism"],
        effect=data["effect"],
        management=data["management"],
        when=_predicate(name, data["id"], data["when"], reader) if "when" in data else safety.Always(),
        escalated=escalated,
        jurisdiction=data.get("jurisdiction"),
        lowers_dose=data["lowers_dose"],
        citations=data["references"],
    )
