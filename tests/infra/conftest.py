"""The synthesised stack, once per run. These tests need the AWS lock: `make test-aws` installs it and runs them."""

import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent

collect_ignore_glob = [] if find_spec("aws_cdk") and find_spec("moto") else ["*"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.heavy)


def synthesised(stage: str, folder: Path) -> Any:
    from infra.app import application  # noqa: PLC0415  # importing it starts Node

    application(stage, folder).synth()
    return json.loads((folder / f"Orders-{stage}.template.json").read_text())


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cdk")


@pytest.fixture(scope="session")
def original(folder: Path) -> Any:
    """The template of the stage dev as JSON. Tests of mutants change copies of it."""
    return synthesised("dev", folder)


@pytest.fixture
def template(original: Any) -> Iterator[Any]:
    before = json.dumps(original)
    yield original
    assert json.dumps(original) == before, "a test altered the template that all share"
