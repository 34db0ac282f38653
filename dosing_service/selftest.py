"""Known-answer doses: requests with answers worked out by hand, run before the service calls itself ready."""

from collections.abc import Mapping
from typing import Any

from dosing_service import service
from dosing_service.errors import DosingError
from dosing_service.knowledge.base import KnowledgeBase, KnownAnswer
from dosing_service.model import Amount
from schemas.reading import dose_request


def failures(knowledge: KnowledgeBase) -> list[str]:
    """Return the sentences of the known answers that the service does not reproduce; none when all is well."""
    return [answer.sentence for answer in knowledge.known_answers if not _holds(answer, knowledge)]


def _holds(answer: KnownAnswer, knowledge: KnowledgeBase) -> bool:
    try:
        assessment = service.calculate_dose(dose_request(answer.request), knowledge)
    except DosingError:
        return False
    amounts = assessment.dose.amounts if assessment.dose else ()
    expected: Mapping[str, Any] = answer.expected
    has_amounts = all(any(_is(amount, item) for amount in amounts) for item in expected["amounts"])
    return assessment.status == expected["status"] and has_amounts


def _is(amount: Amount, wanted: Mapping[str, Any]) -> bool:
    return all(getattr(amount, name) == value for name, value in wanted.items())
