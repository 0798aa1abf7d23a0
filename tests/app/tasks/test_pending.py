"""A charge that waits for its customer: what the tasks make of it."""

import msgspec
import pytest

from expediter.app.tasks.calls import Charge, Done, Pending, Refused
from expediter.domain.errors import PaymentNotAwaited
from expediter.domain.order import AwaitedPayment, Effect, EffectKind, Order, Status
from tests.app.contexts import LATER, UNKNOWN, order, request, settle
from tests.support.clock import NOON

SHOWN = Pending("pi_1", client_secret="secret")
WAITING = Effect(NOON, reference="pi_1")


def waiting(news: bool = False, cancel: bool = False, token: str | None = None) -> Order:
    awaited = AwaitedPayment("secret", task_token=token, news=news)
    status = Status.REFUND_PENDING if cancel else Status.PENDING
    return msgspec.structs.replace(order(status, cancel=cancel, charge=WAITING), awaited_payment=awaited)


def test_a_pending_charge_is_waited_for_so_long_as_the_settings_say_from_its_first_try() -> None:
    outcome = settle("ProcessPayment", order(charge=UNKNOWN), SHOWN)

    assert (outcome.order.status, outcome.order.awaited_payment) == (Status.PENDING, AwaitedPayment("secret"))
    assert outcome.order.effects[EffectKind.CHARGE] == WAITING
    assert (outcome.entries, outcome.again) == ((), False)
    assert outcome.output == {"status": "pending", "wait_seconds": 895}


def test_the_customer_is_told_and_nobody_else_and_never_how_to_pay() -> None:
    on = msgspec.structs.replace(order(charge=UNKNOWN), email="ann@example.com")
    (mail,) = settle("ProcessPayment", on, SHOWN).mails

    assert (mail.recipient, mail.status) == ("ann@example.com", Status.PENDING)
    assert "secret" not in mail.text
    assert settle("ProcessPayment", on, Pending("pi_1", wait_seconds=86_400)).mails == ()


def test_a_provider_may_say_that_a_bank_takes_days() -> None:
    outcome = settle("ProcessPayment", order(charge=UNKNOWN), Pending("pi_1", wait_seconds=86_400))

    assert outcome.output["wait_seconds"] == 86_395


def test_a_pending_charge_is_asked_about_by_the_providers_id_and_never_made_again() -> None:
    call = request("ProcessPayment", waiting())

    assert isinstance(call, Charge)
    assert call.charge_id == "pi_1"


def test_news_that_came_before_the_answer_has_the_provider_asked_again() -> None:
    outcome = settle("ProcessPayment", waiting(news=True), SHOWN)

    assert outcome.again
    assert outcome.order.awaited_payment == AwaitedPayment("secret")


@pytest.mark.parametrize("answer", [Done("pi_1"), Refused("No.")])
def test_a_payment_that_is_settled_is_not_awaited_any_more(answer: Done | Refused) -> None:
    outcome = settle("ProcessPayment", waiting(news=True), answer)

    assert outcome.order.awaited_payment is msgspec.UNSET
    assert not outcome.again


@pytest.mark.parametrize("cancel", [False, True])
def test_a_payment_that_took_too_long_or_whose_order_was_cancelled_is_overdue(cancel: bool) -> None:
    answer = SHOWN if cancel else Pending("pi_1", wait_seconds=(LATER - NOON) // 1000)
    outcome = settle("ProcessPayment", waiting(cancel=cancel), answer)

    assert outcome.output["status"] == "overdue"
    assert outcome.order.awaited_payment is msgspec.UNSET
    assert outcome.order.owes_refund


def test_the_task_that_waits_leaves_its_token_on_the_order() -> None:
    outcome = settle("AwaitPayment", waiting(), task_token="t-1")

    assert outcome.order.awaited_payment == AwaitedPayment("secret", task_token="t-1")


@pytest.mark.parametrize("on", [waiting(news=True), waiting(cancel=True), order(charge=UNKNOWN)])
def test_the_task_does_not_wait_for_what_is_known(on: Order) -> None:
    with pytest.raises(PaymentNotAwaited):
        settle("AwaitPayment", on, task_token="t-1")
