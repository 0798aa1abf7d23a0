"""Dead letters over the REST API."""

import pytest

from expediter.app.operator.operations import BULK
from tests.api.conftest import Api, shown

OPERATIONS = (
    "listDeadLetters getDeadLetter deleteDeadLetter redriveDeadLetter redriveDeadLetters purgeDeadLetters".split()
)


def test_a_dead_letter_is_shown_with_its_reason_and_body(api: Api) -> None:
    message_id = api.bury(b'{"user_id": 1}')
    letter = shown(api.rest("getDeadLetter", id=message_id))
    assert letter["body"] == '{"user_id": 1}'
    assert letter["reason"].startswith("OrderInvalid: ")
    assert letter["receive_count"] == 3
    assert letter["sent_at"] == "2027-01-15T08:00:00.000Z" < letter["died_at"]


def test_a_body_that_is_no_text_is_shown_all_the_same(api: Api) -> None:
    assert shown(api.rest("getDeadLetter", id=api.bury(b"\xff\x00ok")))["body"] == "\\xff\x00ok"


def test_dead_letters_are_listed_oldest_first_page_by_page(api: Api) -> None:
    buried = [api.bury(body) for body in (b"a", b"b", b"c")]
    first = shown(api.rest("listDeadLetters", query=(("limit", "2"),)))
    rest = shown(api.rest("listDeadLetters", query=(("limit", "2"), ("cursor", first["cursor"]))))
    assert [letter["id"] for letter in first["items"] + rest["items"]] == buried
    assert (first["count"], rest["cursor"]) == (3, None)


def test_a_redriven_letter_is_received_again_from_the_start(api: Api) -> None:
    message_id = api.bury(b"a")
    assert api.rest("redriveDeadLetter", id=message_id).status == 204
    assert api.rest("getDeadLetter", id=message_id).status == 404
    (message,) = api.work().queue.receive(5, api.now)
    assert (message.body, message.receive_count) == (b"a", 1)


def test_redriving_twice_sends_one_message(api: Api) -> None:
    message_id = api.bury(b"a")
    api.rest("redriveDeadLetter", id=message_id)
    again = api.rest("redriveDeadLetter", id=message_id)
    assert (again.status, shown(again)["error"]) == (404, "MessageNotFound")
    assert len(api.work().queue.receive(5, api.now)) == 1


def test_all_dead_letters_are_redriven_at_once(api: Api) -> None:
    api.bury(b"a")
    api.bury(b"b")
    assert shown(api.rest("redriveDeadLetters")) == {"redriven": 2, "remaining": 0}
    assert shown(api.rest("redriveDeadLetters")) == {"redriven": 0, "remaining": 0}
    assert len(api.work().queue.receive(5, api.now)) == 2


def test_a_deleted_letter_is_gone(api: Api) -> None:
    message_id = api.bury(b"a")
    assert [api.rest("deleteDeadLetter", id=message_id).status for _ in range(2)] == [204, 404]


def test_a_purge_removes_them_all_and_says_how_many(api: Api) -> None:
    api.bury(b"a")
    api.bury(b"b")
    assert shown(api.rest("purgeDeadLetters")) == {"purged": 2, "remaining": 0}
    assert api.work().dead_letters.count() == 0


def test_one_call_moves_so_many_that_it_stays_short(api: Api) -> None:
    for _ in range(BULK + 1):
        api.work().queue.send(b"x", {}, api.now)
    for _ in range(4 * (BULK // 5 + 1)):
        api.take_in(1)
    while api.take_in(60):
        pass
    assert shown(api.rest("purgeDeadLetters")) == {"purged": BULK, "remaining": 1}


@pytest.mark.parametrize("message_id", ["", "0", "x", "-1", "9" * 30, "redrive"])
def test_an_unknown_letter_is_not_found(api: Api, message_id: str) -> None:
    assert api.rest("getDeadLetter", id=message_id).status == 404
