"""Sends the mails of the outbox by SMTP, each until it is sent or refused for good."""

import asyncio
import logging

from expediter.app.mails import about
from expediter.app.ports import Mail
from expediter.domain.errors import StoreUnavailable
from expediter.embedded.clock import Clock
from expediter.embedded.mail.smtp import Mailer, MailRefused, MailUnavailable
from expediter.embedded.sqlite.database import Row, Session, Statements
from expediter.embedded.sqlite.writer import Writer

#: Mails under way at the same time.
AT_ONCE = 16
#: Milliseconds to the second try; doubled with each up to an hour; given up after this many tries (about four days).
RETRY, LONGEST, TRIES = 5_000, 3_600_000, 100
#: Milliseconds between looks when nothing wakes the outbox.
PAUSE = 5_000

_SQL = Statements("mail")
_log = logging.getLogger("expediter.outbox")


class Outbox:
    def __init__(self, writer: Writer, writing: Session, reading: Session, mailer: Mailer, clock: Clock) -> None:
        self._writer = writer
        self._writing = writing
        self._reading = reading
        self._mailer = mailer
        self._clock = clock
        self._wake = asyncio.Event()
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    def posted(self) -> None:
        """From inside a unit: mails were posted; look once they are durable."""
        self._writer.after(self._wake.set)

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="outbox")

    async def stop(self) -> None:
        """Ends after the mails under way."""
        self._stopping = True
        self._wake.set()
        if self._task:
            await self._task

    async def _run(self) -> None:
        while not self._stopping:
            now = self._clock.now()
            try:
                again = await self._round(now)
            except StoreUnavailable as error:
                _log.error("the outbox could not be read; trying again", exc_info=error)
                again = now + PAUSE
            if again > now:
                await self._clock.wait_until(min(again, now + PAUSE), self._wake)

    async def _round(self, now: int) -> int:
        """Sends what is due; gives when to look again. A mail whose sending could not be stored is not due at once."""
        rows = self._reading.rows(_SQL["due"], (now, AT_ONCE))
        if rows:
            stored = await asyncio.gather(*(self._deliver(row) for row in rows))
            return now if all(stored) else now + PAUSE
        (next_at,) = self._reading.one(_SQL["next_due"])
        return int(next_at or now + PAUSE)

    async def _deliver(self, row: Row) -> bool:
        """Whether what became of the mail could be stored."""
        no, order_id, status, recipient, subject, text, tries = row
        mail = Mail(order_id, about(status), recipient, subject, text)
        now = self._clock.now()
        try:
            await self._mailer.deliver(mail, now)
        except (MailUnavailable, MailRefused) as error:
            refused = isinstance(error, MailRefused) or tries + 1 >= TRIES
            next_at = None if refused else now + min(RETRY * 2 ** min(tries, 12), LONGEST)
            what = {"order_id": order_id, "mail": status}
            _log.warning("a mail was not sent; %s", "given up" if refused else "trying again later", extra=what)
            return await self._store(_SQL["postponed"], (no, status, recipient, next_at, str(error)))
        return await self._store(_SQL["sent"], (no, status, recipient, now))

    async def _store(self, sql: str, values: tuple[str | int | None, ...]) -> bool:
        stored: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

        def done(_: object, error: Exception | None) -> None:
            if error is not None:  # the mail is sent once more, under the same Message-ID
                _log.error("the outbox could not be written", exc_info=error)
            stored.set_result(error is None)

        self._writer.submit("mail", lambda: self._writing.stage(sql, values), done)
        return await stored
