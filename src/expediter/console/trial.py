"""Tries out a definition: checks it, draws it, and runs it with prepared answers in virtual time.

A definition of an operator may take any time and memory. So this runs in a process of its own, with limits, and its
result comes back as JSON (``Trial``).
"""

from collections.abc import Mapping
from itertools import pairwise

import msgspec

from expediter.app.strict_json import decode
from expediter.asl import DefinitionInvalid, Fault, Json, Simulation, Unanswered, parse, simulate
from expediter.console.drawing.flow_graph import flow_graph

#: The fields of the form: the definition, and for a run the input and the answers, as JSON text.
FIELDS = ("definition", "input", "mocks")
#: States of a run that are listed one by one.
_LONGEST_WAY = 200


class Run(msgspec.Struct, frozen=True):
    """How a run ended. ``way``: the states that it entered, or the first of them; ``seconds``: of virtual time."""

    status: str
    output: Json
    error: str | None
    cause: str | None
    way: tuple[str, ...]
    states: int
    seconds: float


class Trial(msgspec.Struct, frozen=True):
    """The result of a trial: the definition's faults; or its graph (SVG), with how its run ended or why it could not
    run."""

    faults: tuple[Fault, ...] = ()
    problem: str = ""
    graph: str = ""
    run: Run | None = None


def tried(form: Mapping[str, str]) -> Trial:
    """Checks and draws the definition, and runs it when the form's ``act`` is ``run``."""
    try:
        machine = parse(form.get("definition", ""))
    except DefinitionInvalid as error:
        return Trial(error.faults)
    drawn = Trial(machine.warnings, graph=flow_graph(machine.definition))
    if form.get("act") != "run":
        return drawn
    try:
        told, mocks = _json(form.get("input", ""), "The input"), _json(form.get("mocks", ""), "The answers")
        result = simulate(machine, told, mocks=mocks)
    except (Unanswered, _NoJson) as error:
        return msgspec.structs.replace(drawn, problem=str(error))
    except (AttributeError, KeyError, TypeError) as error:  # answers of another shape than ``simulate`` describes
        return msgspec.structs.replace(drawn, problem=f"The answers have not the form that is asked for: {error}")
    return Trial(machine.warnings, graph=_walked(machine.definition, result), run=_told(result))


def _told(result: Simulation) -> Run:
    names = result.states_entered
    way = tuple(names[:_LONGEST_WAY])
    return Run(result.status, result.output, result.error, result.cause, way, len(names), result.seconds)


def _walked(definition: Json, result: Simulation) -> str:
    names = result.states_entered
    walked = dict.fromkeys(names, "done")
    if result.status != "SUCCEEDED" and names:
        walked[names[-1]] = "failed" if result.status != "RUNNING" else "current"
    return flow_graph(definition, walked, frozenset(pairwise(names)))


class _NoJson(ValueError):
    """A field of the form is not JSON. The text says which one and why."""


def _json(text: str, what: str) -> Json:
    try:
        return decode((text or "null").encode("utf-8", "replace"), object)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _NoJson(f"{what} is not JSON: {error}") from error
