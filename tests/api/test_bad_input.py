"""Whatever is sent, the answer is a problem document that says where and what, and never a server error."""

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

DOSES = "/v1/dose-calculations"
JSON = "application/json"

AGE = {"value": 9, "unit": "a"}
WEIGHT = {"value": 25, "unit": "kg"}
GOOD: dict[str, Any] = {"agent": "diltiazem", "patient": {"age": AGE, "weight": WEIGHT}}
SNOMED = "http://snomed.info/sct"


def patient(**changes: Any) -> dict[str, Any]:
    """Return the good request with other facts about the patient."""
    return GOOD | {"patient": GOOD["patient"] | changes}


def weight(value: Any = 25, unit: Any = "kg", **more: Any) -> dict[str, Any]:
    """Return the good request with another weight."""
    return patient(weight={"value": value, "unit": unit} | more)


def number(text: str) -> str:
    """Return the good request with a weight spelled as JSON cannot be written by a program."""
    return f'{{"agent": "diltiazem", "patient": {{"weight": {{"value": {text}, "unit": "kg"}}}}}}'


def born(birth_date: Any, **more: Any) -> dict[str, Any]:
    """Return a request whose patient has a birth date."""
    return {"agent": "diltiazem", "patient": {"birth_date": birth_date, "weight": WEIGHT}, **more}


def options(**chosen: Any) -> dict[str, Any]:
    """Return the good request with options."""
    return GOOD | {"options": chosen}


def one(**fields: Any) -> dict[str, Any]:
    """Return the good request with one observation."""
    return patient(observations=[{"code": "2160-0", "value": 0.5, "unit": "mg/dL"} | fields])


