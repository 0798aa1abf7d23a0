"""Retry and Catch: what a failed state does next.

Source: "Error handling" of the Amazon States Language. ``States.ALL`` matches every error that a state may
handle (all but ``StateFailure.fatal``). ``States.TaskFailed`` matches every error except ``States.Timeout``.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from expediter.asl.errors import TIMEOUT, StateFailure
from expediter.asl.execution import Frame
from expediter.asl.expressions.scope import Scope
from expediter.asl.protocol import Json

#: From the scope, the frame and the failure to the output and the variables assigned.
CatchOutput: TypeAlias = Callable[[Scope, Frame, StateFailure], tuple[Json, dict[str, Json] | None]]


def matches(errors: tuple[str, ...], error: str | None) -> bool:
    """Whether an ErrorEquals list names the error. Names match exactly; a failure without a name only States.ALL."""
    if "States.ALL" in errors or error in errors:
        return True
    return "States.TaskFailed" in errors and error != TIMEOUT


class Retrier(NamedTuple):
    """One entry of Retry; times in seconds."""

    errors: tuple[str, ...]
    interval: float = 1
    attempts: int = 3
    backoff: float = 2.0
    max_delay: float | None = None
    jitter: bool = False

    def delay(self, done: int, fraction: float) -> int:
        """Milliseconds to wait before retry ``done + 1``; full jitter takes a random part of it."""
        try:
            seconds = self.interval * self.backoff**done
        except OverflowError:
            seconds = float("inf")
        if self.max_delay is not None:
            seconds = min(seconds, self.max_delay)
        seconds = min(seconds, _LONGEST)
        return int(seconds * 1000 * (fraction if self.jitter else 1))


#: AWS's longest Wait and longest execution: one year.
_LONGEST = 31_622_400


class Catcher(NamedTuple):
    """One entry of Catch."""

    errors: tuple[str, ...]
    target: str
    output: CatchOutput


class ErrorHandlers(NamedTuple):
    """Retry and Catch of one state."""

    retriers: tuple[Retrier, ...] = ()
    catchers: tuple[Catcher, ...] = ()


def next_retry(handlers: ErrorHandlers, scope: Scope, frame: Frame, failure: StateFailure) -> int | None:
    """Count one more try and return its time (milliseconds since 1970 UTC); None when no retry is left.

    The first retrier that names the error decides. When it has no retry left, a later one does not take over.
    """
    for place, retrier in enumerate(handlers.retriers):
        if not matches(retrier.errors, failure.error):
            continue
        counts = frame.retries or [0] * len(handlers.retriers)
        done = counts[place]
        if done >= retrier.attempts:
            return None
        frame.retries = [*counts[:place], done + 1, *counts[place + 1 :]]
        frame.attempt += 1
        return scope.at + retrier.delay(done, scope.draw().fraction(""))
    return None


def catcher_of(handlers: ErrorHandlers, failure: StateFailure) -> Catcher | None:
    return next((catcher for catcher in handlers.catchers if matches(catcher.errors, failure.error)), None)
