"""Placing, reading, changing, cancelling and deleting orders, as the APIs ask for it."""

from collections.abc import Iterator

import pytest

from expediter.app import intake, orders
from expediter.app.access import OwnerRefused
from expediter.app.drafts import ChangeDraft, Draft, convert
from expediter.app.ports import Caller, Query
from expediter.domain.errors import OrderInvalid, OrderNotFound
from tests.ports.adapters import Adapters, EmbeddedAdapters
from tests.support.clock import NOON
from tests.support.stage import BURGERS, OPERATOR
from tests.support.values import ID

DRAFT = convert(BURGERS, Draft)
HERS = convert({**BURGERS, "user_id": "ann"}, Draft)
ANN, BOB, NOBODY = Caller("ann", operator=False), Caller("bob", operator=False), Caller(None, operator=False)


@pytest.fixture
def home() -> Iterator[Adapters]:
    adapters = EmbeddedAdapters()
    yield adapters
    adapters.close()


def test_an_accepted_order_is_on_the_queue_and_can_be_read_at_once(home: Adapters) -> None:
    with home.unit() as work:
        accepted = intake.accept(work, OPERATOR, DRAFT, ID)
    with home.unit(NOON + 5) as work:
        assert orders.find(work, OPERATOR, ID) == accepted.order
        (message,) = work.queue.receive(5, NOON + 5)

    assert not accepted.replayed
    assert message.attributes == {"order_id": ID, "default_price": "1000", "currency": "USD", "hold_seconds": "30"}


def test_the_same_order_again_is_answered_the_same_and_queued_once(home: Adapters) -> None:
    with home.unit() as work:
        first = intake.accept(work, OPERATOR, DRAFT, ID)
    with home.unit(NOON + 5) as work:
        again = intake.accept(work, OPERATOR, DRAFT, ID)
        assert len(work.queue.receive(5, NOON + 5)) == 1

    assert again.replayed
    assert again.order == first.order


def test_a_refused_order_takes_no_id(home: Adapters) -> None:
    with home.unit() as work:
        with pytest.raises(OrderInvalid):
            intake.accept(work, OPERATOR, convert({**BURGERS, "currency": "XXX"}, Draft), ID)
        assert not intake.accept(work, OPERATOR, DRAFT, ID).replayed


@pytest.mark.parametrize("caller", [OPERATOR, Caller("op")])
def test_an_operator_orders_for_whom_he_names(home: Adapters, caller: Caller) -> None:
    with home.unit() as work:
        assert intake.accept(work, caller, DRAFT, ID).order.user_id == "Burger_20"


@pytest.mark.parametrize("caller", [ANN, NOBODY])
def test_a_customer_orders_for_himself_only(home: Adapters, caller: Caller) -> None:
    with home.unit() as work:
        with pytest.raises(OwnerRefused):
            intake.accept(work, caller, DRAFT, ID)
        assert work.queue.receive(5, NOON) == ()


@pytest.mark.parametrize("caller", [BOB, NOBODY])
def test_anothers_order_is_not_found_whatever_is_asked_of_it(home: Adapters, caller: Caller) -> None:
    with home.unit() as work:
        intake.accept(work, ANN, HERS, ID)
        with pytest.raises(OrderNotFound):
            orders.find(work, caller, ID)
        with pytest.raises(OrderNotFound):
            orders.cancel(work, caller, ID)
        with pytest.raises(OrderNotFound):
            orders.delete(work, caller, ID)
        with pytest.raises(OrderNotFound):
            orders.change(work, caller, ID, convert({"quantity": 1}, ChangeDraft))
        assert orders.cancel(work, ANN, ID).cancel_requested_at == NOON


def test_a_customers_list_holds_only_his_own_and_is_empty_when_he_asks_for_anothers(home: Adapters) -> None:
    with home.unit() as work:
        intake.accept(work, ANN, HERS, ID)
        orders.cancel(work, ANN, ID)  # writes the row
        assert orders.page(work, BOB, Query(user_id="ann")).items == ()
        assert orders.page(work, NOBODY, Query(user_id="ann")).items == ()
        assert orders.page(work, ANN, Query(user_id="bob")).items == ()
        assert [order.id for order in orders.page(work, ANN, Query()).items] == [ID]
        assert [order.id for order in orders.page(work, OPERATOR, Query()).items] == [ID]


def test_a_change_that_changes_nothing_writes_nothing(home: Adapters) -> None:
    with home.unit() as work:
        intake.accept(work, OPERATOR, DRAFT, ID)
        before = orders.find(work, OPERATOR, ID)
        assert orders.change(work, OPERATOR, ID, ChangeDraft()) == before
        assert work.orders.find(ID) is None


def test_every_write_counts_and_is_dated(home: Adapters) -> None:
    with home.unit() as work:
        intake.accept(work, OPERATOR, DRAFT, ID)
    with home.unit(NOON + 5) as work:
        first = orders.change(work, OPERATOR, ID, convert({"quantity": 4}, ChangeDraft))
    with home.unit(NOON + 9) as work:
        second = orders.change(work, OPERATOR, ID, convert({"quantity": 5}, ChangeDraft))

    assert [(order.version, order.updated_at) for order in (first, second)] == [(1, NOON + 5), (2, NOON + 9)]
    assert second.created_at == NOON
