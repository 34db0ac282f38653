"""Signed tokens: what one says, and whether a key signed it. Nothing here knows whom to believe."""

import base64
import json
import re
from collections.abc import Mapping
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from dosing_service.errors import Untrusted
from dosing_service.model import Value

#: The two algorithms that CDS Hooks recommends, with the type of key each needs. Everything else is refused: ``none``
#: proves nothing, and with HMAC whoever can check a token can also make one.
ALGORITHMS = {"ES384": "EC", "RS384": "RSA"}
#: A header field is at most this long when gunicorn passes it on, so a longer token cannot arrive.
_MAX_LENGTH = 8190
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)
#: A modulus of 2048 bits in base64url; a shorter one is not safe any more.
_LEAST_MODULUS = 342
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})

Key = ECKey | RSAKey


class _Registry(jws.JWSRegistry):
    """What joserfc lets through. A header that names the address of its keys outgrows the usual 512 bytes."""

    max_header_length = 4096


#: Header fields that nobody knows are ignored, as RFC 7515 asks; ``crit`` is refused before.
_REGISTRY = _Registry(algorithms=list(ALGORITHMS), strict_check_header=False)


class Token(Value, frozen=True):
    """What a token says before anybody checked its signature."""

    text: str
    algorithm: str
    kid: str
    jku: str | None
    claims: Mapping[str, Any]

    def __repr__(self) -> str:
        """Say nothing: a token opens doors to whoever reads it in a log."""
        return "Token(...)"


def read(text: str) -> Token:
    """Return what the token ``text`` says.

    Raises:
        Untrusted: it is no signed token of the kind that is accepted here.
    """
    if len(text) > _MAX_LENGTH or not _COMPACT.fullmatch(text):
        raise Untrusted("malformed")
    header, claims = (_object(part) for part in text.split(".")[:2])
    algorithm, kid, jku = header.get("alg"), header.get("kid"), header.get("jku")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise Untrusted("algorithm")
    # Whatever must be understood (crit) is not, and an unencoded payload (b64) is no token.
    if str(header.get("typ")).upper() != "JWT" or {"crit", "b64"}.intersection(header):
        raise Untrusted("header")
    if not isinstance(kid, str) or not kid or not isinstance(jku, str | None):
        raise Untrusted("header")
    return Token(text, algorithm, kid, jku, claims)


def _object(part: str) -> dict[str, Any]:
    try:
        content = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        raise Untrusted("malformed") from None
    if not isinstance(content, dict):
        raise Untrusted("malformed")
    return content


def is_signed(token: Token, key: Key) -> bool:
    """Tell whether ``key`` signed ``token`` with the algorithm that fits the key."""
    if key.key_type != ALGORITHMS[token.algorithm]:
        return False
    try:
        jws.deserialize_compact(token.text, key, registry=_REGISTRY)
    except (JoseError, ValueError):
        return False
    return True


def usable_keys(key_set: object) -> dict[str, Key]:
    """Return the keys of a JSON Web Key Set that can check a signature here, by their ids.

    Sets hold keys for other uses, too; those, symmetric, short and unreadable ones are left out.

    Raises:
        ValueError: a private key is among them. Whoever reads the set can sign with it.
    """
    keys = key_set.get("keys") if isinstance(key_set, dict) else None
    found: dict[str, Key] = {}
    for entry in keys if isinstance(keys, list) else []:
        key = _key(entry) if isinstance(entry, dict) else None
        if key is not None:
            found.setdefault(entry["kid"], key)
    return found


def _key(entry: dict[str, Any]) -> Key | None:
    if _PRIVATE.intersection(entry):
        raise ValueError("a private key stands among the keys; only public keys belong there")
    if not _is_for_signatures(entry):
        return None
    try:
        key = ECKey.import_key(entry) if entry["kty"] == "EC" else RSAKey.import_key(entry)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return key


def _is_for_signatures(entry: Mapping[str, Any]) -> bool:
    if not isinstance(entry.get("kid"), str) or not entry["kid"] or entry.get("use", "sig") != "sig":
        return False
    if entry.get("kty") == "EC":
        return entry.get("crv") == "P-384" and entry.get("alg", "ES384") == "ES384"
    modulus = entry.get("n")
    is_long = isinstance(modulus, str) and len(modulus) >= _LEAST_MODULUS
    return entry.get("kty") == "RSA" and is_long and entry.get("alg", "RS384") == "RS384"
