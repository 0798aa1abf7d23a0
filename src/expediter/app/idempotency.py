"""Idempotency keys: the order that a caller means by a key."""

import uuid

from expediter.app.ports import Caller

#: The namespace of customers' ids (RFC 9562, section 5.5).
_CUSTOMERS = uuid.UUID("6f3a4c1e-5a0b-4c0f-9d55-3a1f0f2b7c44")


def own_id(caller: Caller, key: str) -> str:
    """The id of the order that the caller sends under ``key``. For an operator or a program it is the key.

    For a customer it is a UUIDv5 of the customer and the key. So keys of two customers never collide, and no customer
    learns of another's.
    """
    if caller.operator:
        return key
    return str(uuid.uuid5(_CUSTOMERS, f"{key} {caller.user_id}"))
