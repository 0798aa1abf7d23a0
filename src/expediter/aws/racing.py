"""A request and the workflow may write one order at the same moment. The second one reads the order again."""

from collections.abc import Callable
from typing import TypeVar

from expediter.domain.errors import OrderChanged

Answer = TypeVar("Answer")

#: An order is written a dozen times in its life: more in a row than this are no race any more.
TRIES = 5


def settled(request: Callable[[], Answer]) -> Answer:
    """What the request gives when it comes to its turn. Raises OrderChanged when it never does, and what it raises.

    Each try reads the order as it is by then, so that one machine and AWS answer alike: a cancel that meets the end of
    the hold is either in time or OrderAlreadySent, not "try again".
    """
    for _ in range(TRIES - 1):
        try:
            return request()
        except OrderChanged:
            continue
    return request()
