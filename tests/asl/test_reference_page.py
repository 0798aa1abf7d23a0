"""The reference page lists what there is."""

from pathlib import Path

from expediter.asl.compiler.conditions import OPERATORS
from expediter.asl.compiler.state_types import TYPES
from expediter.asl.expressions.intrinsics import INTRINSICS
from expediter.asl.expressions.jsonata.functions import FUNCTIONS
from expediter.asl.states.integrations import ACTIONS

PAGE = (Path(__file__).parents[2] / "docs/reference/states-language.md").read_text(encoding="utf-8")


def test_every_field_of_every_state_type_is_listed_under_its_type() -> None:
    for name, kind in TYPES.items():
        section = PAGE.partition(f"\n### {name}\n")[2].partition("\n### ")[0]

        assert [field for field in (*kind.both, *kind.jsonpath, *kind.jsonata) if f"| `{field}` |" not in section] == []


def test_every_function_and_operator_is_listed() -> None:
    names = [*INTRINSICS, *OPERATORS, *(f"${name}" for name in FUNCTIONS)]

    assert [name for name in names if f"| `{name}` |" not in PAGE] == []


def test_every_service_is_listed_with_its_actions_and_the_ways_to_call_them() -> None:
    rows = {line.split("`")[1]: line for line in PAGE.splitlines() if line.startswith("| `arn:aws:states:::")}

    for service, actions in ACTIONS.items():
        _, named, called, _, _ = rows[f"arn:aws:states:::{service}:"].split("|")
        ways = {way for action in actions.values() for way in action}

        assert named.split("`")[3::2] == list(actions)
        assert set(called.split("`")[1::2]) == ways
