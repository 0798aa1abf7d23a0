"""What is said to Stripe, and what its answers mean; the contract itself is held over localstripe (tests/ports)."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from expediter.app.gateways import FIND, ROUTES, Conversation, HttpResponse, NoAnswer, Stripe
from expediter.app.gateways.stripe.messages import VERSION
from expediter.app.tasks.calls import (
    AnyCall,
    Charge,
    Done,
    NeverSeen,
    Refund,
    Refunded,
    Refused,
)
from expediter.domain.errors import PaymentUnavailable
from tests.app.gateways import talk
from tests.app.gateways.talk import LONG_AGO, NOW, SILENCE, Talk, says, short

ASK = "GET /v1/payment_intents/search?query=metadata%5B%27charge_key%27%5D%3A%27o1%2Fcharge%27"
PAY, BACK = "POST /v1/payment_intents", "POST /v1/refunds"
LIST = "GET /v1/refunds?payment_intent=pi_1&limit=100"


def charge(tried_at: int = NOW, repeat: bool = False, **fields: Any) -> Charge:
    return msgspec.structs.replace(talk.charge(tried_at, repeat), **{"payment_method": "pm_1", **fields})


def refund(**fields: Any) -> Refund:
    return msgspec.structs.replace(talk.refund(charge_id="pi_1"), **fields)


def conversation(call: AnyCall) -> Conversation:
    return ROUTES[type(call)].converse[Stripe](call, NOW, lambda refused=None: "sk_test_1")


def intent(status: str = "succeeded", **fields: object) -> HttpResponse:
    return says(200, {"id": "pi_1", "status": status, **fields})


def found(*statuses: str) -> HttpResponse:
    return says(200, {"data": [{"id": f"pi_{number}", "status": it} for number, it in enumerate(statuses, 1)]})


def failed(status: int = 402, type: str = "card_error", **fields: object) -> HttpResponse:
    return says(status, {"error": {"type": type, **fields}})


def form(held: Talk, number: int = 0) -> dict[str, str]:
    return {name: value[0] for name, value in parse_qs(held.requests[number].body.decode()).items()}


#: Answers that settle nothing, whatever was asked.
NONSENSE = [
    says(500),
    failed(500, "api_error"),
    says(200),
    says(200, b"<html>"),
    says(200, {"status": "succeeded"}),
    intent("requires_capture"),
    intent("brand_new"),
    failed(409, "idempotency_error"),
    failed(409, "invalid_request_error", code="idempotency_key_in_use"),
    failed(400, "idempotency_error"),
    failed(429, "invalid_request_error", code="lock_timeout"),
    failed(403, "invalid_request_error"),
    failed(402, "brand_new"),
    says(402),
    SILENCE,
]
nonsense = pytest.mark.parametrize("said", NONSENSE, ids=short)

# ── charge ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_charge_is_one_request_that_creates_and_confirms_under_our_key() -> None:
    held = Talk(conversation(charge()), intent())

    assert held.asked == [PAY]
    assert held.answer == Done("pi_1")
    assert form(held) == {
        "amount": "850",
        "currency": "usd",
        "payment_method_types[]": "card",
        "metadata[order_id]": "o1",
        "metadata[charge_key]": "o1/charge",
        "payment_method": "pm_1",
        "confirm": "true",
    }
    headers = held.requests[0].headers
    assert (headers["Idempotency-Key"], headers["Stripe-Version"]) == ("o1/charge", VERSION)
    assert headers["Authorization"] == "Bearer sk_test_1"


def test_a_declined_card_is_explained_in_stripes_words_for_customers() -> None:
    said = failed(code="card_declined", decline_code="insufficient_funds", message="Your card has insufficient funds.")

    assert Talk(conversation(charge()), said).answer == Refused("Your card has insufficient funds.", try_again=True)


@pytest.mark.parametrize("code", ["lost_card", "do_not_honor", "authentication_required"])
def test_a_decline_for_good_is_not_to_be_tried_again(code: str) -> None:
    assert Talk(conversation(charge()), failed(decline_code=code, message="No.")).answer == Refused("No.")


@pytest.mark.parametrize("status", [400, 404])
def test_a_request_that_stripe_refuses_is_a_decline_whose_words_for_developers_are_kept_back(status: int) -> None:
    said = failed(status, "invalid_request_error", code="resource_missing", message="No such PaymentMethod: 'pm_1'")

    assert Talk(conversation(charge()), said).answer == Refused("The payment could not be made (resource_missing).")


@nonsense
def test_a_charge_whose_answer_settles_nothing_is_unavailable_after_one_try(said: HttpResponse | NoAnswer) -> None:
    held = Talk(conversation(charge()), said)

    assert isinstance(held.error, PaymentUnavailable)
    assert held.asked == [PAY]


def test_an_order_that_names_no_payment_method_is_declined_and_nothing_is_asked() -> None:
    held = Talk(conversation(charge(payment_method=None)))

    assert (held.answer, held.asked) == (Refused("The order names no payment method."), [])


@pytest.mark.parametrize(
    ("amount", "currency"), [(49, "USD"), (1499, "CZK"), (851, "MGA"), (1001, "KWD"), (1005, "IQD")]
)
def test_an_amount_that_stripe_does_not_take_is_declined_and_nothing_is_asked(amount: int, currency: str) -> None:
    held = Talk(conversation(charge(amount=amount, currency=currency)))

    assert isinstance(held.answer, Refused)
    assert held.asked == []


def test_a_repeated_charge_is_looked_for_first_and_then_sent_under_the_same_key() -> None:
    held = Talk(conversation(charge(repeat=True)), found(), intent())

    assert held.asked == [ASK, PAY]
    assert held.requests[1].headers["Idempotency-Key"] == "o1/charge"
    assert held.answer == Done("pi_1")


@pytest.mark.parametrize(
    ("states", "answer"),
    [
        (("succeeded",), Done("pi_1")),
        (("canceled", "succeeded"), Done("pi_2")),
        (("requires_payment_method",), Refused("The payment was declined.")),
        (("canceled",), Refused("The payment was declined.")),
    ],
)
def test_a_repeated_charge_that_is_found_is_not_sent_again(states: tuple[str, ...], answer: Done | Refused) -> None:
    held = Talk(conversation(charge(repeat=True)), found(*states))

    assert (held.answer, held.asked) == (answer, [ASK])


def test_a_stored_500_is_never_taken_for_an_answer() -> None:
    """Stripe repeats a 500 under its key for a day, though the money may have been taken."""
    held = Talk(conversation(charge(repeat=True)), found(), failed(500, "api_error"))

    assert isinstance(held.error, PaymentUnavailable)


def test_after_20_hours_only_what_the_search_says_counts() -> None:
    assert Talk(conversation(charge(LONG_AGO, repeat=True)), found("succeeded")).answer == Done("pi_1")
    late = Talk(conversation(charge(LONG_AGO, repeat=True)), found())
    assert isinstance(late.error, PaymentUnavailable)
    assert late.asked == [ASK]


@pytest.mark.parametrize("said", [says(500), says(200), failed(400, "invalid_request_error"), SILENCE], ids=short)
def test_a_repeated_charge_is_not_sent_when_the_question_goes_unanswered(said: HttpResponse | NoAnswer) -> None:
    held = Talk(conversation(charge(repeat=True)), said)

    assert isinstance(held.error, PaymentUnavailable)
    assert held.asked == [ASK]


def test_a_key_can_be_asked_about_alone() -> None:
    def asked(said: HttpResponse) -> object:
        return Talk(FIND[Stripe]("o1/charge", lambda refused=None: "sk_test_1"), said).answer  # type: ignore[arg-type] # any

    assert asked(found()) == NeverSeen()
    assert asked(found("succeeded")) == Done("pi_1")


# ── refund ────────────────────────────────────────────────────────────────────────────────────────────────────────


def back(status: str = "succeeded", key: str = "o1/refund", amount: int = 850) -> dict[str, object]:
    return {"id": "re_1", "status": status, "amount": amount, "currency": "usd", "metadata": {"refund_key": key}}


def test_a_refund_names_the_payment_its_amount_and_our_key() -> None:
    held = Talk(conversation(refund()), says(200, back()))

    assert held.asked == [BACK]
    assert form(held) == {
        "payment_intent": "pi_1",
        "amount": "850",
        "metadata[order_id]": "o1",
        "metadata[refund_key]": "o1/refund",
    }
    assert held.requests[0].headers["Idempotency-Key"] == "o1/refund"
    assert held.answer == Refunded("re_1", charged=True, charge_id="pi_1")


def test_a_repeated_refund_is_looked_for_first() -> None:
    held = Talk(conversation(refund(repeat=True)), says(200, {"data": [back("pending")]}))

    assert (held.asked, held.answer) == ([LIST], Refunded("re_1", charged=True, charge_id="pi_1"))


def test_a_refund_that_failed_is_made_again_under_another_key() -> None:
    held = Talk(conversation(refund(repeat=True)), says(200, {"data": [back("failed")]}), says(200, back()))

    assert held.asked == [LIST, BACK]
    assert held.requests[1].headers["Idempotency-Key"] == "o1/refund/2"


def test_another_refund_of_the_same_payment_is_not_taken_for_ours() -> None:
    other = {"data": [back(key="o1/another")]}

    assert Talk(conversation(refund(repeat=True)), says(200, other), says(200, back())).asked == [LIST, BACK]


def test_money_that_somebody_gave_back_by_hand_is_back() -> None:
    refused = failed(400, "invalid_request_error", code="charge_already_refunded")
    held = Talk(conversation(refund()), refused, says(200, {"data": [back(key="")]}))

    assert (held.asked, held.answer) == ([BACK, LIST], Refunded("re_1", charged=True, charge_id="pi_1"))


@pytest.mark.parametrize("said", [*NONSENSE, says(200, back("failed")), says(200, back("canceled"))], ids=short)
def test_a_refund_is_done_only_when_stripe_says_so(said: HttpResponse | NoAnswer) -> None:
    assert isinstance(Talk(conversation(refund()), said).error, PaymentUnavailable)


def test_another_amount_that_somebody_gave_back_by_hand_settles_nothing() -> None:
    refused = failed(400, "invalid_request_error", code="charge_already_refunded")
    held = Talk(conversation(refund()), refused, says(200, {"data": [back(key="", amount=500)]}))

    assert isinstance(held.error, PaymentUnavailable)


PART = msgspec.structs.replace(refund(repeat=True), key="o1/refund/r1", amount=300, part=True)


def test_a_refund_in_part_is_looked_for_first_and_names_its_own_amount_and_key() -> None:
    held = Talk(conversation(PART), says(200, {"data": [back()]}), says(200, back(key="o1/refund/r1", amount=300)))

    assert held.asked == [LIST, BACK]
    assert (form(held, 1)["amount"], form(held, 1)["metadata[refund_key]"]) == ("300", "o1/refund/r1")
    assert held.requests[1].headers["Idempotency-Key"] == "o1/refund/r1"
    assert held.answer == Refunded("re_1", charged=True, charge_id="pi_1")


@pytest.mark.parametrize(
    "said",
    [
        failed(400, "invalid_request_error", code="charge_already_refunded"),
        failed(400, "invalid_request_error"),
        says(200, back("failed")),
    ],
    ids=short,
)
def test_a_refund_in_part_that_stripe_does_not_make_is_refused(said: HttpResponse) -> None:
    assert isinstance(Talk(conversation(PART), says(200, {"data": []}), said).answer, Refused)


def test_a_refund_of_the_rest_has_its_amount_in_its_key_because_the_rest_may_change() -> None:
    held = Talk(conversation(msgspec.structs.replace(refund(), amount=600, rest=True)), says(200, back(amount=600)))

    assert held.requests[0].headers["Idempotency-Key"] == "o1/refund/600"
    assert form(held)["metadata[refund_key]"] == "o1/refund"


UNKNOWN = refund(charge_known=False, charge_id=None)


def test_an_unknown_charge_that_was_made_is_given_back() -> None:
    held = Talk(conversation(UNKNOWN), found("succeeded"), says(200, back()))

    assert (held.asked, held.answer) == ([ASK, BACK], Refunded("re_1", charged=True, charge_id="pi_1"))


def test_the_key_of_a_charge_that_is_not_found_is_taken_so_that_it_cannot_be_made_later() -> None:
    held = Talk(conversation(UNKNOWN), found(), intent("requires_payment_method"), intent("canceled"))

    assert held.asked == [ASK, PAY, "POST /v1/payment_intents/pi_1/cancel"]
    assert held.requests[1].headers["Idempotency-Key"] == "o1/charge"
    assert "confirm" not in form(held, 1)
    assert held.answer == Refunded(None, charged=False)


def test_a_charge_that_arrived_and_is_not_found_yet_leaves_the_refund_open() -> None:
    held = Talk(conversation(UNKNOWN), found(), failed(400, "idempotency_error"))

    assert isinstance(held.error, PaymentUnavailable)


@pytest.mark.parametrize("state", ["requires_payment_method", "requires_confirmation", "requires_action"])
def test_a_payment_that_is_still_open_is_cancelled(state: str) -> None:
    held = Talk(conversation(UNKNOWN), found(state), intent("canceled"))

    assert (held.asked[1:], held.answer) == (
        ["POST /v1/payment_intents/pi_1/cancel"],
        Refunded(None, charged=False),
    )


def test_a_payment_that_stripe_is_still_working_on_leaves_the_refund_open() -> None:
    assert isinstance(Talk(conversation(UNKNOWN), found("processing")).error, PaymentUnavailable)


def test_the_query_reaches_stripe_as_it_was_written() -> None:
    assert parse_qs(urlsplit(ASK.removeprefix("GET ")).query) == {"query": ["metadata['charge_key']:'o1/charge'"]}
