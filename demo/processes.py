"""Starts the demo's processes, each on a free port of its own, and stops them."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

#: Seconds that a process gets to end.
PATIENCE = 20


class DidNotStart(Exception):
    """A process ended before it said where it listens."""


class Stage(msgspec.Struct, frozen=True):
    """Where everything is. ``folder`` holds the data, the records and the server's log."""

    folder: Path
    server: str
    bank: str
    restaurant: str
    mail: str

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def mail_record(self) -> Path:
        return self.folder / "mailserver.jsonl"


class Trouble(msgspec.Struct, frozen=True):
    """Shares of calls on which the providers behave badly."""

    decline: float = 0.05
    fail: float = 0.04
    lose: float = 0.02
    slow: float = 0.05
    pend: float = 0.05


@contextmanager
def stage(folder: Path, hold_seconds: int, trouble: Trouble) -> Iterator[Stage]:
    """A fresh server and its providers, as processes of their own. Raises DidNotStart.

    When the block ends the server is asked to stop, and has to end with 0 in time.
    """
    bad = [f"--{name}={share}" for name, share in msgspec.structs.asdict(trouble).items()]
    mail_bad = [f"--fail={trouble.fail / 4}", f"--lose={trouble.lose / 2}"]  # a mail is tried again after 5, 10, … s
    with ExitStack() as stack:

        def provider(name: str, *options: str) -> str:
            record = f"--record={folder / name}.jsonl"
            return stack.enter_context(running(["-m", f"demo.{name}", record, *options], {}, folder / f"{name}.log"))

        bank, restaurant = provider("bank", *bad), provider("restaurant", *bad, "--secret=demo")
        mail = provider("mailserver", *mail_bad)
        settings = {
            "DATA": str(folder / "data"),
            "PORT": "0",
            "HOLD_SECONDS": str(hold_seconds),
            "PAYMENTS": bank,
            "PAYMENT_WAIT_SECONDS": "2",
            "RESTAURANT": restaurant,
            "RESTAURANT_SECRET": "demo",
            "SMTP_URL": mail,
            "NOTIFY": "operators@example.com",
        }
        environment = {f"EXPEDITER_{name}": value for name, value in settings.items()}
        server = stack.enter_context(running(["-m", "expediter", "serve"], environment, folder / "server.log"))
        yield Stage(folder, server, bank, restaurant, mail)


@contextmanager
def running(words: list[str], environment: dict[str, str], log: Path) -> Iterator[str]:
    """The URL in the first line that the process prints; the process is stopped at the end. Raises DidNotStart."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("EXPEDITER_")}
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, *words], stdout=subprocess.PIPE, stderr=errors, env={**inherited, **environment}, text=True
        )
    with process:
        try:
            yield _url(process, words, log)
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=PATIENCE)


def _url(process: subprocess.Popen[str], words: list[str], log: Path) -> str:
    line = process.stdout.readline() if process.stdout else ""
    for word in line.split():
        if "://" in word:
            return word
    raise DidNotStart(f"python {' '.join(words)} did not start: {line}{log.read_text()}")
