"""Calls of CDS Hooks in the shapes that record systems send, written for these tests."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dosing_service.age import today

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
SERVICES = "/cds-services"
SIGN = f"{SERVICES}/calcinosis-order-sign"
INSTANCE = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"

#: A product of 70 mg. The overview documents 70 mg once a week, so that 70 mg a day is seven times too much.
ALENDRONATE = ("904431", "alendronate sodium 70 MG Oral Tablet")
#: An ingredient. The overview documents 2 to 4 mg/kg a day: 140 to 280 mg for the woman of 70 kg below.
DILTIAZEM = ("3443", "diltiazem")
ETIDRONATE = ("42682", "etidronate")
METHOTREXATE = ("6851", "methotrexate")
SIMVASTATIN = ("36567", "simvastatin")
#: Nobody doses it here.
AMOXICILLIN = ("723", "amoxicillin")

#: Results are read by their age, so that theirs is counted back from the day of the test.
YESTERDAY = (today() - timedelta(days=1)).isoformat()

Json = dict[str, Any]


# ---- Resources


def order(
    drug: tuple[str, str] = DILTIAZEM, milligrams: float = 60, *, repeat: Json | None = None, **changes: Any
) -> Json:
    """An order by mouth, three times a day unless ``repeat`` says otherwise; ``None`` takes an element away."""
    code, name = drug
    amount = {"value": milligrams, "unit": "mg", "system": UCUM, "code": "mg"}
    ordered = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/dose-rate-type", "code": "ordered"}]}
    base = {
        "resourceType": "MedicationRequest",
        "id": "order-1",
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": code, "display": name}], "text": name},
        "subject": {"reference": "Patient/p1"},
        "dosageInstruction": [
            {
                "timing": {"repeat": repeat or {"frequency": 3, "period": 1, "periodUnit": "d"}},
                "route": {"coding": [{"system": "http://snomed.info/sct", "code": "26643006"}]},
                "doseAndRate": [{"type": ordered, "doseQuantity": amount}],
            }
        ],
    }
    return {name: value for name, value in {**base, **changes}.items() if value is not None}


def daily(drug: tuple[str, str], milligrams: float, **changes: Any) -> Json:
    """An order once a day."""
    return order(drug, milligrams, repeat={"frequency": 1, "period": 1, "periodUnit": "d"}, **changes)


def fitting(**changes: Any) -> Json:
    """Diltiazem 150 mg a day, which is within 140 to 280 mg."""
    return daily(DILTIAZEM, 150, **changes)


def tenfold(**changes: Any) -> Json:
    """Diltiazem 1,800 mg a day: with a zero too many."""
    return daily(DILTIAZEM, 1800, **changes)


def too_often(**changes: Any) -> Json:
    """Alendronate 70 mg a day in place of a week."""
    return daily(ALENDRONATE, 70, **changes)


def observation(code: str, value: float, unit: str, **changes: Any) -> Json:
    """A final result of yesterday."""
    base = {
        "resourceType": "Observation",
        "id": f"result-{code}",
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": code}]},
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": YESTERDAY,
        "valueQuantity": {"value": value, "unit": unit, "system": UCUM, "code": unit},
    }
    return {**base, **changes}


def weight(kg: float = 70) -> Json:
    """A searchset with one body weight."""
    return bundle(observation("29463-7", kg, "kg"))


def bundle(*resources: Mapping[str, Any]) -> Json:
    """A searchset."""
    entries = [{"resource": item, "search": {"mode": "match"}} for item in resources]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}


def no_results() -> Json:
    """What one record system sends where nothing was found: no hits, and one entry that says so."""
    issue = {"severity": "warning", "code": "processing", "details": {"text": "Resource request returns no results."}}
    entry = {"resource": {"resourceType": "OperationOutcome", "issue": [issue]}, "search": {"mode": "outcome"}}
    return {"resourceType": "Bundle", "type": "searchset", "total": 0, "entry": [entry]}


def person(born: str = "1976-05-04") -> Json:
    """The patient, a woman."""
    return {"resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": born}


# ---- Calls


def prefetch(*without: str, **changes: Any) -> Json:
    """Everything that the discovery document asks for, less the keys ``without``: a woman of 70 kg and 168 cm."""
    base = {
        "patient": person(),
        "weight": weight(),
        "height": bundle(observation("8302-2", 168, "cm")),
        "observations": bundle(observation("98979-8", 92, "mL/min/{1.73_m2}"), observation("17861-6", 9.4, "mg/dL")),
        "conditions": bundle(),
        "allergies": bundle(),
        "medications": bundle(),
        "statements": bundle(),
    }
    return {key: value for key, value in {**base, **changes}.items() if key not in without}


def call(*orders: Json, hook: str = "order-sign", ahead: Json | None = None, **changes: Any) -> Json:
    """A call of a hook with these orders; ``ahead`` is its prefetch, other names are members of its context.

    Of ``order-select`` every order is selected unless ``selections`` says otherwise.
    """
    context: Json = {
        "userId": "Practitioner/1",
        "patientId": "p1",
        "draftOrders": {
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [{"resource": item} for item in orders],
        },
    }
    if hook == "order-select":
        context["selections"] = [f"MedicationRequest/{item['id']}" for item in orders]
    context = {name: value for name, value in {**context, **changes}.items() if value is not None}
    return {
        "hook": hook,
        "hookInstance": INSTANCE,
        "context": context,
        "prefetch": prefetch() if ahead is None else ahead,
    }


def send(client: FlaskClient, body: Json) -> TestResponse:
    """Post a call to the service of its hook."""
    return client.post(f"{SERVICES}/calcinosis-{body['hook']}", json=body)


def cards(client: FlaskClient, body: Json) -> list[Json]:
    """Post a call that is answered, and return the cards."""
    answer = send(client, body)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert answer.mimetype == "application/json"
    return answer.json["cards"]


def topics(found: list[Json]) -> list[str]:
    """Return what each card is about."""
    return [card["source"]["topic"]["code"] for card in found]


def empties(node: Any, path: str = "") -> list[str]:
    """Return where a document holds null, an empty string, an empty list or an empty object."""
    if node is None or node in ("", [], {}):
        return [path]
    parts = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [place for name, part in parts for place in empties(part, f"{path}/{name}")]
