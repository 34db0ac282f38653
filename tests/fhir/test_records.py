"""Patients, observations, diagnoses, allergies and medications of untidy records (rules 37 to 46)."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from dosing_service.model import Coding, Observation, OrderRequest
from dosing_service.service import check_orders

_RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
_ATC = "http://www.whocc.no/atc"
_SNOMED = "http://snomed.info/sct"
_ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
_IPS = "http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips"
_UCUM = "http://unitsofmeasure.org"
_NO_TIME = {"effectiveDateTime": None}


# ---------------------------------------------------------------- orders, leniently


@pytest.mark.parametrize(
    "changes",
    [
        {"dosageInstruction": [{"doseQuantity": {"value": 60, "unit": "mg"}}]},
        {"dosageInstruction": [{"doseAndRate": {"doseQuantity": {"value": 60, "unit": "mg"}}}]},
        {"dosageInstruction": {"doseAndRate": [{"doseQuantity": {"value": 60, "unit": "mg"}}]}},
        {
            "category": {"coding": [{"code": "outpatient"}]},
            "dosageInstruction": [{"doseQuantity": {"value": 60, "unit": "mg"}}],
        },
        {"intent": None, "status": None, "dosageInstruction": [{"doseQuantity": {"value": 60, "unit": "mg"}}]},
        {"id": "x" * 190, "dosageInstruction": [{"doseQuantity": {"value": "60", "unit": "mg"}}]},
    ],
)
def test_rule_37_what_a_strict_schema_refuses_is_read(changes: dict[str, Any], ask: Any, make: Any) -> None:
    """Old places, objects for lists, missing intent, long ids, digits in a string: each is seen in real requests."""
    (read,) = ask(make.order(**changes)).orders
    assert read.order is not None
    assert read.order.dose is not None
    assert read.order.dose.low == Decimal(60)


_MEDICATION = {"resourceType": "Medication", "id": "m", "code": {"coding": [{"system": _RXNORM, "code": "3443"}]}}


@pytest.mark.parametrize(
    ("changes", "beside", "prefetch"),
    [
        ({"contained": [_MEDICATION], "medicationReference": {"reference": "#m"}}, [], None),
        ({"medicationReference": {"reference": "Medication/m"}}, [_MEDICATION], None),
        ({"medicationReference": {"reference": "https://ehr.example/fhir/Medication/m"}}, [_MEDICATION], None),
        ({"medicationReference": {"reference": "Medication/m"}}, [], {"other": _MEDICATION}),
        ({"medicationReference": {"display": "diltiazem"}}, [], None),
        ({"medicationReference": {"reference": "Medication/lost", "display": "diltiazem"}}, [], None),
        ({"medication": {"concept": {"coding": [{"system": _RXNORM, "code": "3443"}]}}}, [], None),
        ({"medication": {"reference": {"reference": "Medication/m"}}}, [_MEDICATION], None),
        ({"medicationCodeableConcept": {"text": "diltiazem"}}, [], None),
        ({"medicationCodeableConcept": "diltiazem"}, [], None),
    ],
)
def test_rule_38_the_drug_is_found_wherever_it_is_kept(
    changes: dict[str, Any], beside: list[Any], prefetch: Any, ask: Any, make: Any
) -> None:
    """Contained, in the drafts, in the prefetch, as a display alone; in the fourth release and in the fifth."""
    order = make.order(**{"medicationCodeableConcept": None, **changes})
    (read,) = ask(order, *beside, prefetch=prefetch).orders
    assert read.drug is not None
    assert read.order is not None
    assert read.order.agent == Coding("3443", _RXNORM)


def test_rule_38_a_bundled_medication_is_found_by_the_address_of_its_entry(ask: Any, make: Any) -> None:
    """``urn:uuid`` references name the entry, not the resource."""
    order = make.order(medicationCodeableConcept=None, medicationReference={"reference": "urn:uuid:9"})
    entries = [{"resource": order}, {"fullUrl": "urn:uuid:9", "resource": {**_MEDICATION, "id": None}}]
    (read,) = ask(draftOrders={"resourceType": "Bundle", "entry": entries}).orders
    assert read.order is not None


def test_rule_38_a_medication_without_a_code_is_its_only_ingredient(ask: Any, make: Any) -> None:
    """Of several ingredients none is the drug."""
    substance = {"itemCodeableConcept": make.coded("3443", _RXNORM)}
    found = []
    for ingredients in ([substance], [substance, substance]):
        inner = {"resourceType": "Medication", "id": "m", "ingredient": ingredients}
        order = make.order(medicationCodeableConcept=None, contained=[inner], medicationReference={"reference": "#m"})
        found.append(ask(order).orders[0].order is not None)
    assert found == [True, False]


def test_rule_38_a_medication_made_of_itself_ends(ask: Any, make: Any) -> None:
    """A cycle of references is followed a few steps and no further."""
    inner = {"resourceType": "Medication", "id": "m", "ingredient": [{"itemReference": {"reference": "#m"}}]}
    order = make.order(medicationCodeableConcept=None, contained=[inner], medicationReference={"reference": "#m"})
    assert ask(order).orders[0].order is None


def test_rule_39_rxnorm_by_its_object_identifier(ask: Any, make: Any) -> None:
    """Two spellings of one system."""
    order = make.order(medicationCodeableConcept=make.coded("3443", "urn:oid:2.16.840.1.113883.6.88"))
    assert ask(order).orders[0].order.agent == Coding("3443", _RXNORM)


def test_rule_46_shapes_of_the_fifth_release(ask: Any, make: Any) -> None:
    """A list of maxima, ``asNeeded`` with ``asNeededFor``, and a reference that may be a concept, all in one order."""
    dosage = {
        "asNeeded": True,
        "asNeededFor": [{"text": "pain"}],
        "timing": {"repeat": {"frequency": 1, "period": 4, "periodUnit": "h"}},
        "doseAndRate": [{"doseQuantity": make.milligrams(60)}],
        "maxDosePerPeriod": [
            {"numerator": make.milligrams(240), "denominator": {"value": 1, "code": "d"}},
            {"numerator": make.milligrams(600), "denominator": {"value": 1, "code": "wk"}},
        ],
    }
    order = make.order(
        medicationCodeableConcept=None,
        medication={"concept": make.coded("3443", _RXNORM)},
        dosageInstruction=[dosage],
    )
    frequency = ask(order).orders[0].order.frequency
    assert (frequency.times_high, frequency.every_high, frequency.unit) == (10, Decimal(1), "wk")
    assert frequency.as_needed


# ---------------------------------------------------------------- patient


def test_a_patient_is_an_age_and_a_sex(ask: Any, make: Any) -> None:
    """Born on 21 November 2016: ten years old today. An extension about birth sex is not read."""
    person = {
        "resourceType": "Patient",
        "id": "p",
        "birthDate": "2016-11-21",
        "gender": "female",
        "extension": [{"url": "x"}],
    }
    found = ask(make.order(), prefetch={"patient": person}).patient
    assert (found.age.years, found.age.days, found.sex) == (Decimal(10), Decimal(3652), "female")


@pytest.mark.parametrize("value", ["2016", "2016-11", "21.11.2016", 7, "2027-01-01", "1850-01-01", "2016-02-30"])
def test_a_birth_date_that_is_no_day_gives_no_age(value: Any, ask: Any, make: Any) -> None:
    """A year alone may be wrong by a year, which for a child is a dose; the notes say so."""
    read = ask(make.order(), prefetch={"patient": {"resourceType": "Patient", "birthDate": value}})
    assert read.patient.age is None
    assert read.known["patient"] == "known"
    assert any("the age is not known" in note for note in read.notes)


def test_an_unknown_gender_is_unknown(ask: Any, make: Any) -> None:
    """``unknown`` is a code, not a sex."""
    assert ask(make.order(), prefetch={"patient": {"resourceType": "Patient", "gender": "unknown"}}).patient.sex is None


def test_another_patient_is_not_used(ask: Any, make: Any) -> None:
    """A resource of somebody else must not lend its age."""
    read = ask(make.order(), prefetch={"patient": {"resourceType": "Patient", "id": "q", "gender": "male"}})
    assert (read.patient.sex, read.known["patient"]) == (None, "unknown")


def test_data_of_another_patient_are_not_used(ask: Any, make: Any) -> None:
    """Neither as values nor as proof that there are none."""
    other = {"subject": {"reference": "Patient/q"}, "patient": {"reference": "Patient/q"}}
    prefetch = {
        "weight": make.bundle(make.observation("29463-7", 25, "kg", **other)),
        "conditions": make.bundle({"resourceType": "Condition", "code": make.coded("45564002", _SNOMED), **other}),
        "allergies": make.bundle({"resourceType": "AllergyIntolerance", "code": {"text": "x"}, **other}),
        "medications": make.bundle({"resourceType": "MedicationRequest", "status": "active", **other}),
    }
    read = ask(make.order(), prefetch=prefetch)
    assert {read.known[name] for name in prefetch} == {"unknown"}
    assert len([note for note in read.notes if "another patient" in note]) == 4


# ---------------------------------------------------------------- weight, height, results


def _weights(make: Any, *given: tuple[Any, dict[str, Any]]) -> dict[str, Any]:
    return {"weight": make.bundle(*[make.observation("29463-7", value, "kg", **more) for value, more in given])}


@pytest.mark.parametrize(
    ("given", "kg"),
    [
        ([(20, {"effectiveDateTime": "2026-01-01"}), (25, {"effectiveDateTime": "2026-11-01"})], 25),
        ([(25, {"effectiveDateTime": "2026-11-01"}), (20, {"effectiveDateTime": "2026-01-01"})], 25),
        ([(25, {}), (99, {"status": "entered-in-error", "effectiveDateTime": "2026-11-20"})], 25),
        ([(25, {}), (99, {"status": "cancelled", "effectiveDateTime": "2026-11-20"})], 25),
        ([(25, {}), (26, {"status": "amended", "effectiveDateTime": "2026-11-20"})], 26),
        ([(25, {}), (26, {"status": "corrected", "effectiveDateTime": "2026-11-20"})], 26),
        ([(25, {}), (99, {"effectiveDateTime": "2027-11-20"})], 25),
        ([(25, {}), (99, {"effectiveDateTime": None})], 25),
        ([(25, {}), (26, {"effectiveDateTime": None, "effectivePeriod": {"end": "2026-11-19"}})], 26),
        ([(25, {}), (26, {"effectiveDateTime": None, "effectiveInstant": "2026-11-19T08:00:00Z"})], 26),
        ([(25, {}), (26, {"effectiveDateTime": None, "issued": "2026-11-19T08:00:00Z"})], 26),
        ([(25, {}), (24, {"status": "preliminary"})], 25),
        (
            [
                (25, {"effectiveDateTime": "2026-11-01T23:00:00-05:00"}),
                (26, {"effectiveDateTime": "2026-11-02T03:00:00Z"}),
            ],
            25,
        ),
    ],
)
def test_rule_42_the_latest_usable_weight_counts(given: list[Any], kg: int, ask: Any, make: Any) -> None:
    """By effective time, not by the server's order; never one of the future, cancelled or made in error."""
    assert ask(make.order(), prefetch=_weights(make, *given)).patient.weight.kg == Decimal(kg)


