"""Numbers of a Map: how many at once, how many may fail, how many items: given, by a path, or by an expression."""

import math
from collections.abc import Callable

from expediter.asl.compiler.dataflow import effective_input
from expediter.asl.compiler.reader import Reader
from expediter.asl.compiler.scalars import dynamic
from expediter.asl.errors import StateFailure, runtime_failure
from expediter.asl.execution import Frame
from expediter.asl.expressions.scope import Scope
from expediter.asl.protocol import Json
from expediter.asl.states.map_ import Number
from expediter.asl.states.state import Parameter
from expediter.asl.texts import is_number, plain


def _is_negative(field: str) -> StateFailure:
    return runtime_failure(f"{field} cannot be negative.")


def number(
    reader: Reader,
    field: str,
    *,
    whole: bool = True,
    most: float = math.inf,
    outer: Reader | None = None,
    negative: Callable[[str], StateFailure] = _is_negative,
) -> Number:
    """A non-negative number: given, by Path (text that reads as a number will do), or by expression; absent is None.

    ``outer``: the state, where ``reader`` is an object inside it. ``negative``: the failure for a negative number.
    """

    def within(value: float) -> float:
        if most < math.inf and not 0 <= value <= most:
            raise runtime_failure(f"{field} must be between 0 and {most:g}.")
        if value < 0:
            raise negative(field)
        return value

    if (get := dynamic(reader, field, "number")) is not None:
        return lambda scope, frame: within(get(scope, frame))
    path_field = f"{field}Path"
    if reader.has(field) and reader.has(path_field):
        reader.complain("", f"Only one of these fields is allowed: [{field}, {path_field}]")
    path = None if reader.jsonata else reader.path(path_field)
    if path is not None:
        read = _number_at(Parameter(path, path_field, effective_input(outer or reader)), whole=whole)
        return lambda scope, frame: within(read(scope, frame))
    given = _given(reader, field, whole=whole, most=most)
    return lambda _scope, _frame: given


def _given(reader: Reader, field: str, *, whole: bool, most: float) -> float | None:
    if not reader.has(field):
        return None
    found: float = reader.take(field, int if whole else (int, float), "a number", 0)
    if not 0 <= found <= most:
        reader.complain(field, f"must be a number between 0 and {most}" if most < math.inf else "must not be negative")
    return found


def _number_at(parameter: Parameter, *, whole: bool) -> Callable[[Scope, Frame], float]:
    kind, path = "integer" if whole else "float", parameter.path.text

    def read(scope: Scope, frame: Frame) -> float:
        value = parameter.read(scope, frame)
        found = _parsed(value, whole=whole)
        if found is None:
            name = parameter.field
            raise runtime_failure(
                f'The {name} field refers to value "{plain(value)}" which is not a valid {kind}: {path}'
            )
        return found

    return read


def _parsed(value: Json, *, whole: bool) -> float | None:
    if isinstance(value, str):
        try:
            return int(value) if whole else float(value)
        except ValueError:
            return None
    if not is_number(value) or (whole and not isinstance(value, int)):
        return None
    found: float = value
    return found
