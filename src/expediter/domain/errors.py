"""The errors of an order. Each has one name in all interfaces.

    OrderError
    ├── OrderInvalid               the order as given cannot be accepted; carries the faults with their paths
    ├── IdempotencyKeyReused       the key (or id) already stands for another order or another caller
    ├── OrderNotFound              no such order, or not this caller's
    ├── OrderAlreadyCharged        what sets the total can no longer be changed
    ├── OrderAlreadySent           the hold is over: the restaurant has the order
    ├── OrderAlreadyEnded          nothing can be changed any more
    ├── OrderCancelled             the customer cancelled: a workflow must not complete it
    ├── TransitionNotAllowed       a task asked for a status that the order cannot move to
    ├── OrderChanged               somebody else wrote the order first: settle again
    ├── MessageNotFound            no such dead letter
    ├── TaskTokenUnknown           no task waits for this token (any more)
    ├── RestaurantRefused          the restaurant does not take the order, so nobody will answer its task token
    ├── PaymentNotAwaited          there is news of a pending payment, so nothing has to be waited for
    ├── RefundNotPossible          more than is left would go back, or the money goes back as a whole
    ├── PaymentUnavailable         the payment provider gave no answer that settles the question
    ├── RestaurantUnavailable      the restaurant gave no answer that settles the question
    ├── StoreUnavailable           what is stored cannot be read or written just now
    └── TooBusy                    more is asked for than can be done: nothing was done for this request

The class name is the ASL ``Error``, GraphQL's ``extensions.code``, the problem's ``type`` and the CLI's message.
The docstring of a class is its default message and says what to do next.
"""

import msgspec


class Fault(msgspec.Struct, frozen=True):
    """One thing that is wrong with an input. ``path`` points at it (``items[0].quantity``; empty: the whole input)."""

    path: str
    message: str


class OrderError(Exception):
    """Something went wrong with the order."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or " ".join((self.__doc__ or "").split()))

    @property
    def name(self) -> str:
        return type(self).__name__


#: What cannot be done with what was sent: an order, a question for a list, or a customer to be forgotten.
NO_ORDER = "The order cannot be accepted as it is"
NO_LIST = "The list cannot be given as it was asked for"
NO_VERSION = "The workflow cannot be taken as it is"
NO_ROUTING = "New orders cannot be routed so"
NO_ACT = "The request cannot be carried out as it is"
NO_ERASURE = "The customer cannot be forgotten as it was asked for"


class OrderInvalid(OrderError):
    """The order cannot be accepted as it is. Correct the named fields and send it again."""

    def __init__(self, faults: tuple[Fault, ...], what: str = NO_ORDER) -> None:
        listed = "; ".join(f"{fault.path}: {fault.message}" if fault.path else fault.message for fault in faults)
        super().__init__(f"{what}: {listed}.")
        self.faults = faults
        self.what = what


class IdempotencyKeyReused(OrderError):
    """This idempotency key was used for another request. Use a new key for each new request."""


class OrderNotFound(OrderError):
    """There is no such order. Check the id; an order that was just accepted on AWS may need a second."""


class OrderAlreadyCharged(OrderError):
    """The charge was already tried, so what sets the total is frozen. Cancel the order and order again."""


class OrderAlreadySent(OrderError):
    """The order is with the restaurant and can no longer be changed or cancelled. Call the restaurant."""


class OrderAlreadyEnded(OrderError):
    """The order has ended and can no longer be changed. Place a new order."""


class OrderCancelled(OrderError):
    """The customer cancelled this order, so it cannot be completed. Give the money back and cancel it."""


class TransitionNotAllowed(OrderError):
    """The order cannot move to this status from the one it has. Correct the workflow."""


class OrderChanged(OrderError):
    """The order was changed meanwhile. Read it again and repeat."""


class MessageNotFound(OrderError):
    """There is no such message in the dead-letter queue. It may have been redriven or purged."""


class TaskTokenUnknown(OrderError):
    """No task waits for this token: it is wrong, was used, or its task has ended. Look at the order's timeline."""


class RestaurantRefused(OrderError):
    """The restaurant does not take this order, so it will not answer the task. Give the money back and cancel it."""


class PaymentNotAwaited(OrderError):
    """Nothing has to be waited for: there is news of the payment, or the order was cancelled. Ask the provider."""


class RefundNotPossible(OrderError):
    """This cannot be given back. See the order's ledger for what was captured and what went back already."""


class PaymentUnavailable(OrderError):
    """The payment provider gave no answer that settles whether money moved. It will be asked again."""


class RestaurantUnavailable(OrderError):
    """The restaurant gave no answer that settles whether it took the order. It will be asked again."""


class StoreUnavailable(OrderError):
    """What is stored cannot be read or written just now, so nothing was done. Try again in a moment."""


class TooBusy(OrderError):
    """More is asked for than the server can do now, so nothing was done for this request. Try again in a second."""
