"""A run's figures as text for a terminal and as tables for a page."""

from collections.abc import Iterator, Sequence

from bench.reporting import figures as of_bench
from bench.reporting import scale_rows
from bench.reporting.figures import Figure, Results, Values, Verdict, against_peers, cell_title, median, verdict

PROFILE_ROWS = (
    Figure("layer.*", "processor time of the server per order:", "µs"),
    Figure("layers", "processor time of the server per order, all of it", "µs"),
    Figure("samples", "samples", ""),
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
    for row, title, values in _shown(results, KINDS[results.kind][0]):
        yield f"{title:76} {spread(values):>32} {row.unit}"
    yield ""
    for one in verdicts(results):
        measured = spread(one.values) if one.values else "not measured"
        yield f"{one.required.title:76} {measured:>32} {one.required.unit:9} {one.required.wanted:>11}  {word(one)}"
    yield from ("", *(f"not measured: {text}" for text in results.missing))


def _shown(results: Results, rows: Sequence[Figure]) -> Iterator[tuple[Figure, str, Values]]:
    """Every row that was measured, in the order of ``rows``, with its title."""
    for row in rows:
        for key, values in results.rows.items():
            if (title := _title(row, key, results)) is not None:
                yield row, title, values


def _title(row: Figure, key: str, results: Results) -> str | None:
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
    """``1,234 (1,100 to 1,300)``: the median, the smallest and the largest; a figure alone is alone."""
    if len(values) == 1:
        return number(values[0])
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
    rows = KINDS[results.kind][0]
    figures = [
        (title.strip(), spread(values), row.unit) for row, title, values in _shown(results, rows) if not row.across
    ]
    asked = [table([("required", "measured", ""), *required])] if required else []
    wide = [_wide(results, across) for across in dict.fromkeys(row.across for row in rows if row.across)]
    return "\n".join(
        [about(results), "", *asked, table([("figure", "measured", "unit"), *figures]), *filter(None, wide)]
    )


def about(results: Results) -> str:
    """When, on what, how, and what is missing."""
    rounds = max(map(len, results.rows.values()), default=0)
    said = [*results.machine.values(), *results.settings.values(), *(f"Not measured: {it}" for it in results.missing)]
    head = f"Measured {results.at} in {rounds} round{'s' if rounds > 1 else ''}:"
    return "\n".join([head, "", *(f"- {text}" for text in said)])


def _wide(results: Results, across: str) -> str:
    """One table of the rows that belong together, a column for each rest of their keys; empty without any."""
    lines: dict[str, dict[str, str]] = {}
    for row in KINDS[results.kind][0]:
        for key, values in results.rows.items():
            if row.across == across and key.startswith(row.key[:-1]):
                name, column = _place(row, key.removeprefix(row.key[:-1]), results)
                lines.setdefault(name, {})[column] = spread(values)
    columns = list(dict.fromkeys(column for cells in lines.values() for column in cells))
    rows = [(name, *(cells.get(column, "") for column in columns)) for name, cells in lines.items()]
    return table([(across, *columns), *rows]) if rows else ""


def _place(row: Figure, rest: str, results: Results) -> tuple[str, str]:
    """Line and column of a figure in its wide table."""
    title = row.title.strip().rstrip(":,").removesuffix(", connections")
    if row.across != of_bench.PEERS:
        return f"{title}, {row.unit}", rest
    peer, _, cell = rest.partition(".")
    return f"{results.peers.get(peer, peer)}{title.removeprefix('g.') and ', ' + title}, {row.unit}", cell_title(cell)


def table(rows: list[tuple[str, ...]]) -> str:
    first, *rest = rows
    every = [first, ("---",) * len(first), *rest]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |\n" for row in every)
