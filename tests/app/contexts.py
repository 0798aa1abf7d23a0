"""Orders in the middle of their way, and tasks that look at them."""

from typing import Any

from expediter.app.ports import OrderSettings, Outcome
from expediter.app.tasks.calls import Answer, Call
from expediter.app.tasks.order import TASKS
from expediter.app.tasks.task import TaskContext
from expediter.domain.order import Effect, EffectKind, Order, Result, Status
from tests.support.clock import NOON
from tests.support.values import ID, an_order

LATER = NOON + 5_000
UNKNOWN = Effect(NOON)
DONE = Effect(NOON, Result.DONE, "ch_1")
REFUSED = Effect(NOON, Result.REFUSED)
SETTINGS = OrderSettings(notify=("ops@example.com",))


def order(
    status: Status = Status.PENDING, *, cancel: bool = False, reason: str | None = None, **effects: Effect
) -> Order:
    return an_order(
        status=status,
        cancel_requested_at=NOON if cancel else None,
        error_message=reason,
        effects={EffectKind(name): effect for name, effect in effects.items()},
    )


def context(on: Order, answer: Answer | None = None, **state: Any) -> TaskContext:
    return TaskContext(on, {"order": {"id": ID}, **state}, answer, LATER, SETTINGS)


def request(task: str, on: Order, **state: Any) -> Call | None:
    asks = TASKS[task].request
    return None if asks is None else asks(context(on, **state))


def settle(task: str, on: Order, answer: Answer | None = None, **state: Any) -> Outcome:
    return TASKS[task].settle(context(on, answer, **state))


PAID = order(Status.PAID, charge=DONE)
OWED = order(Status.REFUND_PENDING, reason="why", charge=DONE)
