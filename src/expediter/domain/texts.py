"""Names of people and things in one Unicode form."""

import unicodedata


def composed(text: str) -> str:
    """The text in Unicode's NFC.

    An é may be written as one code point or as two, and looks the same. Names and ids are compared in NFC, as usernames
    are (RFC 8265, section 3.3), so both spellings are one customer.
    """
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def spellings(text: str) -> tuple[str, ...]:
    """The text in NFC, as it is, and in NFD: an earlier version kept names as they were sent."""
    return tuple(dict.fromkeys((composed(text), text, unicodedata.normalize("NFD", text))))
