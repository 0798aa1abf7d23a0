"""The intrinsic functions of JSONPath states, one table from name to function.

Source: "Intrinsic functions for JSONPath states in Step Functions" (AWS developer guide) and AWS's recorded answers.
Arguments arrive evaluated; a function that cannot work with them raises ``BadArgument`` with the reason.
"""

import base64
import hashlib
import math
import re
from collections.abc import Callable, Hashable
from typing import NamedTuple

import msgspec

from expediter.asl.expressions.scope import Draw
from expediter.asl.protocol import Json
from expediter.asl.texts import decode, is_number, java_text, json_text, plain, same_json

#: AWS's own limits: 1,000 elements of a range, 10,000 characters to hash or encode.
RANGE_LIMIT = 1000
TEXT_LIMIT = 10_000


class BadArgument(Exception):
    """The function cannot work with these arguments. The text gives the reason."""


class Intrinsic(NamedTuple):
    """``call(draw, *arguments)``, with the least and the most number of arguments."""

    call: Callable[..., Json]
    least: int
    most: int


def _need(holds: bool, reason: str) -> None:
    if not holds:
        raise BadArgument(reason)


def half_up(value: Json) -> int:
    """AWS rounds to the nearest integer, halves towards positive infinity: -1.5 is -1, 1.5 is 2."""
    _need(is_number(value), f"expected a number but found {json_text(value)}")
    return math.floor(float(value) + 0.5) if isinstance(value, float) else int(value)


def identity(value: Json) -> Hashable:
    """A key that is equal for values that are equal as JSON, and for no others."""
    if isinstance(value, bool):
        return bool, value
    if isinstance(value, dict):
        return dict, frozenset((key, identity(inner)) for key, inner in value.items())
    if isinstance(value, list):
        return list, tuple(map(identity, value))
    key: Hashable = value
    return key


def _array(value: Json) -> list[Json]:
    _need(isinstance(value, list), f"expected an array but found {json_text(value)}")
    return list(value)


def _text(value: Json) -> str:
    _need(isinstance(value, str), f"expected a string but found {json_text(value)}")
    return str(value)


def _partition(_draw: Draw, array: Json, size: Json) -> Json:
    items, step = _array(array), half_up(size)
    _need(step > 0, "the chunk size must be a positive integer")
    return [items[start : start + step] for start in range(0, len(items), step)]


