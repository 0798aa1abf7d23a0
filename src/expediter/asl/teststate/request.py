"""What is asked of TestState, checked in the order in which AWS checks it.

Source: TestState, MockInput and TestStateConfiguration in the API reference of AWS Step Functions; recorded answers.
"""

from typing import Any

import msgspec

from expediter.asl.machine import BRANCHES
from expediter.asl.protocol import Json
from expediter.asl.states.integrations import SYNC, TOKEN
from expediter.asl.teststate.context import check_context
from expediter.asl.teststate.definition import RequestRefused, read_state, refuse
from expediter.asl.teststate.mock_results import ServiceModels, check_result
from expediter.asl.texts import json_text

LEVELS = ("INFO", "DEBUG", "TRACE")
MODES = ("STRICT", "PRESENT", "NONE")
_MOCKED = ("Task", "Map", "Parallel")


class StateRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A checked request. ``spec``: the state. ``mocked``: it has a ``result`` or a ``failure`` (error and cause).

    ``failed_iterations`` and ``items`` (JSON text of a store): a Map's. ``retries``: those that were before.
    """

    name: str
    spec: dict[str, Any]
    jsonata: bool
    input: Json
    level: str
    context: dict[str, Json] | None
    variables: dict[str, Json]
    mocked: bool
    result: Json
    failure: dict[str, str | None] | None
    failed_iterations: int
    retries: int
    items: str | None

    @property
    def waits(self) -> bool:
        """Whether the state is a Task whose service answers later."""
        return _waits(self.spec)

    @property
    def kind(self) -> str:
        """The type of the state."""
        found: str = self.spec["Type"]
        return found


def read_request(request: dict[str, Any], models: ServiceModels | None) -> StateRequest:
    """Check a request in the form of the API, its JSON texts parsed. Raises RequestRefused."""
    name, spec, jsonata = read_state(request)
    mock = request.get("mock")
    level = request.get("inspectionLevel", "INFO")
    if level not in LEVELS:
        refuse(f"inspectionLevel must be one of {', '.join(LEVELS)}")
    if mock is None:
        _check_unmocked(spec, request)
    else:
        _check_mock(spec, mock, request)
    context = request.get("context")
    if context is not None and (fault := check_context(context, waits=_waits(spec))) is not None:
        refuse(f"Invalid Context object provided: {fault}")
    return StateRequest(
        name=name,
        spec=spec,
        jsonata=jsonata,
        input=request.get("input", {}),
        level=level,
        context=context,
        variables=_object(request, "variables"),
        mocked=mock is not None,
        result=None if mock is None or "result" not in mock else _result(spec, mock, models),
        failure=None if mock is None else mock.get("errorOutput"),
        **_configuration(_object(request, "stateConfiguration")),
    )


def _object(request: dict[str, Any], field: str) -> dict[str, Any]:
    found = request.get(field, {})
    if not isinstance(found, dict):
        refuse(f"{field} must be an object")
    return found


def _configuration(configured: dict[str, Any]) -> dict[str, Any]:
    items = configured.get("mapItemReaderData")
    return {
        "failed_iterations": _count(configured, "mapIterationFailureCount"),
        "retries": _count(configured, "retrierRetryCount"),
        "items": items if items is None or isinstance(items, str) else json_text(items),
    }


def _count(configured: dict[str, Any], field: str) -> int:
    found = configured.get(field, 0)
    if not isinstance(found, int) or isinstance(found, bool) or found < 0:
        refuse(f"{field} must be an integer of 0 or more")
    return found


# --- the mock ----------------------------------------------------------------------------------------------------


def _waits(spec: dict[str, Any]) -> bool:
    resource = spec.get("Resource", "")
    return spec["Type"] == "Task" and (SYNC in resource or resource.endswith(TOKEN))


def _check_unmocked(spec: dict[str, Any], request: dict[str, Any]) -> None:
    if spec["Type"] in {"Map", "Parallel"}:
        raise RequestRefused(
            "InvalidDefinition",
            "TestState API does not support Map or Parallel states. "
            "Supported state types include: [Task, Wait, Pass, Succeed, Fail, Choice]",
        )
    if spec["Type"] == "Task":
        if not request.get("roleArn"):
            refuse("RoleArn must be specified when testing a Task state")
        if _waits(spec) or ":activity:" in spec.get("Resource", ""):
            refuse("TestState supports Activity, .sync and .waitForTaskToken Tasks only when a mock is specified")


def _check_mock(spec: dict[str, Any], mock: Any, request: dict[str, Any]) -> None:  # noqa: ANN401 - any JSON
    if not isinstance(mock, dict) or ("result" in mock) == ("errorOutput" in mock):
        refuse("A test mock should have only one of the following fields: [result, errorOutput].")
    if unknown := mock.keys() - {"result", "errorOutput", "fieldValidationMode"}:
        refuse(f"A test mock does not have the field '{min(unknown)}'")
    if mock.get("fieldValidationMode", "STRICT") not in MODES:
        refuse(f"fieldValidationMode must be one of {', '.join(MODES)}")
    if request.get("revealSecrets"):
        refuse("TestState does not support RevealSecrets when a mock is specified.")
    if spec["Type"] not in _MOCKED:
        refuse(f"State type '{spec['Type']}' is not supported when a mock is specified")
    error = mock.get("errorOutput", {})
    if not isinstance(error, dict) or not all(isinstance(text, str) for text in error.values()):
        refuse("errorOutput must be an object of texts: error, cause")


def _result(spec: dict[str, Any], mock: dict[str, Any], models: ServiceModels | None) -> Json:
    """The mocked result: the API takes it as JSON text, and so do we; a value that is not text is taken as it is."""
    found = mock["result"]
    if isinstance(found, str):
        try:
            found = msgspec.json.decode(found)
        except (msgspec.DecodeError, RecursionError):
            refuse("Mocked result must be valid JSON")
    _check_form(spec, found)
    if (fault := check_result(spec, found, mock.get("fieldValidationMode", "STRICT"), models)) is not None:
        refuse(f"Mock result schema validation error: {fault}")
    return found


def _check_form(spec: dict[str, Any], result: Json) -> None:
    """A Map answers a list (with a ResultWriter an object), a Parallel one result for each branch."""
    if spec["Type"] == "Map" and "ResultWriter" not in spec and not isinstance(result, list):
        refuse("Mocked result must be an array.")
    if spec["Type"] == "Parallel":
        if not isinstance(result, list):
            refuse("Mocked result must be an array.")
        if len(result) != len(spec.get(BRANCHES, [])):
            refuse("Mocked result must contain the same number of items as number of Parallel branches.")
