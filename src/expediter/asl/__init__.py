"""The Amazon States Language as AWS Step Functions runs it: a library without input or output, clock or chance.

    machine = parse(definition)
    execution, commands = advance(machine, new_execution(), Started(at=…, seed=…, input=…))

See ``protocol`` for what goes in and what comes out, ``machine`` for how.
"""

from expediter.asl.errors import DefinitionInvalid, Fault
from expediter.asl.execution import Execution, new_execution
from expediter.asl.history import HistoryEvent
from expediter.asl.machine import Machine, Steps, advance, outstanding, parse, replay
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
    fixed_context,
)
from expediter.asl.simulate import Simulation, simulate

__all__ = [
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
    "advance",
    "fixed_context",
    "new_execution",
    "outstanding",
    "parse",
    "replay",
    "simulate",
]
