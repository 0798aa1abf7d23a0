"""An order and its rules. Everything here is pure: the time is given, and nothing is read or written.

    PENDING ──→ PAID ──→ SUCCESS
       │          │
       ├──────────┴──→ REFUND_PENDING ──→ FAILED | CANCELLED
       ├──────────┘
       └──→ FAILED | CANCELLED

Rules:
 - an order ends as FAILED or CANCELLED only when nothing of the customer's money is left with us;
 - the customer may cancel until the hold is closed, and change what sets the total until the charge is first tried;
 - every outside effect (charge, restaurant, withdrawal, refund) has one key, written down before its first try.
"""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from expediter.domain import ledger
from expediter.domain.errors import OrderAlreadyCharged, OrderAlreadyEnded, OrderAlreadySent, TransitionNotAllowed
from expediter.domain.refunds import Dispute, PartRefund, sum_going_back


class Status(StrEnum):
    PENDING = "PENDING"
    PAID = "PAID"
    SUCCESS = "SUCCESS"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    REFUND_PENDING = "REFUND_PENDING"


#: In Python 3.11 it takes as long to look up a member of an enum as to call a function. All rules use these names.
PENDING, PAID, SUCCESS, FAILED, CANCELLED, REFUND_PENDING = Status

#: From each status, the statuses an order may move to. Staying is always allowed: tasks are repeated.
TRANSITIONS: dict[Status, frozenset[Status]] = {
    PENDING: frozenset({PAID, REFUND_PENDING, FAILED, CANCELLED}),
    # Only an order that costs nothing goes from here to a bad end at once: nothing was charged.
    PAID: frozenset({SUCCESS, REFUND_PENDING, FAILED, CANCELLED}),
    REFUND_PENDING: frozenset({FAILED, CANCELLED}),
    SUCCESS: frozenset(),
    FAILED: frozenset(),
    CANCELLED: frozenset(),
}

ENDED = frozenset(status for status, following in TRANSITIONS.items() if not following)
#: The statuses that must not keep the customer's money: two ends, and the one before them.
UNSUCCESSFUL = frozenset({FAILED, CANCELLED})
GIVEN_UP = frozenset({REFUND_PENDING, *UNSUCCESSFUL})


#: The most that the quantities of one order add up to: what a signed 32-bit integer (GraphQL's Int) holds.
LARGEST_QUANTITY = 2**31 - 1

#: The user of all orders whose customer was erased.
ERASED = "(erased)"


class EffectKind(StrEnum):
    """The effects that an order has outside. The key of each is ``{order id}/{kind}``."""

    CHARGE = "charge"
    RESTAURANT = "restaurant"
    WITHDRAWAL = "withdrawal"
    REFUND = "refund"


CHARGE, RESTAURANT, WITHDRAWAL, REFUND = EffectKind


class Result(StrEnum):
    """What is known of an effect: UNKNOWN from its first try until an answer settles it."""

    UNKNOWN = "unknown"
    DONE = "done"
    REFUSED = "refused"


UNKNOWN, DONE, REFUSED = Result


class Effect(msgspec.Struct, frozen=True, gc=False):
    """One outside effect: first tried at ``tried_at`` (ms since 1970 UTC), its result, the other side's id for it.

    ``attempt`` counts a charge that an operator has tried again after a decline; all other effects have only one.
    """

    tried_at: int
    result: Result = UNKNOWN
    reference: str | None = None
    attempt: int = 1


class Item(msgspec.Struct, frozen=True, gc=False):
    """One line of an order; ``unit_price`` in minor units of the order's currency."""

    name: str
    quantity: int
    unit_price: int


