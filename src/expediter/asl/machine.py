"""A machine: a definition after ``parse``, ready to be run any number of times; and where a definition has states."""

from collections.abc import Iterator

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


#: The fields of a state that hold machines: an array in a Parallel, one in a Map (``Iterator`` is its old name).
BRANCHES, PROCESSORS = "Branches", ("ItemProcessor", "Iterator")
#: The fields of every machine, and what the definition itself and the processor of a Map have besides.
MACHINE_FIELDS = ("Comment", "StartAt", "States")
DEFINITION_FIELDS = (*MACHINE_FIELDS, "Version", "TimeoutSeconds", "QueryLanguage")
PROCESSOR_FIELDS = (*MACHINE_FIELDS, "ProcessorConfig")


def inner_machines(state: dict[str, Json]) -> list[dict[str, Json]]:
    """The machines inside a valid Parallel or Map state; of any other state none."""
    return [*state.get(BRANCHES, ()), *(state[field] for field in PROCESSORS if field in state)]


def all_states(machine: dict[str, Json]) -> Iterator[tuple[str, dict[str, Json]]]:
    """Every state of a valid definition with its name, also those inside Parallel and Map states."""
    for name, state in machine["States"].items():
        yield name, state
        for inner in inner_machines(state):
            yield from all_states(inner)
