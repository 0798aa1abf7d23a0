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

from expediter.asl.errors import PathInvalid, PathMissing
from expediter.asl.expressions.path_steps import DEFINITE, Index, Name, Step, explain, select
from expediter.asl.expressions.path_text import parse_steps
from expediter.asl.expressions.scope import Scope
from expediter.asl.protocol import Json

_VARIABLE = re.compile(r"\$([^\W\d]\w*)(.*)", re.DOTALL)


Getter: TypeAlias = Callable[[Json, Scope], Json]


class Path(NamedTuple):
    """A compiled path. ``variable`` is the variable it reads, if it does; ``steps`` what follows the root."""

    text: str
    get: Getter
    definite: bool
    variable: str | None
    steps: tuple[Step, ...]
    root: str


def compile_path(text: str) -> Path:
    """Compile ``$…``, ``$$…`` or ``$name…``, blanks around it aside; raises PathInvalid with a reason."""
    text = text.strip(" ")
    root, rest = _split_root(text)
    steps = parse_steps(rest)
    definite = all(isinstance(step, DEFINITE) for step in steps)
    walk = _definite(steps) if definite else _indefinite(steps)
    variable = root[1:] if root not in {"$", "$$"} else None
    return Path(text, _rooted(root, walk), definite, variable, steps, root)


def _split_root(text: str) -> tuple[str, str]:
    if text.startswith("$$"):
        return "$$", text[2:]
    if found := _VARIABLE.fullmatch(text):
        return "$" + found[1], found[2]
    if text.startswith("$"):
        return "$", text[1:]
    raise PathInvalid(f"A path starts with $: {text}")


def _rooted(root: str, walk: Getter) -> Getter:
    if root == "$":
        return walk
    if root == "$$":
        return lambda _value, scope: walk(scope.context(), scope)
    name = root[1:]
    return lambda _value, scope: walk(scope.variable(name), scope)


# What follows walks from a value and looks at no scope; it takes one so that a path from ``$`` is the walk itself.


def _definite(steps: tuple[Step, ...]) -> Getter:
    if not steps:
        return lambda value, _scope: value
    if all(isinstance(step, Name) for step in steps):
        return _names(steps, tuple(step.name for step in steps if isinstance(step, Name)))
    return _names_and_indexes(steps)


def _names(steps: tuple[Step, ...], names: tuple[str, ...]) -> Getter:
    """The common case. A str or list refuses a str key with TypeError, so there is nothing to check before."""
    if len(names) == 1:
        (only,) = names

        def one(value: Json, _scope: Scope) -> Json:
            try:
                return value[only]
            except (KeyError, TypeError):
                raise PathMissing(explain(value, steps)) from None

        return one

    def several(value: Json, _scope: Scope) -> Json:
        found = value
        try:
            for name in names:
                found = found[name]
        except (KeyError, TypeError):
            raise PathMissing(explain(value, steps)) from None
        return found

    return several


def _names_and_indexes(steps: tuple[Step, ...]) -> Getter:
    def walk(value: Json, _scope: Scope) -> Json:
        found = value
        for step in steps:
            if isinstance(step, Name) and isinstance(found, dict) and step.name in found:
                found = found[step.name]
            elif isinstance(step, Index) and isinstance(found, list) and -len(found) <= step.at < len(found):
                found = found[step.at]
            else:
                raise PathMissing(explain(value, steps))
        return found

    return walk


def _indefinite(steps: tuple[Step, ...]) -> Getter:
    return lambda value, _scope: select(value, steps)
