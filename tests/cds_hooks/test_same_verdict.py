"""Orders as a record system sends them and the same facts written by hand for the order endpoint: one verdict."""

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask.testing import FlaskClient

from dosing_service.age import today

Json = dict[str, Any]

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ATC = "http://www.whocc.no/atc"
SNOMED = "http://snomed.info/sct"
ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
GTS = "http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation"
DOSE_TYPE = "http://epic.com/CodeSystem/dose-rate-type"
_ROUTES = {"oral": "26643006", "intravenous": "47625008", "subcutaneous": "34206005", "intramuscular": "78421000"}

_TODAY = today()
_YESTERDAY = (_TODAY - timedelta(days=1)).isoformat()
_RESULTS: list[Json] = yaml.safe_load((Path(__file__).parents[1] / "safety" / "base.yaml").read_text(encoding="utf-8"))[
    "observations"
]

# ---------------------------------------------------------------- as a record system writes it


def born(years: int) -> str:
    """Return a birth date that makes somebody this old for a year."""
    return date(_TODAY.year - years, 1, 1).isoformat()


def concept(code: str, system: str = RXNORM, text: str | None = None) -> Json:
    """Return a CodeableConcept."""
    return {"coding": [{"system": system, "code": code}]} | ({"text": text} if text else {})


def amount(value: Any, unit: str) -> Json:
    """Return a Quantity in UCUM."""
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}


def repeat(times: int, period: Any = 1, unit: str = "d", **more: Any) -> Json:
    """Return a Timing."""
    return {"repeat": {"frequency": times, "period": period, "periodUnit": unit, **more}}


def by_code(code: str, system: str = GTS) -> Json:
    """Return a Timing that has nothing but a code."""
    return {"code": {"coding": [{"system": system, "code": code}]}}


def dosage(
    value: Any = None, unit: str = "mg", timing: Json | None = None, route: str | None = "oral", **more: Any
) -> Json:
    """Return a Dosage of the fourth release, ``doseAndRate`` unless another place is named."""
    said: Json = {"timing": timing} if timing else {}
    said |= {"route": concept(_ROUTES[route], SNOMED)} if route else {}
    said |= {"doseAndRate": [{"doseQuantity": amount(value, unit)}]} if value is not None else {}
    return said | more


def request(medication: Any, *dosages: Json, **more: Any) -> Json:
    """Return an order; ``medication`` is an RxNorm code, or the fields that name the drug."""
    named = {"medicationCodeableConcept": concept(medication)} if isinstance(medication, str) else medication
    return {
        "resourceType": "MedicationRequest",
        "status": "draft",
        "intent": "order",
        "subject": {"reference": "Patient/p1"},
        "dosageInstruction": list(dosages),
        **named,
        **more,
    }


def bundle(*resources: Json) -> Json:
    """Return a searchset."""
    entries = [{"resource": resource} for resource in resources]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}


def result(code: str, value: Any, unit: str) -> Json:
    """Return a final result of yesterday."""
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": concept(code, LOINC),
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": _YESTERDAY,
        "valueQuantity": amount(value, unit),
    }


def person(birth_date: str, gender: str = "female") -> Json:
    """Return a Patient."""
    return {"resourceType": "Patient", "id": "p1", "gender": gender, "birthDate": birth_date}


def condition(code: str, system: str) -> Json:
    """Return an active diagnosis."""
    status = {"coding": [{"code": "active"}]}
    return {"resourceType": "Condition", "clinicalStatus": status, "code": concept(code, system)}


def allergy(code: str, system: str = RXNORM) -> Json:
    """Return an allergy."""
    return {"resourceType": "AllergyIntolerance", "code": concept(code, system)}


def taken(code: str, system: str = RXNORM) -> Json:
    """Return a drug that is taken."""
    return request({"medicationCodeableConcept": concept(code, system)}, id="taken") | {"status": "active"}


PREFETCH: Json = {
    "patient": person(born(40)),
    "weight": bundle(result("29463-7", 65, "kg")),
    "height": bundle(result("8302-2", 168, "cm")),
    "observations": bundle(*[result(item["code"], item["value"], item["unit"]) for item in _RESULTS]),
    **{name: bundle() for name in ("conditions", "allergies", "medications", "statements")},
}

# ---------------------------------------------------------------- as the order endpoint takes it


def q(value: Any, unit: str) -> Json:
    """Return a quantity."""
    return {"value": value, "unit": unit}


def every(times: Any, value: Any = 1, unit: str = "d", **more: Any) -> Json:
    """Return how often."""
    return {"times": times, "every": q(value, unit)} | more


def said(agent: Any, value: Any, unit: str, often: Json | None = None, route: str | None = "oral", **more: Any) -> Json:
    """Return an order; ``value`` may be a pair, a range."""
    dose = {"low": value[0], "high": value[1], "unit": unit} if isinstance(value, tuple) else q(value, unit)
    order: Json = {"agent": agent, "dose": dose}
    order |= {"frequency": often} if often else {}
    return order | ({"route": route} if route else {}) | more


