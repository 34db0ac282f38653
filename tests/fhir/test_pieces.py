"""What depends on the product: pieces, strengths, forms for local use, drugs that contradict themselves."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from dosing_service.fhir import allergies, medications, orders
from dosing_service.fhir.drugs import Drug
from dosing_service.fhir.elements import label, number, words
from dosing_service.model import Coding, Per

_RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
_ATC = "http://www.whocc.no/atc"
_INGREDIENT = Coding("3443", _RXNORM)


def _drug(**changes: Any) -> Drug:
    known = {"coding": _INGREDIENT, "name": "x", "by": "code", "is_local": False, "conflict": None, "strength": None}
    return Drug(**{**known, **changes})


@pytest.fixture
def recognised(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes every record name one drug."""

    def become(**changes: Any) -> None:
        drug = _drug(**changes)
        monkeypatch.setattr(medications, "identify", lambda *_: drug)
        monkeypatch.setattr(allergies, "identify", lambda *_: drug)

    return become


def _dosage(value: float, unit: str) -> list[dict[str, Any]]:
    return [{"doseAndRate": [{"doseQuantity": {"value": value, "unit": unit}}]}]


@pytest.mark.parametrize(
    ("strength", "unit", "expected"),
    [
        ((Decimal(60), "{tablet}"), "tablet", (Decimal(120), "mg")),
        ((Decimal(60), "{capsule}"), "capsule", (Decimal(120), "mg")),
        ((Decimal(60), "{capsule}"), "pill", (Decimal(120), "mg")),
        ((Decimal(60), "{tablet}"), "pill", (Decimal(120), "mg")),
        ((Decimal(5), "mL"), "mL", (Decimal(10), "mg")),
        ((Decimal(60), "{tablet}"), "capsule", (Decimal(2), "{capsule}")),
        (None, "pill", (Decimal(2), "{tablet}")),
        (None, "tablet", (Decimal(2), "{tablet}")),
        ((Decimal(60), "{tablet}"), "mg", (Decimal(2), "mg")),
    ],
)
def test_pieces_are_multiplied_with_the_strength_of_a_product_that_only_the_index_knows(
    strength: Any, unit: str, expected: Any, recognised: Any, ask: Any, make: Any
) -> None:
    """Two pieces of 60 mg are 120 mg; a tablet is not a capsule."""
    recognised(strength=strength)
    dose = ask(make.order(dosageInstruction=_dosage(2, unit))).orders[0].order.dose
    assert (dose.low, dose.unit, dose.per) == (*expected, Per.ADMINISTRATION)


def test_pieces_of_a_product_of_our_own_stay_pieces(knowledge: Any, recognised: Any, ask: Any, make: Any) -> None:
    """The knowledge base knows its products better: whether they can be split, and for which route they are."""
    code = next(
        item.code
        for item in knowledge.coded_products.values()
        if "diltiazem" in item.agents and "capsule" in item.form.lower()
    )
    recognised(coding=Coding(code, _RXNORM), strength=(Decimal(60), "{capsule}"))
    dose = ask(make.order(dosageInstruction=_dosage(2, "pill"))).orders[0].order.dose
    assert (dose.low, dose.unit) == (Decimal(2), "{capsule}")
    recognised(coding=Coding(code, _RXNORM))
    assert ask(make.order(dosageInstruction=_dosage(2, "pill"))).orders[0].order.dose.unit == "{capsule}"


def test_a_form_for_local_use_without_a_route_is_one_for_the_skin(recognised: Any, ask: Any, make: Any) -> None:
    """It must not be judged as if it were swallowed; a route that is given stays."""
    recognised(coding=Coding("D07AB09", _ATC), is_local=True)
    (read,) = ask(make.order(dosageInstruction=_dosage(2, "mg"))).orders
    assert read.order.route == "topical"
    assert any("for local use" in sentence for sentence in read.unread)
    eye = [{**_dosage(2, "mg")[0], "route": {"text": "ophthalmic"}}]
    assert ask(make.order(dosageInstruction=eye)).orders[0].order.route == "ophthalmic"


