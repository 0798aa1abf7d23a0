"""Stories of the console run in one event loop each."""

import pytest


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
