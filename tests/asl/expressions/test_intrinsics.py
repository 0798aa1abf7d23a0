"""States.* functions: values, limits, and what is refused before anything runs."""

import re
from typing import Any

import pytest

from expediter.asl import DefinitionInvalid
from tests.asl.helpers import call, run_state


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("States.Format('{} of {}', 1, 'two')", "1 of two"),
        ("  States.Format('{}', 1) ", "1"),
        ("States.Format('kept \\{\\} {}', true)", "kept {} true"),
        ("States.Format($.template, null)", "<null>"),
        ("States.Format('{}', $.object)", "{b=1.5, a=[true]}"),
        ("States.Format('{} {}', $.mixed, $.lists)", "[1, 1, 1.0, null] [[1, 2]]"),
        ("States.StringToJson('[1, null]')", [1, None]),
        ("States.StringToJson('  ')", None),
        ("States.JsonToString($.object)", '{"b":1.5,"a":[true]}'),
        ("States.Array()", []),
        ("States.Array(1, 'it\\'s', $.object.a)", [1, "it's", [True]]),
        ("States.ArrayPartition(States.ArrayRange(1, 5, 1), 2)", [[1, 2], [3, 4], [5]]),
        ("States.ArrayContains($.mixed, 1.0)", True),
        ("States.ArrayContains($.mixed, true)", False),
        ("States.ArrayContains($.lists, States.Array(1))", False),
        ("States.ArrayContains($.lists, States.Array(1.0, 2))", True),
        ("States.ArrayRange(5, 1, -2)", [5, 3, 1]),
        ("States.ArrayGetItem($.mixed, 1)", "1"),
        ("States.ArrayLength($.mixed)", 4),
        ("States.ArrayUnique($.mixed)", [1, "1", None]),
        ("States.Base64Encode('héllo')", "aMOpbGxv"),
        ("States.Base64Decode('aMOpbGxv')", "héllo"),
        ("States.Hash('input', 'MD5')", "a43c1b0aa53a0c908810c06ab1ff3967"),
        ("States.JsonMerge($.object, States.StringToJson('{\"b\":2}'), false)", {"b": 2, "a": [True]}),
        ("States.MathAdd(1.5, -0.5)", 2),
        ("States.MathAdd(-1.5, 0)", -1),
        ("States.StringSplit('a.b+c..d', '.+')", ["a", "b", "c", "d"]),
        ("States.StringSplit(',,', ',')", []),
    ],
)
def test_a_function_yields_what_aws_yields(text: str, value: Any) -> None:
    given = {"template": "<{}>", "object": {"b": 1.5, "a": [True]}, "mixed": [1, "1", 1.0, None], "lists": [[1, 2]]}

    assert call(text, given) == value


def test_chance_follows_from_the_seed_of_the_event_and_varies_within_it() -> None:
    state = {"Type": "Pass", "Parameters": {"a.$": "States.UUID()", "b.$": "States.UUID()"}}

    first, again, other = run_state(state, seed=1), run_state(state, seed=1), run_state(state, seed=2)

    assert first.output == again.output
    assert first.output != other.output
    assert first.output["a"] != first.output["b"]
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", first.output["a"])


def test_a_random_number_lies_in_its_range_and_a_seed_of_the_author_fixes_it() -> None:
    numbers = {call(f"States.MathRandom(3, 6, {seed})") for seed in range(40)}

    assert numbers == {3, 4, 5}
    assert call("States.MathRandom(0, 1000, 7)") == call("States.MathRandom(0, 1000, 7)")


def test_a_range_may_have_a_thousand_elements() -> None:
    assert len(call("States.ArrayRange(1, 1000, 1)")) == 1000


@pytest.mark.parametrize(
    "text",
    [
        "States.ArrayRange(1, 1001, 1)",
        "States.MathAdd('1', 2)",
        "States.ArrayGetItem(States.Array(1), 1)",
        "States.ArrayRange(1, 5000, 1)",
        "States.ArrayPartition(States.Array(1), 0)",
        "States.StringToJson('{')",
        "States.JsonMerge(States.Array(), States.Array(), false)",
        "States.Base64Decode('?')",
        "States.Base64Decode('é')",
        "States.Hash('x', 'CRC')",
        "States.Format('{}{}', 1)",
        "States.ArrayLength('text')",
    ],
)
def test_arguments_that_do_not_fit_fail_the_state_in_a_way_that_catch_can_handle(text: str) -> None:
    done = run_state({"Type": "Pass", "Parameters": {"value.$": text}})

    assert (done.status, done.error) == ("FAILED", "States.IntrinsicFailure")
    assert text.partition("(")[0] in str(done.cause)


@pytest.mark.parametrize(
    "text",
    [
        "States.Nonsense(1)",
        "States.Format()",
        "States.Array(1, 2",
        "States.Array(1 2)",
        "States.Array('a\\\"b')",
        "States.UUID(1)",
        "States.Array($.)",
        "States.Array(nothing)",
        "States.UUID() and more",
    ],
)
def test_a_call_with_a_fault_is_refused_when_the_definition_is_read(text: str) -> None:
    with pytest.raises(DefinitionInvalid) as invalid:
        run_state({"Type": "Pass", "Parameters": {"inner": [{"value.$": text}]}})

    (fault,) = invalid.value.faults
    assert fault.path == "States.Only.Parameters.inner[0].value.$"
    assert "valid intrinsic function call" in fault.message
