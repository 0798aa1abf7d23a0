"""What an answer, or its absence, makes of the order: each task's second half."""

import msgspec
import pytest

from expediter.app.intake import document
from expediter.app.tasks.calls import Done, Refunded, Refused, Withdraw
from expediter.app.tasks.order import ACTIONS, SAVES, TASKS, from_input
from expediter.domain import ledger
from expediter.domain.errors import OrderCancelled, OrderInvalid, OrderNotFound, TransitionNotAllowed
from expediter.domain.order import Effect, EffectKind, Item, Order, Result, Status
from tests.app.contexts import DONE, LATER, OWED, PAID, REFUSED, UNKNOWN, order, request, settle
from tests.support.values import ID

# ── what the answers make of it ───────────────────────────────────────────────────────────────────────────────────


def test_saving_a_saved_order_changes_nothing() -> None:
    assert settle("InitializeOrder", PAID).order is PAID


def test_a_charge_pays_the_order_and_enters_the_ledger() -> None:
    outcome = settle("ProcessPayment", order(charge=UNKNOWN), Done("ch_1"))

    assert outcome.order.status is Status.PAID
    assert outcome.order.effects[EffectKind.CHARGE] == DONE
    assert outcome.entries == (
        ledger.LedgerEntry(ID, ledger.EntryKind.CHARGE, f"{ID}/charge", 3000, "USD", LATER, "ch_1"),
    )
    assert outcome.output == {"status": "ok"}


def test_a_decline_is_a_value_with_the_banks_words_and_moves_no_money() -> None:
    outcome = settle("ProcessPayment", order(charge=UNKNOWN), Refused("No funds."))

    assert (outcome.order.status, outcome.order.error_message) == (Status.PENDING, "No funds.")
    assert (outcome.entries, outcome.output) == (
        (),
        {"status": "error", "error_message": "No funds.", "try_again": False},
    )


def test_a_charge_of_an_order_cancelled_meanwhile_is_entered_and_stays_owed() -> None:
    outcome = settle("ProcessPayment", order(Status.REFUND_PENDING, cancel=True, charge=UNKNOWN), Done("ch_1"))

    assert outcome.order.status is Status.REFUND_PENDING
    assert len(outcome.entries) == 1
    assert outcome.output == {"status": "ok"}


@pytest.mark.parametrize(
    ("on", "status"),
    [(PAID, "ok"), (order(charge=REFUSED, reason="No."), "error"), (order(Status.CANCELLED, cancel=True), "error")],
)
def test_a_repeated_payment_finds_on_the_row_what_was_done(on: Order, status: str) -> None:
    outcome = settle("ProcessPayment", on)

    assert outcome.order is on
    assert (outcome.entries, outcome.output["status"]) == ((), status)


def test_the_hold_is_closed_once() -> None:
    closed = settle("CloseHold", PAID)
    again = settle("CloseHold", closed.order)

    assert closed.order.hold_closed_at == LATER
    assert closed.output == again.output == {"cancelled": False}
    assert again.order is closed.order


def test_a_cancelled_order_closes_no_hold() -> None:
    outcome = settle("CloseHold", order(Status.REFUND_PENDING, cancel=True, charge=DONE))

    assert (outcome.order.hold_closed_at, outcome.output) == (None, {"cancelled": True})


def test_the_restaurant_takes_the_order_or_says_why_not() -> None:
    on = order(Status.PAID, charge=DONE, restaurant=UNKNOWN)
    taken, refused = (settle("SendOrderToRestaurant", on, answer) for answer in (Done(), Refused("Closed.")))

    assert (taken.order.result(EffectKind.RESTAURANT), taken.output) == (Result.DONE, {"status": "ok"})
    assert refused.order.result(EffectKind.RESTAURANT) is Result.REFUSED
    assert refused.order.error_message == "Closed."
    assert refused.output == {"status": "error", "error_message": "Closed."}


@pytest.mark.parametrize(("task", "on"), [("CompleteOrder", PAID), ("CancelFailedOrder", order(charge=REFUSED))])
def test_a_workflow_sees_the_status_of_an_order_as_plain_text(task: str, on: Order) -> None:
    assert type(settle(task, on).output["status"]) is str


def test_a_completed_order_is_a_success_and_mails_say_so() -> None:
    outcome = settle("CompleteOrder", PAID)

    assert outcome.order.status is Status.SUCCESS
    assert [(mail.recipient, mail.status) for mail in outcome.mails] == [("ops@example.com", "SUCCESS")]


def test_a_handover_that_was_withdrawn_does_not_count_as_one() -> None:
    """The workflow is walked a second time for an order that was given up in the first."""
    withdrawn = order(Status.REFUND_PENDING, reason="Closed.", charge=DONE, restaurant=DONE, withdrawal=DONE)
    assert settle("SendOrderToRestaurant", withdrawn).output == {"status": "error", "error_message": "Closed."}
    assert settle("SendOrderToRestaurant", order(Status.PAID, charge=DONE, restaurant=DONE)).output == {"status": "ok"}


