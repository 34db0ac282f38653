"""Results of which only a limit is known, and results that cannot be read: what they settle and what they leave open.

The answers were written down from the meaning of the signs, apart from the code.
"""

from datetime import date
from decimal import Decimal

import pytest

from dosing_service.knowledge.base import KnowledgeBase
from dosing_service.knowledge.ranges import Range
from dosing_service.model import Observation, Patient
from dosing_service.rules.facts import Facts, Result

_GFR = "98979-8"
_UNIT = "mL/min/{1.73_m2}"
_EARLIER, _LATER = date(2024, 1, 1), date(2026, 11, 20)


@pytest.mark.parametrize(
    ("bound", "value", "start", "end", "expected", "why"),
    [
        (None, 15, None, "30)", True, "15 is below 30"),
        ("<", 15, None, "30)", True, "whatever is below 15 is below 30"),
        ("<", 30, None, "30)", True, "below 30 is below 30"),
        ("<=", 30, None, "30)", None, "it may be 30"),
        ("<", 90, None, "30)", None, "it may be 60"),
        (">", 60, None, "30)", False, "whatever is above 60 is not below 30"),
        (">", 60, None, "90)", None, "it may be 70 or 100"),
        (">=", 30, None, "30)", False, "30 and more is not below 30"),
        (">", 60, "60)", None, True, "above 60 is above 60"),
        (">=", 60, "60)", None, None, "it may be 60"),
        (">=", 60, "60]", None, True, "60 and more is from 60"),
        ("<", 60, "60]", None, False, "below 60 is not from 60"),
        ("<", 15, "30]", "60)", False, "below both"),
        ("<", 45, "30]", "60)", None, "it may be 40 or 20"),
        (">", 30, "30]", "60)", None, "it may be 40 or 80"),
    ],
)
def test_a_bound_answers_where_every_value_beyond_it_would(
    bound: str | None, value: int, start: str | None, end: str | None, expected: bool | None, why: str
) -> None:
    """A bracket includes the bound of the range, a parenthesis does not."""
    asked = Range(_UNIT, _limit(start), _includes(start), _limit(end), _includes(end))
    result = Result("path", Decimal(value), Observation(_GFR, Decimal(value), _UNIT, bound=bound))
    assert result.is_in(asked) is expected, why


def _limit(written: str | None) -> Decimal | None:
    return Decimal(written[:-1]) if written else None


def _includes(written: str | None) -> bool:
    return written is not None and written.endswith("]")


def test_an_older_number_does_not_speak_for_a_newer_bound(knowledge: KnowledgeBase) -> None:
    """80 of 2024 is over when below 15 was found since."""
    old = Observation(_GFR, Decimal(80), _UNIT, _EARLIER)
    new = Observation(_GFR, Decimal(15), _UNIT, _LATER, "<")
    facts = Facts(Patient(observations=(old, new)), knowledge.terminology)

    assert "egfr" not in facts.results
    assert facts.bounds["egfr"].observation is new
    assert facts.clearance("egfr") is None


@pytest.mark.parametrize(
    ("days", "is_used", "why"),
    [
        ((_EARLIER, _LATER), False, "what came later cannot be read"),
        ((_LATER, _EARLIER), True, "what cannot be read is older"),
        ((_LATER, _LATER), True, "of one day, and this one can be read"),
        ((None, _LATER), True, "nobody knows which of the two is older"),
        ((_EARLIER, None), True, "nobody knows which of the two is older"),
    ],
)
def test_an_older_result_does_not_speak_for_a_newer_one_that_cannot_be_read(
    days: tuple[date | None, date | None], is_used: bool, why: str, knowledge: KnowledgeBase
) -> None:
    """Creatinine by another code, in a unit that is none of its own."""
    readable = Observation("14682-9", Decimal(80), "umol/L", days[0])
    unreadable = Observation("2160-0", Decimal(460), "umol/L", days[1])
    facts = Facts(Patient(observations=(readable, unreadable)), knowledge.terminology)

    assert ("creatinine" in facts.results) is is_used, why
    assert facts.unreadable == ("patient.observations[1]",)
