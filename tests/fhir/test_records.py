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
    pressures = [("8480-6", 110, "mm[Hg]"), ("8462-4", 70, "mm[Hg]")]
    assert [(item.code, item.value, item.unit) for item in found] == pressures


@pytest.mark.parametrize(
    ("value", "bound", "number"),
    [
        ({"valueQuantity": {"value": 0.2, "comparator": "<", "unit": "mg/dL"}}, "<", "0.2"),
        ({"valueQuantity": {"value": 7, "comparator": ">=", "unit": "mg/dl"}}, ">=", "7"),
        ({"valueString": "<0.2 mg/dL"}, "<", "0.2"),
        ({"valueString": "\N{LESS-THAN OR EQUAL TO} 0.2 mg/dl"}, "<=", "0.2"),
        ({"valueString": "0.9 mg/dL"}, None, "0.9"),
    ],
)
def test_a_result_that_is_only_a_bound_is_kept_as_one(
    value: dict[str, Any], bound: str | None, number: str, ask: Any, make: Any
) -> None:
    """Below 0.2 is not 0.2, and it is something: it takes the place of what was measured before."""
    older = make.observation("17861-6", Decimal("0.9"), "mg/dL", effectiveDateTime="2024-01-01")
    newer = make.observation("17861-6", 1, "mg/dL", **{"valueQuantity": None, **value})
    read = ask(make.order(), prefetch={"labs": make.bundle(newer, older)})
    assert read.patient.observations == (Observation("17861-6", Decimal(number), "mg/dL", date(2026, 11, 1), bound),)


@pytest.mark.parametrize(
    "value",
    [
        {"valueString": "<15"},
        {"valueString": "1,2 mg/dL"},
        {"valueString": "haemolysed"},
        {"valueCodeableConcept": {"text": "high"}},
        {"valueInteger": 2},
        {"valueQuantity": {"value": 1, "comparator": "ad", "unit": "mg/dL"}},
    ],
)
def test_an_older_result_does_not_speak_for_a_newer_one_that_cannot_be_read(
    value: dict[str, Any], ask: Any, make: Any
) -> None:
    """Neither under the same code nor under another of the same analyte; a reader sees which analyte it is."""
    older = make.observation("14682-9", 80, "umol/L", effectiveDateTime="2024-01-01")
    newer = make.observation("2160-0", 1, "mg/dL", **{"valueQuantity": None, **value})
    read = ask(make.order(), prefetch={"labs": make.bundle(older, newer)})
    assert read.patient.observations is None
    assert read.notes == ("a result of creatinine in serum or plasma without a number or a unit was not used",)


def test_a_result_that_was_never_measured_leaves_the_older_one(ask: Any, make: Any) -> None:
    """No sample, no value: what was measured before is still the latest that is known."""
    older = make.observation("2160-0", Decimal("0.9"), "mg/dL", effectiveDateTime="2024-01-01")
    none = make.observation("2160-0", 1, "mg/dL", valueQuantity=None, dataAbsentReason={"text": "not performed"})
    read = ask(make.order(), prefetch={"labs": make.bundle(older, none)})
    assert [item.value for item in read.patient.observations] == [Decimal("0.9")]


@pytest.mark.parametrize(
    "quantity", [{"value": "high", "unit": "mg/dL"}, {"value": 1}, {"value": 1e300, "unit": "mg/dL"}]
)
def test_a_result_without_a_number_or_unit_is_not_used(quantity: dict[str, Any], ask: Any, make: Any) -> None:
    """It is told, not guessed."""
    read = ask(make.order(), prefetch={"labs": make.observation("2160-0", 1, "x", valueQuantity=quantity)})
    assert read.patient.observations is None
    assert "a result of creatinine in serum or plasma without a number or a unit was not used" in read.notes


def test_a_result_in_a_foreign_unit_goes_along_for_the_rules_to_refuse(ask: Any, make: Any) -> None:
    """The answer then names it among what was not checked."""
    read = ask(make.order(), prefetch={"labs": make.observation("2160-0", 1, "furlong")})
    assert read.patient.observations[0].unit == "furlong"
    told = "a result of creatinine in serum or plasma is in a unit that is not read here, and was not used"
    assert read.notes == (told,)