def test_rule_42_a_preliminary_value_is_flagged(ask: Any, make: Any) -> None:
    """It is used where there is none better."""
    read = ask(make.order(), prefetch=_weights(make, (25, {"status": "preliminary"})))
    assert (read.patient.weight.kg, read.notes) == (Decimal(25), ("a preliminary result was used",))


def test_rule_42_an_old_weight_keeps_its_day_and_is_found_to_be_old(ask: Any, make: Any, knowledge: Any) -> None:
    """How old is too old depends on the age: the rules say so, since the reading judges nothing."""
    person = {"resourceType": "Patient", "id": "p", "birthDate": "2019-01-01"}
    prefetch = {**_weights(make, (12, {"effectiveDateTime": "2021-01-01"})), "patient": person}
    read = ask(make.order(), prefetch=prefetch)
    assert read.patient.weight.measured_on == date(2021, 1, 1)
    orders = tuple(item.order for item in read.orders)
    answer = check_orders(OrderRequest(orders, read.patient, as_of=read.as_of), knowledge)
    assert "weight-stale" in {finding.id for finding in answer.findings}


def test_rule_42_a_weight_from_before_birth_is_not_used(ask: Any, make: Any) -> None:
    """One of the two days is wrong."""
    person = {"resourceType": "Patient", "id": "p", "birthDate": "2026-11-10"}
    read = ask(make.order(), prefetch={**_weights(make, (3, {})), "patient": person})
    assert read.patient.weight is None
    assert "an observation from before birth was not used" in read.notes


