"""Cards that were read aloud as a busy prescriber would read them, and kept as they were found good.

Each file in ``golden`` holds the cards of one call as people see them. Whoever changes the words of cards reads them
again, and then writes the files anew: ``GOLDEN=write python -m pytest tests/cds_hooks/test_golden_cards.py``.
"""

import os
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from dosing_service.age import today
from tests.cds_hooks.calls import (
    ALENDRONATE,
    DILTIAZEM,
    METHOTREXATE,
    RXNORM,
    bundle,
    call,
    cards,
    daily,
    observation,
    order,
    person,
    prefetch,
    weight,
)

GOLDEN = Path(__file__).parent / "golden"
COLCHICINE = ("2683", "colchicine")
#: A girl of eight years on whatever day this is tested, 25 kg.
_EIGHT_YEARS_AGO = (today() - timedelta(days=8 * 365 + 100)).isoformat()
_CHILD = prefetch(patient=person(_EIGHT_YEARS_AGO), weight=weight(25), height=bundle(observation("8302-2", 128, "cm")))
_AS_DIRECTED = order(dosageInstruction=[{"text": "take as directed"}])
_IMMUNOGLOBULIN = {
    "resourceType": "MedicationRequest",
    "id": "order-1",
    "medicationCodeableConcept": {"text": "immune globulin intravenous"},
    "dosageInstruction": [
        {
            "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
            "route": {"coding": [{"system": "http://snomed.info/sct", "code": "47625008"}]},
            "doseAndRate": [{"doseQuantity": {"value": 140, "unit": "g"}}],
        }
    ],
}
_CONTRADICTION = {"coding": [{"system": RXNORM, "code": "3443"}], "text": "colchicine 0.6 mg tablet"}
_ALLERGY = {
    "resourceType": "AllergyIntolerance",
    "clinicalStatus": {"coding": [{"code": "active"}]},
    "code": {"coding": [{"system": RXNORM, "code": "3443", "display": "diltiazem"}]},
}
CALLS: dict[str, dict[str, Any]] = {
    "weekly-drug-ordered-daily": call(daily(ALENDRONATE, 70)),
    "methotrexate-daily": call(daily(METHOTREXATE, 15)),
    "a-zero-too-many-for-a-child": call(order(DILTIAZEM, 250), ahead=_CHILD),
    "interaction-that-kills-with-poor-kidneys": call(
        order(DILTIAZEM, 60),
        ahead=prefetch(
            medications=bundle(daily(COLCHICINE, 0.6, id="taken-1", status="active")),
            observations=bundle(observation("2160-0", 3.4, "mg/dL")),
        ),
    ),
    "total-of-a-course-each-day-by-name-only": call(_IMMUNOGLOBULIN),
    "no-weight-on-file": call(order(DILTIAZEM, 60), ahead=prefetch(weight=None)),
    "dose-in-free-text": call(_AS_DIRECTED),
    "code-and-text-contradict": call(order(medicationCodeableConcept=_CONTRADICTION)),
    "allergy": call(order(DILTIAZEM, 60), ahead=prefetch(allergies=bundle(_ALLERGY))),
    "weight-that-cannot-be": call(order(DILTIAZEM, 60), ahead=prefetch(weight=weight(544))),
}


def as_read(found: Iterable[dict[str, Any]]) -> str:
    """Return cards as a client shows them."""
    return "\n\n---\n\n".join("\n\n".join(_parts(card)) for card in found) + "\n"


def _parts(card: dict[str, Any]) -> Iterator[str]:
    yield f"# {card['indicator']}: {card['summary']}"
    yield str(card["detail"])
    for item in card.get("suggestions", []):
        yield f"Suggestion: {item['label']}"


@pytest.mark.parametrize("name", CALLS)
def test_card_reads_as_it_was_found_good(name: str, client: FlaskClient) -> None:
    """Not a word changes unread."""
    text = as_read(cards(client, CALLS[name]))
    path = GOLDEN / f"{name}.md"
    if os.environ.get("GOLDEN") == "write":
        path.write_text(text, encoding="utf-8")

    assert text == path.read_text(encoding="utf-8")


def test_every_golden_file_is_of_a_call() -> None:
    """No file is left over."""
    assert {path.stem for path in GOLDEN.iterdir()} == set(CALLS)
