"""gunicorn.conf.py, tried on a real server: how it starts, what it says, what it leaves behind and how it stops."""

import contextlib
import http.client
import json
import os
import runpy
import signal
import socket
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.slow

CALCULATION = {"agent": "warfarin", "patient": {"age": {"value": 50, "unit": "a"}}}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def serve(start: Callable[..., Any], project: Path, home: Path, free_port: int) -> Callable[..., Any]:
    """Start the service as `make run` does, on a free port and with an empty home."""

    def serve_with(**env: str) -> Any:
        command = [
            sys.executable,
            "-m",
            "gunicorn",
            "--config",
            "gunicorn.conf.py",
            "dosing_service.wsgi:application()",
        ]
        settings = {"PATH": os.environ["PATH"], "HOME": str(home), "PORT": str(free_port), **env}
        return start(command, env=settings, cwd=project)

    return serve_with


@pytest.fixture
def settings(project: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """Read gunicorn.conf.py under these environment variables alone."""

    def read(**env: str) -> dict[str, Any]:
        for name in ("HOST", "PORT", "WEB_CONCURRENCY", "FORWARDED_ALLOW_IPS"):
            monkeypatch.delenv(name, raising=False)
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(project / "gunicorn.conf.py"))

    return read


@pytest.mark.parametrize(
    ("env", "bind", "why"),
    [
        ({}, "127.0.0.1:8080", "nothing is opened to a network unasked"),
        ({"PORT": "9000"}, "127.0.0.1:9000", "a port alone does not open anything"),
        ({"HOST": "0.0.0.0"}, "0.0.0.0:8080", "a container has to listen everywhere"),
        ({"HOST": "::1", "PORT": "9000"}, "[::1]:9000", "an IPv6 address needs its brackets"),
    ],
)
def test_address_comes_from_the_environment(
    settings: Callable[..., dict[str, Any]], env: dict[str, str], bind: str, why: str
) -> None:
    """HOST and PORT say where the server listens, loopback and 8080 where they are absent."""
    assert bind == settings(**env)["bind"], why


def test_no_proxy_is_believed_unless_it_is_named(settings: Callable[..., dict[str, Any]]) -> None:
    """Forwarded headers count from loopback alone, until FORWARDED_ALLOW_IPS names a gateway."""
    assert settings()["forwarded_allow_ips"] == "127.0.0.1,::1"
    assert settings(FORWARDED_ALLOW_IPS="10.0.0.7")["forwarded_allow_ips"] == "10.0.0.7"


def test_server_stops_before_a_container_platform_kills_it(settings: Callable[..., dict[str, Any]]) -> None:
    """The graceful timeout is below the 30 seconds that Kubernetes and Compose files commonly grant."""
    assert settings()["graceful_timeout"] < 30


def test_server_answers_on_the_port_it_was_given(serve: Callable[..., Any]) -> None:
    """PORT is honoured: the service lives there and calculates."""
    server = serve()

    assert server.ask("/livez")[0] == 200
    status, answer = server.ask("/v1/dose-calculations", CALCULATION)
    assert (status, answer["agent"]["id"]) == (200, "warfarin"), answer


def test_web_concurrency_sets_the_number_of_workers(serve: Callable[..., Any]) -> None:
    """WEB_CONCURRENCY=3 starts three workers."""
    server = serve(WEB_CONCURRENCY="3")

    wait_for_log(server, "Booting worker", times=3)
    assert server.log.read_text().count("Booting worker") == 3


