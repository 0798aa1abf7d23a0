"""What JSONPath states compare, filter and compute ends soon, whatever it is given."""

from typing import Any

import pytest

from expediter.asl import DefinitionInvalid
from tests.asl.helpers import call, run_state, run_states

TEXT = "a" * 20_000


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("*a" * 40 + "*b", TEXT, False),
        ("*a" * 40 + "*", TEXT, True),
        ("a*a", "a", False),
        ("a*b*c", "a b\nb c", True),
        ("ab*ba", "aba", False),
        ("*", "", True),
    ],
)
def test_a_wildcard_finds_its_way_once(pattern: str, text: str, found: bool) -> None:
    rule = {"Variable": "$.text", "StringMatches": pattern, "Next": "Yes"}
    ends = {"Yes": {"Type": "Succeed"}, "No": {"Type": "Succeed"}}

    done = run_states({"Ask": {"Type": "Choice", "Choices": [rule], "Default": "No"}, **ends}, {"text": text})

    assert done.states_entered[-1] == ("Yes" if found else "No")


def test_a_regular_expression_in_a_filter_takes_linear_time() -> None:
    given = {"items": [{"name": "a" * 5_000 + "!"}, {"name": "aaa"}]}

    done = run_state({"Type": "Pass", "Parameters": {"found.$": "$.items[?(@.name =~ /(a+)+/)].name"}}, given)

    assert done.output == {"found": ["aaa"]}


def test_a_filter_with_a_regular_expression_that_looks_around_is_refused() -> None:
    with pytest.raises(DefinitionInvalid):
        run_state({"Type": "Pass", "Parameters": {"found.$": "$.items[?(@.name =~ /a(?=b)/)]"}})


def test_many_different_elements_are_told_apart_at_once() -> None:
    many = [[number % 7_000, {"k": number % 7_000}] for number in range(9_000)]

    assert len(call("States.ArrayUnique($.many)", {"many": many})) == 7_000
    assert call("States.ArrayUnique($.many)", {"many": [1, 1.0, True, "1", None, None]}) == [1, True, "1", None]


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("States.ArrayRange(0, 1000, 1)", {}),
        ("States.ArrayRange($.small, $.large, 1)", {"small": -1e300, "large": 1e300}),
        ("States.MathRandom(0, $.large)", {"large": 10**400}),
        ("States.Format('{}{}{}', $.text, $.text, $.text)", {"text": "a" * 100_000}),
        ("States.Hash($.text, 'SHA-512')", {"text": TEXT}),
        ("States.Base64Encode($.text)", {"text": TEXT}),
        ("States.StringToJson($.text)", {"text": "[" * 100_000}),
    ],
)
def test_what_a_function_cannot_do_is_an_intrinsicfailure(text: str, given: dict[str, Any]) -> None:
    done = run_state({"Type": "Pass", "Parameters": {"value.$": text}}, given)

    assert (done.status, done.error) == ("FAILED", "States.IntrinsicFailure")
