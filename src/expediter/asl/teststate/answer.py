"""``run_state``: one state is run, and answered as AWS's TestState answers."""

from typing import Any

from expediter.asl.errors import StateFailure
from expediter.asl.protocol import Json, TaskFailed, TaskSucceeded
from expediter.asl.states.retry import ErrorHandlers, catcher_of, matches
from expediter.asl.teststate.definition import RequestRefused, machine_of
from expediter.asl.teststate.iterations import Iterations, exceeded, inspected, iterations
from expediter.asl.teststate.mock_results import ServiceModels
from expediter.asl.teststate.request import StateRequest, read_request
from expediter.asl.teststate.trial import START, Outcome, Trial, as_task, mocked_spec, run_once

_TASK = 1  # the number of the only task of a state under test


def run_state(
    request: dict[str, Any], *, models: ServiceModels | None = None, answered: Json = None
) -> dict[str, Json]:
    """Run one state and answer as AWS's TestState does: ``status``, ``output``, ``error``, ``inspectionData`` …

    ``request``: the fields of the API, where texts of JSON may also be given as the values they stand for.
    ``models``: the API models by which a mocked result is checked (``mock_results``); without them it is not.
    ``answered``: what the service of a Task without a mock answers (AWS calls it with the role ``roleArn``).
    A request that AWS refuses is answered with ``{"api_error": {"code": …, "message": …}}``.
    """
    try:
        return _answer(read_request(request, models), answered)
    except RequestRefused as refused:
        return {"api_error": {"code": refused.code, "message": refused.message}}


def _answer(request: StateRequest, answered: Json) -> dict[str, Json]:
    found = iterations(request)
    broken = request.kind == "Map" and found is None  # it fails before its first iteration
    spec = mocked_spec(request) if request.mocked and not broken else request.spec
    outcome = _outcome(request, found, answered)
    first = run_once(request, {key: value for key, value in spec.items() if key not in {"Retry", "Catch"}}, outcome)
    done = first if first.status == "SUCCEEDED" else run_once(request, spec, outcome)
    answer: dict[str, Json] = {"status": _status(first, done)}
    if done.status == "SUCCEEDED":
        answer["output"] = done.output
    if done.following is not None:
        answer["nextState"] = done.following
    if first.status == "FAILED":
        answer.update({part: text for part in ("error", "cause") if (text := getattr(first, part)) is not None})
    if request.level != "INFO":
        answer["inspectionData"] = {
            **_inspection(request, first, outcome),
            **({} if found is None else inspected(request, found)),
            **_variables(request, done),
            **_error_details(request, spec, first, done),
        }
    return answer


def _status(first: Trial, done: Trial) -> str:
    if done.status == "RUNNING":
        return "RETRIABLE"
    return "CAUGHT_ERROR" if first.status == "FAILED" and done.status == "SUCCEEDED" else done.status


def _outcome(request: StateRequest, found: Iterations | None, answered: Json) -> Outcome:
    """What the task of the state answers."""
    failure = request.failure
    if failure is None and found is not None:
        failure = exceeded(request, found)
    if failure is not None:
        return TaskFailed(START, 1, _TASK, failure.get("error"), failure.get("cause"))
    return TaskSucceeded(at=START, seed=1, task=_TASK, output=request.result if request.mocked else answered)


# --- inspection data ---------------------------------------------------------------------------------------------


def _inspection(request: StateRequest, first: Trial, outcome: Outcome) -> dict[str, Json]:
    """The data after each field of the state, up to where the state ended."""
    data: dict[str, Json] = {"input": request.input}
    called = request.kind == "Task" and first.asked is not None
    result = outcome.output if isinstance(outcome, TaskSucceeded) else None
    if called and isinstance(outcome, TaskSucceeded):
        data["result"] = result
    if request.jsonata:
        if called and first.asked is not None:
            data["afterArguments"] = first.asked.input
        return data
    if request.kind == "Pass" and "Result" in request.spec:
        data["result"] = result = request.spec["Result"]
    elif request.kind not in {"Map", "Parallel"}:
        data.update(_before(request))
        result = data.get("afterParameters") if request.kind == "Pass" else result
    if request.kind == "Pass" or (first.asked is not None and isinstance(outcome, TaskSucceeded)):
        data.update(_after(request, result))
    return data


def _before(request: StateRequest) -> dict[str, Json]:
    """InputPath and Parameters: what a Task with these fields alone would be called with."""
    fields = {"afterInputPath": ["InputPath"]}
    if request.kind in {"Task", "Pass"}:
        fields["afterParameters"] = ["InputPath", "Parameters"]
    asked = {name: run_once(request, as_task(request, *kept), None).asked for name, kept in fields.items()}
    return {name: task.input for name, task in asked.items() if task is not None}


def _after(request: StateRequest, result: Json) -> dict[str, Json]:
    """ResultSelector and ResultPath: what a Task with these fields alone would make of the result."""
    outcome = TaskSucceeded(at=START, seed=1, task=_TASK, output=result)
    fields = {"afterResultSelector": ["ResultSelector"], "afterResultPath": ["ResultSelector", "ResultPath"]}
    ended = {name: run_once(request, as_task(request, *kept), outcome) for name, kept in fields.items()}
    return {name: trial.output for name, trial in ended.items() if trial.status == "SUCCEEDED"}


def _variables(request: StateRequest, done: Trial) -> dict[str, Json]:
    variables = {**request.variables, **done.assigned}
    return {"variables": variables} if variables else {}


def _error_details(request: StateRequest, spec: dict[str, Any], first: Trial, done: Trial) -> dict[str, Json]:
    """Which entry of Retry and of Catch the error met, and the seconds until the retry."""
    if first.status != "FAILED":
        return {}
    handlers = machine_of(request.name, spec, jsonata=request.jsonata).states[request.name].handlers
    details = _retry(request, handlers, first, retried=done.status == "RUNNING")
    if done.status == "SUCCEEDED":
        catcher = catcher_of(handlers, StateFailure(first.error, first.cause))
        details["catchIndex"] = next(place for place, one in enumerate(handlers.catchers) if one is catcher)
    return {"errorDetails": details} if details else {}


def _retry(request: StateRequest, handlers: ErrorHandlers, first: Trial, *, retried: bool) -> dict[str, Json]:
    for place, retrier in enumerate(handlers.retriers):
        if matches(retrier.errors, first.error):
            seconds = retrier.delay(request.retries, 1) // 1000
            return {"retryIndex": place, **({"retryBackoffIntervalSeconds": seconds} if retried else {})}
    return {}
