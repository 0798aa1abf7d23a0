"""What a task of the workflow is: two pure functions of where the order stands."""

from collections.abc import Callable, Mapping

import msgspec

from expediter.app.ports import Outcome, Settings
from expediter.app.tasks.calls import Answer, Call
from expediter.asl.protocol import Json
from expediter.domain import ledger
from expediter.domain.order import CHARGE, REFUND, Kind, Order


class Step(msgspec.Struct, frozen=True, gc=False):
    """Where a task stands: the order's row, the task's input, the answer to its call (None before the call)."""

    order: Order
    input: Json
    answer: Answer | None
    now: int
    settings: Settings


class Task(msgspec.Struct, frozen=True):
    """What it asks of an outside party, and what it makes of the answer or of there being none."""

    request: Callable[[Step], Call | None]
    settle: Callable[[Step], Outcome]


def no_call(_: Step) -> None:
    return None


#: The effects that move money, as the ledger calls them.
_BOOKED: Mapping[Kind, ledger.Kind] = {CHARGE: ledger.Kind.CHARGE, REFUND: ledger.Kind.REFUND}


def tried_at(step: Step, kind: Kind) -> int:
    """When the effect was first tried; now, if this is the first try."""
    effect = step.order.effects.get(kind)
    return step.now if effect is None else effect.tried_at


def entry(order: Order, kind: Kind, now: int) -> ledger.Entry:
    """What the ledger says of the effect."""
    return ledger.Entry(
        order_id=order.id,
        kind=_BOOKED[kind],
        key=order.key(kind),
        amount=order.total,
        currency=order.currency,
        at=now,
        reference=order.effects[kind].reference,
    )
