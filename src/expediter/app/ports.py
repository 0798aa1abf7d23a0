"""The ports of the use cases, as Protocols. Each home has one file of the same name per port.

Everything a use case does through the ports of one ``Work`` is one unit: all of it is stored, or nothing.
Times are milliseconds since 1970 UTC.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol, final

import msgspec

from expediter.app.access import ALL, Scope
from expediter.asl.protocol import Json
from expediter.domain.alert import Alert, ClockAlert
from expediter.domain.errors import Fault
from expediter.domain.ledger import LedgerEntry
from expediter.domain.order import Order, Status
from expediter.domain.outage import Outage


class Mail(msgspec.Struct, frozen=True, gc=False):
    """One mail to one recipient about a status of an order, an alert about it, an outage, or the machine's clock. The
    three name it: the same mail twice is one mail.
    """

    order_id: str
    status: Status | Alert | ClockAlert | Outage
    recipient: str
    subject: str
    text: str


@final
class Outcome(msgspec.Struct, frozen=True, gc=False):
    """What a task settles: the order as it shall be, money that moved, mails to send, and the task's output.

    Applying the same outcome twice equals once. ``again``: once this is stored the task has more to do.
    """

    order: Order
    entries: tuple[LedgerEntry, ...] = ()
    mails: tuple[Mail, ...] = ()
    output: Json = None
    again: bool = False


class Query(msgspec.Struct, frozen=True):
    """Which orders to list, newest first; ``cursor`` is the opaque end of the page before."""

    user_id: str | None = None
    status: Status | None = None
    restaurant_id: str | None = None
    limit: int = 50
    cursor: str | None = None


class Page(msgspec.Struct, frozen=True):
    items: tuple[Order, ...]
    cursor: str | None


#: The fault that ``Orders.page`` raises for an invalid cursor.
NO_CURSOR = Fault("cursor", "this is no cursor of a page; leave it out to start at the newest")


class Orders(Protocol):
    """The order table with its ledger and outbox."""

    def find(self, order_id: str) -> Order | None:
        """The order, deleted ones included, or None."""

    def accepted(self, order_id: str) -> Order | None:
        """An order whose message is on the queue or died there, where the home can look (SQS cannot: None)."""

    def page(self, query: Query) -> Page:
        """A page of orders that are not deleted. Raises OrderInvalid for a cursor that is not ours."""

    def apply(self, before: Order | None, outcome: Outcome) -> None:
        """Writes the outcome if the order is still as ``before`` (None: absent). Raises OrderChanged when it is not."""

    def entries(self, order_id: str) -> tuple[LedgerEntry, ...]:
        """What the ledger holds for the order."""

    def with_entries(self) -> Iterator[tuple[Order, tuple[LedgerEntry, ...]]]:
        """Every order, deleted ones included, with its ledger entries."""


class Claim(msgspec.Struct, frozen=True, gc=False):
    """Which order an id stands for: the hash of the caller and the parsed order that took it first."""

    order_id: str
    fingerprint: str


class Claims(Protocol):
    """The ids that are taken; kept as long as the order, its tombstone included."""

    def claim(self, claim: Claim) -> bool:
        """True if this claim takes the id now; False if the same claim took it before. Otherwise raises
        IdempotencyKeyReused.
        """

    def taken(self, order_id: str) -> bool:
        """Whether there is a claim of this id."""


class Message(msgspec.Struct, frozen=True, gc=False):
    """One delivery of a message. ``receipt`` is fresh for each delivery; only the newest one can delete or extend."""

    id: str
    body: bytes
    attributes: dict[str, str]
    sent_at: int
    receive_count: int
    receipt: str


class AcceptedOrder(NamedTuple):
    """The order in a message, the fingerprint of its draft, and the seconds for which it is held."""

    order: Order
    fingerprint: str
    hold_seconds: int


class WrittenMessage(NamedTuple):
    """A message that this home wrote: its body, its attributes, when it was sent, and its parsed order."""

    body: bytes
    attributes: dict[str, str]
    sent_at: int
    asked: AcceptedOrder


class Queue(Protocol):
    """SQS's verbs. A message received more than MAX_RECEIVES times moves to the dead-letter queue with its reason.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
    """

    def send(self, body: bytes, attributes: dict[str, str], now: int) -> str:
        """Stores the message and returns its id."""

    def receive(self, limit: int, now: int) -> tuple[Message, ...]:
        """Up to ``limit`` visible messages, oldest first, hidden from others for the visibility timeout."""

    def extend(self, receipt: str, seconds: int, now: int) -> bool:
        """Hides the message for ``seconds`` from now; 0 gives it back. False when the receipt is not the newest."""

    def delete(self, receipt: str) -> bool:
        """Removes the message. False when the receipt is not the newest: the message was delivered again since."""

    def fail(self, message: Message, reason: str, now: int) -> bool:
        """Gives the message back for another receive; after the last allowed one it moves to the dead-letter queue with
        the reason. False when the message's receipt is not the newest."""


