"""Calls that nobody should send: never a server error, never a card that does harm, never an order lost in silence."""

import copy
import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

Json = dict[str, Any]
Path = tuple[str | int, ...]

URL = "/cds-services/calcinosis-order-sign"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
UCUM = "http://unitsofmeasure.org"
#: Stands in every call and in no answer that refuses one.
SECRET = "zacharias-4711"  # noqa: S105 - a name, not a password

#: The same examples in every run: a property that fails must fail for everyone.
bounded = settings(
    max_examples=800, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

# ---------------------------------------------------------------- a call as it comes from a ward


def quantity(value: Any, unit: str) -> Json:
    """Return an amount in UCUM."""
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}


def order(id_: str, code: str, name: str, milligrams: float, times: int) -> Json:
    """Return an order of tablets so many times a day."""
    dosage = {
        "text": f"{milligrams} mg, {times} times a day",
        "timing": {"repeat": {"frequency": times, "period": 1, "periodUnit": "d"}},
        "route": {"coding": [{"system": "http://snomed.info/sct", "code": "26643006", "display": "Oral route"}]},
        "doseAndRate": [{"type": {"coding": [{"code": "ordered"}]}, "doseQuantity": quantity(milligrams, "mg")}],
    }
    return {
        "resourceType": "MedicationRequest",
        "id": id_,
        "status": "active",
        "intent": "order",
        "subject": {"reference": "Patient/p1"},
        "medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": code, "display": name}], "text": name},
        "dosageInstruction": [dosage],
    }


def result(code: str, value: float, unit: str) -> Json:
    """Return a final result of 1 November 2026."""
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": "2026-11-01T08:00:00Z",
        "valueQuantity": quantity(value, unit),
    }


def bundle(*resources: Json) -> Json:
    """Return a searchset."""
    entries = [{"resource": resource} for resource in resources]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}


_TAKEN = [
    *[("6809", "metformin"), ("29046", "lisinopril"), ("7646", "omeprazole"), ("10582", "levothyroxine")],
    *[("435", "albuterol"), ("321988", "escitalopram"), ("161", "acetaminophen"), ("723", "amoxicillin")],
    *[("1191", "aspirin"), ("4815", "glyburide")],
]
_RESULTS = [
    *[("2160-0", 0.8, "mg/dL"), ("17861-6", 9.4, "mg/dL"), ("2823-3", 4.2, "mmol/L"), ("2777-1", 3.5, "mg/dL")],
    *[("8480-6", 118, "mm[Hg]"), ("10230-1", 60, "%"), ("1975-2", 0.6, "mg/dL"), ("6690-2", 6.5, "10*3/uL")],
    *[("751-8", 3.8, "10*3/uL"), ("731-0", 1.9, "10*3/uL"), ("777-3", 240, "10*3/uL"), ("718-7", 13.2, "g/dL")],
    *[("2951-2", 140, "mmol/L"), ("98979-8", 92, "mL/min/{1.73_m2}"), ("1742-6", 21, "U/L")],
]
#: Alendronate daily instead of weekly (critical), diltiazem as documented, and an order that names no drug.
CALL: Json = {
    "hook": "order-sign",
    "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
    "user": SECRET,
    "context": {
        "userId": f"Practitioner/{SECRET}",
        "patientId": "p1",
        "encounterId": "e1",
        "draftOrders": bundle(
            order("a", "904431", "alendronate sodium 70 MG Oral Tablet", 70, 1),
            order("b", "3443", "diltiazem", 60, 3),
            {
                "resourceType": "MedicationRequest",
                "id": "c",
                "status": "draft",
                "medicationReference": {"reference": "Medication/gone"},
            },
        ),
    },
    "prefetch": {
        "patient": {"resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": "1976-05-04"},
        "weight": bundle(result("29463-7", 65, "kg")),
        "height": bundle(result("8302-2", 168, "cm")),
        "observations": bundle(*[result(*item) for item in _RESULTS]),
        "conditions": bundle(),
        "allergies": bundle(),
        "medications": bundle(*[order(f"m{code}", code, name, 1, 1) for code, name in _TAKEN]),
        "statements": bundle(),
    },
}
ALENDRONATE = "context.draftOrders.entry.0.resource"
DILTIAZEM = "context.draftOrders.entry.1.resource"
NAMELESS = "context.draftOrders.entry.2.resource"
DOSE = "dosageInstruction.0.doseAndRate.0.doseQuantity"
REPEAT = "dosageInstruction.0.timing.repeat"
GONE = object()