def test_the_weight_of_another_day_goes_along(ask: Any, make: Any) -> None:
    """A jump between the two is found by the rules."""
    given = [(25, {}), (20, {"effectiveDateTime": "2026-05-01"}), (26, {})]
    found = ask(make.order(), prefetch=_weights(make, *given)).patient
    assert (found.weight.kg, found.previous_weight.kg) == (Decimal(26), Decimal(20))


def test_only_weights_made_in_error_are_no_weight_on_file(ask: Any, make: Any) -> None:
    """The record system looked, and there is none that counts."""
    read = ask(make.order(), prefetch=_weights(make, (25, {"status": "entered-in-error"})))
    assert read.known["weight"] == "known-absent"


@pytest.mark.parametrize(
    ("value", "unit", "kg"),
    [(25, "kg", "25"), (25000, "g", "25"), (100, "[lb_av]", "45.359237"), (1600, "[oz_av]", "45.359237")],
)
def test_rule_43_units_of_a_weight(value: int, unit: str, kg: str, ask: Any, make: Any) -> None:
    """1 lb = 0.45359237 kg; 16 oz are a pound."""
    found = ask(make.order(), prefetch={"weight": make.observation("29463-7", value, unit)}).patient.weight
    assert found.kg == Decimal(kg)


def test_rule_43_a_reason_for_no_value_is_unknown(ask: Any, make: Any) -> None:
    """``dataAbsentReason`` says that nobody knows, not that there is no weight."""
    empty = make.observation("29463-7", 1, "kg", valueQuantity=None, dataAbsentReason={"text": "refused"})
    read = ask(make.order(), prefetch={"weight": make.bundle(empty)})
    assert (read.patient.weight, read.known["weight"]) == (None, "unknown")


