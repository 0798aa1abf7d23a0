"""Short ways to try one state or one machine."""

from typing import Any

from expediter.asl.simulation import Simulation, simulate


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
