"""SQS's verbs, one by one; the whole of them against a model is in test_queue_model.py."""

import msgspec
import pytest

from expediter.app.ports import Message
from tests.ports.adapters import Adapters
from tests.support.clock import NOON

MINUTE = 60_000


def received(adapters: Adapters, now: int = NOON) -> Message:
    with adapters.unit(now) as work:
        (message,) = work.queue.receive(5, now)
    return message


def dead(adapters: Adapters) -> tuple[str, Message, int]:
    """The id of a dead letter that failed at three receives, the message's last delivery, and the time."""
    now = NOON
    with adapters.unit(now) as work:
        work.queue.send(b"body", {"order_id": "x"}, now)
    deliveries = []
    for _ in range(3):
        deliveries.append(message := received(adapters, now))
        with adapters.unit(now) as work:
            work.queue.fail(message, "why", now)
        now += MINUTE
    with adapters.unit(now) as work:
        assert work.queue.receive(5, now) == ()
        (letter,) = work.dead_letters.page(5)
    return letter.id, deliveries[-1], now


def test_a_message_is_received_as_it_was_sent(adapters: Adapters) -> None:
    with adapters.unit() as work:
        message_id = work.queue.send(b"\x00\xff", {"order_id": "x", "ä": "ö"}, NOON)
    message = received(adapters, NOON + 5)

    assert (message.id, message.body, message.attributes) == (message_id, b"\x00\xff", {"order_id": "x", "ä": "ö"})
    assert (message.sent_at, message.receive_count) == (NOON, 1)


def test_a_received_message_is_hidden_until_its_visibility_timeout_is_over(adapters: Adapters) -> None:
    with adapters.unit() as work:
        work.queue.send(b"body", {}, NOON)
    first = received(adapters)
    with adapters.unit() as work:
        assert work.queue.receive(5, NOON + 29_999) == ()
    again = received(adapters, NOON + 30_000)

    assert (again.id, again.receive_count) == (first.id, 2)
    assert again.receipt != first.receipt


def test_only_the_newest_receipt_deletes_extends_or_fails(adapters: Adapters) -> None:
    with adapters.unit() as work:
        work.queue.send(b"body", {}, NOON)
    old = received(adapters)
    new = received(adapters, NOON + MINUTE)
    with adapters.unit() as work:
        assert not work.queue.delete(old.receipt)
        assert not work.queue.extend(old.receipt, 0, NOON)
        assert not work.queue.fail(old, "why", NOON)
        assert work.queue.delete(new.receipt)
        assert not work.queue.delete(new.receipt)


@pytest.mark.parametrize("receipt", ["", "1", "1-", "-1", "x-y", "1-1-1", "99-1", "9" * 40 + "-1"])
def test_a_text_that_is_no_receipt_does_nothing(adapters: Adapters, receipt: str) -> None:
    with adapters.unit() as work:
        work.queue.send(b"body", {}, NOON)
        (message,) = work.queue.receive(5, NOON)
        assert not work.queue.delete(receipt)
        assert not work.queue.fail(msgspec.structs.replace(message, receipt=receipt), "why", NOON)


def test_extending_by_nothing_gives_the_message_back(adapters: Adapters) -> None:
    with adapters.unit() as work:
        work.queue.send(b"body", {}, NOON)
    message = received(adapters)
    with adapters.unit() as work:
        assert work.queue.extend(message.receipt, 0, NOON)

    assert received(adapters).receive_count == 2


def test_a_failed_message_is_hidden_for_two_seconds(adapters: Adapters) -> None:
    with adapters.unit() as work:
        work.queue.send(b"body", {}, NOON)
        (message,) = work.queue.receive(5, NOON)
        work.queue.fail(message, "why", NOON)
        assert work.queue.receive(5, NOON + 1_999) == ()
        assert len(work.queue.receive(5, NOON + 2_000)) == 1


def test_a_failed_message_comes_back_and_dies_at_its_last_receive_with_the_last_reason(adapters: Adapters) -> None:
    now = NOON
    with adapters.unit() as work:
        work.queue.send(b"body", {}, NOON)
    for reason in ("first", "second", "third"):
        message = received(adapters, now)
        with adapters.unit(now) as work:
            work.queue.fail(message, reason, now)
        now += MINUTE
    with adapters.unit(now) as work:
        (letter,) = work.dead_letters.page(5)

    assert (letter.body, letter.reason, letter.receive_count) == (b"body", "third", 3)


def test_a_message_received_too_often_moves_to_the_dead_letter_queue(adapters: Adapters) -> None:
    now = NOON
    with adapters.unit(now) as work:
        work.queue.send(b"body", {"order_id": "x"}, now)
    for _ in range(2):
        received(adapters, now)
        now += MINUTE
    message = received(adapters, now)
    now += MINUTE
    with adapters.unit(now) as work:
        assert work.queue.receive(5, now) == ()
        (letter,) = work.dead_letters.page(5)

    assert (letter.id, letter.body, letter.attributes) == (message.id, b"body", {"order_id": "x"})
    assert (letter.sent_at, letter.died_at, letter.receive_count) == (NOON, now, 3)
    assert "3" in letter.reason


def test_a_redriven_message_begins_anew_and_no_old_receipt_reaches_it(adapters: Adapters) -> None:
    letter, message, now = dead(adapters)
    with adapters.unit(now) as work:
        assert work.dead_letters.redrive(letter, now)
        assert not work.queue.delete(message.receipt)
        assert not work.queue.fail(message, "late", now)
    again = received(adapters, now)

    assert (again.body, again.receive_count) == (b"body", 1)
    assert again.receipt != message.receipt


def test_redriving_twice_is_redriving_once(adapters: Adapters) -> None:
    letter, _, now = dead(adapters)
    with adapters.unit(now) as work:
        assert work.dead_letters.redrive(letter, now)
        assert not work.dead_letters.redrive(letter, now)
        assert work.dead_letters.count() == 0

    assert received(adapters, now).body == b"body"


def test_a_removed_dead_letter_is_gone(adapters: Adapters) -> None:
    letter, _, now = dead(adapters)
    with adapters.unit(now) as work:
        assert work.dead_letters.find(letter)
        assert work.dead_letters.delete(letter)
        assert not work.dead_letters.delete(letter)
        assert work.dead_letters.find(letter) is None
        assert not work.dead_letters.redrive(letter, now)


@pytest.mark.parametrize("message_id", ["", "x", "-1", "9" * 40])
def test_what_is_no_id_is_found_nowhere(adapters: Adapters, message_id: str) -> None:
    with adapters.unit() as work:
        assert work.dead_letters.find(message_id) is None
        assert not work.dead_letters.delete(message_id)
        assert not work.dead_letters.redrive(message_id, NOON)


def test_dead_letters_come_oldest_first_in_pages(adapters: Adapters) -> None:
    now = NOON
    with adapters.unit() as work:
        for place in range(5):
            work.queue.send(b"%d" % place, {}, NOON)
    for _ in range(4):
        with adapters.unit(now) as work:
            work.queue.receive(5, now)
        now += MINUTE
    with adapters.unit(now) as work:
        first = work.dead_letters.page(3)
        rest = work.dead_letters.page(3, first[-1].id)

    assert [letter.body for letter in (*first, *rest)] == [b"0", b"1", b"2", b"3", b"4"]
