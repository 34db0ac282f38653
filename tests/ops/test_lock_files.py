"""The lock files say exactly what is installed, on every machine, and from nowhere in particular."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LOCKS = ("requirements.lock", "requirements-dev.lock")


def read_lock(path: Path) -> dict[str, list[Requirement]]:
    """Return the pinned requirements by name; a package may be pinned once for each kind of machine."""
    entries = re.sub(r"\\\n\s*", "", path.read_text()).splitlines()
    pinned: dict[str, list[Requirement]] = {}
    for entry in entries:
        requirement = Requirement(entry.partition(" --hash=")[0])
        pinned.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return pinned


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_is_pinned_with_its_hashes(project: Path, name: str) -> None:
    """Each entry is `name==version`, perhaps a marker, and hashes; there is no index address, no option and no path."""
    entries = re.sub(r"\\\n\s*", "", (project / name).read_text()).splitlines()
    entry = re.compile(r"[a-z0-9-]+==[\w.]+( ; [^:/]+?)?( --hash=sha256:[0-9a-f]{64})+")
    assert entries
    assert [line for line in entries if not entry.fullmatch(line)] == []


def test_tests_run_with_the_versions_that_are_shipped(project: Path) -> None:
    """Every package of the runtime lock file is in the one for development, at the same version."""
    shipped, tested = (read_lock(project / name) for name in LOCKS)
    assert {name: tested.get(name) for name in shipped} == shipped


def test_every_package_has_one_version(project: Path) -> None:
    """No package has another version on another Python or system: two versions of pint would be two arithmetics."""
    pinned = read_lock(project / "requirements-dev.lock")
    assert {name: list(map(str, entries)) for name, entries in pinned.items() if len(entries) > 1} == {}


def test_lock_files_follow_the_project(project: Path) -> None:
    """What pyproject.toml asks for is locked at a version that it allows; `make lock` was not forgotten."""
    table = tomllib.loads((project / "pyproject.toml").read_text())
    groups = table["dependency-groups"]
    asked = {
        "requirements.lock": table["project"]["dependencies"] + groups["build"],
        "requirements-dev.lock": table["project"]["dependencies"] + groups["build"] + groups["dev"],
    }
    missing = [
        f"{lock}: {wanted}"
        for lock, requirements in asked.items()
        for wanted in map(Requirement, requirements)
        if not any(is_met(wanted, pin) for pin in read_lock(project / lock).get(canonicalize_name(wanted.name), []))
    ]
    assert missing == []


def is_met(wanted: Requirement, pin: Requirement) -> bool:
    (version,) = pin.specifier
    return wanted.specifier.contains(version.version, prereleases=True)
