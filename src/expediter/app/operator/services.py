"""What operators need besides the unit of work: the audit, the mailbox, workflow versions, the flow, customers, links,
keys.

Each is a port (a Protocol), and the embedded home has one adapter of each. Times are milliseconds since 1970 UTC.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from expediter.app.access import Scope
from expediter.app.operator.flow import Minute
from expediter.app.ports import Mail, Work
from expediter.asl.protocol import Json
from expediter.domain.order import Status


class AuditEntry(msgspec.Struct, frozen=True):
    """Something an operator did. ``subject``: the id of the order, or DEAD_LETTERS; ``detail`` is for reading.

    ``via``: by console, REST, GraphQL or CLI. ``no``: its number in the audit, 0 before it has one.
    """

    at: int
    who: str
    kind: str
    subject: str
    detail: str = ""
    via: str = ""
    address: str = ""
    no: int = 0


#: The subjects of entries about the dead-letter queue, and about events that could not be processed.
DEAD_LETTERS = "dlq"
DEAD_EVENTS = "events"


class Audit(Protocol):
    """The audit. An entry is written in the unit of work of its action, and never altered."""

    def record(self, entry: AuditEntry) -> None: ...

    def of(self, subject: str, limit: int = 50) -> tuple[AuditEntry, ...]:
        """The newest entries about the subject, oldest first."""

    def page(self, limit: int, before: int | None = None) -> tuple[AuditEntry, ...]:
        """All entries, newest first; those with a lower number than ``before``."""


class Posted(msgspec.Struct, frozen=True):
    """A mail of the outbox. ``next_at``: when it is tried (again); None: sent, given up, or kept here only.

    ``problem``: what the mail server said to the last try.
    """

    mail: Mail
    cursor: str
    at: int
    tries: int
    next_at: int | None
    sent_at: int | None
    problem: str | None
    given_up_at: int | None = None


class Mailbox(Protocol):
    """The mails of all orders."""

    def page(self, limit: int, after: str | None = None) -> tuple[Posted, ...]:
        """Newest orders first, behind the mail with the cursor ``after``."""

    def of(self, order_id: str) -> tuple[Posted, ...]: ...

    def source(self, posted: Posted) -> str:
        """The mail as it goes over the wire (RFC 5322)."""

    def resend(self, mail: Mail, now: int) -> bool:
        """Sends it once more, with the same Message-ID; False when no mail server is set."""


class Version(msgspec.Struct, frozen=True):
    """A workflow definition that new orders start on, or started on, or may. ``no``: its number, from 1.

    ``live``: how many orders still run on it. ``percent``: how many of a hundred new orders start on it.
    """

    no: int
    hash: str
    body: Json
    first_used: int
    live: int
    percent: int

    @property
    def current(self) -> bool:
        """Whether new orders start on it."""
        return self.percent > 0


class StateCounts(msgspec.Struct, frozen=True):
    """How many orders are in each state, of those that one call looked at. ``cursor``: go on behind it; None: done."""

    states: Mapping[str, int]
    cursor: str | None


class Runs(Protocol):
    """Executions as an operator sees them."""

    def definition(self, order_id: str) -> Json | None:
        """The definition that the order's execution is pinned to; None before it starts."""

    def status(self, order_id: str) -> str | None:
        """NEW, RUNNING, SUCCEEDED, FAILED …; None before it starts."""

    def mark(self, order_id: str) -> str:
        """A text that changes with every change of the order."""

    def redrive(self, order_id: str, state: str, input: Json) -> bool:
        """Redrives an execution that ended in an error at ``state``; False when it cannot be."""

    def versions(self) -> tuple[Version, ...]:
        """Every definition, those first on which most new orders start."""

    def version(self, no: int) -> Version | None: ...

    def states(self, no: int, cursor: str | None) -> StateCounts:
        """In which state the orders on a version are; at most 2,000 orders under way are looked at in one call."""

    def publish(self, definition: Json) -> int:
        """Stores a definition as a version on which no order starts yet; its number. Raises OrderInvalid."""

    def route(self, first: int, percent: int, second: int | None) -> bool:
        """Starts so many percent of new orders on the version ``first``, the others on ``second``. False when they
        start so already.
        """

    def undo_route(self) -> bool:
        """Undoes the last routing. False when there is none, or when the last act undid one."""


