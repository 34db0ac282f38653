"""The calculation without HTTP: reading the request, the engine, writing the answer, each on one core."""

import gc
import json
from dataclasses import dataclass
from time import perf_counter
from timeit import Timer
from typing import Any

from dosing_service import knowledge, service
from dosing_service.api import strict_json
from dosing_service.api.answers import AnswerWriter
from dosing_service.knowledge import KnowledgeBase
from schemas.reading import dose_request

#: What is asked over HTTP as well: a child's dose per kg, with limits and sources that disagree.
DEFAULT = "diltiazem, 9 years, 25 kg"


def _body(agent: str, years: int, kg: int, cm: int | None = None, **more: str) -> bytes:
    patient: dict[str, Any] = {"age": {"value": years, "unit": "a"}, "weight": {"value": kg, "unit": "kg"}}
    if cm is not None:
        patient["height"] = {"value": cm, "unit": "cm"}
    return json.dumps({"agent": agent, **more, "patient": patient}).encode()


#: One request for each way through the engine: per kg, more alternatives, a divided course, body surface area.
REQUESTS = {
    DEFAULT: _body("diltiazem", 9, 25),
    "diltiazem, 50 years, 70 kg": _body("diltiazem", 50, 70),
    "ivig, 9 years, 25 kg": _body("ivig", 9, 25),
    "methotrexate per m², 9 years": _body("methotrexate", 9, 25, 128, regimen="recommendation-share-induction"),
}


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds per request: the engine alone, and each part of a request when one follows the other."""

    alone: float
    parse: float
    engine: float
    write: float


def measure(repeats: int, calls: int) -> dict[str, Cost]:
    """Return what each request costs: the best of ``repeats`` interleaved runs of ``calls`` calls.

    The best is what the code needs; whatever is above it is the rest of the machine.
    """
    known = knowledge.load()
    writer = AnswerWriter(known)
    runs = [
        {name: (_alone(body, known, calls), *_parts(body, known, writer, calls)) for name, body in REQUESTS.items()}
        for _ in range(repeats)
    ]
    return {name: Cost(*map(min, zip(*(run[name] for run in runs), strict=True))) for name in REQUESTS}


def _alone(body: bytes, known: KnowledgeBase, calls: int) -> float:
    request = dose_request(strict_json.decode(body))
    assert service.calculate_dose(request, known).dose is not None, f"{request.agent} was not computed"
    # timeit switches the garbage collector off, which no server can afford.
    return Timer(lambda: service.calculate_dose(request, known), gc.enable).timeit(calls) / calls


def _parts(body: bytes, known: KnowledgeBase, writer: AnswerWriter, calls: int) -> tuple[float, float, float]:
    """Return the mean seconds of each part; repeated by itself, a part finds the processor's caches all its own and
    looks faster than it is in a request.
    """
    parse = engine = write = 0.0
    for _ in range(calls):
        start = perf_counter()
        request = dose_request(strict_json.decode(body))
        parsed = perf_counter()
        assessment = service.calculate_dose(request, known)
        computed = perf_counter()
        writer.write(assessment)
        written = perf_counter()
        parse, engine, write = parse + parsed - start, engine + computed - parsed, write + written - computed
    return parse / calls, engine / calls, write / calls
