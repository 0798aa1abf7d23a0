"""The limits of one evaluation of a JSONata expression. They are counted, not timed, so they are the same on every
machine.

A step is the evaluation of one node of the expression, or as much work as a node takes on average. So functions spend
steps for what they read and make, and a regular expression for the text it reads.
"""

import sys
from collections.abc import Callable

from expediter.asl.expressions.jsonata.library import jexception
from expediter.asl.expressions.weights import COMPOSITE, NestedTooDeep, TooLarge, Weights
from expediter.asl.protocol import Json
from expediter.asl.texts import PAYLOAD_LIMIT

#: Steps of one evaluation; docs/decisions/0034 says how long they take.
STEPS = 10_000
#: Steps of all evaluations for one event: of a Map with many items, or a chain of states that never waits.
EVENT_STEPS = 100_000
#: Steps between two moments at which an evaluation may be interrupted: some 3 ms.
TURN = 1_000
#: Expressions inside expressions that are being evaluated at one time: a function that calls itself some seventy times.
DEPTH = 300
#: Bytes of JSON of a value, intermediate ones included: those of a state's output.
SIZE = PAYLOAD_LIMIT
#: Characters of one expression, which is read when its definition is loaded.
LENGTH = 32_768

#: Nodes of a value, and characters of a text, that are looked at in the time of one step.
NODES, CHARACTERS = 8, 512


#: Python's own limit while an expression is read or evaluated: DEPTH is reached before it, whatever called.
RECURSION = 10_000


class _Recursion:
    """Raises Python's limit of recursion inside ``with``. The process has its own again when the last block ends."""

    def __init__(self) -> None:
        self.blocks = 0
        self.before = 0

    def __enter__(self) -> None:
        if not self.blocks:
            self.before = sys.getrecursionlimit()
            sys.setrecursionlimit(max(self.before, RECURSION))
        self.blocks += 1

    def __exit__(self, *_: object) -> None:
        self.blocks -= 1
        if not self.blocks:
            sys.setrecursionlimit(self.before)


recursion = _Recursion()


class LimitExceeded(jexception.JException):  # type: ignore[misc]  # the library ships no types
    """An evaluation went beyond a limit. ``reason`` is a sentence."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(code, 0)
        self.args = (reason,)


class Meter:
    """Counts what one evaluation uses. ``pause`` is called every TURN steps."""

    __slots__ = ("_pause", "_weights", "steps", "turn")

    def __init__(self, pause: Callable[[], None]) -> None:
        self.steps = 0
        #: The steps at which ``check`` is to be called.
        self.turn = TURN
        self._pause = pause
        self._weights = Weights(SIZE)

    def spend(self, steps: int) -> None:
        """Raises LimitExceeded."""
        self.steps += steps
        if self.steps > self.turn:
            self.check()

    def check(self) -> None:
        """Raises LimitExceeded."""
        if self.steps > STEPS:
            raise LimitExceeded("D1012", f"The evaluation takes more than {STEPS} steps. Check for infinite recursion.")
        self.turn = min(self.steps + TURN, STEPS)
        self._pause()

    def weigh(self, value: Json) -> None:
        """Spends what it takes to read all of a value. Raises LimitExceeded, also when the value is too large."""
        if isinstance(value, COMPOSITE):
            try:
                weight = self._weights.of(value)
                self.spend(weight.nodes // NODES + weight.size // CHARACTERS)
            except TooLarge:
                raise too_large() from None
            except NestedTooDeep:
                raise LimitExceeded("D1011", "A value is nested too deep.") from None
        elif isinstance(value, str):
            if len(value) > SIZE:
                raise too_large()
            self.spend(len(value) // CHARACTERS)

    def forget(self) -> None:
        """A value that was weighed has changed."""
        self._weights.forget()


def refused(reason: str) -> LimitExceeded:
    """A function refuses its arguments, because they could take long."""
    return LimitExceeded("D3137", reason)


def too_deep() -> LimitExceeded:
    return LimitExceeded("D1011", f"Expressions are evaluated inside each other more than {DEPTH} deep.")


def too_large() -> LimitExceeded:
    return LimitExceeded("D2014", f"A value has more than {SIZE} bytes.")
