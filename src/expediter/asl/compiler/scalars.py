"""Fields that hold one number, text or instant: given, by a path (``XxxPath``), or by a JSONata expression."""

from collections.abc import Callable
from typing import TypeAlias

from expediter.asl.compiler.dataflow import effective_input, saw_expression
from expediter.asl.compiler.reader import Reader
from expediter.asl.errors import PathInvalid, query_failure
from expediter.asl.execution import Frame
from expediter.asl.expressions.scope import Scope
from expediter.asl.expressions.templates import Template, compile_path_or_call, worded
from expediter.asl.protocol import Json
from expediter.asl.states.state import LONGEST, Due, Parameter, Text, seconds_ahead
from expediter.asl.states.task import Fixed, Limits
from expediter.asl.texts import is_number, json_text, json_type, parse_instant, plain

Value: TypeAlias = Callable[[Scope, Frame], Json]


def dynamic(reader: Reader, field: str, *wanted: str) -> Value | None:
    """The field as a JSONata expression; None if it is not one (the caller then reads the value itself).

    ``wanted``: the JSON types that the expression may return.
    """
    if not reader.jsonata:
        return None
    from expediter.asl.expressions.jsonata.expression import (  # noqa: PLC0415  # loaded by what is written in JSONata
        compile_expression,
        evaluated,
        is_expression,
    )

    if not is_expression(reader.spec.get(field)):
        return None
    try:
        expression = compile_expression(reader.spec[field])
    except PathInvalid as fault:
        reader.complain(field, f"The JSONata expression is not valid: {fault}")
        return lambda _scope, _frame: None
    saw_expression(reader, field, expression, field)
    get = evaluated(expression, field)
    return _typed(get, wanted, expression.text, field)


def _typed(get: Template, wanted: tuple[str, ...], text: str, field: str) -> Value:
    def read(scope: Scope, frame: Frame) -> Json:
        value = get({"input": frame.input}, scope)
        if (found := json_type(value)) not in wanted:
            raise query_failure(
                f"The JSONata expression '{text}' specified for the field '{field}' returned an unexpected result "
                f"type. Expected '{wanted[0]}', but was '{found}' for value: {json_text(value)}",
                field,
            )
        return value

    return read


# --- seconds of a task -------------------------------------------------------------------------------------------


#: Seconds: the same every time, or read from the state's input.
Limit: TypeAlias = int | None | Callable[[Scope, Frame], int | None]


def limits(reader: Reader) -> Limits | Fixed:
    """TimeoutSeconds and HeartbeatSeconds; most definitions fix both."""
    timeout, heartbeat = _limit(reader, "TimeoutSeconds"), _limit(reader, "HeartbeatSeconds")
    if callable(timeout) or callable(heartbeat):
        return lambda scope, frame: (_now(timeout, scope, frame), _now(heartbeat, scope, frame))
    return timeout, heartbeat


def _now(limit: Limit, scope: Scope, frame: Frame) -> int | None:
    return limit(scope, frame) if callable(limit) else limit


def _limit(reader: Reader, field: str) -> Limit:
    """One of them, with its Path; absent is None."""
    get = dynamic(reader, field, "number")
    if get is not None:
        return lambda scope, frame: _positive(get(scope, frame), field)
    path_field = f"{field}Path"
    if reader.has(field) and reader.has(path_field):
        reader.complain("", f"Only one of these fields is allowed: [{field}, {path_field}]")
    path = None if reader.jsonata else reader.path(path_field)
    if path is not None:
        return _seconds_at(Parameter(path, path_field, effective_input(reader)))
    return reader.integer(field, 0, 1) if reader.has(field) else None


def _positive(value: Json, field: str) -> int:
    if is_number(value) and value == int(value) and 0 < value <= LONGEST:
        return int(value)
    raise query_failure(f"The field '{field}' must be a positive integer but was: {plain(value)}", field)


