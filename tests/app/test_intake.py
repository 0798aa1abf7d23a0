"""From the queue to the workflow: one message, one order, one execution."""

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from expediter.app.drafts import Draft, convert
from expediter.app.intake import BATCH, accept, asked_in, from_document, order_in, take_batch
from expediter.app.ports import Claim, Message
from expediter.domain.errors import OrderInvalid
from tests.ports.adapters import Adapters, EmbeddedAdapters
from tests.support.clock import NOON
from tests.support.stage import BURGERS, OPERATOR
from tests.support.values import ID, SETTINGS

BODY = msgspec.json.encode(convert(BURGERS, Draft))
OTHER = msgspec.json.encode(convert({**BURGERS, "quantity": 4}, Draft))
ITEMS = [{"name": "a", "quantity": "2"}, {"name": "b", "quantity": 1, "unit_price": 5}]
SECOND = 1_000


@pytest.fixture
def home() -> Iterator[Adapters]:
    adapters = EmbeddedAdapters()
    yield adapters
    adapters.close()


def an_id(number: int) -> str:
    return ID[:-2] + f"{number:02}"


def send(home: Adapters, *messages: tuple[bytes, str], now: int = NOON) -> None:
    with home.unit(now) as work:
        for body, order_id in messages:
            work.queue.send(body, {"order_id": order_id}, now)


def take(home: Adapters, now: int = NOON) -> int:
    with home.unit(now) as work:
        return take_batch(work)


def started(home: Adapters, order_id: str) -> bool:
    with home.unit() as work:
        return work.workflows.history(order_id) is not None


def message(body: bytes = BODY, **attributes: str) -> Message:
    return Message("1", body, attributes, NOON, 1, "1-1")


def test_a_message_that_was_written_here_is_read_once_as_it_was_written_and_then_parsed(home: Adapters) -> None:
    with home.unit() as work:
        order = accept(work, OPERATOR, convert(BURGERS, Draft), ID).order
        (received,) = work.queue.receive(1, NOON)
        first, second = asked_in(work, received), asked_in(work, received)

    assert first.order is order
    assert second.order is not order
    assert second == first


def test_a_message_that_only_has_the_id_of_one_that_was_written_here_is_parsed(home: Adapters) -> None:
    with home.unit() as work:
        order = accept(work, OPERATOR, convert(BURGERS, Draft), ID).order
        (received,) = work.queue.receive(1, NOON)
        asked = asked_in(work, msgspec.structs.replace(received, body=OTHER))

    assert asked.order.items != order.items


def test_a_batch_is_five_and_the_rest_waits(home: Adapters) -> None:
    send(home, *((BODY, an_id(number)) for number in range(7)))

    assert [take(home), take(home), take(home)] == [BATCH, 2, 0]
    assert all(started(home, an_id(number)) for number in range(7))


def test_one_poison_message_keeps_its_reason_and_never_takes_its_batch_along(home: Adapters) -> None:
    send(home, (BODY, an_id(1)), (b"poison", an_id(2)), (BODY, "no id"), (BODY, an_id(3)))
    for round_ in range(4):
        take(home, NOON + round_ * 60 * SECOND)

    assert started(home, an_id(1))
    assert started(home, an_id(3))
    with home.unit() as work:
        reasons = [letter.reason for letter in work.dead_letters.page(5)]
    assert [reason.split(": ")[0] for reason in reasons] == ["OrderInvalid", "OrderInvalid"]
    assert "not JSON" in reasons[0]
    assert "order_id" in reasons[1]


def test_the_same_order_under_the_same_id_starts_nothing_twice(home: Adapters) -> None:
    send(home, (BODY, ID), (BODY, ID))
    take(home)
    with home.unit() as work:
        before = work.workflows.history(ID)
    send(home, (BODY, ID), now=NOON + SECOND)
    take(home, NOON + SECOND)

    with home.unit() as work:
        assert work.workflows.history(ID) == before
        assert work.queue.receive(5, NOON + 3600 * SECOND) == ()
        assert work.dead_letters.count() == 0


def test_another_order_under_a_taken_id_dies_after_three_receives_with_the_reason(home: Adapters) -> None:
    send(home, (BODY, ID), (OTHER, ID))
    for round_ in range(3):
        take(home, NOON + round_ * 60 * SECOND)
    with home.unit() as work:
        (letter,) = work.dead_letters.page(5)

    assert letter.reason.startswith("IdempotencyKeyReused: ")
    assert (letter.receive_count, letter.body) == (3, OTHER)


def test_an_id_in_capitals_is_the_same_id(home: Adapters) -> None:
    send(home, (BODY, ID.upper()), (BODY, ID))
    take(home)

    assert started(home, ID)
    with home.unit() as work:
        assert work.queue.receive(5, NOON + 3600 * SECOND) == ()


def test_an_order_was_created_when_its_message_was_sent() -> None:
    order = order_in(message(order_id=ID), SETTINGS).order

    assert (order.id, order.created_at) == (ID, NOON)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "not JSON"),
        (b"\xff", "not JSON"),
        (b'{"user_id": "\xff"}', "not JSON"),
        (b"{}", "the field user_id is missing"),
        (b'{"user_id": "a", "restaurant_id": "b"}', "quantity"),
    ],
)
def test_a_message_that_is_no_order_says_what_is_wrong_with_it(body: bytes, said: str) -> None:
    with pytest.raises(OrderInvalid, match=said):
        order_in(message(body, order_id=ID), SETTINGS)


