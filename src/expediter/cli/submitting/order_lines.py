"""A line of a file as an order under its key.

With its key a line is one order, however often it is submitted. The key is the line's own id. Without an id it is
derived from the line's number and text, so the line is another order when either changes.
"""

import re
import uuid
from collections.abc import Iterator
from typing import Any

import msgspec

from expediter.app.drafts import Draft
from expediter.app.field_types import VISIBLE
from expediter.app.idempotency import OF_TEXTS, uuid_of
from expediter.app.strict_json import decode
from expediter.asl.protocol import Json
from expediter.cli.files import LONGEST
from expediter.domain.texts import composed

#: The fields that may hold a line's own id, unless another field is named.
KEYS = ("id", "idempotency_key")
#: Fields that belong to the order, also when one of them is its key.
_OF_THE_ORDER = frozenset(Draft.__struct_fields__)


class Line(msgspec.Struct, frozen=True):
    """A line to submit: its number from 1, its key, the order as REST takes it. ``own_key``: the line brought it."""

    number: int
    key: str
    body: bytes
    own_key: bool


def numbered(lines: Iterator[bytes]) -> Iterator[tuple[int, bytes]]:
    """The lines that are not blank, with their numbers from 1."""
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield number, line.strip()


def read(number: int, text: bytes, key_field: str | None = None) -> Line:
    """The line as an order under its key, which stands in ``key_field`` or in one of ``KEYS``.

    Raises ValueError when the line is not a JSON object, or its key is none.
    """
    if len(text) > LONGEST:
        raise ValueError(f"BodyTooLarge: The line is longer than {LONGEST // 1024 // 1024} MiB")
    try:
        order: dict[str, Any] = decode(text, dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"RequestUnparsable: The line is not a JSON object: {error}") from error
    own = _own_key(order, (key_field,) if key_field else KEYS)
    if own is None and key_field:
        raise ValueError(f"OrderInvalid: {key_field}: the line has none, and it is the key; give it")
    kept = {name: value for name, value in order.items() if not _is_key_only(name, key_field)}
    body = text if kept == order else msgspec.json.encode(kept)
    if own is None:
        return Line(number, str(uuid.uuid5(OF_TEXTS, f"{number}:{text.decode()}")), body, own_key=False)
    return Line(number, uuid_of(own), body, own_key=True)


def _is_key_only(name: str, key_field: str | None) -> bool:
    return (name == key_field and name not in _OF_THE_ORDER) if key_field else name in KEYS


def _own_key(order: dict[str, Any], names: tuple[str, ...]) -> str | None:
    """The id in the line; None when it is null or empty. Raises ValueError when it is not plain text."""
    given = {name: order[name] for name in names if order.get(name) not in (None, "")}
    for name, value in given.items():
        if why := _why_no_id(value):
            raise ValueError(f"OrderInvalid: {name}: {why}")
    if len(set(map(composed, given.values()))) > 1:
        raise ValueError(f"OrderInvalid: {' and '.join(given)} name two orders; give one of them")
    return next(iter(given.values()), None)


def _why_no_id(value: Json) -> str | None:
    if isinstance(value, bool | list | dict):
        return "give a text that names the order, or leave it out"
    if isinstance(value, int | float):
        return 'a number is not an id, because 1 and 1.0 are one number; write it as text: "17"'
    if not re.match(VISIBLE, value):
        return "give text that can be seen, or leave it out"
    return "remove the blanks before or after it" if value != value.strip() else None
