"""Settings from the environment: frozen, complete, and refused when unknown or wrong."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from dosing_service import addresses, issuers
from dosing_service.addresses import Address
from dosing_service.errors import SettingsError
from dosing_service.issuers import Issuer
from dosing_service.model import Severity

_PREFIX = "DOSING_"


class Trust(StrEnum):
    """What a CDS client has to show before it is answered."""

    NONE = "none"
    JWT = "jwt"


class Profile(StrEnum):
    """Which habits of CDS clients the answers follow."""

    GENERIC = "generic"
    EPIC = "epic"


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator can set. Each field is an environment variable ``DOSING_<NAME>``."""

    max_body_bytes: int = 65536
    """Largest request body in bytes; a dose request with 500 observations stays below it. 1024 to 16777216."""

    public_url: Address | None = None
    """The address that clinicians reach this service at: links in cards begin with it. Without, that of the call."""

    cds_max_body_bytes: int = 2 * 1024 * 1024
    """Largest body of a CDS Hooks call in bytes; it brings a whole record along. 65536 to 16777216."""

    cds_trust: Trust = Trust.NONE
    """Whether CDS clients must sign their requests; without, the network has to keep strangers out."""

    cds_issuers: tuple[Issuer, ...] = ()
    """The clients whose signatures are believed, with their keys: a JSON list or the path of a file with one."""

    cds_audiences: tuple[str, ...] = ()
    """The public addresses of this service, and other values of ``aud`` that are accepted."""

    cds_origins: tuple[Address, ...] = ()
    """Web pages that may call the CDS Hooks services from a browser."""

    cds_fhir_servers: tuple[Address, ...] = ()
    """FHIR servers that may be asked for what a request leaves out; no other address is ever called."""

    cds_profile: Profile = Profile.GENERIC
    """Which habits of CDS clients the answers follow."""

    cds_least_severity_order_select: Severity = Severity.MAJOR
    """The least severity that makes a card while an order is being written."""

    cds_least_severity_order_sign: Severity = Severity.MODERATE
    """The least severity that makes a card when an order is signed."""

    feedback_database: str | None = None
    """The file that keeps feedback on cards; without, it is answered and not kept."""

    rxnorm_index: str | None = None
    """Path of a local RxNorm index (`dosing-service terminology import`); without, records are read by what we know."""


def from_environment(environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings found in ``environment`` (default: the process's own).

    Raises:
        SettingsError: a variable with our prefix is unknown, its value is not accepted, or two of them contradict each
        other; the message names the variable.
    """
    environment = os.environ if environment is None else environment
    names = {f"{_PREFIX}{field.name.upper()}": field.name for field in fields(Settings)}
    given = {key: value for key, value in environment.items() if key.startswith(_PREFIX)}
    for key in given:
        if key not in names:
            raise SettingsError(f"{key} is not a setting of this service; known are {', '.join(names)}")
    settings = Settings(**{names[key]: _read(key, value, _READERS[names[key]]) for key, value in given.items()})
    _refuse_contradictions(settings)
    return settings


def _read(key: str, value: str, reader: Callable[[str], Any]) -> Any:
    try:
        return reader(value)
    except ValueError as error:
        raise SettingsError(f"{key} is {error}") from None


def _refuse_contradictions(settings: Settings) -> None:
    """Refuse a trust that could not be decided, and a list that would give a false feeling of safety."""
    for name in ("cds_issuers", "cds_audiences"):
        key = f"{_PREFIX}{name.upper()}"
        if settings.cds_trust is Trust.JWT and not getattr(settings, name):
            raise SettingsError(f"{key} is missing; {_PREFIX}CDS_TRUST=jwt needs it")
        if settings.cds_trust is Trust.NONE and getattr(settings, name):
            raise SettingsError(f"{key} is without effect; set {_PREFIX}CDS_TRUST=jwt or leave it out")


def _bytes_from(low: int) -> Callable[[str], int]:
    high = 16 * 1024 * 1024

    def read(value: str) -> int:
        if not value.isascii() or not value.isdigit() or not low <= int(value) <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return int(value)

    return read


def _public_url(value: str) -> Address:
    found = addresses.parse(value)
    if found is None:
        raise ValueError("an address such as https://cds.example.org/dosing, without query")
    return found


def _one_of(choices: type[StrEnum]) -> Callable[[str], StrEnum]:
    def read(value: str) -> StrEnum:
        if value not in {choice.value for choice in choices}:
            raise ValueError(f"one of {', '.join(choices)}")
        return choices(value)

    return read


def _issuers(value: str) -> tuple[Issuer, ...]:
    try:
        return issuers.read(value)
    except ValueError as error:
        raise ValueError(f"a JSON list of issuers, or the path of a file with one: {error}") from None


def _list(value: str) -> list[str]:
    """Return the parts between commas; an empty part is a slip, and nothing at all is no list."""
    return [part.strip() for part in value.split(",")]


def _audiences(value: str) -> tuple[str, ...]:
    parts = _list(value)
    if not all(part.isprintable() and part and " " not in part for part in parts):
        raise ValueError("a list of public addresses of this service, separated by commas")
    return tuple(parts)


def _origins(value: str) -> tuple[Address, ...]:
    found = tuple(addresses.parse(part) for part in _list(value))
    if not all(address is not None and not address.path for address in found):
        raise ValueError("a list of origins such as https://ehr.example.org, separated by commas; no patterns")
    return tuple(address for address in found if address)


def _fhir_servers(value: str) -> tuple[Address, ...]:
    found = tuple(addresses.parse(part) for part in _list(value))
    if not all(address is not None and address.is_protected for address in found):
        raise ValueError("a list of https base addresses of FHIR servers, without query, separated by commas")
    return tuple(address for address in found if address)


def _file(value: str) -> str:
    if not value.startswith("/") or not value.isprintable():
        raise ValueError("the absolute path of a file")
    return value


_READERS: Mapping[str, Callable[[str], Any]] = {
    "max_body_bytes": _bytes_from(1024),
    "public_url": _public_url,
    "cds_max_body_bytes": _bytes_from(65536),
    "cds_trust": _one_of(Trust),
    "cds_issuers": _issuers,
    "cds_audiences": _audiences,
    "cds_origins": _origins,
    "cds_fhir_servers": _fhir_servers,
    "cds_profile": _one_of(Profile),
    "cds_least_severity_order_select": _one_of(Severity),
    "cds_least_severity_order_sign": _one_of(Severity),
    "feedback_database": _file,
    "rxnorm_index": _file,
}