class Stuck(msgspec.Struct, frozen=True):
    """Work that waits: how much of it, and since when the oldest. ``order_id``: the oldest order, if it is one."""

    kind: str
    count: int
    since: int
    order_id: str | None = None


class Flow(Protocol):
    """Counts of orders and what they wait for; numbers may be a second or two old."""

    def counts(self) -> Mapping[Status, int]:
        """Orders that are not deleted, by status."""

    def stuck(self) -> tuple[Stuck, ...]:
        """What waits: messages, dead letters, orders under way, owed refunds, orders that need an operator."""

    def minutes(self, since: int) -> tuple[Minute, ...]:
        """What happened in each minute from ``since`` on, oldest first; quiet minutes are left out."""


class Customers(Protocol):
    """Customers, by the ``user_id`` of their orders."""

    def under_way(self, user_id: str, limit: int) -> tuple[str, ...]:
        """The ids of orders that have not come to a good end: on the queue, running, or in need of an operator."""

    def orders(self, user_id: str, limit: int) -> tuple[str, ...]:
        """The ids of orders, the oldest first; deleted ones included."""

    def count(self, user_id: str) -> int:
        """How many orders there are, deleted ones included."""

    def letters(self, user_id: str, limit: int) -> tuple[str, ...]:
        """The ids of dead letters that are orders of this customer."""

    def disown(self, order_id: str) -> None:
        """Deletes the fingerprint of the claim, unless the order's workflow began: the id may be another customer's."""

    def forget(self, order_ids: Sequence[str]) -> None:
        """Deletes mails, histories, notes and fingerprints of orders that ended."""


class Links(Protocol):
    """The links that customers get to their orders. Each belongs to a generation of its order's links."""

    def generation(self, order_id: str) -> int:
        """The generation whose links open the order; 0 at first."""

    def revoke(self, order_id: str) -> None:
        """Begins the next generation. Links of earlier generations are not valid any more."""


class ApiKey(msgspec.Struct, frozen=True):
    """A stored key of a program: the ``id`` that it begins with, and the ``hash`` (SHA-256, hex) of the whole key.

    ``ends_at`` None: it does not expire. ``used_at``: the last use, to about a minute.
    """

    id: str
    name: str
    hash: str
    scopes: frozenset[Scope]
    made_at: int
    ends_at: int | None = None
    revoked_at: int | None = None
    used_at: int | None = None


class Keys(Protocol):
    """The keys of programs, revoked ones included."""

    def add(self, key: ApiKey) -> None: ...

    def all(self) -> tuple[ApiKey, ...]:
        """The oldest first."""

    def revoke(self, key_id: str, now: int) -> None: ...

    def used(self, key_id: str, now: int) -> None:
        """Stores that the key was used now."""


class Answered(Protocol):
    """Requests that were carried out under idempotency keys."""

    def find(self, key: str) -> tuple[str, bytes] | None:
        """The hash of the request under this key, and its answer."""

    def keep(self, key: str, asked: str, body: bytes, now: int) -> None: ...

    def forget(self, before: int) -> None:
        """Deletes answers that are older than this time (ms since 1970 UTC)."""


class ReceivedEvent(msgspec.Struct, frozen=True):
    """An event of a payment provider as it came. ``order_id``: of the order that it is about, if it says so."""

    provider: str
    id: str
    type: str
    order_id: str | None
    body: bytes


class DeadEvent(msgspec.Struct, frozen=True):
    """An event of a payment provider that could not be processed. ``at``: when it came."""

    id: str
    provider: str
    type: str
    body: bytes
    at: int
    reason: str


class Events(Protocol):
    """Events that payment providers sent."""

    def receive(self, event: ReceivedEvent, now: int) -> None:
        """Stores an event, to be processed; one that is known changes nothing."""

    def dead(self, limit: int) -> tuple[DeadEvent, ...]:
        """Those that could not be processed, the oldest first."""

    def count_dead(self) -> int: ...

    def redrive(self, event_id: str, now: int) -> bool:
        """Processes a dead one again. False when there is none."""

    def delete(self, event_id: str) -> bool:
        """Deletes a dead one. False when there is none."""


class OperatorServices(msgspec.Struct, frozen=True):
    """The ports of one unit of work of an operator."""

    work: Work
    audit: Audit
    mailbox: Mailbox
    runs: Runs
    flow: Flow
    customers: Customers
    links: Links
    keys: Keys
    answered: Answered
    events: Events
