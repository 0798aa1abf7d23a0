"""Runs every 15 minutes: sends the mails and changes that the streams did not send."""

import logging
from collections.abc import Callable, Iterator

from expediter.asl.protocol import Json
from expediter.aws import clock, wiring
from expediter.aws.stores.items import DynamoItem

_log = logging.getLogger("expediter.sweeper")
#: Milliseconds that a stream has to send something, and after which a sweep leaves the rest to the next one.
AGE, TIME = 15 * 60 * 1000, 20 * 1000


class SweepFailed(Exception):
    """Mails or changes could not be sent. The log says why, and the next sweep tries again."""


def handler(_: Json, __: object) -> Json:
    """How many mails and how many ends of orders were sent. Raises SweepFailed when one could not be sent."""
    now = clock.now()
    forgotten = wiring.forgotten()
    mails = _each(forgotten.mails(now - AGE), lambda row: wiring.mailer().deliver(_key(row), now), now)
    news = _each(forgotten.news(now - AGE), lambda row: wiring.publisher().publish(row), now)
    failed = mails[1] + news[1]
    if failed:
        raise SweepFailed(f"{failed} of {sum(mails) + sum(news)} mails and news were not sent. See the log.")
    return {"mails": mails[0], "news": news[0]}


def _each(rows: Iterator[DynamoItem], send: Callable[[DynamoItem], None], begun: int) -> tuple[int, int]:
    """How many were sent, and how many were not."""
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


def _key(row: DynamoItem) -> DynamoItem:
    return {"order_id": row["order_id"], "mail": row["mail"]}
