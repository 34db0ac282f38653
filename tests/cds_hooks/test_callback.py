"""What is asked from a FHIR server: listed servers alone, in time, and a note for whatever fails."""

import socket
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from dosing_service import addresses
from dosing_service.cds_hooks import outgoing
from dosing_service.cds_hooks.callback import MAX_QUERIES, Fetched, allowed_server, fetch
from dosing_service.config import Settings

OPAQUE = "opaque-token-7"
WEIGHT = {"resourceType": "Observation", "valueQuantity": {"value": 12.5, "unit": "kg"}}
#: Beyond the budget of 0.4 s this is the time a busy machine needs for one more step; far below any second step.
SLACK_SECONDS = 0.3


@pytest.fixture
def settings(site: Any) -> Settings:
    """Settings with the web server of the test on the list."""
    return listing(f"{site.base}/r4")


def listing(*servers: str) -> Settings:
    return Settings(cds_fhir_servers=tuple(address for text in servers if (address := addresses.parse(text))))


def notes(fetched: Fetched) -> dict[str, str]:
    """Return the reasons by key."""
    return {key: reason for note in fetched.notes for key, _, reason in [note.partition(" was not fetched: ")]}


# ---- What is asked


def test_rule_15_listed_server_is_asked(site: Any, settings: Settings) -> None:
    """Each query goes to the server with the token of the request; numbers come back exact."""
    site.says("/r4/Patient/7", {"resourceType": "Patient"})
    site.says("/r4/Observation?patient=7&code=http://loinc.org%7C29463-7", WEIGHT)
    queries = {"patient": "Patient/7", "weight": "Observation?patient=7&code=http://loinc.org|29463-7"}

    fetched = fetch(queries, f"{site.base}/r4/", OPAQUE, settings=settings)

    assert fetched.notes == ()
    assert fetched.resources["patient"] == {"resourceType": "Patient"}
    assert Decimal("12.5") == fetched.resources["weight"]["valueQuantity"]["value"]
    assert isinstance(fetched.resources["weight"]["valueQuantity"]["value"], Decimal)
    for _, headers in site.asked:
        assert headers["Authorization"] == f"Bearer {OPAQUE}"
        assert headers["Accept"] == "application/fhir+json"
        assert headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize(
    "server",
    [
        None,
        7,
        "",
        ["http://127.0.0.1/r4"],
        "https://evil.example.org/r4",
        "{base}",
        "{base}/",
        "{base}/r4x",
        "{base}/r3",
        "{base}/r4/../admin",
        "{base}/r4/./x",
        "{base}/r4/%2e%2e/admin",
        "{base}/r4//x",
        "{base}/r4?x=1",
        "{base}/r4#x",
        "{base}/r4\\x",
        " {base}/r4",
        "{base}/r4\n",
        "https://127.0.0.1/r4",
        "http://localhost:{port}/r4",
        "http://127.0.0.1/r4",
        "http://2130706433:{port}/r4",
        "http://127.0.0.1:{port}@evil.example.org/r4",
        "http://evil.example.org@127.0.0.1:{port}/r4",
        "http://evil.example.org#@127.0.0.1:{port}/r4",
        "http://169.254.169.254/r4",
        "gopher://127.0.0.1:{port}/r4",
        "//127.0.0.1:{port}/r4",
        "http://127.0.0.1.:{port}/r4",
        "http://127.0.0.1:0{port}/r4",
        "http://\uff11\uff12\uff17.0.0.1:{port}/r4",
        "http://127.0.0.1:{port}/r4/" + "x" * 3000,
    ],
)
def test_rule_15_no_other_server_is_called(server: object, site: Any, settings: Settings) -> None:
    """Whatever the request says, only what is on the list, or lies below it, is ever called."""
    if isinstance(server, str):
        server = server.replace("{base}", site.base).replace("{port}", site.base.rpartition(":")[2])

    fetched = fetch({"patient": "Patient/7"}, server, OPAQUE, settings=settings)

    assert fetched.resources == {}
    assert notes(fetched) == {"patient": "the FHIR server is not on the list of this service"}
    assert site.asked == []


@pytest.mark.parametrize(
    ("listed", "server"),
    [
        ("https://fhir.example.org/r4", "https://fhir.example.org/r4"),
        ("https://fhir.example.org/r4", "HTTPS://FHIR.EXAMPLE.ORG:443/r4/"),
        ("https://fhir.example.org/r4", "https://fhir.example.org/r4/tenants/7"),
        ("https://fhir.example.org", "https://fhir.example.org/r4"),
        ("https://fhir.example.org:8443/r4", "https://fhir.example.org:8443/r4"),
        ("http://[::1]:8080/r4", "http://[::1]:8080/r4"),
    ],
)
def test_rule_15_servers_are_compared_part_by_part(listed: str, server: str) -> None:
    """Scheme, host and port are the same, without regard to case, and the path begins with that of the list."""
    assert allowed_server(server, listing(listed)) is not None


