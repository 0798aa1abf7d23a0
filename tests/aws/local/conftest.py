"""The stack, up once for all its journeys."""

import json
import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.bundle import Target, bundle
from tests.aws.local.town import Town, standing
from tests.support.town import Town as Outside
from tests.support.town import standing as outside_standing

#: The bundle for this machine, from the same lock as the one that is deployed.
HERE = Target(f"{sys.version_info.major}.{sys.version_info.minor}", platform.machine())


@pytest.fixture(scope="session")
def outside() -> Iterator[Outside]:
    with outside_standing() as found:
        yield found


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Any:
    from infra.app import application  # noqa: PLC0415  # importing it starts Node

    folder = tmp_path_factory.mktemp("cdk")
    application("dev", folder).synth()
    return json.loads((folder / "Orders-dev.template.json").read_text())


# Not for the whole session: it is a dozen processes.
@pytest.fixture(scope="module")
def town(template: Any, outside: Outside, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    code: Path = bundle(tmp_path_factory.mktemp("bundle") / "code", HERE)
    providers = {"Payments": outside.settings["PAYMENTS"], "Restaurant": outside.settings["RESTAURANT"]}
    with standing(template, code, Email="operators@example.com", HoldSeconds="0", **providers) as found:
        yield found
