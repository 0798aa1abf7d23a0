"""Files of cases: JSON lists in the format of the recorded cases, and of a user's own, which may leave things out."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

from expediter.asl import DefinitionInvalid, check_mocks, parse
from expediter.asl.texts import did_you_mean
from expediter.cli.commands.workflow.options import chosen, read
from expediter.cli.commands.workflow.reading.values import Unreadable


class NoCases(Unreadable):
    """A file could be read, and there are no cases in it."""


class _Object(msgspec.Struct):
    bucket: str
    key: str
    body: Any


class _Form(msgspec.Struct):
    """The fields of a case whose type matters."""

    expected: dict[str, Any]
    id: str | None = None
    group: str | None = None
    tier: str | None = None
    definition_file: str = ""
    definition_name: str = ""
    request: dict[str, Any] = {}
    workflow_type: Literal["STANDARD", "EXPRESS"] = "STANDARD"
    task_mocks: dict[str, list[dict[str, Any]]] = {}
    s3_objects: list[_Object] = []
    stopped_by_api: dict[str, Any] | None = None


_DEFINITIONS = ("definition", "definition_text", "definition_file", "request")
#: The fields of a case. A recorded one (it has ``recorded``) may have more.
_FIELDS = (
    *_DEFINITIONS,
    *(
        "definition_name",
        "id",
        "group",
        "tier",
        "comment",
        "workflow_type",
        "input",
        "task_mocks",
        "s3_objects",
        "stopped_by_api",
    ),
    *("expected", "trace", "fuzzy", "placeholder_tokens", "cause_reserialised", "recorded_from"),
)
_EXPECTED = ("status", "output", "error", "cause", "states_entered", "states_entered_order", "evaluation_failed")
_EXPECTED_OF_A_DEFINITION = ("accepted", "error_code", "message", "result", "diagnostics", "variableReferences")
_EXPECTED_OF_A_STATE = ("status", "output", "error", "cause", "nextState", "inspectionData", "api_error")
_REQUEST = (
    *("definition", "stateName", "input", "mock", "context", "variables", "stateConfiguration", "inspectionLevel"),
    *("roleArn", "revealSecrets"),
)
_STATUSES = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "RUNNING")


def load_cases(paths: list[Path]) -> Iterator[dict[str, Any] | Unreadable]:
    """The cases of each file, and in the place of one that is none why it is not. A folder may hold other files too."""
    for path in paths:
        for file in sorted(path.rglob("*.json")) if path.is_dir() else [path]:
            try:
                found = read(file)
            except Unreadable as error:
                yield error
                continue
            if file == path or _holds_cases(file, found):
                yield from _cases(file, found)


def _holds_cases(file: Path, found: object) -> bool:
    """Whether a file of a folder is one of cases: by its name, or because it has one."""
    listed = isinstance(found, list) and any(isinstance(case, dict) and "expected" in case for case in found)
    return listed or file.name.endswith(".cases.json")


def _cases(file: Path, found: object) -> Iterator[dict[str, Any] | Unreadable]:
    if not isinstance(found, list) or not found:
        yield NoCases(f"{file} holds no cases: a file of cases is a JSON list of objects with 'expected'")
        return
    for number, case in enumerate(found, 1):
        try:
            yield _checked(case, file, number)
        except Unreadable as error:
            place = f"{file}: case {number}"
            yield error if str(error).startswith(place) else Unreadable(f"{place}: {error}")


def _checked(case: Any, file: Path, number: int) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """The case with what it leaves out. Raises Unreadable."""
    if not isinstance(case, dict):
        raise Unreadable("must be an object")
    if "recorded" not in case:
        _only("", case, _FIELDS)
    try:
        msgspec.convert(case, _Form)
    except msgspec.ValidationError as error:
        raise Unreadable(str(error)) from error
    if not case.keys() & set(_DEFINITIONS):
        raise Unreadable("name its definition or definition_file")
    if "definition_name" in case and "definition_file" not in case:
        raise Unreadable("definition_name is a state machine of definition_file: name the file too")
    _check_expected(case)
    done = _completed(case, file, number)
    if case.get("task_mocks"):
        _check_mocks(done)
    return done


def _only(place: str, given: dict[str, Any], known: Iterable[str]) -> None:
    for field in given:
        if field not in known:
            raise Unreadable(f"{place}{field} is not a field of a case{did_you_mean(field, known)}")


def _check_expected(case: dict[str, Any]) -> None:
    expected = case["expected"]
    if "recorded" in case:
        return
    if "request" in case:
        _only("expected.", expected, _EXPECTED_OF_A_STATE)
        _only("request.", case["request"], _REQUEST)
        return
    _only("expected.", expected, (*_EXPECTED, *_EXPECTED_OF_A_DEFINITION))
    if not expected.keys() & {"status", "accepted"}:
        has = f"has {', '.join(sorted(expected))}, but no" if expected else "must have a"
        raise Unreadable(f"expected {has} status (or accepted, of a definition that is not run)")
    status = expected.get("status", "RUNNING")
    if status not in _STATUSES:
        near = did_you_mean(str(status), _STATUSES)
        raise Unreadable(f"expected.status must be one of {', '.join(_STATUSES)}{near}")
    if expected.get("states_entered_order", "exact") not in {"exact", "any"}:
        raise Unreadable("expected.states_entered_order must be exact or any")


def _completed(case: dict[str, Any], file: Path, number: int) -> dict[str, Any]:
    """A case of a user's own may name its ``definition_file`` (relative to the case) and leave out the rest.

    ``definition_name`` is the state machine, where the file is a template with several.
    """
    tier = "own" if "status" in case["expected"] else "definition"
    filled = {"id": f"{file.stem} {number}", "group": file.stem, "tier": tier, **case}
    if "states_entered" in case["expected"]:
        filled["expected"] = {"states_entered_order": "exact", **case["expected"]}
    if "definition_file" in case:
        source = chosen(file.parent / case["definition_file"], case.get("definition_name"))
        filled["definition"] = source.definition
        if source.express:
            filled.setdefault("workflow_type", "EXPRESS")
    return filled


def _check_mocks(case: dict[str, Any]) -> None:
    """The answers as those of the command line are checked. A definition that is not valid is the case's result."""
    try:
        machine = parse(case.get("definition", case.get("definition_text")))
    except DefinitionInvalid:
        return
    if faults := check_mocks(machine, case["task_mocks"]):
        raise Unreadable("; ".join(f"task_mocks.{fault.path}: {fault.message}" for fault in faults))
