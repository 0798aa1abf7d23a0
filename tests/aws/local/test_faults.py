"""An hour in which AWS throttles, does not answer and answers 500 though the work was done, in small.

`make faults-aws` does it with 2,000 orders, each call of an order's way, and an outage of each service.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.aws.local.campaign import Campaign, standing
from tests.aws.local.faults import Call, Fault, called, hastened, refusal
from tests.infra.made import Made
from tests.support.town import Town as Outside

SIGNED = "AWS4-HMAC-SHA256 Credential=testing/20260101/us-east-1/{}/aws4_request, SignedHeaders=host"


@pytest.fixture(scope="module")
def campaign(
    template: Any, made: Made, outside: Outside, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Campaign]:
    with standing(template, made.code(), tmp_path_factory.mktemp("faults"), outside) as found:
        yield found


def test_an_order_without_faults_calls_every_service_through_the_proxy(campaign: Campaign) -> None:
    way = campaign.way()
    assert {"sqs.SendMessage", "states.StartExecution", "lambda.Invoke", "secretsmanager.GetSecretValue"} <= {*way}
    assert {"dynamodb.GetItem", "dynamodb.PutItem", "dynamodb.TransactWriteItems"} <= {*way}
    assert campaign.wrong() == []


def test_orders_end_well_though_calls_fail_at_random(campaign: Campaign) -> None:
    campaign.at_random(10, share=0.1)
    assert campaign.faults > 0
    assert campaign.wrong() == []


def test_a_minute_without_tables_and_one_without_functions_give_up_no_order(campaign: Campaign) -> None:
    before = campaign.faults
    campaign.outage("dynamodb", 6)
    campaign.outage("lambda", 6)
    assert campaign.faults > before
    assert campaign.wrong() == []


def test_an_order_that_nobody_placed_with_the_provider_is_found(campaign: Campaign) -> None:
    campaign.orders.append("never placed")
    told = campaign.wrong()
    campaign.orders.remove("never placed")
    assert told == [
        "never placed is not there",
        "never placed was not handed over",
        "('never placed', 'charge', 3000): wanted 1, the provider has 0, the ledger 0",
    ]


def test_the_proxy_knows_a_call_by_its_headers_or_its_form() -> None:
    target = {"authorization": SIGNED.format("dynamodb"), "x-amz-target": "DynamoDB_20120810.PutItem"}
    assert called("/", {**target, "amz-sdk-invocation-id": "7"}, b"{}") == Call("dynamodb", "PutItem", "7")
    invoked = called("/2015-03-31/functions/f/invocations", {"authorization": SIGNED.format("lambda")}, b"{}")
    assert str(invoked) == "lambda.Invoke"
    assert str(called("/1/q", {"authorization": SIGNED.format("sqs")}, b"Action=SendMessage&V=1")) == "sqs.SendMessage"


def test_a_message_is_given_back_for_a_fortieth_of_the_time() -> None:
    asked = json.dumps({"QueueUrl": "q", "VisibilityTimeout": 300}).encode()
    assert json.loads(hastened(Call("sqs", "ChangeMessageVisibility", "1"), asked))["VisibilityTimeout"] == 8
    assert hastened(Call("sqs", "SendMessage", "1"), asked) == asked


@pytest.mark.parametrize(("fault", "status"), [(Fault.THROTTLED, 400), (Fault.FAILED, 500)])
def test_a_refusal_is_in_the_service_s_own_words(fault: Fault, status: int) -> None:
    assert refusal(Call("dynamodb", "PutItem", "1"), fault)[0] == status
    assert (
        refusal(Call("lambda", "Invoke", "1"), Fault.THROTTLED)[2]
        == b'{"errorType": "Lambda.TooManyRequestsException"}'
    )
