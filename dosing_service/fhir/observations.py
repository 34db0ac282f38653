"""Weight, height and results: recognised by their LOINC code, wherever they stand."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from dosing_service.fhir.bundles import is_of_another
from dosing_service.fhir.elements import codings, element, elements, label, number, resource_type, system, word, words
from dosing_service.fhir.moments import Moment, is_future, measured_at
from dosing_service.knowledge.lab_units import dimension, spelled
from dosing_service.knowledge.safety import Terminology
from dosing_service.model import Observation, Value, Weight
from dosing_service.rules.facts import in_base_of_code
from dosing_service.systems import LOINC, UCUM
from dosing_service.units import ALIASES, FACTORS, Measure, display, plain, times

#: The statuses of a result that counts.
USABLE = {"final", "amended", "corrected", "preliminary", None}
_WEIGHT, _HEIGHT = "body-weight", "body-height"
_MEASURES = {_WEIGHT, _HEIGHT}
_NOT_USED = "was not used"
#: LOINC's own code of a weight that was measured, as against one that was said.
_MEASURED = "3141-9"
#: The avoirdupois ounce is a sixteenth of a pound, exactly; a later release of FHIR allows it for weights.
_OUNCE_KG = Decimal("0.028349523125")
#: The least and most that are measurements, as for every other request.
_KILOGRAMS = (Decimal("0.2"), Decimal(1000))
_CENTIMETRES = (Decimal(20), Decimal(300))
#: A number with a unit and perhaps a bound, as laboratories write it where a Quantity would have been better.
_VALUE = re.compile(r"([<>]=?|=[<>]|[\u2264\u2265])?\s*([0-9]+(?:\.[0-9]+)?)\s*([^\s0-9.,].*)?")
_COMPARATORS = {
    **{sign: sign for sign in ("<", "<=", ">=", ">")},
    "=<": "<=",
    "=>": ">=",
    "\u2264": "<=",
    "\u2265": ">=",
}
_MOST_CHARACTERS = 80
_RESULTS = (Decimal(-1_000_000), Decimal(1_000_000_000))
_TEXTS = {
    **dict.fromkeys(("KG", "Kg", "kgs", "kilogram", "kilograms"), "kg"),
    **dict.fromkeys(("gram", "grams", "gm"), "g"),
    **dict.fromkeys(("pound", "pounds", "LB", "[lb_us]"), "[lb_av]"),
    **dict.fromkeys(("oz", "ounce", "ounces"), "[oz_av]"),
    **dict.fromkeys(("CM", "centimeter", "centimeters", "centimetre", "centimetres"), "cm"),
    **dict.fromkeys(("inch", "inches", "[in_us]"), "[in_i]"),
    **dict.fromkeys(("meter", "metre", "meters", "metres"), "m"),
}


class Sent(StrEnum):
    """What was sent of a measure: nothing, something, or only what does not count, such as an entry made in error."""

    NOTHING = "nothing"
    SOMETHING = "something"
    WITHDRAWN = "withdrawn"


class Measured(Value, frozen=True):
    """What observations say. A list or a measure that was not sent is ``None``; ``weight_why`` and ``height_why`` tell
    why one that was sent is not used.
    """

    weight: Weight | None = None
    previous_weight: Weight | None = None
    height_cm: Decimal | None = None
    results: tuple[Observation, ...] | None = None
    weight_sent: Sent = Sent.NOTHING
    height_sent: Sent = Sent.NOTHING
    weight_why: str | None = None
    height_why: str | None = None
    notes: tuple[str, ...] = ()


class _Reading(Value, frozen=True):
    """One value: its LOINC code, the Quantity, when, and whether it is final.

    ``text`` is a value in words where there is no Quantity; ``is_absent`` tells that there is no value at all.
    """

    code: str
    quantity: Mapping[str, Any]
    at: Moment | None
    is_final: bool
    is_absent: bool
    text: str | None = None


def read(
    resources: Sequence[Mapping[str, Any]],
    terminology: Terminology,
    *,
    today: date,
    patient_id: str | None = None,
    born: date | None = None,
) -> Measured:
    """Return the latest usable weight and height, the weight before it, and the latest result of each code (of those
    whose rise is judged, of each code and day).
    """
    notes: list[str] = []
    own = [item for item in resources if resource_type(item) == "Observation"]

    def read_all(given: Sequence[Mapping[str, Any]], notes: list[str]) -> list[_Reading]:
        return [reading for item in given for reading in _readings(item, patient_id, terminology, today, born, notes)]

    def why_unused(analyte: str) -> str | None:
        """Judge what was sent of one measure once more, for what is said of that measure alone."""
        said: list[str] = []
        readings = read_all([item for item in own if analyte in _analytes(item, terminology)], said)
        (_weights if analyte == _WEIGHT else _height)(
            [item for item in readings if _is(item, analyte, terminology)], said
        )
        return next((note for note in said if note.endswith(_NOT_USED)), None)

    readings = read_all(own, notes)
    readings.sort(key=_order)
    weights = [item for item in readings if _is(item, _WEIGHT, terminology)]
    heights = [item for item in readings if _is(item, _HEIGHT, terminology)]
    results = [item for item in readings if terminology.analyte_of_loinc[item.code] not in _MEASURES]
    latest, previous = _weights(weights, notes)
    height = _height(heights, notes)
    return Measured(
        weight=latest,
        previous_weight=previous,
        height_cm=height,
        results=_results(results, terminology, notes) or (None if results or not _has_others(own, terminology) else ()),
        weight_sent=_sent(own, weights, _WEIGHT, terminology),
        height_sent=_sent(own, heights, _HEIGHT, terminology),
        weight_why=why_unused(_WEIGHT) if latest is None else None,
        height_why=why_unused(_HEIGHT) if height is None else None,
        notes=tuple(dict.fromkeys(notes)),
    )


# ---------------------------------------------------------------- which of them count


def _readings(
    resource: Mapping[str, Any],
    patient_id: str | None,
    terminology: Terminology,
    today: date,
    born: date | None,
    notes: list[str],
) -> Iterator[_Reading]:
    known = [(part, code) for part in _parts(resource) for code in _codes(part) if code in terminology.analyte_of_loinc]
    at = measured_at(resource) if known else None
    if not known or not _counts(resource, at, patient_id, today, born, notes):
        return
    is_final = word(resource.get("status")) != "preliminary"
    if not is_final:
        notes.append("a preliminary result was used")
    for part, code in known:
        quantity = element(part.get("valueQuantity"))
        is_result = terminology.analyte_of_loinc[code] not in _MEASURES
        text = _text(part) if is_result and quantity.get("value") is None else None
        yield _Reading(code, _of_text(text) or quantity, at, is_final, quantity.get("value") is None and not text, text)


def _text(part: Mapping[str, Any]) -> str | None:
    """Return a value in words: ``valueString``, or what a coded value is called."""
    given = part.get("valueString") or part.get("valueInteger")
    if isinstance(given, int) and not isinstance(given, bool):
        return str(given)
    return words(given) or label(part.get("valueCodeableConcept"))


def _of_text(text: str | None) -> Mapping[str, Any]:
    """Return the Quantity that a text such as ``<15 mL/min`` is; nothing for any other text."""
    match = _VALUE.fullmatch(text[:_MOST_CHARACTERS].strip()) if text else None
    if match is None:
        return {}
    bound, value, unit = match.groups()
    return {"value": value, "comparator": _COMPARATORS.get(bound) if bound else None, "unit": unit}


def _parts(resource: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return an observation and its components, such as the two of a blood pressure."""
    return [resource, *elements(resource.get("component"))]


