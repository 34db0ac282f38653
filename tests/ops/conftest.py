"""What the tests of operation share: the project's folder, and servers that are started as an operator starts them."""

import http.client
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parents[2]
# Knowledge is compiled before the first answer; a machine busy with other tests needs a while for that.
START_SECONDS = 30
# Above the graceful timeout of gunicorn.conf.py: a server that takes longer did not stop by itself.
STOP_SECONDS = 40


@dataclass(frozen=True, slots=True)
class Server:
    """A server process that answers on a port of this machine."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def ask(self, path: str, body: object = None) -> tuple[int, Any]:
        """Return the status and the decoded JSON of a GET, or of a POST where there is a body."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)) as connection:
            if body is None:
                connection.request("GET", path)
            else:
                connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
        return answer.status, json.loads(text) if "json" in answer.getheader("Content-Type", "") else text

    def terminate(self) -> int:
        """Send SIGTERM, as a container platform does, and return the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS)


@pytest.fixture(scope="session")
def project() -> Path:
    """The root folder of the project."""
    return PROJECT


@pytest.fixture(scope="session")
def absent() -> Callable[[str], None]:
    """Skip for want of a part that the machine lacks; fail under CI=true, where a skipped test would go unnoticed."""

    def skip_or_fail(what: str) -> None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{what} (skipped outside CI)")
        pytest.skip(what)

    return skip_or_fail


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start servers and wait for their first answer; whatever still runs at the end is killed."""
    servers: list[Server] = []

    def start_one(command: Sequence[str], *, env: Mapping[str, str], cwd: Path, **identity: Any) -> Server:
        log = tmp_path / f"server-{len(servers)}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                cwd=cwd,
                env={"HOST": "127.0.0.1", **env},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # A session of its own, so that the workers can be killed with the server.
                start_new_session=True,
                **identity,
            )
        servers.append(Server(process, int(env["PORT"]), log))
        wait_until_live(servers[-1])
        return servers[-1]

    yield start_one
    for server in servers:
        if server.process.poll() is None:
            os.killpg(server.process.pid, signal.SIGKILL)
            server.process.wait()


def wait_until_live(server: Server) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            break
        try:
            server.ask("/livez")
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"The server did not start (exit code {server.process.poll()}). Its log:\n{server.log.read_text()}")


@pytest.fixture
def free_port() -> int:
    """A port that nothing listens on."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return int(listener.getsockname()[1])