class DeadLetter(msgspec.Struct, frozen=True):
    """A message that could not be processed, with the reason of its last receive."""

    id: str
    body: bytes
    attributes: dict[str, str]
    sent_at: int
    died_at: int
    receive_count: int
    reason: str


class DeadLetters(Protocol):
    """The dead-letter queue."""

    def page(self, limit: int, after: str | None = None) -> tuple[DeadLetter, ...]:
        """Oldest first, behind the message ``after``."""

    def find(self, message_id: str) -> DeadLetter | None: ...

    def redrive(self, message_id: str, now: int) -> bool:
        """Moves the message back to the queue with its receives forgotten. False when it is not here (any more)."""

    def delete(self, message_id: str) -> bool: ...

    def count(self) -> int: ...


class Workflows(Protocol):
    """Executions of the state machine, named by order id."""

    def start(self, name: str, input: Json, now: int) -> bool:
        """Starts the execution; False when one of this name exists (nothing is started twice)."""

    def answer(self, token: str, output: Json) -> bool:
        """Ends the task that waits for this token; False when none does (any more)."""

    def history(self, name: str) -> list[dict[str, Any]] | None:
        """Every event of the execution in AWS's shape; None when there is no execution, empty when its events were
        deleted.
        """


class RefundQueue(Protocol):
    """Refunds in part that wait for the payment provider."""

    def send(self, order_id: str, key: str, now: int) -> None:
        """Has the refund with this key made, once the unit of work is durable. A second time has no further effect."""


class OrderSettings(msgspec.Struct, frozen=True):
    """The settings that the use cases need. Money in minor units, time in seconds."""

    hold_seconds: int = 30
    default_price: int = 1000
    currency: str = "USD"
    notify: tuple[str, ...] = ()
    payment_wait_seconds: int = 900


class MailServer(Protocol):
    """The mail server."""

    @property
    def smtputf8(self) -> bool:
        """Whether it accepts letters outside ASCII before the @ of an address (RFC 6531)."""


class Caller(msgspec.Struct, frozen=True):
    """The caller of a use case. ``user_id`` None: the caller is unknown, and the order names its user. An ``operator``
    (a person or a program) may act on all orders, within its ``scopes``; a customer only on his own.

    ``name``, ``via`` and ``address`` are for the audit: the operator, the interface and the address used. ``until``:
    when what he showed ends, in milliseconds since 1970 UTC; None: it does not end by itself. ``program``: which one it
    is, such as ``key shop`` or ``client shop``; it stays when the program is given another key or secret. ``email``: a
    customer's address, which the issuer has verified; empty: none.
    """

    user_id: str | None = None
    operator: bool = True
    name: str = "operator"
    via: str = ""
    address: str = ""
    scopes: frozenset[Scope] = ALL
    until: int | None = None
    program: str = ""
    email: str = ""

    @property
    def id(self) -> str:
        """The caller's identity, to tell callers apart."""
        return f"user {self.user_id}" if self.user_id else self.name


class TaskPorts(msgspec.Struct, frozen=True, kw_only=True):
    """What a task of the workflow needs of a unit of work: the orders, the settings, and the time it happens."""

    orders: Orders
    settings: OrderSettings
    now: int


class Work(TaskPorts, frozen=True, kw_only=True):
    """One unit of work: what its tasks need, and the other ports of the use cases. None: no mail server.

    ``written``: the home's memory of messages that it wrote and has not read since, by the ids of their orders, the
    oldest first.
    """

    claims: Claims
    queue: Queue
    dead_letters: DeadLetters
    workflows: Workflows
    refunds: RefundQueue
    mail_server: MailServer | None = None
    written: dict[str, WrittenMessage] = {}
