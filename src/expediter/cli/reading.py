"""Reads the data of commands, from the data folder or from a server: the same values in the form of REST."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from expediter.api.render import (
    AuditView,
    EntryView,
    LetterView,
    MailView,
    OrderView,
    audit_view,
    entry_view,
    letter_view,
    mail_view,
    order_view,
)
from expediter.app import orders
from expediter.app.instants import instant
from expediter.app.operator import operations
from expediter.app.operator.reconcile import Currency, Offender, Report, reconcile
from expediter.app.ports import Caller, Query
from expediter.cli.api import NotDone, Server
from expediter.cli.finding import find
from expediter.cli.terms import read_only, stop
from expediter.embedded.operator.read_only import ReadOnlyView

T = TypeVar("T")
#: Entries of one answer of a server at most.
_PAGE = 100


class OrderPage(msgspec.Struct, frozen=True):
    """Orders, newest first. ``cursor``: where the next page begins; None: that was all."""

    items: tuple[OrderView, ...]
    cursor: str | None


class LetterPage(msgspec.Struct, frozen=True):
    """Dead letters, oldest first. ``count``: all that there are."""

    items: tuple[LetterView, ...]
    cursor: str | None
    count: int


class MailPage(msgspec.Struct, frozen=True):
    """Mails, those about the newest orders first."""

    items: tuple[MailView, ...]
    cursor: str | None


class AuditPage(msgspec.Struct, frozen=True):
    """The audit, newest first."""

    items: tuple[AuditView, ...]
    cursor: int | None


class Walk(msgspec.Struct, frozen=True):
    """The events of an order's workflow, oldest first. ``pruned``: there were some, and they are no longer kept."""

    events: list[dict[str, Any]]
    pruned: bool


class WholeOrder(msgspec.Struct, frozen=True):
    """An order with its money, its mails and its workflow. ``mails``: None: the caller may not see them."""

    order: OrderView
    ledger: tuple[EntryView, ...]
    mails: tuple[MailView, ...] | None
    timeline: list[dict[str, Any]]
    pruned: bool


class Reconciliation(msgspec.Struct, frozen=True):
    """The sums, and the orders that do not add up: a server lists the first of ``offenders_count``."""

    currencies: tuple[Currency, ...]
    offenders: tuple[Offender, ...]
    offenders_count: int


class Reading(Protocol):
    """The data that commands read. Each method may end the command with one message."""

    def orders(self, query: Query) -> OrderPage: ...
    def order(self, order_id: str) -> OrderView: ...
    def walk(self, order_id: str) -> Walk: ...
    def whole(self, order_id: str) -> WholeOrder: ...
    def letters(self, limit: int, cursor: str | None) -> LetterPage: ...
    def letter(self, message_id: str) -> LetterView: ...
    def mails(self, limit: int, cursor: str | None) -> MailPage: ...
    def mails_of(self, order_id: str) -> tuple[MailView, ...]: ...
    def audit(self, limit: int, cursor: int | None) -> AuditPage: ...
    def reconciliation(self) -> Reconciliation: ...


@contextmanager
def reading(url: str | None, token: str | None, data: Path | None) -> Iterator[Reading]:
    """The data folder where it can be read, else the server. An error ends the command with its message."""
    found = find(url, data)
    if found.data is not None:
        with read_only(found.data) as view:
            yield _Folder(view)
        return
    try:
        yield _Remote(Server(found.url, token))
    except NotDone as error:
        stop(str(error), error.code)


