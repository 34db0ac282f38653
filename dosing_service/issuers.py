"""The CDS clients whose tokens are believed, as an operator writes them down."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dosing_service import addresses

#: The public sandbox signs with a private key that anybody can read in its repository, on purpose: its tokens prove
#: nothing. It is believed only where its entry says so.
SANDBOX_HOST = "sandbox.cds-hooks.org"
_NAMES = frozenset({"iss", "jwks", "jwks_file", "jku", "tenants", "sandbox"})


@dataclass(frozen=True, slots=True)
class Issuer:
    """A client that signs its requests: its keys are either ``jwks`` or lie at ``jku``, an address of the operator's.

    ``tenants`` are those that are accepted, ``None`` accepts any.
    """

    iss: str
    jwks: Mapping[str, Any] | None = field(default=None, repr=False)
    jku: str | None = None
    tenants: frozenset[str] | None = None


def read(text: str) -> tuple[Issuer, ...]:
    """Return the issuers in ``text``, which is a JSON list, or the path of a file with one.

    Raises:
        ValueError: the message says what is expected where; it repeats no value.
    """
    entries = _json(text if text.lstrip().startswith("[") else _file(text, "the file"), "the list")
    if not isinstance(entries, list) or not entries:
        raise ValueError("it holds no list of issuers")
    issuers = tuple(_issuer(entry, f"entry {place}") for place, entry in enumerate(entries, 1))
    if len({issuer.iss for issuer in issuers}) < len(issuers):
        raise ValueError("two entries have the same iss")
    return issuers


def _issuer(entry: object, where: str) -> Issuer:
    if not isinstance(entry, dict) or not _NAMES.issuperset(entry):
        raise ValueError(f"{where} is an object with {', '.join(sorted(_NAMES))} and nothing else")
    iss = entry.get("iss")
    if not isinstance(iss, str) or not iss.strip():
        raise ValueError(f"{where}: iss is missing")
    if len({"jwks", "jwks_file", "jku"}.intersection(entry)) != 1:
        raise ValueError(f"{where}: exactly one of jwks, jwks_file and jku says where its keys are")
    issuer = Issuer(iss, _jwks(entry, where), _jku(entry, where), _tenants(entry, where))
    _refuse_sandbox(issuer, entry.get("sandbox"), where)
    return issuer


def _jwks(entry: Mapping[str, Any], where: str) -> Mapping[str, Any] | None:
    if "jku" in entry:
        return None
    keys = entry["jwks"] if "jwks" in entry else _json(_file(entry["jwks_file"], f"{where}: jwks_file"), where)
    if not isinstance(keys, dict) or not isinstance(keys.get("keys"), list):
        raise ValueError(f"{where}: the keys are a JSON Web Key Set, an object with a list of keys")
    return keys


def _jku(entry: Mapping[str, Any], where: str) -> str | None:
    if "jku" not in entry:
        return None
    address = addresses.parse(entry["jku"])
    if address is None or not address.is_protected:
        raise ValueError(f"{where}: jku is an https address without query")
    return str(address)


def _tenants(entry: Mapping[str, Any], where: str) -> frozenset[str] | None:
    tenants = entry.get("tenants")
    if tenants is None:
        return None
    if not isinstance(tenants, list) or not tenants or not all(isinstance(item, str) and item for item in tenants):
        raise ValueError(f"{where}: tenants is a list of names; leave it out to accept any")
    return frozenset(tenants)


def _refuse_sandbox(issuer: Issuer, sandbox: object, where: str) -> None:
    if sandbox is True:
        return
    if any(SANDBOX_HOST in (text or "").lower() for text in (issuer.iss, issuer.jku)):
        raise ValueError(f"{where}: the private key of this issuer is public; for a test say sandbox: true")
    if sandbox is not None:
        raise ValueError(f"{where}: sandbox is true or left out")


def _file(path: object, where: str) -> str:
    if not isinstance(path, str):
        raise ValueError(f"{where} is the path of a file")
    try:
        return Path(path).read_text("utf-8")
    except (OSError, ValueError) as error:
        raise ValueError(f"{where} cannot be read") from error


def _json(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{where} is not JSON") from error