# Each row: what is sent, status, pointer and code of the (first) problem, and why the row is here.
BODIES: list[tuple[Any, int, str, str, str]] = [
    # ---- bytes that are not the JSON this service reads
    ('{"agent": "ivig", "agent": "warfarin"}', 400, "", "duplicate-name", "a decoder keeps the last one in silence"),
    ('{"agent": "ivig", "patient": {"age": 1, "age": 2}}', 400, "", "duplicate-name", "the same, further down"),
    (number("NaN"), 400, "", "not-a-number", "NaN is no JSON, though decoders take it"),
    (number("Infinity"), 400, "", "not-a-number", "nor is Infinity"),
    (number("-Infinity"), 400, "", "not-a-number", "nor is -Infinity"),
    (number("1" * 5000), 400, "", "number-too-long", "5,000 digits keep a decoder busy"),
    (number("1e99999999999999999999"), 400, "", "number-too-long", "an exponent that no Decimal holds"),
    (number("0e-99999999999999999999"), 400, "", "number-too-long", "the same for zero"),
    (number("+25"), 400, "", "not-json", "a plus sign is no JSON"),
    (number("025"), 400, "", "not-json", "an octal in some languages"),
    (number("0x19"), 400, "", "not-json", "hexadecimal"),
    (number("2_5"), 400, "", "not-json", "Python's own spelling"),
    (number("٢٥"), 400, "", "not-json", "Arabic-Indic digits, which Python's int() takes"),
    ('{"a":' * 2000 + "1" + "}" * 2000, 400, "", "too-deep", "2,000 objects deep exhaust a recursive decoder"),
    ("[" * 30_000 + "]" * 30_000, 400, "", "too-deep", "30,000 arrays deep, below the size limit"),
    ("\ufeff" + json.dumps(GOOD), 400, "", "not-json", "a byte order mark"),
    (json.dumps(GOOD).encode("utf-16"), 400, "", "not-utf-8", "UTF-16, which Flask would read"),
    (json.dumps(GOOD).encode("utf-16-le"), 400, "", "not-json", "UTF-16 without a mark is valid UTF-8, full of NUL"),
    (b'{"agent": "\xff"}', 400, "", "not-utf-8", "no Unicode at all"),
    ('{"agent": "diltia', 400, "", "not-json", "cut off on the way"),
    ("", 400, "", "not-json", "nothing"),
    ("{}{}", 400, "", "not-json", "two documents"),
    ("{'agent': 'ivig'}", 400, "", "not-json", "Python, not JSON"),
    ('{"agent": "ivig",}', 400, "", "not-json", "a trailing comma"),
    ('{"agent": "a\nb"}', 400, "", "not-json", "a raw line feed inside a string"),
    ('{"agent": "\\ud800"}', 400, "", "lone-surrogate", "half a character cannot be written again"),
    ('{"agent": "ivig", "\\udfff": 1}', 400, "", "lone-surrogate", "in a name as well"),
    ("x" * 70_000, 413, "", "too-large", "over the limit of 65,536 bytes"),
    ("[" * 50_000 + "]" * 50_000, 413, "", "too-large", "50,000 deep is too large before it is too deep"),
    # ---- JSON, but not a request
    ("[]", 422, "", "not-an-object", "an array"),
    ('"diltiazem"', 422, "", "not-an-object", "a string"),
    ("25", 422, "", "not-an-object", "a number"),
    ("null", 422, "", "not-an-object", "null"),
    ("true", 422, "", "not-an-object", "a boolean"),
    ({}, 422, "/agent", "missing", "nothing is asked"),
    # ---- unknown names
    (GOOD | {"weigth": 1}, 422, "/weigth", "unknown-field", "a slip that would drop the weight in silence"),
    (patient(weigth=WEIGHT), 422, "/patient/weigth", "unknown-field", "the same in the patient"),
    (weight(measuredOn="2026-11-01"), 422, "/patient/weight/measuredOn", "unknown-field", "in a quantity"),
    (one(loinc="x"), 422, "/patient/observations/0/loinc", "unknown-field", "in an entry of a list"),
    (options(times=3), 422, "/options/times", "unknown-field", "in the options"),
    (GOOD | {"indication": {"lesions": "x"}}, 422, "/indication/lesions", "unknown-field", "in the indication"),
    (GOOD | {"a/b~c": 1}, 422, "/a~1b~0c", "unknown-field", "a JSON pointer escapes slash and tilde"),
    (GOOD | {"": 1}, 422, "/", "unknown-field", "an empty name is a name"),
    (GOOD | {"k" * 5000: 1}, 422, "/…", "unknown-field", "a name of 5,000 characters is not sent back"),
    (GOOD | {"a\x00b": 1}, 422, "/…", "unknown-field", "nor is one that is not printable"),
    (GOOD | {"__proto__": 1}, 422, "/__proto__", "unknown-field", "a name with a meaning elsewhere"),
    # ---- null is not a value
    (GOOD | {"agent": None}, 422, "/agent", "null", "null instead of an agent"),
    (GOOD | {"regimen": None}, 422, "/regimen", "null", "null instead of a regimen"),
    (GOOD | {"as_of": None}, 422, "/as_of", "null", "null instead of a day"),
    (GOOD | {"patient": None}, 422, "/patient", "null", "null instead of a patient"),
    (GOOD | {"options": None}, 422, "/options", "null", "null instead of options"),
    (GOOD | {"indication": None}, 422, "/indication", "null", "null instead of an indication"),
    (patient(weight=None), 422, "/patient/weight", "null", "null instead of a weight"),
    (patient(conditions=None), 422, "/patient/conditions", "null", "unknown and none are told apart"),
    (patient(conditions=[None]), 422, "/patient/conditions/0", "null", "null inside a list"),
    (patient(observations=[None]), 422, "/patient/observations/0", "null", "null inside a list of objects"),
    (weight(value=None), 422, "/patient/weight/value", "not-a-number", "null instead of a number"),
    (weight(unit=None), 422, "/patient/weight/unit", "not-a-string", "null instead of a unit"),
    (weight(measured_on=None), 422, "/patient/weight/measured_on", "null", "null instead of a date"),
    # ---- numbers
    (weight("25"), 422, "/patient/weight/value", "not-a-number", "a number in quotes"),
    (weight(True), 422, "/patient/weight/value", "not-a-number", "true counts as 1 in Python"),
    (weight([25]), 422, "/patient/weight/value", "not-a-number", "a list"),
    (number("1e999"), 422, "/patient/weight/value", "number-too-long", "infinity for a binary decoder"),
    (number("1e-999"), 422, "/patient/weight/value", "number-too-long", "zero for a binary decoder"),
    (number("25.0000000000000000"), 422, "/patient/weight/value", "number-too-long", "more decimals than any scale"),
    (number("1234.123456789012"), 422, "/patient/weight/value", "number-too-long", "16 digits"),
    (number("-0"), 422, "/patient/weight/value", "negative-zero", "negative zero"),
    (number("-0.0"), 422, "/patient/weight/value", "negative-zero", "negative zero with a point"),
    (weight(-25), 422, "/patient/weight/value", "out-of-bounds", "a negative weight"),
    (weight(0), 422, "/patient/weight/value", "out-of-bounds", "no weight"),
    (weight(1000.1), 422, "/patient/weight/value", "out-of-bounds", "heavier than anyone"),
    (weight(2205, "lb"), 422, "/patient/weight/value", "out-of-bounds", "the bound is held in kilograms"),
    (patient(weight=25), 422, "/patient/weight", "not-a-quantity", "a number without its unit"),
    (patient(weight="25 kg"), 422, "/patient/weight", "not-a-quantity", "a sentence"),
    (patient(weight={"value": 25}), 422, "/patient/weight/unit", "missing", "the unit is never guessed"),
    (patient(weight={"unit": "kg"}), 422, "/patient/weight/value", "missing", "a unit without a number"),
    (patient(height={"value": 301, "unit": "cm"}), 422, "/patient/height/value", "out-of-bounds", "taller than anyone"),
    (one(value="0.5"), 422, "/patient/observations/0/value", "not-a-number", "a laboratory value in quotes"),
    (options(times_per_day=0), 422, "/options/times_per_day", "out-of-bounds", "never is not a frequency"),
    (options(times_per_day=25), 422, "/options/times_per_day", "out-of-bounds", "more often than hourly"),
    (options(times_per_day=1.5), 422, "/options/times_per_day", "not-whole", "half an administration"),
    (options(times_per_day="3"), 422, "/options/times_per_day", "not-a-number", "a number in quotes"),
    (options(times_per_day=True), 422, "/options/times_per_day", "not-a-number", "a boolean"),
    # ---- units
    (weight(unit="Mg"), 422, "/patient/weight/unit", "unit-not-accepted", "a megagram, a million times too much"),
    (weight(unit="MG"), 422, "/patient/weight/unit", "unit-not-accepted", "a megagauss"),
    (weight(unit="ML"), 422, "/patient/weight/unit", "unit-not-accepted", "a megalitre"),
    (weight(unit="units"), 422, "/patient/weight/unit", "unit-not-accepted", "of what?"),
    (weight(unit="KG"), 422, "/patient/weight/unit", "unit-not-accepted", "no UCUM code"),
    (weight(unit="stone"), 422, "/patient/weight/unit", "unit-not-accepted", "not on the list"),
    (weight(unit="cm"), 422, "/patient/weight/unit", "unit-not-accepted", "a unit of something else"),
    (weight(unit="kg "), 422, "/patient/weight/unit", "unit-not-accepted", "codes are compared as they are"),
    (weight(unit=""), 422, "/patient/weight/unit", "unit-not-accepted", "no code"),
    (weight(unit=1), 422, "/patient/weight/unit", "not-a-string", "a number"),
    # ---- dates and ages
    (patient(birth_date="2017-01-01"), 422, "/patient/age", "two-ages", "two ages may contradict each other"),
    (patient(age={"value": 200, "unit": "a"}), 422, "/patient/age/value", "out-of-bounds", "older than anyone"),
    (born("2999-01-01"), 422, "/patient/birth_date", "impossible-birth-date", "not yet born"),
    (born("2026-11-23", as_of="2026-11-21"), 422, "/patient/birth_date", "impossible-birth-date", "in two days"),
    (born("1895-11-20", as_of="2026-11-21"), 422, "/patient/birth_date", "impossible-birth-date", "131 years"),
    (born("2026-02-30"), 422, "/patient/birth_date", "not-a-date", "no day of the calendar"),
    (born("21.11.2026"), 422, "/patient/birth_date", "not-a-date", "another order"),
    (born("2026-W47-6"), 422, "/patient/birth_date", "not-a-date", "a week date, which Python takes"),
    (born("2026112101"), 422, "/patient/birth_date", "not-a-date", "Python reads its first eight digits"),
    (born("٢٠٢٦-١١-٢١"), 422, "/patient/birth_date", "not-a-date", "digits of another script"),  # noqa: RUF001 - the digits are what the row is about
    (born(20261121), 422, "/patient/birth_date", "not-a-date", "a number"),
    (born("2026-01-01", as_of="9999-12-31"), 422, "/as_of", "not-a-date", "the next birthday is on no calendar"),
    # ---- words, flags, lists
    (GOOD | {"agent": 7}, 422, "/agent", "not-a-string", "a number instead of an id"),
    (GOOD | {"agent": ""}, 422, "/agent", "bad-string", "an empty id"),
    (GOOD | {"agent": "a" * 201}, 422, "/agent", "bad-string", "longer than any id"),
    (GOOD | {"agent": "ivig\x00"}, 422, "/agent", "bad-string", "a NUL ends a string elsewhere"),
    (patient(sex="F"), 422, "/patient/sex", "not-a-choice", "an abbreviation"),
    (patient(sex=["female"]), 422, "/patient/sex", "not-a-choice", "a list, which cannot be looked up in a set"),
    (patient(sex={}), 422, "/patient/sex", "not-a-choice", "nor can an object"),
    (patient(pregnant="no"), 422, "/patient/pregnant", "not-a-boolean", "a word, which is true in Python"),
    (patient(pregnant=0), 422, "/patient/pregnant", "not-a-boolean", "a number, which is false in Python"),
    (patient(conditions="x"), 422, "/patient/conditions", "not-a-list", "one entry without its list"),
    (patient(conditions={}), 422, "/patient/conditions", "not-a-list", "an object"),
    (patient(conditions=["x"] * 501), 422, "/patient/conditions", "too-many", "501 entries"),
    (patient(observations=[{}] * 501), 422, "/patient/observations", "too-many", "counted before they are read"),
    (patient(conditions=[7]), 422, "/patient/conditions/0", "not-a-coding", "a number is no code"),
    (patient(conditions=[{"code": "1"}]), 422, "/patient/conditions/0", "not-a-coding", "a code of nowhere"),
    (
        patient(conditions=["x", {"system": "http://example.org", "code": "1"}]),
        *(422, "/patient/conditions/1/system", "not-a-choice", "a system that is not on the list"),
    ),
    (
        patient(conditions=[{"system": SNOMED, "code": "1", "display": "x"}]),
        *(422, "/patient/conditions/0", "not-a-coding", "a third name in a coding"),
    ),
    (weight(method="guessed"), 422, "/patient/weight/method", "not-a-choice", "a method that is not on the list"),
    (GOOD | {"patient": []}, 422, "/patient", "not-an-object", "a list instead of a patient"),
    (GOOD | {"patient": "x"}, 422, "/patient", "not-an-object", "a string instead of a patient"),
    (options(jurisdiction="XX"), 422, "/options/jurisdiction", "not-a-choice", "a country without rules"),
    (
        options(include_outside_population=1),
        422,
        "/options/include_outside_population",
        "not-a-boolean",
        "1 is not true",
    ),
    (options(volume={"value": 1, "unit": "cc"}), 422, "/options/volume/unit", "unit-not-accepted", "easily misread"),
    # ---- ids that nothing has
    (GOOD | {"agent": "diltiazen"}, 404, "/agent", "unknown-agent", "a slip of the pen"),
    (GOOD | {"agent": "DILTIAZEM"}, 404, "/agent", "unknown-agent", "ids are compared as they are"),
    (GOOD | {"agent": "[" * 100}, 404, "/agent", "unknown-agent", "brackets inside a string are not nesting"),
    (GOOD | {"regimen": "nope"}, 422, "/regimen", "unknown-regimen", "a regimen of no agent"),
    (options(product="nope"), 422, "/options/product", "unknown-product", "a product of no agent"),
]