PATIENT: Json = {
    "birth_date": born(40),
    "sex": "female",
    "weight": q(65, "kg") | {"measured_on": _YESTERDAY},
    "height": q(168, "cm") | {"measured_on": _YESTERDAY},
    "observations": [item | {"measured_on": _YESTERDAY} for item in _RESULTS],
    **{name: [] for name in ("conditions", "allergies", "medications")},
}


def weighs(kg: Any) -> Json:
    """Return a weight of yesterday."""
    return {"weight": q(kg, "kg") | {"measured_on": _YESTERDAY}}


def with_result(code: str, value: Any, unit: str, *, instead_of: str | None = None) -> tuple[Json, Json]:
    """Return the results with one changed, for the prefetch and for the patient."""
    others = [item for item in _RESULTS if item["code"] not in {code, instead_of}]
    all_of_them = [*others, {"code": code, "value": value, "unit": unit}]
    sent = bundle(*[result(item["code"], item["value"], item["unit"]) for item in all_of_them])
    return {"observations": sent}, {"observations": [item | {"measured_on": _YESTERDAY} for item in all_of_them]}


# ---------------------------------------------------------------- the table


class Case:
    """The same facts twice: orders and prefetch of a call, and orders and patient of the order endpoint.

    ``verdict`` is what the knowledge files and their sources say, worked out by hand; ``why`` says how.
    """

    def __init__(
        self,
        name: str,
        sent: Json | list[Json],
        plain: Json | list[Json],
        *,
        facts: tuple[Json, Json] = ({}, {}),
        beside: tuple[Json, ...] = (),
        verdict: str | None = None,
        why: str | None = None,
    ) -> None:
        self.name, self.verdict, self.why = name, verdict, why
        self.sent = sent if isinstance(sent, list) else [sent]
        self.plain = plain if isinstance(plain, list) else [plain]
        self.prefetch, self.patient = PREFETCH | facts[0], PATIENT | facts[1]
        self.beside = beside

    def call(self) -> Json:
        """Return the call of CDS Hooks."""
        orders = [{"id": f"o{index}"} | item for index, item in enumerate(self.sent)]
        return {
            "hook": "order-sign",
            "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
            "context": {"userId": "Practitioner/1", "patientId": "p1", "draftOrders": bundle(*self.beside, *orders)},
            "prefetch": self.prefetch,
        }

    def body(self) -> Json:
        """Return the request to the order endpoint."""
        orders = [{"id": f"o{index}"} | item for index, item in enumerate(self.plain)]
        return {"patient": self.patient, "orders": orders, "as_of": _TODAY.isoformat()}


def child(years: int, kg: Any, cm: Any) -> tuple[Json, Json]:
    """Return the facts of a child."""
    sent = {
        "patient": person(born(years)),
        "weight": bundle(result("29463-7", kg, "kg")),
        "height": bundle(result("8302-2", cm, "cm")),
    }
    height = q(cm, "cm") | {"measured_on": _YESTERDAY}
    return sent, {"birth_date": born(years), "height": height, **weighs(kg)}


def both(*facts: tuple[Json, Json]) -> tuple[Json, Json]:
    """Return several changes of the facts together."""
    sent: Json = {}
    plain: Json = {}
    for one, other in facts:
        sent, plain = sent | one, plain | other
    return sent, plain


def coded(code: str, system: str = RXNORM) -> Json:
    """Return a code as the order endpoint takes it."""
    return {"system": system, "code": code}


def diagnosed(code: str, system: str) -> tuple[Json, Json]:
    """Return one diagnosis."""
    return {"conditions": bundle(condition(code, system))}, {"conditions": [coded(code, system)]}


def allergic(code: str, system: str = RXNORM) -> tuple[Json, Json]:
    """Return one allergy."""
    return {"allergies": bundle(allergy(code, system))}, {"allergies": [coded(code, system)]}


def taking(code: str, system: str = RXNORM) -> tuple[Json, Json]:
    """Return one drug that is taken."""
    return {"medications": bundle(taken(code, system))}, {"medications": [coded(code, system)]}


ALENDRONATE, METHOTREXATE, DILTIAZEM, PREDNISONE, WARFARIN = "46041", "6851", "3443", "8640", "11289"
COLCHICINE, PROBENECID, MINOCYCLINE, ETIDRONATE, PAMIDRONATE = "2683", "8698", "6980", "42682", "11473"
CEFTRIAXONE, MYCOPHENOLATE, TOFACITINIB, IVIG, RITUXIMAB = "2193", "68149", "1357536", "5666", "121191"
INFLIXIMAB, ALUMINIUM, BARICITINIB, RUXOLITINIB = "191831", "612", "2047232", "1193326"
WEEKLY = every(1, 1, "wk")
_ALENDRONATE_RESOURCE = {"resourceType": "Medication", "id": "med1", "code": concept(ALENDRONATE)}
_TWO_TYPES = {
    "doseAndRate": [
        {"type": {"coding": [{"system": DOSE_TYPE, "code": "calculated"}]}, "doseQuantity": amount(15, "mg")},
        {"type": {"coding": [{"system": DOSE_TYPE, "code": "admin-amount"}]}, "doseQuantity": amount(6, "{tbl}")},
        {"type": {"coding": [{"system": DOSE_TYPE, "code": "ordered"}]}, "doseQuantity": amount(15, "mg")},
    ]
}

