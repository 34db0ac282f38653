"""Settings from the environment: frozen, complete, and refused when unknown or wrong."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from dosing_service.errors import SettingsError

_PREFIX = "DOSING_"


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator can set. Each field is an environment variable ``DOSING_<NAME>``."""

    max_body_bytes: int = 65536
    """Largest request body in bytes; a dose request with 500 observations stays below it. 1024 to 16777216."""

    rxnorm_index: str | None = None
    """Path of a local RxNorm index (`dosing-service terminology import`); without, records are read by what we know."""


_BOUNDS = {"max_body_bytes": (1024, 16 * 1024 * 1024)}


def from_environment(environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings found in ``environment`` (default: the process's own).

    Raises:
        SettingsError: a variable with our prefix is unknown, or its value is not accepted; the message names the
        variable.
    """
    environment = os.environ if environment is None else environment
    names = {f"{_PREFIX}{field.name.upper()}": field.name for field in fields(Settings)}
    given = {key: value for key, value in environment.items() if key.startswith(_PREFIX)}
    for key in given:
        if key not in names:
            raise SettingsError(f"{key} is not a setting of this service; known are {', '.join(names)}")
    values: dict[str, Any] = {names[key]: _read(key, value, names[key]) for key, value in given.items()}
    return Settings(**values)


def _read(key: str, value: str, name: str) -> int | str | None:
    return _whole(key, value, name) if name in _BOUNDS else value or None


def _whole(key: str, value: str, name: str) -> int:
    low, high = _BOUNDS[name]
    if not value.isascii() or not value.isdigit() or not low <= int(value) <= high:
        raise SettingsError(f"{key} is a whole number from {low} to {high}")
    return int(value)
