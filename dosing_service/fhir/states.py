"""Whether the patient is pregnant or breast-feeding, as answers to that very question say.

Diagnoses say so, too: the rules read them. Here they only count against an answer that is older than they are.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from dosing_service.fhir import conditions
from dosing_service.fhir.bundles import is_of_another
from dosing_service.fhir.elements import codings, resource_type, unique, word
from dosing_service.fhir.moments import Moment, is_future, measured_at
from dosing_service.fhir.observations import USABLE
from dosing_service.knowledge.safety import State, Terminology
from dosing_service.model import Value
from dosing_service.systems import LOINC


class Answered(Value, frozen=True):
    """What answers say: yes, no or, without one of today, nothing."""

    pregnant: bool | None
    lactating: bool | None
    notes: tuple[str, ...]


class _Answer(Value, frozen=True):
    """One answer and when it was given.

    Of a month or year a yes may be of the last day and a no of the first, whichever of the two harms less to believe.
    """

    is_yes: bool
    at: Moment | None

    @property
    def day(self) -> date | None:
        """The day that the answer is taken as being of."""
        if self.at is None:
            return None
        return self.at.last_day if self.is_yes or self.at.day is not None else self.at.at.date()


def read(
    resources: Sequence[Mapping[str, Any]], terminology: Terminology, *, today: date, patient_id: str | None = None
) -> Answered:
    """Return the newest answer to each question, if it is not too old, and no later diagnosis speaks against it."""
    notes: list[str] = []
    found: dict[str, bool | None] = {}
    for field, state in terminology.states.items():
        name = terminology.condition_names[state.condition].lower()
        answer = _newest(list(_answers(resources, state, today, patient_id)), state, today, name, notes)
        found[field] = answer.is_yes if answer is not None else None
        if answer is None or answer.is_yes:
            continue
        days = conditions.diagnosed_on(resources, state.condition, terminology, today=today, patient_id=patient_id)
        if _is_contested(answer, days):
            found[field] = None
            notes.append(f"an answer says no to {name}, a diagnosis says yes; the diagnosis was believed")
        elif days:
            notes.append(f"a diagnosis says {name}, a later answer says no; the answer was believed")
    return Answered(found["pregnant"], found["lactating"], unique(notes))


def _answers(
    resources: Sequence[Mapping[str, Any]], state: State, today: date, patient_id: str | None
) -> Iterator[_Answer]:
    for resource in resources:
        asked = resource_type(resource) == "Observation" and (LOINC, state.question) in conditions.pairs(
            codings(resource.get("code"))
        )
        if not asked or word(resource.get("status")) not in USABLE or is_of_another(resource, patient_id):
            continue
        said = conditions.pairs(codings(resource.get("valueCodeableConcept")))
        is_yes, is_no = bool(said & state.yes), bool(said & state.no)
        at = measured_at(resource)
        if is_yes is not is_no and not (at is not None and is_future(at, today)):
            yield _Answer(is_yes, at)


def _newest(answers: Sequence[_Answer], state: State, today: date, name: str, notes: list[str]) -> _Answer | None:
    """Return the newest answer, unless it is too old; a no without a day is none."""
    newest = max(answers, key=_order, default=None)
    if newest is None:
        return None
    limit = state.yes_days if newest.is_yes else state.no_days
    is_old = (today - newest.day).days > limit if newest.day is not None else not newest.is_yes
    if is_old:
        notes.append(f"an answer on {name} has no day or is too old to be of today; it was not used")
        return None
    return newest


def _order(answer: _Answer) -> tuple[date, float, bool]:
    """Order by day and time; of one time the yes comes last, and what has none first."""
    if answer.at is None or answer.day is None:
        return date.min, 0, answer.is_yes
    return answer.day, answer.at.at.timestamp(), answer.is_yes


def _is_contested(no: _Answer, days: Sequence[date | None]) -> bool:
    """Tell whether a diagnosis is of the day of the answer or later, or of a day that nobody knows."""
    return any(day is None or no.day is None or day >= no.day for day in days)