def test_a_cancelled_order_is_never_completed() -> None:
    with pytest.raises(OrderCancelled):
        settle("CompleteOrder", order(Status.REFUND_PENDING, cancel=True, charge=DONE))


@pytest.mark.parametrize("on", [order(), OWED, order(Status.FAILED)])
def test_only_a_paid_order_is_completed(on: Order) -> None:
    with pytest.raises(TransitionNotAllowed):
        settle("CompleteOrder", on)


def test_what_is_owed_is_written_down_with_its_reason_and_nobody_is_told_yet() -> None:
    outcome = settle("OweRefund", PAID, error={"Error": "RestaurantUnavailable"})

    assert outcome.order.status is Status.REFUND_PENDING
    assert outcome.order.error_message == "The restaurant could not be reached."
    assert (outcome.entries, outcome.mails, outcome.again) == ((), (), False)


def test_with_a_handover_open_there_is_more_to_do_once_it_is_written_down() -> None:
    outcome = settle("OweRefund", order(Status.PAID, charge=DONE, restaurant=UNKNOWN))

    assert outcome.again


def test_where_nothing_is_owed_nothing_is_written() -> None:
    on = order(charge=REFUSED)

    assert settle("OweRefund", on).order is on


def test_a_cancel_that_the_api_wrote_down_gets_its_reason() -> None:
    outcome = settle("OweRefund", order(Status.REFUND_PENDING, cancel=True, charge=DONE))

    assert outcome.order.error_message == "The customer cancelled the order."


def test_a_withdrawal_is_written_down() -> None:
    on = order(Status.REFUND_PENDING, reason="why", charge=DONE, restaurant=UNKNOWN, withdrawal=UNKNOWN)

    assert settle("OweRefund", on, Done()).order.result(EffectKind.WITHDRAWAL) is Result.DONE


def test_a_refund_enters_the_ledger_and_leaves_the_status_to_the_next_task() -> None:
    outcome = settle("RefundPayment", OWED, Refunded("re_1", charged=True))

    assert outcome.order.status is Status.REFUND_PENDING
    assert not outcome.order.owes_refund
    assert [(entry.kind, entry.amount, entry.reference) for entry in outcome.entries] == [("refund", 3000, "re_1")]


def test_a_refund_of_an_unknown_charge_that_was_made_enters_both() -> None:
    on = order(Status.REFUND_PENDING, reason="why", charge=UNKNOWN)
    outcome = settle("RefundPayment", on, Refunded("re_1", charged=True, charge_id="ch_9"))

    assert [(entry.kind, entry.reference) for entry in outcome.entries] == [("charge", "ch_9"), ("refund", "re_1")]
    assert ledger.balance(outcome.entries) == 0
    assert outcome.order.result(EffectKind.CHARGE) is Result.DONE


def test_a_refund_of_an_unknown_charge_that_never_was_enters_nothing() -> None:
    on = order(Status.REFUND_PENDING, reason="why", charge=UNKNOWN)
    outcome = settle("RefundPayment", on, Refunded("re_1", charged=False))

    assert outcome.entries == ()
    assert outcome.order.result(EffectKind.CHARGE) is Result.REFUSED
    assert not outcome.order.owes_refund


def test_a_refund_of_a_known_charge_enters_the_ledger_whatever_the_answer_says_of_the_charge() -> None:
    outcome = settle("RefundPayment", OWED, Refunded("re_1", charged=False))

    assert [entry.key for entry in outcome.entries] == [f"{ID}/refund"]


@pytest.mark.parametrize(("state", "again"), [({}, False), ({"task_token": "t1"}, True)])
def test_a_refusal_is_looked_at_once_more_where_the_workflow_waits_for_a_token(
    state: dict[str, str], again: bool
) -> None:
    assert settle("SendOrderToRestaurant", PAID, Refused("closed"), **state).again is again


def test_a_refund_without_what_is_owed_written_down_writes_that_first() -> None:
    outcome = settle("RefundPayment", PAID)

    assert (outcome.order.status, outcome.again) == (Status.REFUND_PENDING, True)


@pytest.mark.parametrize(("cancel", "status"), [(True, Status.CANCELLED), (False, Status.FAILED)])
def test_the_end_is_cancelled_if_the_customer_asked_else_failed(cancel: bool, status: Status) -> None:
    on = order(Status.REFUND_PENDING, cancel=cancel, reason="why", charge=DONE, refund=DONE)
    outcome = settle("CancelFailedOrder", on)

    assert (outcome.order.status, outcome.order.error_message) == (status, "why")
    assert [mail.status for mail in outcome.mails] == [status]
    assert outcome.output == {"status": status}


