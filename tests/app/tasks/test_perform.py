"""A task against the order's row: the first try is written down before it goes out, and a lost race settles again."""

from collections.abc import Iterator

import msgspec
import pytest

from expediter.app.intake import document
from expediter.app.ports import Claim, Orders, Outcome, Work
from expediter.app.tasks.calls import Call, Charge, Done, Refund, Refunded, Refused, Withdraw
from expediter.app.tasks.order import perform
from expediter.asl.protocol import Json
from expediter.domain.errors import OrderChanged, OrderInvalid, OrderNotFound, TransitionNotAllowed
from expediter.domain.order import Effect, EffectKind, Order, Result, Status
from tests.ports.adapters import Adapters, EmbeddedAdapters
from tests.support.clock import NOON
from tests.support.values import ID, an_order

INPUT: Json = {"order": document(an_order()), "hold_seconds": 30}


@pytest.fixture
def home() -> Iterator[Adapters]:
    adapters = EmbeddedAdapters()
    with adapters.unit() as work:
        work.claims.claim(Claim(ID, "one"))
        perform(work, "InitializeOrder", INPUT)
    yield adapters
    adapters.close()


def output_of(result: Call | Outcome) -> Json:
    assert isinstance(result, Outcome)
    return result.output


def the_order(work: Work) -> Order:
    order = work.orders.find(ID)
    assert order is not None
    return order


def test_the_first_task_saves_the_order_of_the_input_once(home: Adapters) -> None:
    with home.unit(NOON + 5) as work:
        assert output_of(perform(work, "InitializeOrder", INPUT)) is None
        assert the_order(work) == an_order(version=1)


def test_a_task_whose_order_was_never_saved_says_so(home: Adapters) -> None:
    with home.unit() as work, pytest.raises(OrderNotFound, match="InitializeOrder"):
        perform(work, "CloseHold", {"order": {"id": "another"}})


@pytest.mark.parametrize("state", [None, {}, [], {"order": None}, {"order": {}}, {"order": "x"}, "text"])
def test_an_input_that_names_no_order_is_refused(home: Adapters, state: Json) -> None:
    with home.unit() as work, pytest.raises(OrderInvalid, match="names no order"):
        perform(work, "InitializeOrder", state)


def test_the_first_try_of_a_call_is_on_the_row_before_the_call_goes_out(home: Adapters) -> None:
    with home.unit() as work:
        call = perform(work, "ProcessPayment", INPUT)
        assert the_order(work).effects == {EffectKind.CHARGE: Effect(NOON)}

    assert isinstance(call, Charge)
    assert (call.tried_at, call.repeat) == (NOON, False)


def test_a_call_that_may_have_gone_out_is_repeated_as_such_with_the_time_of_its_first_try(home: Adapters) -> None:
    with home.unit() as work:
        perform(work, "ProcessPayment", INPUT)
    with home.unit(NOON + 5) as work:
        again = perform(work, "ProcessPayment", INPUT)

    assert isinstance(again, Charge)
    assert (again.tried_at, again.repeat) == (NOON, True)


def test_after_a_restart_even_a_first_try_counts_as_a_repeat(home: Adapters) -> None:
    with home.unit() as work:
        call = perform(work, "ProcessPayment", INPUT, repeat=True)

    assert isinstance(call, Charge)
    assert call.repeat


def test_an_answer_is_settled_on_the_row(home: Adapters) -> None:
    with home.unit() as work:
        perform(work, "ProcessPayment", INPUT)
        assert output_of(perform(work, "ProcessPayment", INPUT, Done("ch_1"))) == {"status": "ok"}
        assert the_order(work).status is Status.PAID
        assert len(work.orders.entries(ID)) == 1


def test_a_task_that_comes_again_after_it_was_settled_changes_nothing(home: Adapters) -> None:
    with home.unit() as work:
        perform(work, "ProcessPayment", INPUT)
        perform(work, "ProcessPayment", INPUT, Done("ch_1"))
        before = the_order(work)
    with home.unit(NOON + 5) as work:
        assert output_of(perform(work, "ProcessPayment", INPUT)) == {"status": "ok"}
        assert the_order(work) == before


def test_a_task_that_is_not_allowed_writes_nothing(home: Adapters) -> None:
    with home.unit() as work:
        before = the_order(work)
        with pytest.raises(TransitionNotAllowed):
            perform(work, "CompleteOrder", INPUT)
        assert the_order(work) == before


def charged(home: Adapters) -> None:
    with home.unit() as work:
        perform(work, "ProcessPayment", INPUT)
        perform(work, "ProcessPayment", INPUT, Done("ch_1"))


def test_ending_with_money_writes_what_is_owed_asks_for_the_refund_and_only_then_ends(home: Adapters) -> None:
    charged(home)
    with home.unit() as work:
        call = perform(work, "CancelFailedOrder", INPUT)
        assert isinstance(call, Refund)
        assert the_order(work).status is Status.REFUND_PENDING
    with home.unit() as work:
        result = perform(work, "CancelFailedOrder", INPUT, Refunded("re_1", charged=True))
        assert output_of(result) == {"status": "FAILED"}
        assert [entry.kind for entry in work.orders.entries(ID)] == ["charge", "refund"]


def test_an_open_handover_is_withdrawn_after_what_is_owed_is_written_down(home: Adapters) -> None:
    charged(home)
    with home.unit() as work:
        perform(work, "SendOrderToRestaurant", INPUT)
    with home.unit() as work:
        call = perform(work, "OweRefund", {**INPUT, "error": {"Error": "RestaurantUnavailable"}})
        order = the_order(work)

    assert isinstance(call, Withdraw)
    assert order.status is Status.REFUND_PENDING
    assert order.error_message == "The restaurant could not be reached."
    assert order.effects[EffectKind.WITHDRAWAL].result is Result.UNKNOWN


class Racing:
    """The orders of a home in which somebody else writes just before our first write."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self.races = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._orders, name)

    def apply(self, before: Order | None, outcome: Outcome) -> None:
        if self.races == 0 and before is not None:
            self.races += 1
            moved = msgspec.structs.replace(before, restaurant_id="the winner's", version=before.version + 1)
            self._orders.apply(before, Outcome(moved))
        self._orders.apply(before, outcome)


@pytest.mark.parametrize("answer", [Done("ch_1"), Refused("No funds.")])
def test_a_lost_race_settles_the_same_answer_on_the_newer_row(home: Adapters, answer: Done | Refused) -> None:
    with home.unit() as work:
        perform(work, "ProcessPayment", INPUT)
    with home.unit() as work:
        racing = Racing(work.orders)
        result = perform(msgspec.structs.replace(work, orders=racing), "ProcessPayment", INPUT, answer)
        order = the_order(work)

    assert isinstance(result, Outcome)
    assert racing.races == 1
    assert order.restaurant_id == "the winner's"
    assert order.result(EffectKind.CHARGE) is (Result.DONE if isinstance(answer, Done) else Result.REFUSED)


def test_the_store_reports_a_lost_race_with_a_writer(home: Adapters) -> None:
    with home.unit() as work:
        order = the_order(work)
        work.orders.apply(order, Outcome(msgspec.structs.replace(order, version=2)))
        with pytest.raises(OrderChanged):
            work.orders.apply(order, Outcome(msgspec.structs.replace(order, version=2)))
