"""What a request holds: orders, selections, prefetch values in all their forms (rules 8 to 14, pitfalls P1 to P9)."""

from decimal import Decimal
from typing import Any

import pytest

_EMPTY = {"resourceType": "Bundle", "type": "searchset", "total": 0, "entry": []}
_NO_RESULTS = {
    "resourceType": "OperationOutcome",
    "issue": [
        {"severity": "warning", "code": "processing", "details": {"text": "Resource request returns no results."}}
    ],
}
_FAILED = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}


def _outcome_entry(outcome: dict[str, Any], *beside: dict[str, Any]) -> dict[str, Any]:
    entries = [{"resource": outcome, "search": {"mode": "outcome"}}, *[{"resource": item} for item in beside]]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(beside), "entry": entries}


# ---------------------------------------------------------------- orders and selections


def test_rule_8_every_draft_is_read_and_the_selected_ones_are_marked(ask: Any, make: Any) -> None:
    """All unsigned orders are context; ``selections`` says which the user has just chosen."""
    read = ask(make.order(), make.order(id="two"), selections=["MedicationRequest/two"])
    assert [(item.reference, item.selected) for item in read.orders] == [
        ("MedicationRequest/one", False),
        ("MedicationRequest/two", True),
    ]


def test_rule_8_an_order_may_lack_its_details(ask: Any, make: Any) -> None:
    """At order-select dose, route and frequency may not be there yet: unknown, not an error."""
    (read,) = ask(make.order(dosageInstruction=None)).orders
    assert read.order is not None
    assert (read.order.dose, read.order.frequency, read.order.route) == (None, None, None)
    assert "the order has no dosage instruction" in read.unread


def test_rule_9_without_selections_every_order_is_meant_whatever_its_status(ask: Any, make: Any) -> None:
    """At order-sign there are no selections, and an order that is signed again is no draft."""
    read = ask(make.order(status="active"), make.order(id="two", status="completed"))
    assert [item.selected and item.order is not None for item in read.orders] == [True, True]


def test_rule_10_the_older_hook_has_its_orders_under_medications(ask: Any, make: Any) -> None:
    """``medication-prescribe`` is read as order-select with everything selected."""
    read = ask(draftOrders=None, medications=make.bundle(make.order()))
    assert [(item.path, item.selected) for item in read.orders] == [("medications.entry[0]", True)]


def test_rule_11_unknown_keys_are_ignored(ask: Any, make: Any) -> None:
    """Whatever else a context or prefetch holds changes nothing."""
    plain = ask(make.order(), prefetch={})
    beside = ask(make.order(), prefetch={"item2": None, "extra": {"a": [1]}}, applyCql=True, user=None)
    assert (plain.patient, plain.orders, plain.known) == (beside.patient, beside.orders, beside.known)


@pytest.mark.parametrize("value", ["one", "MedicationRequest/one", "https://ehr.example/fhir/MedicationRequest/one"])
def test_rule_40_a_selection_may_be_a_reference_an_address_or_an_id(value: str, ask: Any, make: Any) -> None:
    """All three name the same order."""
    read = ask(make.order(), make.order(id="two"), selections=[value])
    assert [item.selected for item in read.orders] == [True, False]


def test_rule_40_a_selection_may_be_the_address_of_an_entry(ask: Any, make: Any) -> None:
    """An order without an id of its own has the address of its entry."""
    entry = {"fullUrl": "urn:uuid:77", "resource": make.order(id=None)}
    read = ask(
        draftOrders={"resourceType": "Bundle", "entry": [entry, {"resource": make.order()}]}, selections=["urn:uuid:77"]
    )
    assert [item.selected for item in read.orders] == [True, False]


def test_rule_40_an_order_without_an_id_is_checked_and_has_no_reference(ask: Any, make: Any) -> None:
    """It is judged under the place where it stands, and nothing can be offered that would change it."""
    (read,) = ask(make.order(id=None)).orders
    assert read.reference is None
    assert read.order is not None
    assert (read.order.id, read.order.dose is not None) == ("draftOrders.entry[0]", True)


