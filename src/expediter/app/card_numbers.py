"""Refuses texts that hold a card number. What is not stored and not logged cannot be stolen.

A card number has 13 to 19 digits, alone or in groups, of which the last one is Luhn's check digit (ISO/IEC 7812).
"""

import re
from collections.abc import Iterator

import msgspec

from expediter.domain.errors import Fault, OrderInvalid

#: Digits with at most one space or hyphen between them, and no letters or digits around them (so no part of a UUID).
_DIGITS = re.compile(r"(?<![\w-])[0-9](?:[ -]?[0-9]){12,18}(?![\w-])")
#: Finds quickly whether the JSON of a draft may hold one. Nearly every order holds none.
MAYBE_CARD_NUMBER = re.compile(rb"[0-9](?:[ -]?[0-9]){12}").search
_REFUSED = "looks like the number of a card; take it out, and pay with a token of the payment provider"
HIDDEN = "(card number)"


def card_numbers(form: msgspec.Struct) -> list[Fault]:
    """A fault for each text of the form, and of its items, that holds a card number. No fault repeats the number."""
    return [Fault(path, _REFUSED) for path, text in _texts(form, "") if holds_card_number(text)]


def refuse_card_numbers(form: msgspec.Struct) -> None:
    """Raises OrderInvalid when a text of the form holds a card number."""
    if found := card_numbers(form):
        raise OrderInvalid(tuple(found))


def holds_card_number(text: str) -> bool:
    return any(_is_card_number(found[0]) for found in _DIGITS.finditer(text))


def without_card_numbers(text: str) -> str:
    """The text with every card number in it replaced."""
    return _DIGITS.sub(lambda found: HIDDEN if _is_card_number(found[0]) else found[0], text)


def _texts(form: msgspec.Struct, prefix: str) -> Iterator[tuple[str, str]]:
    """The path and the text of each field that is a text, or pairs of texts."""
    for name in form.__struct_fields__:
        value = getattr(form, name)
        if isinstance(value, str):
            yield prefix + name, value
        elif isinstance(value, dict):
            for key, text in value.items():
                yield f"{prefix}{name}", f"{key} {text}"
        elif isinstance(value, tuple):
            for place, item in enumerate(value):
                yield from _texts(item, f"{prefix}{name}[{place}].")


def _is_card_number(text: str) -> bool:
    """Whether the digits end with Luhn's check digit: every second one, from the right, counts twice."""
    digits = [int(digit) for digit in text if digit.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[::-1][::2]) + sum(doubled)) % 10 == 0