def check_problem(response: TestResponse, status: int) -> list[dict[str, str]]:
    """Check that a response is a problem document as the contract has it; return its problems."""
    assert (response.status_code, response.mimetype) == (status, "application/problem+json"), response.get_data()
    assert response.headers["Cache-Control"] == "no-store"
    document = response.get_json()
    assert set(document) == {"type", "title", "status", "detail", "errors"}
    assert document["type"].startswith("urn:dosing-service:problem:")
    assert (bool(document["title"]), bool(document["detail"]), document["status"]) == (True, True, status)
    problems: list[dict[str, str]] = document["errors"]
    for item in problems:
        assert set(item) == {"pointer", "code", "detail", "expected"}
        assert all(isinstance(value, str) for value in item.values())
        assert (bool(item["code"]), bool(item["detail"]), bool(item["expected"])) == (True, True, True)
    return problems


@pytest.mark.parametrize(("body", "status", "pointer", "code", "why"), BODIES, ids=[row[-1] for row in BODIES])
def test_bad_body_is_refused(client: FlaskClient, body: Any, status: int, pointer: str, code: str, why: str) -> None:
    """A bad body gets its status, and a problem with a JSON pointer, a code and what is accepted instead."""
    data = body if isinstance(body, str | bytes) else json.dumps(body)

    problems = check_problem(client.post(DOSES, data=data, content_type=JSON), status)

    assert (pointer, code) == (problems[0]["pointer"], problems[0]["code"]), why


