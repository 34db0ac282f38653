"""The Makefile explains itself, and says what is missing."""

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def make(project: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run make in the project's folder, free of the settings of a make that runs these tests."""

    def run_make(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
        return subprocess.run(
            ["make", "--no-print-directory", *arguments],
            check=False,
            cwd=project,
            env=environment,
            capture_output=True,
            text=True,
            timeout=30,
        )

    return run_make


def test_help_names_every_goal(project: Path, make: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    """`make` alone lists each goal with what it does."""
    match = re.search(r"^\.PHONY: (.+)$", (project / "Makefile").read_text(), re.MULTILINE)
    assert match is not None
    assert re.findall(r"^  make (\w+) +\S", make().stdout, re.MULTILINE) == match[1].split()


@pytest.mark.parametrize("says", ["Python 3.9.2", None], ids=["too old", "absent"])
def test_unsuitable_python_is_named(
    make: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path, says: str | None
) -> None:
    """Where python3 is older than 3.11 or absent, make says so, says how to name another one, and makes nothing."""
    python = tmp_path / "python"
    if says:
        python.write_text(f'#!/bin/sh\n[ "$1" = --version ] && echo {says}\nexit 1\n')
        python.chmod(0o755)
    venv = tmp_path / "venv"

    result = make(f"PYTHON={python}", f"VENV={venv}", f"{venv}/bin/python")

    assert result.returncode != 0
    assert f"needs Python 3.11 or newer; '{python}' is not" in result.stderr
    assert "make PYTHON=python3.11" in result.stderr
    assert not venv.exists()
