"""Addresses of other servers, read by a closed grammar and compared part by part.

General readers of URLs disagree about user names, backslashes, encoded dots and empty segments, and each disagreement
is a way around an allowlist. What this grammar does not know is refused.
"""

import re
from dataclasses import dataclass

_ADDRESS = re.compile(
    r"(?P<scheme>https?)://"
    r"(?P<host>[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])"
    r"(?::(?P<port>[1-9][0-9]{0,4}))?"
    r"(?P<path>(?:/[A-Za-z0-9._~:-]+)*)/?",
    re.IGNORECASE | re.ASCII,
)
_PORTS = {"http": 80, "https": 443}
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
#: Longer than any address of a server, and short enough to compare without a thought.
_MAX_LENGTH = 2048


@dataclass(frozen=True, slots=True)
class Address:
    """An http address without user name, query and fragment; scheme and host in lower case, no slash at the end."""

    scheme: str
    host: str
    port: int
    path: str

    def __str__(self) -> str:
        """Return the address as text, the port only where it is not the usual one."""
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{self.host}{port}{self.path}"

    @property
    def is_protected(self) -> bool:
        """Tell whether nobody on the way can read what is sent: TLS, or this machine itself."""
        return self.scheme == "https" or self.host in _LOOPBACK

    def holds(self, other: "Address") -> bool:
        """Tell whether ``other`` is this address or lies below it, on the same scheme, host and port."""
        same_server = (self.scheme, self.host, self.port) == (other.scheme, other.host, other.port)
        return same_server and (other.path == self.path or other.path.startswith(f"{self.path}/"))


def parse(text: object) -> Address | None:
    """Return the address that ``text`` is, or ``None`` where it is none that this service would speak to."""
    if not isinstance(text, str) or len(text) > _MAX_LENGTH:
        return None
    match = _ADDRESS.fullmatch(text)
    if match is None or any(not segment.strip(".") for segment in match["path"].split("/")[1:]):
        return None
    scheme = match["scheme"].lower()
    port = int(match["port"] or _PORTS[scheme])
    return Address(scheme, match["host"].lower(), port, match["path"]) if port < 65536 else None
