"""The client's idempotency key: a UUID, which becomes the order's id."""

import re

from expediter.domain.errors import Fault, OrderInvalid

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def order_id(key: str, path: str) -> str:
    """The id of the order sent under ``key``. Raises OrderInvalid (at ``path``) unless it is a UUID."""
    bare = key[1:-1] if len(key) > 1 and key[0] == key[-1] == '"' else key
    if not _UUID.fullmatch(bare.lower()):
        raise OrderInvalid((Fault(path, "give a UUID, one for each new order"),))
    return bare.lower()
