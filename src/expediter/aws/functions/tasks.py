"""One function per task of the workflow. An exception's class name is the error's name in Step Functions."""

from collections.abc import Callable
from functools import partial

from expediter.app.ports import Outcome
from expediter.app.tasks.order import ORDER_TASKS, perform
from expediter.asl.protocol import Json
from expediter.aws import clock, wiring


def run(name: str, given: Json) -> Json:
    """Performs the task and makes its calls. Raises OrderError.

    The order's row says that a call was tried before the call is made. So a repeat of this function asks about it
    first.
    """
    result = perform(wiring.work(), name, given)
    while not isinstance(result, Outcome):
        answer = wiring.gateways().call(result, clock.now())
        result = perform(wiring.work(), name, given, answer)
    return result.output


def __getattr__(name: str) -> Callable[[Json, object], Json]:
    """The handler of a task: Lambda looks it up in this module by the task's name."""
    if name not in ORDER_TASKS:
        raise AttributeError(name)
    return partial(_handle, name)


def _handle(name: str, event: Json, _: object) -> Json:
    return run(name, event)
