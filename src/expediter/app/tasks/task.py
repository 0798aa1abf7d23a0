"""What a task of the workflow is: two pure functions of where the order stands."""

from collections.abc import Callable

import msgspec

from expediter.app.ports import OrderSettings, Outcome
from expediter.app.tasks.calls import Answer, Call
from expediter.asl.protocol import Json
from expediter.domain.order import Order


class Step(msgspec.Struct, frozen=True, gc=False):
    """Where a task stands: the order's row, the task's input, the answer to its call (None before the call)."""

    order: Order
    input: Json
    answer: Answer | None
    now: int
    settings: OrderSettings


class Task(msgspec.Struct, frozen=True):
    """What it makes of the order, and before that what it asks of a gateway (None: it never asks)."""

    settle: Callable[[Step], Outcome]
    request: Callable[[Step], Call | None] | None = None
