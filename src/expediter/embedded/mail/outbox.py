"""Sends the mails of the outbox by SMTP. Each is tried until it is sent, refused or given up."""

import asyncio
from functools import partial

from expediter.app.mails import about
from expediter.app.ports import Mail
from expediter.domain.errors import StoreUnavailable
from expediter.embedded.clock import Clock
from expediter.embedded.loop import Loop
from expediter.embedded.mail.smtp import Mailer, MailRefused, MailUnavailable
from expediter.embedded.sqlite.access import DatabaseAccess, complete
from expediter.embedded.sqlite.session import Row, Statements, one

#: Mails that are sent at the same time.
AT_ONCE = 16
#: Milliseconds to the second try; doubled with each try, up to an hour. A mail is given up after TRIES (four days).
RETRY, LONGEST, TRIES = 5_000, 3_600_000, 100
#: Milliseconds between rounds when nothing wakes the outbox.
PAUSE = 5_000

_SQL = Statements("mail")


class Outbox(Loop):
    """Sends mails, and stores the result of each in the database."""

    def __init__(self, database: DatabaseAccess, clock: Clock, mailer: Mailer) -> None:
        super().__init__("outbox", clock, PAUSE)
        self._reading, self._writing, self._writer = database
        self._mailer = mailer

    def posted(self) -> None:
        """Call it in the unit of work that posts mails: they are sent as soon as they are durable."""
        self._writer.after(self.wake)

    async def one_round(self, now: int) -> int:
        """Sends the mails that are due. A mail whose result could not be stored waits for PAUSE."""
        rows = self._reading.rows(_SQL["due"], (now, AT_ONCE))
        if rows:
            stored = await asyncio.gather(*(self._deliver(row) for row in rows))
            return now if all(stored) else now + PAUSE
        (next_at,) = one(self._reading, _SQL["next_due"])
        return now + PAUSE if next_at is None else int(min(next_at, now + PAUSE))

    async def _deliver(self, row: Row) -> bool:
        """Sends one mail and stores the result; False when it could not be stored."""
        no, order_id, status, recipient, subject, text, tries = row
        mail = Mail(order_id, about(status), recipient, subject, text)
        now = self._clock.now()
        try:
            await self._mailer.deliver(mail, now)
        except (MailUnavailable, MailRefused) as error:
            given_up = isinstance(error, MailRefused) or tries + 1 >= TRIES
            next_at = None if given_up else now + pause_after(tries)
            extra = {"order_id": order_id, "mail": status}
            self._log.warning("a mail was not sent; %s", "given up" if given_up else "it is tried again", extra=extra)
            values = (no, status, recipient, next_at, str(error), now if given_up else None)
            return await self._store(_SQL["postponed"], values)
        return await self._store(_SQL["sent"], (no, status, recipient, now))

    async def _store(self, sql: str, values: tuple[str | int | None, ...]) -> bool:
        try:
            await complete(self._writer, "mail", partial(self._writing.execute, sql, values))
        except StoreUnavailable as error:
            self._log.error("the result of a mail was not stored; it is sent again with its Message-ID", exc_info=error)
            return False
        return True


def pause_after(tries: int) -> int:
    """Milliseconds until the next try of a mail. ``tries``: how often it was tried before this time."""
    return min(RETRY << min(tries, 12), LONGEST)