CASES = [
    # ------------------------------------------------------------ where the drug stands
    Case(
        "alendronate 70 mg a week, a concept",
        request(ALENDRONATE, dosage(70, timing=repeat(1, 1, "wk"))),
        said("alendronate", 70, "mg", WEEKLY),
        verdict="incomplete",
        why="70 mg a week is documented; whether she breast-feeds is not said, so not every check ran",
    ),
    Case(
        "alendronate 70 mg daily, contained",
        request(
            {"medicationReference": {"reference": "#m"}, "contained": [_ALENDRONATE_RESOURCE | {"id": "m"}]},
            dosage(70, timing=repeat(1)),
        ),
        said("alendronate", 70, "mg", every(1)),
        verdict="stop",
        why="490 mg a week, seven times the maximum of 70 mg a week",
    ),
    Case(
        "alendronate 70 mg daily, a Medication in the prefetch",
        request({"medicationReference": {"reference": "Medication/med1"}}, dosage(70, timing=repeat(1))),
        said("alendronate", 70, "mg", every(1)),
        facts=({"item": _ALENDRONATE_RESOURCE}, {}),
        verdict="stop",
        why="as above",
    ),
    Case(
        "alendronate 35 mg twice a week, a Medication beside the orders",
        request({"medicationReference": {"reference": "Medication/med1"}}, dosage(35, timing=repeat(2, 1, "wk"))),
        said("alendronate", 35, "mg", every(2, 1, "wk")),
        beside=(_ALENDRONATE_RESOURCE,),
    ),
    Case(
        "alendronate 10 mg daily, by the display of a reference alone",
        request(
            {"medicationReference": {"reference": "Medication/x", "display": "alendronate 10 mg tablet"}},
            dosage(10, timing=repeat(1)),
        ),
        said("alendronate", 10, "mg", every(1)),
        verdict="incomplete",
        why="10 mg daily is the label's daily dose of osteoporosis",
    ),
    Case(
        "methotrexate 15 mg daily, a CodeableReference of the fifth release",
        request({"medication": {"concept": concept(METHOTREXATE)}}, dosage(15, timing=repeat(1))),
        said("methotrexate", 15, "mg", every(1)),
        verdict="stop",
        why="105 mg a week against 25 mg a week; weekly only",
    ),
    Case(
        "methotrexate 15 mg a week, a reference of the fifth release",
        request(
            {"medication": {"reference": {"reference": "#m"}}}
            | {"contained": [{"resourceType": "Medication", "id": "m", "code": concept(METHOTREXATE)}]},
            dosage(15, timing=repeat(1, 1, "wk")),
        ),
        said("methotrexate", 15, "mg", WEEKLY),
        verdict="incomplete",
        why="15 to 25 mg a week; whether she is pregnant is not said",
    ),
    Case(
        "warfarin 1 mg daily, by ATC",
        request({"medicationCodeableConcept": concept("B01AA03", ATC)}, dosage(1, timing=repeat(1))),
        said(coded("B01AA03", ATC), 1, "mg", every(1)),
        verdict="warn",
        why="the verdict on low-dose warfarin is that it should not be used (level IB)",
    ),
    Case(
        "colchicine 0.6 mg twice daily, by text alone",
        request({"medicationCodeableConcept": {"text": "Colchicine"}}, dosage(0.6, timing=repeat(2))),
        said("colchicine", 0.6, "mg", every(2)),
    ),
    # ------------------------------------------------------------ where the dose stands
    Case(
        "prednisone 40 mg daily, the third release",
        request(PREDNISONE, dosage(timing=repeat(1), doseQuantity=amount(40, "mg"))),
        said("prednisone", 40, "mg", every(1)),
    ),
    Case(
        "prednisone 120 mg daily, the third release",
        request(PREDNISONE, dosage(timing=repeat(1), doseQuantity=amount(120, "mg"))),
        said("prednisone", 120, "mg", every(1)),
        verdict="stop",
        why="above 100 mg, the most for an adult with dermatomyositis",
    ),
    Case(
        "probenecid 500 mg three times a day, doseAndRate as an object",
        request(PROBENECID, dosage(timing=repeat(3), doseAndRate={"doseQuantity": amount(500, "mg")})),
        said("probenecid", 500, "mg", every(3)),
        verdict="incomplete",
        why="1.5 g a day is the documented dose",
    ),
    Case(
        "probenecid 1 g three times a day",
        request(PROBENECID, dosage(1, "g", repeat(3))),
        said("probenecid", 1, "g", every(3)),
        verdict="stop",
        why="3 g a day is above the 2 g that the label allows as a maximum",
    ),
    Case(
        "colchicine 0.6 to 1.2 mg twice daily, a range",
        request(
            COLCHICINE,
            dosage(
                timing=repeat(2), doseAndRate=[{"doseRange": {"low": amount(0.6, "mg"), "high": amount(1.2, "mg")}}]
            ),
        ),
        said("colchicine", (0.6, 1.2), "mg", every(2)),
    ),
    Case(
        "methotrexate 10 to 15 mg a week, a range",
        request(
            METHOTREXATE,
            dosage(
                timing=repeat(1, 1, "wk"),
                doseAndRate=[{"doseRange": {"low": amount(10, "mg"), "high": amount(15, "mg")}}],
            ),
        ),
        said("methotrexate", (10, 15), "mg", WEEKLY),
    ),
    Case(
        "methotrexate 15 mg daily, three statements of one dose",
        request(METHOTREXATE, dosage(timing=repeat(1), **_TWO_TYPES)),
        said("methotrexate", 15, "mg", every(1)),
        verdict="stop",
        why="three statements of 15 mg are 15 mg; daily they are too much",
    ),
    Case(
        "methotrexate 15 mg a week, three statements of one dose",
        request(METHOTREXATE, dosage(timing=repeat(1, 1, "wk"), **_TWO_TYPES)),
        said("methotrexate", 15, "mg", WEEKLY),
        verdict="incomplete",
        why="added up they would be 30 mg and more, above 25 mg a week",
    ),
    Case(
        "diltiazem 180 mg per day as a ratio",
        request(
            DILTIAZEM,
            dosage(doseAndRate=[{"rateRatio": {"numerator": amount(180, "mg"), "denominator": amount(1, "d")}}]),
        ),
        said("diltiazem", 180, "mg/d"),
        verdict="incomplete",
        why="180 / 65 kg = 2.8 mg/kg, within 2 to 4",
    ),
    Case(
        "diltiazem 4000 mg per day as a ratio of 24 hours",
        request(
            DILTIAZEM,
            dosage(doseAndRate=[{"rateRatio": {"numerator": amount(4, "g"), "denominator": amount(24, "h")}}]),
        ),
        said("diltiazem", 4, "g/d"),
        verdict="stop",
        why="eight times the highest maximum of any formulation, 540 mg",
    ),
    Case(
        "diltiazem 1 mg/kg three times a day",
        request(DILTIAZEM, dosage(1, "mg/kg", repeat(3))),
        said("diltiazem", 1, "mg/kg", every(3)),
        verdict="incomplete",
        why="3 mg/kg a day lies within 2 to 4",
    ),
    Case(
        "prednisone 2 mg/kg a day, a child",
        request(PREDNISONE, dosage(2, "mg/kg/d", repeat(1))),
        said("prednisone", 2, "mg/kg/d", every(1)),
        facts=child(8, 25, 128),
    ),
    Case(
        "mycophenolate 600 mg/m2 twice daily, a child",
        request(MYCOPHENOLATE, dosage(600, "mg/m2", repeat(2))),
        said("mycophenolate", 600, "mg/m2", every(2)),
        facts=child(8, 25, 128),
    ),
    Case(
        "no dose at all",
        request(DILTIAZEM, dosage(timing=repeat(3))),
        {"agent": "diltiazem", "frequency": every(3), "route": "oral"},
        verdict="incomplete",
        why="nothing is known to be wrong, and the dose was not checked",
    ),
    # ------------------------------------------------------------ how often
    *[
        Case(
            f"minocycline 50 mg, {code}",
            request(MINOCYCLINE, dosage(50, timing=by_code(code, system))),
            said("minocycline", 50, "mg", often),
        )
        for code, system, often in (
            ("BID", GTS, every(2)),
            ("QD", GTS, every(1)),
            ("QID", GTS, every(4)),
            ("Q6H", "http://terminology.hl7.org/CodeSystem/timing-abbreviation", every(1, 6, "h")),
            ("229799001", SNOMED, every(2)),
        )
    ],
    Case(
        "methotrexate 15 mg, WK",
        request(METHOTREXATE, dosage(15, timing=by_code("WK"))),
        said("methotrexate", 15, "mg", WEEKLY),
        verdict="incomplete",
        why="WK is once a week",
    ),
    Case(
        "methotrexate 15 mg, QD",
        request(METHOTREXATE, dosage(15, timing=by_code("QD"))),
        said("methotrexate", 15, "mg", every(1)),
        verdict="stop",
        why="QD is daily",
    ),
    Case(
        "tofacitinib 5 mg at 8 and 20 hours",
        request(TOFACITINIB, dosage(5, timing={"repeat": {"timeOfDay": ["08:00:00", "20:00:00"]}})),
        said("tofacitinib", 5, "mg", every(2)),
        verdict="incomplete",
        why="5 mg twice daily is documented",
    ),
    Case(
        "tofacitinib 50 mg in the morning and in the evening",
        request(TOFACITINIB, dosage(50, timing={"repeat": {"when": ["MORN", "EVE"]}})),
        said("tofacitinib", 50, "mg", every(2)),
        verdict="stop",
        why="ten times the dose",
    ),
    Case(
        "alendronate 70 mg on Mondays",
        request(ALENDRONATE, dosage(70, timing={"repeat": {"dayOfWeek": ["mon"]}})),
        said("alendronate", 70, "mg", WEEKLY),
    ),
    Case(
        "methotrexate 15 mg on three days of the week",
        request(METHOTREXATE, dosage(15, timing={"repeat": {"dayOfWeek": ["mon", "wed", "fri"]}})),
        said("methotrexate", 15, "mg", every(3, 1, "wk")),
        verdict="stop",
        why="45 mg a week against 25 mg",
    ),
    Case(
        "methotrexate 2.5 mg every 12 hours on one day of the week",
        request(METHOTREXATE, dosage(2.5, timing=repeat(2, 1, "d", dayOfWeek=["sat"]))),
        said("methotrexate", 2.5, "mg", every(2, 1, "wk")),
    ),
    Case(
        "methotrexate 15 mg every 7 days",
        request(METHOTREXATE, dosage(15, timing=repeat(1, 7, "d"))),
        said("methotrexate", 15, "mg", every(1, 7, "d")),
    ),
    Case(
        "colchicine 0.6 mg as needed, at most 1.2 mg a day",
        request(
            COLCHICINE,
            dosage(
                0.6,
                asNeededBoolean=True,
                maxDosePerPeriod={"numerator": amount(1.2, "mg"), "denominator": amount(1, "d")},
            ),
        ),
        said("colchicine", 0.6, "mg", every(2, as_needed=True)),
    ),
    Case(
        "colchicine 1 mg as needed every hour, the fifth release",
        request(COLCHICINE, dosage(1, timing=repeat(1, 1, "h"), asNeeded=True)),
        said("colchicine", 1, "mg", every(1, 1, "h", as_needed=True)),
        verdict="stop",
        why="up to 24 mg a day, ten times the label's 2.4 mg",
    ),
    Case(
        "pamidronate 60 mg a month, into a vein",
        request(PAMIDRONATE, dosage(60, timing=repeat(1, 1, "mo"), route="intravenous")),
        said("pamidronate", 60, "mg", every(1, 1, "mo"), "intravenous"),
        verdict="incomplete",
        why="60 mg a month is the series of Vellore",
    ),
    Case(
        "pamidronate 90 mg a week, into a vein",
        request(PAMIDRONATE, dosage(90, timing=repeat(1, 1, "wk"), route="intravenous")),
        said("pamidronate", 90, "mg", WEEKLY, "intravenous"),
        verdict="stop",
        why="90 mg every week is blocked (C01): more than 90 mg in three weeks",
    ),
    Case(
        "ceftriaxone 2 g daily for 20 days",
        request(
            CEFTRIAXONE,
            dosage(2, "g", repeat(1, boundsDuration=amount(20, "d")), "intravenous"),
        ),
        said("ceftriaxone", 2, "g", every(1), "intravenous", duration=q(20, "d")),
    ),
    Case(
        "ceftriaxone 30 g daily",
        request(CEFTRIAXONE, dosage(30, "g", repeat(1), "intravenous")),
        said("ceftriaxone", 30, "g", every(1), "intravenous"),
        verdict="stop",
        why="fifteen times 2 g; the most of any label is 4 g",
    ),
    Case(
        "rituximab 1 g every 2 weeks, twice",
        request(RITUXIMAB, dosage(1, "g", repeat(1, 2, "wk", count=2), "intravenous")),
        said("rituximab", 1, "g", every(1, 2, "wk", count=2), "intravenous"),
    ),
    Case(
        "infliximab 5 mg/kg once",
        request(INFLIXIMAB, dosage(5, "mg/kg", {"repeat": {"count": 1}}, "intravenous")),
        said("infliximab", 5, "mg/kg", {"once": True}, "intravenous"),
    ),
    Case(
        "immunoglobulin 130 g daily",
        request(IVIG, dosage(130, "g", repeat(1), "intravenous")),
        said("ivig", 130, "g", every(1), "intravenous"),
        verdict="stop",
        why="2 g/kg at 65 kg is the total of a course",
    ),
    # ------------------------------------------------------------ pieces and millilitres
    Case(
        "one tablet of alendronate 70 mg a week",
        request("904431", dosage(1, "{tbl}", repeat(1, 1, "wk"))),
        said("alendronate", 70, "mg", WEEKLY, product={"id": "tablet-70"}),
        verdict="incomplete",
        why="a tablet of RxNorm 904431 holds 70 mg",
    ),
    Case(
        "one tablet of alendronate 70 mg daily",
        request("904431", dosage(1, "{tbl}", repeat(1))),
        said("alendronate", 70, "mg", every(1), product={"id": "tablet-70"}),
        verdict="stop",
        why="as above, seven times",
    ),
    Case(
        "six tablets of methotrexate 2.5 mg a week",
        request("105585", dosage(6, "{tbl}", repeat(1, 1, "wk"))),
        said("methotrexate", 15, "mg", WEEKLY, product={"id": "tablet-2.5"}),
        verdict="incomplete",
        why="6 x 2.5 mg = 15 mg",
    ),
    Case(
        "six tablets of methotrexate 10 mg a week",
        request("105586", dosage(6, "{tbl}", repeat(1, 1, "wk"))),
        said("methotrexate", 60, "mg", WEEKLY, product={"id": "tablet-10"}),
        verdict="stop",
        why="6 x 10 mg = 60 mg, 2.4 times the most",
    ),
    Case(
        "two tablets of diltiazem 120 mg four times a day",
        request("831054", dosage(2, "{tbl}", repeat(4))),
        said("diltiazem", 240, "mg", every(4), product={"id": "ir-tablet-120"}),
        verdict="stop",
        why="960 mg a day of immediate-release tablets; the maximum is 360 mg",
    ),
    Case(
        "0.6 mL of methotrexate 25 mg/mL a week",
        request("1946772", dosage(0.6, "mL", repeat(1, 1, "wk"), "subcutaneous")),
        said("methotrexate", 15, "mg", WEEKLY, "subcutaneous", product={"id": "injection-25"}),
        verdict="incomplete",
        why="0.6 mL x 25 mg/mL = 15 mg",
    ),
    Case(
        "6 mL of methotrexate 25 mg/mL a week",
        request("1946772", dosage(6, "mL", repeat(1, 1, "wk"), "subcutaneous")),
        said("methotrexate", 150, "mg", WEEKLY, "subcutaneous", product={"id": "injection-25"}),
        verdict="stop",
        why="6 mL x 25 mg/mL = 150 mg",
    ),
    # ------------------------------------------------------------ the patient
    Case(
        "a weight in pounds",
        request(DILTIAZEM, dosage(1, "mg/kg", repeat(3))),
        said("diltiazem", 1, "mg/kg", every(3)),
        facts=({"weight": bundle(result("29463-7", 150, "[lb_av]"))}, weighs(68.0388555)),
        verdict="incomplete",
        why="1 mg/kg three times a day are 3 mg/kg, whatever the weight",
    ),
    Case(
        "etidronate 800 mg daily of somebody of 80 pounds",
        request(ETIDRONATE, dosage(800, timing=repeat(1))),
        said("etidronate", 800, "mg", every(1)),
        facts=({"weight": bundle(result("29463-7", 80, "[lb_av]"))}, weighs(36.2873896)),
        verdict="stop",
        why="800 / 36.3 kg = 22 mg/kg, above 20 mg/kg",
    ),
    Case(
        "creatinine in umol/L",
        request(METHOTREXATE, dosage(15, timing=repeat(1, 1, "wk"))),
        said("methotrexate", 15, "mg", WEEKLY),
        facts=with_result("14682-9", 265.26, "umol/L", instead_of="2160-0"),
        verdict="stop",
        why="265 umol/L is 3 mg/dL: (140 - 40) x 65 x 0.85 / (72 x 3) = 26 mL/min, below 30",
    ),
    Case(
        "a blood pressure of 84",
        request(DILTIAZEM, dosage(60, timing=repeat(3))),
        said("diltiazem", 60, "mg", every(3)),
        facts=with_result("8480-6", 84, "mm[Hg]"),
        verdict="stop",
        why="contraindicated below 90 mmHg",
    ),
    Case(
        "an ejection fraction of 30 %",
        request(DILTIAZEM, dosage(60, timing=repeat(3))),
        said("diltiazem", 60, "mg", every(3)),
        facts=with_result("10230-1", 30, "%"),
        verdict="warn",
        why="below 40 % is a major caution, not a contraindication",
    ),
    Case(
        "achalasia by SNOMED CT",
        request(ALENDRONATE, dosage(70, timing=repeat(1, 1, "wk"))),
        said("alendronate", 70, "mg", WEEKLY),
        facts=diagnosed("45564002", SNOMED),
        verdict="stop",
        why="an oesophagus that empties slowly",
    ),
    Case(
        "achalasia by ICD-10-CM",
        request(ALENDRONATE, dosage(70, timing=repeat(1, 1, "wk"))),
        said("alendronate", 70, "mg", WEEKLY),
        facts=diagnosed("K22.0", ICD10),
        verdict="stop",
        why="the same by another code",
    ),
    Case(
        "complete heart block by SNOMED CT",
        request(DILTIAZEM, dosage(60, timing=repeat(3))),
        said("diltiazem", 60, "mg", every(3)),
        facts=diagnosed("27885002", SNOMED),
        verdict="stop",
        why="without a pacemaker contraindicated",
    ),
    Case(
        "kidney disease of stage 4 by ICD-10-CM",
        request(ALENDRONATE, dosage(70, timing=repeat(1, 1, "wk"))),
        said("alendronate", 70, "mg", WEEKLY),
        facts=diagnosed("N18.4", ICD10),
        verdict="warn",
        why="kidney disease of stage 4 is a major caution",
    ),
    Case(
        "a diagnosis that no rule knows",
        request(ALENDRONATE, dosage(70, timing=repeat(1, 1, "wk"))),
        said("alendronate", 70, "mg", WEEKLY),
        facts=diagnosed("S52.5", ICD10),
    ),
    Case(
        "an allergy to methotrexate",
        request(METHOTREXATE, dosage(15, timing=repeat(1, 1, "wk"))),
        said("methotrexate", 15, "mg", WEEKLY),
        facts=allergic(METHOTREXATE),
        verdict="stop",
        why="allergy",
    ),
    Case(
        "an allergy to tetracyclines by SNOMED CT",
        request(MINOCYCLINE, dosage(50, timing=repeat(1))),
        said("minocycline", 50, "mg", every(1)),
        facts=allergic("373206009", SNOMED),
        verdict="stop",
        why="minocycline is a tetracycline",
    ),
    Case(
        "an allergy to something else",
        request(MINOCYCLINE, dosage(50, timing=repeat(1))),
        said("minocycline", 50, "mg", every(1)),
        facts=allergic("2193"),
    ),
    Case(
        "diltiazem beside simvastatin",
        request(DILTIAZEM, dosage(60, timing=repeat(3))),
        said("diltiazem", 60, "mg", every(3)),
        facts=taking("36567"),
        verdict="warn",
        why="simvastatin with diltiazem is a major interaction (B008)",
    ),
    Case(
        "diltiazem beside ivabradine by ATC",
        request(DILTIAZEM, dosage(60, timing=repeat(3))),
        said("diltiazem", 60, "mg", every(3)),
        facts=taking("C01EB17", ATC),
        verdict="stop",
        why="ivabradine with diltiazem is contraindicated (B002)",
    ),
    Case(
        "minocycline of a child of 6 years",
        request(MINOCYCLINE, dosage(50, timing=repeat(1))),
        said("minocycline", 50, "mg", every(1)),
        facts=child(6, 20, 116),
        verdict="stop",
        why="a label copy contraindicates it below 8 years, while teeth are forming",
    ),
    Case(
        "probenecid of a child of 20 kg",
        request(PROBENECID, dosage(500, timing=repeat(3))),
        said("probenecid", 500, "mg", every(3)),
        facts=child(6, 20, 116),
        verdict="stop",
        why="1.5 g is 75 mg/kg a day, above the 40 mg/kg at which the dose of a child is held (C06)",
    ),
    Case(
        "methotrexate of a child by body surface",
        request(METHOTREXATE, dosage(15, "mg/m2", repeat(1, 1, "wk"), "subcutaneous")),
        said("methotrexate", 15, "mg/m2", WEEKLY, "subcutaneous"),
        facts=child(8, 25, 128),
    ),
    Case(
        "baricitinib 4 mg with an eGFR that is low",
        request(BARICITINIB, dosage(4, timing=repeat(1))),
        said("baricitinib", 4, "mg", every(1)),
        facts=with_result("2160-0", 1.6, "mg/dL"),
    ),
    Case(
        "no weight on file",
        request(DILTIAZEM, dosage(1, "mg/kg", repeat(3))),
        said("diltiazem", 1, "mg/kg", every(3)),
        facts=({"weight": bundle()}, {"weight": None}),
    ),
    # ------------------------------------------------------------ several orders
    Case(
        "two orders of one drug that are too much together",
        [
            request("831054", dosage(1, "{tbl}", repeat(2))),
            request("831103", dosage(60, timing=repeat(3))),
        ],
        [
            said("diltiazem", 120, "mg", every(2), product={"id": "ir-tablet-120"}),
            said("diltiazem", 60, "mg", every(3), product={"id": "ir-tablet-60"}),
        ],
        verdict="stop",
        why="240 + 180 = 420 mg of immediate-release tablets a day; the maximum is 360 mg",
    ),
    Case(
        "two orders of one drug that fit together",
        [request(DILTIAZEM, dosage(60, timing=repeat(1))), request(DILTIAZEM, dosage(120, timing=repeat(1)))],
        [said("diltiazem", 60, "mg", every(1)), said("diltiazem", 120, "mg", every(1))],
    ),
    Case(
        "three orders, one of them to be stopped",
        [
            request(PROBENECID, dosage(500, timing=repeat(3))),
            request(ALENDRONATE, dosage(70, timing=repeat(1))),
            request(MINOCYCLINE, dosage(50, timing=repeat(2))),
        ],
        [
            said("probenecid", 500, "mg", every(3)),
            said("alendronate", 70, "mg", every(1)),
            said("minocycline", 50, "mg", every(2)),
        ],
        verdict="stop",
        why="alendronate daily; the others are as documented",
    ),
    Case(
        "methotrexate and probenecid together",
        [
            request(METHOTREXATE, dosage(15, timing=repeat(1, 1, "wk"))),
            request(PROBENECID, dosage(500, timing=repeat(3))),
        ],
        [said("methotrexate", 15, "mg", WEEKLY), said("probenecid", 500, "mg", every(3))],
        verdict="stop",
        why="probenecid with methotrexate is contraindicated (A048)",
    ),
    Case(
        "diltiazem and colchicine together",
        [request(DILTIAZEM, dosage(60, timing=repeat(3))), request(COLCHICINE, dosage(0.6, timing=repeat(2)))],
        [said("diltiazem", 60, "mg", every(3)), said("colchicine", 0.6, "mg", every(2))],
        verdict="warn",
        why="diltiazem with colchicine is a major interaction (A001)",
    ),
    Case(
        "aluminium hydroxide beside a drug that it binds",
        [request(ALUMINIUM, dosage(600, timing=repeat(3))), request(MINOCYCLINE, dosage(50, timing=repeat(2)))],
        [said("aluminium-hydroxide", 600, "mg", every(3)), said("minocycline", 50, "mg", every(2))],
    ),
    Case(
        "two steps of a taper, the higher one counts",
        request(
            PREDNISONE,
            dosage(60, timing=repeat(1), sequence=1),
            dosage(20, timing=repeat(1), sequence=2),
        ),
        said("prednisone", 60, "mg", every(1)),
        verdict="incomplete",
        why="60 mg lies within 0.5 to 1 mg/kg of 65 kg (32.5 to 65 mg)",
    ),
    Case(
        "a dose in the morning and one in the evening are added",
        request(COLCHICINE, dosage(3, timing=repeat(1), sequence=1), dosage(2, timing=repeat(1), sequence=1)),
        said("colchicine", 5, "mg/d"),
        verdict="stop",
        why="5 mg a day against a label maximum of 2.4 mg",
    ),
    Case(
        "ruxolitinib 10 mg twice daily",
        request(RUXOLITINIB, dosage(10, timing=repeat(2))),
        said("ruxolitinib", 10, "mg", every(2)),
    ),
]