@pytest.mark.parametrize(
    ("quantity", "kg"),
    [
        ({"value": 25, "unit": "pounds and then some", "system": _UCUM, "code": "kg"}, "25"),
        ({"value": 100, "unit": "lbs"}, "45.359237"),
        ({"value": 25, "unit": "kilograms"}, "25"),
        ({"value": 25, "unit": "Kg"}, "25"),
        ({"value": 25, "unit": "kg", "system": _UCUM, "code": "KG"}, None),
        ({"value": 25, "unit": "stone"}, None),
        ({"value": 25}, None),
        ({"value": 25, "comparator": "<", "unit": "kg"}, None),
        ({"value": 2500, "unit": "kg"}, None),
        ({"value": 0, "unit": "kg"}, None),
        ({"value": True, "unit": "kg"}, None),
        ({"value": "25", "unit": "kg"}, "25"),
        ({"value": 25, "unit": "cm", "system": _UCUM, "code": "cm"}, None),
    ],
)
def test_rule_44_the_code_counts_and_text_only_from_a_table(
    quantity: dict[str, Any], kg: str | None, ask: Any, make: Any
) -> None:
    """UCUM's code before the text beside it; a text that no table has is no unit."""
    read = ask(make.order(), prefetch={"weight": make.observation("29463-7", 1, "kg", valueQuantity=quantity)})
    found = read.patient.weight
    assert (found.kg if found else None) == (Decimal(kg) if kg else None)
    assert found is not None or (read.known["weight"] == "unknown" and read.notes)


def test_a_height_is_in_centimetres(ask: Any, make: Any) -> None:
    """50 inches are 127 cm."""
    read = ask(make.order(), prefetch={"height": make.observation("8302-2", 50, "[in_i]")})
    assert (read.patient.height_cm, read.known["height"]) == (Decimal(127), "known")
    tall = ask(make.order(), prefetch={"height": make.observation("8302-2", 5000, "cm")})
    assert (tall.patient.height_cm, tall.known["height"]) == (None, "unknown")


def test_results_are_the_latest_of_each_code(ask: Any, make: Any) -> None:
    """Potassium twice, the later one counts; a code that no rule asks about is left out."""
    given = (
        make.observation("2823-3", Decimal("4.1"), "mmol/L"),
        make.observation("2823-3", Decimal("3.5"), "mmol/L", effectiveDateTime="2025-01-01"),
        make.observation("99999-9", 1, "mg/dL"),
    )
    found = ask(make.order(), prefetch={"labs": make.bundle(*given)}).patient.observations
    assert found == (Observation("2823-3", Decimal("4.1"), "mmol/L", date(2026, 11, 1)),)


