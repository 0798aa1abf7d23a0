"""Where the processor time of an order goes: the server under load, its main thread sampled, grouped by layer.

    python -m bench.profile [--seconds 10] [--lines 0]      needs Linux's /proc

A sample belongs to the innermost frame of ours or of a library that LAYERS names. What C code does (SQLite, the JSON
parser, the socket) belongs to whoever called it. The thread that commits is told by its own processor time.
"""

import argparse
import os
import signal
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import msgspec
from rich.console import Console

from bench.__main__ import begun, keep
from bench.path import ACCEPTED, REST, during
from bench.reporting import report
from bench.rig.load import closed
from bench.rig.server import serving, workplace
from bench.sampled import Samples, Stack

CONNECTIONS = 64
#: Seconds of load before the first sample.
WARM = 1.0

#: Layer → how the paths of its files end or go on, the first that fits; asked from the innermost frame outwards.
LAYERS: dict[str, tuple[str, ...]] = {
    "HTTP": ("/uvicorn/", "/embedded/web/"),
    "API and parsing": ("/expediter/api/", "/app/drafts", "/app/instants"),
    "SQLite": ("/embedded/sqlite/database", "/embedded/sqlite/write_behind", "/apsw/"),
    "states language": ("/expediter/asl/",),
    "tasks": ("/expediter/app/", "/expediter/domain/"),
    "stores": ("/embedded/stores/", "/embedded/mail/"),
    "writer": ("/embedded/sqlite/",),
    "dispatch": ("/embedded/engine/", "/embedded/home", "/embedded/wiring"),
    "metrics and logs": ("/prometheus_client/", "/embedded/operator/", "/embedded/loops/", "/logging/"),
    "asyncio": ("/asyncio/", "/concurrent/", "/selectors.py"),
}
OTHER, COMMIT = "other", "commit (its own thread)"


def layer(stack: Stack) -> str:
    for frame in stack:
        file = frame.rpartition(":")[0]
        for name, parts in LAYERS.items():
            if any(part in file for part in parts):
                return name
    return OTHER


def shares(stacks: Iterable[tuple[Stack, int]]) -> dict[str, float]:
    """Each layer's part of all samples."""
    counted: Counter[str] = Counter()
    for stack, times in stacks:
        counted[layer(stack)] += times
    return {name: counted[name] / counted.total() for name in (*LAYERS, OTHER) if counted[name]}


def places(stacks: Iterable[tuple[Stack, int]]) -> Counter[str]:
    """How often each innermost function was seen, with its layer."""
    counted: Counter[str] = Counter()
    for stack, times in stacks:
        file, _, function = stack[0].rpartition(":")
        counted[f"{layer(stack):18} {'/'.join(Path(file).parts[-2:])}:{function}"] += times
    return counted


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.profile", description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="under load (10)")
    parser.add_argument("--lines", type=int, default=0, help="also show so many functions (0)")
    given = parser.parse_args()
    screen, results = Console(highlight=False, soft_wrap=True), begun("profile")
    samples, orders = sampled(given.seconds)
    for name, share in shares(samples.stacks).items():
        results.add(f"layer.{name}", share * samples.main_thread / orders * 1e6)
    results.add(f"layer.{COMMIT}", samples.other_threads / orders * 1e6)
    results.add("layers", (samples.main_thread + samples.other_threads) / orders * 1e6)
    results.add("samples", sum(times for _, times in samples.stacks))
    for line in report.lines(results):
        screen.print(line, markup=False)
    for place, times in places(samples.stacks).most_common(given.lines):
        screen.print(f"{times:6} {place}", markup=False)
    screen.print(f"Kept in {keep(results)}")


def sampled(seconds: float) -> tuple[Samples, float]:
    """The samples of so many seconds under a closed loop, and the orders that were placed and ended meanwhile."""
    with workplace() as folder:
        file = folder / "samples.json"
        os.environ["BENCH_SAMPLES"] = str(file)
        with serving({}, module="bench.sampled") as server:
            closed(server.port, CONNECTIONS, during(WARM, REST), ACCEPTED)
            before = server.metric("expediter_orders_ended_total")
            server.process.send_signal(signal.SIGUSR1)
            closed(server.port, CONNECTIONS, during(seconds, REST), ACCEPTED)
            server.process.send_signal(signal.SIGUSR2)
            orders = server.metric("expediter_orders_ended_total") - before
            while not file.exists():
                time.sleep(0.05)
        return msgspec.json.decode(file.read_bytes(), type=Samples), orders


if __name__ == "__main__":
    main()
