"""How many orders, messages and mails wait, and since when: read from the database on request."""

import msgspec

from expediter.domain.alert import owed_since
from expediter.domain.order import Order
from expediter.embedded.sqlite.session import Session, Statements, one
from expediter.embedded.stores.executions import SqliteExecutions
from expediter.embedded.stores.queue import SqliteQueue

#: The order that is owed money longest is looked for among so many of them, those accepted first.
OWING = 500

_SQL, _EVENTS = Statements("alerts"), Statements("events")
_decode = msgspec.json.Decoder(Order).decode


def owing(session: Session) -> tuple[int, Order | None]:
    """How many orders are owed a refund, deleted ones included, and the one that is owed it longest."""
    (count,) = one(session, _SQL["owing"])
    first = [_decode(body) for (body,) in session.rows(_SQL["first_owing"], (OWING,))] if count else []
    return int(count), min(first, key=owed_since, default=None)


def gauges(session: Session, queue: SqliteQueue, calls: int, now: int) -> dict[str, float]:
    """The gauges of ``prometheus`` by name.

    ``calls``: how many are under way. ``now``: ms since 1970 UTC; ages are in seconds.
    """

    def age(since: int | None) -> float:
        return 0.0 if since is None else max(0, now - since) / 1000

    waiting, sent_at = queue.waiting()
    dead, died_at = one(session, _SQL["dead"])
    owed, longest = owing(session)
    return {
        "expediter_queue_messages": waiting,
        "expediter_queue_oldest_seconds": age(sent_at),
        "expediter_dead_letters": dead,
        "expediter_dead_letters_oldest_seconds": age(died_at),
        "expediter_refunds_owed": owed,
        "expediter_refunds_owed_oldest_seconds": age(owed_since(longest) if longest else None),
        "expediter_workflows_running": SqliteExecutions(session).running(),
        "expediter_workflows_failed": one(session, _SQL["failed"])[0],
        "expediter_calls_under_way": calls,
        "expediter_mails_waiting": one(session, _SQL["mails"])[0],
        "expediter_events_dead": one(session, _EVENTS["counts"])[0],
        "expediter_events_unknown": one(session, _EVENTS["counts"])[1],
        "expediter_mails_given_up": one(session, _SQL["mails_given_up"])[0],
    }
