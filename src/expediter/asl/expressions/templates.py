"""Payload templates: Parameters, ResultSelector, ItemSelector and Assign of JSONPath states.

A key that ends in ``.$`` holds a path or an intrinsic function call; it is compiled once, and everything else of the
template is a constant. Reading a template builds new objects only where something in it varies.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeAlias

from expediter.asl.errors import PathInvalid, PathMissing, runtime_failure
from expediter.asl.expressions.measured import FEW, made
from expediter.asl.expressions.paths import Path, compile_path
from expediter.asl.expressions.scope import Scope
from expediter.asl.protocol import Json
from expediter.asl.texts import json_text

Template: TypeAlias = Callable[[Json, Scope], Json]


class CompiledTemplate(NamedTuple):
    """A template ready to be read, the paths in it, and whether it is the same every time."""

    get: Template
    paths: tuple[Path, ...]
    constant: bool


def has_many(parts: Iterable[CompiledTemplate]) -> bool:
    """Whether so many parts vary between two readings that their values are measured together."""
    return sum(max(len(part.paths), not part.constant) for part in parts) > FEW


#: Called with the place inside the template and the message.
Complain: TypeAlias = Callable[[str, str], None]


def compile_template(spec: Json, complain: Complain, place: str = "") -> CompiledTemplate:
    """Compile a template; each fault goes to ``complain`` and leaves null in its place."""
    if isinstance(spec, dict):
        return _object(spec, complain, place)
    if isinstance(spec, list):
        return _array(spec, complain, place)
    return CompiledTemplate(lambda _value, _scope: spec, (), constant=True)


def compile_path_or_call(text: str, field: str) -> CompiledTemplate:
    """A path or an intrinsic function call, with the error text of a template where it selects nothing."""
    if text.lstrip(" ").startswith("States."):  # AWS takes blanks before a call
        # The functions are loaded by the first definition that calls one.
        from expediter.asl.expressions.intrinsic_calls import compile_call  # noqa: PLC0415

        call = compile_call(text)
        return CompiledTemplate(_worded(call.get, text, field, call.paths), call.paths, constant=False)
    path = compile_path(text)
    return CompiledTemplate(worded(path, field), (path,), constant=False)


def worded(path: Path, field: str) -> Template:
    """What the path selects, with the error text of a template where it selects nothing."""
    return _worded(path.get, path.text, field, (path,))


def _worded(get: Template, text: str, field: str, paths: tuple[Path, ...]) -> Template:
    def read(value: Json, scope: Scope) -> Json:
        try:
            return get(value, scope)
        except PathMissing:
            missing = _first_missing(paths, value, scope) or text
            raise runtime_failure(
                f"The JSONPath '{missing}' specified for the field '{field}' could not be found in the input "
                f"'{json_text(value)}'"
            ) from None

    return read


def _first_missing(paths: tuple[Path, ...], value: Json, scope: Scope) -> str | None:
    for path in paths:
        try:
            path.get(value, scope)
        except PathMissing:
            return path.text
    return None


def _object(spec: dict[str, Json], complain: Complain, place: str) -> CompiledTemplate:
    fields: list[tuple[str, CompiledTemplate]] = []
    for key, inner in spec.items():
        here = f"{place}.{key}" if place else key
        if not key.endswith(".$"):
            fields.append((key, compile_template(inner, complain, here)))
            continue
        try:
            if not isinstance(inner, str):
                raise PathInvalid("not a string")
            fields.append((key[:-2], compile_path_or_call(inner, key)))
        except PathInvalid as fault:
            message = (
                f"The value for the field '{key}' must be a valid JSONPath or a valid intrinsic function call ({fault})"
            )
            complain(here, message)
    return _built(spec, fields, _object_builder)


def _array(spec: list[Json], complain: Complain, place: str) -> CompiledTemplate:
    items = [("", compile_template(inner, complain, f"{place}[{index}]")) for index, inner in enumerate(spec)]
    return _built(spec, items, _array_builder)


def _built(
    spec: Json,
    fields: list[tuple[str, CompiledTemplate]],
    builder: Callable[[list[tuple[str, CompiledTemplate]]], Template],
) -> CompiledTemplate:
    paths = tuple(path for _, field in fields for path in field.paths)
    if all(field.constant for _, field in fields):
        return CompiledTemplate(lambda _value, _scope: spec, paths, constant=True)
    return CompiledTemplate(builder(fields), paths, constant=False)


def _object_builder(fields: list[tuple[str, CompiledTemplate]]) -> Template:
    getters = tuple((name, field.get) for name, field in fields)
    if has_many(field for _, field in fields):
        names, gets = zip(*getters, strict=True)
        return lambda value, scope: dict(zip(names, made(gets, value, scope), strict=True))
    return lambda value, scope: {name: get(value, scope) for name, get in getters}


def _array_builder(items: list[tuple[str, CompiledTemplate]]) -> Template:
    getters = tuple(item.get for _, item in items)
    if has_many(item for _, item in items):
        return lambda value, scope: made(getters, value, scope)
    return lambda value, scope: [get(value, scope) for get in getters]
