"""The measurements of one round, each a function that adds its figures to the results."""

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import msgspec

from bench import path
from bench.floor import Recording, replayed
from bench.peers.running import PEERS, Peer, PeerFailed, measured
from bench.reporting.figures import Results, median
from bench.rig.gateways import gateways
from bench.rig.server import ROOT

CONNECTIONS = (1, 8, 64, 256)
#: Of the floor in a round, because one takes only a fraction of a second: their median counts.
REPLAYS = 5
#: Of the slow bank: orders whose holds end at once, seconds of the hold, charges that wait meanwhile.
HANDOVERS, HOLD, CHARGES = 2_500, 8, 1_000


class Round(msgspec.Struct):
    """What the steps share. ``seconds``: of one measurement under load. ``statements``: of the floor."""

    results: Results
    seconds: float
    number: int = 0
    statements: list[Any] = []


def floor(now: Round) -> None:
    now.statements = now.statements or Recording().statements
    both = [(replayed(now.statements), replayed(now.statements, singly=True)) for _ in range(REPLAYS)]
    for key, found in zip(("floor", "floor_single"), zip(*both, strict=True), strict=True):
        now.results.add(key, median(found))


def accept_to_end(connections: int) -> Callable[[Round], None]:
    def step(now: Round) -> None:
        found = path.accept_to_end(connections, now.seconds)
        figures = {"path": found.completed, "accepts": found.accepted, "p50": found.p50, "p99": found.p99}
        for name, value in {**figures, "cpu": found.cpu, "load_cpu": found.load_cpu}.items():
            now.results.add(f"{name}.{connections}", value)

    return step


def with_gateways(now: Round) -> None:
    with gateways() as both:
        found = path.accept_to_end(64, now.seconds, both.settings)
    now.results.add("gateways", found.completed)
    now.results.add("gateways_cpu", found.cpu)


def slow_bank(now: Round) -> None:
    """Without, with, with, without: a machine that becomes slower meanwhile does so for both."""
    found: dict[int, list[float]] = {0: [], CHARGES: []}
    for charges in (0, CHARGES, CHARGES, 0):
        with gateways() as both:
            found[charges].append(path.slow_bank(both, HANDOVERS, HOLD, charges))
    now.results.add("handovers", sum(found[0]) / 2)
    now.results.add("handovers_slow", sum(found[CHARGES]) / 2)


def open_loop(now: Round) -> None:
    found = path.accept_latency(2 * now.seconds, seed=now.number)
    for key, value in msgspec.structs.asdict(found).items():
        now.results.add(f"open_{key}" if key in {"rate", "p50", "p99", "waited"} else key, value)


def accepts(now: Round) -> None:
    for key, request, answer in (
        ("rest", path.REST, path.ACCEPTED),
        ("graphql", path.GRAPHQL, path.ANSWERED),
    ):
        now.results.add(key, path.accepts(64, now.seconds, request, answer))


def core(now: Round) -> None:
    words = [sys.executable, "-m", "bench.core", "--rounds", "1", "--json"]
    done = subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    for row in json.loads(done.stdout):
        now.results.add(f"core.{row['name']}, {row['unit']}", row["a_second"])


def peer(given: Peer) -> Callable[[Round], None]:
    def step(now: Round) -> None:
        if given.name not in now.results.peers:
            return
        try:
            found = measured(given, now.seconds)
        except PeerFailed as error:
            now.results.without(given.name, str(error))
            return
        if not found.alone and now.number == 1:
            now.results.missing.append(f"{given.title} in a network of its own: this system does not permit one.")
        for cell in found.cells:
            now.results.add(f"peer.{given.name}.{cell.how} {cell.clients}", cell.rate)
            now.results.add(f"peer_cpu.{given.name}.{cell.how} {cell.clients}", cell.cpu_ms)

    return step


#: Name → step, in the order of a round.
STEPS: dict[str, Callable[[Round], None]] = {
    "floor": floor,
    **{f"path.{connections}": accept_to_end(connections) for connections in CONNECTIONS},
    "open": open_loop,
    "accepts": accepts,
    "gateways": with_gateways,
    "bank": slow_bank,
    "core": core,
    **{each.name: peer(each) for each in PEERS},
}
