"""The contracts of tests/ports, held against the second home; what AWS does otherwise is said and tested here."""

from expediter.aws.stores.queue import MAX_RECEIVES, RECEIVES
from tests.aws.world import AwsAdapters
from tests.ports import test_claims, test_orders, test_queue, test_workflows
from tests.support.clock import NOON
from tests.support.values import ID

MINUTE = 60_000

#: The contracts that AWS cannot keep, and why; docs/reference/aws-differences.md says it to users.
OTHERWISE = {
    "test_what_a_unit_claimed_that_failed_is_free_again": "a unit of several AWS services cannot be undone",
    "test_a_unit_that_fails_leaves_neither_order_nor_ledger": "a unit is one outcome: that is one transaction",
    "test_a_start_in_a_unit_that_fails_never_happened": "a started execution stays started",
    "test_a_message_is_received_as_it_was_sent": "SQS takes text only; see the test below",
    "test_only_the_newest_receipt_deletes_extends_or_fails": "SQS says yes to an old receipt and does nothing",
    "test_a_message_received_too_often_moves_to_the_dead_letter_queue": "after 500 receives; see below",
    "test_an_execution_of_a_name_is_started_once": "the same start again is answered as the first was",
    "test_dead_letters_come_oldest_first_in_pages": "within a millisecond SQS knows no order",
    "test_a_redriven_message_begins_anew_and_no_old_receipt_reaches_it": "SQS says yes to an old receipt",
    "test_a_failed_message_is_hidden_for_two_seconds": "SQS goes by its own clock, not by the unit's; see below",
    "test_the_history_begins_with_the_start_and_its_input": "moto keeps a made-up history; the local stack's is real",
}

SUITE = {
    name: test
    for module in (test_claims, test_orders, test_queue, test_workflows)
    for name, test in vars(module).items()
    if name.startswith("test_")
}
globals().update({name: test for name, test in SUITE.items() if name not in OTHERWISE})


def test_everything_that_is_otherwise_is_a_contract_of_the_suite() -> None:
    assert OTHERWISE.keys() <= SUITE.keys()


def test_a_text_is_received_as_it_was_sent(adapters: AwsAdapters) -> None:
    body = '{"name": "Käse & \\"Brot\\" 🍔 \uffff"}'.encode()
    with adapters.unit() as work:
        message_id = work.queue.send(body, {"order_id": "x"}, NOON)
    with adapters.unit(NOON + 5) as work:
        (message,) = work.queue.receive(5, NOON + 5)

    escaped = body.replace("\uffff".encode(), b"\\uffff")
    assert (message.id, message.body, message.attributes) == (message_id, escaped, {"order_id": "x"})
    assert (message.sent_at, message.receive_count) == (NOON, 1)


def test_a_redriven_message_begins_anew(adapters: AwsAdapters) -> None:
    letter, message, now = test_queue.dead(adapters)
    with adapters.unit(now) as work:
        assert work.dead_letters.redrive(letter, now)
        work.queue.fail(message, "late", now)
    again = test_queue.received(adapters, now)
    assert (again.body, again.attributes, again.receive_count) == (b"body", {"order_id": "x"}, 1)


def test_sqs_itself_moves_what_was_received_too_often_and_gives_no_reason(adapters: AwsAdapters) -> None:
    now = NOON
    with adapters.unit() as work:
        sent = work.queue.send(b"body", {"order_id": "x"}, NOON)
    for _ in range(MAX_RECEIVES + 1):
        with adapters.unit(now) as work:
            work.queue.receive(5, now)
        now += MINUTE
    with adapters.unit(now) as work:
        (letter,) = work.dead_letters.page(5)

    assert (letter.id, letter.body, letter.attributes) == (sent, b"body", {"order_id": "x"})
    assert "without an answer" in letter.reason


def test_a_reason_may_hold_what_sqs_takes_in_no_attribute(adapters: AwsAdapters) -> None:
    now = NOON
    with adapters.unit() as work:
        work.queue.send(b"body", {}, NOON)
    for _ in range(RECEIVES):
        with adapters.unit(now) as work:
            (message,) = work.queue.receive(5, now)
            assert work.queue.fail(message, "no field \x00\uffff 🍔" + "x" * 5000, now)
        now += MINUTE
    with adapters.unit(now) as work:
        (letter,) = work.dead_letters.page(5)

    assert letter.reason.startswith("no field ?? 🍔xxx")
    assert (letter.died_at, letter.attributes) == (now - MINUTE, {})


def test_dead_letters_come_oldest_first_in_pages_too(adapters: AwsAdapters) -> None:
    now = NOON
    for place in range(5):
        now += 1
        with adapters.unit(now) as work:
            work.queue.send(b"%d" % place, {}, now)
    for _ in range(RECEIVES):
        now += MINUTE
        with adapters.unit(now) as work:
            for message in sorted(work.queue.receive(5, now), key=lambda it: it.body):
                now += 1
                work.queue.fail(message, "why", now)
    with adapters.unit(now) as work:
        first = work.dead_letters.page(3)
        rest = work.dead_letters.page(3, first[-1].id)

    assert [letter.body for letter in (*first, *rest)] == [b"0", b"1", b"2", b"3", b"4"]


def test_looking_for_one_dead_letter_hides_none_of_the_others(adapters: AwsAdapters) -> None:
    ids = []
    for place in range(12):
        sent = adapters.sqs.send_message(QueueUrl=adapters.dead_url, MessageBody=f"letter {place}")
        ids.append(sent["MessageId"])
    with adapters.unit(NOON + MINUTE) as work:
        for letter_id in ids:
            found = work.dead_letters.find(letter_id)
            assert found is not None
            assert found.id == letter_id
        assert [work.dead_letters.redrive(letter_id, NOON + MINUTE) for letter_id in ids] == [True] * 12
        assert work.dead_letters.page(20) == ()


def test_a_start_twice_is_one_execution(adapters: AwsAdapters) -> None:
    with adapters.unit() as work:
        assert test_workflows.start(work)
    with adapters.unit(NOON + 1) as work:
        test_workflows.start(work, NOON + 1)

    assert len(adapters.stepfunctions.list_executions(stateMachineArn=adapters.machine)["executions"]) == 1


def test_an_order_that_has_a_row_is_not_started_again_when_its_name_is_forgotten(adapters: AwsAdapters) -> None:
    with adapters.unit() as work:
        test_orders.save(work)
        assert work.workflows.start(ID, {}, NOON) is False
        assert work.workflows.history(ID) == []


def test_a_failed_message_is_hidden_for_two_seconds_of_sqs_s_clock(adapters: AwsAdapters) -> None:
    with adapters.unit() as work:
        work.queue.send(b"body", {}, NOON)
        (message,) = work.queue.receive(5, NOON)
        assert work.queue.fail(message, "why", NOON)
    for later, found in ((1_999, 0), (2_000, 1)):
        with adapters.unit(NOON + later) as work:
            assert len(work.queue.receive(5, NOON + later)) == found
