"""Whatever is done to the queue in whatever order, it does what a model of SQS with a redrive policy does."""

from typing import Any

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from expediter.app.ports import Message
from tests.ports.adapters import ADAPTERS, Adapters
from tests.support.clock import NOON

VISIBILITY, RETRY_AFTER, MAX_RECEIVES = 30_000, 2_000, 3


class Model(msgspec.Struct):
    """A message as SQS would keep it."""

    body: bytes
    visible_at: int
    receives: int = 0
    receipt: str | None = None
    reason: str | None = None
    dead: bool = False


class Queue(RuleBasedStateMachine):
    make: Any = ADAPTERS["embedded"]
    receipts = Bundle("receipts")

    @initialize()
    def begin(self) -> None:
        self.adapters: Adapters = type(self).make()
        self.now = NOON
        self.kept: dict[str, Model] = {}
        self.seen: set[str] = set()

    def teardown(self) -> None:
        if hasattr(self, "adapters"):
            self.adapters.close()

    @rule(body=st.binary(max_size=5))
    def send(self, body: bytes) -> None:
        with self.adapters.unit(self.now) as work:
            message_id = work.queue.send(body, {}, self.now)
        assert message_id not in self.kept
        self.kept[message_id] = Model(body, self.now)

    @rule(target=receipts, limit=st.integers(1, 3))
    def receive(self, limit: int) -> str:
        for kept in self.kept.values():
            if not kept.dead and kept.visible_at <= self.now and kept.receives >= MAX_RECEIVES:
                self.die(kept)
        visible = {key: it for key, it in self.kept.items() if not it.dead and it.visible_at <= self.now}
        expected = sorted(visible, key=int)[:limit]
        with self.adapters.unit(self.now) as work:
            found = work.queue.receive(limit, self.now)
        assert [message.id for message in found] == expected
        for message in found:
            mine = self.kept[message.id]
            assert message.receipt not in self.seen, "a receipt was given twice"
            self.seen.add(message.receipt)
            mine.receives, mine.receipt, mine.visible_at = mine.receives + 1, message.receipt, self.now + VISIBILITY
            assert (message.body, message.receive_count) == (mine.body, mine.receives)
        return found[-1].receipt if found else "none"

    @rule(receipt=receipts)
    def delete(self, receipt: str) -> None:
        held = self.held_by(receipt)
        with self.adapters.unit(self.now) as work:
            assert work.queue.delete(receipt) == (held is not None)
        self.kept = {key: it for key, it in self.kept.items() if it is not held}

    @rule(receipt=receipts, seconds=st.integers(0, 60))
    def extend(self, receipt: str, seconds: int) -> None:
        held = self.held_by(receipt)
        with self.adapters.unit(self.now) as work:
            assert work.queue.extend(receipt, seconds, self.now) == (held is not None)
        if held:
            held.visible_at = self.now + seconds * 1000

    @rule(receipt=receipts, reason=st.sampled_from(["this", "that"]))
    def fail(self, receipt: str, reason: str) -> None:
        held = self.held_by(receipt)
        message = Message(id="", body=b"", attributes={}, sent_at=0, receive_count=0, receipt=receipt)
        with self.adapters.unit(self.now) as work:
            assert work.queue.fail(message, reason, self.now) == (held is not None)
        if held:
            held.reason, held.visible_at = reason, self.now + RETRY_AFTER
            if held.receives >= MAX_RECEIVES:
                self.die(held)

    @rule(which=st.integers(0, 5), purge=st.booleans())
    def treat_a_dead_letter(self, which: int, purge: bool) -> None:
        ids = sorted(self.kept, key=int)
        message_id = ids[which % len(ids)] if ids else "1"
        mine = self.kept.get(message_id)
        is_dead = mine is not None and mine.dead
        with self.adapters.unit(self.now) as work:
            if purge:
                assert work.dead_letters.delete(message_id) == is_dead
            else:
                assert work.dead_letters.redrive(message_id, self.now) == is_dead
        if is_dead:
            assert mine is not None
            self.kept.pop(message_id)
            if not purge:
                self.kept[message_id] = Model(mine.body, self.now)

    @rule(milliseconds=st.sampled_from([1, RETRY_AFTER - 1, RETRY_AFTER, VISIBILITY - 1, VISIBILITY, 100_000]))
    def pass_time(self, milliseconds: int) -> None:
        self.now += milliseconds

    @invariant()
    def the_dead_letters_are_those_of_the_model(self) -> None:
        if not hasattr(self, "adapters"):
            return
        with self.adapters.unit(self.now) as work:
            found = {letter.id: letter for letter in work.dead_letters.page(100)}
            assert work.dead_letters.count() == len(found)
        assert found.keys() == {key for key, it in self.kept.items() if it.dead}
        for message_id, letter in found.items():
            mine = self.kept[message_id]
            assert (letter.body, letter.receive_count) == (mine.body, mine.receives)
            assert letter.reason == (mine.reason or "received 3 times and never deleted")

    def held_by(self, receipt: str) -> Model | None:
        return next((it for it in self.kept.values() if it.receipt == receipt and not it.dead), None)

    def die(self, message: Model) -> None:
        message.dead, message.receipt = True, None


@pytest.mark.parametrize("name", ADAPTERS)
def test_the_queue_does_what_sqs_does_in_any_order_of_calls(name: str) -> None:
    class AdapterQueue(Queue):
        make = staticmethod(ADAPTERS[name])

    run_state_machine_as_test(AdapterQueue, settings=settings(max_examples=150, stateful_step_count=40))
