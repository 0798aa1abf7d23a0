"""The figures of one run, by key and round; what they are called; and what is required of them."""

import statistics
from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeAlias

import msgspec

#: One figure per round.
Values: TypeAlias = list[float]


class Results(msgspec.Struct):
    """One run, as it is kept in JSON: ``kind`` is bench, hold, stored or profile.

    ``peers``: their titles by name; ``missing``: what was not measured, and why.
    """

    kind: str
    at: str
    machine: dict[str, str]
    settings: dict[str, str]
    peers: dict[str, str] = {}
    missing: list[str] = []
    rows: dict[str, Values] = {}

    def add(self, key: str, value: float) -> None:
        self.rows.setdefault(key, []).append(value)

    def without(self, peer: str, why: str) -> None:
        """Leaves a peer out that failed: figures of some rounds only cannot be compared."""
        self.missing.append(why)
        self.peers.pop(peer, None)
        for key in [key for key in self.rows if key.startswith((f"peer.{peer}.", f"peer_cpu.{peer}."))]:
            del self.rows[key]


class Figure(NamedTuple):
    """``key`` may end in ``*``: the rest of the key is shown behind the title.

    On a page rows with the same ``across`` are one table, with a column for each rest of the key.
    """

    key: str
    title: str
    unit: str
    across: str = ""


CONNECTIONS, PEERS = "over so many connections", "peers, each in its cells"

ROWS = (
    Figure("floor", "a. floor: the same statements by bare SQLite, 100 orders a commit", "orders/s"),
    Figure("floor_single", "   the same, each statement by itself", "orders/s"),
    Figure("path.*", "b. accept to end over HTTP, connections:", "orders/s", CONNECTIONS),
    Figure("accepts.*", "   answers meanwhile, connections:", "orders/s", CONNECTIONS),
    Figure("p50.*", "   answered in, median, connections:", "ms", CONNECTIONS),
    Figure("p99.*", "   answered in, 99th, connections:", "ms", CONNECTIONS),
    Figure("cpu.*", "   processor time of the server per order, connections:", "µs", CONNECTIONS),
    Figure("load_cpu.*", "   processor time of the load generator per order, connections:", "µs", CONNECTIONS),
    Figure("gateways", "c. the same, gateways over HTTP that take 50 ms, 64 connections", "orders/s"),
    Figure("gateways_cpu", "   processor time of the server per order", "µs"),
    Figure("handovers", "   holds that end at once: calls to the restaurant", "calls/s"),
    Figure("handovers_slow", "   the same while 1,000 charges wait for a bank that takes 5 s", "calls/s"),
    Figure("open_rate", "d. open loop, orders by chance at half of b's rate", "orders/s"),
    Figure("open_p50", "   answered in, from the intended send, median", "ms"),
    Figure("open_p99", "   answered in, from the intended send, 99th", "ms"),
    Figure("open_waited", "   the server's threads waited for a core, in percent of the time", "%"),
    Figure("sync_p50", "   fdatasync of 64 KiB appended meanwhile by another process, median", "ms"),
    Figure("sync_p99", "   fdatasync of 64 KiB appended meanwhile by another process, 99th", "ms"),
    Figure("idle_sync_p50", "   the same with nothing else going on, median", "ms"),
    Figure("idle_sync_p99", "   the same with nothing else going on, 99th", "ms"),
    Figure("graphql", "e. accepts alone, 64 connections: GraphQL postOrder", "accepts/s"),
    Figure("rest", "   accepts alone, 64 connections: REST POST /orders", "accepts/s"),
    Figure("core.*", "f. the workflow core alone, a CPU second:", ""),
    Figure("peer.*", "g.", "orders/s", PEERS),
    Figure("peer_cpu.*", "   processor time per order,", "ms", PEERS),
)


def median(values: Iterable[float]) -> float:
    return statistics.median(values)


def ratios(above: Values, below: Values) -> Values:
    """Round by round: only figures that were measured close together are compared."""
    return [one / other for one, other in zip(above, below, strict=True)]


def best_cell(results: Results, peer: str) -> str | None:
    """The key of the peer's best cell by its median."""
    keys = [key for key in results.rows if key.startswith(f"peer.{peer}.")]
    return max(keys, key=lambda key: median(results.rows[key]), default=None)


def cell_title(cell: str) -> str:
    """``run 32`` in words."""
    how, clients = cell.split()
    many = "client" if clients == "1" else "clients"
    return {"run": f"{clients} waiting {many}", "send": f"sent by {clients} {many}"}[how]


# ── what is required ──────────────────────────────────────────────────────────────────────────────────────────────


class Required(NamedTuple):
    """``of``: its value round by round, None when it was not measured. ``least`` or else at ``most`` is required."""

    title: str
    unit: str
    of: Callable[[Results], Values | None]
    least: float | None = None
    most: float | None = None

    @property
    def wanted(self) -> str:
        return f"≥ {self.least:,g}" if self.least is not None else f"≤ {self.most:,g}"


class Verdict(NamedTuple):
    """``met``: of the median; None when it was not measured."""

    required: Required
    values: Values
    met: bool | None


def verdict(required: Required, results: Results) -> Verdict:
    values = required.of(results)
    if not values:
        return Verdict(required, [], met=None)
    middle = median(values)
    low = required.least is None or middle >= required.least
    high = required.most is None or middle <= required.most
    return Verdict(required, values, met=low and high)


def row(key: str, factor: float = 1.0) -> Callable[[Results], Values | None]:
    return lambda results: [factor * value for value in results.rows.get(key, ())]


def ratio(above: str, below: str) -> Callable[[Results], Values | None]:
    def of(results: Results) -> Values | None:
        rows = results.rows
        return ratios(rows[above], rows[below]) if above in rows and below in rows else None

    return of


def slowed(results: Results) -> Values | None:
    """By how many percent the slow bank slows the calls to the restaurant."""
    with_, without = results.rows.get("handovers_slow"), results.rows.get("handovers")
    return [100 * (1 - one) for one in ratios(with_, without)] if with_ and without else None


REQUIRED = (
    Required("b, 64 connections, of the floor a", "times", ratio("path.64", "floor"), least=0.3),
    Required("c, gateways that take 50 ms", "orders/s", row("gateways"), least=500),
    Required("c, the slow bank slows calls to the restaurant by", "%", slowed, most=10),
    Required("d, 99th of the accept, of fdatasync's 99th", "times", ratio("open_p99", "sync_p99"), most=3),
    Required("e, GraphQL accepts, of REST accepts", "times", ratio("graphql", "rest"), least=0.4),
    Required(
        "f, transitions with history, a storable state after each",
        "/s",
        row("core.an event each, stored, transitions"),
        150_000,
    ),
)


def against_peers(results: Results) -> list[Required]:
    """b beside the best cell of every peer that was measured."""
    found = []
    for name, title in results.peers.items():
        if key := best_cell(results, name):
            cell = cell_title(key.removeprefix(f"peer.{name}."))
            found.append(Required(f"b, 64 connections, of {title}, {cell}", "times", ratio("path.64", key), least=10))
    return found
