"""Processes to measure: our server and what it talks to, and what the system says they used."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from expediter.embedded.sqlite.database import open_reader

ROOT = Path(__file__).resolve().parents[2]
#: Seconds for a server to come up, and for the last order to end.
PATIENCE = 120.0
TICKS = os.sysconf("SC_CLK_TCK")
#: Seconds between looks whether every order has ended: the look costs the server a little.
LOOK = 0.1
_NEWEST = """SELECT sum(status = 'SUCCESS'), max(json_extract(body, '$.updated_at'))
FROM (SELECT status, body FROM orders ORDER BY no DESC LIMIT ?)"""


class Server:
    """A server of ours: its process, its port, its data."""

    def __init__(self, process: subprocess.Popen[str], port: int, data: Path) -> None:
        self.process = process
        self.port = port
        self.data = data

    def cpu(self) -> float:
        """Seconds of processor time so far, of all its threads; 0 where there is no /proc."""
        return cpu(self.process.pid)

    def waited(self) -> float:
        """Seconds that its threads were ready and had no core so far: what else the machine does. 0 without /proc."""
        tasks = Path(f"/proc/{self.process.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[1]) for task in tasks) / 1e9

    def memory(self, field: str = "VmRSS") -> float:
        """Megabytes in memory now; VmHWM: at most so far."""
        found = re.search(rf"^{field}:\s+(\d+) kB", Path(f"/proc/{self.process.pid}/status").read_text(), re.MULTILINE)
        return int(found[1]) / 1000 if found else 0.0

    def metric(self, name: str) -> float:
        """The sum over all its labels."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics") as response:  # our own server
            lines = response.read().decode().splitlines()
        return sum(float(line.split()[-1]) for line in lines if re.match(rf"{name}[ {{]", line))

    def all_ended(self, count: int, patience: float = PATIENCE) -> float:
        """Waits until the newest so many orders ended in success; when the last of them did (as ``time.time()``).

        Raises TimeoutError.
        """
        deadline = time.monotonic() + patience
        while self.metric("expediter_orders_ended_total") < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"not every order ended within {patience:g} seconds")
            time.sleep(LOOK)
        connection = open_reader(self.data / "expediter.db")
        rows: list[tuple[Any, ...]] = connection.execute(_NEWEST, (count,)).fetchall()
        connection.close()
        succeeded, last = rows[0]
        if succeeded < count:
            raise RuntimeError(f"{count} orders were to succeed, {succeeded} did")
        return float(last) / 1000


def cpu(pid: int) -> float:
    """Seconds of processor time that a process used so far."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return 0.0
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


@contextmanager
def serving(
    settings: Mapping[str, str], data: Path | None = None, module: str = "expediter", under: Sequence[str] = ()
) -> Iterator[Server]:
    """A server on a free port with these EXPEDITER_ settings, on ``data`` or a fresh folder of its own.

    ``under``: a command that runs the server's.
    """
    with workplace() as folder:
        home = data or folder / "data"
        given = {"DATA": str(home), "PORT": "0", "HOLD_SECONDS": "0", **settings}
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("EXPEDITER_")}
        environment = {**inherited, **{f"EXPEDITER_{name}": value for name, value in given.items()}}
        log = folder / "server.log"
        with log.open("wb") as errors:
            process = subprocess.Popen(
                [*under, sys.executable, "-m", module, "serve"],
                env=environment,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                cwd=ROOT,
            )
        with process:
            try:
                yield Server(process, _port(process, log), home)
            finally:
                process.send_signal(signal.SIGCONT)
                process.send_signal(signal.SIGTERM)
                process.communicate(timeout=PATIENCE)


def _port(process: subprocess.Popen[str], log: Path) -> int:
    greeting = process.stdout.readline() if process.stdout else ""
    found = re.search(r"http://[^:/]+:(\d+)", greeting)
    if found is None:
        raise RuntimeError(f"the server did not start: {greeting}{log.read_text()}")
    return int(found[1])


@contextmanager
def workplace() -> Iterator[Path]:
    """A folder that is gone afterwards, on the disk that holds this checkout: /tmp may be in memory, where an fsync
    costs nothing.
    """
    build = ROOT / "build"
    build.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=build) as folder:
        yield Path(folder)


def file_system(folder: Path) -> str:
    """The kind of file system that holds the folder, where /proc tells."""
    mounts = Path("/proc/mounts")
    if not mounts.exists():
        return "unknown"
    lines = [line.split() for line in mounts.read_text().splitlines()]
    holding = [(len(line[1]), line[2]) for line in lines if folder.resolve().is_relative_to(line[1])]
    return max(holding)[1] if holding else "unknown"
