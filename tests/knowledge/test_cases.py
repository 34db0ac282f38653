"""Cases that a pharmacist can read: a sentence, what is given, what is expected."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from dosing_service import service
from dosing_service.knowledge import yaml_reader
from dosing_service.knowledge.base import KnowledgeBase
from schemas.reading import dose_request

_FILES = sorted((Path(__file__).parent / "cases").glob("*.yaml"))
_CASES = [case for file in _FILES for case in yaml_reader.read(file.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("case", _CASES, ids=lambda case: case["sentence"])
def test_case(case: dict[str, Any], knowledge: KnowledgeBase) -> None:
    """The sentence is true of the service."""
    expect = case["expect"]
    assessment = service.calculate_dose(dose_request(case["given"]), knowledge)
    assert expect["status"] == assessment.status.value
    amounts = assessment.dose.amounts if assessment.dose else ()
    found = {(amount.per.value, amount.low, amount.high, amount.unit) for amount in amounts}
    for wanted in expect.get("amounts", []):
        assert (wanted["per"], Decimal(wanted["low"]), Decimal(wanted["high"]), wanted["unit"]) in found
    ids = {finding.id for finding in assessment.findings}
    assert set() == set(expect.get("findings", [])) - ids
    assert set() == set(expect.get("absent", [])) & ids
