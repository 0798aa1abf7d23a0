"""Lists walk an index from its newest end; nothing that is asked for often reads the whole table."""

from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from expediter.app.ports import Claim, Outcome, Query
from expediter.domain.errors import OrderInvalid
from expediter.domain.order import Status
from expediter.embedded.sqlite.session import Row, Session, Value
from expediter.embedded.sqlite.write_behind import WriteBehind
from expediter.embedded.stores.claims import SqliteClaims
from expediter.embedded.stores.orders import SqliteOrders
from tests.support.clock import VirtualClock
from tests.support.database import in_memory
from tests.support.values import ID, SETTINGS, an_order


class Explained(Session):
    """Keeps how SQLite goes about each statement that has rows."""

    def __init__(self, session: Session) -> None:
        super().__init__(session.connection)
        self.plans: list[str] = []

    def rows(self, sql: str, values: tuple[Value, ...] = ()) -> list[Row]:
        self.plans += [row[3] for row in super().rows(f"EXPLAIN QUERY PLAN {sql}", values)]
        return super().rows(sql, values)


def plan_of(query: Query) -> list[str]:
    with closing(in_memory()) as connection:
        session = Explained(Session(connection))
        store = SqliteOrders(session, SETTINGS, lambda _: None, None)
        SqliteClaims(session).claim(Claim(ID, "one"))
        store.apply(None, Outcome(an_order(version=1)))
        session.plans.clear()
        store.page(query)
        return session.plans


@pytest.mark.parametrize("cursor", [None, ID])
@pytest.mark.parametrize(
    ("query", "index"),
    [
        ({"user_id": "ann"}, "orders_user"),
        ({"restaurant_id": "here"}, "orders_restaurant"),
        ({"status": Status.FAILED}, "orders_status"),
        ({"status": Status.REFUND_PENDING}, "orders_status"),
        ({"user_id": "ann", "status": Status.FAILED}, "orders_user"),
        ({"user_id": "ann", "status": Status.SUCCESS}, "orders_user"),
        ({"restaurant_id": "here", "status": Status.FAILED}, "orders_restaurant"),
    ],
)
def test_a_list_goes_along_its_index_and_sorts_nothing(query: dict[str, str], index: str, cursor: str | None) -> None:
    (plan,) = plan_of(Query(**query, cursor=cursor))  # type: ignore[arg-type]  # the table above names its fields

    assert plan.startswith(f"SEARCH orders USING INDEX {index} ")


@pytest.mark.parametrize("query", [Query(), Query(status=Status.SUCCESS)])
def test_a_dense_list_goes_along_the_table_from_its_newest_end(query: Query) -> None:
    (plan,) = plan_of(query)

    assert plan == "SCAN orders"  # from the last row back, as far as the limit; no sorting


def test_an_order_that_nobody_accepted_is_not_written(tmp_path: Path) -> None:
    with closing(in_memory()) as connection:
        store = SqliteOrders(Session(connection), SETTINGS, lambda _: None, None)

        with pytest.raises(OrderInvalid, match="no order was accepted"):
            store.apply(None, Outcome(an_order(version=1)))


def test_an_order_that_was_written_while_a_unit_changes_it_is_added_once() -> None:
    with closing(in_memory()) as connection:
        session = WriteBehind(connection, VirtualClock())
        store = SqliteOrders(session, SETTINGS, lambda _: None, None)
        new = an_order(version=1)
        paid = msgspec.structs.replace(new, status=Status.PAID, version=2)
        session.begin()
        SqliteClaims(session).claim(Claim(ID, "one"))
        store.apply(None, Outcome(new))
        session.end()
        session.begin()
        store.apply(new, Outcome(paid))
        session.rows("SELECT 1")
        session.end()
        session.write()

        assert session.rows("SELECT status, version FROM orders") == [("PAID", 2)]