@pytest.mark.parametrize(
    "attributes",
    [
        *(
            {"order_id": text}
            for text in ("", "x", "a/b", f"{{{ID}}}", f"urn:uuid:{ID}", ID.replace("-", ""), f"{ID}\n")
        ),
        {},
    ],
)
def test_a_message_without_an_id_of_ours_is_refused(attributes: dict[str, str]) -> None:
    with pytest.raises(OrderInvalid, match="order_id"):
        order_in(Message("1", BODY, attributes, NOON, 1, "1-1"), SETTINGS)


VARIANTS: list[dict[str, Any]] = [
    {"quantity": "007"},
    {"quantity": None, "items": ITEMS},
    {"email": "ann@x", "name": "a", "currency": "EUR"},
]


@pytest.mark.parametrize("fields", VARIANTS)
def test_the_order_that_is_accepted_is_what_its_message_asks_for(home: Adapters, fields: dict[str, Any]) -> None:
    with home.unit() as work:
        given = accept(work, OPERATOR, convert({**BURGERS, **fields}, Draft), ID).order
        (received,) = work.queue.receive(BATCH, NOON)

    assert order_in(received, SETTINGS).order == given


@pytest.mark.parametrize("value", [None, {}, [], {"id": ID}, "text"])
def test_a_value_that_is_no_order_is_refused(value: object) -> None:
    with pytest.raises(OrderInvalid):
        from_document(value)


#: An id without a claim.
UNKNOWN = "0198a5c0-0000-7000-8000-00000000dead"
LATER = msgspec.structs.replace(SETTINGS, default_price=2000, currency="JPY", hold_seconds=99)


def test_what_the_customer_was_told_holds_whatever_the_settings_are_at_the_intake(home: Adapters) -> None:
    """Price, currency, total and hold are those of the accept."""
    with home.unit() as work:
        told = accept(work, OPERATOR, convert(BURGERS, Draft), ID).order
    with home.unit() as work:
        (received,) = work.queue.receive(BATCH, NOON)

    found = order_in(received, LATER)

    assert (found.order, found.hold_seconds) == (told, SETTINGS.hold_seconds)
    assert (told.total, told.currency) == (3 * SETTINGS.default_price, SETTINGS.currency)


def test_an_accepted_order_is_found_and_the_same_key_answers_under_whatever_settings(home: Adapters) -> None:
    many = {**BURGERS, "quantity": 2_000_000}
    with home.unit() as work:
        told = accept(work, OPERATOR, convert(many, Draft), ID).order
    with home.unit() as work:
        again = accept(msgspec.structs.replace(work, settings=LATER), OPERATOR, convert(many, Draft), ID)

    assert (again.order, again.replayed) == (told, True)


def test_an_accepted_order_outlives_its_currency_and_stricter_rules() -> None:
    body = b'{"user_id": " ", "restaurant_id": "b", "quantity": 1, "currency": "XXB", "later": true}'
    told = {"order_id": ID, "default_price": "5", "currency": "USD", "hold_seconds": "0"}

    assert order_in(message(body, **told), SETTINGS).order.currency == "XXB"


@pytest.mark.parametrize("odd", [{"currency": "BGN"}, {"email": "a..b@example.com"}, {"user_id": "(erased)"}])
def test_an_order_that_an_earlier_version_accepted_outlives_rules_that_are_new(
    home: Adapters, odd: dict[str, str]
) -> None:
    """Its message has no terms, but its id has a claim. Without a claim it is from another system."""
    body = json.dumps({"user_id": "a", "restaurant_id": "b", "quantity": 1, **odd}).encode()
    with home.unit() as work:
        work.claims.claim(Claim(ID, order_in(message(body, order_id=ID), SETTINGS, claimed=True).fingerprint))
        work.queue.send(body, {"order_id": ID}, NOON)
        work.queue.send(body, {"order_id": UNKNOWN}, NOON)
    with home.unit() as work:
        assert work.orders.accepted(ID) is not None
        assert work.orders.accepted(UNKNOWN) is None
        take_batch(work)
    with home.unit() as work:
        assert work.workflows.history(ID)
        assert not work.workflows.history(UNKNOWN)


def test_a_message_from_elsewhere_is_held_to_the_rules_and_takes_the_settings_of_its_intake() -> None:
    assert order_in(message(order_id=ID), LATER).order.items[0].unit_price == LATER.default_price
    with pytest.raises(OrderInvalid, match="user_id"):
        order_in(message(b'{"user_id": "(erased)", "restaurant_id": "b", "quantity": 1}', order_id=ID), SETTINGS)


@pytest.mark.parametrize("said", [{"default_price": "x"}, {"default_price": "1"}, {"currency": "USD"}])
def test_attributes_that_are_not_ours_are_refused(said: dict[str, str]) -> None:
    with pytest.raises(OrderInvalid, match="hold_seconds"):
        order_in(message(BODY, **{"order_id": ID, "hold_seconds": "1", **said}), SETTINGS)
