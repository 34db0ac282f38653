"""What the tests of trust share: keys, tokens, and servers of this machine that behave as they are told."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

#: A moment in 2026, as seconds since 1970.
NOW = 1_795_000_000.0
PUBLIC = "https://cds.example.org/dosing"
PATH = "/cds-services/calcinosis-order-sign"
ISS = "https://ehr.example.org"


@pytest.fixture(scope="session")
def ec_key() -> ECKey:
    """A key pair for ES384."""
    return ECKey.generate_key("P-384", {"kid": "ec"})


@pytest.fixture(scope="session")
def rsa_key() -> RSAKey:
    """A key pair for RS384."""
    return RSAKey.generate_key(2048, {"kid": "rsa"})


@pytest.fixture(scope="session")
def key_set(ec_key: ECKey, rsa_key: RSAKey) -> dict[str, Any]:
    """The public keys of both, as a client publishes them."""
    return {"keys": [key.as_dict(private=False) for key in (ec_key, rsa_key)]}


Sign = Callable[..., str]


@pytest.fixture(scope="session")
def sign(ec_key: ECKey, rsa_key: RSAKey) -> Sign:
    """Make a token that is right, except for what is named; ``None`` takes a claim or a header field away."""
    made = iter(range(10**9))

    def make(*, key: Any = None, header: dict[str, Any] | None = None, payload: Any = None, **claims: Any) -> str:
        key = key or ec_key
        algorithm = "ES384" if key.key_type == "EC" else "RS384"
        fields = {"alg": algorithm, "kid": key.kid, "typ": "JWT"} | (header or {})
        usual = {"iss": ISS, "aud": PUBLIC + PATH, "iat": NOW, "exp": NOW + 300, "jti": f"jti-{next(made)}"}
        said = {name: value for name, value in (usual | claims).items() if value is not None}
        return jws.serialize_compact(
            {name: value for name, value in fields.items() if value is not None},
            json.dumps(said) if payload is None else payload,
            key,
            registry=jws.JWSRegistry(algorithms=[fields["alg"] or algorithm], strict_check_header=False),
        )

    return make


class Site:
    """A web server of this machine: what it answers for each path, and what it was asked."""

    def __init__(self, port: int) -> None:
        self.base = f"http://127.0.0.1:{port}"
        self.answers: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        #: Set when the test is over; an answer that never comes waits for it.
        self.over = threading.Event()

    def says(self, path: str, body: bytes | dict[str, Any], status: int = 200, **headers: str) -> None:
        """Answer ``path`` with ``body`` from now on."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()

        def answer(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(status)
            for name, value in headers.items():
                handler.send_header(name.replace("_", "-"), value)
            handler.send_header("Content-Length", str(len(content)))
            handler.end_headers()
            handler.wfile.write(content)

        self.answers[path] = answer

    def is_silent(self, path: str) -> None:
        """Take the request for ``path`` and never answer."""
        self.answers[path] = lambda _: bool(self.over.wait()) and None

    def dribbles(self, path: str, start: bytes) -> None:
        """Answer ``path`` with ``start`` and then a byte now and then, for ever."""

        def answer(handler: BaseHTTPRequestHandler) -> None:
            handler.wfile.write(start)
            while not self.over.wait(0.02):
                handler.wfile.write(b" ")

        self.answers[path] = answer


@pytest.fixture
def site() -> Iterator[Site]:
    """A web server of this machine."""
    found: list[Site] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found[0].asked.append((self.path, dict(self.headers)))
            try:
                found[0].answers[self.path](self)
            except (BrokenPipeError, ConnectionResetError):
                # The client has gone, as it should when its time is over.
                self.close_connection = True

        def log_message(self, *_: Any) -> None:
            """Keep quiet: what is logged is what the tests look at."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found.append(Site(server.server_port))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield found[0]
        found[0].over.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def closed_port() -> int:
    """A port of this machine that nothing listens on."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return int(listener.getsockname()[1])
