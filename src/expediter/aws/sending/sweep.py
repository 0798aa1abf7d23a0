"""Sends what the streams did not send, within the time of one sweep."""

import logging
from collections.abc import Callable, Iterator

from expediter.aws import clock
from expediter.aws.stores.items import DynamoItem

_log = logging.getLogger("expediter.sweeper")
#: Milliseconds after which a sweep leaves the rest to the next one.
TIME = 20 * 1000


def send_each(rows: Iterator[DynamoItem], send: Callable[[DynamoItem], None], begun: int) -> tuple[int, int]:
    """How many of the rows were sent, and how many could not be. ``begun``: the sweep's begin, ms since 1970 UTC."""
    done = failed = 0
    for row in rows:
        if clock.now() - begun > TIME:
            break
        try:
            send(row)
        except Exception:  # noqa: BLE001  # one that cannot be sent must not stop the others
            _log.exception("a mail or an order's end was not sent by the sweep")
            failed += 1
        else:
            done += 1
    return done, failed
