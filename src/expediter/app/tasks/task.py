"""A task of the workflow: two pure functions of its context."""

from collections.abc import Callable

import msgspec

from expediter.app.ports import OrderSettings, Outcome
from expediter.app.tasks.calls import Answer, Call
from expediter.asl.protocol import Json
from expediter.domain.order import Order


class TaskContext(msgspec.Struct, frozen=True, gc=False):
    """What a task is given: the order, the task's input, the answer to its call (None before the call), the time."""

    order: Order
    input: Json
    answer: Answer | None
    now: int
    settings: OrderSettings


class OrderTask(msgspec.Struct, frozen=True):
    """``settle`` makes the outcome; ``request`` makes the call that comes before it (None: the task makes no call)."""

    settle: Callable[[TaskContext], Outcome]
    request: Callable[[TaskContext], Call | None] | None = None
