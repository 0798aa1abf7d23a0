"""Compiles the states of a definition: one function for each state type, in one table.

Each function reads the fields of its type. The Reader collects every fault with its place.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from expediter.asl.compiler.dataflow import arguments, catch_output, finish, growth, result_only
from expediter.asl.compiler.reachability import check_level
from expediter.asl.compiler.reader import Notes, Reader
from expediter.asl.compiler.resources import check_credentials, check_resource
from expediter.asl.compiler.scalars import due, limits, text
from expediter.asl.compiler.slips import catches_all, warn_of_paths
from expediter.asl.compiler.unset_fields import check_choices
from expediter.asl.machine import BRANCHES, MACHINE_FIELDS, PROCESSOR_FIELDS, PROCESSORS
from expediter.asl.protocol import Json
from expediter.asl.states.parallel import Parallel
from expediter.asl.states.retry import Catcher, ErrorHandlers, Retrier
from expediter.asl.states.state import Arguments, Fail, Pass, State, Succeed, Wait
from expediter.asl.states.task import Task
from expediter.asl.texts import did_you_mean


class StateType(NamedTuple):
    """How a state type is compiled, and the fields it has beside those that every state has."""

    compile: Callable[[str, Reader], State]
    #: In both query languages, in JSONPath only, in JSONata only.
    both: tuple[str, ...]
    jsonpath: tuple[str, ...] = ()
    jsonata: tuple[str, ...] = ()
    #: Whether the state goes on: it then has exactly one of Next and End.
    goes_on: bool = True


def target_of(reader: Reader) -> str | None:
    """The state that Next names; None after ``End: true``."""
    ends = reader.take("End", bool, "a boolean", False)
    if reader.has("Next") == ends:
        reader.complain("", "Exactly one of these fields is required: [Next, End]")
        return None
    return None if ends else reader.text("Next")


def handlers_of(reader: Reader) -> ErrorHandlers:
    retriers = tuple(_retrier(entry) for entry in reader.objects("Retry"))
    catchers = tuple(_catcher(entry) for entry in reader.objects("Catch"))
    for field in ("Retry", "Catch"):
        _check_all(reader, field)
    return ErrorHandlers(retriers, catchers)


def _check_all(reader: Reader, field: str) -> None:
    """States.ALL must be alone in its list, in the last entry."""
    entries = reader.spec.get(field, [])
    for index, entry in enumerate(entries if isinstance(entries, list) else []):
        errors = entry.get("ErrorEquals") if isinstance(entry, dict) else None
        if not isinstance(errors, list) or "States.ALL" not in errors:
            continue
        if len(errors) > 1 or index < len(entries) - 1:
            reader.complain(f"{field}[{index}].ErrorEquals", "States.ALL must appear alone and at the end of the list")


def _errors(entry: Reader) -> tuple[str, ...]:
    found = entry.spec.get("ErrorEquals")
    if not isinstance(found, list) or not found or not all(isinstance(name, str) for name in found):
        entry.complain("ErrorEquals", "must be a non-empty array of strings")
        return ()
    return tuple(found)


def _retrier(entry: Reader) -> Retrier:
    entry.only(*_RETRY_FIELDS, "Comment")
    strategy = entry.text("JitterStrategy", "NONE")
    if strategy not in {"NONE", "FULL"}:
        entry.complain("JitterStrategy", "must be FULL or NONE")
    return Retrier(
        errors=_errors(entry),
        interval=entry.integer("IntervalSeconds", 1, 1),
        attempts=entry.integer("MaxAttempts", 3, 0),
        backoff=entry.number("BackoffRate", 2.0, 1),
        max_delay=entry.integer("MaxDelaySeconds", 1, 1, 31_622_400) if entry.has("MaxDelaySeconds") else None,
        jitter=strategy == "FULL",
    )


_RETRY_FIELDS = ("ErrorEquals", "IntervalSeconds", "MaxAttempts", "BackoffRate", "MaxDelaySeconds", "JitterStrategy")


def _catcher(entry: Reader) -> Catcher:
    entry.only("ErrorEquals", "Next", "Assign", "Comment", "Output" if entry.jsonata else "ResultPath")
    entry.require("Next")
    return Catcher(_errors(entry), entry.text("Next"), catch_output(entry))


# --- the state types ---------------------------------------------------------------------------------------------


def _pass(name: str, reader: Reader) -> State:
    target = target_of(reader)
    if reader.jsonata:
        return Pass(name, target, arguments(reader), finish(reader, has_result=False))
    shaped = arguments(reader, "Parameters")
    given = _result(reader.spec["Result"]) if reader.has("Result") else shaped
    ends = finish(reader, has_result=True)
    return Pass(name, target, given, ends, put=result_only(reader), growth=growth(reader))


def _result(value: Json) -> Arguments:
    return lambda _scope, _frame: value


def _succeed(name: str, reader: Reader) -> State:
    return Succeed(name, None, arguments(reader), finish(reader, has_result=False))


def _fail(name: str, reader: Reader) -> State:
    return Fail(name, arguments(reader), finish(reader, has_result=False), text(reader, "Error"), text(reader, "Cause"))


def _wait(name: str, reader: Reader) -> State:
    target = target_of(reader)
    return Wait(name, target, arguments(reader), finish(reader, has_result=False), due(reader))


def _choice(name: str, reader: Reader) -> State:
    from expediter.asl.compiler.conditions import choice  # noqa: PLC0415  # loaded by the first Choice, as Map is

    return choice(name, reader)


def _task(name: str, reader: Reader) -> State:
    reader.require("Resource")
    resource = reader.text("Resource")
    if reader.has("Resource"):
        reader.notes.resources.add(resource)
        check_resource(reader, resource)
    if not reader.spec.get("Catch") and not reader.notes.caught:
        reader.notes.uncaught.append(name)
    _check_times(reader)
    check_credentials(reader)
    return Task(
        name,
        target_of(reader),
        arguments(reader, "Arguments" if reader.jsonata else "Parameters"),
        finish(reader, has_result=True),
        handlers_of(reader),
        put=result_only(reader),
        resource=resource,
        limits=limits(reader),
        growth=growth(reader),
    )


def _check_times(reader: Reader) -> None:
    timeout, heartbeat = reader.spec.get("TimeoutSeconds"), reader.spec.get("HeartbeatSeconds")
    if isinstance(timeout, int) and isinstance(heartbeat, int) and heartbeat >= timeout:
        reader.complain("HeartbeatSeconds", "must be smaller than TimeoutSeconds")


def _parallel(name: str, reader: Reader) -> State:
    branches = reader.objects(BRANCHES)
    if not branches:
        reader.complain(BRANCHES, "must be a non-empty array of branches")
    return Parallel(
        name,
        target_of(reader),
        arguments(reader, "Arguments" if reader.jsonata else "Parameters"),
        finish(reader, has_result=True),
        handlers_of(reader),
        put=result_only(reader),
        starts=tuple(_inner(branch, MACHINE_FIELDS) for branch in branches),
    )


def _map(name: str, reader: Reader) -> State:
    # A fifth of the package: only a definition that has a Map imports it.
    from expediter.asl.compiler.map_fields import map_fields  # noqa: PLC0415
    from expediter.asl.states.map_ import Map  # noqa: PLC0415

    return Map(
        name,
        target_of(reader),
        arguments(reader),
        finish(reader, has_result=True),
        handlers_of(reader),
        put=result_only(reader),
        fields=map_fields(reader, partial(_inner, known=PROCESSOR_FIELDS)),
    )


def _inner(machine: Reader, known: tuple[str, ...]) -> str:
    """The machine inside a state; its states have the query language of the whole, not of the state around them."""
    machine.jsonata = machine.notes.jsonata
    machine.only(*known)
    compile_scope(machine)
    return machine.text("StartAt")


_ALWAYS = ("Type", "Comment", "QueryLanguage")
_PATHS = ("InputPath", "OutputPath")
_RESULT = ("ResultSelector", "ResultPath")
_HANDLED = ("Retry", "Catch")
_DISTRIBUTED = ("ItemReader", "ItemBatcher", "ResultWriter", "Label")
_NUMBERS = ("MaxConcurrency", "ToleratedFailureCount", "ToleratedFailurePercentage")

TYPES: dict[str, StateType] = {
    "Task": StateType(
        _task,
        ("Resource", "Assign", "TimeoutSeconds", "HeartbeatSeconds", "Credentials", *_HANDLED),
        ("Parameters", "TimeoutSecondsPath", "HeartbeatSecondsPath", *_PATHS, *_RESULT),
        ("Arguments", "Output"),
    ),
    "Pass": StateType(_pass, ("Assign",), ("Result", "Parameters", "ResultPath", *_PATHS), ("Output",)),
    "Choice": StateType(_choice, ("Choices", "Default", "Assign"), _PATHS, ("Output",), goes_on=False),
    "Wait": StateType(
        _wait, ("Seconds", "Timestamp", "Assign"), ("SecondsPath", "TimestampPath", *_PATHS), ("Output",)
    ),
    "Succeed": StateType(_succeed, (), _PATHS, ("Output",), goes_on=False),
    "Parallel": StateType(
        _parallel, (BRANCHES, "Assign", *_HANDLED), ("Parameters", *_PATHS, *_RESULT), ("Arguments", "Output")
    ),
    "Map": StateType(
        _map,
        (PROCESSORS[0], "ItemSelector", *_DISTRIBUTED, *_NUMBERS, "Assign", *_HANDLED),
        (*PROCESSORS[1:], "Parameters", "ItemsPath", *(f"{field}Path" for field in _NUMBERS), *_PATHS, *_RESULT),
        ("Items", "Output"),
    ),
    "Fail": StateType(_fail, ("Error", "Cause"), ("ErrorPath", "CausePath"), goes_on=False),
}


def compile_state(name: str, spec: Json, scope: Reader) -> State | None:
    """The compiled state, or None if it has no known Type."""
    reader = scope.inner(spec, f"States.{name}")
    reader.jsonata = _language(reader, scope)
    kind = reader.text("Type")
    if kind not in TYPES:
        reader.complain(
            "Type" if reader.has("Type") else "", f"Type must be one of {', '.join(TYPES)}{did_you_mean(kind, TYPES)}"
        )
        return None
    notes: Notes = reader.notes
    _check_name(reader, name, notes)
    _check_fields(reader, TYPES[kind])
    warn_of_paths(reader)
    outer, around = notes.state, notes.caught
    notes.state, notes.caught = name, around or catches_all(reader)
    state = TYPES[kind].compile(name, reader)
    notes.state, notes.caught = outer, around
    return state


def _check_name(reader: Reader, name: str, notes: Notes) -> None:
    if len(name) > 80:
        reader.complain("", "A state's name has at most 80 characters")
    if name in notes.names:
        reader.complain("", f"The state name '{name}' is used twice", "DUPLICATE_STATE_NAME")
    notes.names.add(name)


def _language(reader: Reader, scope: Reader) -> bool:
    language = reader.text("QueryLanguage", "JSONata" if scope.jsonata else "JSONPath")
    if language not in {"JSONPath", "JSONata"}:
        reader.complain("QueryLanguage", "must be JSONPath or JSONata")
    if scope.jsonata and language == "JSONPath":
        reader.complain("", "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine")
    return language == "JSONata"


def _check_fields(reader: Reader, kind: StateType) -> None:
    own, other = (kind.jsonata, kind.jsonpath) if reader.jsonata else (kind.jsonpath, kind.jsonata)
    known = (*_ALWAYS, *kind.both, *own, *(("Next", "End") if kind.goes_on else ()))
    language = "JSONata" if reader.jsonata else "JSONPath"
    for field in reader.spec:
        if field in other:
            reader.complain(field, f"The field '{field}' is not supported with the query language {language}")
    reader.only(*known, *other)


def _targets(spec: Json) -> Iterator[tuple[str, str]]:
    """Every field of a state that names the state to go to, and that name."""
    if not isinstance(spec, dict):
        return
    yield from ((field, spec[field]) for field in ("Next", "Default") if isinstance(spec.get(field), str))
    for field in ("Choices", "Catch"):
        entries = spec.get(field)
        for index, entry in enumerate(entries if isinstance(entries, list) else ()):
            if isinstance(entry, dict) and isinstance(entry.get("Next"), str):
                yield f"{field}[{index}].Next", entry["Next"]


def compile_scope(scope: Reader) -> None:
    """The states of a machine, branch or item processor, not yet linked; every target in it is checked."""
    scope.require("StartAt", "States")
    specs: dict[str, Json] = scope.take("States", dict, "an object", {})
    if scope.has("States") and not specs:
        scope.complain("States", "must hold at least one state")
    states = {name: compile_state(name, spec, scope) for name, spec in specs.items()}
    compiled = {name: state for name, state in states.items() if state is not None}
    scope.notes.states.update(compiled)
    start = scope.maybe_text("StartAt")
    if start is not None and start not in specs:
        scope.complain(
            "StartAt", f"There is no state '{start}'{did_you_mean(start, specs)}", "MISSING_TRANSITION_TARGET"
        )
    for name in compiled:
        for field, target in _targets(specs[name]):
            if target not in specs:
                message = f"There is no state '{target}' to go to{did_you_mean(target, specs)}"
                scope.complain(f"States.{name}.{field}", message, "MISSING_TRANSITION_TARGET")
    if len(compiled) == len(specs):  # a state that could not be read may lead anywhere
        check_level(scope, compiled, start)
    if not any(fault.severity == "error" for fault in scope.notes.faults):
        check_choices(scope, specs)  # only a guess, and only for a definition without errors
