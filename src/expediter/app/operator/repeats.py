"""A request of an operator that comes twice under one key (``Idempotency-Key``) is carried out once."""

from collections.abc import Callable
from typing import NamedTuple

from expediter.app.operator.services import OperatorServices
from expediter.domain.errors import IdempotencyKeyReused, OrderError

#: Milliseconds for which a key is remembered: a week.
REMEMBERED = 7 * 86_400_000


class RequestCutOff(OrderError):
    """The same request under this key is under way or was cut off. See what it has done, then use a new key."""


class Answer(NamedTuple):
    """``replayed``: the request was carried out before, and this is the first answer."""

    body: bytes
    replayed: bool


def once(services: OperatorServices, key: str | None, asked: str, act: Callable[[], bytes]) -> Answer:
    """Acts, unless the same was done under this key before. Without a key it always acts.

    ``asked``: the hash of the request. Raises IdempotencyKeyReused, and what the act raises: then the key stays free.
    """
    if key is None:
        return Answer(act(), replayed=False)
    services.answered.forget(services.work.now - REMEMBERED)
    if found := services.answered.find(key):
        if found[0] != asked:
            raise IdempotencyKeyReused
        return Answer(found[1], replayed=True)
    body = act()
    services.answered.keep(key, asked, body, services.work.now)
    return Answer(body, replayed=False)
