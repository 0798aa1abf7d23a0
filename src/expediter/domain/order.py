"""An order and the rules of its life. Pure: time comes in, nothing is read or written.

    PENDING ──→ PAID ──→ SUCCESS
       │          │
       ├──────────┴──→ REFUND_PENDING ──→ FAILED | CANCELLED
       └──→ FAILED | CANCELLED

Rules:
 - an order ends as FAILED or CANCELLED only when nothing of the customer's money is left with us;
 - the customer may cancel until the hold is closed, and change what sets the total until the charge is first tried;
 - every outside effect (charge, restaurant, withdrawal, refund) has one key, written down before its first try.
"""

from enum import StrEnum

import msgspec

from expediter.domain.errors import OrderAlreadyCharged, OrderAlreadyEnded, OrderAlreadySent, TransitionNotAllowed


class Status(StrEnum):
    PENDING = "PENDING"
    PAID = "PAID"
    SUCCESS = "SUCCESS"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    REFUND_PENDING = "REFUND_PENDING"


#: From each status, the statuses an order may move to. Staying is always allowed: tasks are repeated.
TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.PENDING: frozenset({Status.PAID, Status.REFUND_PENDING, Status.FAILED, Status.CANCELLED}),
    Status.PAID: frozenset({Status.SUCCESS, Status.REFUND_PENDING}),
    Status.REFUND_PENDING: frozenset({Status.FAILED, Status.CANCELLED}),
    Status.SUCCESS: frozenset(),
    Status.FAILED: frozenset(),
    Status.CANCELLED: frozenset(),
}

ENDED = frozenset(status for status, following in TRANSITIONS.items() if not following)
GIVEN_UP = frozenset({Status.REFUND_PENDING, Status.FAILED, Status.CANCELLED})


#: Whose the orders are of everybody who was erased.
ERASED = "(erased)"


class Kind(StrEnum):
    """The effects that an order has outside. The key of each is ``{order id}/{kind}``."""

    CHARGE = "charge"
    RESTAURANT = "restaurant"
    WITHDRAWAL = "withdrawal"
    REFUND = "refund"


class Result(StrEnum):
    """What is known of an effect: UNKNOWN from its first try until an answer settles it."""

    UNKNOWN = "unknown"
    DONE = "done"
    REFUSED = "refused"


class Effect(msgspec.Struct, frozen=True):
    """One outside effect: first tried at ``tried_at`` (ms since 1970 UTC), its result, the other party's id for it.

    ``attempt`` counts a charge that an operator has tried again after a decline; all other effects have only one.
    """

    tried_at: int
    result: Result = Result.UNKNOWN
    reference: str | None = None
    attempt: int = 1


class Item(msgspec.Struct, frozen=True):
    """One line of an order; ``unit_price`` in minor units of the order's currency."""

    name: str
    quantity: int
    unit_price: int


class Order(msgspec.Struct, frozen=True):
    """An order as it is now. Times in milliseconds since 1970 UTC, money in minor units of ``currency``.

    ``version`` counts its writes; 0 has never been written. ``name`` is None for an order of several items.
    """

    id: str
    user_id: str
    restaurant_id: str
    items: tuple[Item, ...]
    currency: str
    created_at: int
    updated_at: int
    name: str | None = None
    email: str | None = None
    status: Status = Status.PENDING
    error_message: str | None = None
    cancel_requested_at: int | None = None
    hold_closed_at: int | None = None
    deleted_at: int | None = None
    effects: dict[Kind, Effect] = {}
    version: int = 0

    @property
    def quantity(self) -> int:
        return sum(item.quantity for item in self.items)

    @property
    def total(self) -> int:
        """Minor units."""
        return sum(item.quantity * item.unit_price for item in self.items)

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    @property
    def given_up(self) -> bool:
        """It can no longer succeed: it was cancelled, or failed, or its money is on the way back."""
        return self.status in GIVEN_UP

    @property
    def erased(self) -> bool:
        """Its customer was erased: nobody knows any more whose it was."""
        return self.user_id == ERASED

    def key(self, kind: Kind) -> str:
        """The idempotency key of this effect, the same at every try of the same attempt."""
        effect = self.effects.get(kind)
        return f"{self.id}/{kind}/{effect.attempt}" if effect and effect.attempt > 1 else f"{self.id}/{kind}"

    def result(self, kind: Kind) -> Result | None:
        """What is known of the effect; None when it was never tried."""
        effect = self.effects.get(kind)
        return effect.result if effect else None

    @property
    def owes_refund(self) -> bool:
        """Whether money of the customer is, or may be, with us and an unsuccessful end has to give it back."""
        return self.result(Kind.CHARGE) in (Result.UNKNOWN, Result.DONE) and self.result(Kind.REFUND) != Result.DONE