def _range(_draw: Draw, first: Json, last: Json, step: Json) -> Json:
    start, end, stride = half_up(first), half_up(last), half_up(step)
    _need(stride != 0, "the step must not be 0")
    _need((end - start) // stride < RANGE_LIMIT, f"the range has more than {RANGE_LIMIT} elements")
    return list(range(start, end + (1 if stride > 0 else -1), stride))


def _get_item(_draw: Draw, array: Json, index: Json) -> Json:
    items, position = _array(array), half_up(index)
    _need(0 <= position < len(items), f"the index {position} is out of bounds")
    return items[position]


def _unique(_draw: Draw, array: Json) -> Json:
    kept: dict[Hashable, Json] = {}
    for item in _array(array):
        kept.setdefault(identity(item), item)
    return list(kept.values())


def _encode(_draw: Draw, text: Json) -> Json:
    _need(len(_text(text)) <= TEXT_LIMIT, f"more than {TEXT_LIMIT} characters")
    return base64.b64encode(text.encode()).decode()


def _decode(_draw: Draw, text: Json) -> Json:
    _need(len(_text(text)) <= TEXT_LIMIT, f"more than {TEXT_LIMIT} characters")
    try:
        return base64.b64decode(text, validate=True).decode()
    except ValueError as error:  # no Base64 (binascii.Error is one), not even ASCII, or no UTF-8
        raise BadArgument("not Base64 of UTF-8 text") from error


#: Name in the language -> constructor; the only algorithms there are.
HASHES: dict[str, Callable[[bytes], str]] = {
    "MD5": lambda data: hashlib.md5(data, usedforsecurity=False).hexdigest(),
    "SHA-1": lambda data: hashlib.sha1(data, usedforsecurity=False).hexdigest(),
    "SHA-256": lambda data: hashlib.sha256(data).hexdigest(),
    "SHA-384": lambda data: hashlib.sha384(data).hexdigest(),
    "SHA-512": lambda data: hashlib.sha512(data).hexdigest(),
}


def _hash(_draw: Draw, data: Json, algorithm: Json) -> Json:
    _need(isinstance(algorithm, str) and algorithm in HASHES, f"the algorithm must be one of {', '.join(HASHES)}")
    text = plain(data)
    _need(len(text) <= TEXT_LIMIT, f"more than {TEXT_LIMIT} characters")
    return HASHES[algorithm](text.encode())


def _merge(_draw: Draw, left: Json, right: Json, deep: Json) -> Json:
    _need(deep is False, "only shallow merging is supported: the third argument must be false")
    _need(isinstance(left, dict) and isinstance(right, dict), "both arguments must be objects")
    return {**left, **right}


def _parse(_draw: Draw, text: Json) -> Json:
    if not _text(text).strip():
        return None
    try:
        return decode(text)
    except msgspec.DecodeError as error:
        raise BadArgument(f"not JSON: {text}") from error


def _random(draw: Draw, start: Json, end: Json, seed: Json = None) -> Json:
    first, last = half_up(start), half_up(end)
    _need(first < last, "the start must be less than the end")
    fraction = draw.fraction("" if seed is None else f"seed {half_up(seed)}")
    return first + math.floor(fraction * (last - first))


def _split(_draw: Draw, text: Json, splitter: Json) -> Json:
    # The text is split at every character of the splitter, and empty pieces are left out. AWS does this, although its
    # guide does not say so.
    characters = _text(splitter)
    if not characters:
        return [_text(text)] if text else []
    return [piece for piece in re.split(f"[{re.escape(characters)}]", _text(text)) if piece]


def _format(_draw: Draw, template: Json, *arguments: Json) -> Json:
    # A literal template arrives cut into its pieces, any other as the string that it is.
    pieces = template if isinstance(template, tuple) else _text(template).split("{}")
    _need(len(pieces) == len(arguments) + 1, "the number of {} and of arguments must be equal")
    return pieces[0] + "".join(
        java_text(argument) + piece for argument, piece in zip(arguments, pieces[1:], strict=True)
    )


INTRINSICS: dict[str, Intrinsic] = {
    "States.Format": Intrinsic(_format, 1, 100),
    "States.StringToJson": Intrinsic(_parse, 1, 1),
    "States.JsonToString": Intrinsic(lambda _draw, value: json_text(value), 1, 1),
    "States.Array": Intrinsic(lambda _draw, *items: list(items), 0, 1000),
    "States.ArrayPartition": Intrinsic(_partition, 2, 2),
    "States.ArrayContains": Intrinsic(
        lambda _draw, array, wanted: any(same_json(item, wanted) for item in _array(array)), 2, 2
    ),
    "States.ArrayRange": Intrinsic(_range, 3, 3),
    "States.ArrayGetItem": Intrinsic(_get_item, 2, 2),
    "States.ArrayLength": Intrinsic(lambda _draw, array: len(_array(array)), 1, 1),
    "States.ArrayUnique": Intrinsic(_unique, 1, 1),
    "States.Base64Encode": Intrinsic(_encode, 1, 1),
    "States.Base64Decode": Intrinsic(_decode, 1, 1),
    "States.Hash": Intrinsic(_hash, 2, 2),
    "States.JsonMerge": Intrinsic(_merge, 3, 3),
    "States.MathRandom": Intrinsic(_random, 2, 3),
    "States.MathAdd": Intrinsic(lambda _draw, left, right: half_up(left) + half_up(right), 2, 2),
    "States.StringSplit": Intrinsic(_split, 2, 2),
    "States.UUID": Intrinsic(lambda draw: draw.uuid(), 0, 0),
}
