"""Strict JSON, which all programs read in the same way.

RFC 8259 does not say what a repeated key or half a surrogate pair means, so both are refused.

https://www.rfc-editor.org/rfc/rfc8259#section-4 and #section-8.2
"""

import json
import re
from typing import TypeVar

import msgspec

from expediter.app.faults import reason
from expediter.asl.protocol import Json

T = TypeVar("T")

#: Half a surrogate pair, escaped.
_HALF = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]")

#: A byte order mark. It does not belong to JSON (RFC 8259, section 8.1).
_MARK = b"\xef\xbb\xbf"


class _Object(list[tuple[str, Json]]):
    """A JSON object with every key of the text, also repeated ones."""


def decode(text: bytes, form: type[T]) -> T:
    """The JSON text as a ``form``. Raises msgspec.DecodeError, UnicodeDecodeError or RecursionError."""
    try:
        value = msgspec.json.decode(text, type=form)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError as error:
        raise msgspec.DecodeError(why_not_json(text, error)) from error
    if path := repeated_key(text):
        raise msgspec.DecodeError(f"the key {path} is given twice; give it once")
    return value


def repeated_key(text: bytes) -> str | None:
    """The path of the first key that is given twice in one object (``items[0].quantity``), or None.

    ``text`` must be JSON. Raises RecursionError.
    """
    return _repeated(json.loads(text, object_pairs_hook=_Object, parse_int=str, parse_float=str), "")


def why_not_json(text: bytes, error: Exception) -> str:
    """What is wrong with a text that is not JSON, in the parser's words or ours."""
    if text.startswith(_MARK):
        return "it begins with a byte order mark (U+FEFF); send it without"
    if _HALF.search(text):
        return "an escape from \\ud800 to \\udfff is half a character; send both halves, or the character itself"
    return reason(error)


def _repeated(value: Json, path: str) -> str | None:
    if isinstance(value, _Object):
        seen = set[str]()
        for key, part in value:
            here = f"{path}.{key}" if path else key
            if key in seen:
                return here
            seen.add(key)
            if found := _repeated(part, here):
                return found
    elif isinstance(value, list):
        for place, part in enumerate(value):
            if found := _repeated(part, f"{path}[{place}]"):
                return found
    return None
