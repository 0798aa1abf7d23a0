"""``python -m bench.core`` measures machines that the compiler takes."""

import pytest

from bench.core import subjects


@pytest.mark.parametrize("key", subjects(), ids=lambda key: key[0])
def test_every_row_of_the_core_figures_runs(key: tuple[str, str]) -> None:
    assert subjects()[key]() > 0
