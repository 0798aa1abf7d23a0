"""``make bench``: the floor and the order path in turns, then the bare workflow core; kept as JSON in bench/results/.

Only ratios inside one run mean anything on a shared machine, so everything is measured in turns, several rounds, and
shown as median (smallest to largest).
"""

import argparse
import asyncio
import json
import os
import platform
import statistics
import sys
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

import apsw

from bench import core
from bench.floor import BATCH, Recording, replayed
from bench.path import measured

RESULTS = Path(__file__).parent / "results"
CONNECTIONS = (8, 64, 256)
FLOOR = f"floor: the same statements by bare SQLite, commits of {BATCH} orders"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="times that everything is measured (3)")
    parser.add_argument("--orders", type=int, default=4_000, help="orders of one measurement over HTTP (4000)")
    options = parser.parse_args()
    machine = described()
    print(f"{machine['processor']}, {machine['cores']} cores, Python {machine['python']}, SQLite {machine['sqlite']}")
    print("WAL, synchronous=FULL, every answer after the fsync; parties simulated, no hold\n")
    rows = order_path(options.rounds, options.orders)
    floor = statistics.median(rows[FLOOR])
    for name, values in rows.items():
        print(f"{name:72} {shown(values)}  {statistics.median(values) / floor:5.2f} x floor")
    print()
    rates = {f"{row.name} ({row.unit})": row.a_second for row in core.measure(options.rounds)}
    for name, rate in rates.items():
        print(f"{name:72} {rate:10,.0f} a CPU second")
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{datetime.now(UTC):%Y-%m-%dT%H%M%SZ}.json"
    file.write_text(json.dumps({"machine": machine, "orders a second": rows, "core": rates}, indent=1) + "\n")
    print(f"\nKept in {file}")


def order_path(rounds: int, count: int) -> dict[str, list[float]]:
    """Orders a second, one value per round; p99 of the accept in milliseconds goes to standard error as it comes."""
    rows: dict[str, list[float]] = defaultdict(list)
    statements = Recording().statements
    for number in range(rounds):
        rows[FLOOR].append(replayed(statements))
        for connections in CONNECTIONS:
            figure = asyncio.run(measured(connections, count))
            rows[f"accept to end over HTTP, {connections} connections"].append(figure.completed)
            said = f"round {number + 1}: {connections} connections, answered in {figure.accept_p50:.1f} ms (median)"
            print(f"{said}, {figure.accept_p99:.1f} ms (99th)", file=sys.stderr)
    return rows


def shown(values: list[float]) -> str:
    return f"{statistics.median(values):10,.0f} a second ({min(values):,.0f} to {max(values):,.0f})"


def described() -> dict[str, str | int]:
    info = Path("/proc/cpuinfo")
    models = (
        [line.split(": ")[1] for line in info.read_text().splitlines() if "model name" in line] if info.exists() else []
    )
    return {
        "processor": models[0] if models else platform.processor() or platform.machine(),
        "cores": os.cpu_count() or 0,
        "python": platform.python_version(),
        "sqlite": apsw.sqlite_lib_version(),
        "system": platform.platform(),
    }


if __name__ == "__main__":
    main()