def test_rule_15_without_a_list_no_server_is_called() -> None:
    """By default nothing is called back."""
    assert allowed_server("https://fhir.example.org/r4", Settings()) is None


@pytest.mark.parametrize("token", [None, "", 7, "a b", "a\r\nX: y", "é", "t" * 8193])
def test_request_without_a_token_is_not_made(token: object, site: Any, settings: Settings) -> None:
    """A token is one word of plain characters; it cannot add a header."""
    fetched = fetch({"patient": "Patient/7"}, f"{site.base}/r4", token, settings=settings)

    assert notes(fetched) == {"patient": "there is no access token"}
    assert site.asked == []


@pytest.mark.parametrize(
    "query",
    [
        "",
        "/admin",
        "../admin",
        "Patient/..",
        "Patient/.",
        "Patient/..?x=1",
        "Patient/7/../8",
        "Patient//7",
        "Patient/7#x",
        "Patient/7 8",
        "Patient/%2e%2e",
        "https://evil.example.org/",
        "//evil.example.org",
        "@evil.example.org/",
        "Patient\\7",
        "Patient/7\r\nX: y",
        "Patient/7?x=\n",
        "Patient/é",
        "Patient?x=" + "y" * 5000,
    ],
)
def test_query_cannot_leave_the_server_base(query: str, site: Any, settings: Settings) -> None:
    """An id that is a way up, another host or another line is not asked for; the other queries are."""
    site.says("/r4/Patient/7", {"resourceType": "Patient"})

    fetched = fetch({"bad": query, "patient": "Patient/7"}, f"{site.base}/r4", OPAQUE, settings=settings)

    assert notes(fetched) == {"bad": "its query is not one that this service makes"}
    assert [path for path, _ in site.asked] == ["/r4/Patient/7"]


def test_rule_p1_ids_have_no_length_limit(site: Any, settings: Settings) -> None:
    """An id of 190 characters is an id."""
    path = f"Patient/{'e.7-' * 48}"
    site.says(f"/r4/{path}", {"resourceType": "Patient"})

    assert fetch({"patient": path}, f"{site.base}/r4", OPAQUE, settings=settings).notes == ()


def test_number_of_queries_is_bounded(site: Any, settings: Settings) -> None:
    """More queries than any service makes are not asked."""
    queries = {f"q{number}": f"Patient/{number}" for number in range(MAX_QUERIES + 1)}
    for path in queries.values():
        site.says(f"/r4/{path}", {})

    fetched = fetch(queries, f"{site.base}/r4", OPAQUE, settings=settings, budget_seconds=5)

    assert len(fetched.resources) == MAX_QUERIES
    assert list(notes(fetched)) == [f"q{MAX_QUERIES}"]
    assert fetch({}, f"{site.base}/r4", OPAQUE, settings=settings) == Fetched({})


# ---- What fails


@pytest.mark.parametrize(
    ("body", "status", "headers", "reason"),
    [
        (b"", 404, {}, "status 404"),
        (b"", 401, {}, "status 401"),
        (b"", 500, {}, "status 500"),
        (b"", 204, {}, "status 204"),
        (b"<html>", 200, {}, "not JSON"),
        (b"", 200, {}, "not JSON"),
        (b"\xff", 200, {}, "not JSON"),
        (b"[" * 100_000, 200, {}, "not JSON"),
        (b'{"a": 1e99999999999999999999}', 200, {}, "not JSON"),
        (b"[]", 200, {}, "not a JSON object"),
        (b"null", 200, {}, "not a JSON object"),
        (b"{}", 200, {"Content_Encoding": "gzip"}, "a packed answer"),
        (b'"' + b"x" * outgoing.MAX_BYTES + b'"', 200, {}, "too large"),
    ],
)
def test_useless_answer_is_left_out(
    body: bytes, status: int, headers: dict[str, str], reason: str, site: Any, settings: Settings
) -> None:
    """An answer that is no JSON object, or too much, is left out with a note; the others count."""
    site.says("/r4/Patient/7", {"resourceType": "Patient"})
    site.says("/r4/Observation", body, status, **headers)

    fetched = fetch(
        {"weight": "Observation", "patient": "Patient/7"},
        f"{site.base}/r4",
        OPAQUE,
        settings=settings,
        budget_seconds=5,
    )

    assert notes(fetched) == {"weight": reason}
    assert list(fetched.resources) == ["patient"]


