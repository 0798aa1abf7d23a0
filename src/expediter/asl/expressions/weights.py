"""Measures JSON values without encoding them.

A value may hold another one many times over; its weight counts each of them, as its JSON text would have them.
"""

from typing import Final, NamedTuple

from expediter.asl.protocol import Json

#: Arrays and objects inside each other.
NESTED: Final = 200
#: A value with fewer nodes is measured again each time.
_SMALL: Final = 64


#: Types that have members.
COMPOSITE: Final = (list, dict)


class TooLarge(Exception):
    """The value has more bytes than were allowed."""


class NestedTooDeep(Exception):
    """The value has more than NESTED arrays and objects inside each other."""


class Weight(NamedTuple):
    """``nodes``: members of arrays and objects, at any depth. ``size``: at least so many bytes of JSON."""

    nodes: int
    size: int


class Weights:
    """The weights of arrays and objects; those of large ones are found once."""

    __slots__ = ("_known", "_limit")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        #: id -> the weight, and the value, so that its id is not given to another one.
        self._known: dict[int, tuple[Weight, Json]] = {}

    def of(self, value: Json) -> Weight:
        """The weight of an array or object. Raises TooLarge and NestedTooDeep."""
        nodes = size = 0
        level = [value]
        for _ in range(NESTED):
            following: list[Json] = []
            for inner in level:
                known = self._known.get(id(inner))
                if known is None:
                    nodes += len(inner)
                    size += self._own(inner, following)
                else:
                    nodes += known[0].nodes
                    size += known[0].size
                if size > self._limit:
                    raise TooLarge
            if not following:
                found = Weight(nodes, size)
                if nodes > _SMALL:
                    self._known[id(value)] = (found, value)
                return found
            level = following
        raise NestedTooDeep

    def _own(self, value: Json, inner: list[Json]) -> int:
        """The size of a value without its members that have members themselves: those are put in ``inner``."""
        size = 2 + len(value)
        if size > self._limit:
            raise TooLarge
        if isinstance(value, dict):
            size += sum(map(len, value)) + 3 * len(value)
            value = value.values()
        for member in value:
            if isinstance(member, str):
                size += len(member) + 2
            elif isinstance(member, COMPOSITE):
                inner.append(member)
            else:
                size += 1
        return size

    def forget(self) -> None:
        """Some of the values have changed."""
        self._known.clear()
