"""Answers a call: reads it, asks back for what is missing, checks the orders, and returns cards."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from urllib.parse import quote

from msgspec import structs

from dosing_service import service
from dosing_service.cds_hooks import callback
from dosing_service.cds_hooks.cards import Style, card
from dosing_service.cds_hooks.order_problems import lacking, problems
from dosing_service.cds_hooks.requests import Call
from dosing_service.cds_hooks.services import EXPECTED, Service, queries
from dosing_service.config import Settings
from dosing_service.errors import DataMissing, Problem
from dosing_service.fhir import reading
from dosing_service.fhir.bundles import bare_id
from dosing_service.fhir.reading import UNKNOWN, ReadRequest
from dosing_service.knowledge.base import KnowledgeBase
from dosing_service.model import OrderCheck, OrderRequest, Value
from dosing_service.terminology import RxNormIndex


class Desk(Value, frozen=True):
    """What is the same for every call."""

    settings: Settings
    knowledge: KnowledgeBase
    index: RxNormIndex | None


class _Judged(Value, frozen=True):
    """A call as it was read, and the judgement of its orders."""

    read: ReadRequest
    checked: OrderCheck


def answer(call: Call, of: Service, desk: Desk, *, base: str, today: date) -> dict[str, Any]:
    """Return the answer to a call of the service ``of``, with its cards; links in them begin with ``base``.

    Raises:
        DataMissing: a dose cannot be checked without data that were not sent, and there is nothing else to say.
    """
    judged = _judged(call, call.prefetch, desk, today)
    if call.authorization is not None and _is_ours(judged):
        judged = _asked_back(call, judged, desk, today)
    least = of.least(desk.settings)
    found = problems(judged.read, judged.checked, desk.knowledge, least, is_writing=of.is_writing)
    missing = lacking(judged.read, judged.checked)
    if missing and not any(problem.findings for problem in found):
        raise DataMissing(*[_missing(key) for key in missing])
    style = Style(desk.settings.cds_profile, base, call.instance)
    return {"cards": [card(problem, judged.read, desk.knowledge, style) for problem in found]}


def _judged(call: Call, prefetch: Mapping[str, Any], desk: Desk, today: date) -> _Judged:
    read = reading.read(call.context, prefetch, desk.knowledge, today=today, index=desk.index, expected=EXPECTED)
    orders = tuple([item.order for item in read.orders if item.order is not None])
    return _Judged(read, service.check_orders(OrderRequest(orders, read.patient, as_of=read.as_of), desk.knowledge))


def _is_ours(judged: _Judged) -> bool:
    """Tell whether a selected order is of a drug with documented doses: only then anything else is of interest."""
    selected = {item.order.id for item in judged.read.orders if item.order is not None and item.selected}
    return any(item.agent is not None and item.id in selected for item in judged.checked.orders)


# ---------------------------------------------------------------- what was not sent


def _asked_back(call: Call, judged: _Judged, desk: Desk, today: date) -> _Judged:
    """Return the call judged with what its FHIR server adds to it."""
    patient_id = bare_id(call.context.get("patientId"))
    missing = {key for key, state in judged.read.known.items() if state == UNKNOWN}
    if not missing or patient_id is None or call.authorization is None:
        return judged
    every = queries(desk.knowledge, quote(patient_id, safe=""))
    asked = {key: query for key, query in every.items() if EXPECTED[key] in missing}
    server, token = call.authorization.server, call.authorization.token
    fetched = callback.fetch(asked, server, token, settings=desk.settings)
    again = _judged(call, {**call.prefetch, **fetched.resources}, desk, today) if fetched.resources else judged
    notes = (*again.read.notes, *fetched.notes)
    return _Judged(structs.replace(again.read, notes=notes), again.checked)


def _missing(key: str) -> Problem:
    detail = "the dose cannot be checked without it, and it was not sent"
    return Problem(f"/prefetch/{key}", "missing", detail, "what the prefetch template asks for; null if none exists")