def test_request_in_flight_is_answered_before_the_server_stops(serve: Callable[..., Any]) -> None:
    """A request begun before SIGTERM gets its answer, and then the exit code is 0."""
    server = serve()
    body = json.dumps(CALCULATION).encode()
    head = (
        "POST /v1/dose-calculations HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as caller:
        caller.sendall(head.encode())
        # A worker says this once it has begun to handle the request.
        assert caller.recv(1024).startswith(b"HTTP/1.1 100 Continue")
        server.process.send_signal(signal.SIGTERM)
        wait_for_log(server, "Handling signal: term")
        caller.sendall(body)
        answer = http.client.HTTPResponse(caller)
        answer.begin()
        assert answer.status == 200
        assert json.load(answer)["agent"]["id"] == "warfarin"
        answer.close()
    assert server.process.wait(20) == 0, server.log.read_text()


def test_idle_connection_does_not_hold_up_the_stop(serve: Callable[..., Any]) -> None:
    """A gateway's kept-alive connection, which may stay open for over a minute, is closed when the server stops."""
    server = serve()
    gateway = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    with contextlib.closing(gateway):
        gateway.request("GET", "/livez")
        gateway.getresponse().read()
        assert gateway.sock is not None, "The server did not keep the connection."
        begun = time.monotonic()
        assert server.terminate() == 0
        assert time.monotonic() - begun < 10


def test_server_leaves_nothing_in_the_home_folder(serve: Callable[..., Any], home: Path) -> None:
    """No control socket and no other file is written to HOME, which a read-only container does not have."""
    server = serve()
    server.ask("/v1/dose-calculations", CALCULATION)
    server.terminate()

    assert list(home.rglob("*")) == []


def test_log_says_nothing_of_what_was_asked(serve: Callable[..., Any]) -> None:
    """Neither the query nor anything from the body of a request reaches the log, whoever writes it."""
    server = serve()
    server.ask("/v1/agents?indication=tell-tale")
    server.ask("/v1/dose-calculations", CALCULATION)
    server.terminate()

    log = server.log.read_text()
    assert [word for word in ("tell-tale", "warfarin") if word in log] == []


def test_access_log_that_is_switched_on_holds_no_query_and_no_address(serve: Callable[..., Any]) -> None:
    """An operator who wants an access log gets method, path and status, without query and address."""
    server = serve(GUNICORN_CMD_ARGS="--access-logfile -")
    server.ask("/livez?indication=tell-tale")
    server.terminate()

    lines = [line for line in server.log.read_text().splitlines() if '"GET /livez' in line]
    assert lines
    assert [line for line in lines if "tell-tale" in line or "127.0.0.1" in line] == []


def test_cards_and_feedback_are_served_and_leave_no_trace_of_the_patient(
    serve: Callable[..., Any], project: Path, tmp_path: Path
) -> None:
    """The call of the contract gets its card from either worker; feedback on it is kept once, whoever takes it."""
    operation = yaml.safe_load((project / "openapi.yaml").read_text())["paths"]["/cds-services/{id}"]["post"]
    call = operation["requestBody"]["content"]["application/json"]["examples"]["a-weekly-drug-ordered-daily"]["value"]
    database = tmp_path / "feedback.sqlite"
    server = serve(DOSING_FEEDBACK_DATABASE=str(database), GUNICORN_CMD_ARGS="--access-logfile -")
    path = "/cds-services/calcinosis-order-sign"

    assert len(server.ask("/cds-services")[1]["services"]) == 3
    answers = [server.ask(path, call) for _ in range(8)]
    assert {status for status, _ in answers} == {200}
    cards = [card["uuid"] for _, answer in answers for card in answer["cards"] if card["indicator"] == "critical"]
    assert len(cards) == 8
    assert len(set(cards)) == 1
    report = {"card": cards[0], "outcome": "overridden", "outcomeTimestamp": "2026-12-01T08:30:00Z"}
    assert {server.ask(f"{path}/feedback", {"feedback": [report]}) for _ in range(8)} == {(200, b"")}
    server.terminate()

    with contextlib.closing(sqlite3.connect(database)) as kept:
        assert kept.execute("SELECT card, outcome FROM feedback").fetchall() == [(cards[0], "overridden")]
    log = server.log.read_text()
    assert path in log
    assert [word for word in ("patient-1", "practitioner-1", "alendronate", "order-1") if word in log] == []


def wait_for_log(server: Any, words: str, times: int = 1) -> None:
    deadline = time.monotonic() + 10
    while server.log.read_text().count(words) < times:
        assert time.monotonic() < deadline, f"The log does not say {words!r} {times} times:\n{server.log.read_text()}"
        time.sleep(0.05)