class AwaitedPayment(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A charge that waits for its customer or for a bank: the customer goes on with ``client_secret``, or at
    ``redirect_url``.

    ``task_token``: of the workflow's task that waits for news of it. ``news``: there is news that nobody asked the
    provider about yet.
    """

    client_secret: str | None = None
    redirect_url: str | None = None
    task_token: str | None = None
    news: bool = False


class Order(msgspec.Struct, frozen=True, gc=False):
    """An order as it is now. Times in milliseconds since 1970 UTC, money in minor units of ``currency``.

    ``version`` counts its writes; 0 has never been written. ``name`` is None for an order of several items.
    ``payment_method``: the payment provider's token for what the customer pays with. It is in no answer.
    ``metadata``: the caller's own names and values, which mean nothing here.
    ``awaited_payment``: while its charge is pending. ``refunds``: those in part. ``disputes``: of its payment.
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
    status: Status = PENDING
    error_message: str | None = None
    cancel_requested_at: int | None = None
    hold_closed_at: int | None = None
    deleted_at: int | None = None
    effects: dict[EffectKind, Effect] = {}
    version: int = 0
    payment_method: str | msgspec.UnsetType = msgspec.UNSET
    metadata: dict[str, str] | msgspec.UnsetType = msgspec.UNSET
    awaited_payment: AwaitedPayment | msgspec.UnsetType = msgspec.UNSET
    refunds: tuple[PartRefund, ...] | msgspec.UnsetType = msgspec.UNSET
    disputes: tuple[Dispute, ...] | msgspec.UnsetType = msgspec.UNSET

    @property
    def quantity(self) -> int:
        return sum(item.quantity for item in self.items)

    @property
    def total(self) -> int:
        """Minor units. A plain loop: most orders have one item, and a generator costs more than that."""
        total = 0
        for item in self.items:
            total += item.quantity * item.unit_price
        return total

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    @property
    def given_up(self) -> bool:
        """Whether it can no longer succeed: it was cancelled or failed, or its money or its handover is being taken
        back."""
        return self.status in GIVEN_UP or WITHDRAWAL in self.effects

    @property
    def erased(self) -> bool:
        """Whether its customer was erased."""
        return self.user_id == ERASED

    def key(self, kind: EffectKind) -> str:
        """The idempotency key of this effect, the same at every try of the same attempt."""
        effect = self.effects.get(kind)
        first = self.id + "/" + kind
        return first if effect is None or effect.attempt == 1 else f"{first}/{effect.attempt}"

    def result(self, kind: EffectKind) -> Result | None:
        """What is known of the effect; None when it was never tried."""
        effect = self.effects.get(kind)
        return None if effect is None else effect.result

    def tried_at(self, kind: EffectKind, now: int) -> int:
        """When the effect was first tried; ``now``, if that is its first try."""
        effect = self.effects.get(kind)
        return now if effect is None else effect.tried_at

    @property
    def owes_refund(self) -> bool:
        """Whether money of the customer is, or may be, with us and an unsuccessful end has to give it back.

        Nothing is ever owed for an order that costs nothing.
        """
        charged = self.result(CHARGE) in (UNKNOWN, DONE) and self.result(REFUND) is not DONE
        return charged and self.total > self.going_back

    @property
    def going_back(self) -> int:
        """Minor units that refunds in part gave back, or may, and that disputes took."""
        return sum_going_back(self.refunds or (), self.disputes or ())


def moved(order: Order, to: Status, error_message: str | None = None) -> Order:
    """The order in status ``to``, with the reason when one is given. Staying in a status is allowed.

    Raises TransitionNotAllowed when the table says no, or when an unsuccessful end would keep the customer's money.
    """
    if to is not order.status and to not in TRANSITIONS[order.status]:
        raise TransitionNotAllowed(f"An order cannot move from {order.status} to {to}. Correct the workflow.")
    if to in UNSUCCESSFUL and order.owes_refund:
        raise TransitionNotAllowed(
            f"An order cannot move to {to} before the money is given back. Correct the workflow."
        )
    return msgspec.structs.replace(order, status=to, error_message=error_message or order.error_message)


def tried(order: Order, kind: EffectKind, now: int) -> Order:
    """The order with the first try of an effect noted. A later try changes nothing.

    A handover to the restaurant closes the hold, if the workflow has not done so.
    """
    if kind in order.effects:
        return order
    closed = now if kind is RESTAURANT and order.hold_closed_at is None else order.hold_closed_at
    effects = {**order.effects, kind: Effect(now)}
    return msgspec.structs.replace(order, effects=effects, hold_closed_at=closed)


def settled(order: Order, kind: EffectKind, result: Result, now: int, reference: str | None = None) -> Order:
    """The order with the result of an effect noted."""
    first = order.effects.get(kind)
    tried_at, attempt = (now, 1) if first is None else (first.tried_at, first.attempt)
    effect = Effect(tried_at, result, reference, attempt)
    return msgspec.structs.replace(order, effects={**order.effects, kind: effect})


#: The effects that move money, as the ledger calls them.
_BOOKED: Mapping[EffectKind, ledger.EntryKind] = {CHARGE: ledger.EntryKind.CHARGE, REFUND: ledger.EntryKind.REFUND}


def entry(order: Order, kind: EffectKind, now: int) -> ledger.LedgerEntry:
    """The ledger entry of a charge that is done, or of a refund of all that is left of it."""
    return ledger.LedgerEntry(
        order_id=order.id,
        kind=_BOOKED[kind],
        key=order.key(kind),
        amount=order.total if kind is CHARGE else order.total - order.going_back,
        currency=order.currency,
        at=now,
        reference=order.effects[kind].reference,
    )


def charged_again(order: Order, now: int) -> Order:
    """The order with a new attempt of its declined charge, under a key of its own. An operator asked for it.

    Raises OrderAlreadyEnded when it ended, OrderAlreadyCharged unless its charge was declined.
    """
    if order.ended or order.cancel_requested_at is not None:
        raise OrderAlreadyEnded
    if order.result(CHARGE) is not REFUSED or REFUND in order.effects:
        raise OrderAlreadyCharged
    again = Effect(tried_at=now, attempt=order.effects[CHARGE].attempt + 1)
    return msgspec.structs.replace(order, effects={**order.effects, CHARGE: again}, error_message=None)


def require_open(order: Order) -> None:
    """Raises OrderAlreadyEnded or OrderAlreadySent unless the customer may still cancel or change something."""
    if order.status is SUCCESS or (order.hold_closed_at is not None and not order.ended):
        raise OrderAlreadySent
    if order.ended or order.cancel_requested_at is not None:
        raise OrderAlreadyEnded


def cancelled(order: Order, now: int) -> Order:
    """The order after the customer's cancel: CANCELLED when no charge was tried or it was declined, else REFUND_PENDING
    until the workflow has given the money back. Cancelling twice changes nothing.

    Raises OrderAlreadySent once the hold is closed, OrderAlreadyEnded when it ended otherwise.
    """
    if order.cancel_requested_at is not None:
        return order
    require_open(order)
    asked = msgspec.structs.replace(order, cancel_requested_at=now)
    return moved(asked, REFUND_PENDING if order.owes_refund else CANCELLED)


def nameless(order: Order) -> Order:
    """The order without its customer. The items and the money stay.

    The name of an order of one thing is the customer's text, so it is removed too.
    """
    items = order.items if order.name is None else tuple(msgspec.structs.replace(it, name="item") for it in order.items)
    return msgspec.structs.replace(
        order,
        user_id=ERASED,
        name=None,
        email=None,
        error_message=None,
        items=items,
        payment_method=msgspec.UNSET,
        metadata=msgspec.UNSET,
        awaited_payment=msgspec.UNSET,
    )


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
    if CHARGE in order.effects and (_price(after) != _price(order)):
        raise OrderAlreadyCharged
    return after


def _price(order: Order) -> tuple[str, list[tuple[int, int]]]:
    return order.currency, [(item.quantity, item.unit_price) for item in order.items]
