"""History events in AWS's shape and numbering (GetExecutionHistory in the Step Functions API reference)."""

from typing import NamedTuple

import msgspec

from expediter.asl.protocol import Json
from expediter.asl.texts import instant_text, json_text


class HistoryEvent(msgspec.Struct, frozen=True, gc=False):
    """One event: ``at`` in milliseconds since 1970 UTC; ``details`` hold JSON values, not yet texts."""

    id: int
    previous: int
    at: int
    type: str
    details: dict[str, Json]

    def aws(self) -> dict[str, Json]:
        """The event as GetExecutionHistory gives it: values as JSON text, under the key of its type."""
        shape = {"timestamp": instant_text(self.at), "type": self.type, "id": self.id, "previousEventId": self.previous}
        key = details_key(self.type)
        if key is None:
            return shape
        return {**shape, key: _details(self.details)}


class _Shape(NamedTuple):
    suffix: str
    key: str


#: Types that share one key for their details; every other type is its own name, uncapitalised, + "EventDetails".
_SHARED = (_Shape("StateEntered", "stateEnteredEventDetails"), _Shape("StateExited", "stateExitedEventDetails"))
#: Types without details.
BARE = frozenset(
    {
        "LambdaFunctionStarted",
        "ParallelStateStarted",
        "ParallelStateSucceeded",
        "ParallelStateFailed",
        "ParallelStateAborted",
        "MapStateSucceeded",
        "MapStateFailed",
        "MapStateAborted",
        "MapRunSucceeded",
        "WaitStateAborted",
        "TaskStateAborted",
    }
)
_TEXTS = frozenset({"input", "output", "parameters"})


def details_key(kind: str) -> str | None:
    """The key under which an event of this type keeps its details, or None."""
    if kind in BARE:
        return None
    for shape in _SHARED:
        if kind.endswith(shape.suffix):
            return shape.key
    return kind[0].lower() + kind[1:] + "EventDetails"


def _details(details: dict[str, Json]) -> dict[str, Json]:
    shown: dict[str, Json] = {}
    for name, value in details.items():
        if value is None and name not in _TEXTS:
            continue
        shown[name] = json_text(value) if name in _TEXTS else value
        if name in {"input", "output"}:
            shown[f"{name}Details"] = {"truncated": False}
    if "assignedVariables" in shown:
        shown["assignedVariables"] = {name: json_text(value) for name, value in shown["assignedVariables"].items()}
        shown["assignedVariablesDetails"] = {"truncated": False}
    return shown
