"""Events of payment providers on AWS: from API Gateway's mapping template to the order, over moto."""

import json
from typing import Any
from urllib.parse import parse_qs

import msgspec
import pytest
from botocore.stub import Stubber

from expediter.app.payments.events import OURSELVES, refund_asked
from expediter.app.payments.signature import signature
from expediter.app.ports import Outcome
from expediter.aws import clients, wiring
from expediter.aws.provider_events import UNKNOWN
from expediter.aws.stores import refunds
from expediter.domain.order import AwaitedPayment, Effect, EffectKind, Order, Result, Status
from infra.api.openapi import event_template
from infra.compute.functions import TIMEOUT
from tests.aws.local.gateway import Call
from tests.aws.stage import OLGA, Functions
from tests.support.clock import NOON
from tests.support.values import ID, an_order

NOW = 1_790_000_000_000


def stripe(type: str = "payment_intent.succeeded", id: str = "evt_1") -> str:
    return json.dumps({"id": id, "type": type, "data": {"object": {"metadata": {"order_id": ID}}}})


@pytest.fixture
def signed(functions: Functions) -> Functions:
    """With the secrets ``old`` and ``new``, and the queues of events."""
    dead = functions.adapters.sqs.create_queue(QueueName="dead-events")["QueueUrl"]
    made = functions.adapters.session.client("secretsmanager").create_secret(Name="events", SecretString="old, new")
    functions.settings(
        EXPEDITER_EVENTS_TABLE="events",
        EXPEDITER_EVENTS_URL=functions.adapters.queue_url,
        EXPEDITER_DEAD_EVENTS_URL=dead,
        EXPEDITER_EVENT_SECRETS=made["ARN"],
        EXPEDITER_STAGE="dev",
    )
    return functions


def sent(functions: Functions, body: str, secret: str = "new", header: str = "Stripe-Signature", age: int = 0) -> Any:
    """The answer of the function to a request as API Gateway puts it on the queue."""
    at = NOW // 1000 - age
    headers = {header: f"t={at},v1={signature(body.encode(), secret, at)}"}
    text = Call(body, headers, {}, "request", received_at=NOW).render(event_template("stripe"))
    form = {name: value for name, (value,) in parse_qs(text, strict_parsing=True).items()}
    assert form["MessageBody"] == body
    places = [name.split(".")[1] for name in form if name.endswith(".Name")]
    named = {form[f"MessageAttribute.{it}.Name"]: form[f"MessageAttribute.{it}.Value.StringValue"] for it in places}
    return functions.call("Events", {"Records": [functions.message(form["MessageBody"].encode(), **named)]})


def waiting(token: str | None = None) -> Order:
    order = an_order(effects={EffectKind.CHARGE: Effect(NOON, reference="pi_1")})
    return msgspec.structs.replace(order, awaited_payment=AwaitedPayment("secret", task_token=token))


def stored(order: Order) -> None:
    wiring.work().orders.apply(None, Outcome(order))


def news() -> bool:
    order = wiring.work().orders.find(ID)
    assert order is not None
    assert isinstance(order.awaited_payment, AwaitedPayment)
    return order.awaited_payment.news


@pytest.mark.parametrize("secret", ["old", "new"])
@pytest.mark.parametrize("header", ["Stripe-Signature", "stripe-signature"])
def test_an_event_is_news_of_the_payment_of_its_order(signed: Functions, secret: str, header: str) -> None:
    stored(waiting())

    assert sent(signed, stripe(), secret, header) == {"batchItemFailures": []}
    assert news()
    (row,) = signed.scan("events")
    assert (row["id"]["S"], row["outcome"]["S"]) == ("stripe#evt_1", "acted")


def test_an_event_ends_the_task_that_waits_and_does_so_once(signed: Functions) -> None:
    stored(waiting("token-1"))
    with Stubber(clients.stepfunctions()) as states:
        states.add_response("send_task_success", {}, {"taskToken": "token-1", "output": "{}"})
        for _ in range(3):
            assert sent(signed, stripe()) == {"batchItemFailures": []}
        states.assert_no_pending_responses()
    assert not news()


