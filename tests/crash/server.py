"""The real server, which kills itself with SIGKILL when it passes a given point for the n-th time.

    python -m tests.crash.server NOTE [NAME SIDE N]

NOTE is a file that always says what the server is doing: it outlives the process, so whoever kills it at a random
moment learns what the kill hit. Nothing of this is in the server itself: the writer tells an observer of its commits,
and the ways out (gateways, mail) are the real ones with a watch around each call. A life that ends well leaves the
names of the units that it met beside NOTE.

Some numbers are smaller than in service: an answer is waited for one second instead of ten, an undelivered mail is
tried again within a second, and the log is moved into the file every 100 pages, so that kills meet that too.
"""

import mmap
import os
import signal
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TypeAlias

from expediter.app.gateways import Gateway, GatewayName
from expediter.app.ports import Mail
from expediter.app.tasks.calls import Answer, AnyCall
from expediter.cli import server
from expediter.embedded import wiring
from expediter.embedded.engine.gateways import Gateways
from expediter.embedded.engine.http_client import Limits
from expediter.embedded.loops import events
from expediter.embedded.mail import outbox
from expediter.embedded.mail.smtp import Mailer
from expediter.embedded.sqlite import checkpoints
from tests.crash.points import SEEN, Point

#: Bytes of the note.
SIZE = 64
Secrets: TypeAlias = Mapping[GatewayName, str | None]


class Watch:
    """The writer's observer; the calls that go out tell it too."""

    def __init__(self, note: Path, point: Point | None, nth: int) -> None:
        note.write_bytes(b" " * SIZE)
        with note.open("r+b") as file:
            self._note = mmap.mmap(file.fileno(), SIZE)
        self._point, self._left = point, nth
        self.seen: set[str] = set()
        self.write("starting")

    def write(self, doing: str) -> None:
        self._note[:] = doing.encode()[:SIZE].ljust(SIZE)

    def passed(self, name: str, side: str) -> None:
        if self._point == (name, side):
            self._left -= 1
            if self._left == 0:
                self.write(str(self._point))
                os.kill(os.getpid(), signal.SIGKILL)

    def before_commit(self, names: list[str]) -> None:
        self.seen.update(names)
        for name in names:
            self.passed(name, "before")
        self.write("in a COMMIT")

    def after_commit(self, names: list[str]) -> None:
        self.write("between two COMMITs")
        for name in names:
            self.passed(name, "after")


class WatchedGateways(Gateways):
    def __init__(self, payments: Gateway, restaurant: Gateway, secrets: Secrets, watch: Watch) -> None:
        super().__init__(payments, restaurant, secrets, Limits(answer=1.0))
        self._watch = watch

    async def call(
        self, call: AnyCall, now: int, seconds: float | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        self._watch.passed(f"call:{call.kind}", "before")
        try:
            return await super().call(call, now, seconds, headers)
        finally:
            self._watch.passed(f"call:{call.kind}", "after")


class WatchedMailer(Mailer):
    def __init__(self, url: str, watch: Watch) -> None:
        super().__init__(url)
        self._watch = watch

    async def deliver(self, mail: Mail, now: int) -> None:
        self._watch.passed("smtp", "before")
        await super().deliver(mail, now)
        self._watch.passed("smtp", "after")


def main(note: str, name: str = "", side: str = "", nth: str = "0") -> None:
    watch = Watch(Path(note), Point(name, side) if name else None, int(nth))
    outbox.RETRY, outbox.PAUSE = 300, 1_000
    events.BACKOFF = (200, 500, 500, 500, 500)
    checkpoints.BESIDE, checkpoints.LONG, checkpoints.FEW = 100, 400, 50
    vars(wiring)["Gateways"] = partial(WatchedGateways, watch=watch)
    vars(wiring)["Mailer"] = partial(WatchedMailer, watch=watch)
    vars(server)["open_home"] = partial(wiring.open_home, observer=watch)
    server.run(os.environ)
    Path(note).with_name(SEEN).write_text("\n".join(watch.seen))


if __name__ == "__main__":
    main(*sys.argv[1:])
