"""The services that are offered: one for each hook, with the prefetch that any client can fill.

The templates use nothing but ``{{context.patientId}}`` and no parameter twice, which is what every client understands.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from dosing_service.config import Settings
from dosing_service.knowledge.base import KnowledgeBase
from dosing_service.model import Severity, Value
from dosing_service.systems import LOINC

_WEIGHT = ("29463-7", "3141-9")
_HEIGHT = ("8302-2",)
#: What each key of the prefetch holds. Nulls under all keys of a datum say that there is none.
EXPECTED: Mapping[str, str] = {
    "patient": "patient",
    "weight": "weight",
    "height": "height",
    "observations": "observations",
    "conditions": "conditions",
    "allergies": "allergies",
    "medications": "medications",
    "statements": "medications",
}


class Service(Value, frozen=True):
    """One service: its id, the hook it answers, and what it is for."""

    id: str
    hook: str
    title: str
    description: str

    @property
    def is_writing(self) -> bool:
        """Whether the orders are still being written, so that parts of them may be missing."""
        return self.hook != "order-sign"

    def least(self, settings: Settings) -> Severity:
        """Return the least severity that makes a card."""
        return settings.cds_least_severity_order_select if self.is_writing else settings.cds_least_severity_order_sign


SERVICES = {
    service.id: service
    for service in (
        Service(
            "calcinosis-order-select",
            "order-select",
            "Doses for calcinosis cutis: orders being selected",
            "Checks selected medication orders against documented doses, the patient and the other orders.",
        ),
        Service(
            "calcinosis-order-sign",
            "order-sign",
            "Doses for calcinosis cutis: orders about to be signed",
            "Checks medication orders that are about to be signed against documented doses and the patient.",
        ),
        Service(
            "calcinosis-medication-prescribe",
            "medication-prescribe",
            "Doses for calcinosis cutis: older clients",
            "The same as order-select, for clients that still send the deprecated hook.",
        ),
    )
}


@cache
def discovery(knowledge: KnowledgeBase) -> dict[str, Any]:
    """Return the body of ``GET /cds-services``."""
    prefetch = queries(knowledge, "{{context.patientId}}")
    return {
        "services": [
            {
                "hook": item.hook,
                "title": item.title,
                "description": item.description,
                "id": item.id,
                "prefetch": prefetch,
                "usageRequirements": "Decision support for professionals, not clinically approved.",
            }
            for item in SERVICES.values()
        ]
    }


def queries(knowledge: KnowledgeBase, patient: str) -> dict[str, str]:
    """Return the prefetch queries for ``patient`` (an id, or its template) by key: nothing that cannot be read here."""
    terminology = knowledge.terminology
    asked = {code for analyte in terminology.analytes.values() for code in analyte.units}
    asked |= {state.question for state in terminology.states.values()}
    results = sorted(asked - {*_WEIGHT, *_HEIGHT})
    return {
        "patient": f"Patient/{patient}",
        "weight": _observations(patient, _WEIGHT, 3),
        "height": _observations(patient, _HEIGHT, 1),
        "observations": _observations(patient, tuple(results), 100),
        "conditions": f"Condition?patient={patient}&clinical-status=active",
        "allergies": f"AllergyIntolerance?patient={patient}",
        "medications": f"MedicationRequest?patient={patient}&status=active",
        "statements": f"MedicationStatement?patient={patient}&status=active",
    }


def _observations(patient: str, codes: tuple[str, ...], count: int) -> str:
    listed = ",".join(f"{LOINC}|{code}" for code in codes)
    return f"Observation?patient={patient}&code={listed}&_sort=-date&_count={count}"
