"""Placeholders by their names: which there are, and values in their place."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from expediter.asl.protocol import Json

PLACEHOLDER = re.compile(r"\$\{([^${}]+)\}")
#: Fields that hold a number.
NUMBERS = frozenset(
    "TimeoutSeconds HeartbeatSeconds Seconds MaxConcurrency ToleratedFailureCount ToleratedFailurePercentage MaxItems "
    "MaxItemsPerBatch MaxInputBytesPerBatch IntervalSeconds MaxAttempts BackoffRate MaxDelaySeconds".split()
)
#: Fields that hold an object or an array.
_STRUCTURES = frozenset(
    "Retry Catch Choices And Or Not Branches ItemProcessor Iterator ProcessorConfig ItemReader ReaderConfig "
    "ItemBatcher ResultWriter WriterConfig ErrorEquals Credentials States CSVHeaders".split()
)
#: Fields whose content is data, which is passed on as it is.
DATA = frozenset("Parameters Arguments Result ResultSelector ItemSelector BatchInput Assign Output Items".split())
#: Operators of a Choice, by the type that they compare with.
COMPARED = ("Numeric", "Boolean", "Timestamp", "Is")


def names_left(definition: Json) -> tuple[str, ...]:
    """The names of the placeholders in a definition, in the order in which they stand there."""
    return tuple(dict.fromkeys(_found(definition)))


def _found(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield from PLACEHOLDER.findall(value)
    elif isinstance(value, dict | list):
        for item in value:  # of an object: the keys, which may be names of states
            yield from _found(item)
        for item in value.values() if isinstance(value, dict) else ():
            yield from _found(item)


#: A string, or a placeholder where JSON has a value.
_VALUE = re.compile(r'"(?:[^"\\]|\\.)*"|\$\{([^${}"]+)\}', re.DOTALL)


def quoted(text: str, values: Mapping[str, str] | None = None) -> str:
    """JSON text in which no ``${Name}`` stands where a value does (``"Seconds": ${Seconds}``).

    One that ``values`` names is its value, which is JSON text; the others get quotes. Raises ValueError for a
    value that is not JSON.
    """
    given = values or {}

    def one(found: re.Match[str]) -> str:
        name = found[1]
        if name is None:
            return found[0]
        return _as_json(name, given[name]) if name in given else f'"{found[0]}"'

    return _VALUE.sub(one, text)


def _as_json(name: str, value: str) -> str:
    try:
        json.loads(value)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"${{{name}}} stands without quotes, and its value {value} is not JSON") from error
    return value


def substitute(definition: Json, values: Mapping[str, str]) -> Json:
    """The definition with each ``${Name}`` that ``values`` names replaced, anywhere in a text.

    Where the language needs a number, a boolean, an array or an object, a value that is the text of one becomes one.
    """

    def fill(text: str) -> str:
        return PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), text)

    def change(key: str, text: str, data: bool) -> Json:
        filled_in = fill(text)
        return filled_in if data or filled_in == text else _of_its_type(key, filled_in)

    return _texts(definition, change, name=fill)


_NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)


def _of_its_type(key: str, text: str) -> Json:
    """A text that was filled in, as what the field needs."""
    compares = key.startswith(COMPARED) and not key.endswith("Path")
    if (key in NUMBERS or (compares and key.startswith("Numeric"))) and _NUMBER.fullmatch(text):
        return float(text) if "." in text else int(text)
    if (key in {"End", "Condition"} or (compares and key.startswith(("Boolean", "Is")))) and text in {"true", "false"}:
        return text == "true"
    return _structure(text) if key in _STRUCTURES and text.lstrip()[:1] in {"[", "{"} else text


def _structure(text: str) -> Json:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


#: Given: the key of a text, the text, and whether it is part of data.
Change: TypeAlias = Callable[[str, str, bool], Json]


def _texts(value: Json, change: Change, key: str = "", *, data: bool = False, name: Callable[[str], str]) -> Json:
    """A copy in which every text is what ``change`` makes of it, and every key what ``name`` makes of it."""
    if isinstance(value, str):
        return change(key, value, data)
    if isinstance(value, list):
        return [_texts(item, change, key, data=data, name=name) for item in value]
    if isinstance(value, dict):
        named = key == "States" and not data  # the keys are names of states
        return {
            name(field): _texts(item, change, field, data=data or (field in DATA and not named), name=name)
            for field, item in value.items()
        }
    return value
