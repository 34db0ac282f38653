"""The calculation without HTTP: reading the request, the engine, writing the answer, each on one core."""

import gc
import json
from collections.abc import Callable
from dataclasses import dataclass
from timeit import Timer
from typing import Any

from dosing_service import knowledge, service
from dosing_service.api import strict_json
from dosing_service.api.answers import AnswerWriter
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
    """Seconds that each part of one request takes."""

    parse: float
    engine: float
    write: float


def measure(repeats: int, calls: int) -> dict[str, Cost]:
    """Return what each request costs: the best of ``repeats`` interleaved runs of ``calls`` calls.

    The best is what the code needs; whatever is above it is the rest of the machine.
    """
    known = knowledge.load()
    writer = AnswerWriter(known)
    parts = {name: _parts(body, known, writer) for name, body in REQUESTS.items()}
    runs = [
        {name: [timer.timeit(calls) / calls for timer in timers] for name, timers in parts.items()}
        for _ in range(repeats)
    ]
    return {name: Cost(*map(min, zip(*(run[name] for run in runs), strict=True))) for name in parts}


def _parts(body: bytes, known: knowledge.KnowledgeBase, writer: AnswerWriter) -> list[Timer]:
    request = dose_request(strict_json.decode(body))
    assessment = service.calculate_dose(request, known)
    assert assessment.dose is not None, f"{request.agent} was not computed"
    parts: list[Callable[[], object]] = [
        lambda: dose_request(strict_json.decode(body)),
        lambda: service.calculate_dose(request, known),
        lambda: writer.write(assessment),
    ]
    # timeit switches the garbage collector off, which no server can afford.
    return [Timer(part, gc.enable) for part in parts]
