"""The orders of a unit: each is read once and written once, whatever the unit's tasks did to it, or not at all."""

from collections.abc import Iterator
from contextlib import closing

import msgspec
import pytest

from expediter.app.ports import Claim, Mail, Outcome
from expediter.domain.errors import OrderChanged
from expediter.domain.ledger import EntryKind, LedgerEntry
from expediter.domain.order import Status
from expediter.embedded.sqlite.session import Change, one
from expediter.embedded.sqlite.write_behind import WriteBehind
from expediter.embedded.stores.claims import SqliteClaims
from expediter.embedded.stores.orders import Numbered, SqliteOrders
from tests.support.clock import NOON, VirtualClock
from tests.support.database import in_memory
from tests.support.values import ID, SETTINGS, an_order

NEW = an_order(version=1)
PAID = msgspec.structs.replace(NEW, status=Status.PAID, version=2)
CHARGE = LedgerEntry(ID, EntryKind.CHARGE, f"{ID}/charge", 3000, "USD", NOON, None)
MAIL = Mail(ID, Status.SUCCESS, "ann@example.com", "subject", "text")


class Kitchen(msgspec.Struct):
    """The orders of units, what begins and ends these, and every change that was told."""

    orders: SqliteOrders
    session: WriteBehind
    changes: list[Change[Numbered]]

    def commit(self) -> None:
        """The commit of the units that ended."""
        self.session.write()
        self.session.committing()
        self.session.kept()

    def count(self, table: str) -> int:
        (found,) = one(self.session, f"SELECT count(*) FROM {table}")  # a name of ours
        return int(found)


@pytest.fixture
def kitchen() -> Iterator[Kitchen]:
    with closing(in_memory()) as connection:
        session = WriteBehind(connection, VirtualClock())
        changes: list[Change[Numbered]] = []
        orders = SqliteOrders(session, SETTINGS, changes.extend, None)
        session.begin()
        SqliteClaims(session).claim(Claim(ID, "one"))
        session.end()
        yield Kitchen(orders, session, changes)


def test_what_tasks_of_a_unit_did_to_an_order_is_one_change_with_all_that_goes_along(kitchen: Kitchen) -> None:
    kitchen.session.begin()
    kitchen.orders.apply(None, Outcome(NEW))
    kitchen.orders.apply(NEW, Outcome(PAID, (CHARGE,)))
    kitchen.orders.apply(PAID, Outcome(PAID, mails=(MAIL,)))
    assert kitchen.orders.find(ID) == PAID
    kitchen.session.end()
    kitchen.commit()

    assert kitchen.changes == [(None, Numbered(1, PAID))]
    assert (kitchen.count("orders"), kitchen.count("ledger"), kitchen.count("mail")) == (1, 1, 1)


def test_nothing_of_a_unit_that_was_undone_is_seen_by_the_next_or_written_with_it(kitchen: Kitchen) -> None:
    kitchen.session.begin()
    kitchen.orders.apply(None, Outcome(NEW, (CHARGE,)))
    kitchen.session.undo()
    kitchen.session.begin()
    assert kitchen.orders.find(ID) is None
    kitchen.session.end()
    kitchen.commit()

    assert (kitchen.changes, kitchen.count("orders"), kitchen.count("ledger")) == ([], 0, 0)


def test_an_order_that_was_only_read_is_not_written(kitchen: Kitchen) -> None:
    kitchen.session.begin()
    kitchen.orders.apply(None, Outcome(NEW))
    kitchen.session.end()
    kitchen.commit()
    kitchen.changes.clear()
    kitchen.session.begin()
    assert kitchen.orders.find(ID) == NEW
    kitchen.session.end()
    kitchen.commit()

    assert kitchen.changes == []


def test_a_change_that_was_made_of_another_version_is_refused(kitchen: Kitchen) -> None:
    kitchen.session.begin()
    kitchen.orders.apply(None, Outcome(PAID))

    with pytest.raises(OrderChanged):
        kitchen.orders.apply(NEW, Outcome(PAID))
