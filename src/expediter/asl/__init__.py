"""The Amazon States Language as AWS Step Functions runs it: a library that does no IO and uses no clock and no
randomness.

    machine = parse(definition)
    execution, commands = advance(machine, new_execution(), Started(at=…, seed=…, input=…))

``protocol`` has the events that go in and the commands that come out. ``compiler/`` makes a machine of a definition.
``steps`` takes in events and enters one state after another. ``failures`` retries and catches. ``states/`` has the
types of states, ``expressions/`` has paths, templates and JSONata. ``simulate`` runs a workflow in virtual time.
``run_state`` runs one state as AWS's TestState does.

Import names from here. ``protocol`` may also be imported on its own, because Lambda functions contain nothing else of
it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from expediter.asl.cases import Verdict, run_case
    from expediter.asl.compiler.definition import parse
    from expediter.asl.compiler.placeholders.names import names_left, quoted, substitute
    from expediter.asl.errors import DefinitionInvalid, Fault
    from expediter.asl.execution import Execution, new_execution
    from expediter.asl.history import HistoryEvent
    from expediter.asl.machine import BRANCHES, PROCESSORS, Machine, all_states, inner_machines
    from expediter.asl.mocks import check_mocks
    from expediter.asl.protocol import (
        AnyEvent,
        Command,
        End,
        Json,
        Redriven,
        ScheduleTask,
        Started,
        StartTimer,
        Stopped,
        TaskFailed,
        TaskSucceeded,
        TaskTimedOut,
        TimerFired,
    )
    from expediter.asl.simulation import Simulation, Unanswered, simulate
    from expediter.asl.steps import Steps, advance, fixed_context, outstanding, replay
    from expediter.asl.teststate.answer import run_state

__all__ = [
    "BRANCHES",
    "PROCESSORS",
    "AnyEvent",
    "Command",
    "DefinitionInvalid",
    "End",
    "Execution",
    "Fault",
    "HistoryEvent",
    "Json",
    "Machine",
    "Redriven",
    "ScheduleTask",
    "Simulation",
    "StartTimer",
    "Started",
    "Steps",
    "Stopped",
    "TaskFailed",
    "TaskSucceeded",
    "TaskTimedOut",
    "TimerFired",
    "Unanswered",
    "Verdict",
    "advance",
    "all_states",
    "check_mocks",
    "fixed_context",
    "inner_machines",
    "names_left",
    "new_execution",
    "outstanding",
    "parse",
    "quoted",
    "replay",
    "run_case",
    "run_state",
    "simulate",
    "substitute",
]

#: The modules that define these names. They are searched in this order and loaded on the way (PEP 562). So a program
#: that only runs workflows loads neither cases nor TestState.
_MODULES = (
    "protocol",
    "errors",
    "execution",
    "history",
    "machine",
    "compiler.placeholders.names",
    "compiler.definition",
    "steps",
    "mocks",
    "simulation",
    "cases",
    "teststate.answer",
)

if not TYPE_CHECKING:  # a type checker sees the imports above, and a misspelt name

    def __getattr__(name: str) -> Any:  # noqa: ANN401 - as the protocol of modules has it
        for place in _MODULES if name in __all__ else ():
            module = import_module(f"{__name__}.{place}")
            if hasattr(module, name):
                found = globals()[name] = getattr(module, name)
                return found
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
