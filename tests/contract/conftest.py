"""What the tests of the contract share: openapi.yaml of the project's root."""

from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def contract_text() -> str:
    """The file as it is in the repository."""
    return (ROOT / "openapi.yaml").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def contract(contract_text: str) -> dict[str, Any]:
    """The file as a document."""
    document: dict[str, Any] = yaml.load(contract_text, Loader=yaml.CSafeLoader)
    return document
