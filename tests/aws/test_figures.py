"""Orders that people have to look at are counted until they are well."""

import json
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from botocore.stub import ANY, Stubber

from expediter.app.ports import Outcome
from expediter.aws import clients, clock
from expediter.domain.order import Effect, EffectKind, Order, Result, Status
from tests.aws.stage import Functions
from tests.support.values import an_order

MINUTE = 60_000


def saved(functions: Functions, **fields: Any) -> Order:
    order = an_order(id=str(uuid4()), version=1, **fields)
    with functions.adapters.unit() as work:
        work.orders.apply(None, Outcome(order))
    return order


def counted(functions: Functions, *failed: str) -> dict[str, int]:
    """The figures while these executions are the ones that failed."""
    functions.settings(EXPEDITER_STAGE="dev")
    with Stubber(clients.stepfunctions()) as states:
        for names in (failed, ()):
            started = [{"name": name, "executionArn": "arn", "stateMachineArn": "arn"} for name in names]
            listed = [{**one, "status": "FAILED", "startDate": 1} for one in started]
            states.add_response(
                "list_executions", {"executions": listed}, {"stateMachineArn": ANY, "statusFilter": ANY}
            )
        found: dict[str, int] = functions.call("Figures", {})
        states.assert_no_pending_responses()
    return found


def test_a_refund_is_counted_once_it_is_owed_for_an_hour(functions: Functions) -> None:
    for minutes in (59, 61, 300):
        tried = Effect(clock.now() - minutes * MINUTE, Result.UNKNOWN, None)
        saved(functions, status=Status.REFUND_PENDING, effects={EffectKind.REFUND: tried})
    saved(functions, status=Status.FAILED)
    assert counted(functions)["RefundsOwedForAnHour"] == 2


def test_an_order_whose_workflow_failed_is_counted_until_it_has_ended(functions: Functions) -> None:
    order = saved(functions, status=Status.PAID)
    assert counted(functions, order.id, f"{order.id}-2", str(uuid4()))["OrdersThatNeedAnOperator"] == 1
    with functions.adapters.unit() as work:
        work.orders.apply(order, Outcome(msgspec.structs.replace(order, status=Status.SUCCESS, version=2)))
    assert counted(functions, order.id)["OrdersThatNeedAnOperator"] == 0


def test_the_figures_are_a_line_that_cloudwatch_reads(functions: Functions, capsys: pytest.CaptureFixture[str]) -> None:
    counted(functions)
    line = json.loads(capsys.readouterr().out)
    (described,) = line["_aws"]["CloudWatchMetrics"]
    names = [one["Name"] for one in described["Metrics"]]
    assert (described["Namespace"], described["Dimensions"], line["Stage"]) == ("Expediter", [["Stage"]], "dev")
    assert {name: line[name] for name in names} == {"RefundsOwedForAnHour": 0, "OrdersThatNeedAnOperator": 0}