# ---------------------------------------------------------------- the comparison

#: The worst indicator of the cards, for each verdict.
_INDICATOR = {"stop": "critical", "warn": "warning", "incomplete": None, "pass": None}
_RANK = {None: 0, "warning": 1, "critical": 2}


def told(client: FlaskClient, case: Case) -> list[Json]:
    """Return the cards."""
    response = client.post("/cds-services/calcinosis-order-sign", json=case.call())
    assert response.status_code == 200, response.get_data(as_text=True)
    cards: list[Json] = response.get_json()["cards"]
    return cards


def judged(client: FlaskClient, case: Case) -> Json:
    """Return the answer of the order endpoint."""
    body = case.body()
    body["patient"] = {name: value for name, value in body["patient"].items() if value is not None}
    response = client.post("/v1/order-checks", json=body)
    assert response.status_code == 200, response.get_data(as_text=True)
    answer: Json = response.get_json()
    return answer


def worst(cards: list[Json]) -> str | None:
    """Return the worst indicator above info."""
    found = {card["indicator"] for card in cards}
    return next((name for name in ("critical", "warning") if name in found), None)


def linked(agent: str, cards: list[Json]) -> list[Json]:
    """Return the cards that link to an agent."""
    return [
        card for card in cards if any(link["url"].endswith(f"/v1/agents/{agent}") for link in card.get("links", ()))
    ]


