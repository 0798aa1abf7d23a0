"""Laws of ResultPath and Parameters, for any JSON: https://states-language.net/#filters."""

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from expediter.asl import simulate
from expediter.asl.simulation import Simulation

keys = st.sampled_from(["a", "b", "item_1", "umläut", "with space"])  # few, so that paths meet what is there
scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=10)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3), max_leaves=8
)
objects = st.dictionaries(keys, values, max_size=4)
paths = st.lists(keys, min_size=1, max_size=3)


def run(state: dict[str, Any], given_: Any) -> Simulation:
    definition = {"StartAt": "Only", "States": {"Only": {"Type": "Pass", "End": True, **state}}}
    return simulate(definition, given_)


def passed(state: dict[str, Any], given_: Any) -> Any:
    ran = run(state, given_)
    assert ran.status == "SUCCEEDED", ran
    return ran.output


class Conflict(Exception):
    """A text, a number or a list stands where the path needs an object."""


def placed(into: Any, path: list[str], value: Any) -> Any:
    """What the law says: objects on the way are kept, where there is none one is made."""
    if not path:
        return value
    if into is not None and not isinstance(into, dict):
        raise Conflict
    (first, *rest) = path
    there = into or {}
    return {**there, first: placed(there.get(first), rest, value)}


def reference(path: list[str]) -> str:
    return "$" + "".join(f"['{name}']" for name in path)


@given(given_=objects, path=paths, result=values)
def test_a_result_is_placed_at_its_path_and_the_rest_of_the_input_stays(given_: Any, path: Any, result: Any) -> None:
    before = copy.deepcopy(given_)

    ran = run({"Result": result, "ResultPath": reference(path)}, given_)

    try:
        assert ran.output == placed(before, path, result)
    except Conflict:
        assert (ran.status, ran.error) == ("FAILED", "States.ReferencePathConflict")
    assert given_ == before


def test_a_result_without_a_place_fails_in_the_words_of_aws() -> None:
    ran = run({"Result": 1, "ResultPath": "$.someTaskResult"}, "input1")

    assert (ran.error, ran.cause) == (
        "States.ReferencePathConflict",
        'Unable to apply ReferencePath $.someTaskResult to input "input1"',
    )


@given(given_=objects, result=values)
def test_a_null_result_path_keeps_the_input_and_the_root_path_the_result(given_: Any, result: Any) -> None:
    assert passed({"Result": result, "ResultPath": None}, given_) == given_
    assert passed({"Result": result, "ResultPath": "$"}, given_) == result


@given(given_=objects, path=paths, value=values, literal=values, names=st.lists(keys, min_size=2, unique=True))
def test_parameters_take_what_stands_at_a_path_and_leave_literals_alone(
    given_: Any, path: Any, value: Any, literal: Any, names: Any
) -> None:
    taken, kept = names[:2]
    template = {f"{taken}.$": reference(path), kept: {"deep": [literal, {"as it": "is"}]}}

    output = passed({"Parameters": template}, {**given_, **placed({}, path, value)})

    assert output == {taken: value, kept: {"deep": [literal, {"as it": "is"}]}}


@given(given_=objects, path=paths, value=values)
def test_an_input_path_followed_by_an_output_path_goes_where_both_lead(given_: Any, path: Any, value: Any) -> None:
    whole = reference(path)

    assert passed({"InputPath": whole}, {**given_, **placed({}, path, value)}) == value
    assert passed({"OutputPath": whole}, {**given_, **placed({}, path, value)}) == value