def test_a_result_in_a_unit_of_another_code_is_told_by_name(ask: Any, make: Any) -> None:
    """2160-0 is creatinine by mass, 460 umol/L is none: one of the two is wrong, and the reader must see the value."""
    read = ask(make.order(), prefetch={"labs": make.observation("2160-0", 460, "umol/L")})
    told = "creatinine in serum or plasma 460 umol/L was not used: its unit does not fit its code"
    assert read.notes == (told,)


@pytest.mark.parametrize(
    ("code", "quantity", "unit"),
    [
        ("2160-0", {"unit": "mg/dl", "system": _UCUM, "code": "mg/dl"}, "mg/dL"),
        ("2160-0", {"unit": "MG/DL"}, "mg/dL"),
        ("14682-9", {"unit": "\N{MICRO SIGN}mol/l"}, "umol/L"),
        ("718-7", {"unit": "g/dl"}, "g/dL"),
        ("1742-6", {"unit": "u/l"}, "U/L"),
        ("1742-6", {"unit": "U/l", "system": _UCUM, "code": "U/l"}, "U/L"),
        ("1742-6", {"unit": "[IU]/L", "system": _UCUM, "code": "[IU]/L"}, "[iU]/L"),
        ("6690-2", {"unit": "x10E3/uL"}, "10*3/uL"),
        ("6690-2", {"unit": "K/uL"}, "10*3/uL"),
        ("6690-2", {"unit": "Thousand/uL"}, "10*3/uL"),
        ("6690-2", {"unit": "10^3/uL"}, "10*3/uL"),
        ("6690-2", {"unit": "x10(3)/uL"}, "10*3/uL"),
        ("6690-2", {"unit": "x 10\N{SUPERSCRIPT THREE} / mm\N{SUPERSCRIPT THREE}"}, "10*3/uL"),
        ("6690-2", {"unit": "10^9/l", "system": _UCUM, "code": "10^9/l"}, "10*9/L"),
        ("6690-2", {"unit": "cells/mcL"}, "/uL"),
        ("98979-8", {"unit": "mL/min/1.73 m\N{SUPERSCRIPT TWO}"}, "mL/min/{1.73_m2}"),
    ],
)
def test_everyday_spellings_of_units_are_read(
    code: str, quantity: dict[str, str], unit: str, ask: Any, make: Any
) -> None:
    """UCUM knows two signs for the litre; other laboratories write for people."""
    sent = make.observation(code, 1, "x", valueQuantity={"value": 40, **quantity})
    read = ask(make.order(), prefetch={"labs": sent})
    assert ([item.unit for item in read.patient.observations], read.notes) == ([unit], ())


