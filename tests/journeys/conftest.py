"""Journeys share one bank and one restaurant: each order has an id, and scripts, of its own."""

from collections.abc import Iterator

import pytest

from tests.support.town import Town, standing


@pytest.fixture(scope="session")
def town() -> Iterator[Town]:
    with standing() as found:
        yield found
