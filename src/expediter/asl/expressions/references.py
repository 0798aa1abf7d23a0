"""Reference Paths: where ResultPath puts a result. Only names and indexes; nothing that it is given is altered."""

from collections.abc import Callable

from expediter.asl.errors import PathInvalid, StateFailure
from expediter.asl.expressions.path_steps import Index, Name, Step
from expediter.asl.expressions.paths import compile_path
from expediter.asl.protocol import Json
from expediter.asl.texts import json_text


def compile_reference(text: str) -> Callable[[Json, Json], Json]:
    """``$.a.b`` to ``put(value, result)``: a copy of ``value`` with ``result`` there; raises PathInvalid."""
    path = compile_path(text)
    if path.root != "$" or not path.definite:
        raise PathInvalid(f"A Reference Path names one place in the input: {text}")
    steps = path.steps
    if not steps:
        return lambda _value, result: result
    if len(steps) == 1 and isinstance(steps[0], Name):
        return _under(steps[0].name, text)
    return lambda value, result: _put(value, steps, result, text)


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


def _put(value: Json, steps: tuple[Step, ...], result: Json, text: str) -> Json:
    """Copies along the way down only: what lies beside it is shared, as nobody alters a JSON value here."""
    if not steps:
        return result
    step, rest = steps[0], steps[1:]
    if isinstance(step, Name):
        # Missing objects are made, and null gives way to one; anything else in the way is a fault.
        if value is not None and not isinstance(value, dict):
            raise _conflict(text, value)
        inner = {} if value is None else value
        return {**inner, step.name: _put(inner.get(step.name), rest, result, text)}
    if not isinstance(step, Index) or not isinstance(value, list) or not -len(value) <= step.at < len(value):
        raise _conflict(text, value)
    copy = list(value)
    copy[step.at] = _put(value[step.at], rest, result, text)
    return copy


def _conflict(text: str, value: Json) -> StateFailure:
    """The specification's States.ResultPathMatchFailure; AWS calls it so, and words it so.

    https://qiita.com/tsubasaogawa/items/4fe341bdb6ae7d2fd8ee
    """
    return StateFailure(
        "States.ReferencePathConflict", f"Unable to apply ReferencePath {text} to input {json_text(value)}"
    )
