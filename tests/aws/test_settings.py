"""The settings of a function are checked before it does anything, and a change of them breaks no promise."""

import json
from typing import Any
from uuid import uuid4

import pytest

from expediter.aws.settings import SettingRefused, from_environment
from tests.aws.stage import Functions


def test_a_currency_that_left_the_list_is_refused_with_the_list_s_date() -> None:
    with pytest.raises(SettingRefused, match=r"EXPEDITER_CURRENCY=BGN is not on ISO 4217's list of 2026-01-01"):
        from_environment({"EXPEDITER_CURRENCY": "BGN"})


def test_a_setting_that_is_no_number_is_refused() -> None:
    with pytest.raises(SettingRefused, match="EXPEDITER_HOLD_SECONDS"):
        from_environment({"EXPEDITER_HOLD_SECONDS": "soon"})


LATER = {"EXPEDITER_DEFAULT_PRICE": "2000", "EXPEDITER_CURRENCY": "JPY", "EXPEDITER_HOLD_SECONDS": "99"}
#: The tasks of an order's way, each of which is run under the later settings once.
WAY = ("InitializeOrder", "ProcessPayment", "SendOrderToRestaurant", "CompleteOrder")


def started(functions: Functions) -> Any:
    client, machine = functions.adapters.stepfunctions, functions.adapters.machine
    (execution,) = client.list_executions(stateMachineArn=machine)["executions"]
    return json.loads(client.describe_execution(executionArn=execution["executionArn"])["input"])


def test_an_order_that_waits_on_the_queue_keeps_its_price_and_hold(functions: Functions) -> None:
    wanted = {"name": "Burger", "quantity": 3, "restaurantId": "Restaurant 4"}
    told = functions.graphql("Mutation.postOrder", input=wanted)["value"]
    functions.settings(**LATER)
    with functions.adapters.unit() as work:
        (message,) = work.queue.receive(1, 0)
    functions.call("Intake", {"Records": [functions.message(message.body, **message.attributes)]})

    taken = started(functions)
    assert (told["total"], told["currency"], taken["hold_seconds"]) == (3000, "USD", 30)
    assert (taken["order"]["items"][0]["unit_price"], taken["order"]["currency"]) == (1000, "USD")


@pytest.mark.parametrize("changed_before", WAY)
def test_an_order_keeps_its_price_whatever_the_settings_are_at_its_next_task(
    functions: Functions, changed_before: str
) -> None:
    order_id = str(uuid4())
    for name in WAY:
        if name == changed_before:
            functions.settings(**LATER)
        functions.call(name, functions.order(order_id))

    (entry,) = functions.scan("ledger")
    assert (entry["amount"]["N"], entry["currency"]["S"]) == ("3000", "USD")


@pytest.mark.parametrize("changed_before", ["OweRefund", "RefundPayment", "CancelFailedOrder"])
def test_a_refund_is_what_was_charged_whatever_the_settings_are(functions: Functions, changed_before: str) -> None:
    order_id = str(uuid4())
    for name in ("InitializeOrder", "ProcessPayment", "OweRefund", "RefundPayment", "CancelFailedOrder"):
        if name == changed_before:
            functions.settings(**LATER)
        functions.call(name, functions.order(order_id))

    moved = {(entry["kind"]["S"], entry["amount"]["N"], entry["currency"]["S"]) for entry in functions.scan("ledger")}
    assert moved == {("charge", "3000", "USD"), ("refund", "3000", "USD")}
