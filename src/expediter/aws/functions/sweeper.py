"""Runs every 15 minutes: sends the mails and changes that the streams did not send."""

from expediter.asl.protocol import Json
from expediter.aws import clock, wiring
from expediter.aws.sending.sweep import send_each
from expediter.aws.stores.items import DynamoItem

#: Milliseconds that a stream has to send something.
AGE = 15 * 60 * 1000


class SweepFailed(Exception):
    """Mails or changes could not be sent. The log says why, and the next sweep tries again."""


def handler(_: Json, __: object) -> Json:
    """How many mails and how many ends of orders were sent. Raises SweepFailed when one could not be sent."""
    now = clock.now()
    forgotten = wiring.forgotten()
    mails = send_each(forgotten.mails(now - AGE), lambda row: wiring.mailer().deliver(_key(row), now), now)
    news = send_each(forgotten.news(now - AGE), lambda row: wiring.publisher().publish(row), now)
    failed = mails[1] + news[1]
    if failed:
        raise SweepFailed(f"{failed} of {sum(mails) + sum(news)} mails and news were not sent. See the log.")
    return {"mails": mails[0], "news": news[0]}


def _key(row: DynamoItem) -> DynamoItem:
    return {"order_id": row["order_id"], "mail": row["mail"]}