def changed(path: str | Path, value: Any) -> Json:
    """Return the call with another value at a path; ``GONE`` takes it away."""
    document = copy.deepcopy(CALL)
    keys = [int(key) if key.isdecimal() else key for key in path.split(".")] if isinstance(path, str) else [*path]
    place: Any = document
    for key in keys[:-1]:
        place = place[key]
    if value is GONE:
        del place[keys[-1]]
    else:
        place[keys[-1]] = value
    return document


def post(client: FlaskClient, body: Any, content_type: str = "application/json") -> tuple[int, Json]:
    """Return the status and the document of an answer, after what every answer must keep."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    response = client.post(URL, data=content, content_type=content_type)
    assert response.status_code < 500
    document: Json = json.loads(response.get_data(), parse_float=Decimal)
    if response.status_code != 200:
        assert SECRET not in response.get_data(as_text=True)
        assert document["resourceType"] == "OperationOutcome"
        return response.status_code, document
    assert [*document] == ["cards"]
    for card in document["cards"]:
        check_card(card)
    return response.status_code, document


_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f\u2028-\u202e\u2066-\u2069]")


def check_card(card: Json) -> None:
    """Check the shape of a card (rules 17 to 23), and that nothing in its words is markup of somebody else."""
    assert {"uuid", "summary", "indicator", "detail", "source"} <= set(card)
    assert 0 < len(card["summary"]) <= 139
    assert card["indicator"] in {"info", "warning", "critical"}
    assert card["source"]["label"]
    assert card["source"]["topic"]["code"].isalnum()
    assert ("suggestions" in card) == ("selectionBehavior" in card)
    for words in (card["summary"], card["detail"], *[item["label"] for item in card.get("suggestions", ())]):
        assert "<" not in words
        assert not _CONTROL.search(words)
    # An escaped bracket is text; a bare one begins a link.
    assert not re.search(r"(?<!\\)\]", card["detail"])
    assert not list(empty(card))


def empty(node: Any, path: str = "") -> Iterator[str]:
    """Yield where null, an empty text, list or object stands."""
    if node is None or node in ("", [], {}):
        yield path
    for key, item in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        yield from empty(item, f"{path}.{key}")


def told(document: Json) -> list[str]:
    """Return the cards as ``indicator summary``."""
    return [f"{card['indicator']} {card['summary']}" for card in document["cards"]]


def says(cards: list[str], indicator: str, words: str) -> bool:
    """Tell whether one of the cards has this indicator and these words."""
    return any(card.startswith(indicator) and words in card for card in cards)


def is_stopped(document: Json) -> bool:
    """Tell whether the critical card about alendronate is there."""
    return says(told(document), "critical", "alendronate 70 mg daily")


# ---------------------------------------------------------------- names

#: Two codes of different drugs: an order that cannot be read, and is shown by the name that the record gives it.
_CONFLICT = [{"system": RXNORM, "code": "3443"}, {"system": RXNORM, "code": "6851"}]
#: An order whose drug has no name, and an entry that holds no order at all.
_UNREAD = re.compile("(?:a drug without a name|A medication order): dose not checked")


@pytest.mark.parametrize(
    ("name", "shown", "why"),
    [
        ("<script>alert(1)</script>", "\u2039script\u203aalert(1)\u2039/script\u203a: dose", "a script"),
        ("<img src=x onerror=alert(1)> " * 50, "\u2039img src=x onerror=alert(1)\u203a", "a picture, fifty times"),
        ("[here](javascript:alert(1)) **b** `c`", "[here](javascript:alert(1)) **b** `c`", "Markdown, shown as it is"),
        ("\x1b[31mred\x00\x07\r\n# head", "[31mred # head: dose", "control characters and a headline"),
        ("\u202ename\u202c\u2066x\u2069", "name", "writing turned round"),
        ("W" * 100_000, "W" * 50, "a hundred thousand letters"),
        ("&lt;b&gt; \u2028 x", "&lt;b&gt;", "escaped already"),
        ("", "diltiazem", "no text, so the first name that the codes have"),
    ],
)
def test_a_name_is_shown_as_text(client: FlaskClient, name: str, shown: str, why: str) -> None:
    """Neither HTML nor Markdown nor a control character of a name does anything in a card."""
    status, document = post(
        client, changed(f"{DILTIAZEM}.medicationCodeableConcept", {"text": name, "coding": _CONFLICT})
    )
    assert status == 200
    assert is_stopped(document)
    assert says(told(document), "info", shown), why


@pytest.mark.parametrize(
    "name",
    [
        *(
            "<b>alendronate</b> 70 mg tablet",
            "**alendronate** 70 MG",
            "\u202aalendronate\u202c",
            "alendronate\x00 70 mg",
        ),
        *("ALENDRONATE\u2028 70", "alendronate 70 mg " * 6000, "\ufeffalendronate"),
    ],
    ids=["html", "markdown", "direction", "nul", "line", "overlong", "bom"],
)
def test_a_name_is_recognised_through_its_markup(client: FlaskClient, name: str) -> None:
    """An order that has nothing but a name is not lost to what a record wraps around it."""
    status, document = post(client, changed(f"{ALENDRONATE}.medicationCodeableConcept", {"text": name}))
    assert (status, is_stopped(document)) == (200, True)


# ---------------------------------------------------------------- one order among three


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({"text": "", "coding": []}, "empty"),
        ({"text": " \t "}, "blank"),
        (17, "a number"),
        ([[]], "a list of lists"),
        ({"coding": "3443"}, "a code where codings belong"),
        ({"coding": [{"system": RXNORM, "code": 3443}]}, "a code that is a number"),
        ({"coding": [{"system": RXNORM, "code": "3" * 10_000}]}, "a code of ten thousand digits"),
    ],
)
def test_an_order_without_a_name_is_said_to_be_unread(client: FlaskClient, value: Any, why: str) -> None:
    """Which drug it is of nobody knows; that it was not checked is said, and the others are."""
    _, document = post(client, changed(f"{DILTIAZEM}.medicationCodeableConcept", value))
    assert is_stopped(document), why
    assert [bool(_UNREAD.search(card)) for card in told(document)].count(True) == 2, why


@pytest.mark.parametrize(
    "value", ["diltiazem", 1, True, [], [[]], {}, {"id": "b"}, {"resource": None}, {"resource": "<p>"}]
)
@pytest.mark.parametrize("place", ["context.draftOrders.entry.1", DILTIAZEM])
def test_an_entry_that_is_no_order_is_said_to_be_unread(client: FlaskClient, place: str, value: Any) -> None:
    """What stands where an order belongs may have been the one that matters."""
    _, document = post(client, changed(place, value))
    assert is_stopped(document)
    assert [bool(_UNREAD.search(card)) for card in told(document)].count(True) == 2


@pytest.mark.parametrize(
    ("path", "value", "reason", "why"),
    [
        (f"{DOSE}.value", -60, "the dose is not a number above nothing", "negative"),
        (f"{DOSE}.value", 0, "the dose is not a number above nothing", "zero"),
        (f"{DOSE}.value", 10**39, "the dose is not a number above nothing", "a huge integer"),
        (f"{DOSE}.value", 1e-30, "the dose is not a number above nothing", "next to nothing"),
        (f"{DOSE}.value", "sixty", "the dose is not a number above nothing", "in words"),
        (f"{DOSE}.value", "NaN", "the dose is not a number above nothing", "not a number, in words"),
        (f"{DOSE}.value", True, "the dose is not a number above nothing", "true"),
        (f"{DOSE}.value", None, "the dose stands in free text alone", "null, beside the text"),
        (DOSE, {"value": 60}, "the dose is a number without a unit", "no unit"),
        (
            DOSE,
            quantity(60, "<script>"),
            "the dose is in a unit that no amount of a drug follows",
            "a script",
        ),
        (DOSE, quantity(60, "mg" * 5000), "the dose is a number without a unit", "a unit of ten thousand letters"),
        (DOSE, "60 mg", "the dose stands in free text alone", "a text for a quantity"),
        ("dosageInstruction", "60 mg tid", "the order has no dosage instruction", "a text for dosages"),
        ("dosageInstruction", [None, None], "the order has no dosage instruction", "nulls for dosages"),
        ("dosageInstruction", [], "the order has no dosage instruction", "none"),
        ("dosageInstruction.0", {"text": "<b>60 mg tid</b>"}, "the dose stands in free text alone", "free text"),
    ],
)
def test_a_dose_that_cannot_be_read_is_said_to_be_unchecked(
    client: FlaskClient, path: str, value: Any, reason: str, why: str
) -> None:
    """The reason repeats nothing of the order, and the order beside it is stopped all the same."""
    status, document = post(client, changed(f"{DILTIAZEM}.{path}", value))
    assert (status, is_stopped(document)) == (200, True)
    assert says(told(document), "info", f"diltiazem: dose not checked, {reason}"), why


_MADE_OF_ITSELF = {
    "resourceType": "MedicationRequest",
    "contained": [{"resourceType": "Medication", "id": "m", "ingredient": [{"itemReference": {"reference": "#m"}}]}],
    "medicationReference": {"reference": "#m"},
}
_DRAFTS = CALL["context"]["draftOrders"]["entry"]
_LONG_ID = "e" * 190
_NOT_FOUND = {"response": {"status": "404"}}


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        (NAMELESS, _MADE_OF_ITSELF, "a medication that is made of itself"),
        (f"{NAMELESS}.medicationReference", {"reference": "#" * 10_000}, "a reference without an end"),
        (f"{NAMELESS}.note", [{"text": "x" * 500_000}], "a note of half a megabyte"),
        (f"{DILTIAZEM}.id", "a", "two orders with one id"),
        (f"{DILTIAZEM}.id", _LONG_ID, "an id of 190 characters"),
        (f"{DILTIAZEM}.id", {"value": "b"}, "an id that is an object"),
        (f"{ALENDRONATE}.id", _LONG_ID, "an id of 190 characters, of the order that is stopped"),
        (f"{ALENDRONATE}.resourceType", GONE, "an order that does not say what it is"),
        (f"{ALENDRONATE}.note", None, "null beside a dose"),
        (f"{ALENDRONATE}.note", [{"text": "<script>"}], "a script that goes back to where it came from"),
        (f"{ALENDRONATE}.{DOSE}.value", "70", "the dose as a text"),
        ("context.draftOrders.entry.1", None, "an entry that is null"),
        ("context.patientId", _LONG_ID, "a patient id of 190 characters"),
        ("context.patientId", ["p1"], "a patient id that is a list"),
        ("context.userId", None, "no user"),
        ("context.selections", {"a": "b"}, "selections that are an object"),
        ("context.selections", ["MedicationRequest/gone", 7, None], "selections of orders that are not there"),
        ("prefetch", None, "a prefetch that is null"),
        ("prefetch", [CALL["prefetch"]], "a prefetch that is a list"),
        ("prefetch", dict.fromkeys(CALL["prefetch"]), "nothing found anywhere"),
        ("prefetch", dict.fromkeys(CALL["prefetch"], "<html><script>alert(1)</script>"), "error pages"),
        ("prefetch", dict.fromkeys(CALL["prefetch"], _NOT_FOUND), "answers without a resource"),
        ("prefetch", {str(number): None for number in range(1000)}, "a thousand keys"),
        ("prefetch.observations", bundle(*[{"resourceType": "Observation"}] * 5000), "five thousand results"),
        ("prefetch.medications.entry.0.resource.medicationCodeableConcept.text", "<b>" * 9999, "a drug of tags"),
        ("prefetch.patient.birthDate", "2999-01-01", "a birth date of the future"),
        ("prefetch.patient.birthDate", "0000-00-00", "a birth date that is no date"),
        ("prefetch.weight.entry.0.resource.valueQuantity.value", 2 * 10**30, "the weight of the sun"),
        ("prefetch.weight.entry.0.resource.valueQuantity.value", -65, "a weight below nothing"),
        ("prefetch.weight.entry.0.resource", "<html>", "an error page for a weight"),
        ("fhirServer", "http://169.254.169.254/latest", "a server of somebody else"),
        ("fhirAuthorization", "Bearer x", "an authorization that is a word"),
        ("fhirAuthorization", {"access_token": "x\r\ny"}, "a token of two lines, and no server"),
        (
            "context.draftOrders.entry",
            [*_DRAFTS, *[{"resource": {"resourceType": "Task"}}] * 5000],
            "5,000 tasks behind",
        ),
        ("context.draftOrders.entry", [{"resource": {"resourceType": "Task"}}, *_DRAFTS], "a task before"),
    ],
    ids=lambda value: value[:60] if isinstance(value, str) and " " in value else None,
)
def test_the_order_that_is_stopped_stays_stopped(client: FlaskClient, path: str, value: Any, why: str) -> None:
    """Whatever stands beside it."""
    status, document = post(client, changed(path, value))
    assert (status, is_stopped(document)) == (200, True), why


def test_the_old_wrapping_of_resources_is_taken(client: FlaskClient) -> None:
    """``{"response", "resource"}`` around everything changes no card."""
    wrapped = {key: {"response": {"status": "200 OK"}, "resource": value} for key, value in CALL["prefetch"].items()}
    assert post(client, changed("prefetch", wrapped)) == post(client, CALL)


def test_orders_beyond_the_bound_are_said_to_be_unread(client: FlaskClient) -> None:
    """An order behind two hundred others is not checked, and nobody is left to think that it was."""
    many = [{"resource": order(f"z{number}", "723", "amoxicillin", 500, 3)} for number in range(300)]
    _, document = post(client, changed("context.draftOrders.entry", [*many, *_DRAFTS]))
    assert told(document) == ["info A medication order: dose not checked, only the first 200 orders were read"]


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[("context", value) for value in (GONE, None, 7, "x", [], [{}], True)],
        *[("hookInstance", value) for value in (GONE, None, 7, "", [], ["x"], True, {})],
        *[("hook", value) for value in (GONE, None, 7, "", "x", "order-select", ["order-sign"], True, {})],
    ],
)
def test_a_call_without_its_frame_is_refused(client: FlaskClient, field: str, value: Any) -> None:
    """The answer names the field."""
    status, document = post(client, changed(field, value))
    assert (status, document["errors"][0]["pointer"]) == (400, f"/{field}")


@pytest.mark.parametrize("value", [GONE, None])
def test_a_call_without_orders_is_refused(client: FlaskClient, value: Any) -> None:
    """No card would say that nothing is wrong with orders that nobody sent."""
    status, document = post(client, changed("context.draftOrders", value))
    assert (status, document["errors"][0]["pointer"]) == (400, "/context/draftOrders")


@pytest.mark.parametrize("value", [True, 7, "x", {}, {"x": 1}, [{}], {"resourceType": "Bundle", "entry": "x"}], ids=str)
def test_orders_in_no_form_at_all_are_said_to_be_unread(client: FlaskClient, value: Any) -> None:
    """Something was sent, and it was not checked."""
    status, document = post(client, changed("context.draftOrders", value))
    assert (status, [bool(_UNREAD.search(card)) for card in told(document)]) == (200, [True])


@pytest.mark.parametrize("value", [[], {"resourceType": "Bundle"}, {"resourceType": "Bundle", "entry": []}], ids=str)
def test_no_orders_are_no_cards(client: FlaskClient, value: Any) -> None:
    """A bundle that is empty is a call that has nothing to check."""
    assert post(client, changed("context.draftOrders", value)) == (200, {"cards": []})


_TEXT = json.dumps(CALL)
_NESTED = "[" * 5000 + "]" * 5000


@pytest.mark.parametrize(
    ("body", "status", "code", "why"),
    [
        (b"", 400, "not-json", "nothing"),
        (b"null", 400, "not-an-object", "null"),
        (_TEXT.encode()[:-1], 400, "not-json", "cut off"),
        (b"\xef\xbb\xbf" + _TEXT.encode(), 400, "not-json", "a byte order mark"),
        (_TEXT.encode("utf-16"), 400, "not-utf-8", "UTF-16"),
        (_TEXT.encode("utf-16-le"), 400, "not-json", "UTF-16 without a mark: every other byte is NUL"),
        (_TEXT.replace("diltiazem", "\\ud800").encode(), 400, "lone-surrogate", "half a surrogate pair, escaped"),
        (_TEXT.replace("diltiazem", "\udcff").encode(errors="surrogateescape"), 400, "not-utf-8", "a stray byte"),
        (_TEXT.replace('"value": 70', '"value": NaN').encode(), 400, "not-a-number", "NaN"),
        (_TEXT.replace('"value": 70', '"value": -Infinity').encode(), 400, "not-a-number", "an infinite dose"),
        (_TEXT.replace('"value": 70', f'"value": {"7" * 5000}').encode(), 400, "number-too-long", "5,000 digits"),
        (_TEXT.replace('"value": 70', '"value": 70, "value": 10').encode(), 400, "duplicate-name", "two doses"),
        (_TEXT.replace('"prefetch": {', f'"x": {_NESTED}, "prefetch": {{').encode(), 400, "too-deep", "5,000 lists"),
        (_TEXT.encode() + b" " * 2_200_000, 413, "too-large", "above the limit"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_json_is_refused(client: FlaskClient, body: bytes, status: int, code: str, why: str) -> None:
    """Nothing is guessed of a body that can be read in two ways, and nothing of it is repeated."""
    found, document = post(client, body)
    assert (found, document["errors"][0]["code"]) == (status, code), why


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16", ""]
)
def test_another_content_type_is_refused(client: FlaskClient, content_type: str) -> None:
    """Forms of web pages come with other types, without a question asked first."""
    status, document = post(client, _TEXT.encode(), content_type)
    assert (status, document["errors"][0]["code"]) == (415, "media-type")


@pytest.mark.parametrize("number", ["1e400", "-1e400", "1e-400", "1e999999", "70e0", "0.7E+2"])
def test_numbers_of_any_size_are_read_exactly(client: FlaskClient, number: str) -> None:
    """What no measurement can be is said to be none; the same number written in another way is the same."""
    _, document = post(client, _TEXT.replace('"value": 70', f'"value": {number}').encode())
    if number in {"70e0", "0.7E+2"}:
        assert is_stopped(document)
    else:
        assert says(told(document), "warning", "alendronate is ordered daily; documented is once weekly")
        assert "As read: the dose is not a number above nothing" in document["cards"][0]["detail"]


# ---------------------------------------------------------------- anything at any place


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    """Yield every path of a document."""
    if path:
        yield path
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(item, (*path, key))


PLACES = list(places(CALL))
_FIRST: Path = ("context", "draftOrders", "entry", 0, "resource")
#: What holds the order: where this is changed there may be no order.
_FRAME: set[Path] = {("hook",), ("hookInstance",), *[_FIRST[:length] for length in range(1, len(_FIRST) + 1)]}
_WORDS = [
    "",
    " ",
    "x",
    "7",
    "0.5",
    "-1",
    "70",
    "wk",
    "a",
    "ug",
    "g",
    "cancelled",
    "stopped",
    "<b>x</b>",
    "\u202e",
    "é" * 300,
]
_LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 90),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(_WORDS),
    st.text(max_size=4),
)
_KEYS = st.sampled_from(["x", "text", "value", "code", "coding", "id", "reference", "unit", "low"])
_VALUES = st.just(GONE) | st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=6,
)


def at(document: Any, path: Path) -> Any:
    """Return what stands at a path."""
    for key in path:
        document = document[key]
    return document


def kind(value: Any) -> str:
    """Return the JSON type of a value."""
    if isinstance(value, bool) or value is None:
        return str(type(value))
    return "number" if isinstance(value, int | float) else type(value).__name__


def _number(value: Any) -> float | None:
    """Return a number, also one that is written as a text."""
    if isinstance(value, str) and re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?", value):
        return float(value)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def is_fine(order: Any) -> bool:
    """Tell whether an order, as it now stands, need not be spoken of: another drug by name, or no more than 70 mg a
    week. Not one that is off (those are said not to be checked), and not one that cannot be read.
    """
    concept = order.get("medicationCodeableConcept")
    said = json.dumps(concept)
    if "alendronate" not in said and '"904431"' not in said:
        return bool(_texts(concept))
    if order.get("doNotPerform") is True:
        return True
    try:
        repeat, dose = at(order, ("dosageInstruction", 0, "timing", "repeat")), at(order, tuple(_dose_path()))
        times, period, value = (_number(item) for item in (repeat["frequency"], repeat["period"], dose["value"]))
        days = {"d": 1, "wk": 7}[repeat["periodUnit"]]
    except (KeyError, TypeError, IndexError):
        return False
    if not times or not period or not value or min(times, period, value) <= 0 or times % 1:
        return False
    return value * times * 7 <= 70 * period * days


def _dose_path() -> Iterator[str | int]:
    return (int(key) if key.isdecimal() else key for key in DOSE.split("."))


def _texts(node: Any) -> list[str]:
    """Return every text of a concept that is not blank."""
    if isinstance(node, str):
        return [node] if node.strip() else []
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return [text for item in inner for text in _texts(item)]


def unread_in_frame(path: Path, value: Any) -> int:
    """Return how many orders must be said to be unread after a change of what holds them; one always names no drug."""
    if len(path) > 3:
        return 1 if len(path) == 4 and (value is GONE or value is None) else 2
    if value is GONE:
        return 0
    return len([item for item in value if item is not None]) if isinstance(value, list) else int(value is not None)


def check_change(client: FlaskClient, path: Path, value: Any) -> None:
    """Check that a call with one change is answered, and that the order that is stopped is not lost.

    Everything beside the order and its frame leaves the critical card; a change of the order leaves some card about it
    or makes it fine; a change of the frame is refused, or what stands there is said to be unread.
    """
    document = changed(path, value)
    status, answer = post(client, document)
    if status != 200:
        assert status == 400
        assert path in _FRAME
        return
    cards = told(answer)
    unread = [bool(_UNREAD.search(card)) for card in cards].count(True)
    if path[:2] == _FIRST[:2] and path in _FRAME:
        assert unread == unread_in_frame(path, value)
    elif path[: len(_FIRST)] != _FIRST:
        assert is_stopped(answer)
    else:
        assert any("alendronate" in card for card in cards) or unread == 2 or is_fine(at(document, _FIRST))


@bounded
@given(st.sampled_from(PLACES), _VALUES)
def test_no_change_loses_an_order_in_silence(client: FlaskClient, path: Path, value: Any) -> None:
    """Any value of another type at any place of a call."""
    if value is GONE or kind(value) != kind(at(CALL, path)):
        check_change(client, path, value)


@bounded
@given(st.sampled_from([place for place in PLACES if place[: len(_FIRST)] == _FIRST]), _VALUES)
def test_no_change_of_an_order_loses_it_in_silence(client: FlaskClient, path: Path, value: Any) -> None:
    """Any value at any place of the order that is stopped."""
    check_change(client, path, value)


@pytest.mark.parametrize("top", [*CALL])
def test_null_is_taken_everywhere(client: FlaskClient, top: str) -> None:
    """At each place in turn."""
    for path in PLACES:
        if path[0] == top:
            check_change(client, path, None)
