"""What is wrong with a body that has not its form: every fault with its path.

msgspec stops at the first. So a body that was refused is gone through once more here, field by field.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import islice
from typing import TypeAlias

import msgspec

from expediter.asl.protocol import Json
from expediter.domain.errors import Fault

#: Fields that hold a list, and what each of its items is.
Lists: TypeAlias = Mapping[str, type[msgspec.Struct]]

#: Faults that are told of one body at most.
MOST = 20

_PATH = re.compile(r" - at `\$\.?(.*)`$")

#: What to say where a text does not have the form that its field asks for.
_HINTS = {
    "quantity": 'Expected a whole number from 1, such as 3 or "3"',
    "currency": "Expected an ISO 4217 code such as USD or EUR",
    "email": "Expected one e-mail address such as name@example.com",
    "name": "Expected printable text on one line",
    "user_id": "Expected printable text on one line",
    "restaurant_id": "Expected printable text on one line",
}


def faults_of_body(
    body: bytes, form: type[msgspec.Struct], lists: Lists, first: msgspec.ValidationError
) -> tuple[Fault, ...]:
    """Every fault of a JSON text that was refused as a ``form`` because of ``first``."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return (_told(first),)  # what comes behind the first fault is no JSON
    return faults_of_value(value, form, lists, first)


def faults_of_value(
    value: object, form: type[msgspec.Struct], lists: Lists, first: msgspec.ValidationError
) -> tuple[Fault, ...]:
    """Every fault of a parsed value that was refused, in the order of the form's fields."""
    found = islice(_of_object(value, form, lists, ""), MOST) if isinstance(value, dict) else ()
    return tuple(found) or (_told(first),)


def _of_object(given: Json, form: type[msgspec.Struct], lists: Lists, path: str) -> Iterator[Fault]:
    fields = {field.encode_name: field for field in msgspec.structs.fields(form)}
    for name, field in fields.items():
        if name in given:
            yield from _of_field(given[name], form, name, lists, f"{path}." if path else "")
        elif field.required:
            yield Fault(path, f"Object missing required field `{name}`")
    for name in given:
        if name not in fields:
            yield Fault(path, f"Object contains unknown field `{name}`")


def _of_field(value: Json, form: type[msgspec.Struct], name: str, lists: Lists, prefix: str) -> Iterator[Fault]:
    fault = _alone(form, name, value)
    if fault is None:
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


def _alone(form: type[msgspec.Struct], name: str, value: Json) -> Fault | None:
    """What is wrong with one field's value."""
    try:
        msgspec.convert({name: value}, type=_one_field(form, name))
    except msgspec.ValidationError as error:
        return _told(error)
    return None


@cache  # as many as there are fields in our forms
def _one_field(form: type[msgspec.Struct], name: str) -> type[msgspec.Struct]:
    (field,) = (field for field in msgspec.structs.fields(form) if field.encode_name == name)
    return msgspec.defstruct("Field", [(name, field.type)])


def _told(error: msgspec.ValidationError) -> Fault:
    text = str(error)
    where = _PATH.search(text)
    path = where[1] if where else ""
    hint = _HINTS.get(path.rpartition(".")[2])
    return Fault(path, hint if hint and "matching regex" in text else _PATH.sub("", text))
