"""An execution's history, state by state: input, output, tries, errors, and the transitions taken."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from expediter.asl.protocol import Json

#: Where the way begins and ends.
START, END = "__start__", "__end__"


class Error(NamedTuple):
    at: int
    name: str
    cause: str


class VisitedState(NamedTuple):
    """One state as it was last visited. Times in milliseconds since 1970 UTC; ``left_at`` None: it stands there.

    ``outcome``: done, current, or failed (its last try failed, or it is a Fail state).
    """

    name: str
    kind: str
    entered_at: int
    left_at: int | None
    input: Json
    output: Json
    tries: int
    errors: tuple[Error, ...]
    visits: int
    outcome: str


class Way(NamedTuple):
    """Every state visited, in the order of its last visit, and the transitions taken."""

    steps: tuple[VisitedState, ...]
    taken: frozenset[tuple[str, str]]


class _Visit:
    """A state's visit while the history is read."""

    def __init__(self, name: str, event: dict[str, Any], visits: int) -> None:
        self.name = name
        self.kind = event["type"].removesuffix("StateEntered")
        self.entered_at: int = event["at"]
        self.left_at: int | None = None
        self.input = event["details"].get("input")
        self.output: Json = None
        self.tries = 0
        self.errors: list[Error] = []
        self.failing = False
        self.visits = visits

    def step(self, over: bool) -> VisitedState:
        failed = self.failing and (self.left_at is not None or over)
        current = self.left_at is None and not over
        outcome = "failed" if failed or (over and self.left_at is None) else "current" if current else "done"
        return VisitedState(
            self.name,
            self.kind,
            self.entered_at,
            self.left_at,
            self.input,
            self.output,
            self.tries,
            tuple(self.errors),
            self.visits,
            outcome,
        )


def way(events: Iterable[dict[str, Any]]) -> Way:
    """The way that a history (events as ``operations.timeline`` gives them) took."""
    visits: dict[str, _Visit] = {}
    state_of: dict[int, str] = {0: START}
    taken: set[tuple[str, str]] = set()
    over = False
    for event in events:
        kind: str = event["type"]
        name = event["details"].get("name") if "State" in kind else None
        here = name or state_of.get(event["previous"], START)
        if kind.endswith("StateEntered"):
            taken.add((state_of.get(event["previous"], START), here))
            visits[here] = _Visit(here, event, visits.pop(here).visits + 1 if here in visits else 1)
        elif here in visits:
            _note(visits[here], kind, event)
        over = kind.startswith("Execution") and kind not in {"ExecutionStarted", "ExecutionRedriven"}
        if kind == "ExecutionSucceeded":
            taken.add((here, END))
        state_of[event["id"]] = here if kind != "ExecutionRedriven" else START
    return Way(tuple(visit.step(over) for visit in visits.values()), frozenset(taken))


def _note(visit: _Visit, kind: str, event: dict[str, Any]) -> None:
    details = event["details"]
    if kind.endswith("StateExited"):
        visit.left_at, visit.output = event["at"], details.get("output")
    elif kind.endswith("Scheduled"):
        visit.tries += 1
    elif kind.endswith("Succeeded") and not kind.startswith("Execution"):
        visit.failing = False
    elif kind.endswith(("Failed", "TimedOut")) and not kind.startswith("Execution"):
        visit.failing = True
        name = details.get("error") or ("States.Timeout" if kind.endswith("TimedOut") else kind)
        visit.errors.append(Error(event["at"], name, details.get("cause") or ""))
