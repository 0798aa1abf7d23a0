"""An address that can never be mailed is refused with 422, not given up after the order."""

from typing import NamedTuple

import msgspec
import pytest

from expediter.app.drafts import ChangeDraft, Draft, convert
from expediter.app.intake import accept
from expediter.app.orders import change
from expediter.app.ports import Caller, MailServer, Query
from expediter.domain.errors import OrderInvalid
from tests.api.conftest import Api
from tests.support.values import ID

PLAIN = {"user_id": "u", "restaurant_id": "r", "quantity": 1}


class Server(NamedTuple):
    smtputf8: bool


UTF8, ASCII = Server(smtputf8=True), Server(smtputf8=False)


@pytest.mark.parametrize(
    "address",
    [
        "a..b@example.com",
        ".a@example.com",
        "a.@example.com",
        "a@b..com",
        "a@.b",
        "a@b.",
        "a@-b.com",
        "a@b-.com",
        "a@b_c.com",
        "a@xn--a",
        "a@[127.0.0.1]",
        "a(b)@example.com",
        "a" * 65 + "@example.com",
        "a@" + "b" * 64 + ".com",
        "a@\u0338b.example",
    ],
)
def test_an_address_that_can_never_be_mailed_is_refused_with_422(api: Api, address: str) -> None:
    answer = api.rest("postOrder", {**PLAIN, "email": address})
    assert answer.status == 422
    (fault,) = msgspec.json.decode(answer.body)["errors"]
    assert fault["path"] == "email"


def test_the_fault_stands_beside_the_others(api: Api) -> None:
    answer = api.rest("postOrder", {**PLAIN, "email": "a@b-.com", "currency": "XXX"})
    assert [fault["path"] for fault in msgspec.json.decode(answer.body)["errors"]] == ["currency", "email"]


@pytest.mark.parametrize(("server", "taken"), [(UTF8, True), (ASCII, False), (None, False)])
def test_other_letters_before_the_at_need_a_mail_server_that_takes_them(
    api: Api, server: MailServer | None, taken: bool
) -> None:
    work = msgspec.structs.replace(api.work(), mail_server=server)
    draft = convert({**PLAIN, "email": "用户@example.com"}, Draft)
    order = accept(work, Caller(), convert(PLAIN, Draft), ID).order
    changed = convert({"email": "用户@example.com"}, ChangeDraft)
    if taken:
        assert accept(work, Caller(), draft, ID[:-1] + "0").order.email == "用户@example.com"
        assert change(work, Caller(), order.id, changed).email == "用户@example.com"
        return
    with pytest.raises(OrderInvalid, match="does not offer SMTPUTF8"):
        accept(work, Caller(), draft, ID[:-1] + "0")
    with pytest.raises(OrderInvalid, match="does not offer SMTPUTF8"):
        change(work, Caller(), order.id, changed)


def test_other_letters_in_the_domain_need_nothing(api: Api) -> None:
    assert api.rest("postOrder", {**PLAIN, "email": "a@bücher.example"}).status == 204


def test_a_repeat_is_answered_though_the_mail_server_takes_less_by_now(api: Api) -> None:
    draft = convert({**PLAIN, "email": "用户@example.com"}, Draft)
    first = accept(msgspec.structs.replace(api.work(), mail_server=UTF8), Caller(), draft, ID)
    again = accept(api.work(), Caller(), draft, ID)
    assert (first.replayed, again.replayed, again.order) == (False, True, first.order)


def test_a_message_from_elsewhere_is_held_to_the_same(api: Api) -> None:
    queue = api.work().queue
    for number, email in enumerate(("a..b@example.com", "用户@example.com", "a@bücher.example")):
        body = msgspec.json.encode({**PLAIN, "email": email})
        queue.send(body, {"order_id": f"{ID[:-1]}{number}"}, api.now)
    api.take_in()
    assert [order.email for order in api.work().orders.page(Query()).items] == ["a@bücher.example"]
