"""Measures the service against a bare Flask route, the engine alone, memory and start, and prints one table."""

import argparse
import os
import platform
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, median, quantiles
from typing import NoReturn

from bench import engine, http, process, records


@dataclass(frozen=True, slots=True)
class Effort:
    """How often each thing is measured."""

    rounds: int
    requests: int
    calls_of_records: int
    repeats: int
    calls: int
    starts: int


FULL = Effort(rounds=20, requests=1000, calls_of_records=60, repeats=15, calls=500, starts=9)
#: Enough to see every row; the figures mean little.
QUICK = Effort(rounds=2, requests=100, calls_of_records=20, repeats=2, calls=20, starts=1)

#: What is asked over HTTP, and the share of the bare route's throughput that is aimed at.
_OVER_HTTP = {engine.DEFAULT: 0.75, engine.CLINIC: 0.5, engine.CHECK: 0.4}
_COLUMNS = ("", "service", "bare route", "ratio", "aim")
_START = {"bare": "import flask", "service": "from dosing_service import create_app; create_app()"}

Row = tuple[str, ...]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a short run that shows every row")
    effort = QUICK if parser.parse_args().quick else FULL
    # The default action would end the benchmark without its `finally` clauses and leave the servers behind.
    signal.signal(signal.SIGTERM, _terminated)

    compared = {
        name: http.compare(engine.REQUESTS[name], rounds=effort.rounds, requests=effort.requests) for name in _OVER_HTTP
    }
    signing = engine.Request(records.PATH, records.call(medications=30, observations=60))
    cards = http.compare(signing, rounds=effort.rounds, requests=effort.calls_of_records)
    costs = engine.measure(effort.repeats, effort.calls)
    start = process.start_seconds(_START, effort.starts)

    system = f"{platform.system()} {platform.release()}"
    print(f"{os.cpu_count()} cores, {system}, {platform.python_implementation()} {platform.python_version()}")
    print("Everything was measured in turns, in this run: trust the ratios, not the absolute figures.\n")
    _print_table(
        [
            _COLUMNS,
            *(row for name, sides in compared.items() for row in (*_http_rows(name, *sides), *_worker_rows(*sides))),
            *_card_rows(*cards),
            ("Start of an interpreter: create_app() against `import flask`",),
            _pair("median, ms", start["service"] * 1e3, start["bare"] * 1e3),
            *_engine_rows(costs),
        ]
    )
    print()
    _print_table(_split_rows(costs))


def _terminated(*_: object) -> NoReturn:
    sys.exit(128 + signal.SIGTERM)


def _http_rows(name: str, service: http.Side, bare: http.Side) -> list[Row]:
    # A round of one is compared with the round of the other beside it, so a slow minute hits both.
    throughput = median(ours / theirs for ours, theirs in zip(service.rates, bare.rates, strict=True))
    rates = median(service.rates), median(bare.rates)
    aim = _OVER_HTTP[name]
    rows: list[Row] = [
        (f"HTTP: {name}; gunicorn, 1 worker",),
        _row("requests per second, 2 connections", *rates, throughput, _aim(f"≥ {aim}", reached=throughput >= aim)),
    ]
    for rank, percent in (("p50", 50), ("p99", 99)):
        ours, theirs = (quantiles(side.latencies, n=100)[percent - 1] * 1e6 for side in (service, bare))
        rows.append(_pair(f"{rank} of the time to an answer, 1 connection, µs", ours, theirs))
    return rows


def _card_rows(service: http.Side, bare: http.Side) -> list[Row]:
    rows: list[Row] = [("CDS Hooks: order-sign with 3 orders, 30 medications, 60 results; gunicorn, 1 worker",)]
    for rank, percent in (("p50", 50), ("p95", 95)):
        ours, theirs = (quantiles(side.latencies, n=100)[percent - 1] * 1e3 for side in (service, bare))
        aim = _aim("< 50 ms", reached=ours < 50) if percent == 95 else ""
        rows.append(_pair(f"{rank} of the time to an answer, 1 connection, ms", ours, theirs, aim))
    return rows


def _worker_rows(service: http.Side, bare: http.Side) -> list[Row]:
    ours, theirs = service.memory, bare.memory
    if ours is None or theirs is None:
        return [("The worker process: not measured, because this system has no /proc",)]
    return [
        ("The worker process under this load",),
        _pair("CPU time per request, µs", mean(service.cpu) * 1e6, mean(bare.cpu) * 1e6),
        _pair("peak memory, MB", ours.peak, theirs.peak, _aim("< 90 MB", reached=ours.peak < 90)),
        _pair("resident memory now, MB", ours.resident, theirs.resident),
        _pair("its share of memory (PSS) now, MB", ours.pss, theirs.pss),
    ]


def _engine_rows(costs: dict[str, engine.Cost]) -> list[Row]:
    return [
        ("Engine alone: assessments per second on one core",),
        *(
            (f"  {name}", _number(1 / cost.alone), "", "", _engine_aim(name, 1 / cost.alone))
            for name, cost in costs.items()
        ),
    ]


def _engine_aim(name: str, reached: float) -> str:
    if name == engine.CHECK:
        return ""
    least = engine.AIMS.get(name, 20_000)
    return _aim(f"> {least:,}", reached=reached > least)


def _split_rows(costs: dict[str, engine.Cost]) -> list[Row]:
    rows: list[Row] = [("Parts of a request, one after the other, µs", "parse", "engine", "write", "together")]
    for name, cost in costs.items():
        parts = [cost.parse, cost.engine, cost.write]
        rows.append((f"  {name}", *(_number(part * 1e6) for part in (*parts, sum(parts)))))
    return rows


def _pair(name: str, ours: float, theirs: float, aim: str = "") -> Row:
    return _row(name, ours, theirs, ours / theirs, aim)


def _row(name: str, ours: float, theirs: float, ratio: float, aim: str = "") -> Row:
    return f"  {name}", _number(ours), _number(theirs), f"{ratio:.2f}", aim


def _aim(words: str, *, reached: bool) -> str:
    return f"{words} {'reached' if reached else 'MISSED'}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def _print_table(rows: Sequence[Row]) -> None:
    """Print rows in columns; a row of one cell is a heading and does not widen the first column."""
    name_width = max(len(row[0]) for row in rows if len(row) > 1)
    for row in rows:
        print("  ".join([row[0].ljust(name_width), *(cell.rjust(10) for cell in row[1:])]).rstrip())


if __name__ == "__main__":
    main()