def test_creatinine_of_each_day_is_kept(ask: Any, make: Any) -> None:
    """Its rise is judged, so an earlier day stays beside the latest; of one day the latest counts."""
    given = (
        make.observation("2160-0", Decimal("0.9"), "mg/dL"),
        make.observation("2160-0", Decimal("0.5"), "mg/dL", effectiveDateTime="2025-01-01T08:00:00Z"),
        make.observation("2160-0", Decimal("0.6"), "mg/dL", effectiveDateTime="2025-01-01T09:00:00Z"),
    )
    found = ask(make.order(), prefetch={"labs": make.bundle(*given)}).patient.observations
    assert found == (
        Observation("2160-0", Decimal("0.6"), "mg/dL", date(2025, 1, 1)),
        Observation("2160-0", Decimal("0.9"), "mg/dL", date(2026, 11, 1)),
    )


def test_both_values_of_a_blood_pressure_are_read(ask: Any, make: Any) -> None:
    """They stand in the components of one observation."""
    parts = [
        {"code": make.coded(code, "http://loinc.org"), "valueQuantity": {"value": value, "unit": "mmHg"}}
        for code, value in (("8480-6", 110), ("8462-4", 70))
    ]
    panel = make.observation("85354-9", 1, "1", valueQuantity=None, component=parts)
    found = ask(make.order(), prefetch={"bp": panel}).patient.observations
    assert [(item.code, item.value, item.unit) for item in found] == [("8480-6", 110, "mmHg"), ("8462-4", 70, "mmHg")]


def test_a_result_that_is_only_a_bound_is_not_a_value(ask: Any, make: Any) -> None:
    """Below 0.2 is not 0.2."""
    bound = make.observation("2160-0", 1, "mg/dL", valueQuantity={"value": 0.2, "comparator": "<", "unit": "mg/dL"})
    read = ask(make.order(), prefetch={"labs": bound})
    assert (read.patient.observations, read.known["observations"]) == (None, "unknown")


@pytest.mark.parametrize(
    "quantity", [{"value": "high", "unit": "mg/dL"}, {"value": 1}, {"value": 1e300, "unit": "mg/dL"}]
)
def test_a_result_without_a_number_or_unit_is_not_used(quantity: dict[str, Any], ask: Any, make: Any) -> None:
    """It is told, not guessed."""
    read = ask(make.order(), prefetch={"labs": make.observation("2160-0", 1, "x", valueQuantity=quantity)})
    assert read.patient.observations is None
    assert "a result without a number or a unit was not used" in read.notes


def test_a_result_in_a_foreign_unit_goes_along_for_the_rules_to_refuse(ask: Any, make: Any) -> None:
    """The answer then names it among what was not checked."""
    read = ask(make.order(), prefetch={"labs": make.observation("2160-0", 1, "furlong")})
    assert read.patient.observations[0].unit == "furlong"
    assert "a result is in a unit that is not read here" in read.notes


# ---------------------------------------------------------------- diagnoses and allergies


def _status(clinical: str | None, verification: str | None = "confirmed") -> dict[str, Any]:
    given = {"clinicalStatus": clinical, "verificationStatus": verification}
    return {name: {"coding": [{"code": code}]} for name, code in given.items() if code}


@pytest.mark.parametrize(
    ("status", "counts"),
    [
        (_status("active"), True),
        (_status("relapse"), True),
        (_status("recurrence"), True),
        (_status(None, None), True),
        ({"clinicalStatus": "active"}, True),
        (_status("active", "provisional"), True),
        (_status("resolved"), False),
        (_status("inactive"), False),
        (_status("remission"), False),
        (_status("active", "refuted"), False),
        (_status("active", "entered-in-error"), False),
        ({"clinicalStatus": "active", "verificationStatus": "refuted"}, False),
    ],
)
def test_rule_45_only_what_is_active_and_true_counts(status: dict[str, Any], counts: bool, ask: Any, make: Any) -> None:
    """For diagnoses and allergies alike, in the shapes of the third and the fourth release."""
    prefetch = {
        "conditions": {"resourceType": "Condition", "code": make.coded("45564002", _SNOMED), **status},
        "allergies": {"resourceType": "AllergyIntolerance", "code": make.coded("3443", _RXNORM), **status},
    }
    read = ask(make.order(), prefetch=prefetch)
    assert read.patient.conditions == ((Coding("45564002", _SNOMED),) if counts else ())
    assert read.patient.allergies == ((Coding("3443", _RXNORM),) if counts else ())
    assert read.known["conditions"] == ("known" if counts else "known-absent")


