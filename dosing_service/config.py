"""Settings from the environment: frozen, complete, and refused when unknown or wrong."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from dosing_service.errors import SettingsError

_PREFIX = "DOSING_"


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator can set. Each field is an environment variable ``DOSING_<NAME>``."""

    max_body_bytes: int = 65536
    """Largest request body in bytes; a dose request with 500 observations stays below it. 1024 to 16777216."""

    rxnorm_index: str = ""
    """Path of a local RxNorm index (`dosing-service terminology import`); empty: none."""


_BOUNDS = {"max_body_bytes": (1024, 16 * 1024 * 1024)}
#: The settings that are taken as they are.
_TEXTS = {"rxnorm_index"}


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
    numbers = {names[key]: _whole(key, value, names[key]) for key, value in given.items() if names[key] in _BOUNDS}
    texts = {names[key]: value for key, value in given.items() if names[key] in _TEXTS}
    return replace(Settings(**numbers), **texts)


def _whole(key: str, value: str, name: str) -> int:
    low, high = _BOUNDS[name]
    if not value.isascii() or not value.isdigit() or not low <= int(value) <= high:
        raise SettingsError(f"{key} is a whole number from {low} to {high}")
    return int(value)
