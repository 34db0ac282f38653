"""Which callers are believed: clients named by the operator that sign each request with a JSON Web Token.

No address out of a request is ever called: where the keys of a client are is a setting.
"""

import hashlib
import heapq
import json
import logging
import math
import threading
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

from flask import Request

from dosing_service import config
from dosing_service.cds_hooks import outgoing, signature
from dosing_service.cds_hooks.signature import Key, Token
from dosing_service.errors import SettingsError, Untrusted
from dosing_service.issuers import Issuer
from dosing_service.model import Value

#: How far two clocks may be apart; the conformance tests of the specification allow the same.
LEEWAY_SECONDS = 60
#: A token that lives longer is refused, since it has to be remembered as long. The longest one documented lives 900 s.
MAX_LIFETIME_SECONDS = 3600
#: Tokens remembered by one process: 900 s at 50 requests a second, in about 10 MB.
MAX_REMEMBERED = 50_000
#: Keys that were fetched are fetched again after an hour, and believed for a day when that fails.
_FRESH_SECONDS = 3600
_STALE_SECONDS = 86_400
#: A token with an unknown key id makes its issuer's keys be fetched again, but no more often than this.
_PAUSE_SECONDS = 60
#: While there is no key at all every request of the issuer is refused, so the next attempt comes sooner.
_PAUSE_WITHOUT_KEYS_SECONDS = 5
_KEYS_BUDGET_SECONDS = 1.0
_MAX_KEYS_BYTES = 256 * 1024

_log = logging.getLogger(__name__)


class Caller(Value, frozen=True):
    """A client that was recognised: its issuer and, where its token names one, the organisation in it."""

    iss: str
    tenant: str | None = None


class Seen:
    """The tokens that were used, until they expire. Each process has its own: behind several, a token counts once in
    each. When it is full, the token that expires first is forgotten.
    """

    def __init__(self, capacity: int = MAX_REMEMBERED) -> None:
        self._capacity = capacity
        self._lock = threading.Lock()
        self._known: set[bytes] = set()
        self._by_end: list[tuple[float, bytes]] = []

    def is_first(self, iss: str, jti: str, *, until: float, now: float) -> bool:
        """Remember a token until a time, and tell whether it was unknown."""
        mark = hashlib.sha256(json.dumps([iss, jti]).encode()).digest()
        with self._lock:
            while self._by_end and self._by_end[0][0] < now:
                self._forget()
            if mark in self._known:
                return False
            if len(self._by_end) >= self._capacity:
                self._forget()
            self._known.add(mark)
            heapq.heappush(self._by_end, (until, mark))
        return True

    def _forget(self) -> None:
        """Forget the token that expires first."""
        self._known.discard(heapq.heappop(self._by_end)[1])


class Keys:
    """The public keys of one issuer: as they stand in the settings, or fetched from its address and kept."""

    def __init__(self, issuer: Issuer) -> None:
        self._jku = issuer.jku
        self._keys = signature.usable_keys(issuer.jwks)
        self._fetched_at = self._tried_at = -math.inf
        self._lock = threading.Lock()

    @property
    def are_missing(self) -> bool:
        """Tell whether there is neither a key nor an address to fetch one from."""
        return not self._keys and self._jku is None

    def find(self, kid: str, now: float) -> Key | None:
        """Return the key with this id."""
        if self._jku is None or (kid in self._keys and now - self._fetched_at < _FRESH_SECONDS):
            return self._keys.get(kid)
        # Others wait for the one that fetches, a second at most, unless they can go on with the key they have.
        if self._lock.acquire(blocking=kid not in self._keys):
            try:
                self._fetch(now)
            finally:
                self._lock.release()
        return self._keys.get(kid) if now - self._fetched_at < _STALE_SECONDS else None

    def _fetch(self, now: float) -> None:
        pause = _PAUSE_SECONDS if self._keys else _PAUSE_WITHOUT_KEYS_SECONDS
        if self._jku is None or now - self._tried_at < pause:
            return
        self._tried_at = now
        answer = outgoing.get(
            {"keys": self._jku},
            headers={"Accept": "application/json"},
            budget_seconds=_KEYS_BUDGET_SECONDS,
            max_bytes=_MAX_KEYS_BYTES,
        )["keys"]
        try:
            keys = signature.usable_keys(answer)
        except ValueError:
            answer, keys = outgoing.Failure("a private key among them"), {}
        if not keys:
            reason = answer.reason if isinstance(answer, outgoing.Failure) else "no usable key"
            _log.warning("keys of a CDS client could not be fetched from %s: %s", self._jku, reason)
            return
        self._keys, self._fetched_at = keys, now