def naming(name: str, cards: list[Json]) -> list[Json]:
    """Return the cards that name an agent."""
    return [card for card in cards if name.lower() in card["summary"].lower()]


def of_agents(answer: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    """Return the worst verdict of the orders of each agent."""
    found: dict[tuple[str, str], str] = {}
    for order in answer["orders"]:
        agent = (order["agent"]["id"], order["agent"]["name"])
        found[agent] = min(found.get(agent, "pass"), order["verdict"], key=list(_INDICATOR).index)
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_cards_and_order_checks_say_the_same(client: FlaskClient, case: Case) -> None:
    """The worst card is critical where the verdict is stop, a warning where it is warn, and nothing worse than info
    where it is incomplete or pass; of all orders together and of each agent.
    """
    cards, answer = told(client, case), judged(client, case)
    summaries = [f"{card['indicator']}: {card['summary']}" for card in cards]
    assert worst(cards) == _INDICATOR[answer["verdict"]], summaries
    for (agent, name), verdict in of_agents(answer).items():
        # An interaction is shown once: beside one of its two drugs, and by the names of both.
        own, all_of_them = linked(agent, cards), [*linked(agent, cards), *naming(name, cards)]
        assert _RANK[worst(own)] <= _RANK[_INDICATOR[verdict]] <= _RANK[worst(all_of_them)], (agent, summaries)


@pytest.mark.parametrize("case", [case for case in CASES if case.verdict], ids=lambda case: case.name)
def test_the_verdict_is_what_the_sources_say(client: FlaskClient, case: Case) -> None:
    """Worked out by hand, so that two ways to the same mistake are noticed."""
    assert judged(client, case)["verdict"] == case.verdict, case.why


def test_a_daily_amount_is_told_per_day(client: FlaskClient) -> None:
    """An order that says how much a day is answered with how much a day, not a week."""
    (case,) = [case for case in CASES if case.name == "diltiazem 4000 mg per day as a ratio of 24 hours"]
    assert told(client, case)[0]["summary"].startswith("diltiazem 4 g daily: ")


def test_there_are_enough_of_them() -> None:
    """At least sixty requests, of twelve agents or more."""
    agents = {str(order["agent"]) for case in CASES for order in case.plain}
    assert len(CASES) >= 60
    assert len(agents) >= 12
    assert len({case.name for case in CASES}) == len(CASES)