@pytest.mark.parametrize("unit", ["g", "10*12/L", "M/uL", "umol/dL", "mL/min/m2", "103/L", "mg/kg", "10*4/uL"])
def test_a_unit_that_only_looks_like_one_is_not_read(unit: str, ask: Any, make: Any) -> None:
    """A power or a litre more or less is another value."""
    read = ask(make.order(), prefetch={"labs": make.observation("6690-2", 4, unit)})
    assert read.notes == ("a result of leukocytes is in a unit that is not read here, and was not used",)


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
        ({"clinicalStatus": {"text": "Resolved"}}, False),
        ({"clinicalStatus": {"text": "In remission"}}, False),
        ({"clinicalStatus": {"text": "Active"}}, True),
        ({"clinicalStatus": {"text": "Chronic"}}, True),
        ({"clinicalStatus": {"coding": [{"system": "urn:house", "code": "A"}]}}, True),
        ({"clinicalStatus": {"coding": [{"system": "urn:house", "code": "R"}], "text": "Resolved"}}, False),
        ({"clinicalStatus": {"coding": [{"code": "active"}], "text": "Resolved"}}, True),
        ({"verificationStatus": {"text": "Entered in error"}}, False),
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
    ("abatement", "counts"),
    [
        ({"abatementDateTime": "2026-11-20"}, False),
        ({"abatementDateTime": "2026-11-21"}, True),
        ({"abatementDateTime": "2026-11"}, True),
        ({"abatementDateTime": "2026-10"}, False),
        ({"abatementDateTime": "2026"}, True),
        ({"abatementDateTime": "2025"}, False),
        ({"abatementPeriod": {"start": "2026-01-01", "end": "2026-02-01"}}, False),
        ({"abatementPeriod": {"start": "2026-01-01"}}, True),
        ({"abatementString": "last summer"}, False),
        ({"abatementAge": {"value": 40, "unit": "a"}}, False),
        ({"abatementBoolean": True}, False),
        ({"abatementBoolean": False}, True),
        ({"abatementDateTime": "2020-01-01", **_status("active")}, True),
    ],
)
def test_a_diagnosis_that_has_ended_does_not_count(abatement: Any, counts: bool, ask: Any, make: Any) -> None:
    """Where nothing is said of its status; an end written as a month or year includes the whole of it."""
    achalasia = {"resourceType": "Condition", "code": make.coded("45564002", _SNOMED), **abatement}
    found = ask(make.order(), prefetch={"conditions": make.bundle(achalasia)}).patient.conditions
    assert found == ((Coding("45564002", _SNOMED),) if counts else ())


@pytest.mark.parametrize("status", ["unconfirmed", "provisional", "differential"])
def test_a_diagnosis_that_is_not_confirmed_counts_and_is_said(status: str, ask: Any, make: Any) -> None:
    """Whoever reads the warning must know what it rests on; one that no rule knows warns of nothing."""
    not_confirmed = _status("active", status)
    given = [
        {"resourceType": "Condition", "code": make.coded("45564002", _SNOMED), **not_confirmed},
        {"resourceType": "Condition", "code": {"text": "Zacharias"}, **not_confirmed},
    ]
    read = ask(make.order(), prefetch={"conditions": make.bundle(*given)})
    assert read.patient.conditions == (Coding("45564002", _SNOMED), Coding("Zacharias"))
    assert read.notes == ("a diagnosis is not confirmed, and was counted: Achalasia of the oesophagus",)


_WHO = "http://hl7.org/fhir/sid/icd-10"


@pytest.mark.parametrize(
    ("system", "code", "is_known"),
    [
        (_WHO, "K22.0", True),
        (_WHO, "K220", True),
        (_ICD10, "K220", True),
        (_ICD10, "k22.0", True),
        ("urn:oid:2.16.840.1.113883.6.3", "K22.0", True),
        ("http://fhir.de/CodeSystem/bfarm/icd-10-gm", "K22.0", True),
        ("http://fhir.de/CodeSystem/dimdi/icd-10-gm", "K22.0", True),
        ("http://hl7.org/fhir/sid/icd-10-gm", "K22.0", True),
        ("http://hl7.org/fhir/sid/icd-10-uk", "K22.0", True),
        (_WHO, "I21.4", True),
        # A fifth character is of ICD-10-CM alone: Germany's E83.5x and the others are other diseases.
        (_ICD10, "E83.51", True),
        (_WHO, "E83.51", False),
        # In ICD-10-CM severe sepsis, in the others an inflammation without an infection.
        (_ICD10, "R65.2", True),
        (_WHO, "R65.2", False),
        ("http://hl7.org/fhir/sid/icd-9-cm", "530.0", False),
        (_WHO, "K2", False),
    ],
)
def test_editions_of_icd_10(system: str, code: str, is_known: bool, ask: Any, make: Any, knowledge: Any) -> None:
    """What they share is read alike; a rule that asks for it gets an answer."""
    given = {"resourceType": "Condition", "code": make.coded(code, system)}
    (coding,) = ask(make.order(), prefetch={"conditions": given}).patient.conditions
    assert bool(knowledge.terminology.value_sets(coding)) is is_known


# ---------------------------------------------------------------- pregnancy and breast-feeding


