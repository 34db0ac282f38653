"""Anything at any place of a request: never an exception, and what was not touched is still read."""

import copy
import json
from collections.abc import Iterator
from decimal import Decimal
from time import process_time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dosing_service.fhir.reading import DATA, ReadRequest, read
from dosing_service.knowledge import load
from dosing_service.model import OrderRequest
from dosing_service.service import check_orders

_KNOWLEDGE = load()
_RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"

#: The same examples in every run: a property that fails must fail for everyone.
bounded = settings(max_examples=1500, deadline=None, derandomize=True)

_WORDS = st.sampled_from(
    [
        *(
            "Bundle",
            "Observation",
            "OperationOutcome",
            "Patient",
            "Medication",
            "MedicationRequest",
            "#m",
            "Medication/m",
        ),
        *("29463-7", "8302-2", "2160-0", "3443", "final", "active", "mg", "mg/kg/d", "mg/h", "mL/h", "{tbl}", "{pill}"),
        *(
            "d",
            "wk",
            "mo",
            "a",
            "h",
            "min",
            "s",
            "mon",
            "MORN",
            "C",
            "BID",
            "once",
            "<",
            "ordered",
            "2026-11-01",
            "1e5",
        ),
        *("http://unitsofmeasure.org", "http://loinc.org", "http://snomed.info/sct", _RXNORM, "", " ", "ﬀ\x00\ud800"),
    ]
)
_NAMES = st.sampled_from(
    [
        *("resourceType", "entry", "resource", "response", "coding", "code", "system", "value", "unit", "low", "high"),
        *("repeat", "frequency", "period", "periodUnit", "count", "when", "timeOfDay", "dayOfWeek", "boundsPeriod"),
        *(
            "doseQuantity",
            "doseRange",
            "rateRatio",
            "rateQuantity",
            "rateRange",
            "numerator",
            "denominator",
            "duration",
        ),
        *("durationUnit", "maxDosePerPeriod", "maxDosePerAdministration", "asNeeded", "sequence", "extension", "text"),
        *("concept", "reference", "contained", "ingredient", "itemReference", "status", "link", "id", "item"),
    ]
)
_NUMBERS = st.one_of(
    st.integers(-3, 40),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.sampled_from([10**400, Decimal("1E+999999"), Decimal("-1E-999999"), Decimal("NaN"), 0.1 + 0.2, 1e-13]),
)
_LEAVES = st.one_of(st.none(), st.booleans(), _NUMBERS, _WORDS, st.text(max_size=5))
_JSON = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.one_of(_NAMES, st.text(max_size=3)), inner, max_size=4)
    ),
    max_leaves=12,
)


def _coded(code: str, system: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}], "text": "text"}


def _quantity(value: float, unit: str) -> dict[str, Any]:
    return {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}


