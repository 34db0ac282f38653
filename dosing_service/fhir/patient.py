"""The patient of a record: age on a day, and sex as formulas need it."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from dosing_service.age import age_on
from dosing_service.fhir.bundles import bare_id
from dosing_service.fhir.elements import resource_type, word
from dosing_service.fhir.moments import moment
from dosing_service.model import Age, Sex, Value

_SEXES = {"female": Sex.FEMALE, "male": Sex.MALE, "other": Sex.OTHER}


class Person(Value, frozen=True):
    """What a Patient resource says that a dose needs."""

    born: date | None = None
    age: Age | None = None
    sex: Sex | None = None
    is_known: bool = False
    notes: tuple[str, ...] = ()


def read(resources: Sequence[Mapping[str, Any]], patient_id: str | None, today: date) -> Person:
    """Return the patient that the request is about; a resource of somebody else is not used."""
    people = [resource for resource in resources if resource_type(resource) == "Patient"]
    own = [person for person in people if _is_same(person, patient_id)]
    if not own:
        notes = ("a patient resource of another patient was not used",) if people else ()
        return Person(notes=notes)
    return _person(own[0], today)


def _is_same(person: Mapping[str, Any], patient_id: str | None) -> bool:
    own = bare_id(person.get("id"))
    return own is None or patient_id is None or own == patient_id


def _person(resource: Mapping[str, Any], today: date) -> Person:
    gender = (word(resource.get("gender")) or "").lower()
    sex = _SEXES.get(gender)
    given = resource.get("birthDate")
    born = moment(given)
    if born is None or born.day is None:
        why = "the birth date is not a whole date; the age is not known" if given is not None else ""
        return Person(sex=sex, is_known=True, notes=(why,) if why else ())
    age = age_on(born.day, today)
    if age is None:
        note = "the birth date lies in the future or too far back; the age is not known"
        return Person(sex=sex, is_known=True, notes=(note,))
    return Person(born.day, age, sex, is_known=True)