_PREGNANT, _NOT_PREGNANT, _NOT_KNOWN = "LA15173-0", "LA26683-5", "LA4489-6"


def _status_of(make: Any, answer: str, day: str | None = "2026-11-20", **changes: Any) -> dict[str, Any]:
    """The answer to "Pregnancy status" (LOINC 82810-3)."""
    said = {"valueQuantity": None, "valueCodeableConcept": make.coded(answer, "http://loinc.org")}
    return {**make.observation("82810-3", 1, "1", **said, effectiveDateTime=day), **changes}


def _pregnancy(make: Any, code: str = "77386006", system: str = _SNOMED, **changes: Any) -> dict[str, Any]:
    return {"resourceType": "Condition", "code": make.coded(code, system), **_status("active"), **changes}


@pytest.mark.parametrize(
    ("given", "expected", "why"),
    [
        ([(_PREGNANT, "2026-11-20")], True, "said yesterday"),
        ([(_NOT_PREGNANT, "2026-11-20")], False, "said yesterday"),
        ([(_NOT_KNOWN, "2026-11-20")], None, "an answer that is none"),
        ([], None, "nobody asked"),
        ([(_NOT_PREGNANT, "2026-11-01"), (_PREGNANT, "2026-11-20")], True, "the newest counts"),
        ([(_NOT_PREGNANT, "2026-11-20"), (_PREGNANT, "2026-11-01")], False, "the newest counts, not the last"),
        ([(_PREGNANT, "2026-11-20"), (_NOT_PREGNANT, "2026-11-20")], True, "of one time the yes"),
        ([(_PREGNANT, "2026-11-01"), (_NOT_KNOWN, "2026-11-20")], True, "not knowing takes nothing back"),
        ([(_PREGNANT, "2026-01-25")], True, "300 days"),
        ([(_PREGNANT, "2026-01-24")], None, "301 days: it must be over"),
        ([(_NOT_PREGNANT, "2026-10-24")], False, "28 days"),
        ([(_NOT_PREGNANT, "2026-10-23")], None, "29 days: she may be by now"),
        ([(_PREGNANT, None)], True, "without a day a yes is believed"),
        ([(_NOT_PREGNANT, None)], None, "without a day a no is not"),
        ([(_PREGNANT, "2027-01-01")], None, "of the future"),
        ([(_PREGNANT, "2026")], True, "a year: it may be of yesterday"),
        ([(_NOT_PREGNANT, "2026")], None, "a year: it may be of January"),
        ([(_NOT_PREGNANT, "2026-11")], False, "of the first at the earliest, 20 days ago"),
        ([(_NOT_PREGNANT, "2026-11-20"), (_PREGNANT, "2026-11")], True, "of a month: it may be the later"),
    ],
)
def test_pregnancy_is_what_the_newest_answer_says(
    given: list[tuple[str, str | None]], expected: bool | None, why: str, ask: Any, make: Any
) -> None:
    """LOINC 82810-3; today is 21 November 2026."""
    sent = make.bundle(*[_status_of(make, answer, day) for answer, day in given])
    assert ask(make.order(), prefetch={"observations": sent}).patient.pregnant is expected, why


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "entered-in-error"},
        {"subject": {"reference": "Patient/q"}},
        {"code": {"coding": [{"system": "urn:house", "code": "82810-3"}]}},
        {"valueCodeableConcept": {"text": "Pregnant"}},
        {
            "valueCodeableConcept": {
                "coding": [{"system": "http://loinc.org", "code": code} for code in (_PREGNANT, _NOT_PREGNANT)]
            }
        },
    ],
)
def test_an_answer_that_does_not_count(changes: Any, ask: Any, make: Any) -> None:
    """Made in error, of another patient, under a code of somebody's own, in words alone, or yes and no at once."""
    sent = make.bundle(_status_of(make, _PREGNANT, **changes))
    assert ask(make.order(), prefetch={"observations": sent}).patient.pregnant is None


