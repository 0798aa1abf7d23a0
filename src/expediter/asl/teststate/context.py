"""A context object that is given to TestState: which fields it may have, and of which type."""

from expediter.asl.protocol import Json
from expediter.asl.texts import is_number

_TEXT, _NUMBER, _OBJECT, _ANY = "a string", "a number", "an object", ""
_FIELDS: dict[str, dict[str, str]] = {
    "Execution": {
        "Id": _TEXT,
        "Input": _ANY,
        "Name": _TEXT,
        "RoleArn": _TEXT,
        "StartTime": _TEXT,
        "RedriveCount": _NUMBER,
        "RedriveTime": _TEXT,
    },
    "State": {"EnteredTime": _TEXT, "Name": _TEXT, "RetryCount": _NUMBER},
    "StateMachine": {"Id": _TEXT, "Name": _TEXT},
    "Task": {"Token": _TEXT},
    "Map": {"Item": _OBJECT},
}


def check_context(context: Json, *, waits: bool) -> str | None:
    """What is wrong with a context object. ``waits``: its state is a Task whose service answers later."""
    if not isinstance(context, dict):
        return "It must be an object"
    for name, inner in context.items():
        if (fault := _fault(name, inner)) is not None:
            return fault
    if "Task" in context and not waits:
        pattern = "a '.sync' or '.waitForTaskToken' service integration pattern"
        return f"Context object contains 'Task' when state is not a Task state with {pattern}"
    return None


def _fault(name: str, inner: Json) -> str | None:
    if name not in _FIELDS:
        return f"Field '{name}' is not allowed"
    if not isinstance(inner, dict):
        return f"{name} must be an object"
    for field, value in inner.items():
        kind = _FIELDS[name].get(field)
        if kind is None:
            return f"Field '{name}.{field}' is not allowed"
        if not _fits(value, kind):
            return f"{name}.{field} must be {kind}"
    return None


def _fits(value: Json, kind: str) -> bool:
    if kind == _TEXT:
        return isinstance(value, str)
    if kind == _NUMBER:
        return is_number(value)
    return kind == _ANY or isinstance(value, dict)
