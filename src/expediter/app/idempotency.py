"""Idempotency keys: the order that a caller means by a key. Keys of two callers never collide."""

import re
import uuid

from expediter.app.ports import Caller
from expediter.domain.ids import uuid_in
from expediter.domain.texts import composed

#: The namespaces of the ids that are made of keys (RFC 9562, section 5.5). Never change one: ids would change with it.
_OF_USERS = uuid.UUID("6f3a4c1e-5a0b-4c0f-9d55-3a1f0f2b7c44")
_OF_PROGRAMS = uuid.UUID("b1d7c0d2-3c53-4e0e-8a64-52f6b0c5d9e1")
#: The namespace of the UUIDs that stand for keys of another form.
OF_TEXTS = uuid.UUID("8f1d3f0a-6f0e-5e0b-9d57-3b9f7f1c2a44")

#: A string of a structured field (RFC 8941, 3.3.3), and what is escaped in it.
STRING = re.compile(r'"((?:[^"\\]|\\["\\])*)"')
_ESCAPED = re.compile(r'\\(["\\])')


def bare(key: str) -> str:
    """The key without the quotes and escapes of a structured field's string, in which it may be sent."""
    string = STRING.fullmatch(key)
    return _ESCAPED.sub(r"\1", string[1]) if string else key


def uuid_of(key: str) -> str:
    """The UUID that stands for a key: itself, in small letters, if it is one; any other text always has the same one.

    Both spellings of a text (NFC and NFD) are one key. A UUID in braces, with ``urn:uuid:`` or without dashes is a text
    like any other.
    """
    return uuid_in(key) or str(uuid.uuid5(OF_TEXTS, composed(key)))


def own_id(caller: Caller, key: str) -> str:
    """A UUIDv5 of the caller and the key, which is a UUID, or ``uuid_of`` made one of it. So no caller learns of
    another's order.

    With the plain token, and on a server without a token, it is the key itself.
    """
    if caller.user_id is not None or not caller.operator:
        return str(uuid.uuid5(_OF_USERS, f"{key} {caller.user_id}"))
    if caller.program:
        return str(uuid.uuid5(_OF_PROGRAMS, f"{key} {caller.program}"))
    return key
