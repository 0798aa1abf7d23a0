"""What is said to the payment provider, and what its answers mean."""

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expediter.app.gateways import MAX_ANSWER, ROUTES, HttpResponse, NoAnswer, Remote
from expediter.app.tasks.calls import REPEAT_WITHIN, Done, Refunded, Refused
from expediter.domain.errors import PaymentUnavailable
from tests.app.gateways.talk import LONG_AGO, NOW, SILENCE, Talk, charge, conversation, no, ok, refund, says, short

#: Answers that settle nothing, whatever was asked.
NONSENSE = [
    says(500, {"status": "error", "error_message": "boom"}),
    says(503),
    says(301, {"status": "ok"}),
    says(200),
    says(200, b"<html>It works!</html>"),
    says(200, b"\xff\xfe"),
    says(200, []),
    says(500, {"status": "pending"}),
    says(202, {"status": "pending", "wait_seconds": 0}),
    says(202, {"status": "pending", "redirect_url": ""}),
    says(200, {"status": "ok", "charge_id": 7, "refund_id": 7}),
    says(200, b'{"status": "ok", "more": "' + b"x" * MAX_ANSWER + b'"}'),
    says(401, {"status": "error", "error_message": "who are you?"}),
    says(409, {"status": "ok"}),
    says(422, {"status": "error", "error_message": "no"}),
    says(402, {"status": "ok", "charge_id": "ch_1"}),
    SILENCE,
]
nonsense = pytest.mark.parametrize("said", NONSENSE, ids=short)


# ── charge ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_first_charge_is_made_without_asking() -> None:
    talk = Talk(conversation(charge()), ok(charge_id="ch_1"))

    assert talk.asked == ["POST /charges"]
    assert talk.requests[0].headers["Idempotency-Key"] == "o1/charge"
    assert talk.body() == {"order_id": "o1", "amount": 850, "currency": "USD"}
    assert talk.answer == Done("ch_1")


def test_any_2xx_that_says_ok_is_a_charge_and_fields_we_do_not_know_are_passed_over() -> None:
    assert Talk(conversation(charge()), says(201, {"status": "ok", "charge_id": "c", "x": 1})).answer == Done("c")


def test_a_charge_may_come_without_an_id_of_the_provider() -> None:
    assert Talk(conversation(charge()), ok()).answer == Done(None)


@pytest.mark.parametrize("said", [no("Card expired."), no("Card expired.", status=200)])
def test_a_402_or_a_2xx_with_status_error_is_a_decline_with_its_message(said: HttpResponse) -> None:
    assert Talk(conversation(charge()), said).answer == Refused("Card expired.")


@pytest.mark.parametrize("said", [no(None), no(" \n"), says(402), says(402, b"<html>")])
def test_a_decline_that_gives_no_reason_is_given_one(said: HttpResponse) -> None:
    assert Talk(conversation(charge()), said).answer == Refused("The payment was declined.")


def test_a_message_of_the_provider_is_one_printable_line_of_at_most_500_letters() -> None:
    said = no("\x1b[31mNo\x00\r\n\u202e money\u2028 " + "é" * 600)

    answer = Talk(conversation(charge()), said).answer

    assert answer == Refused(("[31mNo money " + "é" * 600)[:500])


@nonsense
def test_a_charge_whose_answer_settles_nothing_is_unavailable_after_one_try(said: HttpResponse | NoAnswer) -> None:
    talk = Talk(conversation(charge()), said)

    assert isinstance(talk.error, PaymentUnavailable)
    assert talk.asked == ["POST /charges"]


def test_a_404_to_a_charge_itself_settles_nothing() -> None:
    assert isinstance(Talk(conversation(charge()), says(404)).error, PaymentUnavailable)


# ── charge, repeated ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_repeated_charge_first_asks_what_became_of_its_key() -> None:
    talk = Talk(conversation(charge(repeat=True)), ok(charge_id="ch_1"))

    assert talk.asked == ["GET /charges/o1%2Fcharge"]
    assert talk.requests[0].headers["Idempotency-Key"] == "o1/charge"
    assert talk.requests[0].body == b""
    assert talk.answer == Done("ch_1")


@pytest.mark.parametrize("status", [200, 402])
def test_a_repeated_charge_that_was_declined_stays_declined(status: int) -> None:
    talk = Talk(conversation(charge(repeat=True)), no(status=status))

    assert talk.answer == Refused("Card expired.")
    assert len(talk.asked) == 1