def test_a_drug_that_contradicts_itself_is_not_dosed(recognised: Any, ask: Any, make: Any) -> None:
    """The reason is the one that the recognition gives."""
    recognised(coding=None, conflict="the code is diltiazem, the text is methotrexate")
    (read,) = ask(make.order()).orders
    assert (read.order, read.unread) == (None, ("the code is diltiazem, the text is methotrexate",))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, (_INGREDIENT,)),
        ({"by": "name"}, (_INGREDIENT,)),
        ({"also": (Coding("11289", _RXNORM),)}, (_INGREDIENT, Coding("11289", _RXNORM))),
        ({"coding": None, "conflict": "two", "also": (Coding("11289", _RXNORM),)}, (Coding("11289", _RXNORM),)),
        ({"coding": None, "conflict": "two"}, (Coding("words"),)),
        ({"is_local": True}, ()),
        ({"is_local": True, "coding": Coding("S01ED01", _ATC)}, (Coding("S01ED01", _ATC),)),
    ],
)
def test_medications_count_with_all_their_ingredients(
    changes: Any, expected: Any, recognised: Any, ask: Any, make: Any
) -> None:
    """What acts where it is put counts only by a code that says so, which the rows about such drugs ask for."""
    recognised(**changes)
    taken = {
        "resourceType": "MedicationStatement",
        "status": "active",
        "medicationCodeableConcept": make.coded("1", _RXNORM, "words"),
    }
    assert ask(make.order(), prefetch={"medications": taken}).patient.medications == expected


def test_an_allergy_recognised_by_name_says_so(recognised: Any, ask: Any, make: Any) -> None:
    """A name may be of something else."""
    recognised(by="name")
    read = ask(make.order(), prefetch={"x": {"resourceType": "AllergyIntolerance", "code": {"text": "Cardizem"}}})
    assert read.patient.allergies == (_INGREDIENT,)
    assert "an allergy was recognised by its name alone" in read.notes


def test_steps_beyond_the_bound_are_not_read(ask: Any, make: Any) -> None:
    """No taper has so many; the answer says what was left."""
    (read,) = ask(make.order(dosageInstruction=_dosage(2, "mg") * 80)).orders
    assert "only the first 50 dosage entries were read" in read.unread


def test_orders_of_an_unknown_form_are_read_all_the_same(ask: Any, make: Any) -> None:
    """An entry that is no resource keeps its place, unread; it does not keep the others from being read."""
    given = {"resourceType": "Bundle", "entry": ["x", {"resource": "y"}, {"resource": make.order()}]}
    found = [(item.path, item.order is not None) for item in ask(draftOrders=given).orders]
    assert found == [("draftOrders.entry[0]", False), ("draftOrders.entry[1]", False), ("draftOrders.entry[2]", True)]
    assert orders.entries({}) == []


@pytest.mark.parametrize(
    ("statements", "state"),
    [
        ({}, "unknown"),
        ({"statements": None}, "known-absent"),
        ({"statements": {"resourceType": "MedicationStatement", "status": "stopped"}}, "known-absent"),
        ({"statements": {"resourceType": "Condition"}}, "unknown"),
        ({"x": {"resourceType": "MedicationStatement", "status": "stopped"}}, "unknown"),
    ],
)
def test_both_keys_must_have_been_looked_up(statements: Any, state: str, ask: Any, make: Any) -> None:
    """A stopped order under one key says nothing of what a statement under the other would have said."""
    expected = {"requests": "medications", "statements": "medications"}
    stopped = make.order(id="old", status="stopped")
    read = ask(make.order(), prefetch={"requests": make.bundle(stopped), **statements}, expected=expected)
    assert read.known["medications"] == state


def test_two_keys_of_one_datum_must_both_be_empty(ask: Any, make: Any) -> None:
    """Orders and statements are both medication: half an answer is no proof that there is none."""
    expected = {"requests": "medications", "statements": "medications"}
    half = ask(make.order(), prefetch={"requests": None}, expected=expected)
    whole = ask(make.order(), prefetch={"requests": None, "statements": None}, expected=expected)
    assert (half.known["medications"], whole.known["medications"]) == ("unknown", "known-absent")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (Decimal("1.50"), "1.5"),
        (Decimal("1E+2"), "100"),
        (0.1 + 0.2, "0.3"),
        (-0.0, "0"),
        ("12.5", "12.5"),
        ("1e5", None),
        ("١٢", None),
        (True, None),
        (float("nan"), None),
        (float("inf"), None),
        (Decimal("NaN"), None),
        (Decimal("1E+999999"), None),
        (10**400, None),
        (Decimal("1E-30"), None),
        (None, None),
        ({}, None),
    ],
)
def test_numbers_are_exact_and_bounded(given: Any, expected: str | None) -> None:
    """Binary noise beyond fifteen digits is cut; what no measurement can be is none."""
    assert number(given) == (Decimal(expected) if expected else None)


def test_labels_come_from_wherever_there_is_one() -> None:
    """The text, else a display, else a string in place of a concept; never anything else."""
    assert label({"coding": [{"display": "shown"}]}) == "shown"
    assert label([{}, "said"]) == "said"
    assert label([7, {}]) is None
    assert words(7) is None
