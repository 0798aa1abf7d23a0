"""Ids of orders and keys: UUIDs, in the one spelling that stands for an order (RFC 9562, section 4)."""

import re

_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


def uuid_in(text: str) -> str | None:
    """The UUID that the text is, in small letters; None when it is none.

    A UUID is the same in capitals. Other spellings of one (braces, ``urn:uuid:``, no dashes) are none.
    """
    return text.lower() if _UUID.fullmatch(text) else None