def test_rule_40_two_orders_with_one_id_stay_two(ask: Any, make: Any) -> None:
    """Ids are opaque; the orders of the answer must be told apart all the same. Only the same order twice is one."""
    ids = [item.order.id for item in ask(make.order(), make.order(priority="stat"), make.order(id=None)).orders]
    assert len(set(ids)) == 3


def test_selections_that_name_nothing_here_select_everything(ask: Any, make: Any) -> None:
    """Better a card too many than none; the notes say so."""
    read = ask(make.order(), selections=["MedicationRequest/other"])
    assert read.orders[0].selected
    assert any("selected orders are not among" in note for note in read.notes)


def test_selecting_another_kind_of_order_selects_no_drug(ask: Any, make: Any) -> None:
    """Who orders a laboratory test is not asked about the drugs beside it."""
    test = {"resourceType": "ServiceRequest", "id": "lab"}
    read = ask(make.order(), test, selections=["ServiceRequest/lab"])
    assert [item.selected for item in read.orders] == [False]


def test_rule_41_the_patient_may_be_named_with_its_type(ask: Any, make: Any) -> None:
    """``Patient/p`` and ``p`` are the same patient."""
    person = {"resourceType": "Patient", "id": "p", "gender": "female"}
    for value in ("p", "Patient/p", "https://ehr.example/fhir/Patient/p"):
        assert ask(make.order(), prefetch={"patient": person}, patientId=value).known["patient"] == "known"


def test_p1_ids_have_no_length(ask: Any, make: Any) -> None:
    """Record systems send ids of 190 characters where the standard allows 64."""
    id_ = "e" * 190
    read = ask(make.order(id=id_), selections=[f"MedicationRequest/{id_}"])
    assert (read.orders[0].reference, read.orders[0].selected) == (f"MedicationRequest/{id_}", True)


def test_p2_no_prefetch_is_no_error(ask: Any, make: Any) -> None:
    """Everything is unknown, and the order is read."""
    read = ask(make.order(), prefetch=None)
    assert set(read.known.values()) == {"unknown"}
    assert read.orders[0].order is not None


def test_drafts_that_are_no_drugs_are_left_out(ask: Any, make: Any) -> None:
    """A referral is no order of a drug."""
    assert ask({"resourceType": "ServiceRequest", "id": "s"}, make.order()).orders[0].path == "draftOrders.entry[1]"


@pytest.mark.parametrize("entry", [None, 7, "x", [], {}, {"resource": None}, {"resource": "x"}, {"resource": {}}])
def test_a_draft_that_cannot_be_read_is_said_to_be_one(entry: Any, ask: Any, make: Any) -> None:
    """Whatever stood there may have been the order that matters; null alone is nothing."""
    unread = ask(draftOrders={"resourceType": "Bundle", "entry": [entry, {"resource": make.order()}]}).orders[:-1]
    assert [order.unread for order in unread] == (
        [] if entry is None else [("the entry holds no resource that can be read",)]
    )


@pytest.mark.parametrize("selections", [None, ["MedicationRequest/one"], ["one"]])
def test_a_draft_without_a_type_is_read_as_an_order(selections: Any, ask: Any, make: Any) -> None:
    """It is judged like any other, is chosen by its id, and says so; no suggestion may change it."""
    (read,) = ask(make.order(resourceType=None), selections=selections).orders
    assert (read.order is not None, read.selected, read.reference) == (True, True, None)
    assert "the resource does not say of which type it is; it was read as an order of a drug" in read.unread


