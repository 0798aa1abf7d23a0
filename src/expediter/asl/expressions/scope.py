"""What paths, intrinsic functions and expressions can read besides the value that they are given."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from expediter.asl.protocol import Json


class Draw(NamedTuple):
    """The source of randomness: ``fraction(salt)`` is evenly spread over [0, 1), and equal for equal salt and event."""

    fraction: Callable[[str], float]
    uuid: Callable[[], str]


class Scope(Protocol):
    """What one frame of an execution can read while one event is taken in."""

    #: Milliseconds since 1970 UTC.
    at: int
    #: Steps of JSONata that were spent on this event: the evaluations of one event have a limit together.
    spent: int

    def pause(self) -> None:
        """Called before work that may take some milliseconds: the caller may do other things first."""
        ...

    def context(self) -> dict[str, Json]:
        """The context object (``$$``)."""
        ...

    def variable(self, name: str) -> Json:
        """A variable's value; raises PathMissing."""
        ...

    def variables(self) -> dict[str, Json]:
        """All variables that the frame sees."""
        ...

    def draw(self) -> Draw:
        """Random values derived from the event's seed."""
        ...
