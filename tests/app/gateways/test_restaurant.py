"""What is said to the restaurant, and what its answers mean."""

import base64
import hmac

import msgspec
import pytest

from expediter.app.gateways import MAX_ANSWER, HttpResponse, NoAnswer
from expediter.app.gateways.restaurant import hand_over, signed
from expediter.app.tasks.calls import REPEAT_WITHIN, Done, Refused
from expediter.domain.errors import RestaurantUnavailable
from tests.app.gateways.talk import (
    LONG_AGO,
    NOW,
    ORDER,
    SILENCE,
    Talk,
    conversation,
    handover,
    ok,
    says,
    short,
    withdraw,
)

NONSENSE = [
    says(500, {"error_message": "boom"}),
    says(302),
    says(200, b"<html>It works!</html>"),
    says(200, {"status": "error", "error_message": "closed"}),
    says(200, b'{"status": "ok", "x": "' + b"x" * MAX_ANSWER + b'"}'),
    says(404),
    says(400, {"error_message": ""}),
    says(400, {"error_message": 7}),
    says(400, {"detail": "closed"}),
    says(408, {"error_message": "later"}),
    says(425, {"error_message": "later"}),
    says(429, {"error_message": "later"}),
    SILENCE,
]


# ── handover ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_restaurant_gets_the_order_but_not_the_customers_address() -> None:
    talk = Talk(conversation(handover()), ok())

    assert talk.asked == ["POST /orders"]
    assert talk.requests[0].headers == {"Idempotency-Key": "o1/restaurant", "Content-Type": "application/json"}
    assert talk.body() == {
        "id": "o1",
        "user_id": "Burger_20",
        "restaurant_id": "Restaurant 4",
        "name": None,
        "quantity": 4,
        "items": [
            {"name": "Burger", "quantity": 3, "unit_price": 250},
            {"name": "Tea", "quantity": 1, "unit_price": 100},
        ],
        "total": 850,
        "currency": "USD",
        "created_at": "2025-08-01T12:00:00.123Z",
    }


def test_a_restaurant_that_is_waited_for_gets_the_task_s_token_with_the_order() -> None:
    plain = Talk(conversation(handover()), ok()).body()
    call = msgspec.structs.replace(handover(), task_token="t1")

    assert Talk(conversation(call), ok()).body() == {**plain, "task_token": "t1"}


@pytest.mark.parametrize("said", [ok(), says(201, {"status": "ok"}), says(204), says(200, b" \n")])
def test_a_2xx_that_says_ok_or_nothing_is_a_handover(said: HttpResponse) -> None:
    assert Talk(conversation(handover()), said).answer == Done()


@pytest.mark.parametrize("status", [400, 401, 404, 409, 410, 422, 499])
def test_a_4xx_with_a_message_is_a_refusal(status: int) -> None:
    said = says(status, {"error_message": "closed\n\x1b[0m till nine"})

    assert Talk(conversation(handover()), said).answer == Refused("closed [0m till nine")


@pytest.mark.parametrize("said", NONSENSE, ids=short)
def test_a_handover_whose_answer_settles_nothing_is_unavailable(said: HttpResponse | NoAnswer) -> None:
    talk = Talk(conversation(handover()), said)

    assert isinstance(talk.error, RestaurantUnavailable)
    assert len(talk.asked) == 1


def test_a_handover_is_repeated_under_its_key() -> None:
    talk = Talk(conversation(handover(NOW - REPEAT_WITHIN, repeat=True)), ok())

    assert talk.requests[0].headers["Idempotency-Key"] == "o1/restaurant"
    assert talk.answer == Done()


def test_a_handover_first_tried_more_than_20_hours_ago_is_never_sent_again() -> None:
    talk = Talk(conversation(handover(LONG_AGO, repeat=True)))

    assert isinstance(talk.error, RestaurantUnavailable)
    assert talk.asked == []


def test_a_first_try_goes_out_whatever_the_clock_says() -> None:
    assert Talk(conversation(handover(LONG_AGO)), ok()).answer == Done()


def test_the_signature_is_the_hmac_of_exactly_the_bytes_that_go_out() -> None:
    order = msgspec.structs.replace(ORDER, name="Gr\u00fc\u00dfe")

    (request,) = Talk(conversation(handover(order=order), "s3cret"), ok()).requests

    expected = hmac.new(b"s3cret", request.body, "sha256").hexdigest()
    assert request.headers["X-Signature"] == f"sha256={expected}"


def test_it_is_the_signature_of_standard_webhooks() -> None:
    """The example of its libraries: https://github.com/standard-webhooks/standard-webhooks"""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    headers = signed("msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}', secret, 1_614_265_330_999)

    assert headers["Webhook-Id"] == "msg_p5jXN8AQM9LWM0D4loKWxJek"
    assert headers["Webhook-Timestamp"] == "1614265330"
    assert headers["Webhook-Signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("secret", ["s3cret", "whsec_no base64"])
def test_a_secret_of_another_form_is_its_own_bytes(secret: str) -> None:
    said = signed("id", b"body", secret, 5_000)["Webhook-Signature"]
    assert said == f"v1,{base64.b64encode(hmac.digest(secret.encode(), b'id.5.body', 'sha256')).decode()}"


def test_each_try_has_the_same_id_and_its_own_time() -> None:
    tries = [
        Talk(hand_over(handover(), now, lambda refused=None: "s3cret"), ok()).requests[0].headers
        for now in (1_000, 61_000)
    ]
    assert {headers["Webhook-Id"] for headers in tries} == {"o1/restaurant"}
    assert [headers["Webhook-Timestamp"] for headers in tries] == ["1", "61"]
    assert tries[0]["Webhook-Signature"] != tries[1]["Webhook-Signature"]


@pytest.mark.parametrize("secret", [None, ""])
def test_without_a_secret_nothing_is_signed(secret: str | None) -> None:
    headers = Talk(conversation(handover(), secret), ok()).requests[0].headers
    assert not {"X-Signature", "Webhook-Signature"} & headers.keys()


# ── withdrawal ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_withdrawal_names_the_order_and_is_signed_too() -> None:
    talk = Talk(conversation(withdraw(), "s3cret"), ok())

    assert talk.asked == ["DELETE /orders/o1"]
    assert talk.requests[0].headers["Idempotency-Key"] == "o1/withdrawal"
    assert talk.requests[0].headers["X-Signature"] == f"sha256={hmac.new(b's3cret', b'', 'sha256').hexdigest()}"


@pytest.mark.parametrize("status", [200, 204, 404, 410])
def test_an_order_that_the_restaurant_gave_back_or_does_not_have_is_withdrawn(status: int) -> None:
    assert Talk(conversation(withdraw()), says(status, b"<html>")).answer == Done()


@pytest.mark.parametrize("said", [says(409, {"error_message": "too late"}), says(401), says(301), says(500), SILENCE])
def test_any_other_answer_to_a_withdrawal_settles_nothing(said: HttpResponse | NoAnswer) -> None:
    assert isinstance(Talk(conversation(withdraw()), said).error, RestaurantUnavailable)


def test_a_withdrawal_is_repeated_however_old_it_is() -> None:
    assert Talk(conversation(withdraw(LONG_AGO, repeat=True)), ok()).answer == Done()
