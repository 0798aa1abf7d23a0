"""Short ways to try one state or one machine."""

from typing import Any

import pytest

from expediter.asl import DefinitionInvalid, Fault, Simulation, parse, simulate

#: The shortest state that ends.
END = {"Type": "Pass", "End": True}


def only(state: dict[str, Any], **top: Any) -> dict[str, Any]:
    """A definition of this one state, with these fields of its own."""
    return {"StartAt": "One", "States": {"One": state}, **top}


def evaluating(expression: str) -> dict[str, Any]:
    """A definition whose one state evaluates this JSONata expression."""
    return only({"Type": "Pass", "Output": "{% " + expression + " %}", "End": True}, QueryLanguage="JSONata")


def faults(definition: Any, **options: Any) -> tuple[Fault, ...]:
    """The errors of a definition that is refused."""
    with pytest.raises(DefinitionInvalid) as invalid:
        parse(definition, **options)
    return tuple(fault for fault in invalid.value.faults if fault.severity == "error")


def places(definition: Any, **options: Any) -> list[str]:
    """Where the errors are."""
    return [fault.path for fault in faults(definition, **options)]


def run_state(state: dict[str, Any], given: Any = None, **more: Any) -> Simulation:
    """The outcome of a machine of this one state (``End`` is added where it is needed)."""
    ends = state["Type"] in {"Succeed", "Fail", "Choice"}
    spec = state if ends else {"End": True, **state}
    return simulate({"StartAt": "Only", "States": {"Only": spec}}, {} if given is None else given, **more)


def run_states(states: dict[str, Any], given: Any = None, *, language: str = "JSONPath", **more: Any) -> Simulation:
    """The outcome of a machine of these states, the first of them at the start."""
    definition = {"StartAt": next(iter(states)), "QueryLanguage": language, "States": states}
    return simulate(definition, {} if given is None else given, **more)


def jsonata(expression: str, given: Any = None, **more: Any) -> Simulation:
    """The outcome of a JSONata expression as a state's output."""
    state = {"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% " + expression + " %}"}
    return run_state(state, given, **more)


def call(text: str, given: Any = None) -> Any:
    """The value of an intrinsic function call; fails when the execution does."""
    done = run_state({"Type": "Pass", "Parameters": {"value.$": text}}, given)
    assert done.status == "SUCCEEDED", done.cause
    return done.output["value"]
