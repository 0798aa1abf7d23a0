"""Checks of the graph of states: a state that is never entered, and states from which no end is reached."""

from collections.abc import Iterable, Mapping

from expediter.asl.compiler.reader import Reader
from expediter.asl.states.state import State


def check_level(scope: Reader, states: Mapping[str, State], start: str | None) -> None:
    """Report states that are never entered, and a missing end. Warn of states that lead to no end.

    AWS refuses the first two when a workflow is created.
    """
    ahead = {name: [target for target in state.targets() if target in states] for name, state in states.items()}
    if anywhere := sorted(scope.notes.stand_ins & states.keys()):
        ahead.update({name: [anywhere[0]] for name in anywhere})
        ahead[anywhere[0]] = list(states)
    if start is not None and start in states:
        for name in states.keys() - closure(ahead, [start]):
            scope.refuse(f"States.{name}", f'State "{name}" is not reachable.', "MISSING_TRANSITION_TARGET")
    behind: dict[str, list[str]] = {name: [] for name in states}
    for name, targets in ahead.items():
        for target in targets:
            behind[target].append(name)
    ends = [name for name, state in states.items() if state.can_end()]
    if states and not ends:
        scope.refuse(
            "", "There is no terminal state: no state has End, and none is a Succeed or a Fail", "MISSING_END_STATE"
        )
        return
    for name in states.keys() - closure(behind, ends):
        scope.warn(f"States.{name}", "No way leads from here to an end", "NO_WAY_TO_AN_END")


def closure(edges: Mapping[str, Iterable[str]], start: Iterable[str]) -> set[str]:
    """All names that can be reached from ``start``, with ``start``."""
    reached: set[str] = set()
    waiting = list(start)
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting.extend(edges[name])
    return reached
