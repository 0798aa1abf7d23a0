"""Asks the mail server what it offers, so that the APIs take the addresses that it takes."""

from expediter.embedded.clock import Clock
from expediter.embedded.loop import Loop
from expediter.embedded.mail.smtp import Mailer, MailUnavailable

#: Milliseconds until the mail server is asked again: when it answered, and when it did not.
ASK, ASK_AGAIN = 3_600_000, 60_000


class MailServerOffers(Loop):
    """Keeps ``mailer.smtputf8`` true to what the server says."""

    def __init__(self, clock: Clock, mailer: Mailer) -> None:
        super().__init__("mail-server", clock, ASK_AGAIN)
        self._mailer = mailer

    async def one_round(self, now: int) -> int:
        """Asks once. A server that does not answer is asked again soon; until then what it said before holds."""
        try:
            await self._mailer.ask()
        except MailUnavailable:
            return now + ASK_AGAIN
        return now + ASK
