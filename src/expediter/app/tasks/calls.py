"""The calls that tasks make through gateways, and their answers.

A call carries the key of its effect. ``repeat`` is true when an earlier try may have arrived (its answer was
lost, or the process died): then the caller asks for the result of the key before it does anything again, and it never
blindly repeats a call first tried more than ``REPEAT_WITHIN`` ago, because providers forget keys after a day.
No answer that settles the question is an exception: PaymentUnavailable or RestaurantUnavailable.
"""

from typing import ClassVar, TypeAlias

import msgspec

from expediter.domain.order import CHARGE, REFUND, RESTAURANT, WITHDRAWAL, Order
from expediter.domain.refunds import Dispute

#: Milliseconds: 20 hours.
REPEAT_WITHIN = 20 * 3600 * 1000


class Charge(msgspec.Struct, frozen=True, gc=False):
    """Take ``amount`` minor units of ``currency`` for the order, from what the token ``payment_method`` stands for.

    ``charge_id``: the provider's id of a charge that is pending.
    """

    key: str
    order_id: str
    amount: int
    currency: str
    tried_at: int
    repeat: bool = False
    payment_method: str | None = None
    charge_id: str | None = None
    kind = CHARGE


class Refund(msgspec.Struct, frozen=True, gc=False):
    """Give back whatever was charged under ``charge_key``, and let nothing be charged under it later.

    ``charge_known`` is false when the result of the charge is unknown: then the answer says whether it was made. One
    that is pending has a ``charge_id`` all the same.
    """

    key: str
    order_id: str
    charge_key: str
    charge_id: str | None
    amount: int
    currency: str
    charge_known: bool
    tried_at: int
    repeat: bool = False
    part: bool = False
    rest: bool = False
    kind = REFUND


class LookUp(msgspec.Struct, frozen=True, gc=False):
    """Ask what was given back of a charge, and what is disputed: by the provider's id, or by the charge's key."""

    charge_id: str | None
    charge_key: str | None = None
    order_id: str = ""
    kind = REFUND


class HandOver(msgspec.Struct, frozen=True, gc=False):
    """Give the order to its restaurant. With ``task_token`` the restaurant says later what came of it."""

    key: str
    order: Order
    tried_at: int
    repeat: bool = False
    task_token: str | None = None
    kind = RESTAURANT

    @property
    def order_id(self) -> str:
        return self.order.id


class Withdraw(msgspec.Struct, frozen=True, gc=False):
    """Take back an order that the restaurant may have."""

    key: str
    order_id: str
    tried_at: int
    repeat: bool = False
    kind = WITHDRAWAL


#: The calls of tasks. Each has the key of an effect.
Call: TypeAlias = Charge | Refund | HandOver | Withdraw
#: Everything that goes through a gateway.
AnyCall: TypeAlias = Call | LookUp


class Done(msgspec.Struct, frozen=True, gc=False):
    """It was done; ``reference`` is the other side's id for it."""

    reference: str | None = None


class Refused(msgspec.Struct, frozen=True, gc=False):
    """It was declined: a value, not a failure. ``try_again``: the other side says that the same may succeed later."""

    message: str
    try_again: bool = False
    reference: ClassVar[None] = None


class Pending(msgspec.Struct, frozen=True, gc=False):
    """The charge waits for its customer, who goes on with ``client_secret`` or at ``redirect_url``, or for a bank.

    ``reference``: the provider's id of the charge. ``wait_seconds``: how long the provider may take, from the first try
    on; None: as long as the settings say. This is not the last answer: the same charge is asked about again.
    """

    reference: str | None = None
    client_secret: str | None = None
    redirect_url: str | None = None
    wait_seconds: int | None = None


class Refunded(msgspec.Struct, frozen=True, gc=False):
    """The money is back. ``charged`` says whether there had been a charge, with ``charge_id`` as the provider's id."""

    reference: str | None
    charged: bool
    charge_id: str | None = None


class StatedRefund(msgspec.Struct, frozen=True, gc=False):
    """A refund in the provider's books: its id, ``amount`` in minor units, our key if we asked for it. ``made``: the
    money is back or on its way; else it failed.
    """

    reference: str
    amount: int
    currency: str
    made: bool
    key: str | None = None


class Statement(msgspec.Struct, frozen=True, gc=False):
    """What the provider's books say of a charge. ``order_id`` None: it is no charge of ours."""

    order_id: str | None
    refunds: tuple[StatedRefund, ...] = ()
    disputes: tuple[Dispute, ...] = ()
    reference: ClassVar[None] = None


class NeverSeen(msgspec.Struct, frozen=True, gc=False):
    """The payment provider knows of no charge under this key."""


Answer: TypeAlias = Done | Refused | Pending | Refunded | Statement
#: What the payment provider says about the key of a charge.
Found: TypeAlias = Done | Refused | Pending | NeverSeen