def _seconds_at(parameter: Parameter) -> Callable[[Scope, Frame], int]:
    read_path = worded(parameter.path, parameter.field)

    def read(scope: Scope, frame: Frame) -> int:
        value = read_path(frame.input if parameter.begin is None else parameter.begin(scope, frame), scope)
        if is_number(value) and value == int(value) and 0 < value <= LONGEST:
            return int(value)
        raise parameter.unfit("cannot be parsed as a positive integer", value)

    return read


# --- when a Wait is over -----------------------------------------------------------------------------------------


def due(reader: Reader) -> Due:
    """Exactly one of Seconds, Timestamp and (in JSONPath) their Paths."""
    fields = ("Seconds", "Timestamp") if reader.jsonata else ("Seconds", "SecondsPath", "Timestamp", "TimestampPath")
    field = reader.one_of(*fields)
    if field is None:
        return _never
    return _DUE[field](reader)


def _seconds(reader: Reader) -> Due:
    if get := dynamic(reader, "Seconds", "number"):
        return lambda scope, frame: scope.at + 1000 * _wait_seconds(get(scope, frame))
    given = reader.integer("Seconds", 0, 0, LONGEST)
    return lambda scope, _frame: scope.at + 1000 * given


def _wait_seconds(value: Json) -> int:
    if is_number(value) and value == int(value) and 0 <= value <= LONGEST:
        return int(value)
    raise query_failure(f"The Seconds field cannot be parsed as a non-negative integer: {plain(value)}", "Seconds")


def _never(scope: Scope, _frame: Frame) -> int:
    """The value of a field with a fault. Such a definition is never run."""
    return scope.at


def _seconds_path(reader: Reader) -> Due:
    path = reader.path("SecondsPath")
    if path is None:
        return _never
    return seconds_ahead(Parameter(path, "SecondsPath", effective_input(reader)))


_NO_INSTANT = "The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time format string"


def _timestamp(reader: Reader) -> Due:
    if get := dynamic(reader, "Timestamp", "string"):

        def when(scope: Scope, frame: Frame) -> int:
            value = get(scope, frame)
            instant = parse_instant(value)
            if instant is None:
                raise query_failure(f"{_NO_INSTANT}: {plain(value)}", "Timestamp")
            return instant

        return when
    given = parse_instant(reader.text("Timestamp"))
    if given is None:
        reader.complain("Timestamp", "String does not match RFC3339 timestamp")
    fixed = given or 0
    return lambda _scope, _frame: fixed


def _timestamp_path(reader: Reader) -> Due:
    path = reader.path("TimestampPath")
    if path is None:
        return _never
    parameter = Parameter(path, "TimestampPath", effective_input(reader))

    def when(scope: Scope, frame: Frame) -> int:
        value = parameter.read(scope, frame)
        instant = parse_instant(value) if isinstance(value, str) else None
        if instant is None:
            reason = "does not reference a valid ISO-8601 extended offset date-time format string"
            raise parameter.unfit(reason, value)
        return instant

    return when


_DUE: dict[str, Callable[[Reader], Due]] = {
    "Seconds": _seconds,
    "SecondsPath": _seconds_path,
    "Timestamp": _timestamp,
    "TimestampPath": _timestamp_path,
}


# --- Error and Cause of a Fail -----------------------------------------------------------------------------------


def text(reader: Reader, field: str) -> Text:
    """Error or Cause: given, by Path (which also takes an intrinsic function call), or by expression."""
    if get := dynamic(reader, field, "string"):
        return get
    path_field = f"{field}Path"
    if not reader.jsonata and reader.has(path_field):
        if reader.has(field):
            reader.complain("", f"Only one of these fields is allowed: [{field}, {path_field}]")
        compiled = reader.compiled(path_field, lambda found: compile_path_or_call(found, path_field))
        if compiled is not None:
            reader.notes.saw(compiled.paths)
            return _text_at(compiled.get)
    given = reader.maybe_text(field)
    return lambda _scope, _frame: given


def _text_at(get: Template) -> Text:
    return lambda scope, frame: plain(get(frame.input, scope))
