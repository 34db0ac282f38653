"""What a process costs: processor time, memory, and the time until it could answer.

The figures of a running process come from Linux's /proc; elsewhere there are none (``None``, or not a number).
"""

import math
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

_PROC = Path("/proc")
_START_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory of a process in MB. ``pss`` counts a page that is shared by several processes in parts."""

    peak: float
    resident: float
    pss: float


def only_child(pid: int) -> int | None:
    """Return the only child of a process, which for gunicorn with one worker is that worker."""
    children = _PROC / f"{pid}/task/{pid}/children"
    if not children.exists():
        return None
    (child,) = children.read_text().split()
    return int(child)


def cpu_seconds(pid: int | None) -> float:
    """Return the processor time that a process has used so far, its own and the kernel's for it."""
    if pid is None:
        return math.nan
    # The name of the program comes second, in parentheses, and may hold anything; user and system time are the 14th
    # and 15th field.
    fields = (_PROC / f"{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid: int | None) -> Memory | None:
    """Return the memory that a process has now and had at most."""
    if pid is None:
        return None
    lines = [
        line.split()
        for name in ("status", "smaps_rollup")
        for line in (_PROC / f"{pid}/{name}").read_text().splitlines()
    ]
    megabytes = {words[0]: int(words[1]) * 1024 / 1e6 for words in lines if words[-1] == "kB"}
    return Memory(megabytes["VmHWM:"], megabytes["VmRSS:"], megabytes["Pss:"])


def start_seconds(programs: Mapping[str, str], repeats: int) -> dict[str, float]:
    """Return the median time that a fresh interpreter needs for each program, started in turns."""
    # Bytecode that is not written yet would make the first start a different measurement.
    for source in programs.values():
        _run(source)
    taken: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(repeats):
        for name, source in programs.items():
            taken[name].append(_run(source))
    return {name: median(seconds) for name, seconds in taken.items()}


def _run(source: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", source], check=True, timeout=_START_SECONDS)
    return time.perf_counter() - start
