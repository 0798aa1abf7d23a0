"""``make bench-docs``: the figures of the last runs into the documentation.

    python -m bench.docs            takes the newest run of each kind from bench/results/ and writes the pages
    python -m bench.docs --check    names the pages that are not as docs/measured/ has it; 1 when there are some

docs/measured/ keeps the runs that the pages show, one file for each kind.
"""

import re
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from bench.reporting import report
from bench.reporting.figures import Results, median
from bench.rig.server import ROOT

RESULTS, MEASURED = ROOT / "bench/results", ROOT / "docs/measured"
PAGES = (ROOT / "README.md", ROOT / "docs/explanation/performance.md")
_PART = re.compile(r"(<!-- measured: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def kept(kind: str) -> Results | None:
    """The run of this kind that the pages show."""
    file = MEASURED / f"{kind}.json"
    return msgspec.json.decode(file.read_bytes(), type=Results) if file.exists() else None


def tables(kind: str) -> Callable[[], str]:
    def part() -> str:
        results = kept(kind)
        return report.markdown(results) if results else f"Not measured yet: {COMMANDS[kind]}\n"

    return part


def layers() -> str:
    """Where an order's processor time goes, the most first."""
    results = kept("profile")
    if results is None:
        return tables("profile")()
    whole = median(results.rows["layers"])
    found = [(key.removeprefix("layer."), median(values)) for key, values in results.rows.items() if "layer." in key]
    rows = [
        (name, f"{value:,.0f}", f"{100 * value / whole:.0f} %") for name, value in sorted(found, key=lambda it: -it[1])
    ]
    head, total = ("layer", "µs per order", "share"), ("all", f"{whole:,.0f}", "")
    return f"{report.about(results)}\n\n{report.table([head, *rows, total])}"


def summary() -> str:
    """The three figures that matter most, of the last runs: how many orders, how soon answered, how many may wait."""
    bench, hold = kept("bench"), kept("hold")
    if bench is None or hold is None:
        return tables("bench" if bench is None else "hold")()
    rate, p50, p99 = (report.number(median(bench.rows[key])) for key in ("path.64", "open_p50", "open_p99"))
    beside = [
        f"{report.number(median(one.values))} times {one.required.title.split(' of ', 1)[1].replace(', ', ' (')})"
        for one in report.verdicts(bench)
        if one.values and one.required.least == 10
    ]
    memory = report.number(median(hold.rows["hold_memory"]))
    return (
        f"- **{rate} orders a second** from the request to the end of the workflow over 64 connections, each answered "
        f"after the fsync that holds it. On the same machine that is {', '.join(beside)}.\n"
        f"- **{p99} ms** is the time within which 99 of 100 orders are answered when they come at random, half as "
        f"fast. Half of them are answered within {p50} ms.\n"
        f"- **{memory} MB** of memory with 100,000 orders waiting in their hold.\n"
    )


COMMANDS = {
    "bench": "make bench",
    "hold": "make bench-scale",
    "stored": "make bench-scale",
    "profile": "make bench-profile",
}
PARTS: dict[str, Callable[[], str]] = {
    **{kind: tables(kind) for kind in COMMANDS},
    "layers": layers,
    "summary": summary,
}


def written(text: str) -> str:
    """The page with its measured parts as they have to be now."""
    return _PART.sub(lambda found: f"{found[1]}\n{PARTS[found[2]]()}\n{found[3]}", text)


def take(results: Path, measured: Path) -> None:
    """Keeps the newest run of each kind."""
    measured.mkdir(exist_ok=True)
    for kind in COMMANDS:
        if runs := sorted(results.glob(f"{kind}-*.json")):
            (measured / f"{kind}.json").write_bytes(runs[-1].read_bytes())


def main(arguments: list[str]) -> int:
    check = "--check" in arguments
    if not check:
        take(RESULTS, MEASURED)
    stale = [page for page in PAGES if written(page.read_text()) != page.read_text()]
    for page in stale:
        if not check:
            page.write_text(written(page.read_text()))
        print(f"{page.relative_to(ROOT)}: {'stale, run: make bench-docs' if check else 'written'}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
