"""The processes of a crash test: one server after the other on the same folder, and the providers, which live on."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from importlib import resources
from pathlib import Path
from typing import IO, NamedTuple, TypeVar

from demo.bank import Line as BankLine
from demo.behaviour import Shares
from demo.journal import Journal
from demo.mailserver import Line as MailLine
from demo.restaurant import Line as RestaurantLine
from tests.crash.points import Point

#: How badly the providers behave: shares of keys refused, of tries failed, of answers lost, of answers late.
BANK = Shares(decline=0.1, fail=0.08, lose=0.12, slow=0.3, pend=0.2, seed=1)
#: What the bank's events are signed with.
EVENTS_SECRET = "whsec_crash"
RESTAURANT = Shares(decline=0.15, fail=0.15, lose=0.15, slow=0.3, seed=2)
MAIL = Shares(fail=0.05, lose=0.05, seed=3)
NOTIFY = "kitchen@example.com"
#: Few tries of charge and handover: more of them end with their result unknown. Many of a withdrawal: the workflow
#: gives the money back even when the restaurant could not be told, and then the kitchen's records prove nothing.
TRIES = {"ProcessPayment": 1, "SendOrderToRestaurant": 1, "OweRefund": 20}
#: Seconds until a server that does not come up, or does not stop, fails the test.
PATIENCE = 30.0

#: What a server does until it can say so itself.
LOADING = "loading its code"

Line = TypeVar("Line")
_URL = re.compile(r"(https?|smtp)://\S+")


class Changed(NamedTuple):
    """What an operator may set otherwise for each life; ``other_workflow``: the same one under another hash."""

    hold_seconds: int
    price: int = 1_000
    currency: str = "USD"
    keep_days: int = 30
    secret: str = "one"
    other_workflow: bool = False


class Outside(NamedTuple):
    """Where the providers are, and the files in which they write down every call."""

    folder: Path
    bank: str
    restaurant: str
    mail: str

    def bank_lines(self) -> list[BankLine]:
        return _lines(self.folder / "bank.jsonl", BankLine)

    def restaurant_lines(self) -> list[RestaurantLine]:
        return _lines(self.folder / "restaurant.jsonl", RestaurantLine)

    def mail_lines(self) -> list[MailLine]:
        return _lines(self.folder / "mailserver.jsonl", MailLine)


def _lines(file: Path, shape: type[Line]) -> list[Line]:
    with closing(Journal(file, shape)) as journal:
        return list(journal.read())


@contextmanager
def outside(folder: Path) -> Iterator[Outside]:
    """Starts bank, restaurant and mail server, each a process of its own; ends them behind the block."""
    with ExitStack() as stack:
        urls = [
            stack.enter_context(_provider(name, folder / f"{name}.jsonl", shares))
            for name, shares in (("bank", BANK), ("restaurant", RESTAURANT), ("mailserver", MAIL))
        ]
        yield Outside(folder, *urls)


@contextmanager
def _provider(name: str, record: Path, shares: Shares) -> Iterator[str]:
    given = [f"--{option}={getattr(shares, option)}" for option in Shares.__struct_fields__]
    command = [sys.executable, "-m", f"demo.{name}", f"--record={record}", *given]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield _url(process.stdout)
        finally:
            process.terminate()


def _url(output: IO[str] | None) -> str:
    """The first address that a process prints; empty when it ends before."""
    for line in output or ():
        if found := _URL.search(line):
            return found.group()
    return ""


class Server:
    """One life of the server. ``url`` is empty when it died before it served."""

    def __init__(
        self, folder: Path, providers: Outside, changed: Changed, point: Point | None = None, nth: int = 1
    ) -> None:
        self.note = folder / "note"
        self.note.write_text(LOADING)
        self.started = time.monotonic()
        self._log = (folder / "server.log").open("ab")
        given = [str(self.note), *(point or ()), str(nth)] if point else [str(self.note)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.server", *given],
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            env={**os.environ, **_settings(folder, providers, changed)},
        )

    def serving(self) -> str:
        """Waits until it serves; its URL, or nothing when it died before."""
        return _url(self.process.stdout)

    @property
    def doing(self) -> str:
        return self.note.read_text().strip()

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def kill(self) -> str | None:
        """SIGKILL; what it was doing. None when it had ended by itself."""
        self.signal(signal.SIGKILL)
        return self.reaped()

    def reaped(self) -> str | None:
        """Waits for its end; what it was doing if that was SIGKILL."""
        code = self.process.wait(PATIENCE)
        if self.process.stdout:
            self.process.stdout.close()
        self._log.close()
        if code == -signal.SIGKILL:
            return self.doing
        if code != 0:
            raise RuntimeError(f"the server ended with {code}; see {self._log.name}")
        return None


def _settings(folder: Path, providers: Outside, changed: Changed) -> dict[str, str]:
    workflow = folder / ("other.asl.json" if changed.other_workflow else "impatient.asl.json")
    if not workflow.exists():
        workflow.write_text(impatient(workflow.stem))
    return {
        "EXPEDITER_DATA": str(folder / "data"),
        "EXPEDITER_PORT": "0",
        "EXPEDITER_HOLD_SECONDS": str(changed.hold_seconds),
        "EXPEDITER_DEFAULT_PRICE": str(changed.price),
        "EXPEDITER_CURRENCY": changed.currency,
        "EXPEDITER_KEEP_DAYS": str(changed.keep_days),
        "EXPEDITER_RESTAURANT_SECRET": changed.secret,
        "EXPEDITER_PAYMENTS": providers.bank,
        "EXPEDITER_PAYMENTS_WEBHOOK_SECRET": EVENTS_SECRET,
        "EXPEDITER_PAYMENT_WAIT_SECONDS": "2",
        "EXPEDITER_RESTAURANT": providers.restaurant,
        "EXPEDITER_SMTP_URL": providers.mail,
        "EXPEDITER_NOTIFY": NOTIFY,
        "EXPEDITER_WORKFLOW": str(workflow),
    }


def impatient(comment: str) -> str:
    """The order's own workflow with short pauses, other numbers of tries, and this comment."""
    definition = json.loads((resources.files("expediter.contracts") / "order.asl.json").read_text())
    definition["Comment"] = comment
    for name, state in definition["States"].items():
        for retry in state.get("Retry", ()):
            retry.update(MaxDelaySeconds=2, MaxAttempts=TRIES.get(name, retry["MaxAttempts"]))
    return json.dumps(definition)