def test_an_answer_in_snomed_ct(ask: Any, make: Any) -> None:
    """77386006 is pregnant, 60001007 is not."""
    found = [
        ask(
            make.order(),
            prefetch={"x": _status_of(make, "", valueCodeableConcept=make.coded(code, _SNOMED))},
        ).patient.pregnant
        for code in ("77386006", "60001007")
    ]
    assert found == [True, False]


@pytest.mark.parametrize(("answer", "expected"), [("LA29252-6", True), ("LA29253-4", False), ("LA4489-6", None)])
def test_breast_feeding_is_asked_for_in_the_same_way(answer: str, expected: bool | None, ask: Any, make: Any) -> None:
    """LOINC 63895-7."""
    said = _status_of(make, answer, code=make.coded("63895-7", "http://loinc.org"))
    patient = ask(make.order(), prefetch={"observations": make.bundle(said)}).patient
    assert (patient.lactating, patient.pregnant) == (expected, None)


@pytest.mark.parametrize(
    ("day", "answered_on", "pregnant", "believed"),
    [
        ({"recordedDate": "2026-06-01"}, "2026-11-20", False, "the answer was believed"),
        ({"recordedDate": "2026-11-21"}, "2026-11-20", None, "the diagnosis was believed"),
        ({"onsetDateTime": "2026-05-01", "recordedDate": "2026-11-20"}, "2026-11-20", None, "the diagnosis was"),
        ({"onsetDateTime": "2026-11"}, "2026-11-20", None, "the diagnosis was believed"),
        ({}, "2026-11-20", None, "the diagnosis was believed"),
    ],
)
def test_a_no_counts_against_older_diagnoses_alone(
    day: Any, answered_on: str, pregnant: bool | None, believed: str, ask: Any, make: Any
) -> None:
    """Left open, the diagnosis speaks (see the rules): a warning too many harms less than one too few."""
    prefetch = {
        "conditions": make.bundle(_pregnancy(make, **day)),
        "observations": make.bundle(_status_of(make, _NOT_PREGNANT, answered_on)),
    }
    read = ask(make.order(), prefetch=prefetch)
    assert read.patient.pregnant is pregnant
    assert read.patient.conditions == (Coding("77386006", _SNOMED),)
    assert any(believed in note for note in read.notes)


@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        ({"onsetDateTime": "2026-01-25"}, True),
        ({"onsetDateTime": "2026-01-24"}, False),
        ({"onsetDateTime": "2019"}, False),
        ({"onsetDateTime": "2019", "recordedDate": "2026-11-01"}, True),
        ({}, True),
    ],
)
def test_a_pregnancy_that_must_be_over_is_no_diagnosis_of_today(
    changes: Any, counts: bool, ask: Any, make: Any
) -> None:
    """Lists of problems keep pregnancies for years; 300 days are longer than any."""
    read = ask(make.order(), prefetch={"conditions": make.bundle(_pregnancy(make, **changes))})
    assert read.patient.conditions == ((Coding("77386006", _SNOMED),) if counts else ())
    assert read.patient.pregnant is None
    assert counts or "an active diagnosis of pregnancy is too old to be of today; it was not used" in read.notes


@pytest.mark.parametrize(
    ("code", "system", "is_pregnancy"),
    [
        ("77386006", _SNOMED, True),
        ("72892002", _SNOMED, True),
        ("Z33.1", _ICD10, True),
        ("Z34.82", _ICD10, True),
        ("Z3A.20", _ICD10, True),
        ("O09.291", _ICD10, True),
        ("Z33", _WHO, True),
        ("Z35.9", _WHO, True),
        # An abortion asked for, what follows an abortion, diabetes (also of childbed), a birth, childbed.
        ("Z33.2", _ICD10, False),
        ("O08.9", _ICD10, False),
        ("O24.430", _ICD10, False),
        ("O80", _ICD10, False),
        ("O90.3", _ICD10, False),
        # In Germany the length of a pregnancy, which is written down at its end as well.
        ("O09.3", "http://fhir.de/CodeSystem/bfarm/icd-10-gm", False),
    ],
)
def test_what_counts_as_a_pregnancy(code: str, system: str, is_pregnancy: bool, knowledge: Any) -> None:
    """Only codes that say that it goes on."""
    named = "http://hl7.org/fhir/sid/icd-10" if "icd-10-gm" in system else system
    assert ("pregnancy" in knowledge.terminology.value_sets(Coding(code, named))) is is_pregnancy


