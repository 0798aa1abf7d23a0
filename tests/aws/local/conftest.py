"""The stack, up once for all its journeys."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.aws.local.town import Town, standing
from tests.infra.made import Made
from tests.support.town import Town as Outside
from tests.support.town import standing as outside_standing


@pytest.fixture(scope="session")
def outside() -> Iterator[Outside]:
    with outside_standing() as found:
        yield found


@pytest.fixture(scope="session")
def template(made: Made) -> Any:
    return made.read()


# Not for the whole session: it is a dozen processes.
@pytest.fixture(scope="module")
def town(template: Any, made: Made, outside: Outside, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    providers = {"Payments": outside.settings["PAYMENTS"], "Restaurant": outside.settings["RESTAURANT"]}
    given = {"Email": "operators@example.com", "HoldSeconds": "0"}
    with standing(template, made.code(), tmp_path_factory.mktemp("town"), **given, **providers) as found:
        yield found