class Clients:
    """The clients that one application believes, with their keys and the tokens they have used."""

    def __init__(self, settings: config.Settings, clock: Callable[[], float] = time.time) -> None:
        """Take the issuers of ``settings``.

        Raises:
            SettingsError: an issuer has no key that can be used, or a private one.
        """
        self._issuers = {issuer.iss: issuer for issuer in settings.cds_issuers}
        self._keys = {issuer.iss: _keys(issuer, place) for place, issuer in enumerate(settings.cds_issuers, 1)}
        self._audiences = settings.cds_audiences
        self._clock = clock
        self._seen = Seen()

    def recognise(self, request: Request) -> Caller:
        """Return the client that sent ``request``.

        Raises:
            Untrusted: it did not prove to be one of the issuers.
        """
        try:
            return verify(
                _bearer(request),
                audiences=accepted_audiences(self._audiences, request.path),
                issuers=self._issuers,
                keys=self._keys,
                seen=self._seen,
                now=self._clock(),
            )
        except Untrusted as refused:
            _log.warning("a CDS client was refused: %s", refused.reason)
            raise


def _keys(issuer: Issuer, place: int) -> Keys:
    try:
        keys = Keys(issuer)
    except ValueError as error:
        raise SettingsError(f"DOSING_CDS_ISSUERS is not accepted: entry {place}: {error}") from None
    if keys.are_missing:
        raise SettingsError(
            f"DOSING_CDS_ISSUERS is not accepted: entry {place}: no key with a kid for ES384 (curve P-384) or "
            "RS384 (2048 bits or more)"
        )
    return keys


def clients_of(settings: config.Settings) -> Clients | None:
    """Return the clients that are believed, ``None`` where the settings let everybody in.

    Raises:
        SettingsError: an issuer has no key that can be used, or a private one.
    """
    return Clients(settings) if settings.cds_trust is config.Trust.JWT else None


def require_caller(request: Request, clients: Clients | None) -> Caller | None:
    """Return the client that sent ``request``, ``None`` where the settings let everybody in.

    Raises:
        Untrusted: it did not prove to be one of the issuers.
    """
    return clients.recognise(request) if clients else None


def accepted_audiences(settings: Collection[str], path: str) -> frozenset[str]:
    """Return the values of ``aud`` that a token for ``path`` may have: each setting as it stands, and with the path.

    The host of the request is not asked, since the caller writes it: a token made for another service would pass here
    under that service's name. Some clients sign feedback for the service it is about.
    """
    paths = {path, path.removesuffix("/feedback")}
    return frozenset(settings) | {f"{setting.rstrip('/')}{item}" for setting in settings for item in paths}


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise Untrusted("no token")
    return token.strip()


def verify(
    text: str,
    *,
    audiences: Collection[str],
    issuers: Mapping[str, Issuer],
    keys: Mapping[str, Keys],
    seen: Seen,
    now: float,
) -> Caller:
    """Return the client that signed the token ``text``. The signature comes after what is cheaper to check.

    Raises:
        Untrusted: with the first thing that is wrong.
    """
    token = signature.read(text)
    claims = token.claims
    issuer = issuers.get(claims["iss"]) if isinstance(claims.get("iss"), str) else None
    if issuer is None:
        raise Untrusted("issuer")
    _check_audience(claims.get("aud"), audiences)
    end = _check_times(claims, now)
    tenant = _tenant(claims, issuer)
    _check_signature(token, issuer, keys[issuer.iss], now)
    jti = claims.get("jti")
    if not isinstance(jti, str) or not jti:
        raise Untrusted("no jti")
    if not seen.is_first(issuer.iss, jti, until=end + LEEWAY_SECONDS, now=now):
        raise Untrusted("used before")
    return Caller(issuer.iss, tenant)


def _check_audience(aud: object, audiences: Collection[str]) -> None:
    named = aud if isinstance(aud, list) else [aud]
    if not any(isinstance(item, str) and item in audiences for item in named):
        raise Untrusted("audience")


def _check_times(claims: Mapping[str, Any], now: float) -> float:
    """Return when the token expires."""
    issued, end, begin = (_time(claims.get(name)) for name in ("iat", "exp", "nbf"))
    if end is None or issued is None or (begin is None and "nbf" in claims):
        raise Untrusted("no times")
    if end <= now - LEEWAY_SECONDS:
        raise Untrusted("expired")
    if max(issued, begin or 0) > now + LEEWAY_SECONDS:
        raise Untrusted("not valid yet")
    if end > now + MAX_LIFETIME_SECONDS + LEEWAY_SECONDS:
        raise Untrusted("lives too long")
    return end


def _time(value: object) -> float | None:
    """Return seconds since 1970; 10 billion of them, in the year 2286, are far enough."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 10_000_000_000:
        return None
    return float(value)


def _tenant(claims: Mapping[str, Any], issuer: Issuer) -> str | None:
    tenant = claims.get("tenant")
    if issuer.tenants is not None and (not isinstance(tenant, str) or tenant not in issuer.tenants):
        raise Untrusted("tenant")
    return tenant if isinstance(tenant, str) else None


def _check_signature(token: Token, issuer: Issuer, keys: Keys, now: float) -> None:
    if issuer.jku is not None and token.jku not in {None, issuer.jku}:
        raise Untrusted("key address")
    key = keys.find(token.kid, now)
    if key is None:
        raise Untrusted("key")
    if not signature.is_signed(token, key):
        raise Untrusted("signature")