@pytest.mark.parametrize(
    "code",
    [
        {"coding": [{"system": _SNOMED, "code": "716186003"}]},
        {"coding": [{"system": _SNOMED, "code": "409137002"}]},
        {"coding": [{"system": _IPS, "code": "no-known-allergies"}]},
        {"text": "No Known Allergies"},
    ],
)
def test_rule_45_no_known_allergy_is_an_empty_list(code: Any, ask: Any, make: Any) -> None:
    """It is not an allergy to something called so."""
    read = ask(make.order(), prefetch={"x": make.bundle({"resourceType": "AllergyIntolerance", "code": code})})
    assert (read.patient.allergies, read.known["allergies"]) == ((), "known-absent")


@pytest.mark.parametrize(
    "code",
    [
        {"coding": [{"system": _SNOMED, "code": "429625007"}]},
        {"coding": [{"system": _SNOMED, "code": "428607008"}]},
        {"coding": [{"system": _IPS, "code": "no-known-food-allergies"}]},
        {"coding": [{"system": _IPS, "code": "no-known-environmental-allergies"}]},
        {"text": "No known food allergies"},
    ],
)
def test_no_allergy_to_food_says_nothing_of_drugs(code: Any, ask: Any, make: Any) -> None:
    """Alone it leaves allergies to drugs unknown, wherever it stands; beside others it changes nothing."""
    food = {"resourceType": "AllergyIntolerance", "code": code}
    drug = {"resourceType": "AllergyIntolerance", "code": make.coded("3443", _RXNORM)}
    none = {"resourceType": "AllergyIntolerance", "code": make.coded("716186003", _SNOMED)}
    found = [
        ask(make.order(), prefetch={"allergies": make.bundle(*sent)}).patient.allergies
        for sent in ([food], [food, drug], [food, none])
    ]
    assert found == [None, (Coding("3443", _RXNORM),), ()]


@pytest.mark.parametrize(
    ("name", "resource"),
    [
        ("conditions", {"resourceType": "Condition", "clinicalStatus": "resolved", "code": {"text": "influenza"}}),
        ("allergies", {"resourceType": "AllergyIntolerance", "clinicalStatus": "resolved", "code": {"text": "x"}}),
        ("medications", {"resourceType": "MedicationRequest", "status": "completed"}),
        ("observations", {"resourceType": "Observation", "code": {"text": "gait"}, "valueString": "normal"}),
    ],
)
def test_rule_44_an_empty_list_counts_only_under_its_own_key(name: str, resource: Any, ask: Any, make: Any) -> None:
    """A resolved influenza among the diagnoses of the visit does not tell that there is no diagnosis."""
    own = make.bundle(resource)
    paged = own | {"link": [{"relation": "next", "url": "https://ehr.example/2"}]}
    given = [{name: own}, {"encounterDx": own}, {name: own, "encounterDx": own}, {name: paged}]
    found = [ask(make.order(), prefetch=prefetch).known[name] for prefetch in given]
    assert found == ["known-absent", "unknown", "known-absent", "unknown"]


