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


def test_every_function_operator_and_service_is_listed() -> None:
    names = [*INTRINSICS, *OPERATORS, *(f"${name}" for name in FUNCTIONS)]

    assert [name for name in names if f"| `{name}` |" not in PAGE] == []
    assert [service for service in ACTIONS if f"arn:aws:states:::{service}:" not in PAGE] == []
