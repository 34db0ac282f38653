"""The patient of a request. Absent is unknown; an empty list is known to be none."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from dosing_service.age import OLDEST_YEARS, TIME_ZONES, age_on
from dosing_service.model import Age, Coding, Observation, Patient, Sex, Weight
from dosing_service.units import Measure, over, times
from schemas.fields import (
    Choice,
    Date,
    Fault,
    Flag,
    MeasuredValue,
    QuantityField,
    Strict,
    StrictNumber,
    StrictSchema,
    Text,
    at,
)

_DAYS_PER_YEAR = Decimal("365.25")
_DAYS_PER_MONTH = Decimal("30.4375")
_MONTHS_PER_YEAR = Decimal(12)
_MOST_ENTRIES = 500
#: The lightest newborn that is known to have lived weighed 212 g and was 24 cm long; the heaviest person was estimated
#: at 635 kg and the tallest was 272 cm (Guinness World Records). What lies beyond with a margin is no measurement.
_LIGHTEST_KG = "0.2"
_SHORTEST_CM = "20"
#: No pregnancy reaches a year; post-menstrual ages of infants are sent in the same field and go beyond birth.
_MOST_GESTATION_DAYS = 366

SYSTEMS = {
    "http://www.nlm.nih.gov/research/umls/rxnorm": "RxNorm",
    "http://www.whocc.no/atc": "ATC",
    "http://snomed.info/sct": "SNOMED CT",
    "http://hl7.org/fhir/sid/icd-10-cm": "ICD-10-CM",
    "http://loinc.org": "LOINC",
}


class CodingField(Strict):
    """An id of the knowledge base as a string, or ``{"system": URI, "code": "3443"}``."""

    def __init__(self, **kwargs: Any) -> None:
        text = {"type": "string", "minLength": 1, "maxLength": 200}
        coded = {
            "type": "object",
            "properties": {"system": {"type": "string", "enum": list(SYSTEMS)}, "code": text},
            "required": ["system", "code"],
            "additionalProperties": False,
        }
        super().__init__(
            f'an id, or {{"system": one of {", ".join(SYSTEMS)}, "code": "…"}}',
            openapi={"oneOf": [text, coded]},
            **kwargs,
        )
        self._system = Choice(tuple(SYSTEMS))
        self._code = Text("a code")

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Coding:
        if isinstance(value, str):
            return Coding(self._code.read(value))
        if not isinstance(value, dict) or set(value) != {"system", "code"}:
            raise self.refuse("not-a-coding", "an id, or an object with exactly system and code, is expected here")
        code, system = _deserialized("code", self._code, value["code"]), value["system"]
        return Coding(code, _deserialized("system", self._system, system))


class Entries(fields.List[Any]):
    """A list of bounded length; ``null`` and anything that is not a list are refused."""

    def __init__(self, inner: Any, **kwargs: Any) -> None:
        expected = f"a list of at most {_MOST_ENTRIES} entries; [] when there are none; leave it out when unknown"
        messages: dict[str, Any] = {
            "null": Fault("null", "null is not a value", expected),
            "invalid": Fault("not-a-list", "a JSON array is expected here", expected),
        }
        super().__init__(inner, error_messages=messages, **kwargs)
        self.openapi = {"maxItems": _MOST_ENTRIES}
        self._expected = expected

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> list[Any]:
        if isinstance(value, list) and len(value) > _MOST_ENTRIES:
            raise ValidationError(Fault("too-many", "too many entries", self._expected))  # type: ignore[arg-type]  # carried through
        return super()._deserialize(value, attr, data, **kwargs)


class ObservationField(Strict):
    """A laboratory value or vital sign by LOINC code: ``{"code", "value", "unit", "measured_on"}``."""

    def __init__(self, **kwargs: Any) -> None:
        self._fields: dict[str, Strict] = {
            "code": Text("a LOINC code", max_length=20, required=True),
            "value": StrictNumber(above="-1000000", to="1000000000", required=True),
            "unit": Text("a UCUM unit code", max_length=40, required=True),
            "measured_on": Date(),
        }
        openapi = {
            "type": "object",
            "properties": {name: dict(field.openapi) for name, field in self._fields.items()},
            "required": ["code", "value", "unit"],
            "additionalProperties": False,
        }
        super().__init__('{"code": "2160-0", "value": 0.5, "unit": "mg/dL"}', openapi=openapi, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Observation:
        if not isinstance(value, dict):
            raise self.refuse("not-an-object", "an observation is a JSON object")
        known = ", ".join(self._fields)
        for name in value:
            if name not in self._fields:
                raise at(name, self.refuse("unknown-field", "this field is not known here", f"one of: {known}"))
        loaded = {}
        for name, field in self._fields.items():
            if name in value:
                loaded[name] = _deserialized(name, field, value[name])
            elif field.required:
                raise at(name, self.refuse("missing", "this field is required", field.expected))
        return Observation(**loaded)


def _deserialized(name: str, field: Strict, value: Any) -> Any:
    try:
        return field.read(value)
    except ValidationError as error:
        raise at(name, error) from None


def _weight_field() -> QuantityField:
    extra: dict[str, Strict] = {"measured_on": Date(), "method": Choice(("measured", "estimated", "stated"))}
    return QuantityField(Measure.BODY_WEIGHT, least=_LIGHTEST_KG, to="1000", base_unit="kg", extra=extra)


def _gestational_age_field() -> QuantityField:
    """Return a field that is read so that it can be refused by name (see :func:`_refuse_gestational_age`)."""
    field = QuantityField(Measure.GESTATION, to=str(_MOST_GESTATION_DAYS), base_unit="days")
    field.openapi["description"] = "Always refused: no regimen here is documented by gestational or post-menstrual age."
    return field


class PatientSchema(StrictSchema):
    """What is known of the patient."""

    birth_date = Date()
    age = QuantityField(Measure.AGE, to=str(OLDEST_YEARS * 366), base_unit="days")
    sex = Choice(tuple(Sex))
    weight = _weight_field()
    height = QuantityField(Measure.HEIGHT, least=_SHORTEST_CM, to="300", base_unit="cm", extra={"measured_on": Date()})
    previous_weight = _weight_field()
    gestational_age = _gestational_age_field()
    pregnant = Flag()
    lactating = Flag()
    conditions = Entries(CodingField())
    allergies = Entries(CodingField())
    medications = Entries(CodingField())
    observations = Entries(ObservationField())

    @validates_schema
    def _has_one_age(self, data: Mapping[str, Any], **_: Any) -> None:
        if "birth_date" in data and "age" in data:
            fault = Fault(
                "two-ages", "birth_date and age are both given and could contradict each other", "one of them"
            )
            raise ValidationError(fault, "age")  # type: ignore[arg-type]  # carried through


def build_patient(data: Mapping[str, Any]) -> Patient:
    """Return the patient of a request; ``data`` is the loaded request with its ``patient`` and ``as_of``."""
    given = data["patient"]
    _refuse_gestational_age(given)
    _check_days(given, data.get("as_of"))
    age = age_from(given["age"]) if "age" in given else None
    if "birth_date" in given:
        age = age_on(given["birth_date"], data["as_of"])
        if age is None:
            fault = Fault(
                "impossible-birth-date",
                "the birth date lies after as_of or more than 130 years before it",
                "a date not after as_of",
            )
            raise ValidationError({"patient": {"birth_date": fault}})
    lists: dict[str, Any] = {
        name: tuple(given[name]) for name in ("conditions", "allergies", "medications", "observations") if name in given
    }
    return Patient(
        age=age,
        sex=Sex(given["sex"]) if "sex" in given else None,
        weight=build_weight(given.get("weight")),
        previous_weight=build_weight(given.get("previous_weight")),
        height_cm=given["height"].base if "height" in given else None,
        pregnant=given.get("pregnant"),
        lactating=given.get("lactating"),
        **lists,
    )


def build_weight(measured: MeasuredValue | None) -> Weight | None:
    """Return the weight of a patient, or ``None``."""
    return Weight(measured.base, measured.value, measured.unit, **measured.extra) if measured else None


def _refuse_gestational_age(given: Mapping[str, Any]) -> None:
    """Refuse a gestational age: the knowledge files cannot even state a dose by one, so it would be passed over."""
    if "gestational_age" in given:
        fault = Fault(
            "gestational-age-not-covered",
            "no regimen here is documented by gestational or post-menstrual age; use a neonatal source",
            "leave it out for a patient whose dose does not depend on it",
        )
        raise ValidationError({"patient": {"gestational_age": fault}})


def _check_days(given: Mapping[str, Any], as_of: date | None) -> None:
    """Refuse a measurement of the future, or from before birth; without a day nothing here is dated."""
    if as_of is None:
        return
    faults: dict[str, Any] = {}
    for name in ("weight", "height", "previous_weight"):
        fault = _fault_of_day(given[name].extra.get("measured_on"), given, as_of) if name in given else None
        if fault is not None:
            faults[name] = {"measured_on": fault}
    results = {
        index: {"measured_on": fault}
        for index, result in enumerate(given.get("observations", ()))
        if (fault := _fault_of_day(result.measured_on, given, as_of)) is not None
    }
    if results:
        faults["observations"] = results
    if faults:
        raise ValidationError({"patient": faults})


def _fault_of_day(day: date | None, given: Mapping[str, Any], as_of: date) -> Fault | None:
    if day is None:
        return None
    if day - as_of > TIME_ZONES:
        return Fault("future-date", "this measurement lies after as_of", "a date not after as_of (default: today)")
    if "birth_date" in given and day < given["birth_date"]:
        return Fault("before-birth", "this measurement lies before the birth date", "a date not before birth_date")
    return None


def age_from(measured: MeasuredValue) -> Age:
    """Return an age given as a quantity, exact in the unit it was given in (years also in months)."""
    value, days = measured.value, measured.base
    if measured.unit == "a":
        return Age(value, times(value, _MONTHS_PER_YEAR), days)
    if measured.unit == "mo":
        return Age(over(value, _MONTHS_PER_YEAR), value, days)
    return Age(over(days, _DAYS_PER_YEAR), over(days, _DAYS_PER_MONTH), days)
