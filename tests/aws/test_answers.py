"""Acts under an idempotency key on AWS: the key is taken before the act, and its answer kept after it."""

from typing import Any

import pytest

from expediter.api.access import TokenClaims, caller_of
from expediter.app.idempotency import own_id, uuid_of
from expediter.app.operator.repeats import REMEMBERED, Answer, RequestCutOff
from expediter.aws.stores.answers import DynamoAnswers
from expediter.domain.errors import IdempotencyKeyReused, MessageNotFound
from tests.aws.stage import ANN, Functions
from tests.aws.world import AwsAdapters
from tests.support.clock import NOON

KEY: Any = {"headers": {"Idempotency-Key": "my-act"}}


@pytest.fixture
def answers(adapters: AwsAdapters) -> DynamoAnswers:
    return DynamoAnswers(adapters.dynamodb, "events")


def test_the_same_request_is_answered_as_the_first_for_a_week(answers: DynamoAnswers) -> None:
    done: list[int] = []

    def act() -> bytes:
        done.append(1)
        return b"%d" % len(done)

    assert answers.once("key", "asked", act, NOON) == Answer(b"1", replayed=False)
    assert answers.once("key", "asked", act, NOON + REMEMBERED) == Answer(b"1", replayed=True)
    with pytest.raises(IdempotencyKeyReused):
        answers.once("key", "something else", act, NOON)
    # DynamoDB may be late with the removal of the row.
    assert answers.once("key", "asked", act, NOON + REMEMBERED + 1000) == Answer(b"2", replayed=False)
    assert [answers.once(None, "asked", act, NOON).replayed for _ in range(2)] == [False, False]


def test_a_request_that_was_cut_off_is_not_carried_out_again(answers: DynamoAnswers) -> None:
    def cut_off() -> bytes:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        answers.once("key", "asked", cut_off, NOON)
    with pytest.raises(RequestCutOff):
        answers.once("key", "asked", lambda: b"", NOON)


def test_a_request_that_was_refused_leaves_its_key_free(answers: DynamoAnswers) -> None:
    def refused() -> bytes:
        raise MessageNotFound

    for _ in range(2):
        with pytest.raises(MessageNotFound):
            answers.once("key", "asked", refused, NOON)
    assert answers.once("key", "another", lambda: b"done", NOON) == Answer(b"done", replayed=False)


def test_a_repeat_of_a_purge_is_answered_as_the_first(functions: Functions) -> None:
    first, again = (functions.rest("DELETE", "/dlq", groups="operators", **KEY) for _ in range(2))
    assert "Idempotent-Replayed" not in first["headers"]
    assert (again["headers"]["Idempotent-Replayed"], again["body"]) == ("true", first["body"])
    other = functions.rest("POST", "/dlq/redrive", groups="operators", **KEY)
    assert (other["statusCode"], other["body"]["error"]) == (422, "IdempotencyKeyReused")


@pytest.mark.parametrize(
    ("lines", "status"), [(["a", "b"], 400), (["a", "a"], 200), (['"a"'], 200), ([""], 200), (["ä"], 422), ([" "], 422)]
)
def test_a_key_is_read_as_on_one_machine(functions: Functions, lines: list[str], status: int) -> None:
    event: Any = {"multiValueHeaders": {"idempotency-key": lines}}
    assert functions.rest("DELETE", "/dlq", groups="operators", **event)["statusCode"] == status
    mine = own_id(caller_of(TokenClaims(ANN, groups=("operators",))), uuid_of("a"))
    kept = "a" in "".join(lines) and status == 200
    assert [row["id"]["S"] for row in functions.scan("events")] == ([f"act#{mine}"] if kept else [])


@pytest.mark.parametrize("selected", [["id", "orderStatus"], ["id"]])
def test_a_program_that_may_only_write_is_told_the_id_alone(functions: Functions, selected: list[str]) -> None:
    claims = {"client_id": "till", "scope": "expediter/orders:write"}
    order = {"name": "a", "quantity": 1, "restaurantId": "r", "userId": ANN}
    event = {
        "info": {"parentTypeName": "Mutation", "fieldName": "postOrder", "selectionSetList": selected},
        "arguments": {"input": order},
        "identity": {"sub": "till", "claims": claims},
    }
    answer = functions.call("Graphql", event)
    if selected == ["id"]:
        assert answer["value"].keys() == {"id"}
    else:
        assert (answer["error"]["type"], functions.scan("claims")) == ("ScopeMissing", [])
