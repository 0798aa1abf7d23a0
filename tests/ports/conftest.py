"""Every contract runs over every adapter set."""

from collections.abc import Iterator

import pytest

from tests.ports.adapters import ADAPTERS, Adapters
from tests.ports.providers import Caller, EmbeddedCaller


@pytest.fixture(params=ADAPTERS)
def adapters(request: pytest.FixtureRequest) -> Iterator[Adapters]:
    found = ADAPTERS[request.param]()
    yield found
    found.close()


@pytest.fixture
def caller() -> Caller:
    return EmbeddedCaller()
