"""What each task asks of a gateway, and when it asks nothing."""

import pytest

from expediter.app.tasks.calls import Charge, HandOver, Refund, Withdraw
from expediter.domain.order import Order, Status
from tests.app.contexts import DONE, LATER, OWED, PAID, REFUSED, UNKNOWN, order, request
from tests.support.clock import NOON
from tests.support.values import ID

# ── what is asked ─────────────────────────────────────────────────────────────────────────────────────────────────

CHARGE = Charge(f"{ID}/charge", ID, 3000, "USD", tried_at=LATER)
REFUND = Refund(f"{ID}/refund", ID, f"{ID}/charge", "ch_1", 3000, "USD", charge_known=True, tried_at=LATER)

ASKED = [
    ("a new order is charged", "ProcessPayment", order(), Charge),
    ("a charge without an answer is asked for again", "ProcessPayment", order(charge=UNKNOWN), Charge),
    ("a charge that is made is not made again", "ProcessPayment", PAID, None),
    ("a declined charge is not tried again", "ProcessPayment", order(charge=REFUSED), None),
    ("a cancelled order is not charged", "ProcessPayment", order(Status.CANCELLED, cancel=True), None),
    (
        "a charge under way is settled although the order is cancelled",
        "ProcessPayment",
        order(Status.REFUND_PENDING, cancel=True, charge=UNKNOWN),
        Charge,
    ),
    ("a paid order is handed over", "SendOrderToRestaurant", PAID, HandOver),
    (
        "a handover without an answer is asked for again",
        "SendOrderToRestaurant",
        order(Status.PAID, charge=DONE, restaurant=UNKNOWN),
        HandOver,
    ),
    (
        "an order at the restaurant is not handed over again",
        "SendOrderToRestaurant",
        order(Status.PAID, charge=DONE, restaurant=DONE),
        None,
    ),
    (
        "an order that the restaurant refused is not offered again",
        "SendOrderToRestaurant",
        order(Status.PAID, charge=DONE, restaurant=REFUSED),
        None,
    ),
    (
        "a cancelled order is not handed over",
        "SendOrderToRestaurant",
        order(Status.REFUND_PENDING, cancel=True, charge=DONE),
        None,
    ),
    ("an order whose money is owed is not handed over", "SendOrderToRestaurant", OWED, None),
    (
        "an order that failed is not offered again",
        "SendOrderToRestaurant",
        order(Status.FAILED, charge=DONE, restaurant=UNKNOWN),
        None,
    ),
    (
        "what is owed is written down before anything is withdrawn",
        "OweRefund",
        order(Status.PAID, charge=DONE, restaurant=UNKNOWN),
        None,
    ),
    (
        "a handover with unknown result is withdrawn",
        "OweRefund",
        order(Status.REFUND_PENDING, reason="why", charge=DONE, restaurant=UNKNOWN),
        Withdraw,
    ),
    (
        "a handover that the restaurant took is withdrawn",
        "OweRefund",
        order(Status.REFUND_PENDING, reason="why", charge=DONE, restaurant=DONE),
        Withdraw,
    ),
    (
        "a withdrawal without an answer is asked for again",
        "OweRefund",
        order(Status.REFUND_PENDING, reason="why", charge=DONE, restaurant=UNKNOWN, withdrawal=UNKNOWN),
        Withdraw,
    ),
    (
        "a withdrawn order is not withdrawn again",
        "OweRefund",
        order(Status.REFUND_PENDING, reason="why", charge=DONE, restaurant=UNKNOWN, withdrawal=DONE),
        None,
    ),
    (
        "what the restaurant refused needs no withdrawal",
        "OweRefund",
        order(Status.REFUND_PENDING, reason="why", charge=DONE, restaurant=REFUSED),
        None,
    ),
    ("what is owed is refunded", "RefundPayment", OWED, Refund),
    (
        "a charge with unknown result is refunded too",
        "RefundPayment",
        order(Status.REFUND_PENDING, reason="why", charge=UNKNOWN),
        Refund,
    ),
    (
        "a refund without an answer is asked for again",
        "RefundPayment",
        order(Status.REFUND_PENDING, reason="why", charge=DONE, refund=UNKNOWN),
        Refund,
    ),
    (
        "a refund that is made is not made again",
        "RefundPayment",
        order(Status.REFUND_PENDING, reason="why", charge=DONE, refund=DONE),
        None,
    ),
    ("nothing is refunded where nothing was charged", "RefundPayment", order(), None),
    ("nothing is refunded after a decline", "RefundPayment", order(charge=REFUSED), None),
    ("a refund is not made before it is written down as owed", "RefundPayment", PAID, None),
    ("saving asks nobody", "InitializeOrder", order(), None),
    ("closing the hold asks nobody", "CloseHold", PAID, None),
    ("completing asks nobody", "CompleteOrder", PAID, None),
    ("ending without money asks nobody", "CancelFailedOrder", order(charge=REFUSED), None),
    ("ending with money asks for the refund first", "CancelFailedOrder", OWED, Refund),
]


@pytest.mark.parametrize(("task", "on", "call"), [row[1:] for row in ASKED], ids=[row[0] for row in ASKED])
def test_asking(task: str, on: Order, call: type | None) -> None:
    asked = request(task, on)

    assert asked is None if call is None else isinstance(asked, call)


def test_a_charge_says_how_much_of_what_under_which_key() -> None:
    assert request("ProcessPayment", order()) == CHARGE


@pytest.mark.parametrize(
    ("task", "on"),
    [
        ("ProcessPayment", order(charge=UNKNOWN)),
        ("SendOrderToRestaurant", order(Status.PAID, charge=DONE, restaurant=UNKNOWN)),
        ("RefundPayment", order(Status.REFUND_PENDING, reason="why", charge=DONE, refund=UNKNOWN)),
        ("OweRefund", order(Status.REFUND_PENDING, reason="why", restaurant=UNKNOWN, withdrawal=UNKNOWN)),
    ],
)
def test_a_repeated_call_carries_the_time_of_its_first_try(task: str, on: Order) -> None:
    asked = request(task, on)

    assert asked is not None
    assert asked.tried_at == NOON


def test_a_refund_says_whether_the_charge_is_known() -> None:
    unknown = order(Status.REFUND_PENDING, reason="why", charge=UNKNOWN)
    first, second = request("RefundPayment", OWED), request("RefundPayment", unknown)

    assert first == REFUND
    assert isinstance(second, Refund)
    assert (second.charge_known, second.charge_id) == (False, None)