def test_news_for_a_task_that_has_ended_are_left_for_the_one_that_follows(signed: Functions) -> None:
    stored(waiting("token-1"))
    with Stubber(clients.stepfunctions()) as states:
        states.add_client_error("send_task_success", "TaskTimedOut")
        sent(signed, stripe())
    assert news()


@pytest.mark.parametrize("wrong", [{"secret": "another"}, {"age": 301}, {"header": "Another"}])
def test_an_event_that_is_not_signed_as_it_has_to_be_is_dropped(signed: Functions, wrong: dict[str, Any]) -> None:
    stored(waiting())

    assert sent(signed, stripe(), **wrong) == {"batchItemFailures": []}
    assert not news()
    assert signed.scan("events") == []


def test_an_event_from_which_nothing_follows_is_kept_and_counted(
    signed: Functions, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sent(signed, stripe("radar.early_fraud_warning.created")) == {"batchItemFailures": []}

    (row,) = signed.scan("events")
    assert (row["type"]["S"], row["outcome"]["S"]) == ("radar.early_fraud_warning.created", "unknown")
    assert json.loads(capsys.readouterr().out)[UNKNOWN] == 1


def test_what_cannot_be_read_is_given_back_and_ends_as_a_dead_event(signed: Functions) -> None:
    for _ in range(3):
        assert len(sent(signed, "no json")["batchItemFailures"]) == 1
    assert signed.scan("events") == []


# ── refunds in part ───────────────────────────────────────────────────────────────────────────────────────────────


def paid() -> Order:
    return an_order(effects={EffectKind.CHARGE: Effect(NOON, Result.DONE, "ch_1")}, status=Status.SUCCESS)


def asked(functions: Functions, key: str = "r-1", amount: int = 1200) -> Any:
    body = json.dumps({"amount": amount, "reason": "It was cold."})
    headers = {"Content-Type": "application/json", "Idempotency-Key": key}
    return functions.rest("POST", f"/orders/{ID}/refunds", OLGA, "operators-finance", body=body, headers=headers)


def delivered(functions: Functions, url: str) -> list[Any]:
    """The answers of the function to what is on the queue of events."""
    got = functions.adapters.sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
    ).get("Messages", [])
    named = [(it["Body"].encode(), it["MessageAttributes"]["provider"]["StringValue"]) for it in got]
    return [functions.call("Events", {"Records": [functions.message(it, provider=by)]}) for it, by in named]


def test_a_refund_in_part_is_made_by_the_function_of_events_and_once(
    signed: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refunds, "DELAY", 0)
    url = signed.adapters.events_url
    signed.settings(EXPEDITER_EVENTS_URL=url)
    stored(paid())

    for _ in range(2):
        assert asked(signed)["statusCode"] == 202
    assert asked(signed, amount=1)["statusCode"] == 422
    assert asked(signed, key="r-2", amount=1801)["statusCode"] == 409
    assert delivered(signed, url) == [{"batchItemFailures": []}] * 2

    order = wiring.work().orders.find(ID)
    assert order is not None
    assert [(it.amount, it.status) for it in order.refunds or ()] == [(1200, "done")]
    assert [(row["kind"]["S"], row["amount"]["N"]) for row in signed.scan("ledger")] == [("refund", "1200")]


def test_a_message_about_a_refund_that_the_order_does_not_have_has_no_effect(signed: Functions) -> None:
    stored(paid())
    message = signed.message(refund_asked(ID, f"{ID}/refund/r1"), provider=OURSELVES)

    assert signed.call("Events", {"Records": [message]}) == {"batchItemFailures": []}
    assert signed.scan("ledger") == []


def test_the_message_about_a_refund_comes_after_the_function_that_sent_it_has_ended() -> None:
    assert refunds.DELAY > TIMEOUT
