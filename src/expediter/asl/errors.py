"""The errors, by who handles them.

DefinitionInvalid   the definition itself: raised by parse(), with every fault found
StateFailure        a state of a running execution failed: never leaves the core; leads to Retry, Catch or FAILED
PathMissing         a path selects nothing; the field that holds the path turns it into a StateFailure
"""

import msgspec

from expediter.asl.protocol import Json

RUNTIME = "States.Runtime"
QUERY = "States.QueryEvaluationError"
TIMEOUT = "States.Timeout"
DATA_LIMIT = "States.DataLimitExceeded"
INTRINSIC = "States.IntrinsicFailure"


class Fault(msgspec.Struct, frozen=True):
    """One thing wrong with a definition.

    ``path`` names the place as ``States.ProcessPayment.Retry[0].ErrorEquals`` ("" is the definition itself).
    ``severity`` is ``error`` (AWS rejects it, or it cannot run), ``warning`` (it runs, but probably not as
    intended) or ``note`` (good to know).
    """

    path: str
    message: str
    severity: str = "error"
    code: str = "SCHEMA_VALIDATION_FAILED"

    def __str__(self) -> str:
        return f"{self.path or 'definition'}: {self.message}"


class DefinitionInvalid(ValueError):
    """The definition cannot run; ``faults`` holds every error found, and the warnings beside them."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        self.faults = faults
        super().__init__("; ".join(str(fault) for fault in faults if fault.severity == "error"))


class StateFailure(Exception):
    """A state failed with an ASL error name and cause. Retry and Catch do not handle a ``fatal`` one.

    ``located`` asks for AWS's prefix, "An error occurred while executing the state '…' (entered at the event id #…)".
    ``field`` is the field of a JSONata expression that failed.
    """

    def __init__(
        self,
        error: str | None,
        cause: str | None = None,
        *,
        fatal: bool = False,
        located: bool = False,
        field: str | None = None,
    ) -> None:
        super().__init__(error, cause)
        self.error = error
        self.cause = cause
        self.fatal = fatal
        self.located = located
        self.field = field
        #: Whether its own history event has been written.
        self.recorded = False

    def output(self) -> dict[str, Json]:
        """The error output that Catch passes on."""
        # A task that ran out of time has no cause; the output of Catch has an empty one.
        return {"Error": self.error, "Cause": "" if self.error == TIMEOUT and self.cause is None else self.cause}


def runtime_failure(message: str) -> StateFailure:
    """A StateFailure named States.Runtime, which neither Retry nor Catch handles."""
    return StateFailure(RUNTIME, message, fatal=True, located=True)


def query_failure(message: str, field: str | None = None) -> StateFailure:
    """A States.QueryEvaluationError at a field of the state being executed."""
    return StateFailure(QUERY, message, located=True, field=field)


class PathMissing(Exception):
    """A definite path selects nothing. The text says where, in Jayway's words."""


class PathInvalid(ValueError):
    """A path or intrinsic function call that cannot be compiled."""
