"""A call of CDS Hooks as a record system sends it, with all that a prefetch may hold."""

import json
from collections.abc import Iterable
from typing import Any

_HOOK = "order-sign"
PATH = f"/cds-services/calcinosis-{_HOOK}"
_RXNORM, _LOINC, _UCUM = "http://www.nlm.nih.gov/research/umls/rxnorm", "http://loinc.org", "http://unitsofmeasure.org"
_ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
_PATIENT = {"reference": "Patient/patient-1"}
#: Ingredients of a long list of medication, and in how many milligrams of each.
_MEDICATIONS = (
    *(("1364430", 5), ("36567", 20), ("6809", 850), ("2551", 500), ("8640", 5), ("6851", 15), ("1191", 100)),
    *(("5640", 400), ("7646", 20), ("435", 2), ("10582", 1), ("4603", 40), ("3443", 120), ("904431", 70)),
)
_RESULTS = (
    *(("2160-0", 0.9, "mg/dL"), ("17861-6", 9.2, "mg/dL"), ("2823-3", 4.5, "mmol/L"), ("2951-2", 140, "mmol/L")),
    *(("1742-6", 22, "U/L"), ("1920-8", 25, "U/L"), ("6768-6", 70, "U/L"), ("718-7", 12.5, "g/dL")),
    *(("777-3", 220, "10*3/uL"), ("6690-2", 6.5, "10*3/uL"), ("8867-4", 72, "/min"), ("8480-6", 128, "mm[Hg]")),
    *(("10230-1", 60, "%"), ("2777-1", 3.4, "mg/dL"), ("6301-6", 1.1, "{INR}")),
)


def call(medications: int, observations: int) -> bytes:
    """Return the body of a call to sign three orders (one in range, one weekly, one weekly drug ordered daily) for a
    patient with so many medications and observations.
    """
    orders = [
        _order("order-1", "3443", "diltiazem", 60, 3, "d"),
        _order("order-2", "6851", "methotrexate", 15, 1, "wk"),
        _order("order-3", "904431", "alendronate sodium 70 MG Oral Tablet", 70, 1, "d"),
    ]
    taken = [
        _order(f"taken-{number}", *_medication(number), 1, "d") | {"status": "active"} for number in range(medications)
    ]
    results = [_result(number, *_RESULTS[number % len(_RESULTS)]) for number in range(observations)]
    body = {
        "hook": _HOOK,
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/1", "patientId": "patient-1", "draftOrders": _bundle(orders)},
        "prefetch": {
            "patient": {"resourceType": "Patient", "id": "patient-1", "gender": "female", "birthDate": "1964-03-01"},
            "weight": _bundle([_result(900, "29463-7", 70, "kg")]),
            "height": _bundle([_result(901, "8302-2", 165, "cm")]),
            "observations": _bundle(results),
            "conditions": _bundle([_condition(code) for code in ("M34.1", "K22.4", "I10", "E11.9", "M81.0", "I73.0")]),
            "allergies": _bundle([]),
            "medications": _bundle(taken),
        },
    }
    return json.dumps(body).encode()


def _medication(number: int) -> tuple[str, str, int]:
    code, milligrams = _MEDICATIONS[number % len(_MEDICATIONS)]
    return code, "as the record calls it", milligrams


def _bundle(resources: Iterable[dict[str, Any]]) -> dict[str, Any]:
    entries = [{"resource": resource} for resource in resources]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}


def _order(id_: str, code: str, name: str, milligrams: int, times: int, unit: str) -> dict[str, Any]:
    return {
        "resourceType": "MedicationRequest",
        "id": id_,
        "status": "draft",
        "intent": "order",
        "subject": _PATIENT,
        "medicationCodeableConcept": {"coding": [{"system": _RXNORM, "code": code, "display": name}]},
        "dosageInstruction": [
            {
                "timing": {"repeat": {"frequency": times, "period": 1, "periodUnit": unit}},
                "route": {"coding": [{"system": "http://snomed.info/sct", "code": "26643006", "display": "Oral"}]},
                "doseAndRate": [{"doseQuantity": _quantity(milligrams, "mg")}],
            }
        ],
    }


def _result(number: int, code: str, value: float, unit: str) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": f"result-{number}",
        "status": "final",
        "code": {"coding": [{"system": _LOINC, "code": code}]},
        "subject": _PATIENT,
        "effectiveDateTime": f"2026-{number % 10 + 1:02}-10T08:00:00Z",
        "valueQuantity": _quantity(value, unit),
    }


def _condition(code: str) -> dict[str, Any]:
    active = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]}
    coded = {"coding": [{"system": _ICD10, "code": code}]}
    return {"resourceType": "Condition", "clinicalStatus": active, "code": coded, "subject": _PATIENT}


def _quantity(value: float, unit: str) -> dict[str, Any]:
    return {"value": value, "unit": unit, "system": _UCUM, "code": unit}