def test_drafts_may_come_as_a_bare_list_or_a_single_resource(ask: Any, make: Any) -> None:
    """A bundle is what the standard asks for, not what everybody sends."""
    assert ask(draftOrders=[make.order()]).orders[0].path == "draftOrders[0]"
    assert ask(draftOrders=make.order()).orders[0].path == "draftOrders"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"status": "entered-in-error"}, "entered in error"),
        ({"status": "cancelled"}, "cancelled"),
        ({"status": "stopped"}, "stopped"),
        ({"doNotPerform": True}, "not to be given"),
    ],
)
def test_an_order_that_is_off_is_not_checked(changes: dict[str, Any], why: str, ask: Any, make: Any) -> None:
    """It is listed with the reason."""
    (read,) = ask(make.order(**changes)).orders
    assert read.order is None
    assert why in read.unread[0]


def test_an_unrecognised_drug_is_said_to_be_one(ask: Any, make: Any) -> None:
    """The other orders are read all the same."""
    read = ask(make.order(id="x", medicationCodeableConcept={"text": "a drug of nobody"}), make.order())
    assert [item.order is None for item in read.orders] == [True, False]
    assert "the drug of the order was not recognised" in read.orders[0].unread


def test_an_order_for_somebody_else_says_so(ask: Any, make: Any) -> None:
    """The request's patient is the one whose data are at hand."""
    (read,) = ask(make.order(subject={"reference": "Patient/other"})).orders
    assert "the order names another patient than the request" in read.unread


def test_orders_beyond_the_bound_are_not_read(ask: Any, make: Any) -> None:
    """A thousand orders are an attack or a mistake; one more, unread, stands for all that were left."""
    read = ask(*[make.order(id=str(number)) for number in range(300)])
    assert [order.order is not None for order in read.orders] == [*[True] * 200, False]
    assert read.orders[200].unread == ("only the first 200 orders were read",)
    assert "only the first 200 orders were read" in read.notes


# ---------------------------------------------------------------- prefetch


@pytest.mark.parametrize("value", [None, _EMPTY, _outcome_entry(_NO_RESULTS), []])
@pytest.mark.parametrize("datum", ["weight", "height", "conditions", "allergies", "medications", "observations"])
def test_rule_12_nothing_found_is_known_to_be_absent(datum: str, value: Any, ask: Any, make: Any) -> None:
    """Null, an empty bundle and a bundle with nothing but a notice all say that the record system found nothing."""
    read = ask(make.order(), prefetch={datum: value})
    assert read.known[datum] == "known-absent"
    if datum not in {"weight", "height"}:
        assert getattr(read.patient, datum) == ()


@pytest.mark.parametrize("datum", ["weight", "conditions", "allergies", "medications", "observations"])
def test_rule_12_an_absent_key_is_unknown(datum: str, ask: Any, make: Any) -> None:
    """The client did not or could not supply it."""
    assert ask(make.order(), prefetch={}).known[datum] == "unknown"


@pytest.mark.parametrize(
    "value", [_FAILED, _outcome_entry(_FAILED), _NO_RESULTS, "<html>Bad gateway</html>", 7, {}, [7]]
)
def test_rule_12_an_error_is_unknown(value: Any, ask: Any, make: Any) -> None:
    """An OperationOutcome alone, one with an error, and a page of an error (P8) say nothing about the patient."""
    read = ask(make.order(), prefetch={"allergies": value})
    assert (read.known["allergies"], read.patient.allergies) == ("unknown", None)
    assert any("allergies" in note for note in read.notes)


def test_rule_12_a_notice_beside_data_is_dropped_and_told(ask: Any, make: Any) -> None:
    """Outcome entries go first; what is left counts."""
    condition = {"resourceType": "Condition", "code": make.coded("45564002", "http://snomed.info/sct")}
    read = ask(make.order(), prefetch={"conditions": _outcome_entry(_NO_RESULTS, condition)})
    assert read.known["conditions"] == "known"
    assert any("may be incomplete" in note for note in read.notes)


def test_rule_12_nothing_under_a_foreign_key_says_nothing(ask: Any, make: Any) -> None:
    """Nobody knows what a site's own key asked for."""
    read = ask(make.order(), prefetch={"site-key-7": None, "-user": _EMPTY})
    assert set(read.known.values()) == {"unknown"}


