"""The benchmark runs and shows every row. How fast anything is depends on the machine, so no time is asserted."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROWS = [
    "requests per second",
    "p50 of the time to an answer",
    "p99 of the time to an answer",
    "The worker process",
    "CDS Hooks: order-sign",
    "p95 of the time to an answer",
    "Start of an interpreter",
    "Engine alone",
    "Parts of a request",
    "diltiazem, 9 years, 25 kg",
    "methotrexate per m²",
    "10 diagnoses, 12 drugs, 15 results",
    "3 orders",
]


def test_quick_benchmark_prints_every_row(project: Path) -> None:
    """`python -m bench --quick` finds both answers equal and prints the whole table."""
    result = subprocess.run(
        [sys.executable, "-X", "utf8", "-m", "bench", "--quick"],
        check=False,
        cwd=project,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )

    assert result.returncode == 0, result.stderr
    assert [row for row in ROWS if row not in result.stdout] == []
