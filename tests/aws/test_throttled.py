"""DynamoDB throttles one call of a task: it fails by the name that the workflow waits hours for, and its repeat finds
what was done."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from expediter.domain.errors import StoreUnavailable
from tests.aws.stage import Functions
from tests.support.town import Town, standing

DONE = ("InitializeOrder", "ProcessPayment", "SendOrderToRestaurant", "CompleteOrder")


@pytest.fixture(scope="module")
def outside() -> Iterator[Town]:
    with standing() as found:
        yield found


def refused(functions: Functions, name: str, given: Any) -> bool:
    """Whether the call ends as the throttling of AWS."""
    try:
        functions.call(name, given)
    except StoreUnavailable as error:
        return "ThrottlingException" in str(error)
    return False


@pytest.mark.parametrize("task", DONE)
def test_a_task_that_is_throttled_anywhere_is_done_by_its_repeat_and_charges_once(
    functions: Functions, outside: Town, task: str
) -> None:
    functions.settings(
        EXPEDITER_PAYMENTS=outside.settings["PAYMENTS"], EXPEDITER_RESTAURANT=outside.settings["RESTAURANT"]
    )
    calls = throttled = 0
    while throttled == calls:
        given = functions.order(order_id := str(uuid4()))
        for name in DONE:
            if name == task:
                with functions.throttled("dynamodb", calls):
                    throttled += refused(functions, name, given)
            functions.call(name, given)
        calls += 1
        assert outside.moves(order_id) == ["charge"]
        assert [row["kind"]["S"] for row in functions.scan("ledger") if row["order_id"]["S"] == order_id] == ["charge"]
    assert throttled >= 2


def test_a_throttled_secret_is_a_failure_that_the_workflow_waits_for(functions: Functions, outside: Town) -> None:
    functions.settings(EXPEDITER_RESTAURANT=outside.settings["RESTAURANT"], EXPEDITER_RESTAURANT_SECRET="secret")
    given = functions.order(str(uuid4()))
    for name in DONE[:2]:
        functions.call(name, given)
    with functions.throttled("secretsmanager", 0), pytest.raises(StoreUnavailable):
        functions.call("SendOrderToRestaurant", given)
