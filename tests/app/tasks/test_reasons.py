"""Why an order failed, in words for its customer."""

import pytest

from expediter.app.tasks.reasons import CANCELLED, reason
from expediter.asl.protocol import Json
from tests.support.clock import NOON
from tests.support.values import an_order


def test_the_customers_own_wish_comes_first() -> None:
    order = an_order(cancel_requested_at=NOON, error_message="declined")

    assert reason(order, {"error": {"Error": "PaymentUnavailable"}}) == CANCELLED


def test_what_a_provider_said_comes_before_what_the_workflow_caught() -> None:
    assert reason(an_order(error_message="declined"), {"error": {"Error": "PaymentUnavailable"}}) == "declined"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("PaymentUnavailable", "The payment could not be confirmed."),
        ("RestaurantUnavailable", "The restaurant could not be reached."),
        ("StoreUnavailable", "The order could not be read or written."),
        ("States.Timeout", "The order could not be completed (States.Timeout)."),
    ],
)
def test_an_error_that_the_workflow_caught_is_put_into_words_without_its_cause(name: str, said: str) -> None:
    assert reason(an_order(), {"error": {"Error": name, "Cause": "Traceback: secrets"}}) == said


@pytest.mark.parametrize("state", [None, {}, [], "text", {"error": None}, {"error": "x"}, {"error": {"Error": None}}])
def test_a_state_that_holds_no_error_still_gives_a_sentence(state: Json) -> None:
    assert reason(an_order(), state) == "The order could not be completed (no reason given)."
