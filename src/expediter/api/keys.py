"""The client's idempotency key: a UUID. ``app.idempotency`` makes the order's id of it. An empty key is no key."""

from expediter.api.errors import RequestUnparsable
from expediter.domain.errors import Fault, OrderInvalid
from expediter.domain.ids import uuid_in


def order_id(key: str, path: str) -> str | None:
    """The id of the order sent under ``key``; None: the key is empty. Raises OrderInvalid (at ``path``) for no UUID."""
    bare = _bare(key)
    if not bare:
        return None
    if (found := uuid_in(bare)) is None:
        raise OrderInvalid((Fault(path, "give a UUID, one for each new order"),))
    return found


def order_id_in_header(value: str) -> str | None:
    """As ``order_id``, of the header Idempotency-Key; lines of one name come as one list (RFC 9110, 5.3).

    Raises RequestUnparsable too, when two different keys are given.
    """
    if "," in value:
        keys = {_bare(key.strip(" \t")) for key in value.split(",")} - {""}
        if len(keys) > 1:
            raise RequestUnparsable("The header Idempotency-Key is given twice with different keys. Send one.")
        value = "".join(keys)
    return order_id(value, "Idempotency-Key")


def _bare(key: str) -> str:
    """The key in small letters, without the quotes of a structured field (RFC 8941, 3.3.3)."""
    return (key[1:-1] if len(key) > 1 and key[0] == key[-1] == '"' else key).lower()
