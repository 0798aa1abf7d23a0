"""What the runbook does with a failed workflow on AWS: a second execution with the first one's input.

Step Functions' own redrive would enter the Fail state again. So every task has to find on the row what was done.
"""

import json
from typing import Any
from uuid import uuid4

import pytest

from expediter import contracts
from expediter.asl import (
    ScheduleTask,
    Started,
    StartTimer,
    TaskSucceeded,
    TimerFired,
    advance,
    new_execution,
    parse,
    substitute,
)
from expediter.aws.functions.table import TASK_FUNCTIONS
from expediter.domain.errors import PaymentUnavailable
from expediter.domain.order import EffectKind
from tests.aws.stage import Functions

MACHINE = parse(substitute(json.loads(contracts.read("order.asl.json")), {name: name for name in TASK_FUNCTIONS}))
PAID = ["InitializeOrder", "ProcessPayment"]
HANDED_OVER = [*PAID, "SendOrderToRestaurant"]
NOBODY = "http://127.0.0.1:9"


def walk(functions: Functions, given: Any) -> list[str]:
    """Runs the whole workflow with the real functions; the tasks in their order."""
    called = []
    execution, commands = advance(MACHINE, new_execution(), Started(at=1, seed=1, input=given))
    while execution.status == "RUNNING":
        (command,) = commands
        if isinstance(command, ScheduleTask):
            called.append(command.resource)
            output = functions.call(command.resource, command.input)
            event: Any = TaskSucceeded(at=2, seed=2, task=command.task, output=output)
        else:
            assert isinstance(command, StartTimer)
            event = TimerFired(at=command.at, seed=3, timer=command.timer)
        execution, commands = advance(MACHINE, execution, event)
    assert execution.status == "SUCCEEDED"
    return called


def begun(functions: Functions, *names: str) -> Any:
    """An order whose first execution came as far as these tasks; its input."""
    given = functions.order(str(uuid4()))
    for name in names:
        functions.call(name, given)
    return given


def ended(functions: Functions, given: Any) -> tuple[str, list[str]]:
    """The order's status, and its ledger."""
    found = functions.adapters.work().orders.find(given["order"]["id"])
    assert found is not None
    return found.status, [entry.kind.value for entry in functions.adapters.work().orders.entries(found.id)]


def test_an_order_that_was_not_saved_begins_anew(functions: Functions) -> None:
    given = begun(functions)
    walk(functions, given)
    assert ended(functions, given) == ("SUCCESS", ["charge"])


def test_an_order_that_only_had_to_be_completed_is_completed_and_charged_once(functions: Functions) -> None:
    given = begun(functions, *HANDED_OVER)
    assert walk(functions, given)[-1] == "CompleteOrder"
    assert ended(functions, given) == ("SUCCESS", ["charge"])


@pytest.mark.parametrize("last", [["OweRefund"], ["OweRefund", "RefundPayment"]], ids=["owed", "given back"])
def test_a_refused_order_whose_money_is_owed_or_was_given_back_ends_failed(
    functions: Functions, last: list[str]
) -> None:
    functions.settings(EXPEDITER_RESTAURANT="simulated:decline=1")
    given = begun(functions, *HANDED_OVER, *last)
    functions.settings(EXPEDITER_RESTAURANT="simulated")
    assert walk(functions, given)[-1] == "CancelFailedOrder"
    assert ended(functions, given) == ("FAILED", ["charge", "refund"])


@pytest.mark.parametrize("last", [["OweRefund"], ["OweRefund", "RefundPayment", "CancelFailedOrder"]])
def test_an_order_that_was_given_up_before_the_restaurant_is_never_handed_over(
    functions: Functions, last: list[str]
) -> None:
    given = begun(functions, *PAID, *last)
    walk(functions, given)
    assert ended(functions, given) == ("FAILED", ["charge", "refund"])
    found = functions.adapters.work().orders.find(given["order"]["id"])
    assert found is not None
    assert EffectKind.RESTAURANT not in found.effects


def test_an_order_whose_handover_was_withdrawn_is_not_taken_for_handed_over(functions: Functions) -> None:
    given = begun(functions, *HANDED_OVER, "OweRefund")
    walk(functions, given)
    assert ended(functions, given) == ("FAILED", ["charge", "refund"])


def test_an_order_whose_charge_stayed_unknown_keeps_no_money(functions: Functions) -> None:
    functions.settings(EXPEDITER_PAYMENTS=NOBODY)
    given = begun(functions, "InitializeOrder")
    with pytest.raises(PaymentUnavailable):
        functions.call("ProcessPayment", given)
    functions.call("OweRefund", given)
    functions.settings(EXPEDITER_PAYMENTS="simulated")
    walk(functions, given)
    status, ledger = ended(functions, given)
    assert (status, ledger.count("charge")) == ("FAILED", ledger.count("refund"))