@pytest.mark.parametrize(
    ("content_type", "status", "why"),
    [
        ("application/json", 200, "the one that is meant"),
        ("application/json; charset=utf-8", 200, "says what JSON is anyway"),
        ("Application/JSON; charset=UTF8", 200, "media types ignore case"),
        ("text/plain", 415, "what a form or a sloppy client sends"),
        (None, 415, "nothing said"),
        ("application/json; charset=latin-1", 415, "another encoding"),
        ("application/x-www-form-urlencoded", 415, "what a browser sends across sites without asking"),
        ("application/fhir+json", 415, "another kind of JSON"),
        ("json", 415, "no media type"),
    ],
)
def test_media_type_is_json_in_utf_8(client: FlaskClient, content_type: str | None, status: int, why: str) -> None:
    """A request says that it is JSON, and in no other encoding than UTF-8."""
    response = client.post(DOSES, data=json.dumps(GOOD), content_type=content_type)

    assert status == response.status_code, why
    if status == 415:
        (problem,) = check_problem(response, 415)
        assert (problem["code"], problem["expected"]) == ("media-type", "Content-Type: application/json")


@pytest.mark.parametrize(
    ("size", "announced", "status", "why"),
    [
        (65_536, True, 200, "exactly the limit"),
        (65_537, True, 413, "one byte more, and the length says so"),
        (65_536, False, 200, "exactly the limit, in chunks"),
        (65_537, False, 413, "one byte more, in chunks: never read as if it ended at the limit"),
    ],
)
def test_size_is_bounded(client: FlaskClient, size: int, announced: bool, status: int, why: str) -> None:
    """A body over the limit is refused whether or not its length is announced."""
    body = json.dumps(GOOD).encode().ljust(size)
    # How a WSGI server hands over a body in chunks.
    chunked = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}

    if announced:
        response = client.post(DOSES, data=body, content_type=JSON)
    else:
        response = client.post(DOSES, input_stream=io.BytesIO(body), content_type=JSON, environ_overrides=chunked)

    assert status == response.status_code, why
    if status == 413:
        assert check_problem(response, 413)[0]["expected"] == "at most 65536 bytes"


