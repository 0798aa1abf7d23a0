"""What Stripe's books say of one payment: its refunds and disputes."""

import pytest

from expediter.app.gateways import HttpResponse, NoAnswer
from expediter.app.tasks.calls import LookUp, StatedRefund, Statement
from expediter.domain.errors import PaymentUnavailable
from expediter.domain.refunds import Dispute
from tests.app.gateways.talk import SILENCE, Talk, says, short
from tests.app.gateways.test_stripe import LIST, back, conversation, failed


def paid_for(**metadata: str) -> HttpResponse:
    return says(200, {"id": "pi_1", "status": "succeeded", "metadata": metadata})


def dispute(status: str) -> dict[str, object]:
    return {"id": "dp_1", "amount": 850, "currency": "usd", "status": status, "reason": "fraudulent"}


@pytest.mark.parametrize(
    ("status", "withdrawn", "closed"),
    [
        ("warning_needs_response", False, False),
        ("needs_response", True, False),
        ("under_review", True, False),
        ("lost", True, True),
        ("won", False, True),
        ("warning_closed", False, True),
    ],
)
def test_the_refunds_and_disputes_of_a_payment_are_read_the_oldest_first(
    status: str, withdrawn: bool, closed: bool
) -> None:
    listed = {"data": [back("failed", key=""), back("pending", amount=300)]}
    held = Talk(
        conversation(LookUp("pi_1")),
        paid_for(order_id="o1", charge_key="o1/charge"),
        says(200, listed),
        says(200, {"data": [dispute(status)]}),
    )

    assert held.asked == ["GET /v1/payment_intents/pi_1?", LIST, LIST.replace("refunds", "disputes")]
    assert held.answer == Statement(
        "o1",
        (StatedRefund("re_1", 300, "USD", True, "o1/refund"), StatedRefund("re_1", 850, "USD", False, "")),
        (Dispute("dp_1", 850, 0, "fraudulent", status, withdrawn, closed),),
    )


def test_another_payment_of_the_account_is_none_of_ours() -> None:
    assert Talk(conversation(LookUp("pi_1")), paid_for(order_id="o1")).answer == Statement(None)


@pytest.mark.parametrize("said", [says(500), says(200), failed(403), SILENCE], ids=short)
def test_books_that_cannot_be_read_say_nothing(said: HttpResponse | NoAnswer) -> None:
    assert isinstance(Talk(conversation(LookUp("pi_1")), said).error, PaymentUnavailable)