def test_all_answers_together_are_bounded(site: Any, settings: Settings) -> None:
    """Answers that are each small enough are not all taken when they come to more than twice the largest."""
    queries = {str(number): f"Observation/{number}" for number in range(4)}
    for path in queries.values():
        site.says(f"/r4/{path}", {"text": "x" * (outgoing.MAX_BYTES - 1000)})

    fetched = fetch(queries, f"{site.base}/r4", OPAQUE, settings=settings, budget_seconds=5)

    assert set(notes(fetched).values()) == {"too large"}
    assert len(fetched.resources) <= 2


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_rule_15_redirects_are_not_followed(status: int, site: Any, settings: Settings) -> None:
    """A token does not follow a redirect, to another host or to the same."""
    site.says("/r4/Patient/7", b"", status, Location=f"{site.base}/r4/Patient/8")
    site.says("/r4/Patient/8", {})

    fetched = fetch({"patient": "Patient/7"}, f"{site.base}/r4", OPAQUE, settings=settings)

    assert notes(fetched) == {"patient": f"status {status}"}
    assert len(site.asked) == 1


def test_server_that_is_not_there_is_noted(closed_port: int) -> None:
    """Nothing listens: a note, no error."""
    base = f"http://127.0.0.1:{closed_port}"

    assert notes(fetch({"patient": "Patient/7"}, base, OPAQUE, settings=listing(base))) == {
        "patient": "no connection, or no HTTP"
    }


def test_server_that_speaks_something_else_is_noted(site: Any, settings: Settings) -> None:
    """Bytes that are not HTTP: a note, no error."""
    site.answers["/r4/Patient/7"] = lambda handler: handler.wfile.write(b"220 mail.example.org\r\n") and None

    assert notes(fetch({"patient": "Patient/7"}, f"{site.base}/r4", OPAQUE, settings=settings)) == {
        "patient": "no connection, or no HTTP"
    }


def test_server_without_trusted_certificate_is_noted(site: Any) -> None:
    """A server that does not prove who it is gets no token: here it speaks no TLS at all."""
    base = site.base.replace("http:", "https:")

    assert notes(fetch({"patient": "Patient/7"}, base, OPAQUE, settings=listing(base))) == {
        "patient": "no connection, or no HTTP"
    }
    assert site.asked == []


# ---- Time


def took(call: Any) -> tuple[Any, float]:
    start = time.monotonic()
    return call(), time.monotonic() - start


def test_rule_15_budget_holds_over_all_queries(site: Any, settings: Settings) -> None:
    """Silent answers cost the budget once, not each; what came before counts."""
    site.says("/r4/Patient/7", {"resourceType": "Patient"})
    queries = {"patient": "Patient/7"} | {f"silent{number}": f"Observation/{number}" for number in range(8)}
    for number in range(8):
        site.is_silent(f"/r4/Observation/{number}")

    fetched, seconds = took(lambda: fetch(queries, f"{site.base}/r4", OPAQUE, settings=settings))

    assert seconds < 0.4 + SLACK_SECONDS
    assert list(fetched.resources) == ["patient"]
    assert set(notes(fetched).values()) == {"no answer in time"}


@pytest.mark.parametrize(
    "start", [b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n{"]
)
def test_rule_15_answer_that_dribbles_is_cut_off(start: bytes, site: Any, settings: Settings) -> None:
    """A server that sends a byte now and then, in its headers or in its body, does not hold the request."""
    site.dribbles("/r4/Patient/7", start)

    fetched, seconds = took(lambda: fetch({"patient": "Patient/7"}, f"{site.base}/r4", OPAQUE, settings=settings))

    assert seconds < 0.4 + SLACK_SECONDS
    assert notes(fetched) == {"patient": "no answer in time"}


@pytest.fixture
def silent_names(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A name server that does not answer until the test is over."""
    over = threading.Event()

    def wait(*_: object, **__: object) -> Any:
        over.wait()
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", wait)
    yield
    over.set()


@pytest.mark.usefixtures("silent_names")
def test_rule_15_silent_name_server_is_cut_off() -> None:
    """A name that is never found does not hold the request either."""
    settings = listing("https://fhir.example.org/r4")

    fetched, seconds = took(
        lambda: fetch({"patient": "Patient/7"}, "https://fhir.example.org/r4", OPAQUE, settings=settings)
    )

    assert seconds < 0.4 + SLACK_SECONDS
    assert notes(fetched) == {"patient": "no answer in time"}


def test_proxies_and_password_files_of_the_machine_are_not_used(
    site: Any, settings: Settings, monkeypatch: pytest.MonkeyPatch, closed_port: int
) -> None:
    """The token goes to the server itself, whatever the environment says."""
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{closed_port}")
    monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{closed_port}")
    site.says("/r4/Patient/7", {})

    assert fetch({"patient": "Patient/7"}, f"{site.base}/r4", OPAQUE, settings=settings).notes == ()
