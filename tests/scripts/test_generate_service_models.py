"""The table of the forms of AWS's answers is what its script makes of botocore's models."""

import json
from importlib.metadata import version

import pytest

pytest.importorskip("botocore")

from expediter.cli.commands.workflow.service_models import TABLE
from scripts.generate_service_models import RECORDED, answers, table, text

#: botocore comes with the AWS lock: `make test-aws` runs these.
pytestmark = pytest.mark.heavy


def test_the_table_is_what_the_script_writes() -> None:
    kept = TABLE.read_text(encoding="utf-8")
    if f"botocore {version('botocore')} " not in json.loads(kept)["notice"]:
        pytest.skip("it is of another botocore: run scripts/generate_service_models.py")

    assert text(table()) == kept


def test_only_what_a_check_needs_is_kept() -> None:
    shapes = {
        "Out": {"type": "structure", "required": ["a"], "members": {"a": {"shape": "Size", "documentation": "x"}}},
        "Size": {"type": "integer", "max": 3, "documentation": "y"},
        "In": {"type": "string"},
    }
    model = {"operations": {"Do": {"input": {"shape": "In"}, "output": {"shape": "Out"}}, "No": {}}, "shapes": shapes}

    found = answers(model, {"Do"})

    assert found["operations"] == {"Do": {"output": {"shape": "Out"}}}
    assert found["shapes"]["Size"] == {"type": "integer", "max": 3}
    assert sorted(found["shapes"]) == ["Out", "Size"]
    assert RECORDED[("lambda", "MemorySize")] == {"max": 10_240}
