"""What the tests of reading FHIR need: requests in the shapes that record systems send, written for these tests."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import pytest

from dosing_service.fhir.reading import ReadRequest, read
from dosing_service.knowledge.base import KnowledgeBase

TODAY = date(2026, 11, 21)
#: The prefetch keys of our own discovery document, and the datum that each asks for.
EXPECTED = {
    name: name for name in ("patient", "weight", "height", "conditions", "allergies", "medications", "observations")
}

Reader = Callable[..., ReadRequest]


def coded(code: str, system: str, text: str | None = None) -> dict[str, Any]:
    """A CodeableConcept of one coding."""
    return {"coding": [{"system": system, "code": code}], **({"text": text} if text else {})}


def order(**changes: Any) -> dict[str, Any]:
    """An order of diltiazem (RxNorm 3443), 60 mg three times a day, by mouth."""
    base = {
        "resourceType": "MedicationRequest",
        "id": "one",
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": coded("3443", "http://www.nlm.nih.gov/research/umls/rxnorm"),
        "subject": {"reference": "Patient/p"},
        "dosageInstruction": [
            {
                "timing": {"repeat": {"frequency": 3, "period": 1, "periodUnit": "d"}},
                "route": coded("26643006", "http://snomed.info/sct"),
                "doseAndRate": [{"doseQuantity": milligrams(60)}],
            }
        ],
    }
    return {name: value for name, value in {**base, **changes}.items() if value is not None}


def milligrams(value: Any) -> dict[str, Any]:
    """An amount in UCUM milligrams."""
    return {"value": value, "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"}


def bundle(*resources: Mapping[str, Any]) -> dict[str, Any]:
    """A searchset."""
    entries = [{"resource": resource, "search": {"mode": "match"}} for resource in resources]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}


def observation(code: str, value: Any, unit: str, **changes: Any) -> dict[str, Any]:
    """A final result of 1 November 2026 with a UCUM unit."""
    base = {
        "resourceType": "Observation",
        "status": "final",
        "code": coded(code, "http://loinc.org"),
        "subject": {"reference": "Patient/p"},
        "effectiveDateTime": "2026-11-01T08:00:00Z",
        "valueQuantity": {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit},
    }
    return {name: item for name, item in {**base, **changes}.items() if item is not None}


@pytest.fixture(scope="session")
def ask(knowledge: KnowledgeBase) -> Reader:
    """Reads orders (or a whole context) beside a prefetch, today being 21 November 2026."""

    def asked(*orders: Any, prefetch: Any = None, expected: Any = EXPECTED, **context: Any) -> ReadRequest:
        base = {"userId": "Practitioner/1", "patientId": "p", "draftOrders": bundle(*orders)}
        return read({**base, **context}, prefetch, knowledge, today=TODAY, expected=expected)

    return asked


@pytest.fixture(scope="session")
def make() -> Any:
    """The makers of resources above, for test modules, which cannot import one another."""
    return _Makers


class _Makers:
    """Every maker by its name."""

    coded = staticmethod(coded)
    order = staticmethod(order)
    milligrams = staticmethod(milligrams)
    bundle = staticmethod(bundle)
    observation = staticmethod(observation)
    today = TODAY
    expected = EXPECTED