def test_rule_13_three_states_of_one_datum(ask: Any, make: Any) -> None:
    """Known, known to be absent, unknown are three answers, not two."""
    weight = make.bundle(make.observation("29463-7", 25, "kg"))
    found = [ask(make.order(), prefetch=prefetch) for prefetch in ({"weight": weight}, {"weight": None}, {})]
    assert [read.known["weight"] for read in found] == ["known", "known-absent", "unknown"]
    assert [read.patient.weight is not None for read in found] == [True, False, False]


def test_rule_14_further_pages_are_told(ask: Any, make: Any) -> None:
    """They are not fetched here; an empty first page with a next one is no empty list."""
    link = [{"relation": "self", "url": "x"}, {"relation": "next", "url": "y"}]
    condition = {"resourceType": "Condition", "code": make.coded("45564002", "http://snomed.info/sct")}
    read = ask(
        make.order(),
        prefetch={"conditions": {**make.bundle(condition), "link": link}, "allergies": {**_EMPTY, "link": link}},
    )
    assert read.known["conditions"] == "known"
    assert read.known["allergies"] == "unknown"
    assert any("further pages" in note for note in read.notes)


def test_a_count_without_entries_is_not_an_empty_list(ask: Any, make: Any) -> None:
    """A bundle that says 3 and holds none was not filled."""
    read = ask(make.order(), prefetch={"allergies": {"resourceType": "Bundle", "total": 3}})
    assert read.known["allergies"] == "unknown"


def test_p8_the_old_wrapping_is_taken_off(ask: Any, make: Any) -> None:
    """``{"response": …, "resource": …}`` around a resource, a bundle or an entry."""
    person = {"resourceType": "Patient", "id": "p", "gender": "male"}
    wrapped = {"response": {"status": "200 OK"}, "resource": person}
    read = ask(make.order(), prefetch={"patient": {"resource": wrapped}})
    assert read.patient.sex == "male"
    assert ask(make.order(), prefetch={"patient": {"response": {"status": "404"}}}).known["patient"] == "unknown"
    beside = {"response": {"status": "200"}, "resource": make.bundle(make.observation("29463-7", 25, "kg"))}
    assert ask(make.order(), prefetch={"weight": beside}).patient.weight.kg == Decimal(25)


def test_a_prefetch_is_read_by_what_it_holds_not_by_its_key(ask: Any, make: Any) -> None:
    """Keys are typed in at each site; the type and the LOINC code tell what it is."""
    mixed = make.bundle(make.observation("8302-2", 128, "cm"), {"resourceType": "Patient", "id": "p"})
    read = ask(make.order(), prefetch={"a": mixed, "b": make.observation("29463-7", 25, "kg")})
    assert [read.known[name] for name in ("patient", "height", "weight")] == ["known"] * 3


def test_bundles_in_bundles_are_opened(ask: Any, make: Any) -> None:
    """A batch answer holds one bundle for each query."""
    inner = make.bundle(make.observation("29463-7", 25, "kg"))
    assert ask(make.order(), prefetch={"all": make.bundle(inner)}).patient.weight.kg == Decimal(25)


def test_a_list_beyond_the_bound_is_cut_and_told(ask: Any, make: Any) -> None:
    """Work is bounded whatever is sent."""
    many = make.bundle(*[make.observation("2160-0", 1, "mg/dL")] * 2500)
    read = ask(make.order(), prefetch={"observations": many})
    assert read.known["observations"] == "known"
    assert any("longer than is read" in note for note in read.notes)


def test_more_resources_than_any_visit_needs_are_cut_and_told(ask: Any, make: Any) -> None:
    """Three full keys are more than is read."""
    many = make.bundle(*[make.observation("2160-0", 1, "mg/dL")] * 1900)
    read = ask(make.order(), prefetch={"a": many, "b": many, "c": many})
    assert any("more resources than are read" in note for note in read.notes)