@pytest.mark.parametrize(
    "code",
    [
        {"coding": [{"system": _SNOMED, "code": "716186003"}]},
        {"coding": [{"system": _SNOMED, "code": "409137002"}]},
        {"coding": [{"system": _IPS, "code": "no-known-allergies"}]},
        {"text": "No Known Allergies"},
        {"coding": [{"system": _SNOMED, "code": "429625007"}]},
    ],
)
def test_rule_45_no_known_allergy_is_an_empty_list(code: Any, ask: Any, make: Any) -> None:
    """It is not an allergy to something called so."""
    read = ask(make.order(), prefetch={"x": make.bundle({"resourceType": "AllergyIntolerance", "code": code})})
    assert (read.patient.allergies, read.known["allergies"]) == ((), "known-absent")


@pytest.mark.parametrize(
    ("name", "type_", "field", "code"),
    [
        ("allergies", "AllergyIntolerance", "code", "no-allergy-info"),
        ("conditions", "Condition", "code", "no-problem-info"),
        ("medications", "MedicationStatement", "medicationCodeableConcept", "no-medication-info"),
    ],
)
def test_no_information_is_unknown(name: str, type_: str, field: str, code: str, ask: Any, make: Any) -> None:
    """A record may say in so many words that nobody asked."""
    resource = {"resourceType": type_, "status": "active", field: make.coded(code, _IPS)}
    read = ask(make.order(), prefetch={"x": resource})
    assert (getattr(read.patient, name), read.known[name]) == (None, "unknown")


def test_no_known_problems_and_no_medication_are_empty_lists(ask: Any, make: Any) -> None:
    """The record says that somebody asked."""
    prefetch = {
        "a": {"resourceType": "Condition", "code": make.coded("no-known-problems", _IPS)},
        "b": {
            "resourceType": "MedicationStatement",
            "medicationCodeableConcept": make.coded("no-known-medications", _IPS),
        },
    }
    read = ask(make.order(), prefetch=prefetch)
    assert (read.patient.conditions, read.patient.medications) == ((), ())


def test_of_several_codes_the_known_ones_are_taken(ask: Any, make: Any) -> None:
    """A diagnosis often has a code that rules know and one that they do not."""
    codes = [{"system": _SNOMED, "code": "1"}, {"system": "urn:oid:2.16.840.1.113883.6.90", "code": "K22.0"}]
    read = ask(make.order(), prefetch={"x": {"resourceType": "Condition", "code": {"coding": codes}}})
    assert read.patient.conditions == (Coding("K22.0", _ICD10),)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ({"text": "Achalasia of the oesophagus"}, Coding("achalasia-of-oesophagus")),
        ({"text": "something else"}, Coding("something else")),
        ({"coding": [{"system": "urn:house", "code": "7"}]}, Coding("7", "urn:house")),
        ({"coding": [{"system": "urn:house", "code": "7"}, {"system": _SNOMED, "code": "1"}]}, Coding("1", _SNOMED)),
        ({}, Coding("unreadable entry")),
    ],
)
def test_a_diagnosis_that_no_rule_knows_is_kept_to_be_told(code: Any, expected: Coding, ask: Any, make: Any) -> None:
    """Dropping it would read as if the patient did not have it."""
    read = ask(make.order(), prefetch={"x": {"resourceType": "Condition", "code": code}})
    assert read.patient.conditions == (expected,)


