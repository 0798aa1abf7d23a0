"""The client's idempotency key: 1 to 255 printable characters of ASCII, or empty, which is none.

The order's id is made of it (``app.idempotency``).
"""

import re

from expediter.api.errors import RequestUnparsable
from expediter.app.idempotency import STRING, bare, uuid_of
from expediter.domain.errors import NO_ORDER, Fault, OrderInvalid

_KEY = re.compile(r"[!-~](?:[ -~]{0,253}[!-~])?")
#: One key of a list: such a string, or what stands there up to the next comma.
_LISTED = re.compile(rf"[ \t]*({STRING.pattern}|[^,]*?)[ \t]*(?:,|$)")


def key_uuid(key: str, path: str, what: str = NO_ORDER) -> str | None:
    """The UUID that stands for the key; None: the key is empty.

    Raises OrderInvalid (at ``path``) for no key; ``what``: the beginning of its message.
    """
    text = bare(key)
    if text and not _KEY.fullmatch(text):
        fault = Fault(path, "give 1 to 255 printable characters of ASCII, without blanks around them")
        raise OrderInvalid((fault,), what)
    return uuid_of(text) if text else None


def key_uuid_in_header(value: str, what: str = NO_ORDER) -> str | None:
    """As ``key_uuid``, of the header Idempotency-Key; lines of one name come as one list (RFC 9110, 5.3).

    Raises RequestUnparsable too, when two different keys are given.
    """
    if "," in value:
        keys = {key_uuid(found[1], "Idempotency-Key", what) for found in _LISTED.finditer(value)} - {None}
        if len(keys) > 1:
            raise RequestUnparsable(
                "The header Idempotency-Key is given twice with different keys. Send one; a key with a comma in quotes."
            )
        return keys.pop() if keys else None
    return key_uuid(value, "Idempotency-Key", what)
