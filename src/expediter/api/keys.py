"""The client's idempotency key: a UUID, which becomes the order's id, or a customer's own share of it. An empty one is
none.
"""

import re
import uuid

from expediter.api.errors import RequestUnparsable
from expediter.app.ports import Caller
from expediter.domain.errors import Fault, OrderInvalid

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def order_id(key: str, path: str) -> str | None:
    """The id of the order sent under ``key``; None: the key is empty. Raises OrderInvalid (at ``path``) for no UUID."""
    bare = _bare(key)
    if bare and not _UUID.fullmatch(bare):
        raise OrderInvalid((Fault(path, "give a UUID, one for each new order"),))
    return bare or None


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


def own_id(caller: Caller, key: str) -> str:
    """The id of the order that the caller sends under ``key``.

    A customer's is made of him and the key (a UUIDv5): keys of two customers never meet, so none tells of another's.
    """
    if caller.operator:
        return key
    return str(uuid.uuid5(_CUSTOMERS, f"{key} {caller.user_id}"))


#: The namespace of customers' ids (RFC 9562, section 5.5).
_CUSTOMERS = uuid.UUID("6f3a4c1e-5a0b-4c0f-9d55-3a1f0f2b7c44")
