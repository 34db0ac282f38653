"""What stands at one place of a record, whatever its type: objects, lists, words, numbers, codings.

Every function takes anything and answers with the value, or with nothing where the type is another. Lists, strings
and numbers are bounded here, so that nothing above has to think of it.
"""

import re
from collections.abc import Mapping
from decimal import Context, Decimal
from math import isfinite
from typing import Any

from dosing_service.systems import ATC, ICD10, ICD10_WHO, LOINC, RXNORM, SNOMED, UCUM
from dosing_service.units import plain

#: More entries than any list of a record holds that a person could look at; what lies beyond is not read.
MOST_ENTRIES = 2000
_LONGEST_WORD = 200
#: The bounds of every number of a request: what lies beyond is no measurement and no dose.
_MOST_DIGITS = 15
_MOST_EXPONENT = 12
_FLOAT_NOISE = Context(prec=_MOST_DIGITS)
_LONGEST_NUMBER = 40
_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,15})?")

#: The same terminologies by their object identifier, and the editions of ICD-10 that are read as the one of the WHO.
_SYSTEMS = {
    "urn:oid:2.16.840.1.113883.6.88": RXNORM,
    "urn:oid:2.16.840.1.113883.6.73": ATC,
    "urn:oid:2.16.840.1.113883.6.96": SNOMED,
    "urn:oid:2.16.840.1.113883.6.90": ICD10,
    "urn:oid:2.16.840.1.113883.6.3": ICD10_WHO,
    "http://hl7.org/fhir/sid/icd-10-uk": ICD10_WHO,
    "http://hl7.org/fhir/sid/icd-10-gm": ICD10_WHO,
    "http://fhir.de/CodeSystem/bfarm/icd-10-gm": ICD10_WHO,
    "http://fhir.de/CodeSystem/dimdi/icd-10-gm": ICD10_WHO,
    "urn:oid:2.16.840.1.113883.6.1": LOINC,
    "urn:oid:2.16.840.1.113883.6.8": UCUM,
}

#: System, code and display of one coding; each may be missing.
Triple = tuple[str | None, str | None, str | None]


def element(value: Any) -> Mapping[str, Any]:
    """Return an object; anything else is an empty one. JSON objects are dicts, which is faster to ask for."""
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:
    """Return a list of bounded length. What stands where a list belongs is its only entry; null is none."""
    if isinstance(value, list | tuple):
        return [item for item in value[:MOST_ENTRIES] if item is not None]
    return [] if value is None else [value]


def elements(value: Any) -> list[Mapping[str, Any]]:
    """Return the objects of a list, or the object that stands in its place."""
    return [item for item in items(value) if isinstance(item, dict)]


def word(value: Any) -> str | None:
    """Return a code, an id or another short string without its outer spaces; ``None`` for anything else."""
    if not isinstance(value, str) or len(value) > _LONGEST_WORD:
        return None
    return value.strip() or None


def words(value: Any) -> str | None:
    """Return a text for people, cut to a bounded length; ``None`` for anything else."""
    if not isinstance(value, str):
        return None
    return value[:_LONGEST_WORD].strip() or None


def number(value: Any) -> Decimal | None:
    """Return a finite number of a size that a measurement can have; digits written as a string are taken too."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return _bounded(Decimal(value)) if abs(value) < 10**_MOST_DIGITS else None
    if isinstance(value, float):
        return _bounded(Decimal(repr(value))) if isfinite(value) else None
    if isinstance(value, Decimal):
        return _bounded(value)
    if isinstance(value, str) and len(value) <= _LONGEST_NUMBER and _NUMBER.fullmatch(value):
        return _bounded(Decimal(value))
    return None


def _bounded(value: Decimal) -> Decimal | None:
    """Return the number as it is written; binary noise beyond fifteen digits is cut."""
    _, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int) or len(digits) > _LONGEST_NUMBER or abs(exponent) > _LONGEST_NUMBER:
        return None
    if len(digits) > _MOST_DIGITS:
        value = _FLOAT_NOISE.plus(value)
    if value.is_zero():
        return Decimal(0)
    return plain(value) if abs(value.adjusted()) <= _MOST_EXPONENT else None


def whole(value: Any) -> int | None:
    """Return a whole number."""
    found = number(value)
    return int(found) if found is not None and found == found.to_integral_value() else None


def system(value: Any) -> str | None:
    """Return the address of a terminology, also where it was named by its object identifier."""
    named = word(value)
    return _SYSTEMS.get(named, named.rstrip("/")) if named else None


def codings(concept: Any) -> tuple[Triple, ...]:
    """Return the codings of a CodeableConcept, of several, or a bare Coding."""
    found = []
    for part in elements(concept):
        given = elements(part.get("coding")) or ([part] if "code" in part else [])
        found += [(system(one.get("system")), word(one.get("code")), words(one.get("display"))) for one in given]
    return tuple(found[:MOST_ENTRIES])


def label(concept: Any) -> str | None:
    """Return what a concept is called: its text, else a display, else the string that stands in its place."""
    for part in items(concept):
        if isinstance(part, str):
            return words(part)
        if isinstance(part, dict):
            named = words(part.get("text"))
            shown = (display for _, _, display in codings(part) if display)
            found = named or next(shown, None)
            if found:
                return found
    return None


def codes(concept: Any) -> frozenset[str]:
    """Return the bare codes of a concept, or the string in its place, in lower case; for closed sets like a status."""
    bare = [word(part) for part in items(concept) if isinstance(part, str)]
    coded = [code for _, code, _ in codings(concept)]
    return frozenset(code.lower() for code in (*bare, *coded) if code)


def resource_type(resource: Mapping[str, Any]) -> str | None:
    """Return the type of a resource."""
    return word(resource.get("resourceType"))


def unique(texts: list[str]) -> tuple[str, ...]:
    """Return sentences once each, in their order."""
    return tuple(dict.fromkeys(texts))
