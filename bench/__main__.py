"""``make bench``: the order path beside its floor, gateways over HTTP, the bare core and peers, in turns; JSON is kept.

Only ratios inside one run mean anything on a shared machine, so everything is measured in turns, several rounds, and
shown as median (smallest to largest).
"""

import argparse
import importlib.util
import os
import platform
from datetime import UTC, datetime
from pathlib import Path

import apsw
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench.floor import BATCH
from bench.peers.running import HOW_TO_INSTALL, PEERS
from bench.reporting import report
from bench.reporting.figures import Results
from bench.rig.server import ROOT, file_system
from bench.steps import STEPS, Round

RESULTS = Path(__file__).parent / "results"


def main() -> None:
    given = _options().parse_args()
    screen = Console(highlight=False, soft_wrap=True, stderr=given.json)
    chosen = [name for name in given.only.split(",") if name] or list(STEPS)
    results = begun("bench")
    steps = [name for name in chosen if name not in {peer.name for peer in PEERS if not peer.installed()}]
    for text in (*results.machine.values(), *results.settings.values(), *results.missing):
        screen.print(text, markup=False)
    columns = (TextColumn("{task.description:24}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=screen) as bar:
        task = bar.add_task("", total=given.rounds * len(steps))
        now = Round(results, given.seconds)
        for now.number in range(1, given.rounds + 1):
            for name in steps:
                bar.update(task, description=f"round {now.number}: {name}")
                STEPS[name](now)
                bar.advance(task)
    kept = keep(results, part=bool(given.only))
    if given.json:
        print(msgspec.json.encode(results).decode())
    else:
        for line in report.lines(results):
            screen.print(line, markup=False)
    screen.print(f"\nKept in {kept}")


def keep(results: Results, *, part: bool = False) -> Path:
    """Writes the figures down; gives where, from the checkout's folder. A part of a run is not for the pages."""
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{'part-of-' if part else ''}{results.kind}-{datetime.now(UTC):%Y-%m-%dT%H%M%SZ}.json"
    file.write_bytes(msgspec.json.format(msgspec.json.encode(results)) + b"\n")
    return file.relative_to(ROOT)


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="times that everything is measured (3)")
    parser.add_argument("--seconds", type=float, default=3.0, help="of one measurement under load (3)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--only", default="", help=f"of these, with commas between: {','.join(STEPS)}")
    return parser


def begun(kind: str) -> Results:
    """A run without figures: what it is measured on and how, and what will be missing from it."""
    settings = {
        "durability": "SQLite WAL with synchronous=FULL, every answer after the fsync that holds the order",
        "job": f"simulated gateways and no hold unless said; the floor commits {BATCH} orders at once",
        "load": "the load comes from one process on the same cores; a fresh server for each measurement",
    }
    if kind != "bench":
        del settings["job"]
        return Results(kind, f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", machine(), settings)
    absent = dict.fromkeys(peer.product for peer in PEERS if not peer.installed())
    missing = [f"{product} is not installed: {HOW_TO_INSTALL}" for product in absent]
    if importlib.util.find_spec("moto") is None:
        missing.append(f"moto is not installed: {HOW_TO_INSTALL}")
    there = [peer for peer in PEERS if peer.installed()]
    versions = {"peers": "peers " + "; ".join(dict.fromkeys(peer.versions() for peer in there))} if there else {}
    titles = {peer.name: peer.title for peer in there}
    return Results(
        kind, f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", {**machine(), **versions}, settings, titles, missing
    )


def machine() -> dict[str, str]:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    model = next((line.split(": ")[1] for line in lines if line.startswith("model name")), platform.processor())
    return {
        "processor": f"{os.cpu_count()} cores, {model or platform.machine()}",
        "software": f"Python {platform.python_version()}, SQLite {apsw.sqlite_lib_version()}, {platform.platform()}",
        "disk": f"file system {file_system(ROOT)}",
        "others": f"load average {os.getloadavg()[0]:.1f} before the run",
    }


if __name__ == "__main__":
    main()
