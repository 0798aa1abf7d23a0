"""The synthesised stack. These tests need the AWS lock: `make test-aws` installs it and runs them."""

import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.infra.made import Made

HERE = Path(__file__).parent

collect_ignore_glob = [] if find_spec("aws_cdk") and find_spec("moto") else ["*"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.heavy)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return Made(tmp_path_factory)


@pytest.fixture(scope="session")
def original(made: Made) -> Any:
    """The template of the stage dev as JSON. Tests of mutants change copies of it."""
    return made.read()


@pytest.fixture
def template(original: Any) -> Iterator[Any]:
    before = json.dumps(original)
    yield original
    assert json.dumps(original) == before, "a test altered the template that all share"
