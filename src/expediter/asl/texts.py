"""JSON values and instants: as text, the way AWS writes them, and compared."""

import json
import math
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import msgspec

from expediter.asl.protocol import Json

#: Size limit of a state's input or output, in UTF-8 bytes of its JSON (AWS: "Maximum input or output size").
PAYLOAD_LIMIT = 262_144

encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder().decode


class DuplicateKey(ValueError):
    """A key is given twice in one object: one of the two would be lost."""


def decode_unique(text: str | bytes) -> Json:
    """The JSON value of a text whose objects have no key twice. Raises DuplicateKey, or another ValueError."""
    return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise DuplicateKey(f"The key '{twice}' is given twice in one object")
    return found


def _no_constant(word: str) -> Json:
    raise ValueError(f"{word} is not JSON")


def json_text(value: Json) -> str:
    """Compact JSON; a whole float keeps its ".0", as in Java."""
    return encode(value).decode()


def sha256(text: str) -> bytes:
    from hashlib import sha256  # noqa: PLC0415  # takes 5 ms to load, and few workflows need it

    return sha256(text.encode()).digest()


def copy_json(value: Json) -> Json:
    """The same JSON value, sharing nothing with the one given."""
    return decode(encode(value))


def plain(value: Json) -> str:
    """A string as it is, anything else as JSON (cause texts)."""
    return value if isinstance(value, str) else json_text(value)


def java_text(value: Json) -> str:
    """A value as Java's ``toString`` writes it: ``{a=1, b=[x, null]}``. A string as it is (States.Format)."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}={java_text(inner)}' for key, inner in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(java_text, value))}]"
    return plain(value)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of an error message that offers the nearest known word; empty where none is near."""
    from difflib import get_close_matches  # noqa: PLC0415  # loaded by the first fault

    lowered = {name.lower(): name for name in known}
    near = get_close_matches(word.lower(), lowered, n=1, cutoff=0.6)
    return f". Did you mean '{lowered[near[0]]}'?" if near else ""


def is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def same_json(left: Json, right: Json) -> bool:
    """Equal as JSON: 1 and 1.0 are, true and 1 are not, at any depth."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same_json(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same_json, left, right))
    return bool(left == right)


def json_type(value: Json) -> str:
    """The name of a value's type in JSON."""
    if value is None:
        return "null"
    return next(name for kinds, name in _TYPES if isinstance(value, kinds))


_TYPES: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "boolean"),
    ((int, float), "number"),
    (str, "string"),
    (list, "array"),
    (dict, "object"),
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INSTANT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(Z|[+-]\d\d(?::?\d\d)?)", re.ASCII
)


def parse_instant(text: str) -> int | None:
    """Milliseconds since 1970 UTC of an RFC 3339 instant with its offset, or None. Fractions are cut, not rounded."""
    found = _INSTANT.fullmatch(text)
    if found is None:
        return None
    *clock, fraction, zone = found.groups()
    year, month, day, hour, minute, second = (int(part or 0) for part in clock)
    try:
        moment = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC) - _offset(zone)
    except (ValueError, OverflowError):
        return None
    millis = math.floor((moment - _EPOCH) / timedelta(milliseconds=1))
    return millis + (second - min(second, 59)) * 1000 + int((fraction or "")[:3].ljust(3, "0"))


def _offset(zone: str) -> timedelta:
    if zone == "Z":
        return timedelta()
    digits = zone[1:].replace(":", "").ljust(4, "0")
    shift = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return -shift if zone[0] == "-" else shift


def instant_text(millis: int) -> str:
    """``2026-01-31T12:00:00.250Z``"""
    return f"{_EPOCH + timedelta(milliseconds=millis):%Y-%m-%dT%H:%M:%S}.{millis % 1000:03d}Z"
