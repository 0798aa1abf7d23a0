"""The smoke script over the stack that runs here, as far as it goes: no validator, no sign-in and no AppSync."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import urllib3

from scripts.smoke_aws import (
    Stack,
    a_mail_that_ses_refuses_holds_up_nobody,
    a_throttled_task_gives_up_no_order,
    by_rest,
    orders_of_no_and_of_101_items_are_refused,
)
from tests.aws.local.town import ANN, REGION, Town, standing
from tests.infra.made import Made
from tests.support.patience import PATIENCE, until
from tests.support.town import Town as Outside


class Rehearsed(Stack):
    """The script's stack over the town: API Gateway is its mapping templates, and the queue is polled when it looks."""

    patience = PATIENCE
    pause = 0.05

    def __init__(self, town: Town) -> None:
        self.rest_url, self.user_id, self.address = "https://api.example/dev", ANN, "ann@example.com"
        self._name, self._dead = "orders", town.dead
        self._town = town

    def rest(self, method: str, path: str, body: Any = None, **headers: str) -> urllib3.BaseHTTPResponse:
        if (method, path) == ("POST", "/orders"):
            given = {name.replace("_", "-"): value for name, value in headers.items()}
            answer = self._town.post(json.dumps(body), given, email=self.address, email_verified="true")
            return urllib3.HTTPResponse(status=204, headers=answer)
        self._town.poll()
        status, found = self._town.rest(method, path)
        return urllib3.HTTPResponse(status=status, body=json.dumps(found).encode())

    def dead(self, order_id: str) -> bool:
        self._town.poll()
        return super().dead(order_id)

    def wait_a_minute(self, order_id: str) -> None:
        """Until Step Functions has met the throttled task."""

        def failures() -> list[Any]:
            answer = self.rest("GET", f"/orders/{order_id}/timeline")
            events = answer.json()["events"] if answer.status == 200 else []
            return [event for event in events if event["type"].endswith("Failed")]

        until(failures, "the task was throttled")

    def is_in_sandbox(self) -> bool:
        return True

    def mail(self, order_id: str, recipient: str) -> str:
        self._town.follow_mail()
        return super().mail(order_id, recipient)


@pytest.fixture(scope="module")
def stack(template: Any, made: Made, outside: Outside, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsed]:
    """moto's SES refuses every mail: the sender is not verified there."""
    providers = {"Payments": outside.settings["PAYMENTS"], "Restaurant": outside.settings["RESTAURANT"]}
    given = {"Email": "operators@example.com", "MailFrom": "orders@example.com", "HoldSeconds": "0"}
    folder = tmp_path_factory.mktemp("rehearsal")
    with (
        standing(template, made.code(), folder, **given, **providers) as town,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("AWS_ENDPOINT_URL", town.endpoint)
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        yield Rehearsed(town)


def test_its_order_is_there_where_location_leads(stack: Rehearsed) -> None:
    by_rest(stack)


def test_orders_of_no_and_of_101_items_are_found_among_the_dead_letters(stack: Rehearsed) -> None:
    orders_of_no_and_of_101_items_are_refused(stack)
    assert not stack.dead("one more")


def test_an_order_ends_well_though_a_task_was_throttled(stack: Rehearsed) -> None:
    a_throttled_task_gives_up_no_order(stack)
    name = stack.resource("FunctionsProcessPayment")
    kept = stack._town.client("lambda").get_function_concurrency(FunctionName=name)
    assert "ReservedConcurrentExecutions" not in kept


def test_a_mail_that_is_refused_is_seen_in_its_row(stack: Rehearsed) -> None:
    a_mail_that_ses_refuses_holds_up_nobody(stack)


def test_a_resource_that_is_not_there_is_named(stack: Rehearsed) -> None:
    with pytest.raises(LookupError, match="orders has no FunctionsNobody"):
        stack.resource("FunctionsNobody")
