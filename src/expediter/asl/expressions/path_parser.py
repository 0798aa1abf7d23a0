"""Parses the text of a JSONPath, without its root, to segments: recursive descent with one cursor."""

import re

from expediter.asl.errors import PathInvalid
from expediter.asl.expressions.path_brackets import closing
from expediter.asl.expressions.path_segments import (
    FUNCTIONS,
    Descend,
    Filter,
    Function,
    Index,
    Indexes,
    Name,
    Names,
    Segment,
    Slice,
    Wildcard,
)

_DOTTED = re.compile(r"[^.\[\]()\s,'\"?@]+")
_CALL = re.compile(r"(\w+)\(\)")
_INTEGER = re.compile(r"\s*(-?\d+)\s*")
_SLICE = re.compile(r"\s*(-?\d+)?\s*:\s*(-?\d+)?\s*")
#: ``(@.length-1)``, the only script expression that AWS takes: the place counted from the end.
_SCRIPT = re.compile(r"\s*\(\s*@\.length\s*-\s*([1-9]\d*)\s*\)\s*", re.ASCII)
_QUOTED = re.compile(r"""\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\s*""", re.DOTALL)
_ESCAPED = re.compile(r"""\\(['\\])""")


def parse_segments(text: str) -> tuple[Segment, ...]:
    """``.a['b'][0]`` to segments; raises PathInvalid."""
    segments: list[Segment] = []
    at = 0
    while at < len(text):
        at = _segment(text, at, segments)
    if segments and isinstance(segments[-1], Descend):
        raise PathInvalid("Path must not end with a '.' or '..'")
    if any(isinstance(segment, Function) for segment in segments[:-1]):
        raise PathInvalid("A function stands at the end of a path")
    return tuple(segments)


def _segment(text: str, at: int, segments: list[Segment]) -> int:
    if text.startswith("..", at):
        segments.append(Descend())
        return at + 2 if text.startswith("[", at + 2) else _dotted(text, at + 2, segments)
    if text.startswith(".[", at):  # AWS takes a dot before a bracket, and so does Jayway
        return at + 1
    if text[at] == ".":
        return _dotted(text, at + 1, segments)
    if text[at] == "[":
        end = closing(text, at)
        segments.append(_bracket(text[at + 1 : end]))
        return end + 1
    raise PathInvalid(f"Expected '.' or '[' at '{text[at:]}'")


def _dotted(text: str, at: int, segments: list[Segment]) -> int:
    if text.startswith("*", at):
        segments.append(Wildcard())
        return at + 1
    if (call := _CALL.match(text, at)) and call[1] in FUNCTIONS:
        segments.append(Function(call[1]))
        return call.end()
    name = _DOTTED.match(text, at)
    if name is None:
        raise PathInvalid(f"Expected a name at '{text[at:]}'")
    segments.append(Name(name[0]))
    return name.end()


def _bracket(inside: str) -> Segment:
    stripped = inside.strip()
    if stripped == "*":
        return Wildcard()
    if stripped.startswith("?"):
        from expediter.asl.expressions.path_filter import compile_filter  # noqa: PLC0415  # by the first filter

        return Filter(compile_filter(stripped[1:].strip(), parse_segments))
    if stripped[:1] in {"'", '"'}:
        names = _list(inside, _QUOTED)
        unescaped = tuple(_ESCAPED.sub(r"\1", single or double) for single, double in names)
        return Name(unescaped[0]) if len(unescaped) == 1 else Names(unescaped)
    if script := _SCRIPT.fullmatch(inside):
        return Index(-int(script[1]))
    if bounds := _SLICE.fullmatch(inside):
        return Slice(*(int(bound) if bound else None for bound in bounds.groups()))
    indexes = tuple(int(number) for (number,) in _list(inside, _INTEGER))
    return Index(indexes[0]) if len(indexes) == 1 else Indexes(indexes)


def _list(inside: str, item: re.Pattern[str]) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    at = 0
    while match := item.match(inside, at):
        found.append(match.groups(default=""))
        if match.end() == len(inside):
            return found
        if inside[match.end()] != ",":
            break
        at = match.end() + 1
    raise PathInvalid(f"Could not parse [{inside}]")