def test_every_problem_is_named_at_once(client: FlaskClient) -> None:
    """A caller learns of all faults of a request in one answer, not one after the other."""
    body = {"regimen": 1, "patient": {"weight": {"value": 25, "unit": "Mg"}, "sex": "F"}, "options": {"volume": 2}}

    problems = check_problem(client.post(DOSES, json=body), 422)

    pointers = {"/agent", "/regimen", "/patient/weight/unit", "/patient/sex", "/options/volume"}
    assert pointers == {problem["pointer"] for problem in problems}


@pytest.mark.parametrize(
    ("agent", "nearest", "why"),
    [
        ("diltiazen", "nearest: diltiazem", "a slip"),
        ("MTX", "nearest: methotrexate", "a synonym of the knowledge base"),
        ("xyzzy", "an id from the list of agents", "nothing is near"),
    ],
)
def test_unknown_agent_comes_with_the_nearest_ids(client: FlaskClient, agent: str, nearest: str, why: str) -> None:
    """Whoever mistypes an agent is told the ids that are spelled alike."""
    assert nearest == check_problem(client.post(DOSES, json={"agent": agent}), 404)[0]["expected"], why


# ---------------------------------------------------------------- nothing that was sent comes back

TELL_TALE = "tell-tale-77"


@pytest.mark.parametrize(
    "body",
    [
        GOOD | {"agent": TELL_TALE},
        GOOD | {"regimen": TELL_TALE},
        GOOD | {"as_of": TELL_TALE},
        patient(sex=TELL_TALE),
        patient(age={"value": TELL_TALE, "unit": "a"}),
        patient(birth_date=TELL_TALE),
        patient(conditions=TELL_TALE),
        patient(conditions=[{"system": TELL_TALE, "code": "1"}]),
        patient(conditions=[{"system": SNOMED, "code": "1", "display": TELL_TALE}]),
        patient(observations=[TELL_TALE]),
        weight(unit=TELL_TALE),
        weight(method=TELL_TALE),
        options(product=TELL_TALE),
        options(jurisdiction=TELL_TALE),
        f'{{"agent": "{TELL_TALE}"',
        f'{{"agent": {TELL_TALE}}}',
        f'{{"{TELL_TALE}": 1, "{TELL_TALE}": 2}}',
    ],
)
def test_problem_never_repeats_a_submitted_value(client: FlaskClient, body: Any) -> None:
    """A problem may be logged or shown anywhere, so it holds nothing of what was sent about the patient."""
    response = client.post(DOSES, data=body if isinstance(body, str) else json.dumps(body), content_type=JSON)

    assert response.status_code in {400, 404, 422}
    assert TELL_TALE not in response.get_data(as_text=True)


