"""Run recorded cases and compare each answer with the answer of AWS.

The format is that of the conformance cases (their README): a case has ``definition``, ``input``, optionally
``task_mocks``, ``s3_objects``, ``stopped_by_api``, and ``expected``. The caller loads the files.
"""

import base64
import json
from typing import Any

import msgspec

from expediter.asl.compare import answer_differences, differences
from expediter.asl.compiler.definition import parse
from expediter.asl.errors import DefinitionInvalid
from expediter.asl.protocol import Json
from expediter.asl.simulation import CONTEXT, Unanswered, simulate
from expediter.asl.teststate.answer import run_state
from expediter.asl.teststate.mock_results import ServiceModels
from expediter.asl.texts import json_text


class Verdict(msgspec.Struct, frozen=True):
    """The result of one case, and for each part (status, output, error, cause, states_entered) what differs."""

    id: str
    group: str
    tier: str
    got: dict[str, Json]
    differs: dict[str, list[str]]

    @property
    def agrees(self) -> bool:
        """Status, output, error name and the states entered are equal; causes are counted on their own."""
        return not any(found for part, found in self.differs.items() if part != "cause")


def run_case(case: dict[str, Any], models: ServiceModels | None = None) -> Verdict | None:
    """Run one case. None: cases of this kind are not run here. ``models``: the forms that mocks of TestState must
    have."""
    if "request" in case:
        answer = run_state_case(case, models)
        return Verdict(case["id"], case["group"], "test_state", answer, answer_differences(case, answer))
    if "definition" not in case and "definition_text" not in case:
        return None
    if "status" in case["expected"]:
        got = run_execution(case)
    elif "accepted" in case["expected"]:
        got = check_definition(case)
    else:
        return None
    return Verdict(case["id"], case["group"], case.get("tier", "definition"), got, differences(case, got))


def run_execution(case: dict[str, Any]) -> dict[str, Json]:
    """Run an execution case: ``{status, output | error, cause, states_entered}``, and what else the case records."""
    objects: dict[str, dict[str, str | bytes]] = {}
    for found in case.get("s3_objects", []):
        objects.setdefault(found["bucket"], {})[found["key"]] = _body(found["body"])
    stop = (case["stopped_by_api"] or {}) if "stopped_by_api" in case else None
    try:
        done = simulate(
            parse(case["definition"], express=_is_express(case)),
            case.get("input"),
            mocks=case.get("task_mocks"),
            objects=objects,
            context=_context(case),
            stop=stop,
        )
    except (DefinitionInvalid, Unanswered, *_ENGINE_ERRORS) as error:
        return {"status": f"{type(error).__name__}: {error}"}
    got: dict[str, Json] = {"status": done.status, "states_entered": done.states_entered}
    if done.status == "SUCCEEDED":
        got["output"] = done.output
    for part in ("error", "cause"):
        if getattr(done, part) is not None:
            got[part] = getattr(done, part)
    if "trace" in case:
        got["trace"] = _trace(done.events)
    if "evaluation_failed" in case.get("expected", {}):
        failed = [event for event in done.events if event["type"] == "EvaluationFailed"]
        got["evaluation_failed"] = [event["evaluationFailedEventDetails"] for event in failed]
    return got


def _trace(events: list[dict[str, Json]]) -> list[Json]:
    """Each state entered with its input, and left with its output and the variables it assigned."""
    trace: list[Json] = []
    for event in events:
        if event["type"].endswith("StateEntered"):
            details = event["stateEnteredEventDetails"]
            trace.append({"enter": details["name"], "input": json.loads(details["input"])})
        elif event["type"].endswith("StateExited"):
            details = event["stateExitedEventDetails"]
            step = {"exit": details["name"], "output": json.loads(details["output"])}
            assigned = details.get("assignedVariables")
            if assigned:
                step["assigned"] = {name: json.loads(text) for name, text in assigned.items()}
            trace.append(step)
    return trace


def _body(body: Json) -> str | bytes:
    """An object's content: a text, or ``{"Base64": …}``; any other JSON stands for its text."""
    if isinstance(body, str):
        return body
    if isinstance(body, dict) and body.keys() == {"Base64"}:
        return base64.b64decode(body["Base64"])
    return json_text(body)


#: What an error in the engine itself would raise. Such a case disagrees, and the other cases still run.
_ENGINE_ERRORS = (
    ArithmeticError,
    AttributeError,
    LookupError,
    NotImplementedError,
    RecursionError,
    TypeError,
    ValueError,
)


def _is_express(case: dict[str, Any]) -> bool:
    return case.get("workflow_type") == "EXPRESS"


def _context(case: dict[str, Any]) -> dict[str, Json]:
    """An Express execution has another kind of name, and no RedriveCount if its caller waits for it (``sync``)."""
    if not _is_express(case):
        return CONTEXT
    execution = CONTEXT["Execution"].copy()
    if case.get("recorded_from") == "sync":
        del execution["RedriveCount"]
    execution["Id"] = "arn:aws:states:us-east-1:111111111111:express:simulated:execution:1"
    return {**CONTEXT, "Execution": execution}


def run_state_case(case: dict[str, Any], models: ServiceModels | None) -> dict[str, Json]:
    """Run a TestState case.

    A recording has neither the role nor the answer of a service, so a Task without a mock is given the recorded output.
    """
    request, expected = case["request"], case["expected"]
    if "mock" in request or "api_error" in expected:
        return run_state(request, models=models)
    answered = expected.get("inspectionData", {}).get("result", expected.get("output"))
    return run_state({**request, "roleArn": CONTEXT["Execution"]["RoleArn"]}, models=models, answered=answered)


def check_definition(case: dict[str, Any]) -> dict[str, Json]:
    """Read a definition case: ``{accepted, faults, variableReferences}``."""
    definition = case.get("definition", case.get("definition_text"))
    try:
        machine = parse(definition, express=_is_express(case))
    except DefinitionInvalid as invalid:
        return {"accepted": False, "faults": [str(fault) for fault in invalid.faults]}
    return {"accepted": True, "variableReferences": machine.variables}
