"""JSON and instants as text, the way AWS writes them."""

import math
import re
from datetime import UTC, datetime, timedelta

import msgspec

from expediter.asl.protocol import Json

#: Size limit of a state's input or output, in UTF-8 bytes of its JSON (AWS: "Maximum input or output size").
PAYLOAD_LIMIT = 262_144

encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder().decode


def json_text(value: Json) -> str:
    """Compact JSON; a whole float keeps its ".0", as in Java."""
    return encode(value).decode()


def copy_json(value: Json) -> Json:
    """The same JSON value, sharing nothing with the one given."""
    return decode(encode(value))


def plain(value: Json) -> str:
    """A string as it is, anything else as JSON (States.Format, cause texts)."""
    return value if isinstance(value, str) else json_text(value)


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