def _codes(part: Mapping[str, Any]) -> list[str]:
    found = [code for named, code, _ in codings(part.get("code")) if code and named == LOINC]
    return list(dict.fromkeys(found))


def _counts(
    resource: Mapping[str, Any],
    at: Moment | None,
    patient_id: str | None,
    today: date,
    born: date | None,
    notes: list[str],
) -> bool:
    if word(resource.get("status")) not in USABLE:
        return False
    if is_of_another(resource, patient_id):
        notes.append("an observation of another patient was not used")
        return False
    if at is not None and is_future(at, today):
        notes.append("an observation of the future was not used")
        return False
    if at is not None and at.day is not None and born is not None and at.day < born:
        notes.append("an observation from before birth was not used")
        return False
    return True


def _order(reading: _Reading) -> tuple[float, bool]:
    """Order by time: what has none comes first, and of one time the final value comes last."""
    return (reading.at.at.timestamp() if reading.at else float("-inf"), reading.is_final)


def _is(reading: _Reading, analyte: str, terminology: Terminology) -> bool:
    return terminology.analyte_of_loinc[reading.code] == analyte


def _sent(
    resources: Sequence[Mapping[str, Any]], counted: Sequence[_Reading], analyte: str, terminology: Terminology
) -> Sent:
    if counted:
        return Sent.SOMETHING
    sent = [item for item in resources if analyte in _analytes(item, terminology)]
    if not sent:
        return Sent.NOTHING
    is_usable = any(word(item.get("status")) in USABLE for item in sent)
    return Sent.SOMETHING if is_usable else Sent.WITHDRAWN


def _analytes(resource: Mapping[str, Any], terminology: Terminology) -> set[str | None]:
    return {terminology.analyte_of_loinc.get(code) for part in _parts(resource) for code in _codes(part)}


def _has_others(resources: Sequence[Mapping[str, Any]], terminology: Terminology) -> bool:
    """Tell whether anything but a weight or height was sent, so that the results are known to have been looked up."""
    return any(not _analytes(item, terminology) & _MEASURES for item in resources)


# ---------------------------------------------------------------- weight and height


