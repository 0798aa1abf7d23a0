"""These tests need the AWS lock (requirements/aws.txt): `make test-aws` installs it and runs them."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

HERE = Path(__file__).parent

# Without the AWS lock there is nothing here to collect; `make test` stays light.
collect_ignore_glob = [] if find_spec("boto3") and find_spec("moto") else ["*"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.heavy)


if not collect_ignore_glob:
    from tests.aws.stage import Functions, reset
    from tests.aws.world import AwsAdapters
    from tests.infra.made import Made

    @pytest.fixture(scope="session")
    def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
        """What is made once for all processes of the run."""
        return Made(tmp_path_factory)

    @pytest.fixture
    def adapters() -> Iterator[AwsAdapters]:
        """The second adapter set, over moto."""
        found = AwsAdapters()
        yield found
        found.close()

    @pytest.fixture
    def functions(adapters: AwsAdapters, monkeypatch: pytest.MonkeyPatch) -> Iterator[Functions]:
        """The Lambda functions in this process, over moto."""
        yield Functions(adapters, monkeypatch)
        reset()
