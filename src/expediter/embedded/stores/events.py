"""Events of payment providers on SQLite. Each is stored once and processed once."""

from collections.abc import Callable

from expediter.app.operator.services import DeadEvent, ReceivedEvent
from expediter.app.payments.events import OURSELVES, refund_asked
from expediter.embedded.sqlite.session import Session, Statements, one

_SQL = Statements("events")


class SqliteEvents:
    """``received`` is called in a unit of work that stores an event to process."""

    def __init__(self, session: Session, received: Callable[[], None]) -> None:
        self._session = session
        self.received = received

    def receive(self, event: ReceivedEvent, now: int) -> None:
        values = (event.provider, event.id, event.type, event.order_id, event.body, now)
        self._session.rows(_SQL["add"], values)
        self.received()

    def send(self, order_id: str, key: str, now: int) -> None:
        """The port ``RefundQueue``: a refund in part waits among the events."""
        self.receive(ReceivedEvent(OURSELVES, key, "refund.asked", order_id, refund_asked(order_id, key)), now)

    def dead(self, limit: int) -> tuple[DeadEvent, ...]:
        return tuple(DeadEvent(*row) for row in self._session.rows(_SQL["dead"], (limit,)))

    def count_dead(self) -> int:
        return int(one(self._session, _SQL["counts"])[0])

    def redrive(self, event_id: str, now: int) -> bool:
        moved = self._session.rows(_SQL["redrive"], (event_id, now))
        self.received()
        return bool(moved)

    def delete(self, event_id: str) -> bool:
        return bool(self._session.rows(_SQL["delete"], (event_id,)))
