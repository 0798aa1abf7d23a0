"""Which addresses can be mailed, and how a mail server is given them."""

import sys

import email_validator
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from expediter.app import addresses
from expediter.app.drafts import Draft, convert
from expediter.app.mails import mails
from expediter.domain.order import Status
from tests.support.values import SETTINGS, an_order

PLAIN = {"user_id": "u", "restaurant_id": "r", "quantity": 1}


@pytest.mark.parametrize(
    "address",
    [
        "ann@example.com",
        "o'hara+orders@mail.example.co",
        "a@b",
        "cook@kitchen.local",
        "a@xn--bcher-kva.example",
        "a@bücher.example",
        "用户@例え.jp",
        "a" * 64 + "@example.com",
        "a@1.example",
    ],
)
def test_an_address_that_can_be_mailed_is_taken(address: str) -> None:
    assert addresses.fault(address) == ""
    assert convert({**PLAIN, "email": address}, Draft).email == address


# ── other letters ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("address", "given"),
    [
        ("ann@example.com", "ann@example.com"),
        ("a@bücher.example", "a@xn--bcher-kva.example"),
        ("a@BÜCHER.example", "a@xn--bcher-kva.example"),
        ("用户@例え.jp", "用户@xn--r8jz45g.jp"),
        ("a..b@example.com", "a..b@example.com"),
    ],
)
def test_a_mail_server_is_given_the_domain_in_ascii(address: str, given: str) -> None:
    assert addresses.for_server(address) == given
    (mail,) = mails(an_order(status=Status.SUCCESS, email=address), SETTINGS)
    assert mail.recipient == given


# ── the quick way is exact ────────────────────────────────────────────────────────────────────────────────────────

_PARTS = st.text("abZ09.-_+!@", max_size=12) | st.sampled_from(["a" * 63, "a" * 64, "a" * 65, "xn--a", "ab--c", "A-9"])


@given(st.lists(_PARTS, min_size=2, max_size=4).map("@".join))
@example("a" * 64 + "@" + ".".join(["b" * 63] * 2 + ["c" * 61]))
@example("a" * 64 + "@" + ".".join(["b" * 63] * 2 + ["c" * 62]))
def test_the_fast_check_accepts_only_what_the_validator_accepts_unchanged(address: str) -> None:
    quick = addresses._PLAIN(address) is not None
    try:
        read = addresses._read(address)
    except email_validator.EmailNotValidError:
        assert not quick
        return
    if quick:
        domain = address.partition("@")[2].lower()
        assert (read.ascii_domain, read.smtputf8) == (domain, False)
        assert read.ascii_local_part is not None
        assert read.ascii_local_part.lower() == address.partition("@")[0].lower()
    else:
        assert "--" in address  # the form of xn--…, which the quick way leaves to the validator


def test_a_plain_address_does_not_load_the_validator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "email_validator", None)  # an import of it would fail
    assert addresses.fault("ann@example.com") == ""
    assert addresses.for_server("ann@example.com") == "ann@example.com"
