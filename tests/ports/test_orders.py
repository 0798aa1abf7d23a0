"""The order table with its ledger and outbox."""

import msgspec
import pytest

from expediter.app.ports import Claim, Mail, Outcome, Query, Work
from expediter.domain.errors import OrderChanged, OrderInvalid
from expediter.domain.ledger import EntryKind, LedgerEntry
from expediter.domain.order import Effect, EffectKind, Order, Result, Status
from expediter.embedded.clock import new_id
from tests.ports.adapters import Adapters, undone
from tests.support.clock import NOON
from tests.support.values import ID, an_order

CHARGE = LedgerEntry(ID, EntryKind.CHARGE, f"{ID}/charge", 3000, "USD", NOON, "ch_1")
REFUND = LedgerEntry(ID, EntryKind.REFUND, f"{ID}/refund", 3000, "USD", NOON + 1, "re_1")
FILTERS = [
    Query(user_id="ann"),
    Query(restaurant_id="here"),
    Query(status=Status.FAILED),
    Query(user_id="ann", status=Status.FAILED),
]
MINUTE = 60_000
MAIL = Mail(ID, Status.SUCCESS, "ann@example.com", "subject", "text")


def save(work: Work, order: Order | None = None) -> Order:
    """Writes a new order, whose id is claimed first as every accept does."""
    first = msgspec.structs.replace(order or an_order(), version=1)
    work.claims.claim(Claim(first.id, "one"))
    work.orders.apply(None, Outcome(first))
    return first


def next_of(order: Order, **fields: object) -> Order:
    return msgspec.structs.replace(order, version=order.version + 1, **fields)


def walk(adapters: Adapters, query: Query) -> list[str]:
    """The ids on all pages."""
    found: list[str] = []
    while True:
        with adapters.unit() as work:
            page = work.orders.page(query)
        found += [order.id for order in page.items]
        if page.cursor is None:
            return found
        query = msgspec.structs.replace(query, cursor=page.cursor)


def test_an_order_is_found_as_it_was_written(adapters: Adapters) -> None:
    effects = {EffectKind.CHARGE: Effect(NOON, Result.DONE, "ch_1"), EffectKind.REFUND: Effect(NOON)}
    order = an_order(email="ann@example.com", error_message="ä\n", effects=effects, hold_closed_at=NOON)
    with adapters.unit() as work:
        saved = save(work, order)
    with adapters.unit() as work:
        assert work.orders.find(ID) == saved
        assert work.orders.find("nobody's") is None


def test_a_lost_race_is_reported_and_writes_nothing(adapters: Adapters) -> None:
    with adapters.unit() as work:
        first = save(work)
        winner = next_of(first, restaurant_id="the winner's")
        work.orders.apply(first, Outcome(winner))
    with adapters.unit() as work:
        with pytest.raises(OrderChanged):
            work.orders.apply(first, Outcome(next_of(first, restaurant_id="the loser's"), entries=(CHARGE,)))
        with pytest.raises(OrderChanged):
            work.orders.apply(None, Outcome(next_of(first, restaurant_id="the loser's")))
        assert work.orders.find(ID) == winner
        assert work.orders.entries(ID) == ()


def test_an_order_that_is_gone_from_under_an_update_is_a_lost_race(adapters: Adapters) -> None:
    with adapters.unit() as work, pytest.raises(OrderChanged):
        work.orders.apply(an_order(version=1), Outcome(an_order(version=2)))


def test_entries_and_mails_applied_twice_are_there_once(adapters: Adapters) -> None:
    with adapters.unit() as work:
        first = save(work)
        second = next_of(first)
        work.orders.apply(first, Outcome(second, entries=(CHARGE,), mails=(MAIL,)))
        work.orders.apply(second, Outcome(next_of(second), entries=(CHARGE, REFUND), mails=(MAIL,)))
    with adapters.unit() as work:
        assert work.orders.entries(ID) == (CHARGE, REFUND)


