"""Work that may take long can be interrupted, and has an end: long evaluations, large paths, many large parts."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from expediter.asl import Steps, fixed_context, parse
from expediter.asl.execution import Execution, new_execution
from expediter.asl.protocol import Started

LARGE = [{"x": number, "y": [number, number]} for number in range(3_000)]


def one_state(**fields: Any) -> Any:
    return parse({"StartAt": "S", "States": {"S": {"Type": "Pass", "End": True, **fields}}})


def run(machine: Any, given: Any, pause: Callable[[], None] = lambda: None) -> Execution:
    steps = Steps(machine, new_execution(), pause=pause)
    steps.take(Started(at=0, seed=1, input=given, context=fixed_context({})))
    return steps.freeze()


SUM = one_state(QueryLanguage="JSONata", Output="{% $sum([1..1000].($ * $states.input)) %}")


def test_a_long_evaluation_is_interrupted_again_and_again() -> None:
    pauses: list[int] = []
    assert run(SUM, 2, lambda: pauses.append(1)).output == 1_001_000
    assert len(pauses) >= 5


def test_while_an_evaluation_is_interrupted_others_of_the_same_expression_begin_and_end() -> None:
    inner: list[Any] = []

    def pause() -> None:
        if len(inner) < 20:
            inner.append(run(SUM, 3).output)

    assert run(SUM, 2, pause).output == 1_001_000
    assert len(inner) > 3
    assert set(inner) == {1_501_500}


def test_an_expression_is_evaluated_in_a_thread_that_did_not_compile_it() -> None:
    with ThreadPoolExecutor(1) as threads:
        assert threads.submit(run, SUM, 2).result().output == 1_001_000


def test_an_evaluation_that_is_broken_off_leaves_the_expression_as_it_was() -> None:
    class Broken(BaseException):
        pass

    pauses: list[int] = []

    def pause() -> None:
        pauses.append(1)
        if len(pauses) == 4:
            raise Broken

    with pytest.raises(Broken):
        run(SUM, 2, pause)
    assert run(SUM, 2).output == 1_001_000


@pytest.mark.parametrize("path", ["$[?(@.x in $..*)]", "$[?(@.y in $[*].y)]"])
def test_a_path_that_looks_at_too_much_fails_its_state(path: str) -> None:
    pauses: list[int] = []
    ended = run(one_state(Parameters={"found.$": path}), LARGE, lambda: pauses.append(1))
    assert (ended.status, ended.error) == ("FAILED", "States.Runtime")
    assert "looks at more than" in (ended.cause or "")
    assert len(pauses) > 50


def test_a_path_over_all_of_a_large_value_is_read() -> None:
    ended = run(one_state(Parameters={"found.$": "$..[?(@.x == 7)]"}), LARGE)
    assert ended.output == {"found": [{"x": 7, "y": [7, 7]}, {"x": 7, "y": [7, 7]}]}


MANY = 100
PARTS = {
    "a template": {f"f{number}.$": "$" for number in range(MANY)},
    "an array": {"all.$": f"States.Array({', '.join(['$'] * MANY)})"},
    "calls": {f"f{number}.$": "States.StringToJson(States.JsonToString($))" for number in range(MANY)},
    "in each other": {"a": {f"f{number}.$": "$" for number in range(MANY)}},
}


@pytest.mark.parametrize("parameters", PARTS.values(), ids=PARTS)
def test_many_parts_that_are_too_large_together_fail_before_they_are_all_made(parameters: dict[str, Any]) -> None:
    pauses: list[int] = []
    ended = run(one_state(Parameters=parameters), LARGE, lambda: pauses.append(1))
    assert ended.error == "States.DataLimitExceeded"
    assert len(pauses) < MANY


def test_many_small_parts_are_a_value() -> None:
    ended = run(one_state(Parameters={f"f{number}.$": "$.a" for number in range(MANY)}), {"a": 1})
    assert ended.output == {f"f{number}": 1 for number in range(MANY)}
