"""A machine: a definition after ``parse``, ready to be run any number of times."""

import msgspec

from expediter.asl.errors import Fault
from expediter.asl.protocol import Json
from expediter.asl.states.state import State


class Machine(msgspec.Struct, frozen=True):
    """A compiled definition. It holds no execution and never changes."""

    start: str
    states: dict[str, State]
    resources: frozenset[str]
    warnings: tuple[Fault, ...]
    #: State -> the variables it reads (DescribeStateMachine's variableReferences).
    variables: dict[str, list[str]]
    keeps_input: bool
    timeout_seconds: int | None
    definition: dict[str, Json]
