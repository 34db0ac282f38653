"""The calculation without HTTP: reading the request, the engine, writing the answer, each on one core."""

import gc
import json
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from timeit import Timer
from typing import Any

from dosing_service import knowledge, service
from dosing_service.api.answers import AnswerWriter
from dosing_service.api.order_checks import OrderCheckWriter
from dosing_service.http import strict_json
from dosing_service.knowledge import KnowledgeBase
from schemas.reading import dose_request, order_request

DOSES = "/v1/dose-calculations"
ORDERS = "/v1/order-checks"

#: What is asked over HTTP as well: a child's dose per kg, with limits and sources that disagree.
DEFAULT = "diltiazem, 9 years, 25 kg"
#: The same drug for a patient of whom much is known.
CLINIC = "diltiazem, 10 diagnoses, 12 drugs, 15 results"
#: Three orders for the same patient, one of them given too often.
CHECK = "3 orders, 10 diagnoses, 12 drugs, 15 results"
#: The least assessments per second that are aimed at.
AIMS = {CLINIC: 5_000}


@dataclass(frozen=True, slots=True)
class Request:
    """A body and where it is sent."""

    path: str
    body: bytes


def _dose(agent: str, years: int, kg: int, cm: int | None = None, **more: str) -> Request:
    patient: dict[str, Any] = {"age": {"value": years, "unit": "a"}, "weight": {"value": kg, "unit": "kg"}}
    if cm is not None:
        patient["height"] = {"value": cm, "unit": "cm"}
    return Request(DOSES, json.dumps({"agent": agent, **more, "patient": patient}).encode())


def _clinic_patient() -> dict[str, Any]:
    """Return what a clinic knows of a patient: 10 diagnoses, 12 drugs, 15 results."""
    icd10, rxnorm = "http://hl7.org/fhir/sid/icd-10-cm", "http://www.nlm.nih.gov/research/umls/rxnorm"
    diagnoses = ("M34.1", "K22.4", "I10", "E11.9", "M81.0", "I73.0", "J84.1", "K21.9", "N18.4", "L94.2")
    drugs = (
        *("1364430", "36567", "6809", "2551", "8640", "6851"),
        *("1191", "5640", "7646", "435", "10582", "4603"),
    )
    results = (
        *(("2160-0", 1.9, "mg/dL"), ("17861-6", 9.2, "mg/dL"), ("2823-3", 4.5, "mmol/L"), ("2951-2", 140, "mmol/L")),
        *(("1742-6", 22, "U/L"), ("1920-8", 25, "U/L"), ("6768-6", 70, "U/L"), ("718-7", 12.5, "g/dL")),
        *(("777-3", 220, "10*3/uL"), ("6690-2", 6.5, "10*3/uL"), ("8867-4", 72, "/min"), ("8480-6", 128, "mm[Hg]")),
        *(("10230-1", 60, "%"), ("2777-1", 3.4, "mg/dL"), ("6301-6", 1.1, "{INR}")),
    )
    return {
        "age": {"value": 62, "unit": "a"},
        "sex": "female",
        "weight": {"value": 70, "unit": "kg"},
        "height": {"value": 165, "unit": "cm"},
        "pregnant": False,
        "lactating": False,
        "conditions": [{"system": icd10, "code": code} for code in diagnoses],
        "allergies": [],
        "medications": [{"system": rxnorm, "code": code} for code in drugs],
        "observations": [
            {"code": code, "value": value, "unit": unit, "measured_on": "2026-11-10"} for code, value, unit in results
        ],
    }


def _clinic() -> Request:
    body = {"agent": "diltiazem", "as_of": "2026-11-21", "patient": _clinic_patient()}
    return Request(DOSES, json.dumps(body).encode())


def _check() -> Request:
    """Return three orders: one in range, one weekly drug, one weekly drug ordered daily."""
    times = {"diltiazem": (60, 3, "d"), "methotrexate": (15, 1, "wk"), "alendronate": (70, 1, "d")}
    orders = [
        {
            "id": agent,
            "agent": agent,
            "dose": {"value": dose, "unit": "mg"},
            "frequency": {"times": number, "every": {"value": 1, "unit": unit}},
            "route": "oral",
        }
        for agent, (dose, number, unit) in times.items()
    ]
    return Request(ORDERS, json.dumps({"orders": orders, "as_of": "2026-11-21", "patient": _clinic_patient()}).encode())


#: One request for each way through the engine: per kg, more alternatives, a divided course, body surface area.
REQUESTS = {
    DEFAULT: _dose("diltiazem", 9, 25),
    "diltiazem, 50 years, 70 kg": _dose("diltiazem", 50, 70),
    "ivig, 9 years, 25 kg": _dose("ivig", 9, 25),
    CLINIC: _clinic(),
    "methotrexate per m², 9 years": _dose("methotrexate", 9, 25, 128, regimen="recommendation-share-induction"),
    CHECK: _check(),
}


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds per request: the engine alone, and each part of a request when one follows the other."""

    alone: float
    parse: float
    engine: float
    write: float


@dataclass(frozen=True, slots=True)
class _Steps:
    """What one resource does with a request."""

    read: Callable[[Any], Any]
    work_out: Callable[[Any, KnowledgeBase], Any]
    write: Callable[[Any], bytes]


def measure(repeats: int, calls: int) -> dict[str, Cost]:
    """Return what each request costs: the best of ``repeats`` interleaved runs of ``calls`` calls.

    The best is what the code needs; whatever is above it is the rest of the machine.
    """
    known = knowledge.load()
    steps = {
        DOSES: _Steps(dose_request, service.calculate_dose, AnswerWriter(known).write),
        ORDERS: _Steps(order_request, service.check_orders, OrderCheckWriter(known).write),
    }
    runs = [
        {
            name: (
                _alone(request.body, known, steps[request.path], calls),
                *_parts(request.body, known, steps[request.path], calls),
            )
            for name, request in REQUESTS.items()
        }
        for _ in range(repeats)
    ]
    return {name: Cost(*map(min, zip(*(run[name] for run in runs), strict=True))) for name in REQUESTS}


def _alone(body: bytes, known: KnowledgeBase, steps: _Steps, calls: int) -> float:
    request = steps.read(strict_json.decode(body))
    # timeit switches the garbage collector off, which no server can afford.
    return Timer(lambda: steps.work_out(request, known), gc.enable).timeit(calls) / calls


def _parts(body: bytes, known: KnowledgeBase, steps: _Steps, calls: int) -> tuple[float, float, float]:
    """Return the mean seconds of each part; repeated by itself, a part finds the processor's caches all its own and
    looks faster than it is in a request.
    """
    parse = engine = write = 0.0
    for _ in range(calls):
        start = perf_counter()
        request = steps.read(strict_json.decode(body))
        parsed = perf_counter()
        assessment = steps.work_out(request, known)
        computed = perf_counter()
        steps.write(assessment)
        written = perf_counter()
        parse, engine, write = parse + parsed - start, engine + computed - parsed, write + written - computed
    return parse / calls, engine / calls, write / calls