def test_the_same_outcome_twice_equals_once(adapters: Adapters) -> None:
    with adapters.unit() as work:
        first = save(work)
        outcome = Outcome(next_of(first, status=Status.PAID), entries=(CHARGE,))
        work.orders.apply(first, outcome)
    with adapters.unit() as work:
        with pytest.raises(OrderChanged):
            work.orders.apply(first, outcome)
        assert work.orders.find(ID) == outcome.order
        assert work.orders.entries(ID) == (CHARGE,)


def test_a_unit_that_fails_leaves_neither_order_nor_ledger(adapters: Adapters) -> None:
    with adapters.unit() as work:
        first = save(work)
    with undone(adapters) as work:
        work.orders.apply(first, Outcome(next_of(first), entries=(CHARGE,)))
    with adapters.unit() as work:
        assert work.orders.find(ID) == first
        assert work.orders.entries(ID) == ()


def test_pages_go_from_the_newest_to_the_oldest_and_skip_the_deleted(adapters: Adapters) -> None:
    ids = [new_id() for _ in range(7)]
    with adapters.unit() as work:
        for place, order_id in enumerate(ids):
            save(work, an_order(id=order_id, created_at=NOON + place, deleted_at=NOON if place == 3 else None))

    left = [*ids[:3], *ids[4:]]
    for limit in (1, 2, 3, 6, 100):
        assert walk(adapters, Query(limit=limit)) == left[::-1]


@pytest.mark.parametrize("query", FILTERS)
def test_lists_are_filtered_by_user_restaurant_and_status(adapters: Adapters, query: Query) -> None:
    kinds = [("ann", "here", Status.FAILED), ("bob", "there", Status.SUCCESS), ("ann", "there", Status.PAID)]
    wanted = []
    with adapters.unit() as work:
        for place, (user, restaurant, status) in enumerate(kinds * 3):
            made = an_order(id=new_id(), created_at=NOON + place, user_id=user, restaurant_id=restaurant, status=status)
            order = save(work, made)
            fits = query.user_id in (None, user) and query.restaurant_id in (None, restaurant)
            if fits and query.status in (None, status):
                wanted.append(order.id)

    assert walk(adapters, msgspec.structs.replace(query, limit=2)) == wanted[::-1]


@pytest.mark.parametrize("query", [Query(), *FILTERS[:2], Query(status=Status.PENDING)])
def test_pages_have_no_gaps_and_no_doubles_while_orders_are_added(adapters: Adapters, query: Query) -> None:
    with adapters.unit() as work:
        made = [an_order(id=new_id(), restaurant_id="here", created_at=NOON + place) for place in range(20)]
        there = [save(work, order).id for order in made]

    seen, cursor = [], None
    while True:
        with adapters.unit() as work:
            page = work.orders.page(msgspec.structs.replace(query, limit=3, cursor=cursor))
            save(work, an_order(id=new_id(), restaurant_id="here", created_at=NOON + MINUTE))
        seen += [order.id for order in page.items]
        if (cursor := page.cursor) is None:
            break

    assert seen == there[::-1]


def test_a_changed_status_or_restaurant_moves_an_order_to_another_list(adapters: Adapters) -> None:
    with adapters.unit() as work:
        first = save(work)
        work.orders.apply(first, Outcome(next_of(first, restaurant_id="Elsewhere", status=Status.PAID)))

    assert walk(adapters, Query(restaurant_id="Restaurant 4")) == walk(adapters, Query(status=Status.PENDING)) == []
    assert walk(adapters, Query(restaurant_id="Elsewhere")) == walk(adapters, Query(status=Status.PAID)) == [ID]


def test_a_cursor_that_is_none_is_refused(adapters: Adapters) -> None:
    with adapters.unit() as work, pytest.raises(OrderInvalid, match="cursor"):
        work.orders.page(Query(cursor="nonsense"))


def test_every_order_is_listed_once_with_its_entries_deleted_ones_too(adapters: Adapters) -> None:
    other = new_id()
    with adapters.unit() as work:
        first = save(work)
        work.orders.apply(first, Outcome(next_of(first), entries=(CHARGE, REFUND)))
        save(work, an_order(id=other, deleted_at=NOON))
    with adapters.unit() as work:
        found = {order.id: entries for order, entries in work.orders.with_entries()}

    assert found == {ID: (CHARGE, REFUND), other: ()}
