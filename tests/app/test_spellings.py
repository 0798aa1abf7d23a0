"""A text that may be written in two ways is one text: Unicode's NFC, in which orders are kept."""

import json
from typing import Any

import pytest

from expediter.app.drafts import ChangeDraft, Draft, convert, fingerprint, parse
from tests.app.test_drafts import BASKET, PLAIN, paths

NFC, NFD = "Zo\u00eb", "Zoe\u0308"


@pytest.mark.parametrize("ascii", [False, True])
@pytest.mark.parametrize("field", ["user_id", "restaurant_id", "name"])
def test_two_spellings_of_a_name_are_one(field: str, ascii: bool) -> None:
    first, second = (
        parse(json.dumps({**PLAIN, field: text}, ensure_ascii=ascii).encode(), Draft) for text in (NFC, NFD)
    )

    assert first == second == convert({**PLAIN, field: NFD}, Draft)
    assert (getattr(second, field), fingerprint(first)) == (NFC, fingerprint(second))


def test_two_spellings_of_an_item_and_of_an_address_are_one() -> None:
    def spelt(text: str) -> dict[str, Any]:
        return {**BASKET, "email": f"a@{text.lower()}.example", "items": [{"name": text, "quantity": 1}]}

    assert convert(spelt(NFD), Draft) == convert(spelt(NFC), Draft)
    assert convert({"name": NFD, "email": None}, ChangeDraft) == ChangeDraft(name=NFC, email=None)


@pytest.mark.parametrize("text", ["\ufb2c" * 70, "a\u037eb@example.com"])
def test_a_text_is_checked_as_it_is_kept(text: str) -> None:
    """NFC makes three of one Hebrew letter, and a semicolon of the Greek question mark."""
    field = "email" if "@" in text else "user_id"
    assert paths({**PLAIN, field: text}) == {field}