@pytest.mark.parametrize(
    ("allergy", "expected"),
    [
        ({"code": {"text": "diltiazem"}}, Coding("3443", _RXNORM)),
        ({"code": {"coding": [{"system": _SNOMED, "code": "1"}]}}, Coding("1", _SNOMED)),
        ({"code": {"coding": [{"system": _ATC, "code": "C08DB01"}]}}, Coding("C08DB01", _ATC)),
        ({"code": {"text": "peanut"}}, Coding("peanut")),
        ({"reaction": [{"substance": {"coding": [{"system": _RXNORM, "code": "3443"}]}}]}, Coding("3443", _RXNORM)),
        ({"substance": {"coding": [{"system": _RXNORM, "code": "3443"}]}}, Coding("3443", _RXNORM)),
        ({}, Coding("unreadable entry")),
    ],
)
def test_an_allergen_is_kept_by_what_is_known_of_it(allergy: Any, expected: Coding, ask: Any, make: Any) -> None:
    """By code, by the substance that was reacted to, by name; one that nobody knows is kept to be told."""
    read = ask(make.order(), prefetch={"x": {"resourceType": "AllergyIntolerance", **allergy}})
    assert read.patient.allergies == (expected,)


# ---------------------------------------------------------------- medications


@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        ({"status": "active"}, True),
        ({"status": "ACTIVE"}, True),
        ({}, True),
        ({"status": "completed"}, False),
        ({"status": "stopped"}, False),
        ({"status": "entered-in-error"}, False),
        ({"status": "on-hold"}, False),
        ({"status": "draft"}, False),
        ({"status": "active", "intent": "proposal"}, False),
        ({"status": "active", "intent": "plan"}, True),
        ({"status": "active", "doNotPerform": True}, False),
        ({"resourceType": "MedicationStatement", "status": "active"}, True),
        ({"resourceType": "MedicationStatement", "status": "recorded"}, True),
        (
            {
                "resourceType": "MedicationUsage",
                "status": "recorded",
                "adherence": {"code": {"coding": [{"code": "not-taking"}]}},
            },
            False,
        ),
        ({"resourceType": "MedicationStatement", "status": "active", "taken": "n"}, False),
        ({"resourceType": "MedicationStatement", "status": "active", "effectivePeriod": {"end": "2026-01-01"}}, False),
        ({"resourceType": "MedicationStatement", "status": "active", "effectivePeriod": {"end": "2027-01-01"}}, True),
    ],
)
def test_rule_45_only_what_is_taken_is_medication(changes: dict[str, Any], counts: bool, ask: Any, make: Any) -> None:
    """Orders and statements of four releases; what was stopped, is on hold or is only proposed is not taken."""
    base = {"resourceType": "MedicationRequest", "id": "w", "medicationCodeableConcept": make.coded("11289", _RXNORM)}
    read = ask(make.order(), prefetch={"medications": make.bundle({**base, **changes})})
    assert read.patient.medications == ((Coding("11289", _RXNORM),) if counts else ())


def test_a_referenced_medication_of_the_list_is_resolved(ask: Any, make: Any) -> None:
    """``_include`` sends the Medication beside the order."""
    taken = {
        "resourceType": "MedicationRequest",
        "status": "active",
        "medicationReference": {"reference": "Medication/m"},
    }
    assert ask(make.order(), prefetch={"x": make.bundle(taken, _MEDICATION)}).patient.medications == (
        Coding("3443", _RXNORM),
    )


def test_an_order_does_not_stand_beside_itself_or_what_it_replaces(ask: Any, make: Any) -> None:
    """Signing again or renewing an order is no second therapy."""
    listed = [make.order(id=id_, status="active") for id_ in ("one", "old", "third")]
    order = make.order(priorPrescription={"reference": "MedicationRequest/old"})
    medications = ask(order, prefetch={"x": make.bundle(*listed)}).patient.medications
    assert medications == (Coding("3443", _RXNORM),)
    assert ask(order, prefetch={"x": make.bundle(*listed[:2])}).patient.medications == ()


@pytest.mark.parametrize(
    ("concept", "expected"),
    [
        ({"coding": [{"system": _RXNORM, "code": "99999999"}]}, Coding("99999999", _RXNORM)),
        ({"coding": [{"system": "urn:house", "code": "7", "display": "house mixture"}]}, Coding("house mixture")),
        ({"text": "warfarin"}, Coding("11289", _RXNORM)),
        ({}, Coding("unreadable entry")),
    ],
)
def test_a_medication_that_nobody_knows_is_kept_to_be_told(concept: Any, expected: Coding, ask: Any, make: Any) -> None:
    """Its interactions were not checked, and the answer has to be able to say so."""
    taken = {"resourceType": "MedicationStatement", "status": "active", "medicationCodeableConcept": concept}
    assert ask(make.order(), prefetch={"x": taken}).patient.medications == (expected,)
