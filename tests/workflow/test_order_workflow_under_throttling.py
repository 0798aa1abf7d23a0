"""What AWS calls normal gives no order up: throttled functions and tables are waited for, for hours, beside the retries
that a provider's failure has."""

import json
from typing import Any

import pytest

from expediter import contracts
from expediter.asl import (
    Command,
    Execution,
    ScheduleTask,
    Started,
    StartTimer,
    TaskFailed,
    TaskSucceeded,
    TimerFired,
    advance,
    new_execution,
    parse,
    substitute,
)
from expediter.domain.errors import PaymentUnavailable, StoreUnavailable

DEFINITION = json.loads(contracts.read("order.asl.json"))
TASKS = [name for name, state in DEFINITION["States"].items() if state["Type"] == "Task"]
MACHINE = parse(substitute(DEFINITION, {name: name for name in TASKS}))
#: What Step Functions says when Lambda does not run a function, and our functions when DynamoDB does not answer.
#: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
PASSING = [
    "Lambda.TooManyRequestsException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.ClientExecutionTimeoutException",
    StoreUnavailable.__name__,
]
HOUR = 3600 * 1000
ANSWERS: dict[str, Any] = {
    "ProcessPayment": {"status": "ok"},
    "SendOrderToRestaurant": {"status": "ok"},
}
#: What makes an order come to a task that is not on the way of one that succeeds.
DETOURS: dict[str, dict[str, Any]] = {
    "AwaitPayment": {"ProcessPayment": {"status": "pending", "wait_seconds": 24 * 3600}},
    "OweRefund": {"SendOrderToRestaurant": {"status": "error"}},
    "RefundPayment": {"SendOrderToRestaurant": {"status": "error"}},
    "CancelFailedOrder": {"SendOrderToRestaurant": {"status": "error"}},
}


class Walk:
    """An execution in virtual time."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self._answers = ANSWERS | answers
        self.now = 0
        self.execution: Execution = new_execution()
        self.command: Command | None = None
        self._go(Started(at=0, seed=1, input={"order": {}, "hold_seconds": 0}))

    def _go(self, event: Any) -> None:
        self.execution, commands = advance(MACHINE, self.execution, event)
        self.command = commands[0] if commands else None

    def to_task(self) -> str | None:
        """Lets the time pass until a task is called; its name, or None when the execution has ended."""
        while isinstance(self.command, StartTimer):
            self.now = max(self.now, self.command.at)
            self._go(TimerFired(at=self.now, seed=self.now, timer=self.command.timer))
        return called(self.command) if isinstance(self.command, ScheduleTask) else None

    def succeed(self) -> None:
        assert isinstance(self.command, ScheduleTask)
        output = self._answers.get(called(self.command), {})
        if called(self.command) == "AwaitPayment":
            self._answers["ProcessPayment"] = {"status": "ok"}
        self._go(TaskSucceeded(at=self.now, seed=self.now, task=self.command.task, output=output))

    def fail(self, error: str) -> None:
        assert isinstance(self.command, ScheduleTask)
        self._go(TaskFailed(at=self.now, seed=self.now, task=self.command.task, error=error))


def called(command: ScheduleTask) -> str:
    """The task of ours that is called."""
    return command.input["FunctionName"] if command.resource.endswith(".waitForTaskToken") else command.resource


def come_to(task: str) -> Walk:
    walk = Walk(DETOURS.get(task, {}))
    while walk.to_task() != task:
        walk.succeed()
    return walk


@pytest.mark.parametrize("error", PASSING)
@pytest.mark.parametrize("task", TASKS)
def test_three_hours_of_throttling_give_no_order_up(task: str, error: str) -> None:
    walk = come_to(task)
    begun = walk.now
    while walk.now - begun < 3 * HOUR:
        assert walk.to_task() == task
        walk.fail(error)
    while walk.to_task():
        walk.succeed()
    assert walk.execution.status == "SUCCEEDED"


def test_an_hour_of_throttling_takes_no_try_from_those_of_a_silent_provider() -> None:
    walk = come_to("ProcessPayment")
    while walk.now < HOUR:
        walk.to_task()
        walk.fail(StoreUnavailable.__name__)
    asked = 0
    while walk.to_task() == "ProcessPayment":
        walk.fail(PaymentUnavailable.__name__)
        asked += 1
    assert (asked, walk.to_task()) == (6, "OweRefund")


def test_the_first_tries_come_within_seconds() -> None:
    walk = come_to("CompleteOrder")
    for _ in range(4):
        walk.to_task()
        walk.fail("Lambda.TooManyRequestsException")
    walk.to_task()
    assert walk.now <= 2 * (1 + 2 + 4 + 8) * 1000
