"""Finds every fault of a body that does not have the right form, each with its path and in plain words.

msgspec stops at the first fault. So a body that it refused is checked once more here, field by field.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import islice
from typing import TypeAlias

import msgspec

from expediter.app.card_numbers import without_card_numbers
from expediter.asl.protocol import Json
from expediter.domain.errors import Fault

#: Fields that hold a list, and what each of its items is.
Lists: TypeAlias = Mapping[str, type[msgspec.Struct]]

#: Faults of one body that are listed at most.
MOST = 20

_PATH = re.compile(r" - at (?:`key` in )?`\$\.?(.*)`$")

#: The message for a text that does not match the pattern of its field.
_FORMS = {
    "quantity": 'a whole number from 1, such as 3 or "3"',
    "currency": "an ISO 4217 code such as USD or EUR",
    "email": "one e-mail address such as name@example.com",
    "payment_method": "a token of the payment provider: letters, digits, _ and -, with a letter; never a card number",
    "metadata[]": "text without control characters",
    "metadata": "a name that can be seen, on one line from left to right",
    "reason": "text that can be seen, on one line from left to right",
    "name": "text that can be seen, on one line from left to right",
    "user_id": "text that can be seen, on one line from left to right",
    "restaurant_id": "text that can be seen, on one line from left to right",
}
#: Names under which clients put the key of a new order into the body by mistake.
_KEYS = frozenset({"id", "idempotency_key"})
#: msgspec's names of JSON's types, in plain words.
_TYPES = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}
_PARTS = {"str": "character", "array": "entry", "object": "field"}
_LIMITS = {">=": "at least", "<=": "at most"}
#: Each kind of msgspec's messages: its pattern, and the same in plain words.
_KINDS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (
        re.compile(r"Expected `([^`]+)`, got `([^`]+)`"),
        lambda it: f"{_types(it[1])}, not {_given(it[2])}",
    ),
    (re.compile(r"Expected `(\w+)` of length (..) (\d+)"), lambda it: f"{_LIMITS[it[2]]} {_parts(int(it[3]), it[1])}"),
    (re.compile(r"Expected `(?:int|float)` (..) (-?[\d.]+)"), lambda it: f"{_LIMITS[it[1]]} {it[2]}"),
    (re.compile(r"Object missing required field `(.*)`", re.DOTALL), lambda it: f"the field {it[1]} is missing"),
    (re.compile(r"Object contains unknown field `(.*)`", re.DOTALL), lambda it: _unknown(it[1])),
)


def faults_of_body(
    body: bytes, form: type[msgspec.Struct], lists: Lists, first: msgspec.ValidationError
) -> tuple[Fault, ...]:
    """Every fault of a JSON text that was refused as a ``form`` because of ``first``."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return (explained(first),)  # after the first fault the text is not JSON
    return faults_of_value(value, form, lists, first)


def faults_of_value(
    value: object, form: type[msgspec.Struct], lists: Lists, first: msgspec.ValidationError
) -> tuple[Fault, ...]:
    """Every fault of a parsed value that was refused, in the order of the form's fields."""
    found = islice(_of_object(value, form, lists, ""), MOST) if isinstance(value, dict) else ()
    return tuple(found) or (explained(first),)


def _of_object(given: Json, form: type[msgspec.Struct], lists: Lists, path: str) -> Iterator[Fault]:
    fields = {field.encode_name: field for field in msgspec.structs.fields(form)}
    for name, field in fields.items():
        if name in given:
            yield from _of_field(given[name], form, name, lists, f"{path}." if path else "")
        elif field.required:
            yield Fault(path, f"the field {name} is missing")
    for name in given:
        if name not in fields:
            yield Fault(path, _unknown(name))


def _of_field(value: Json, form: type[msgspec.Struct], name: str, lists: Lists, prefix: str) -> Iterator[Fault]:
    fault = _alone(form, name, value)
    if fault is None:
        return
    if isinstance(value, dict) and (pairs := list(_of_pairs(value, form, name, prefix))):
        yield from pairs
        return
    if not fault.path.startswith(f"{name}["):
        yield Fault(prefix + fault.path, fault.message)
        return
    for place, item in enumerate(value):
        wrong = _alone(form, name, [item])
        if wrong is None:
            continue
        if isinstance(item, dict) and name in lists:
            yield from _of_object(item, lists[name], lists, f"{prefix}{name}[{place}]")
        else:
            yield Fault(f"{prefix}{name}[{place}]", wrong.message)


def _of_pairs(pairs: dict[str, Json], form: type[msgspec.Struct], name: str, prefix: str) -> Iterator[Fault]:
    for key, value in pairs.items():
        if (wrong := _alone(form, name, {key: value})) is not None:
            yield Fault(f"{prefix}{name}", f"{key[:MOST]}: {wrong.message}")


def _alone(form: type[msgspec.Struct], name: str, value: Json) -> Fault | None:
    """What is wrong with one field's value."""
    try:
        msgspec.convert({name: value}, type=_one_field(form, name))
    except msgspec.ValidationError as error:
        return explained(error)
    return None


@cache  # it holds one entry for each field of our forms
def _one_field(form: type[msgspec.Struct], name: str) -> type[msgspec.Struct]:
    (field,) = (field for field in msgspec.structs.fields(form) if field.encode_name == name)
    return msgspec.defstruct("Field", [(name, field.type)])


def explained(error: msgspec.ValidationError) -> Fault:
    """The path and, in plain words, the reason of an error that msgspec found in a value."""
    text = str(error)
    where = _PATH.search(text)
    path = where[1] if where else ""
    said = _PATH.sub("", text)
    if "matching regex" in said:
        return Fault(path, _FORMS.get(path.replace("[...]", "[]").rpartition(".")[2], "text of another form"))
    for pattern, words in _KINDS:
        if found := pattern.fullmatch(said):
            return Fault(path, words(found))
    return Fault(path, "this value is not allowed")


def reason(error: Exception) -> str:
    """Says in plain words why msgspec could not read a text as JSON of a form."""
    if isinstance(error, msgspec.ValidationError):
        fault = explained(error)
        return f"{fault.path}: {fault.message}" if fault.path else fault.message
    if isinstance(error, UnicodeError):
        return "it is not UTF-8"
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)


def _unknown(name: str) -> str:
    told = f"the field {without_card_numbers(name)} is unknown"
    return f"{told}; a new order's key goes into the header Idempotency-Key" if name in _KEYS else told


def _types(names: str) -> str:
    return " or ".join(_TYPES.get(name, "another value") for name in names.split(" | "))


def _given(name: str) -> str:
    return "a number with decimals" if name == "float" else _types(name)


def _parts(count: int, of: str) -> str:
    part = _PARTS[of]
    many = f"{part[:-1]}ies" if part.endswith("y") else f"{part}s"
    return f"{count} {part if count == 1 else many}"
