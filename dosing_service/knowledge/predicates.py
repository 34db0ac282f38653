"""Reads predicates: the small language in which rules say when they hold.

One operator per mapping; each is read by one function below. What a predicate names (value sets, analytes) must exist.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from dosing_service.knowledge import safety
from dosing_service.knowledge.fields import RangeField
from dosing_service.knowledge.lab_units import in_base
from dosing_service.knowledge.ranges import Range
from dosing_service.knowledge.safety import Predicate, Terminology
from dosing_service.model import Per, Sex
from dosing_service.units import DOSE_UNITS, MG_IN

_BOUNDS = ("above", "from", "below", "to")


class PredicateError(ValueError):
    """A predicate that cannot be read; the message says which part and why."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads predicates against one terminology."""

    terminology: Terminology

    def read(self, data: Any) -> Predicate:
        """Return the predicate in ``data``.

        Raises:
            PredicateError: an unknown operator, value set, analyte, unit or key.
        """
        if not isinstance(data, Mapping) or not data:
            raise PredicateError("a predicate is a mapping with one operator")
        operator = next((name for name in data if name in _READERS), None)
        if operator is None:
            raise PredicateError(f"unknown operator in {sorted(data)}; known are {', '.join(_READERS)}")
        return _READERS[operator](self, data)


def _only(data: Mapping[str, Any], *keys: str) -> None:
    unknown = set(data) - set(keys)
    if unknown:
        raise PredicateError(f"unknown keys {sorted(unknown)}; known here are {', '.join(keys)}")


def _range(data: Mapping[str, Any], unit: str) -> Range:
    """Return the bounds in ``data`` as a range; ``from`` and ``to`` include their bound."""
    bounds = {key: data[key] for key in _BOUNDS if key in data}
    if not bounds or not all(isinstance(bound, Decimal) for bound in bounds.values()):
        raise PredicateError("a number with above, from, below or to is expected")
    start, end = data.get("from", data.get("above")), data.get("to", data.get("below"))
    return Range(unit, start, "from" in data, end, "to" in data)


def _condition(reader: Reader, data: Mapping[str, Any]) -> Predicate:
    _only(data, "condition")
    id_ = data["condition"]
    if id_ not in reader.terminology.condition_names:
        raise PredicateError(f"there is no value set {id_!r} of conditions")
    return safety.HasCondition(id_, reader.terminology.condition_names[id_])


def _observation(reader: Reader, data: Mapping[str, Any]) -> Predicate:
    _only(data, "observation", "unit", *_BOUNDS)
    analyte = _analyte(reader, data["observation"])
    return safety.ObservationIn(analyte.id, _base_range(data, data.get("unit"), analyte))


def _rise(reader: Reader, data: Mapping[str, Any]) -> Predicate:
    _only(data, "rise", "unit", "baseline", *_BOUNDS)
    analyte, baseline = _analyte(reader, data["rise"]), data.get("baseline")
    if not isinstance(baseline, Mapping):
        raise PredicateError("a rise is counted from a baseline with above, from, below or to")
    _only(baseline, *_BOUNDS)
    amount, start = (_base_range(part, data.get("unit"), analyte) for part in (data, baseline))
    return safety.RiseIn(analyte.id, amount, start)


def _corrected_calcium(reader: Reader, data: Mapping[str, Any]) -> Predicate:
    """Read bounds of the corrected figure, or ``known``: whether there is one."""
    _only(data, "corrected_calcium")
    inner = data["corrected_calcium"]
    if inner == "known":
        return safety.CalciumIsCorrected()
    if not isinstance(inner, Mapping):
        raise PredicateError("corrected_calcium has bounds and their unit, or is known")
    _only(inner, "unit", *_BOUNDS)
    return safety.CorrectedCalciumIn(_base_range(inner, inner.get("unit"), _analyte(reader, "17861-6")))


def _analyte(reader: Reader, code: object) -> safety.Analyte:
    id_ = reader.terminology.analyte_of_loinc.get(str(code))
    if id_ is None:
        raise PredicateError(f"LOINC {code!r} belongs to no analyte")
    return reader.terminology.analytes[id_]


def _base_range(data: Mapping[str, Any], unit: object, analyte: safety.Analyte) -> Range:
    """Return the bounds in ``data``, which are in ``unit``, in the base unit of the analyte."""
    written = _range(data, str(unit))
    start, end = (_based(bound, str(unit), analyte) for bound in (written.start, written.end))
    return Range(str(unit), start, written.start_included, end, written.end_included)


def _based(bound: Decimal | None, unit: str, analyte: safety.Analyte) -> Decimal | None:
    if bound is None:
        return None
    base = in_base(bound, unit, analyte)
    if base is None:
        raise PredicateError(f"{unit!r} is no unit of {analyte.name}")
    return base


def _clearance(kind: str, unit: str) -> Callable[[Reader, Mapping[str, Any]], Predicate]:
    def read(_: Reader, data: Mapping[str, Any]) -> Predicate:
        _only(data, kind)
        _only(data[kind], *_BOUNDS)
        return safety.ClearanceIn(kind, _range(data[kind], unit))

    return read


