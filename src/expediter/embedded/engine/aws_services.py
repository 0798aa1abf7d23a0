"""The services of AWS that a workflow may call here. ``lambda:invoke`` runs a task of ours, and
``states:startExecution`` runs another state machine.

With ``.waitForTaskToken`` the output of the task is dropped, and the state ends when its token comes back.
Source: https://docs.aws.amazon.com/step-functions/latest/dg/connect-lambda.html
"""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import NamedTuple, TypeAlias

from expediter.app.ports import TaskPorts
from expediter.app.tasks.calls import Answer
from expediter.app.tasks.order import TASKS
from expediter.asl.protocol import AnyEvent, Json, ScheduleTask
from expediter.embedded.engine.ports import StoredExecution

INVOKE = "arn:aws:states:::lambda:invoke"
INVOKE_AND_WAIT = f"{INVOKE}.waitForTaskToken"

START = "arn:aws:states:::states:startExecution"
START_AND_WAIT = f"{START}.waitForTaskToken"
#: The task ends when the execution that it starts does; True: its output comes as JSON, not as text.
SYNC = {f"{START}.sync": False, f"{START}.sync:2": True}

STARTS = frozenset({START, START_AND_WAIT, *SYNC})
#: The Resources of tasks that end later than their call: a token or another execution ends them.
AWAITED = frozenset({INVOKE_AND_WAIT, START_AND_WAIT, *SYNC})
#: The services' Resources that this home answers; every other Resource is a task's name.
SERVICES = AWAITED | {INVOKE, START}

#: Performs a task until it needs a call. Given: the answer of the call that it asked for, and whether an earlier try
#: may have gone out. Result: the event that ends the task; None while it waits for a call, a token or another
#: execution.
PerformTask: TypeAlias = Callable[[TaskPorts, StoredExecution, ScheduleTask, Answer | None, bool], AnyEvent | None]


class ServiceFailure(Exception):
    """The failure that AWS's service would answer with: its error name and the cause."""

    def __init__(self, name: str, cause: str) -> None:
        super().__init__(cause)
        self.name = name


class Invocation(NamedTuple):
    """A task of ours by its name, and its input."""

    name: str
    input: Json


def unknown(resources: AbstractSet[str]) -> frozenset[str]:
    """The Resources that this home cannot answer."""
    return frozenset(resources) - TASKS.keys() - SERVICES


def invocation(task: ScheduleTask) -> Invocation:
    """The task of ours that a call to Lambda is for. Raises ServiceFailure when it names none."""
    given = task.input if isinstance(task.input, dict) else {}
    name = name_in(given.get("FunctionName"))
    if name not in TASKS:
        known = ", ".join(TASKS)
        raise ServiceFailure("Lambda.ResourceNotFoundException", f"Function not found: {name}. There are: {known}.")
    return Invocation(name, given.get("Payload", {}))


def name_in(given: Json) -> str:
    """Returns ``ProcessPayment`` for that name, for an ARN that ends in it, and for both with an alias behind them."""
    parts = str(given).split(":")
    return parts[6] if parts[0] == "arn" and len(parts) > 6 else parts[0]


def envelope(output: Json) -> Json:
    """A task's output as ``lambda:invoke`` gives it."""
    return {"ExecutedVersion": "$LATEST", "Payload": output, "StatusCode": 200, **METADATA}


#: AWS's SDK adds this to every answer. Its headers are left out, because they are different each time.
METADATA: dict[str, Json] = {
    "SdkHttpMetadata": {"AllHttpHeaders": {}, "HttpHeaders": {}, "HttpStatusCode": 200},
    "SdkResponseMetadata": {"RequestId": ""},
}