class _Folder:
    """The data folder; the server need not run."""

    def __init__(self, view: ReadOnlyView) -> None:
        self._view = view

    def orders(self, query: Query) -> OrderPage:
        page = orders.page(self._view.work, Caller(), query)
        return OrderPage(tuple(map(order_view, page.items)), page.cursor)

    def order(self, order_id: str) -> OrderView:
        return order_view(orders.find(self._view.work, Caller(), order_id))

    def walk(self, order_id: str) -> Walk:
        found = operations.timeline(self._view.work, Caller(), order_id)
        return Walk([{**event, "at": instant(event["at"])} for event in found.events], found.pruned)

    def whole(self, order_id: str) -> WholeOrder:
        order, walk = self.order(order_id), self.walk(order_id)
        entries = tuple(map(entry_view, self._view.work.orders.entries(order.id)))
        return WholeOrder(order, entries, self.mails_of(order.id), walk.events, walk.pruned)

    def letters(self, limit: int, cursor: str | None) -> LetterPage:
        found = operations.letters(self._view.work, limit, cursor)
        return LetterPage(tuple(map(letter_view, found.items)), found.cursor, found.count)

    def letter(self, message_id: str) -> LetterView:
        return letter_view(operations.letter(self._view.work, message_id))

    def mails(self, limit: int, cursor: str | None) -> MailPage:
        found = self._view.mailbox.page(limit + 1, cursor)
        following = found[limit - 1].cursor if len(found) > limit else None
        return MailPage(tuple(map(mail_view, found[:limit])), following)

    def mails_of(self, order_id: str) -> tuple[MailView, ...]:
        return tuple(map(mail_view, self._view.mailbox.of(self.order(order_id).id)))

    def audit(self, limit: int, cursor: int | None) -> AuditPage:
        found = self._view.audit.page(limit, cursor)
        return AuditPage(tuple(map(audit_view, found)), found[-1].no if found else None)

    def reconciliation(self) -> Reconciliation:
        return reconciliation_of(reconcile(self._view.work.orders.with_entries()))


def reconciliation_of(report: Report) -> Reconciliation:
    """A report with all of its offenders."""
    return Reconciliation(report.currencies, report.offenders, len(report.offenders))


class _Remote:
    """A server, over REST."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def orders(self, query: Query) -> OrderPage:
        chosen = {"user_id": query.user_id, "order_status": query.status, "restaurant_id": query.restaurant_id}
        pages = self._pages("/orders", OrderPage, query.limit, query.cursor, chosen)
        return OrderPage(tuple(it for page in pages for it in page.items), pages[-1].cursor)

    def order(self, order_id: str) -> OrderView:
        return self._server.fetch("GET", f"/orders/{quote(order_id, safe='')}", OrderView)

    def walk(self, order_id: str) -> Walk:
        return self._server.fetch("GET", f"/orders/{quote(order_id, safe='')}/timeline", Walk)

    def whole(self, order_id: str) -> WholeOrder:
        order, walk = self.order(order_id), self.walk(order_id)
        entries = self._server.fetch("GET", f"/orders/{order.id}/ledger", _Items[EntryView]).items
        try:
            mails: tuple[MailView, ...] | None = self.mails_of(order.id)
        except NotDone as error:
            if error.error != "ScopeMissing":
                raise
            mails = None
        return WholeOrder(order, entries, mails, walk.events, walk.pruned)

    def letters(self, limit: int, cursor: str | None) -> LetterPage:
        pages = self._pages("/dlq", LetterPage, limit, cursor)
        return LetterPage(tuple(it for page in pages for it in page.items), pages[-1].cursor, pages[-1].count)

    def letter(self, message_id: str) -> LetterView:
        return self._server.fetch("GET", f"/dlq/{quote(message_id, safe='')}", LetterView)

    def mails(self, limit: int, cursor: str | None) -> MailPage:
        pages = self._pages("/mails", MailPage, limit, cursor)
        return MailPage(tuple(it for page in pages for it in page.items), pages[-1].cursor)

    def mails_of(self, order_id: str) -> tuple[MailView, ...]:
        return self._server.fetch("GET", f"/orders/{quote(order_id, safe='')}/mails", _Items[MailView]).items

    def audit(self, limit: int, cursor: int | None) -> AuditPage:
        pages = self._pages("/audit", AuditPage, limit, cursor)
        return AuditPage(tuple(it for page in pages for it in page.items), pages[-1].cursor)

    def reconciliation(self) -> Reconciliation:
        return self._server.fetch("GET", "/reconciliation", Reconciliation)

    def _pages(
        self, path: str, form: type[T], limit: int, cursor: object, chosen: dict[str, str | None] | None = None
    ) -> list[T]:
        """Pages of a list with ``limit`` entries in all, behind ``cursor``."""
        found: list[T] = []
        while limit > 0 and (cursor is not None or not found):
            asked = {**(chosen or {}), "limit": min(limit, _PAGE), "cursor": cursor}
            given = urlencode({name: value for name, value in asked.items() if value is not None})
            page: Any = self._server.fetch("GET", f"{path}?{given}", form)
            found.append(page)
            limit, cursor = limit - len(page.items), page.cursor
        return found


class _Items(msgspec.Struct, Generic[T], frozen=True):
    items: tuple[T, ...]
