"""The command line against real servers: processes of their own on a free port."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple, TypeAlias

import httpx
import pytest
from typer.testing import CliRunner, Result

from expediter.cli.app import app
from expediter.embedded.sqlite.database import open_writer
from expediter.embedded.sqlite.session import Session
from expediter.embedded.stores.queue import SqliteQueue


class DidNotBegin(Exception):
    """A server ended before it listened: its exit code, and what it wrote to stderr."""

    def __init__(self, code: int, errors: str) -> None:
        super().__init__(code, errors)
        self.code = code
        self.errors = errors


class Server(NamedTuple):
    """A running server: where it listens, its data folder, what it printed, its process."""

    url: str
    data: Path
    greeting: str
    process: subprocess.Popen[str]

    def accept(self, order: dict[str, Any] | None = None) -> str:
        """Places an order and gives its id."""
        given = order or {"user_id": "u", "quantity": 2, "restaurant_id": "r"}
        return str(httpx.post(f"{self.url}/orders", json=given).raise_for_status().headers["Order-Id"])

    def stop(self) -> int:
        """Asks it to stop, as an operating system does; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=20)
        return self.process.returncode


@contextmanager
def serving(
    data: Path, log: int | IO[str] = subprocess.PIPE, within: tuple[str, ...] = (), **settings: str
) -> Iterator[Server]:
    """``expediter serve`` on a free port, ended at the end. ``log``: a file, for a server that has much to say.

    ``within``: a command that becomes the server behind it.
    """
    mine = {f"EXPEDITER_{name}": value for name, value in {"DATA": str(data), "PORT": "0", **settings}.items()}
    process = subprocess.Popen(
        [*within, sys.executable, "-m", "expediter", "serve"],
        stdout=subprocess.PIPE,
        stderr=log,
        env={**plain_environment(), **mine},
        text=True,
    )
    with process:
        lines = []
        while process.stdout and (line := process.stdout.readline()):
            lines.append(line)
            if line.startswith("Ctrl-C"):
                break
        try:
            yield Server(_address(lines, process), data, "".join(lines), process)
        finally:
            if process.poll() is None:
                process.terminate()
            process.communicate(timeout=20)


def _address(lines: list[str], process: subprocess.Popen[str]) -> str:
    """Where the server listens, as its first line says. Raises DidNotBegin."""
    for word in lines[0].split() if lines else []:
        if "://" in word:
            return word
    _, errors = process.communicate(timeout=20)
    raise DidNotBegin(process.returncode, errors)


def plain_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("EXPEDITER_")}


def bury(data: Path, *bodies: bytes) -> None:
    """Dead letters in a data folder that no server has open."""
    data.mkdir(parents=True, exist_ok=True)
    with closing(open_writer(data / "expediter.db")) as connection, connection:
        queue = SqliteQueue(Session(connection), lambda: None)
        for number, body in enumerate(bodies):
            queue.send(body, {"order_id": f"00000000-0000-0000-0000-{number:012}"}, 1_000)
        for _ in range(3):
            for message in queue.receive(len(bodies), 10_000_000):
                queue.fail(message, f"OrderInvalid: {message.body.decode()} is none", 0)


class Typed(NamedTuple):
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run: TypeAlias = Callable[..., Typed]
Start: TypeAlias = Callable[..., Server]


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs ``expediter WORDS`` for a server, or for a data folder alone."""

    def run(*words: str, server: Server | None = None, data: Path | None = None, **settings: str) -> Typed:
        for name in [name for name in os.environ if name.startswith("EXPEDITER_")]:
            monkeypatch.delenv(name)
        if server:
            settings["PORT"] = server.url.rpartition(":")[2]
        folder = data or (server.data if server else None)
        if folder:
            settings["DATA"] = str(folder)
        for name, value in settings.items():
            monkeypatch.setenv(f"EXPEDITER_{name}", value)
        result: Result = CliRunner().invoke(app, words)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Typed(result.exit_code, result.stdout, result.stderr)

    return run


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Start]:
    """Starts servers that end with the test."""
    with ExitStack() as stack:
        yield lambda data=tmp_path / "data", **settings: stack.enter_context(serving(data, **settings))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for tests that do not disturb each other: long hold, three dead letters."""
    data = tmp_path_factory.mktemp("served")
    bury(data, b"first", b"second", b"third")
    with serving(data, HOLD_SECONDS="3600") as running:
        yield running
