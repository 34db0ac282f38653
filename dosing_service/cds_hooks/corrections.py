"""The order as it would be without a slip, as a whole FHIR resource, where that can be said without guessing."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from dosing_service.fhir.orders import ReadOrder
from dosing_service.knowledge.base import Frequency, KnowledgeBase
from dosing_service.model import CauseKind, LikelyCause, OrderAssessment
from dosing_service.units import over, plain

#: A dose counted on pounds is not corrected here: a 2.2046th of it is no amount that anybody would order.
_BY_FACTOR = {CauseKind.TENFOLD, CauseKind.THOUSANDFOLD}
_PERIODS = {"d", "wk", "mo"}
#: The order in words, which would contradict the corrected numbers and be what people read.
_WORDS = {"text", "patientInstruction", "renderedDosageInstruction"}
#: Maxima of the order itself, of which nobody here knows what they would be.
_MAXIMA = {"maxDosePerPeriod", "maxDosePerAdministration", "maxDosePerLifetime"}
#: How much is dispensed follows from the dose.
_AMOUNTS = {"quantity", "expectedSupplyDuration", "initialFill"}


def corrected(
    order: ReadOrder, assessment: OrderAssessment, cause: LikelyCause, knowledge: KnowledgeBase
) -> dict[str, Any] | None:
    """Return the resource without the slip, or ``None`` where more than one dose would have to be changed, or the slip
    leaves open what was meant.
    """
    instructions = order.resource.get("dosageInstruction")
    if order.reference is None or not isinstance(instructions, list) or len(instructions) != 1:
        return None
    instruction = instructions[0]
    if not isinstance(instruction, dict) or _MAXIMA & instruction.keys() or _has_gaps(order.resource):
        return None
    changed = None
    if cause.kind in _BY_FACTOR:
        changed = _with_dose(instruction, order, cause)
    elif cause.kind is CauseKind.DAILY_INSTEAD_OF_WEEKLY and assessment.agent is not None:
        regimen = knowledge.agents[assessment.agent].regimens[cause.would_be.regimen]
        changed = _with_frequency(instruction, regimen.frequency)
    if changed is None:
        return None
    kept = {name: item for name, item in order.resource.items() if name not in _WORDS}
    said = {name: item for name, item in changed.items() if name not in _WORDS}
    dispense = order.resource.get("dispenseRequest")
    if isinstance(dispense, dict):
        kept["dispenseRequest"] = {name: item for name, item in dispense.items() if name not in _AMOUNTS}
    resource: dict[str, Any] = pruned({**kept, "dosageInstruction": [said]})
    return resource


def _has_gaps(node: Any) -> bool:
    """Tell whether a list holds null, as FHIR keeps places in two lists that belong together: no card may repeat it."""
    if isinstance(node, dict):
        return any(map(_has_gaps, node.values()))
    return isinstance(node, list) and any(item is None or _has_gaps(item) for item in node)


def _with_dose(instruction: Mapping[str, Any], order: ReadOrder, cause: LikelyCause) -> dict[str, Any] | None:
    would_be, written = cause.would_be.dose, order.order.dose if order.order else None
    rates = instruction.get("doseAndRate")
    if would_be is None or written is None or not isinstance(rates, list) or len(rates) != 1:
        return None
    rate = rates[0]
    quantity = rate.get("doseQuantity") if isinstance(rate, dict) else None
    if not isinstance(quantity, dict):
        return None
    value = quantity.get("value")
    if not isinstance(value, Decimal) or value <= 0:
        return None
    new = plain(over(value * would_be.high, written.high))
    return {**instruction, "doseAndRate": [{**rate, "doseQuantity": {**quantity, "value": new}}]}


def _with_frequency(instruction: Mapping[str, Any], frequency: Frequency | None) -> dict[str, Any] | None:
    """Return the instruction at the documented frequency."""
    if frequency is None or frequency.unit not in _PERIODS or frequency.on_days:
        return None
    if frequency.times_low != frequency.times_high or frequency.every_low != frequency.every_high:
        return None
    timing = instruction.get("timing")
    repeat = timing.get("repeat") if isinstance(timing, dict) else None
    bounds = {name: item for name, item in (repeat or {}).items() if name.startswith("bounds")}
    documented = {"frequency": frequency.times_low, "period": frequency.every_low, "periodUnit": frequency.unit}
    return {**instruction, "timing": {"repeat": {**bounds, **documented}}}


def pruned(node: Any) -> Any:
    """Return a document without null, "", [] and {} anywhere (rule 17)."""
    if isinstance(node, dict):
        items = {name: pruned(item) for name, item in node.items()}
        return {name: item for name, item in items.items() if not _is_empty(item)}
    if isinstance(node, list | tuple):
        return [item for item in map(pruned, node) if not _is_empty(item)]
    return node


def _is_empty(node: Any) -> bool:
    return node is None or (isinstance(node, str | dict | list) and not node)
