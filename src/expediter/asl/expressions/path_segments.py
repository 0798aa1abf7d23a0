"""The segments of a JSONPath (the term of RFC 9535): one small class per kind.

``pick(value, root)`` yields the values that a segment selects in one value. It yields nothing where the segment does
not apply. What a path looks at is counted: filters inside filters look at everything for each thing.
"""

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias

from expediter.asl.errors import PathMissing, runtime_failure
from expediter.asl.protocol import Json

#: Values that one path may look at, and how many of them between two moments at which it may be interrupted.
LOOKS, TURN = 1_000_000, 1_000
#: Characters of a text that are looked at in the time of one value.
CHARACTERS = 512


class Looks:
    """Counts the values that a path looks at. ``pause`` is called every TURN of them."""

    __slots__ = ("_count", "_pause", "_turn")

    def __init__(self, pause: Callable[[], None]) -> None:
        self._count, self._turn = 0, TURN
        self._pause = pause

    def spend(self, count: int) -> None:
        """Raises StateFailure."""
        self._count += count
        if self._count > self._turn:
            if self._count > LOOKS:
                raise runtime_failure(f"The JSONPath looks at more than {LOOKS} values.")
            self._turn = self._count + TURN
            self._pause()


class Root(NamedTuple):
    """The root (``$``) of the path that is read, and the count of what it looks at."""

    value: Json
    looks: Looks


#: Whether a filter keeps a value.
Predicate: TypeAlias = Callable[[Json, Root], bool]


class Name(NamedTuple):
    """``.name`` or ``['name']``"""

    name: str

    def pick(self, value: Json, _root: Root) -> Iterator[Json]:
        if isinstance(value, dict) and self.name in value:
            yield value[self.name]


class Index(NamedTuple):
    """``[0]``; negative counts from the end."""

    at: int

    def pick(self, value: Json, _root: Root) -> Iterator[Json]:
        if isinstance(value, list) and -len(value) <= self.at < len(value):
            yield value[self.at]


class Names(NamedTuple):
    """``['a','b']``: one object with those of the names that are there."""

    names: tuple[str, ...]

    def pick(self, value: Json, _root: Root) -> Iterator[Json]:
        if isinstance(value, dict):
            yield {name: value[name] for name in self.names if name in value}


class Indexes(NamedTuple):
    """``[0,2,5]``"""

    indexes: tuple[int, ...]

    def pick(self, value: Json, root: Root) -> Iterator[Json]:
        for index in self.indexes:
            yield from Index(index).pick(value, root)


class Slice(NamedTuple):
    """``[from:to]``; either may be absent or negative."""

    start: int | None
    stop: int | None

    def pick(self, value: Json, _root: Root) -> Iterator[Json]:
        if isinstance(value, list):
            yield from value[self.start : self.stop]


class Wildcard(NamedTuple):
    """``[*]`` or ``.*``: every element of an array, every value of an object."""

    def pick(self, value: Json, _root: Root) -> Iterator[Json]:
        if isinstance(value, list):
            yield from value
        elif isinstance(value, dict):
            yield from value.values()


class Descend(NamedTuple):
    """``..``: the value itself and everything below it, parents first."""

    def pick(self, value: Json, root: Root) -> Iterator[Json]:
        root.looks.spend(1)
        yield value
        for child in Wildcard().pick(value, root):
            yield from self.pick(child, root)


class Filter(NamedTuple):
    """``[?(@.price < 10)]``: the elements of an array, or the object itself, that satisfy the predicate."""

    keep: Predicate

    def pick(self, value: Json, root: Root) -> Iterator[Json]:
        for candidate in value if isinstance(value, list) else [value] if isinstance(value, dict) else []:
            root.looks.spend(1)
            if self.keep(candidate, root):
                yield candidate


class Function(NamedTuple):
    """``.length()`` and its like, at the end of a path: from the whole result to one value."""

    name: str

    def pick(self, value: Json, _root: Root) -> Iterator[Json]:
        yield FUNCTIONS[self.name](value)


Segment: TypeAlias = Name | Index | Names | Indexes | Slice | Wildcard | Descend | Filter | Function
DEFINITE = (Name, Index)


def select(value: Json, segments: tuple[Segment, ...], looks: Looks) -> Json:
    """All values that the segments select. Raises StateFailure when that takes too long.

    A function at the end takes the list of them, or the one value of a definite path.
    """
    if segments and isinstance(segments[-1], Function):
        return FUNCTIONS[segments[-1].name](_argument(value, segments[:-1], looks))
    root = Root(value, looks)
    found: list[Json] = [value]
    for segment in segments:
        following: list[Json] = []
        for candidate in found:
            before = len(following)
            following.extend(segment.pick(candidate, root))
            looks.spend(1 + len(following) - before)
        found = following
    return found


def _argument(value: Json, segments: tuple[Segment, ...], looks: Looks) -> Json:
    found = select(value, segments, looks)
    if not all(isinstance(segment, DEFINITE) for segment in segments):
        return found
    if not found:
        raise PathMissing(explain(value, segments))
    return found[0]


def _numbers(value: Json) -> list[float]:
    numbers = [item for item in value if isinstance(item, int | float) and not isinstance(item, bool)] if value else []
    if not numbers:
        raise PathMissing("Aggregation function attempted to calculate value using empty array")
    return numbers


def _deviation(value: Json) -> float:
    numbers = _numbers(value)
    mean = sum(numbers) / len(numbers)
    return math.sqrt(sum((number - mean) ** 2 for number in numbers) / len(numbers))


FUNCTIONS: dict[str, Callable[[Json], Json]] = {
    "length": lambda value: len(value) if isinstance(value, list | dict | str) else None,
    "size": lambda value: len(value) if isinstance(value, list | dict | str) else None,
    "keys": lambda value: list(value) if isinstance(value, dict) else None,
    "min": lambda value: float(min(_numbers(value))),
    "max": lambda value: float(max(_numbers(value))),
    "sum": lambda value: float(sum(_numbers(value))),
    "avg": lambda value: sum(_numbers(value)) / len(_numbers(value)),
    "stddev": _deviation,
    "first": lambda value: value[0] if isinstance(value, list) and value else None,
    "last": lambda value: value[-1] if isinstance(value, list) and value else None,
}


def explain(value: Json, segments: tuple[Segment, ...]) -> str:
    """Why a definite path selects nothing, in Jayway's words: AWS puts them into the cause."""
    place, found, root = "$", value, Root(value, Looks(lambda: None))
    for number, segment in enumerate(segments):
        here = place + _text(segment)
        picked = list(segment.pick(found, root))
        if not picked:
            return _missing(segment, place, here, found, last=number == len(segments) - 1)
        place, found = here, picked[0]
    return f"No results for path: {place}"


def _missing(segment: Segment, place: str, here: str, found: Json, *, last: bool) -> str:
    if isinstance(segment, Index):
        return f"Index out of bounds when evaluating path {here}"
    if isinstance(found, dict) and not last:
        return f"Missing property in path {here}"
    if isinstance(found, dict):
        return f"No results for path: {here}"
    return f"Expected to find an object with property {_text(segment)} in path {place} but found '{_java(found)}'."


def _text(segment: Segment) -> str:
    if isinstance(segment, Index):
        return f"[{segment.at}]"
    return f"['{segment.name}']" if isinstance(segment, Name) else "[*]"


def _java(value: Json) -> str:
    names = {str: "java.lang.String", bool: "java.lang.Boolean", int: "java.lang.Integer", float: "java.lang.Double"}
    return "null" if value is None else names.get(type(value), "java.util.ArrayList")