def test_a_weight_made_in_error_counts_only_under_its_own_key(ask: Any, make: Any) -> None:
    """Elsewhere another one may exist that nobody asked for."""
    weight = make.observation("29463-7", 25, "kg", status="entered-in-error")
    found = [ask(make.order(), prefetch={key: make.bundle(weight)}).known["weight"] for key in ("weight", "vitals")]
    assert found == ["known-absent", "unknown"]


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
        ({"code": {"text": "Penicillins"}}, Coding("373270004", _SNOMED)),
        ({"code": {"text": "Penicillin allergy"}}, Coding("373270004", _SNOMED)),
        ({"code": {"text": "Allergic reaction to cephalosporin antibiotics"}}, Coding("373262009", _SNOMED)),
        ({"code": {"coding": [{"code": "X7", "display": "SULFA DRUGS"}]}}, Coding("387406002", _SNOMED)),
        ({"code": {"text": "Beta-lactam antibiotics"}}, Coding("373297006", _SNOMED)),
        ({"code": {"text": "Allergy to bisphosphonates"}}, Coding("bisphosphonates")),
        ({"code": {"coding": [{"system": _SNOMED, "code": "91936005"}]}}, Coding("91936005", _SNOMED)),
        ({"code": {"text": "Allergy to ceftriaxone (finding)"}}, Coding("2193", _RXNORM)),
        ({"code": {"text": "ceftriaxone hypersensitivity"}}, Coding("2193", _RXNORM)),
        ({"code": {"text": "not allergic to penicillin"}}, Coding("not allergic to penicillin")),
        ({"reaction": [{"substance": {"coding": [{"system": _RXNORM, "code": "3443"}]}}]}, Coding("3443", _RXNORM)),
        ({"substance": {"coding": [{"system": _RXNORM, "code": "3443"}]}}, Coding("3443", _RXNORM)),
        ({}, Coding("unreadable entry")),
    ],
)
def test_an_allergen_is_kept_by_what_is_known_of_it(allergy: Any, expected: Coding, ask: Any, make: Any) -> None:
    """By code, by the substance that was reacted to, by name; one that nobody knows is kept to be told."""
    read = ask(make.order(), prefetch={"x": {"resourceType": "AllergyIntolerance", **allergy}})
    assert read.patient.allergies == (expected,)


def test_two_groups_of_allergens_in_one_text_are_both_kept(ask: Any, make: Any) -> None:
    """Records write several on one line."""
    sent = {"resourceType": "AllergyIntolerance", "code": {"text": "Penicillins / cephalosporins"}}
    read = ask(make.order(), prefetch={"x": sent})
    assert read.patient.allergies == (Coding("373270004", _SNOMED), Coding("373262009", _SNOMED))


@pytest.mark.parametrize("code", [{"text": "peanut"}, {"coding": [{"system": _SNOMED, "code": "1"}]}])
def test_an_allergy_that_nobody_knows_is_told(code: Any, ask: Any, make: Any) -> None:
    """A reader must see that it was not checked; a code of a known terminology is no exception."""
    read = ask(make.order(), prefetch={"x": {"resourceType": "AllergyIntolerance", "code": code}})
    assert read.notes == ("an allergy could not be recognised",)


# ---------------------------------------------------------------- medications


def _until(end: str | None) -> dict[str, Any]:
    """A dosage with the end of its period."""
    return {"timing": {"repeat": {"frequency": 1, "boundsPeriod": {"start": "2020-01-01", "end": end}}}}


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
        ({"resourceType": "MedicationStatement", "status": "active", "taken": "unk"}, True),
        ({"resourceType": "MedicationStatement", "status": "active", "effectivePeriod": {"end": "2026-01-01"}}, False),
        ({"resourceType": "MedicationStatement", "status": "active", "effectivePeriod": {"end": "2027-01-01"}}, True),
        ({"resourceType": "MedicationStatement", "status": "active", "effectivePeriod": {"end": "2026-11-21"}}, True),
        ({"resourceType": "MedicationStatement", "status": "active", "effectivePeriod": {"end": "2026-11-20"}}, False),
        ({"resourceType": "MedicationStatement", "status": "active", "effectivePeriod": {"end": "2026-11"}}, True),
        ({"resourceType": "MedicationStatement", "status": "active", "effectivePeriod": {"end": "2026-10"}}, False),
        ({"resourceType": "MedicationStatement", "status": "active", "effectivePeriod": {"end": "2026"}}, True),
        ({"resourceType": "MedicationStatement", "status": "active", "effectivePeriod": {"end": "2025"}}, False),
        ({"status": "active", "dosageInstruction": [_until("2020-06-30")]}, False),
        ({"status": "active", "dosageInstruction": [_until("2020")]}, False),
        ({"status": "active", "dosageInstruction": [_until("2026")]}, True),
        ({"status": "active", "dosageInstruction": [_until("2020-06-30"), _until("2027-06-30")]}, True),
        ({"status": "active", "dosageInstruction": [_until("2020-06-30"), {}]}, True),
        ({"status": "active", "dosageInstruction": [_until(None)]}, True),
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


