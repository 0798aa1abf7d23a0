"""A run's figures as text for a terminal and as tables for a page."""

from collections.abc import Iterator

from bench import results as of_bench
from bench import scale_rows
from bench.results import Results, Row, Values, Verdict, against_peers, cell_title, median, verdict

PROFILE_ROWS = (
    Row("layer.*", "processor time of the server per order:", "µs"),
    Row("layers", "processor time of the server per order, all of it", "µs"),
    Row("samples", "samples", ""),
)
#: Kind of run → what its rows are called, what is required of them.
KINDS = {
    "profile": (PROFILE_ROWS, ()),
    "bench": (of_bench.ROWS, of_bench.REQUIRED),
    "hold": (scale_rows.HOLD_ROWS, scale_rows.HOLD_REQUIRED),
    "stored": (scale_rows.STORED_ROWS, scale_rows.STORED_REQUIRED),
}


def verdicts(results: Results) -> list[Verdict]:
    required = (*KINDS[results.kind][1], *against_peers(results))
    return [verdict(one, results) for one in required]


def lines(results: Results) -> Iterator[str]:
    """Every figure, then what is required, as plain text."""
    for title, unit, values in named(results):
        yield f"{title:76} {spread(values):>32} {unit}"
    yield ""
    for one in verdicts(results):
        measured = spread(one.values) if one.values else "not measured"
        yield f"{one.required.title:76} {measured:>32} {one.required.unit:9} {one.required.wanted:>11}  {word(one)}"
    yield from ("", *(f"not measured: {text}" for text in results.missing))


def named(results: Results) -> Iterator[tuple[str, str, Values]]:
    """Every row that was measured, in the order of ROWS: title, unit, values."""
    for row in KINDS[results.kind][0]:
        for key, values in results.rows.items():
            if (title := _title(row, key, results)) is not None:
                yield title, row.unit, values


def _title(row: Row, key: str, results: Results) -> str | None:
    if not row.key.endswith("*"):
        return row.title if key == row.key else None
    if not key.startswith(row.key[:-1]):
        return None
    rest = key.removeprefix(row.key[:-1])
    if row.key.startswith("peer"):
        peer, _, cell = rest.partition(".")
        rest = f"{results.peers.get(peer, peer)}, {cell_title(cell)}"
    return f"{row.title} {rest}"


def spread(values: Values) -> str:
    """``1,234 (1,100 to 1,300)``: the median, the smallest and the largest."""
    return f"{number(median(values))} ({number(min(values))} to {number(max(values))})"


def number(value: float) -> str:
    """Three digits say what there is to say; thousands are written out."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def word(verdict: Verdict) -> str:
    return {True: "met", False: "NOT MET", None: ""}[verdict.met]


def markdown(results: Results) -> str:
    """The machine, what is required and every figure as a page has them."""
    required = [
        (
            f"{it.required.title}: {it.required.wanted} {it.required.unit}",
            spread(it.values) if it.values else "not measured",
            word(it),
        )
        for it in verdicts(results)
    ]
    figures = [(title.strip(), spread(values), unit) for title, unit, values in named(results)]
    asked = [table([("required", "measured", ""), *required])] if required else []
    return "\n".join([about(results), "", *asked, table([("figure", "measured", "unit"), *figures])])


def about(results: Results) -> str:
    """When, on what, how, and what is missing."""
    rounds = max(map(len, results.rows.values()), default=0)
    said = [results.at, *results.machine.values(), *results.settings.values(), f"{rounds} rounds"]
    return "\n".join([f"{'; '.join(said)}.", *(f"Not measured: {text}." for text in results.missing)])


def table(rows: list[tuple[str, ...]]) -> str:
    first, *rest = rows
    every = [first, ("---",) * len(first), *rest]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |\n" for row in every)
