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
    """What the README says of the last run, in a sentence."""
    results = kept("bench")
    if results is None:
        return tables("bench")()
    rate, floor = (report.number(median(results.rows[key])) for key in ("path.64", "floor"))
    beside = [
        f"{report.number(median(one.values))} times {one.required.title.split(' of ', 1)[1].replace(', ', ' (')})"
        for one in report.verdicts(results)
        if one.values and one.required.least == 10
    ]
    return (
        f"- **`make bench`**: {rate} orders a second from the request to the end of the workflow over 64 connections, "
        f"every answer after the fsync; bare SQLite does {floor} of the same statements. That is "
        f"{', '.join(beside)}. [Every figure, how it was measured, what is fair](docs/explanation/performance.md).\n"
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