@pytest.mark.parametrize("id_", ["m", None])
def test_a_medication_of_the_list_is_found_by_the_address_of_its_entry(id_: Any, ask: Any, make: Any) -> None:
    """With an id of its own or without, as among the orders."""
    taken = {
        "resourceType": "MedicationRequest",
        "status": "active",
        "medicationReference": {"reference": "urn:uuid:9"},
    }
    entries = [{"resource": taken}, {"fullUrl": "urn:uuid:9", "resource": {**_MEDICATION, "id": id_}}]
    sent = {"medications": {"resourceType": "Bundle", "entry": entries}}
    assert ask(make.order(), prefetch=sent).patient.medications == (Coding("3443", _RXNORM),)


def test_an_order_does_not_stand_beside_itself_or_what_it_replaces(ask: Any, make: Any) -> None:
    """Signing again or renewing an order is no second therapy."""
    listed = [make.order(id=id_, status="active") for id_ in ("one", "old", "third")]
    order = make.order(priorPrescription={"reference": "MedicationRequest/old"})
    medications = ask(order, prefetch={"medications": make.bundle(*listed)}).patient.medications
    assert medications == (Coding("3443", _RXNORM),)
    assert ask(order, prefetch={"medications": make.bundle(*listed[:2])}).patient.medications == ()


def test_an_id_is_one_of_its_type(ask: Any, make: Any) -> None:
    """Servers count each type by itself: statement 1 is not order 1, nor is the statement that an order replaces."""
    statement = {
        "resourceType": "MedicationStatement",
        "id": "1",
        "status": "active",
        "medicationCodeableConcept": make.coded("11289", _RXNORM),
    }
    order = make.order(id="1")
    renewal = make.order(id="2", priorPrescription={"reference": "https://ehr.example/fhir/MedicationRequest/1"})
    for given in (order, renewal):
        found = ask(given, prefetch={"medications": make.bundle(statement)}).patient.medications
        assert found == (Coding("11289", _RXNORM),)


@pytest.mark.parametrize(
    ("link", "counts"),
    [
        ({"derivedFrom": [{"reference": "MedicationRequest/old"}]}, False),
        ({"basedOn": [{"reference": "MedicationRequest/one"}]}, False),
        ({"basedOn": {"reference": "https://ehr.example/fhir/MedicationRequest/old/_history/2"}}, False),
        ({"derivedFrom": [{"reference": "MedicationRequest/other"}]}, True),
        ({"derivedFrom": [{"reference": "Observation/old"}]}, True),
        ({}, True),
    ],
)
def test_a_statement_made_of_the_order_is_the_order(link: Any, counts: bool, ask: Any, make: Any) -> None:
    """One prescription that is listed twice is no second therapy."""
    statement = {
        "resourceType": "MedicationStatement",
        "id": "s",
        "status": "active",
        "medicationCodeableConcept": make.coded("3443", _RXNORM),
        **link,
    }
    order = make.order(priorPrescription={"reference": "MedicationRequest/old"})
    found = ask(order, prefetch={"medications": make.bundle(statement)}).patient.medications
    assert found == ((Coding("3443", _RXNORM),) if counts else ())


def test_an_order_that_ran_out_is_said(ask: Any, make: Any) -> None:
    """Nobody stopped it in the record; whoever reads the card can see that it was not counted."""
    listed = make.order(id="old", status="active", dosageInstruction=[_until("2020-06-30")])
    read = ask(make.order(), prefetch={"medications": make.bundle(listed)})
    assert read.notes == ("a medication was not counted: it has ended by its dates",)


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