# ---------------------------------------------------------------- addresses and methods


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", DOSES, {"POST", "OPTIONS"}),
        ("PUT", DOSES, {"POST", "OPTIONS"}),
        ("DELETE", "/v1/agents/ivig", {"GET", "HEAD", "OPTIONS"}),
        ("POST", "/v1/agents", {"GET", "HEAD", "OPTIONS"}),
        ("POST", "/livez", {"GET", "HEAD", "OPTIONS"}),
        ("TRACE", "/v1/knowledge", {"GET", "HEAD", "OPTIONS"}),
    ],
)
def test_wrong_method_names_the_right_ones(client: FlaskClient, method: str, path: str, allow: set[str]) -> None:
    """405 comes with the methods that the address does answer."""
    response = client.open(path, method=method)

    check_problem(response, 405)
    assert allow == set(response.headers["Allow"].split(", "))


@pytest.mark.parametrize(
    "path",
    [
        "/v1",
        "/v1/agents/",
        "/v1/agents/nope",
        "/v1/agents/%00",
        "/v1/agents/%ff",
        "/v1/agents/..%2f..%2fetc",
        "/v1/references/nope",
        "/v2/dose-calculations",
        "//v1/agents",
    ],
)
def test_unknown_address_is_a_problem_too(client: FlaskClient, path: str) -> None:
    """404 is a problem document everywhere, and says nothing of the address."""
    response = client.get(path)

    check_problem(response, 404)
    assert "nope" not in response.get_data(as_text=True)


