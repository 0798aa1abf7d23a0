"""The operator's services on SQLite: audit, mailbox, workflow versions, and what can be counted."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from email.headerregistry import Address
from typing import Generic, TypeVar

import msgspec

from expediter.app.mails import about
from expediter.app.operator.flow import FlowCounts, Minute
from expediter.app.operator.services import AuditEntry, OperatorServices, Posted, StateCounts, Stuck, Version
from expediter.app.ports import Mail, Work
from expediter.asl import DefinitionInvalid
from expediter.asl.protocol import Json
from expediter.domain.alert import owed_since
from expediter.domain.errors import NO_VERSION, Fault, OrderInvalid
from expediter.domain.order import Order, Status
from expediter.embedded.engine.ports import Routing
from expediter.embedded.engine.workflows import EmbeddedWorkflows
from expediter.embedded.mail.smtp import SENDER, MailRefused, written
from expediter.embedded.operator.answered import SqliteAnswered
from expediter.embedded.operator.backlog import owing
from expediter.embedded.operator.customers import SqliteCustomers
from expediter.embedded.operator.keys import SqliteKeys
from expediter.embedded.operator.links import SqliteLinks
from expediter.embedded.sqlite.database import DataRefused
from expediter.embedded.sqlite.session import Row, Session, Statements, one
from expediter.embedded.stores.events import SqliteEvents
from expediter.embedded.stores.queue import SqliteQueue

T = TypeVar("T")

_SQL = Statements("operator")
#: Bigger than any order's number.
_NEWEST = 2**62
#: A count is used for so many times as long as it took: one that took 10 ms for half a second.
_REST = 50
_LEAST = 1.0
#: Orders under way that are looked at in one call: tens of milliseconds, in which nothing else is done.
_STATES_AT_ONCE = 2_000


class SqliteAudit:
    def __init__(self, session: Session) -> None:
        self._session = session

    def record(self, entry: AuditEntry) -> None:
        values = (entry.at, entry.who, entry.kind, entry.subject, entry.detail, entry.via, entry.address)
        self._session.rows(_SQL["record"], values)

    def of(self, subject: str, limit: int = 50) -> tuple[AuditEntry, ...]:
        return tuple(AuditEntry(*row) for row in reversed(self._session.rows(_SQL["audit"], (subject, limit))))

    def page(self, limit: int, before: int | None = None) -> tuple[AuditEntry, ...]:
        rows = self._session.rows(_SQL["audit_page"], (_NEWEST if before is None else before, limit))
        return tuple(AuditEntry(*row) for row in rows)


class SqliteMailbox:
    """``posted`` is called in a unit of work that has a mail sent; None: no mail server is set."""

    def __init__(
        self, session: Session, posted: Callable[[], None] | None = None, sender: Address | None = None
    ) -> None:
        self._session = session
        self._sender = sender or Address(addr_spec=SENDER)
        self._posted = posted

    def page(self, limit: int, after: str | None = None) -> tuple[Posted, ...]:
        no, status, recipient = [*(after or "").split(" ", 2), "", ""][:3]
        start = int(no) if no.isascii() and no.isdigit() and len(no) < 19 else _NEWEST
        return tuple(map(_posted, self._session.rows(_SQL["mails"], (start, status, recipient, limit))))

    def of(self, order_id: str) -> tuple[Posted, ...]:
        return tuple(map(_posted, self._session.rows(_SQL["mails_of"], (order_id,))))

    def source(self, posted: Posted) -> str:
        try:
            message = written(posted.mail, self._sender, posted.sent_at or posted.at)
        except MailRefused as error:
            return f"This mail cannot be written: {error}"
        return message.as_string()

    def resend(self, mail: Mail, now: int) -> bool:
        if self._posted is None:
            return False
        self._session.rows(_SQL["resend"], (mail.order_id, mail.status.value, mail.recipient, now))
        self._posted()
        return True


class Sparing(Generic[T]):
    """A count that reads a whole index. It is taken again only when something was written since, when ``least``
    seconds have passed, and when counting takes at most one part in _REST of the time.
    """

    def __init__(self, session: Session, count: Callable[[], T], least: float) -> None:
        self._session = session
        self._count = count
        self._least = least
        self._again = 0.0
        self._seen: Row | None = None

    def __call__(self) -> T:
        begun = time.monotonic()
        if begun >= self._again and (written := self._written()) != self._seen:
            self._seen, self._value = written, self._count()
            took = time.monotonic() - begun
            self._again = begun + took + max(self._least, _REST * took)
        return self._value

    def _written(self) -> Row:
        """A value that changes with every write: the first number with those of other connections, the second with
        ours."""
        return *one(self._session, "PRAGMA data_version"), self._session.connection.total_changes()


class SqliteRuns:
    def __init__(self, session: Session, workflows: EmbeddedWorkflows) -> None:
        self._session = session
        self._workflows = workflows
        self._versions = Sparing(session, lambda: session.rows(_SQL["versions"]), 0)

    def definition(self, order_id: str) -> Json | None:
        row = self._session.row(_SQL["definition"], (order_id,))
        return msgspec.json.decode(row[0]) if row else None

    def status(self, order_id: str) -> str | None:
        row = self._session.row(_SQL["status"], (order_id,))
        return str(row[0]) if row else None

    def mark(self, order_id: str) -> str:
        row = self._session.row(_SQL["mark"], (order_id,))
        return str(row[0]) if row else ""

    def redrive(self, order_id: str, state: str, input: Json) -> bool:
        return self._workflows.redrive(order_id, state, input)

    def versions(self) -> tuple[Version, ...]:
        return tuple(sorted(map(self._version, self._versions()), key=lambda version: -version.percent))

    def version(self, no: int) -> Version | None:
        row = self._session.row(_SQL["version"], (no,))
        return self._version(row) if row else None

    def _version(self, row: Row) -> Version:
        no, digest, body, first_used, live = row
        percent = self._workflows.definitions.routing.shares().get(no, 0)
        return Version(no, digest, msgspec.json.decode(body), first_used, live, percent)

    def states(self, no: int, cursor: str | None) -> StateCounts:
        due, after = (int(part) for part in (cursor or "-1.0").split("."))
        rows = self._session.rows(_SQL["states_of_version"], (no, due, after, _STATES_AT_ONCE))
        counts = Counter(str(state) for _, _, state in rows if state is not None)
        return StateCounts(counts, f"{rows[-1][0]}.{rows[-1][1]}" if len(rows) == _STATES_AT_ONCE else None)

    def publish(self, definition: Json) -> int:
        try:
            return self._workflows.publish(definition)
        except DefinitionInvalid as invalid:
            faults = tuple(Fault(fault.path, fault.message) for fault in invalid.faults if fault.severity == "error")
            raise OrderInvalid(faults, NO_VERSION) from invalid
        except DataRefused as refused:
            raise OrderInvalid((Fault("", str(refused)),), NO_VERSION) from refused

    def route(self, first: int, percent: int, second: int | None) -> bool:
        return self._workflows.route(Routing(first, percent, second))

    def undo_route(self) -> bool:
        return self._workflows.undo_route()


class SqliteFlow:
    """Counting goes through whole indexes, so its results are used for a while."""

    def __init__(self, session: Session, queue: SqliteQueue, counts: FlowCounts) -> None:
        self._session = session
        self._queue = queue
        self._minutes = counts.minutes
        self._counts = Sparing(session, self._counted, _LEAST)

    def counts(self) -> Mapping[Status, int]:
        return self._counts()

    def stuck(self) -> tuple[Stuck, ...]:
        waiting, sent_at = self._queue.waiting()
        dead, died_at = one(self._session, _SQL["oldest_dead"])
        failed, no = one(self._session, _SQL["failed"])
        found = [Stuck("message", waiting, sent_at or 0), Stuck("dead letter", dead, died_at or 0)]
        if row := self._session.row(_SQL["order_by_no"], (no,)):
            found.append(_stuck("operator", failed, row))
        counts = self.counts()
        found += [
            _stuck(status.value, max(1, counts.get(status, 0)), row)
            for status in (Status.PENDING, Status.PAID)
            if (row := self._session.row(_SQL["oldest"], (status.value,)))
        ]
        owed, longest = owing(self._session)
        if longest is not None:
            shown = longest.id if longest.deleted_at is None else None
            found.append(Stuck(Status.REFUND_PENDING.value, owed, owed_since(longest), shown))
        return tuple(entry for entry in found if entry.count)

    def minutes(self, since: int) -> tuple[Minute, ...]:
        return self._minutes(since)

    def _counted(self) -> dict[Status, int]:
        counts = {Status(status): int(count) for status, count in self._session.rows(_SQL["rare"])}
        (total,) = one(self._session, _SQL["orders"])
        counts[Status.SUCCESS] = int(total) - sum(counts.values())
        for status, count in self._session.rows(_SQL["deleted"]):
            counts[Status(status)] -= int(count)
        return {status: counts.get(status, 0) for status in Status}


class SqliteServices:
    """The ports of operators over one session."""

    def __init__(
        self,
        session: Session,
        workflows: EmbeddedWorkflows,
        queue: SqliteQueue,
        counts: FlowCounts,
        mailbox: SqliteMailbox,
        *,
        events: SqliteEvents,
    ) -> None:
        self._audit = SqliteAudit(session)
        self._mailbox = mailbox
        self._runs = SqliteRuns(session, workflows)
        self._flow = SqliteFlow(session, queue, counts)
        self._customers = SqliteCustomers(session)
        self._links = SqliteLinks(session)
        self._keys = SqliteKeys(session)
        self._answered = SqliteAnswered(session)
        self._events = events

    def over(self, work: Work) -> OperatorServices:
        return OperatorServices(
            work,
            self._audit,
            self._mailbox,
            self._runs,
            self._flow,
            self._customers,
            self._links,
            self._keys,
            self._answered,
            self._events,
        )


def _stuck(kind: str, count: int, row: Row) -> Stuck:
    order = msgspec.json.decode(row[1], type=Order)
    return Stuck(kind, count, order.updated_at, row[0])


def _posted(row: Row) -> Posted:
    order_id, status, recipient, subject, text, no, at, tries, next_at, sent_at, problem, given_up_at = row
    mail = Mail(order_id, about(status), recipient, subject, text)
    return Posted(mail, f"{no} {status} {recipient}", at, tries, next_at, sent_at, problem, given_up_at)
