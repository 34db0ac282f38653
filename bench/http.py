"""The service and the bare route over HTTP, under the same gunicorn settings, asked in turns by one client."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import bare, engine, process

_PROJECT = Path(__file__).resolve().parents[1]
_HOST = "127.0.0.1"
#: Links in answers begin with the name that was asked, so both servers are asked by the same.
_NAME = "dosing.example.org"
_START_SECONDS = 60
_ANSWER_SECONDS = 10
# Above the graceful timeout of gunicorn.conf.py: a server that takes longer does not stop by itself.
_STOP_SECONDS = 30
# One connection waits while the other is answered, so the worker is never idle; more would only wait longer.
_CONNECTIONS = 2
_WARM_UP = 200


class Connection:
    """A kept connection that sends prepared bytes and reads an answer by its length.

    A real client would take longer for an answer than the server, and the ratio would be of two clients.
    """

    def __init__(self, port: int, request: engine.Request) -> None:
        head = (
            f"POST {request.path} HTTP/1.1\r\nHost: {_NAME}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(request.body)}\r\n\r\n"
        )
        self._request = head.encode() + request.body
        self._socket = socket.create_connection((_HOST, port), timeout=_ANSWER_SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self) -> None:
        """Close the connection, so that a server that stops need not wait for it."""
        self._socket.close()

    def send(self) -> float:
        """Send the request and return the moment."""
        now = time.perf_counter()
        self._socket.sendall(self._request)
        return now

    def receive(self) -> tuple[bytes, bytes]:
        """Return head and body of the next answer."""
        data = self._more()
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += self._more()
        length = int(data[:end].lower().partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0])
        while len(data) < end + 4 + length:
            data += self._more()
        return data[:end], data[end + 4 :]

    def _more(self) -> bytes:
        data = self._socket.recv(65536)
        assert data, "the server closed the connection"
        return data


@dataclass(slots=True)
class Side:
    """One of the two servers, and what it reached in each round."""

    connections: Sequence[Connection]
    worker: int | None
    expected: bytes
    rates: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    memory: process.Memory | None = None

    def ask(self, count: int, connections: int = _CONNECTIONS) -> list[float]:
        """Ask ``count`` times, with one request under way on each connection, and return the seconds each took."""
        asking = self.connections[:connections]
        sent = [connection.send() for connection in asking]
        taken = []
        for number in range(count):
            turn = number % connections
            head, body = asking[turn].receive()
            taken.append(time.perf_counter() - sent[turn])
            assert head.startswith(b"HTTP/1.1 200 "), head
            assert body == self.expected, "two answers to one request differ"
            if number + connections < count:
                sent[turn] = asking[turn].send()
        return taken

    def measure(self, requests: int) -> None:
        """Add a round: throughput and processor time with the worker kept busy, then waiting times one by one."""
        cpu, start = process.cpu_seconds(self.worker), time.perf_counter()
        self.ask(requests)
        self.rates.append(requests / (time.perf_counter() - start))
        self.cpu.append((process.cpu_seconds(self.worker) - cpu) / requests)
        # With two connections each request waits for the other one: that is half of a queue, not of an answer.
        self.latencies += self.ask(requests // 4, connections=1)


def compare(request: engine.Request, *, rounds: int, requests: int) -> tuple[Side, Side]:
    """Return what the service and the bare route reach with a request."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="bench-")))
        server, port = stack.enter_context(_serving("dosing_service.wsgi:application()", folder / "service.log"))
        service, head = _side(stack, server, port, request)
        answer = folder / "answer"
        answer.write_bytes(head + b"\r\n\r\n" + service.expected)
        environment = {bare.ANSWER_FILE: str(answer)}
        server, port = stack.enter_context(_serving("bench.bare:create_app()", folder / "bare.log", **environment))
        repeated, bare_head = _side(stack, server, port, request)
        assert repeated.expected == service.expected, "the two bodies differ"
        assert _undated(bare_head) == _undated(head), "the two heads differ"
        _measure_in_turns(service, repeated, rounds, requests)
    return service, repeated


def _side(stack: contextlib.ExitStack, server: int, port: int, request: engine.Request) -> tuple[Side, bytes]:
    connections = [stack.enter_context(contextlib.closing(Connection(port, request))) for _ in range(_CONNECTIONS)]
    connections[0].send()
    head, expected = connections[0].receive()
    # The worker is there once it has answered, not when its server starts to listen.
    return Side(connections, process.only_child(server), expected), head


def _measure_in_turns(service: Side, repeated: Side, rounds: int, requests: int) -> None:
    for side in (service, repeated):
        side.ask(_WARM_UP)
    for number in range(rounds):
        # Whoever comes second finds the machine warmer, or busier: each is second in every other round.
        for side in (service, repeated) if number % 2 else (repeated, service):
            side.measure(requests)
    for side in (service, repeated):
        side.memory = process.memory(side.worker)


def _undated(head: bytes) -> list[bytes]:
    return sorted(line for line in head.split(b"\r\n") if not line.lower().startswith(b"date:"))


@contextlib.contextmanager
def _serving(application: str, log: Path, **environment: str) -> Iterator[tuple[int, int]]:
    """Serve ``application`` with one worker; yield the process id of the server and its port."""
    port = _free_port()
    settings = {"HOST": _HOST, "PORT": str(port), "WEB_CONCURRENCY": "1", "GUNICORN_CMD_ARGS": ""}
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--config", "gunicorn.conf.py", application],
            cwd=_PROJECT,
            env={**os.environ, **settings, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # A group of its own: Ctrl-C then reaches the benchmark alone, which stops its servers in order.
            start_new_session=True,
        )
    try:
        _wait_until_listening(server, port, log)
        yield server.pid, port
    finally:
        _stop(server)


def _free_port() -> int:
    with contextlib.closing(socket.create_server((_HOST, 0))) as listener:
        return int(listener.getsockname()[1])


def _wait_until_listening(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection((_HOST, port), timeout=1):
            return
        time.sleep(0.05)
    raise RuntimeError(f"a server did not start (exit code {server.poll()}); its log:\n{log.read_text()}")


def _stop(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
