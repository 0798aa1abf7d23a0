"""Retries a request when the workflow changed the same order at the same moment."""

from collections.abc import Callable
from typing import TypeVar

from expediter.domain.errors import OrderChanged

Answer = TypeVar("Answer")

#: Tries at most. An order is written a dozen times in its life, so more tries cannot come from a race.
TRIES = 5


def settled(request: Callable[[], Answer]) -> Answer:
    """The result of the request. Raises what it raises, and OrderChanged when every try met another write.

    Each try reads the order again. So AWS answers like one machine: a cancel at the end of the hold is in time or gets
    OrderAlreadySent, never "try again".
    """
    for _ in range(TRIES - 1):
        try:
            return request()
        except OrderChanged:
            continue
    return request()
