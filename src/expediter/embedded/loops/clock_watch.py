"""Watches the machine's clock. When it differs from the server's time by more than a minute, somebody set it, or it was
wrong when the server began. Operators are told once, until both agree again.
"""

from collections.abc import Callable

from expediter.app.mails import clock_mails
from expediter.app.ports import Mail, OrderSettings
from expediter.domain.alert import ClockAlert
from expediter.embedded.clock import Clock
from expediter.embedded.loop import Loop

#: Milliseconds between rounds.
LOOK = 5_000
#: Milliseconds by which the two may differ.
MOST = 60_000


class ClockWatch(Loop):
    """``send`` sends mails to operators at once. They are about no order, so the outbox does not hold them."""

    def __init__(self, clock: Clock, settings: OrderSettings, send: Callable[[tuple[Mail, ...]], None]) -> None:
        super().__init__("clock", clock, LOOK)
        self._settings = settings
        self._send = send
        self._told = False

    async def one_round(self, now: int) -> int:
        """Tells operators when the two differ, and writes down when they agree again."""
        ahead = self._clock.machine_ahead()
        if (abs(ahead) > MOST) != self._told:
            self._told = not self._told
            extra = {"alert": ClockAlert.CLOCK_SET.value, "seconds": ahead // 1000}
            if self._told:
                self._log.warning("the machine's clock was set; the server's time approaches it slowly", extra=extra)
                self._send(clock_mails(ahead, now, self._settings))
            else:
                self._log.warning("the machine's clock and the server's time agree again", extra=extra)
        return now + LOOK
