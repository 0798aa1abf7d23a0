"""What a state needs of the interpreter that runs it. ``run.Run`` implements it.

A state numbers its tasks and timers, emits commands, records history events, and adds and removes the frames of its
branches and iterations. It needs nothing else of a run.
"""

from typing import Protocol

from expediter.asl.execution import Frame
from expediter.asl.expressions.scope import Scope
from expediter.asl.history import HistoryEvent
from expediter.asl.protocol import Command, Json


class Interpreter(Scope, Protocol):
    """One execution while events are taken in. It is also the scope of the expressions of the selected frame."""

    #: The source of all randomness of this event, and how often it was asked.
    seed: int
    draws: int
    #: What the caller of ``advance`` is to do.
    commands: list[Command]
    #: History events so far, and where they are appended; None where no history is kept.
    events: int
    history: list[HistoryEvent] | None
    #: Task, timer and frame numbers given out so far.
    numbers: int
    frames: dict[int, Frame]
    #: The frame that has just ended, if one has. Its output is in ``frame.input``.
    ended: Frame | None

    def number(self) -> int:
        """The next task, timer or frame number of this execution, from 1."""
        ...

    def record(self, frame: Frame, kind: str, details: dict[str, Json]) -> None:
        """Count a history event of this frame, and append it to ``history`` if that is kept."""
        ...

    def start_timer(self, frame: Frame, due: int) -> None:
        """Resume this frame at ``due``, in milliseconds since 1970 UTC."""
        ...

    def select(self, frame: Frame) -> None:
        """Select the frame whose variables and context expressions see and whose history events are counted."""
        ...

    def add_frame(self, frame: Frame) -> Frame:
        """Add a new frame to the execution."""
        ...

    def enter(self, frame: Frame, state: str) -> None:
        """Queue this frame to enter a state, given by its name."""
        ...

    def close_children(self, frame: Frame) -> None:
        """Remove all frames inside this one. Answers to what they waited for change nothing any more."""
        ...

    def execution_id(self) -> str:
        """The ARN that the context object gives the execution; empty where it gives none."""
        ...
