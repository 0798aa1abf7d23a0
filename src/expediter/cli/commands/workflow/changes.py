"""What differs between two definitions, as those see it who have orders on the older one."""

from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

from expediter.asl import BRANCHES, PROCESSORS, all_states, inner_machines, parse

#: Fields of a state that hold other states, and those that only say where it leads or what it is for.
_INNER = ("States", *PROCESSORS, BRANCHES)
_ASIDE = ("Comment", "Next", "Default")


class Changes(NamedTuple):
    """``changed``: a state in both -> its fields that differ. ``renamed``: a state that is gone -> the new one that
    does the same. ``retyped``: states whose type is another. ``moved``: a state in both that is in another Map or
    Parallel -> the name of the one it was in and of the one it is in ("" is none). ``machine``: fields of the
    definition itself that differ.
    """

    machine: tuple[str, ...]
    gone: tuple[str, ...]
    new: tuple[str, ...]
    changed: dict[str, tuple[str, ...]]
    renamed: dict[str, str]
    retyped: tuple[str, ...]
    moved: dict[str, tuple[str, str]]
    tasks_gone: tuple[str, ...]
    tasks_new: tuple[str, ...]

    def stranding(self, state: str) -> str | None:
        """Why an order in this state could not go on in the new definition; None where it could."""
        if state in self.retyped:
            return "of another type"
        if state in self.moved:
            return self.move(state)
        if state in self.gone:
            return f"gone; {self.renamed[state]} does the same" if state in self.renamed else "gone"
        return None

    def move(self, state: str) -> str:
        """Where a state went, in words."""
        before, after = self.moved[state]
        if not after:
            return f"moved out of {before}"
        return f"moved from {before} into {after}" if before else f"moved into {after}"


def changes(old: dict[str, Any], new: dict[str, Any]) -> Changes:
    """What is gone, new and changed; both definitions are valid."""
    old_machine, new_machine = parse(old, accepted=True), parse(new)
    before, after = dict(all_states(old_machine.definition)), dict(all_states(new_machine.definition))
    was_in, is_in = dict(_around(old_machine.definition)), dict(_around(new_machine.definition))
    both = [name for name in before if name in after]
    differing = {name: _fields(before[name], after[name]) for name in both}
    gone = tuple(name for name in before if name not in after)
    added = tuple(name for name in after if name not in before)
    old_tasks, new_tasks = old_machine.resources, new_machine.resources
    here = {(name, place): before[name] for name, place in was_in.items() if name in gone}
    there = {(name, place): after[name] for name, place in is_in.items() if name in added}
    return Changes(
        _fields(old, new),
        gone,
        added,
        {name: fields for name, fields in differing.items() if fields},
        _renamed(here, there),
        tuple(name for name in both if before[name]["Type"] != after[name]["Type"]),
        {name: (was_in[name], is_in[name]) for name in both if was_in[name] != is_in[name]},
        tuple(sorted(old_tasks - new_tasks)),
        tuple(sorted(new_tasks - old_tasks)),
    )


def _around(machine: dict[str, Any], place: str = "") -> Iterator[tuple[str, str]]:
    """The name of every state, with that of the Map or Parallel that it is in ("" at the top)."""
    for name, spec in machine["States"].items():
        yield name, place
        for inner in inner_machines(spec):
            yield from _around(inner, name)


def _own(spec: dict[str, Any]) -> dict[str, Any]:
    """The fields of a state or machine without the states inside it; of the machines inside, what is theirs alone."""
    own = {field: value for field, value in spec.items() if field not in _INNER}
    for field in PROCESSORS:
        if field in spec:
            own.update({f"{field}.{name}": value for name, value in _own(spec[field]).items()})
    if BRANCHES in spec:
        own[BRANCHES] = [_own(branch) for branch in spec[BRANCHES]]
    return own


def _fields(before: dict[str, Any], after: dict[str, Any]) -> tuple[str, ...]:
    one, other = _own(before), _own(after)
    names = dict.fromkeys([*one, *other])
    return tuple(name for name in names if name != "Comment" and one.get(name) != other.get(name))


#: The name of a state, and of the Map or Parallel that it is in.
_Place: TypeAlias = tuple[str, str]


def _renamed(gone: dict[_Place, dict[str, Any]], added: dict[_Place, dict[str, Any]]) -> dict[str, str]:
    """States that are gone, with the one new state in the same place that does the same."""
    found: dict[str, str] = {}
    for (name, place), spec in gone.items():
        there = {other: its for (other, its_place), its in added.items() if its_place == place}
        same = [other for other, its in there.items() if _work(its) == _work(spec) and other not in found.values()]
        if len(same) == 1:
            found[name] = same[0]
    return found


def _work(spec: dict[str, Any]) -> dict[str, Any]:
    """What a state does, whatever it leads to."""
    return {field: value for field, value in spec.items() if field not in _ASIDE}
