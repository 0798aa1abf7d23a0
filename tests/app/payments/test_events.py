"""What is read of an event."""

import json

import pytest

from expediter.app.payments.events import OURSELVES, Event, EventInvalid, Topic, event_in, refund_asked


def stripe(type: str = "payment_intent.succeeded", **fields: object) -> bytes:
    event = {"id": "evt_1", "object": "event", "type": type, "data": {"object": {"metadata": {"order_id": "o1"}}}}
    return json.dumps({**event, **fields}).encode()


def test_an_event_of_stripe_names_the_order_in_the_payments_metadata() -> None:
    assert event_in("stripe", stripe()) == Event("evt_1", "payment_intent.succeeded", Topic.PAYMENT, "o1")


@pytest.mark.parametrize("type", ["refund.failed", "charge.refunded", "charge.dispute.created"])
def test_news_of_a_refund_or_a_dispute_names_the_payment(type: str) -> None:
    about = {"object": {"id": "re_1", "payment_intent": "pi_1", "metadata": {}}}

    assert event_in("stripe", stripe(type, data=about)) == Event("evt_1", type, Topic.RETURNS, None, "pi_1")
    assert event_in("stripe", stripe(type, data={"object": {}})).topic is Topic.UNKNOWN


def test_a_refund_that_waits_to_be_made_is_read_as_it_was_written() -> None:
    asked = event_in(OURSELVES, refund_asked("o1", "o1/refund/r1"))

    assert asked == Event("o1/refund/r1", "refund.asked", Topic.REFUND_ASKED, "o1")


def test_a_type_that_is_not_known_is_an_event_all_the_same() -> None:
    assert event_in("stripe", stripe("radar.early_fraud_warning.created")).topic is Topic.UNKNOWN


def test_an_event_of_a_provider_behind_a_url_names_the_order() -> None:
    said = b'{"id": "e-1", "order_id": "o1"}'

    assert event_in("payments", said) == Event("e-1", "payment.changed", Topic.ANYTHING, "o1")


@pytest.mark.parametrize("provider", ["stripe", "payments"])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b'{"id": ""}',
        b'{"id": 1, "order_id": "o1"}',
        b"[" * 5_000,
        stripe(data=None),
        stripe(id=""),
    ],
)
def test_anything_else_is_no_event(provider: str, body: bytes) -> None:
    with pytest.raises(EventInvalid):
        event_in(provider, body)