def test_a_repeated_charge_that_was_never_seen_is_made_under_the_same_key() -> None:
    talk = Talk(conversation(charge(repeat=True)), says(404), ok(charge_id="ch_1"))

    assert talk.asked == ["GET /charges/o1%2Fcharge", "POST /charges"]
    assert {request.headers["Idempotency-Key"] for request in talk.requests} == {"o1/charge"}
    assert talk.answer == Done("ch_1")


@nonsense
def test_a_repeated_charge_is_not_made_when_the_question_goes_unanswered(said: HttpResponse | NoAnswer) -> None:
    talk = Talk(conversation(charge(repeat=True)), said)

    assert isinstance(talk.error, PaymentUnavailable)
    assert talk.asked == ["GET /charges/o1%2Fcharge"]


def test_a_charge_first_tried_more_than_20_hours_ago_is_asked_about_but_never_made() -> None:
    talk = Talk(conversation(charge(LONG_AGO, repeat=True)), says(404))

    assert isinstance(talk.error, PaymentUnavailable)
    assert talk.asked == ["GET /charges/o1%2Fcharge"]


def test_a_charge_first_tried_20_hours_ago_is_still_made() -> None:
    talk = Talk(conversation(charge(NOW - REPEAT_WITHIN, repeat=True)), says(404), ok(charge_id="ch_1"))

    assert talk.answer == Done("ch_1")


def test_an_old_charge_that_the_provider_remembers_is_settled() -> None:
    assert Talk(conversation(charge(LONG_AGO, repeat=True)), ok(charge_id="ch_1")).answer == Done("ch_1")


# ── a provider that is busy ───────────────────────────────────────────────────────────────────────────────────────


def at(seconds: float) -> str:
    """The HTTP date so many seconds after NOW."""
    return format_datetime(datetime.fromtimestamp(NOW / 1000 + seconds, UTC), usegmt=True)


@pytest.mark.parametrize("status", [429, 503])
def test_a_charge_that_meets_a_busy_provider_waits_looks_and_is_then_made(status: int) -> None:
    talk = Talk(conversation(charge()), says(status, Retry_After="3"), says(404), ok(charge_id="ch_1"))

    assert talk.asked == ["POST /charges", "GET /charges/o1%2Fcharge", "POST /charges"]
    assert [request.pause for request in talk.requests] == [0, 3, 0]
    assert talk.answer == Done("ch_1")


def test_a_busy_answer_to_a_charge_that_was_made_all_the_same_does_not_make_it_twice() -> None:
    talk = Talk(conversation(charge()), says(503, Retry_After="1"), ok(charge_id="ch_1"))

    assert talk.asked == ["POST /charges", "GET /charges/o1%2Fcharge"]
    assert talk.answer == Done("ch_1")


def test_a_refund_that_meets_a_busy_provider_is_sent_again_under_its_key() -> None:
    talk = Talk(conversation(refund()), says(429, Retry_After="2"), ok(refund_id="re_1"))

    assert talk.asked == ["POST /refunds"] * 2
    assert [request.pause for request in talk.requests] == [0, 2]
    assert talk.answer == Refunded("re_1", charged=True, charge_id="ch_1")


@pytest.mark.parametrize(
    "said", ["", "6", "3600", "9" * 40, "-1", "1.5", "soon", "٣", at(60), "Wed, 21 Oct 2015 07:28:00 -9999"]
)
def test_a_wait_that_is_long_or_makes_no_sense_is_left_to_the_workflow(said: str) -> None:
    talk = Talk(conversation(charge()), says(429, Retry_After=said))

    assert isinstance(talk.error, PaymentUnavailable)
    assert talk.asked == ["POST /charges"]


@pytest.mark.parametrize(("said", "seconds"), [(at(4), 4), (at(-60), 0), ("0", 0), (" 5 ", 5)])
def test_a_wait_may_be_a_date(said: str, seconds: float) -> None:
    talk = Talk(conversation(charge()), says(429, Retry_After=said), ok())

    assert talk.requests[1].pause == pytest.approx(seconds, abs=1)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=255)))
def test_no_retry_after_at_all_makes_a_call_wait_longer_than_five_seconds(said: str) -> None:
    talk = Talk(conversation(charge()), says(429, Retry_After=said), ok())

    assert all(0 <= request.pause <= 5 for request in talk.requests)
    assert talk.answer == Done() or isinstance(talk.error, PaymentUnavailable)