def _age(_: Reader, data: Mapping[str, Any]) -> Predicate:
    _only(data, "age")
    return safety.AgeIn(_field_range(data["age"], "a", "mo", "wk", "d"))


def _weight(_: Reader, data: Mapping[str, Any]) -> Predicate:
    _only(data, "weight")
    return safety.WeightIn(_field_range(data["weight"], "kg"))


def _field_range(data: Any, *units: str) -> Range:
    range_: Range = RangeField(*units).deserialize(data)
    return range_


def _sex(_: Reader, data: Mapping[str, Any]) -> Predicate:
    _only(data, "sex")
    return safety.SexIs(Sex(data["sex"]))


def _state(field: str) -> Callable[[Reader, Mapping[str, Any]], Predicate]:
    def read(_: Reader, data: Mapping[str, Any]) -> Predicate:
        _only(data, field)
        if not isinstance(data[field], bool):
            raise PredicateError(f"{field} is true or false")
        return safety.StateIs(field, data[field])

    return read


def drug_group(data: Mapping[str, Any]) -> safety.DrugGroup:
    """Return the group of drugs in ``data``: a name and at least one code, id or nothing but the name.

    Raises:
        PredicateError: an unknown key, or no name.
    """
    _only(data, "name", "kind", "agents", "atc", "rxnorm", "snomed")
    if not data.get("name"):
        raise PredicateError("a group of drugs has a name")
    texts = {key: tuple(str(code) for code in data.get(key, ())) for key in ("agents", "atc", "rxnorm", "snomed")}
    return safety.DrugGroup(
        name=data["name"],
        agents=frozenset(texts["agents"]),
        atc=texts["atc"],
        rxnorm=frozenset(texts["rxnorm"]),
        snomed=frozenset(texts["snomed"]),
    )


def _allergy(_: Reader, data: Mapping[str, Any]) -> Predicate:
    _only(data, "allergy")
    return safety.AllergicTo(drug_group(data["allergy"]))


def _medication(_: Reader, data: Mapping[str, Any]) -> Predicate:
    _only(data, "medication")
    return safety.Takes(drug_group(data["medication"]))


def _route(_: Reader, data: Mapping[str, Any]) -> Predicate:
    _only(data, "route")
    return safety.RouteIs(str(data["route"]))


def _regimen(_: Reader, data: Mapping[str, Any]) -> Predicate:
    _only(data, "regimen")
    return safety.RegimenIs(frozenset(data["regimen"]))


def _dose(_: Reader, data: Mapping[str, Any]) -> Predicate:
    """Read a dose predicate; its bounds become milligrams (or the rate's own unit), per kg where the unit says so."""
    _only(data, "dose")
    inner = data["dose"]
    _only(inner, "per", "unit", *_BOUNDS)
    unit = DOSE_UNITS.get(str(inner.get("unit")))
    if unit is None or unit.body not in {None, "kg"}:
        raise PredicateError(f"{inner.get('unit')!r} is no unit of a dose predicate")
    factor = MG_IN.get(unit.amount)
    if factor is None:
        raise PredicateError(f"{unit.code} is no mass")
    written = _range(inner, unit.code)
    start = None if written.start is None else written.start * factor
    end = None if written.end is None else written.end * factor
    bounds = Range(unit.code, start, written.start_included, end, written.end_included)
    return safety.DoseIn(Per(inner["per"]), bounds, per_kg=unit.body == "kg")


def _strength(_: Reader, data: Mapping[str, Any]) -> Predicate:
    _only(data, "strength")
    return safety.StrengthIn(_field_range(data["strength"], "mg/mL"))


def _all(reader: Reader, data: Mapping[str, Any]) -> Predicate:
    _only(data, "all")
    return safety.AllOf(tuple(reader.read(part) for part in data["all"]))


def _any(reader: Reader, data: Mapping[str, Any]) -> Predicate:
    _only(data, "any")
    return safety.AnyOf(tuple(reader.read(part) for part in data["any"]))


def _not(reader: Reader, data: Mapping[str, Any]) -> Predicate:
    _only(data, "not")
    return safety.Not(reader.read(data["not"]))


def _always(_: Reader, data: Mapping[str, Any]) -> Predicate:
    _only(data, "always")
    return safety.Always()


_READERS: dict[str, Callable[[Reader, Mapping[str, Any]], Predicate]] = {
    "all": _all,
    "any": _any,
    "not": _not,
    "always": _always,
    "condition": _condition,
    "observation": _observation,
    "rise": _rise,
    "corrected_calcium": _corrected_calcium,
    "crcl": _clearance("crcl", "mL/min"),
    "egfr": _clearance("egfr", "mL/min/{1.73_m2}"),
    "age": _age,
    "weight": _weight,
    "sex": _sex,
    "pregnant": _state("pregnant"),
    "lactating": _state("lactating"),
    "allergy": _allergy,
    "medication": _medication,
    "route": _route,
    "regimen": _regimen,
    "dose": _dose,
    "strength": _strength,
}
