"""The order as it would be without a slip, as a whole FHIR resource, where that can be said without guessing."""

from collections.abc import Mapping
from typing import Any

from dosing_service.fhir.elements import element, elements, items, number
from dosing_service.fhir.orders import ReadOrder
from dosing_service.knowledge.base import Frequency, KnowledgeBase
from dosing_service.model import CauseKind, LikelyCause, Order, OrderAssessment, OrderedDose, Per
from dosing_service.units import ORDER_UNITS, plain

#: A dose counted on pounds is not corrected here: a 2.2046th of it is no amount that anybody would order.
_BY_FACTOR = {CauseKind.TENFOLD, CauseKind.THOUSANDFOLD}
_PERIODS = {"d", "wk", "mo"}
#: The order in words, which would contradict the corrected numbers and be what people read.
_WORDS = {"text", "patientInstruction", "renderedDosageInstruction"}
#: Maxima of the order itself, of which nobody here knows what they would be.
_MAXIMA = {"maxDosePerPeriod", "maxDosePerAdministration", "maxDosePerLifetime"}
#: How much is dispensed follows from the dose.
_AMOUNTS = {"quantity", "expectedSupplyDuration", "initialFill"}
#: How releases state a dose, in ``doseAndRate`` or beside it: where two of them stand, one would keep the slip.
_DOSES = {"doseQuantity", "doseRange", "rateQuantity", "rateRange", "rateRatio", "rate"}


def corrected(
    order: ReadOrder, assessment: OrderAssessment, cause: LikelyCause, knowledge: KnowledgeBase
) -> dict[str, Any] | None:
    """Return the resource without the slip, or ``None`` where the dose is stated more than once, in a way that is not
    changed here, or the slip leaves open what was meant.
    """
    instructions = items(order.resource.get("dosageInstruction"))
    if order.reference is None or order.order is None or len(instructions) != 1 or "dosage" in order.resource:
        return None
    instruction = element(instructions[0])
    if _MAXIMA & instruction.keys() or _is_extended(instruction) or _has_gaps(order.resource):
        return None
    if not _is_only_dose(instruction, order.order):
        return None
    changed = None
    if cause.kind in _BY_FACTOR and cause.would_be.dose is not None:
        changed = _with_dose(instruction, cause.would_be.dose)
    elif cause.kind is CauseKind.DAILY_INSTEAD_OF_WEEKLY and assessment.agent is not None:
        regimen = knowledge.agents[assessment.agent].regimens[cause.would_be.regimen]
        changed = _with_frequency(instruction, order.order, regimen.frequency)
    if changed is None:
        return None
    kept = {name: item for name, item in order.resource.items() if name not in _WORDS}
    said = {name: item for name, item in changed.items() if name not in _WORDS}
    dispense = order.resource.get("dispenseRequest")
    if isinstance(dispense, dict):
        kept["dispenseRequest"] = {name: item for name, item in dispense.items() if name not in _AMOUNTS}
    resource: dict[str, Any] = pruned({**kept, "dosageInstruction": [said]})
    return resource


def _is_extended(node: Any) -> bool:
    """Tell whether an instruction has extensions anywhere: record systems state the dose in them once more."""
    if isinstance(node, dict):
        return any("xtension" in name or _is_extended(item) for name, item in node.items())
    return isinstance(node, list) and any(map(_is_extended, node))


def _has_gaps(node: Any) -> bool:
    """Tell whether a list holds null, as FHIR keeps places in two lists that belong together: no card may repeat it."""
    if isinstance(node, dict):
        return any(map(_has_gaps, node.values()))
    return isinstance(node, list) and any(item is None or _has_gaps(item) for item in node)


def _is_only_dose(instruction: Mapping[str, Any], order: Order) -> bool:
    """Tell whether one ``doseQuantity``, read as it stands, is all that an instruction says of the dose."""
    rates = items(instruction.get("doseAndRate"))
    stated = [(name, place[name]) for place in map(element, [*rates, instruction]) for name in _DOSES & place.keys()]
    if [name for name, _ in stated] != ["doseQuantity"] or len(rates) > 1 or order.dose is None:
        return False
    return bool(number(element(stated[0][1]).get("value")) == order.dose.low == order.dose.high)


def _with_dose(instruction: Mapping[str, Any], would_be: OrderedDose) -> dict[str, Any] | None:
    """Return the instruction with another dose in place of its only one."""
    if not _can_be_given(would_be):
        return None
    if "doseQuantity" in instruction:
        return _at(instruction, would_be)
    return {**instruction, "doseAndRate": [_at(rate, would_be) for rate in elements(instruction.get("doseAndRate"))]}


def _at(place: Mapping[str, Any], would_be: OrderedDose) -> dict[str, Any]:
    return {**place, "doseQuantity": {**element(place.get("doseQuantity")), "value": plain(would_be.high)}}


def _can_be_given(dose: OrderedDose) -> bool:
    """Tell whether a dose is no part of a tablet or capsule, which nobody asked for."""
    is_counted = ORDER_UNITS[dose.unit].milligrams is None and dose.unit.startswith("{")
    return not is_counted or dose.high == dose.high.to_integral_value()


def _with_frequency(instruction: Mapping[str, Any], order: Order, frequency: Frequency | None) -> dict[str, Any] | None:
    """Return the instruction at the documented frequency; a total of a day, or a dose as needed, has none to change."""
    is_each = order.dose is not None and order.dose.per is Per.ADMINISTRATION
    if not is_each or order.frequency is None or order.frequency.as_needed:
        return None
    if frequency is None or frequency.unit not in _PERIODS or frequency.on_days:
        return None
    if frequency.times_low != frequency.times_high or frequency.every_low != frequency.every_high:
        return None
    repeat = element(element(instruction.get("timing")).get("repeat"))
    bounds = {name: item for name, item in repeat.items() if name.startswith("bounds")}
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
