"""What paths, intrinsic functions and expressions can see besides the value at hand."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from expediter.asl.protocol import Json


class Draw(NamedTuple):
    """Where chance comes from: ``fraction(salt)`` is evenly spread over [0, 1), equal for equal salt and event."""

    fraction: Callable[[str], float]
    uuid: Callable[[], str]


class Scope(Protocol):
    """One line of an execution, at the time of one event."""

    #: Milliseconds since 1970 UTC.
    at: int

    def context(self) -> dict[str, Json]:
        """The context object (``$$``)."""
        ...

    def variable(self, name: str) -> Json:
        """A variable's value; raises PathMissing."""
        ...

    def variables(self) -> dict[str, Json]:
        """All variables in sight."""
        ...

    def draw(self) -> Draw:
        """Chance that follows from the event's seed."""
        ...