@pytest.mark.parametrize("on", [PAID, OWED])
def test_no_end_before_the_money_is_back(on: Order) -> None:
    assert settle("CancelFailedOrder", on).order.status is Status.REFUND_PENDING
    assert settle("CancelFailedOrder", on).again


def test_an_ended_order_ends_the_same_again() -> None:
    once = settle("CancelFailedOrder", order(charge=REFUSED, reason="No."))
    twice = settle("CancelFailedOrder", once.order)

    assert twice.order == once.order
    assert twice.mails == once.mails


NAMED = [
    ("save", "InitializeOrder"),
    ("complete", "CompleteOrder"),
    ("owe", "OweRefund"),
    ("cancel", "CancelFailedOrder"),
]

# ── one task for all, and where orders come from ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("action", "task"), NAMED)
def test_manage_order_state_does_what_its_action_names(action: str, task: str) -> None:
    assert settle("ManageOrderState", PAID, action=action) == settle(task, PAID, action=action)
    assert request("ManageOrderState", OWED, action=action) == request(task, OWED)


@pytest.mark.parametrize("action", [None, "", "drop"])
def test_an_unknown_action_is_refused_with_those_there_are(action: str | None) -> None:
    with pytest.raises(OrderInvalid, match="save, complete, owe, cancel"):
        settle("ManageOrderState", PAID, action=action)
    assert list(ACTIONS) == ["save", "complete", "owe", "cancel"]


@pytest.mark.parametrize("name", sorted(TASKS))
def test_only_a_task_that_saves_takes_an_order_from_its_input(name: str) -> None:
    state = {"order": document(order())}
    if name in SAVES:
        assert from_input(name, state) == order()
    else:
        with pytest.raises(OrderNotFound, match="InitializeOrder"):
            from_input(name, state)


def test_an_input_that_holds_no_whole_order_saves_nothing() -> None:
    with pytest.raises(OrderInvalid):
        from_input("InitializeOrder", {"order": {"id": ID}})


# ── an order that costs nothing ───────────────────────────────────────────────────────────────────────────────────

FREE = (Item("water", 2, 0),)


def free(on: Order) -> Order:
    return msgspec.structs.replace(on, items=FREE)


@pytest.mark.parametrize("on", [order(), order(charge=UNKNOWN), order(Status.REFUND_PENDING, charge=UNKNOWN), PAID])
def test_for_an_order_that_costs_nothing_no_provider_is_asked_whatever_an_earlier_version_tried(on: Order) -> None:
    assert request("ProcessPayment", free(on)) is None
    assert request("RefundPayment", free(on)) is None


@pytest.mark.parametrize("on", [order(), order(charge=UNKNOWN)])
def test_an_order_that_costs_nothing_is_paid_without_an_entry_in_the_ledger(on: Order) -> None:
    outcome = settle("ProcessPayment", free(on))

    assert (outcome.order.status, outcome.order.result(EffectKind.CHARGE)) == (Status.PAID, Result.DONE)
    assert (outcome.entries, outcome.output) == ((), {"status": "ok"})


def test_an_order_that_costs_nothing_is_not_paid_once_it_is_cancelled_or_was_declined() -> None:
    for on in (order(Status.CANCELLED, cancel=True), order(charge=REFUSED)):
        outcome = settle("ProcessPayment", free(on))
        assert (outcome.order.effects, outcome.output["status"]) == (on.effects, "error")


@pytest.mark.parametrize("charge", [UNKNOWN, DONE])
def test_a_refund_of_0_that_an_earlier_version_owed_is_owed_no_longer_and_the_order_ends(charge: Effect) -> None:
    owed = free(order(Status.REFUND_PENDING, reason="why", charge=charge))
    refunded = settle("RefundPayment", owed)
    ended = settle("CancelFailedOrder", refunded.order)

    assert (refunded.entries, ended.entries) == ((), ())
    assert (ended.order.status, ended.order.error_message) == (Status.FAILED, "why")


def test_what_costs_nothing_is_withdrawn_from_the_restaurant_and_never_handed_over_again() -> None:
    on = free(order(Status.PAID, charge=DONE, restaurant=UNKNOWN))
    assert isinstance(request("OweRefund", on), Withdraw)
    withdrawn = settle("OweRefund", on, Done()).order

    assert request("OweRefund", withdrawn) is None
    assert request("SendOrderToRestaurant", withdrawn) is None
    assert settle("SendOrderToRestaurant", withdrawn).output["status"] == "error"


def test_a_completed_order_that_costs_nothing_is_not_withdrawn() -> None:
    assert request("OweRefund", free(order(Status.SUCCESS, charge=DONE, restaurant=DONE))) is None
