"""Reference Paths: where ResultPath puts a result. Only names and indexes; nothing that it is given is altered."""

from collections.abc import Callable

from expediter.asl.errors import PathInvalid, StateFailure
from expediter.asl.expressions.path_segments import Index, Name, Segment
from expediter.asl.expressions.paths import compile_path
from expediter.asl.protocol import Json
from expediter.asl.texts import json_text


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
        # Missing objects are made, and null gives way to one; anything else in the way is a fault.
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
    """The specification's States.ResultPathMatchFailure; AWS calls it so, and words it so.

    https://qiita.com/tsubasaogawa/items/4fe341bdb6ae7d2fd8ee
    """
    return StateFailure(
        "States.ReferencePathConflict", f"Unable to apply ReferencePath {text} to input {json_text(value)}"
    )
