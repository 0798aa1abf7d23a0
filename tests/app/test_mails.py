"""One mail per order, status and recipient, recognised by its Message-ID however often it is sent."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from expediter.app.mails import mails, message_id
from expediter.app.ports import Mail, OrderSettings
from expediter.domain.order import ENDED, Item, Status
from tests.support.values import ID, SETTINGS, an_order

OPERATORS = OrderSettings(notify=("ops@example.com", "ann@example.com"))


@pytest.mark.parametrize("status", sorted(ENDED))
def test_the_customer_and_each_operator_are_told_of_every_end_once(status: Status) -> None:
    sent = mails(an_order(status=status, email="ann@example.com"), OPERATORS)

    assert [mail.recipient for mail in sent] == ["ann@example.com", "ops@example.com"]
    assert {(mail.order_id, mail.status) for mail in sent} == {(ID, status)}
    assert {mail.subject for mail in sent} == {f"Orders-App: Update for order {ID}"}


def test_without_any_address_nobody_is_told() -> None:
    assert mails(an_order(status=Status.SUCCESS), SETTINGS) == ()


def test_the_text_names_reason_items_and_total() -> None:
    items = (Item("Soup", 2, 250), Item("Bread", 1, 100))
    order = an_order(status=Status.FAILED, error_message="declined", items=items, email="ann@example.com")
    (mail,) = mails(order, SETTINGS)

    for said in ("declined", "2 x Soup", "1 x Bread", "6.00 USD", ID, "Restaurant 4"):
        assert said in mail.text


@pytest.mark.parametrize(
    ("currency", "total"), [("USD", "12345.67 USD"), ("KWD", "1234.567 KWD"), ("JPY", "1234567 JPY")]
)
def test_the_total_is_read_with_the_decimals_of_its_currency(currency: str, total: str) -> None:
    order = an_order(status=Status.SUCCESS, items=(Item("Soup", 1, 1_234_567),), currency=currency, email="a@b.example")
    (mail,) = mails(order, SETTINGS)

    assert f"Total:      {total}\n" in mail.text


def test_only_a_failed_or_cancelled_order_speaks_of_money_given_back() -> None:
    texts = {status: mails(an_order(status=status, email="a@example.com"), SETTINGS)[0].text for status in ENDED}

    assert {status for status, text in texts.items() if "given back" in text} == {Status.FAILED, Status.CANCELLED}


ADDRESSES = st.text(st.sampled_from("ab.+-_@=2d4?0"), min_size=1, max_size=12)


@given(ADDRESSES, ADDRESSES, st.sampled_from(sorted(ENDED)), st.sampled_from(sorted(ENDED)))
def test_a_message_id_is_the_same_for_the_same_mail_and_for_no_other(
    one: str, other: str, this: Status, that: Status
) -> None:
    first, second = Mail(ID, this, one, "", ""), Mail(ID, that, other, "", "")

    assert (message_id(first) == message_id(second)) == ((one, this) == (other, that))
    assert message_id(first) == message_id(msgspec.structs.replace(first, subject="another", text="another"))


@given(st.emails())
def test_a_message_id_is_one_that_a_mail_may_have(address: str) -> None:
    made = message_id(Mail(ID, Status.SUCCESS, address, "", ""))

    assert made.startswith("<")
    assert made.endswith("@expediter>")
    assert made.isascii()
    assert made.isprintable()
    assert made.count("@") == 1
    assert " " not in made
