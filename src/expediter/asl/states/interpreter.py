"""What a state needs of the interpreter that runs it: ``run.Run`` is the one that there is.

A state numbers its tasks and timers, emits commands, writes history, and opens and closes the branches and iterations
inside it. Everything else of a run is none of its business.
"""

from typing import Protocol

from expediter.asl.execution import Frame
from expediter.asl.expressions.scope import Scope
from expediter.asl.history import HistoryEvent
from expediter.asl.protocol import Command, Json


class Interpreter(Scope, Protocol):
    """One execution while events are taken in. It is also the scope of the expressions of the frame looked at."""

    #: The source of all randomness of this event, and how often it was asked.
    seed: int
    draws: int
    #: What the caller of ``advance`` is to do.
    commands: list[Command]
    #: History events so far, and where they are written if anyone reads.
    events: int
    history: list[HistoryEvent] | None
    #: Task, timer and frame numbers given out so far.
    numbers: int
    frames: dict[int, Frame]

    def number(self) -> int:
        """The next task, timer or frame number of this execution, from 1."""
        ...

    def note(self, frame: Frame, kind: str, details: dict[str, Json]) -> None:
        """Count a history event of this frame, and write it if anyone reads."""
        ...

    def start_timer(self, frame: Frame, due: int) -> None:
        """Resume this frame at ``due``, in milliseconds since 1970 UTC."""
        ...

    def look(self, frame: Frame) -> None:
        """Make this the frame whose variables and context expressions see, and whose history events are counted."""
        ...

    def open(self, frame: Frame) -> Frame:
        """Take in a new frame."""
        ...

    def enter(self, frame: Frame, state: str) -> None:
        """Let this frame enter a state, by its name, once the event at hand is dealt with."""
        ...

    def ended(self, frame: Frame) -> None:
        """The frame is at its end, with its output as its input."""
        ...

    def close(self, frame: Frame) -> None:
        """Drop every frame inside this one: what they wait for no longer counts."""
        ...

    def execution_id(self) -> str:
        """The ARN that the context object gives the execution; empty where it gives none."""
        ...
