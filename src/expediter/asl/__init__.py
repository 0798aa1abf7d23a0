"""The Amazon States Language as AWS Step Functions runs it: a library that does no IO and uses no clock and no
randomness.

    machine = parse(definition)
    execution, commands = advance(machine, new_execution(), Started(at=…, seed=…, input=…))

``protocol`` has the events that go in and the commands that come out. A definition becomes a machine in ``compiler/``;
``steps`` takes in
events and enters one state after another, ``failures`` retries and catches, ``states/`` says what each type of state
does, ``expressions/`` how paths, templates and JSONata read data. ``simulate`` runs a workflow in virtual time,
``run_state`` one state as AWS's TestState does.

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

#: Each name is loaded when it is asked for (PEP 562): who only runs workflows loads neither cases nor TestState.
_MODULES = {
    "cases": "Verdict run_case",
    "compiler.definition": "parse",
    "compiler.placeholders.names": "names_left quoted substitute",
    "errors": "DefinitionInvalid Fault",
    "execution": "Execution new_execution",
    "history": "HistoryEvent",
    "machine": "BRANCHES PROCESSORS Machine all_states inner_machines",
    "mocks": "check_mocks",
    "protocol": "AnyEvent Command End Json Redriven ScheduleTask StartTimer Started Stopped "
    "TaskFailed TaskSucceeded TaskTimedOut TimerFired",
    "simulation": "Simulation Unanswered simulate",
    "steps": "Steps advance fixed_context outstanding replay",
    "teststate.answer": "run_state",
}
_PLACES = {name: module for module, names in _MODULES.items() for name in names.split()}

if not TYPE_CHECKING:  # a type checker sees the imports above, and a misspelt name

    def __getattr__(name: str) -> Any:  # noqa: ANN401 - as the protocol of modules has it
        if name not in _PLACES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = globals()[name] = getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
        return found