def test_only_a_busy_answer_is_asked_when_to_come_back() -> None:
    assert isinstance(Talk(conversation(charge()), says(500, Retry_After="1")).error, PaymentUnavailable)


# ── the token ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_request_bears_the_token_and_none_without_one() -> None:
    script = (says(404), ok(charge_id="ch_1"))

    assert [it.headers["Authorization"] for it in Talk(conversation(charge(repeat=True), "t"), *script).requests] == [
        "Bearer t"
    ] * 2
    assert "Authorization" not in Talk(conversation(charge()), ok()).requests[0].headers


@pytest.mark.parametrize("renewed", ["new", "old"])
def test_a_token_that_is_refused_is_read_again_and_tried_once_more_only_when_it_changed(renewed: str) -> None:
    def secret(refused: str | None = None) -> str:
        return "old" if refused is None else renewed

    talk = Talk(ROUTES[type(charge())].converse[Remote](charge(), NOW, secret), says(401), ok(charge_id="ch_1"))

    borne = [request.headers["Authorization"] for request in talk.requests]
    if renewed == "new":
        assert (borne, talk.answer) == (["Bearer old", "Bearer new"], Done("ch_1"))
    else:
        assert (borne, type(talk.error)) == (["Bearer old"], PaymentUnavailable)


@pytest.mark.parametrize("token", ["two\nlines", "schlüssel", "\x00"])
def test_a_token_that_no_header_can_hold_is_not_sent_and_not_quoted(token: str) -> None:
    talk = Talk(conversation(charge(), token))

    assert isinstance(talk.error, PaymentUnavailable)
    assert talk.requests == []
    assert token not in str(talk.error)


# ── try again ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_decline_says_whether_the_same_may_succeed_later() -> None:
    said = says(402, {"status": "error", "error_message": "Too little money.", "try_again": True})

    assert Talk(conversation(charge()), said).answer == Refused("Too little money.", try_again=True)


# ── refund ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_refund_names_the_charge_by_its_key_and_by_the_providers_id() -> None:
    talk = Talk(conversation(refund()), ok(refund_id="re_1"))

    assert talk.asked == ["POST /refunds"]
    assert talk.requests[0].headers["Idempotency-Key"] == "o1/refund"
    assert talk.body() == {
        "order_id": "o1",
        "charge_key": "o1/charge",
        "charge_id": "ch_1",
        "amount": 850,
        "currency": "USD",
    }
    assert talk.answer == Refunded("re_1", charged=True, charge_id="ch_1")


def test_a_refund_is_repeated_under_its_key_without_asking_however_old_it_is() -> None:
    talk = Talk(conversation(refund(tried_at=LONG_AGO, repeat=True)), ok(refund_id="re_1"))

    assert talk.asked == ["POST /refunds"]
    assert talk.answer == Refunded("re_1", charged=True, charge_id="ch_1")


@pytest.mark.parametrize("said", [*NONSENSE, no(), no(status=200), says(404)], ids=short)
def test_a_refund_is_done_only_when_the_provider_says_so(said: HttpResponse | NoAnswer) -> None:
    talk = Talk(conversation(refund()), said)

    assert isinstance(talk.error, PaymentUnavailable)
    assert len(talk.asked) == 1


def test_after_the_refund_of_an_unknown_charge_the_provider_says_whether_it_had_been_made() -> None:
    talk = Talk(conversation(refund(charge_known=False)), ok(refund_id="re_1"), ok(charge_id="ch_9"))

    assert talk.asked == ["POST /refunds", "GET /charges/o1%2Fcharge"]
    assert talk.answer == Refunded("re_1", charged=True, charge_id="ch_9")


@pytest.mark.parametrize("said", [says(404), no(), no(status=200)])
def test_an_unknown_charge_that_was_never_seen_or_declined_counts_as_not_made(said: HttpResponse) -> None:
    talk = Talk(conversation(refund(charge_known=False)), ok(refund_id="re_1"), said)

    assert talk.answer == Refunded("re_1", charged=False)


@nonsense
def test_a_refund_of_an_unknown_charge_is_not_settled_before_the_charge_is(said: HttpResponse | NoAnswer) -> None:
    talk = Talk(conversation(refund(charge_known=False)), ok(refund_id="re_1"), said)

    assert isinstance(talk.error, PaymentUnavailable)
