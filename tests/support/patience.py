"""Waiting in real time for what another process does: bounded, and saying what never came."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

#: Seconds after which what is waited for is said never to come. Well below pytest's own watchdog for heavy tests.
PATIENCE = 90.0
#: Seconds between two looks.
PAUSE = 0.05


def until(look: Callable[[], T], what: str, within: float = PATIENCE, pause: float = PAUSE) -> T:
    """What ``look`` gives once that is true."""
    end = time.monotonic() + within
    while not (found := look()):
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {within:g} s, the last look gave {found!r}")
        time.sleep(pause)
    return found
