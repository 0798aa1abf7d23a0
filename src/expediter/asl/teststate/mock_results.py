"""A mocked result against the API model of its service, as TestState's fieldValidationMode asks.

The models come from the caller, in the JSON form in which AWS publishes them (``service-2.json``): ``operations`` and
``shapes``. Without a model nothing is checked.
"""

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from expediter.asl.protocol import Json
from expediter.asl.states.integrations import INTEGRATION, SYNC, TOKEN, service_and_action
from expediter.asl.texts import is_number

#: From the name that a Resource gives the service (``dynamodb``, ``sfn``) to its model, or None.
ServiceModels: TypeAlias = Callable[[str], dict[str, Any] | None]

#: What a ``.sync`` Task answers: the answer of this action, not that of the one it starts.
POLLED = {
    "startExecution": "DescribeExecution",
    "startJobRun": "GetJobRun",
    "runTask": "DescribeTasks",
    "startBuild": "BatchGetBuilds",
    "startBuildBatch": "BatchGetBuildBatches",
    "startQueryExecution": "GetQueryExecution",
}
#: Fields that Step Functions fills otherwise than the model says: a function's answer is any JSON.
_FREE = {("lambda", "Invoke"): {"Payload"}}

_KINDS: dict[str, tuple[str, Callable[[Json], bool]]] = {
    **dict.fromkeys(("string", "timestamp", "blob"), ("a string", lambda value: isinstance(value, str))),
    **dict.fromkeys(("integer", "long", "float", "double"), ("a number", is_number)),
    "boolean": ("a boolean", lambda value: isinstance(value, bool)),
    "list": ("an array", lambda value: isinstance(value, list)),
    **dict.fromkeys(("structure", "map"), ("an object", lambda value: isinstance(value, dict))),
}


def check_result(spec: dict[str, Any], result: Json, mode: str, models: ServiceModels | None) -> str | None:
    """The first thing in a mocked result that the service would not answer; None where it fits or is not checked."""
    resource = spec.get("Resource", "")
    if mode == "NONE" or models is None or not INTEGRATION.match(resource) or resource.endswith(TOKEN):
        return None
    service, action = service_and_action(resource)
    service = service.removeprefix("aws-sdk:")
    model = models(service)
    operation = _operation(action)
    if model is None or operation not in model["operations"]:
        return None
    shape = model["operations"][operation].get("output", {}).get("shape")
    if shape is None:
        return None
    check = _Check(model["shapes"], _FREE.get((service, operation), set()), required=mode == "STRICT")
    return next(check.value("", result, shape), None)


def _operation(action: str) -> str:
    name, _, way = action.partition(".")
    asked = POLLED.get(name, "") if f".{way}".startswith(SYNC) else name
    return asked[:1].upper() + asked[1:]


class _Check:
    """One walk over a result. ``required``: fields that the model requires must be there."""

    def __init__(self, shapes: dict[str, Any], free: set[str], *, required: bool) -> None:
        self.shapes = shapes
        self.free = free
        self.required = required

    def value(self, field: str, value: Json, shape_name: str) -> Iterator[str]:
        """What is wrong with a value; ``field`` is the name of the member that holds it."""
        shape = self.shapes[shape_name]
        what, fits = _KINDS.get(shape["type"], ("", lambda _value: True))
        if shape.get("document"):
            return
        if not fits(value):
            yield f"Field '{field}' must be {what}"
            return
        yield from (f"Field '{field}' {fault}" for fault in _bounds(value, shape))
        if isinstance(value, list):
            for item in value:
                yield from self.value(field, item, shape["member"]["shape"])
        elif shape["type"] == "map":
            for item in value.values():
                yield from self.value(field, item, shape["value"]["shape"])
        elif shape["type"] == "structure":
            yield from self.structure(value, shape)

    def structure(self, value: dict[str, Json], shape: dict[str, Any]) -> Iterator[str]:
        """Step Functions begins the name of each field with a capital letter. Fields that no model has are taken."""
        members = {_pascal(name): member["shape"] for name, member in shape["members"].items()}
        if self.required:
            for name in map(_pascal, shape.get("required", [])):
                if name not in value:
                    yield f"Required field '{name}' is missing"
        for name, inner in value.items():
            if name in members and name not in self.free:
                yield from self.value(name, inner, members[name])


def _pascal(name: str) -> str:
    return name[:1].upper() + name[1:]


def _bounds(value: Json, shape: dict[str, Any]) -> Iterator[str]:
    least, most = shape.get("min"), shape.get("max")
    if isinstance(value, str | list):
        if least is not None and len(value) < least:
            yield "is smaller than the minimum length"
        if most is not None and len(value) > most:
            yield "exceeds the maximum length"
        if "enum" in shape and value not in shape["enum"]:
            yield "is not an expected value"
    elif is_number(value):
        if least is not None and value < least:
            yield "is less than the minimum value"
        if most is not None and value > most:
            yield "exceeds the maximum value"