def moved(order: Order, to: Status, error_message: str | None = None) -> Order:
    """The order in status ``to``, with the reason when one is given. Staying in a status is allowed.

    Raises TransitionNotAllowed when the table says no, or when an unsuccessful end would keep the customer's money.
    """
    if to is not order.status and to not in TRANSITIONS[order.status]:
        raise TransitionNotAllowed(f"An order cannot move from {order.status} to {to}. Correct the workflow.")
    if to in (Status.FAILED, Status.CANCELLED) and order.owes_refund:
        raise TransitionNotAllowed(
            f"An order cannot move to {to} before the money is given back. Correct the workflow."
        )
    return msgspec.structs.replace(order, status=to, error_message=error_message or order.error_message)


def tried(order: Order, kind: Kind, now: int) -> Order:
    """The order with the first try of an effect written down; a later try changes nothing.

    Handing an order to the restaurant closes the hold where the workflow has not done so.
    """
    if kind in order.effects:
        return order
    closed = now if kind is Kind.RESTAURANT and order.hold_closed_at is None else order.hold_closed_at
    effects = {**order.effects, kind: Effect(tried_at=now)}
    return msgspec.structs.replace(order, effects=effects, hold_closed_at=closed)


def settled(order: Order, kind: Kind, result: Result, now: int, reference: str | None = None) -> Order:
    """The order with the result of an effect written down."""
    first = order.effects.get(kind, Effect(tried_at=now))
    effect = msgspec.structs.replace(first, result=result, reference=reference)
    return msgspec.structs.replace(order, effects={**order.effects, kind: effect})


def charged_again(order: Order, now: int) -> Order:
    """The order with its declined charge to be tried once more, under a key of its own: the operator asked for it.

    Raises OrderAlreadyEnded when it ended, OrderAlreadyCharged unless its charge was declined.
    """
    if order.ended or order.cancel_requested_at is not None:
        raise OrderAlreadyEnded
    if order.result(Kind.CHARGE) is not Result.REFUSED or Kind.REFUND in order.effects:
        raise OrderAlreadyCharged
    again = Effect(tried_at=now, attempt=order.effects[Kind.CHARGE].attempt + 1)
    return msgspec.structs.replace(order, effects={**order.effects, Kind.CHARGE: again}, error_message=None)


def require_open(order: Order) -> None:
    """Raises OrderAlreadyEnded or OrderAlreadySent unless the customer may still cancel or change something."""
    if order.status is Status.SUCCESS or (order.hold_closed_at is not None and not order.ended):
        raise OrderAlreadySent
    if order.ended or order.cancel_requested_at is not None:
        raise OrderAlreadyEnded


def cancelled(order: Order, now: int) -> Order:
    """The order with the customer's wish to cancel written down: CANCELLED when no charge was tried, or declined,
    else REFUND_PENDING until the workflow has given the money back. Cancelling twice changes nothing.

    Raises OrderAlreadySent once the hold is closed, OrderAlreadyEnded when it ended otherwise.
    """
    if order.cancel_requested_at is not None:
        return order
    require_open(order)
    asked = msgspec.structs.replace(order, cancel_requested_at=now)
    return moved(asked, Status.REFUND_PENDING if order.owes_refund else Status.CANCELLED)


def nameless(order: Order) -> Order:
    """The order without whose it is: what was ordered, and what became of the money, stays.

    An order of one thing is named by its customer, so that thing is nameless then, too.
    """
    items = order.items if order.name is None else tuple(msgspec.structs.replace(it, name="item") for it in order.items)
    return msgspec.structs.replace(order, user_id=ERASED, name=None, email=None, error_message=None, items=items)


class Change(msgspec.Struct, frozen=True):
    """What a customer wants changed; UNSET leaves it. ``items`` and ``currency`` set the total."""

    restaurant_id: str | msgspec.UnsetType = msgspec.UNSET
    name: str | None | msgspec.UnsetType = msgspec.UNSET
    email: str | None | msgspec.UnsetType = msgspec.UNSET
    items: tuple[Item, ...] | msgspec.UnsetType = msgspec.UNSET
    currency: str | msgspec.UnsetType = msgspec.UNSET


def changed(order: Order, change: Change) -> Order:
    """The order with the change made.

    Raises OrderAlreadyCharged when the total or its currency would change after the charge was first tried,
    OrderAlreadySent once the hold is closed, OrderAlreadyEnded when it ended or was cancelled.
    """
    require_open(order)
    fields = {name: value for name, value in msgspec.structs.asdict(change).items() if value is not msgspec.UNSET}
    after = msgspec.structs.replace(order, **fields)
    if Kind.CHARGE in order.effects and (_price(after) != _price(order)):
        raise OrderAlreadyCharged
    return after


def _price(order: Order) -> tuple[str, list[tuple[int, int]]]:
    return order.currency, [(item.quantity, item.unit_price) for item in order.items]