_DOSAGE = {
    "sequence": 1,
    "timing": {
        "repeat": {
            "frequency": 1,
            "frequencyMax": 2,
            "period": 4,
            "periodMax": 6,
            "periodUnit": "h",
            "boundsDuration": _quantity(5, "d"),
            "duration": 2,
            "durationUnit": "h",
        },
        "code": _coded("BID", "http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation"),
    },
    "asNeededBoolean": True,
    "route": _coded("26643006", "http://snomed.info/sct"),
    "doseAndRate": [
        {
            "type": _coded("ordered", "http://terminology.hl7.org/CodeSystem/dose-rate-type"),
            "doseRange": {"low": _quantity(1, "mg"), "high": _quantity(2, "mg")},
            "rateRatio": {"numerator": _quantity(100, "mL"), "denominator": _quantity(1, "h")},
        }
    ],
    "maxDosePerPeriod": {"numerator": _quantity(8, "mg"), "denominator": _quantity(1, "d")},
    "maxDosePerAdministration": _quantity(2, "mg"),
}
_TOUCHED = {
    "resourceType": "MedicationRequest",
    "id": "touched",
    "status": "draft",
    "medicationReference": {"reference": "#m", "display": "diltiazem"},
    "contained": [{"resourceType": "Medication", "id": "m", "code": _coded("3443", _RXNORM)}],
    "dosageInstruction": [_DOSAGE, {**_DOSAGE, "sequence": 2, "asNeededBoolean": False}],
}
_UNTOUCHED = {
    "resourceType": "MedicationRequest",
    "id": "untouched",
    "medicationCodeableConcept": _coded("46041", _RXNORM),
    "dosageInstruction": [
        {
            "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "wk"}},
            "doseAndRate": [{"doseQuantity": _quantity(70, "mg")}],
        }
    ],
}
_OBSERVATION = {
    "resourceType": "Observation",
    "status": "final",
    "code": _coded("29463-7", "http://loinc.org"),
    "effectiveDateTime": "2026-11-01T08:00:00+01:00",
    "valueQuantity": _quantity(25, "kg"),
    "component": [{"code": _coded("2160-0", "http://loinc.org"), "valueQuantity": _quantity(1, "mg/dL")}],
}
_PREFETCH = {
    "patient": {"resourceType": "Patient", "id": "p", "birthDate": "2016-11-21", "gender": "female"},
    "weight": {"resourceType": "Bundle", "total": 1, "entry": [{"resource": _OBSERVATION}], "link": []},
    "conditions": {
        "resourceType": "Bundle",
        "entry": [
            {"resource": {"resourceType": "Condition", "code": _coded("45564002", "http://snomed.info/sct")}},
            {"resource": {"resourceType": "OperationOutcome", "issue": [{"severity": "warning"}]}},
        ],
    },
    "allergies": {
        "response": {"status": "200"},
        "resource": {"resourceType": "AllergyIntolerance", "clinicalStatus": "active", "code": _coded("3443", _RXNORM)},
    },
    "medications": {
        "resourceType": "MedicationStatement",
        "status": "active",
        "medicationCodeableConcept": _coded("11289", _RXNORM),
        "effectivePeriod": {"end": "2027-01-01"},
    },
}
_REQUEST = {
    "context": {
        "patientId": "Patient/p",
        "selections": ["MedicationRequest/touched"],
        "draftOrders": {"resourceType": "Bundle", "entry": [{"resource": _TOUCHED}, {"resource": _UNTOUCHED}]},
    },
    "prefetch": _PREFETCH,
}
_OWN = {name: name for name in DATA}


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield every path of a document."""
    if path:
        yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield from _paths(item, (*path, key))


_ORDER = ("context", "draftOrders", "entry")
_PATHS = list(_paths(_REQUEST))
#: Everywhere but in the second order and in what holds it.
_BESIDE = [path for path in _PATHS if path[:4] != (*_ORDER, 1) and path != _ORDER[: len(path)] and path[1:] != ()]


def _changed(*changes: tuple[tuple[Any, ...], Any]) -> dict[str, Any]:
    document: dict[str, Any] = copy.deepcopy(_REQUEST)
    for path, value in changes:
        place: Any = document
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value
    return document


def _read(document: dict[str, Any], today: Any) -> ReadRequest:
    return read(document["context"], document["prefetch"], _KNOWLEDGE, today=today, expected=_OWN)


def _judged(found: ReadRequest) -> None:
    """What was read must be an order that the rules take."""
    orders = tuple(item.order for item in found.orders if item.order is not None)
    check_orders(OrderRequest(orders, found.patient, as_of=found.as_of), _KNOWLEDGE)


@bounded
@given(path=st.sampled_from(_PATHS), value=_JSON)
def test_rule_26_anything_at_any_place_is_read(path: tuple[Any, ...], value: Any, make: Any) -> None:
    """Whatever stands wherever, the reading answers, every datum has a state, and the rules take what was read."""
    found = _read(_changed((path, value)), make.today)
    assert set(found.known) == set(DATA)
    assert set(found.known.values()) <= {"known", "known-absent", "unknown"}
    assert len({item.order.id for item in found.orders if item.order}) == len([i for i in found.orders if i.order])
    _judged(found)


@bounded
@given(changes=st.lists(st.tuples(st.sampled_from(_BESIDE), _JSON), min_size=1, max_size=1))
def test_rule_26_one_order_that_cannot_be_read_leaves_the_others(changes: Any, make: Any) -> None:
    """The second order stays as it is, whatever happens to the first, to the prefetch or to the context."""
    found = _read(_changed(*changes), make.today)
    second = found.orders[-1]
    assert second.reference == "MedicationRequest/untouched"
    assert second.order is not None
    assert second.order.dose is not None
    assert (second.order.dose.low, second.order.dose.unit) == (Decimal(70), "mg")


@bounded
@given(value=_JSON)
def test_any_document_at_all_is_read(value: Any, make: Any) -> None:
    """Not even the context need be an object."""
    found = read(value, value, _KNOWLEDGE, today=make.today)
    assert found.as_of == make.today


@pytest.mark.parametrize("path", _PATHS, ids=lambda path: ".".join(str(part) for part in path))
def test_null_is_taken_everywhere(path: tuple[Any, ...], make: Any) -> None:
    """And so is nothing at all."""
    _judged(_read(_changed((path, None)), make.today))


def test_nothing_of_a_request_is_shared_or_changed(make: Any) -> None:
    """The resource goes along untouched, and the request stays as it was sent."""
    document = copy.deepcopy(_REQUEST)
    found = _read(document, make.today)
    assert document == _REQUEST
    assert found.orders[0].resource is document["context"]["draftOrders"]["entry"][0]["resource"]


def test_no_sentence_repeats_what_was_sent(make: Any) -> None:
    """A name at any place of the record stands in no note and no reason."""
    name = "Zacharias"
    texts = [path for path in _PATHS if isinstance(_value(path), str)]
    for path in texts:
        found = _read(_changed((path, name)), make.today)
        said = json.dumps([found.notes, [item.unread for item in found.orders], list(found.known)])
        assert name not in said, path


def _value(path: tuple[Any, ...]) -> Any:
    place: Any = _REQUEST
    for key in path:
        place = place[key]
    return place


@pytest.mark.parametrize(
    "value",
    [
        [{"resourceType": "Observation"}] * 50_000,
        {"resourceType": "Bundle", "entry": [{"resource": _OBSERVATION}] * 50_000},
        {str(number): None for number in range(50_000)},
        "x" * 2_000_000,
        [
            {
                "resourceType": "MedicationStatement",
                "status": "active",
                "medicationCodeableConcept": {"text": f"{number} " + "tonic of the house " * 9},
            }
            for number in range(50_000)
        ],
    ],
    ids=["list", "bundle", "keys", "text", "names"],
)
def test_the_work_is_bounded(value: Any, make: Any) -> None:
    """Fifty thousand of anything take no longer than the bound of it."""
    start = process_time()
    read({"draftOrders": value, "selections": value, "patientId": value}, {"x": value}, _KNOWLEDGE, today=make.today)
    read({"draftOrders": [_TOUCHED]}, value if isinstance(value, dict) else None, _KNOWLEDGE, today=make.today)
    assert process_time() - start < 5


@pytest.mark.parametrize(
    ("type_", "field", "name", "datum"),
    [
        ("Condition", "code", "diagnoses", "conditions"),
        ("AllergyIntolerance", "code", "allergies", "allergies"),
        ("MedicationStatement", "medicationCodeableConcept", "medications", "medications"),
    ],
)
def test_a_list_has_at_most_500_codings(type_: str, field: str, name: str, datum: str, make: Any) -> None:
    """As many as any other request may hold; codings are counted, not resources, and no two of these are the same."""
    texts = [{"resourceType": type_, field: {"text": f"tonic of house {number}"}} for number in range(502)]
    read_ = [
        read({}, {datum: given}, _KNOWLEDGE, today=make.today, expected=make.expected)
        for given in (texts[:500], texts[:501], texts, texts[:500] * 4)
    ]
    assert [len(getattr(item.patient, datum)) for item in read_] == [500, 500, 500, 500]
    said = f"more than 500 {name} were sent; the rest was not used"
    assert [said in item.notes for item in read_] == [False, True, True, False]


def test_the_codings_of_one_diagnosis_count_one_by_one(make: Any) -> None:
    """1,500 codes of a heart attack in one resource."""
    codes = [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": f"I21.{number}"} for number in range(1500)]
    given = {"resourceType": "Condition", "code": {"coding": codes}}
    assert len(read({}, {"x": given}, _KNOWLEDGE, today=make.today).patient.conditions or ()) == 500


def test_a_bundle_that_holds_itself_ends(make: Any) -> None:
    """JSON cannot say so, a caller in the same process can."""
    bundle: dict[str, Any] = {"resourceType": "Bundle"}
    bundle["entry"] = [{"resource": bundle}] * 3
    wrapped: dict[str, Any] = {}
    wrapped["resource"] = wrapped
    found = read({"draftOrders": bundle}, {"a": bundle, "b": wrapped}, _KNOWLEDGE, today=make.today)
    assert found.orders == ()