def test_crash_says_nothing_of_itself(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Should the service fail all the same, the answer is a problem document without the text of the exception."""

    def fail(**_: Any) -> None:
        raise RuntimeError(TELL_TALE)

    monkeypatch.setitem(app.view_functions, "operations.alive", fail)

    response = app.test_client().get("/livez")

    assert check_problem(response, 500) == []
    assert TELL_TALE not in response.get_data(as_text=True)


# ---------------------------------------------------------------- anything at all

FULL: dict[str, Any] = {
    "agent": "diltiazem",
    "regimen": "calcinosis-overview",
    "indication": {"disease": "calcinosis-cutis", "lesion": "large"},
    "patient": {
        "age": AGE,
        "sex": "female",
        "weight": WEIGHT | {"measured_on": "2026-11-01", "method": "measured"},
        "height": {"value": 128, "unit": "cm", "measured_on": "2026-11-01"},
        "pregnant": False,
        "lactating": False,
        "conditions": ["raynaud-phenomenon", {"system": SNOMED, "code": "27885002"}],
        "allergies": [],
        "medications": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "6851"}],
        "observations": [{"code": "2160-0", "value": 0.5, "unit": "mg/dL", "measured_on": "2026-11-10"}],
    },
    "options": {
        "product": "ir-tablet-60",
        "times_per_day": 3,
        "volume": {"value": 0.5, "unit": "mL"},
        "start_date": "2026-12-01",
        "schedule_until": "2027-12-01",
        "courses": 1,
        "already_given": {"value": 30, "unit": "g"},
        "body_surface_area_formula": "mosteller",
        "dosing_weight": "actual",
        "jurisdiction": "US",
        "include_contraindicated": False,
        "include_outside_population": True,
    },
    "as_of": "2026-11-21",
}
WRONG: list[Any] = [None, True, 0, -1, 0.5, 1e300, "", "x", "x" * 300, "\x00", [], [[]], [None], {}, {"value": {}}]


def paths(node: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of every value below ``node``."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        yield (*path, key)
        yield from paths(value, (*path, key))


def replaced(node: Any, path: tuple[str | int, ...], value: Any) -> Any:
    """Return ``node`` with the value at ``path`` replaced."""
    if not path:
        return value
    copy = node.copy()
    copy[path[0]] = replaced(node[path[0]], path[1:], value)
    return copy


def test_full_request_is_good(client: FlaskClient) -> None:
    """The request that the next tests spoil has every field of the contract, and is answered."""
    assert client.post(DOSES, json=FULL).status_code == 200


@pytest.mark.parametrize("path", list(paths(FULL)), ids=lambda path: ".".join(map(str, path)))
def test_wrong_value_is_refused_where_it_stands(client: FlaskClient, path: tuple[str | int, ...]) -> None:
    """Any value in the place of another is accepted or refused at that place or below; it is never a server error."""
    pointer = "".join(f"/{step}" for step in path)
    for value in WRONG:
        response = client.post(DOSES, json=replaced(FULL, path, value))
        if response.status_code != 200:
            (problem, *_) = check_problem(response, 404 if path == ("agent",) and value == "x" else 422)
            # A coding is refused as a whole.
            assert problem["pointer"].startswith(pointer.removesuffix("/system").removesuffix("/code"))


NAMES = sorted({step for path in paths(FULL) for step in path if isinstance(step, str)})
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["kg", "ivig", "a"])
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES) | st.text(), inner, max_size=5),
    max_leaves=25,
)


@settings(max_examples=300, derandomize=True, deadline=None)
@given(document=ANYTHING)
def test_any_document_gets_an_answer(app: Flask, document: Any) -> None:
    """Whatever JSON is sent, or what Python takes for JSON, the answer is below 500."""
    response = app.test_client().post(DOSES, data=json.dumps(document), content_type=JSON)

    if response.status_code != 200:
        check_problem(response, response.status_code)
    assert response.status_code < 500


@settings(max_examples=200, derandomize=True, deadline=None)
@given(body=st.binary(max_size=200))
def test_any_bytes_get_an_answer(app: Flask, body: bytes) -> None:
    """Bytes that are no JSON at all are refused as such."""
    response = app.test_client().post(DOSES, data=body, content_type=JSON)

    check_problem(response, response.status_code)
    assert response.status_code < 500
