"""JSONPath as AWS understands it: Jayway's dialect, compiled once to a function.

    compile_path("$.order.items[0].name") -> Path; path.get(value, scope) -> Json

Rules (the language's "Paths" section, Jayway's README, AWS's recorded answers):

- ``$`` is the value at hand, ``$$`` the context object, ``$name`` a variable.
- A path made only of names and single indexes is definite: it names one value, and a missing one is an error.
- Anything else (wildcard, slice, union, filter, ``..``) is indefinite: always a list, empty when nothing matches.
- Between single quotes a backslash escapes a quote and itself, nothing else.
"""

import re
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from expediter.asl.errors import PathInvalid, PathMissing, StateFailure
from expediter.asl.expressions.path_brackets import nesting
from expediter.asl.expressions.path_parser import parse_segments
from expediter.asl.expressions.path_segments import DEFINITE, Index, Looks, Name, Segment, explain, select
from expediter.asl.expressions.scope import Scope
from expediter.asl.protocol import Json
from expediter.asl.texts import json_text

_VARIABLE = re.compile(r"\$([^\W\d]\w*)(.*)", re.DOTALL)


#: Brackets inside each other: each filter in a filter is read, and evaluated, inside the one around it.
NESTED = 30

Getter: TypeAlias = Callable[[Json, Scope], Json]


class Path(NamedTuple):
    """A compiled path. ``variable`` is the variable it reads, if it does; ``segments`` what follows the root."""

    text: str
    get: Getter
    definite: bool
    variable: str | None
    segments: tuple[Segment, ...]
    root: str

    def names(self) -> tuple[str, ...] | None:
        """The names of a path that begins at ``$`` and has nothing but names; None for another."""
        names = tuple(segment.name for segment in self.segments if isinstance(segment, Name))
        return names if self.root == "$" and len(names) == len(self.segments) else None


def compile_path(text: str) -> Path:
    """Compile ``$…``, ``$$…`` or ``$name…``, blanks around it aside; raises PathInvalid with a reason."""
    text = text.strip(" ")
    if nesting(text) > NESTED:
        raise PathInvalid(f"More than {NESTED} brackets inside each other")
    root, rest = _split_root(text)
    segments = parse_segments(rest)
    definite = all(isinstance(segment, DEFINITE) for segment in segments)
    get = _definite(segments) if definite else _indefinite(segments)
    variable = root[1:] if root not in {"$", "$$"} else None
    return Path(text, _rooted(root, get), definite, variable, segments, root)


def _split_root(text: str) -> tuple[str, str]:
    if text.startswith("$$"):
        return "$$", text[2:]
    if found := _VARIABLE.fullmatch(text):
        return "$" + found[1], found[2]
    if text.startswith("$"):
        return "$", text[1:]
    raise PathInvalid(f"A path starts with $: {text}")


def _rooted(root: str, get: Getter) -> Getter:
    if root == "$":
        return get
    if root == "$$":
        return lambda _value, scope: get(scope.context(), scope)
    name = root[1:]
    return lambda _value, scope: get(scope.variable(name), scope)


# These getters read only the value. They take a scope as well, so that each is the whole getter of a path from ``$``.


def _definite(segments: tuple[Segment, ...]) -> Getter:
    if not segments:
        return lambda value, _scope: value
    if all(isinstance(segment, Name) for segment in segments):
        return _names(segments, tuple(segment.name for segment in segments if isinstance(segment, Name)))
    return _names_and_indexes(segments)


def _names(segments: tuple[Segment, ...], names: tuple[str, ...]) -> Getter:
    """The common case. A str or list raises TypeError for a str key, so no check is needed before."""
    if len(names) == 1:
        (only,) = names

        def one(value: Json, _scope: Scope) -> Json:
            try:
                return value[only]
            except (KeyError, TypeError):
                raise PathMissing(explain(value, segments)) from None

        return one

    def several(value: Json, _scope: Scope) -> Json:
        found = value
        try:
            for name in names:
                found = found[name]
        except (KeyError, TypeError):
            raise PathMissing(explain(value, segments)) from None
        return found

    return several


def _names_and_indexes(segments: tuple[Segment, ...]) -> Getter:
    def get(value: Json, _scope: Scope) -> Json:
        found = value
        for segment in segments:
            if isinstance(segment, Name) and isinstance(found, dict) and segment.name in found:
                found = found[segment.name]
            elif isinstance(segment, Index) and isinstance(found, list) and -len(found) <= segment.at < len(found):
                found = found[segment.at]
            else:
                raise PathMissing(explain(value, segments))
        return found

    return get


def _indefinite(segments: tuple[Segment, ...]) -> Getter:
    return lambda value, scope: select(value, segments, Looks(scope.pause))


# --- Reference Paths: where ResultPath puts a result. Only names and indexes; nothing that it is given is altered. ----


def keep_input(value: Json, _result: Json) -> Json:
    """The Reference Path null: the result is dropped."""
    return value


def compile_reference(text: str) -> Callable[[Json, Json], Json]:
    """``$.a.b`` to ``put(value, result)``: a copy of ``value`` with ``result`` there; raises PathInvalid."""
    path = compile_path(text)
    if path.root != "$" or not path.definite:
        raise PathInvalid(f"A Reference Path names one place in the input: {text}")
    segments = path.segments
    if not segments:
        return lambda _value, result: result
    if len(segments) == 1 and isinstance(segments[0], Name):
        return _under(segments[0].name, text)
    return lambda value, result: _put(value, segments, result, text)


def _under(name: str, text: str) -> Callable[[Json, Json], Json]:
    """The common case: one name of the input's own."""

    def put(value: Json, result: Json) -> Json:
        if isinstance(value, dict):
            output = value.copy()
            output[name] = result
            return output
        if value is None:
            return {name: result}
        raise _conflict(text, value)

    return put


def _put(value: Json, segments: tuple[Segment, ...], result: Json, text: str) -> Json:
    """Copies only the objects and arrays on the path. The rest is shared: no code here alters a JSON value."""
    if not segments:
        return result
    segment, rest = segments[0], segments[1:]
    if isinstance(segment, Name):
        # Missing objects are made, and null is replaced by one. Any other value in the way is a fault.
        if value is not None and not isinstance(value, dict):
            raise _conflict(text, value)
        inner = {} if value is None else value
        return {**inner, segment.name: _put(inner.get(segment.name), rest, result, text)}
    if not isinstance(segment, Index) or not isinstance(value, list) or not -len(value) <= segment.at < len(value):
        raise _conflict(text, value)
    copy = list(value)
    copy[segment.at] = _put(value[segment.at], rest, result, text)
    return copy


def _conflict(text: str, value: Json) -> StateFailure:
    """The specification's States.ResultPathMatchFailure, in AWS's words.

    https://qiita.com/tsubasaogawa/items/4fe341bdb6ae7d2fd8ee
    """
    return StateFailure(
        "States.ReferencePathConflict", f"Unable to apply ReferencePath {text} to input {json_text(value)}"
    )
