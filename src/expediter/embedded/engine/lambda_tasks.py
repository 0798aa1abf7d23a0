"""The Resources that run a task of ours as a Lambda function (``lambda:invoke``)."""

from collections.abc import Callable, Mapping

from expediter.app.ports import Outcome, TaskPorts
from expediter.app.tasks.calls import Answer
from expediter.app.tasks.order import perform
from expediter.asl.protocol import AnyEvent, ScheduleTask, TaskSucceeded
from expediter.embedded.clock import SEEDS
from expediter.embedded.engine.aws_services import INVOKE, INVOKE_AND_WAIT, PerformTask, envelope, invocation
from expediter.embedded.engine.pending_calls import PendingCall
from expediter.embedded.engine.ports import StoredExecution
from expediter.embedded.engine.task_tokens import TokenWait


class LambdaTasks:
    """``dispatch``: has a call made once the unit of work is durable."""

    def __init__(self, wait: TokenWait, dispatch: Callable[[PendingCall], None]) -> None:
        self._wait = wait
        self._dispatch = dispatch
        self.resources: Mapping[str, PerformTask] = {
            INVOKE: self.invoke,
            INVOKE_AND_WAIT: self.invoke_and_wait,
        }

    def invoke(
        self, work: TaskPorts, execution: StoredExecution, task: ScheduleTask, answer: Answer | None, repeat: bool
    ) -> AnyEvent | None:
        """``lambda:invoke``: the output is in Lambda's envelope. Raises ServiceFailure and what the task raises."""
        outcome = self._invoked(work, execution, task, answer, repeat)
        return outcome and TaskSucceeded(work.now, next(SEEDS), task.task, envelope(outcome.output))

    def invoke_and_wait(
        self, work: TaskPorts, execution: StoredExecution, task: ScheduleTask, answer: Answer | None, repeat: bool
    ) -> AnyEvent | None:
        """``lambda:invoke.waitForTaskToken``: only the token ends the task. Raises as ``invoke``."""
        if answer is None and not repeat:
            self._wait.begin(execution.no, task, work.now)
        if self._invoked(work, execution, task, answer, repeat):
            self._wait.called(execution.no, task)
        return None

    def _invoked(
        self, work: TaskPorts, execution: StoredExecution, task: ScheduleTask, answer: Answer | None, repeat: bool
    ) -> Outcome | None:
        name, given = invocation(task)
        result = perform(work, name, given, answer, repeat)
        if isinstance(result, Outcome):
            return result
        self._dispatch(PendingCall(execution.no, task, result))
        return None