def _weights(readings: Sequence[_Reading], notes: list[str]) -> tuple[Weight | None, Weight | None]:
    """Return the latest weight, and the latest of another day before it."""
    found: list[Weight] = []
    for reading in reversed(readings):
        weight = _weight(reading, notes)
        if weight is None:
            continue
        if not found or (weight.measured_on is not None and weight.measured_on != found[0].measured_on):
            found.append(weight)
        if len(found) == 2:
            return found[0], found[1]
    return (found[0] if found else None), None


def _weight(reading: _Reading, notes: list[str]) -> Weight | None:
    measured = _measure(reading, Measure.BODY_WEIGHT, _KILOGRAMS, notes)
    if measured is None:
        return None
    kilograms, value, unit = measured
    day = reading.at.day if reading.at else None
    return Weight(kilograms, value, unit, day, "measured" if reading.code == _MEASURED else None)


def _height(readings: Sequence[_Reading], notes: list[str]) -> Decimal | None:
    for reading in reversed(readings):
        measured = _measure(reading, Measure.HEIGHT, _CENTIMETRES, notes)
        if measured is not None:
            return measured[0]
    return None


def _measure(
    reading: _Reading, measure: Measure, bounds: tuple[Decimal, Decimal], notes: list[str]
) -> tuple[Decimal, Decimal, str] | None:
    """Return a measure in its base unit, and its value and unit as they were sent."""
    name = measure.value
    if reading.is_absent or reading.quantity.get("comparator") is not None:
        notes.append(f"a {name} without an exact value was not used")
        return None
    value, unit = number(reading.quantity.get("value")), _unit(reading.quantity, _TEXTS | ALIASES)
    if unit == "[oz_av]" and value is not None and measure is Measure.BODY_WEIGHT:
        value, unit = plain(times(value, _OUNCE_KG)), "kg"
    factor = FACTORS[measure].get(unit or "")
    if value is None or unit is None or factor is None:
        notes.append(f"a {name} in a unit that is not read here was not used")
        return None
    base = plain(times(value, factor))
    if not bounds[0] <= base <= bounds[1]:
        notes.append(f"a {name} that nobody can have was not used")
        return None
    return base, value, unit


def _unit(quantity: Mapping[str, Any], texts: Mapping[str, str]) -> str | None:
    """Return the code of a unit: UCUM's, else what the text stands for in a table."""
    code, text = word(quantity.get("code")), word(quantity.get("unit"))
    if code is not None and system(quantity.get("system")) == UCUM:
        return ALIASES.get(code, code)
    shown = text or code
    return texts.get(shown, shown) if shown else None


# ---------------------------------------------------------------- results


def _results(readings: Sequence[_Reading], terminology: Terminology, notes: list[str]) -> tuple[Observation, ...]:
    """Return the latest result of each code (of what is followed, of each code and day); one that cannot be read has
    nothing older speak for its analyte.
    """
    latest: dict[tuple[str, date | None], Observation] = {}
    unread: dict[str, str] = {}
    for reading in readings:
        if reading.is_absent:
            continue
        analyte = terminology.analytes[terminology.analyte_of_loinc[reading.code]]
        result = _result(reading)
        if result is not None:
            day = result.measured_on if analyte.id in terminology.followed else None
            latest[result.code, day] = result
            unread.pop(analyte.id, None)
            continue
        unread[analyte.id] = f"a result of {analyte.name} without a number or a unit was not used"
        latest = {key: known for key, known in latest.items() if known.code not in analyte.units}
    notes += unread.values()
    notes += [note for item in latest.values() if (note := _misfit(item, terminology))]
    return tuple(latest.values())


def _result(reading: _Reading) -> Observation | None:
    """Return a result, in a unit of the list where it is one; whether that fits the code is for the rules to say."""
    quantity = reading.quantity
    value, unit, bound = number(quantity.get("value")), _lab_unit(quantity), quantity.get("comparator")
    if value is None or unit is None or not _RESULTS[0] < value <= _RESULTS[1]:
        return None
    if bound is not None and bound not in _COMPARATORS.values():
        return None
    return Observation(reading.code, value, unit[:40], reading.at.day if reading.at else None, bound)


def _lab_unit(quantity: Mapping[str, Any]) -> str | None:
    """Return the code of a result's unit: UCUM's, else what its text stands for; else what was sent."""
    code, text = word(quantity.get("code")), word(quantity.get("unit"))
    sent = code if code is not None and system(quantity.get("system")) == UCUM else text or code
    return (spelled(sent) or sent) if sent else None


def _misfit(result: Observation, terminology: Terminology) -> str | None:
    """Return what a reader must know of a result that the rules do not use, as its unit is none of its code."""
    analyte = terminology.analytes[terminology.analyte_of_loinc[result.code]]
    if in_base_of_code(result, analyte) is not None:
        return None
    if dimension(result.unit) is None:
        return f"a result of {analyte.name} is in a unit that is not read here, and was not used"
    return f"{analyte.name} {display(result.value)} {result.unit} was not used: its unit does not fit its code"
