"""Names that nobody can see, and keys that two readers read differently, are refused with their path."""

import json
import re
import sys
import unicodedata

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from expediter.app.drafts import Draft, parse
from expediter.app.field_types import VISIBLE
from expediter.domain.errors import OrderInvalid
from tests.app.test_drafts import PLAIN, paths


@pytest.mark.parametrize("field", ["user_id", "restaurant_id", "name"])
@pytest.mark.parametrize(
    "text",
    [
        " ",
        "\xa0\u3000",  # spaces of all kinds
        "\u200b",  # zero width
        "a\u200bb",
        "\u202eabc",  # turns the line round
        "a\u2066b",
        "\u200f",
        "a\u2028b",  # ends the line
        "a\x85b",
        "\xad",
        "\ufeffa",
        "\u2800",  # an empty Braille cell
        "\u3164",  # a Hangul filler
        "\u200d",  # a joiner that joins nothing
        "\ufe0f",
        "a\U000e0041b",  # a tag
        "\U0001d173",
        "\ue000",  # for private use: each font shows something else, or nothing
        "Ada \uf8ff",
        "\U000f0000",
        "\U0010fffd",
        "\ufdd0",  # no character
        "a\U0002ffff",
        "\u2065",  # reserved for characters without a width
        "\ufff0",
        "\U000e0fff",
    ],
)
def test_an_invisible_name_or_one_that_changes_its_line_is_refused(field: str, text: str) -> None:
    assert paths({**PLAIN, field: text}) == {field}


@pytest.mark.parametrize(
    "text",
    ["Жаркое", "名前", "葛\U000e0100飾", "می‌خواهم", "👨‍👩‍👧", "🏳️‍🌈", "שלום", "a b", "Zoë's", "１"],  # noqa: RUF001
)
def test_names_of_all_languages_and_emoji_are_taken_as_they_are(text: str) -> None:
    assert parse(msgspec.json.encode({**PLAIN, "user_id": text}), Draft).user_id == text


#: Joiners, signs that are put around numbers and words (Arabic, Syriac, Kaithi), Egyptian ones that join others.
SHOWN = {0x200C, 0x200D, *range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD}
SHOWN |= set(range(0x13430, 0x13440))


def test_every_control_and_format_character_is_refused_but_those_that_show() -> None:
    hidden = {"Cc", "Cf", "Zl", "Zp"}
    found = {code for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) in hidden}

    assert {code for code in found if re.match(VISIBLE, f"a{chr(code)}")} <= SHOWN


def test_no_character_for_private_use_or_without_a_meaning_is_taken_and_those_that_may_get_one_are() -> None:
    codes = range(sys.maxunicode + 1)
    private = {code for code in codes if unicodedata.category(chr(code)) == "Co"}
    never = {code for code in codes if code & 0xFFFE == 0xFFFE} | set(range(0xFDD0, 0xFDF0))

    assert not {code for code in private | never if re.match(VISIBLE, f"a{chr(code)}")}
    assert re.match(VISIBLE, "a\u0378\U0001fadc\U000323b0")


@pytest.mark.parametrize("address", ["a\u200b@b", "a@b\u202e", "a\u3000@b", "a@\u2066b", "\u2800@b"])
def test_an_address_with_invisible_characters_is_refused(address: str) -> None:
    assert paths({**PLAIN, "email": address}) == {"email"}


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b'{"user_id":"a","user_id":"b","quantity":1,"restaurant_id":"r"}', "user_id"),
        (b'{"user_id":"a","quantity":1,"quantity":1,"restaurant_id":"r"}', "quantity"),
        (b'{"user_id":"a","quantity":1,"name":null,"name":"n","restaurant_id":"r"}', "name"),
        (b'{"user_id":"a","quantity":1,"name":"n","name":null,"restaurant_id":"r"}', "name"),
        (b'{"user_id":"a","quantity":1,"us\\u0065r_id":"b","restaurant_id":"\\u003a"}', "user_id"),
        (b'{"user_id":"a","items":[{"name":"n","quantity":1,"quantity":2}],"restaurant_id":"r"}', "items[0].quantity"),
        (
            b'{"user_id":"a","items":[{"name":"a","quantity":1}],"items":[{"name":"b","quantity":2}],"restaurant_id":"r"}',
            "items",
        ),
    ],
)
def test_a_key_that_is_given_twice_is_refused_with_its_path(body: bytes, path: str) -> None:
    with pytest.raises(OrderInvalid) as refused:
        parse(body, Draft)
    assert [fault.path for fault in refused.value.faults] == [path]


@given(
    st.dictionaries(st.sampled_from(["name", "user_id", "currency"]), st.text('a:"\\\u00e9', min_size=1, max_size=5))
)
def test_colons_and_escapes_in_texts_are_no_keys(fields: dict[str, str]) -> None:
    body = {**PLAIN, **fields}
    if fields.get("currency") not in (None, "USD"):
        del body["currency"]

    assert parse(json.dumps(body).encode(), Draft).user_id == body["user_id"]
    assert parse(json.dumps(body, ensure_ascii=False, indent=1).encode(), Draft).user_id == body["user_id"]
