"""A workflow written for AWS calls its tasks through ``lambda:invoke``; here they run just so."""

import json
from pathlib import Path
from typing import Any

import pytest

from expediter.asl.protocol import Json
from expediter.embedded.settings import workflow
from expediter.embedded.sqlite.database import DataRefused
from tests.support.stage import SECOND, Stage, opened, story

INVOKE = "arn:aws:states:::lambda:invoke"


def invoked(definition: Json, state: str, function: str) -> Json:
    """The definition with one task called through Lambda, as the console of AWS writes it."""
    task = definition["States"][state]
    task |= {
        "Resource": INVOKE,
        "Parameters": {"FunctionName": function, "Payload.$": "$"},
        "ResultSelector": {"status.$": "$.Payload.status"},
    }
    return definition


def written(folder: Path, definition: Json, name: str = "mine") -> str:
    file = folder / f"{name}.asl.json"
    file.write_text(json.dumps(definition))
    return str(file)


def output(stage: Stage, order_id: str, kind: str = "TaskSucceeded") -> Any:
    """The output of the first event of this kind."""
    history = stage.home.read(lambda work: work.workflows.history(order_id)) or []
    return next(event["details"]["output"] for event in history if event["type"] == kind)


@pytest.mark.parametrize(
    "function",
    [
        "ProcessPayment",
        "arn:aws:lambda:us-east-1:111111111111:function:ProcessPayment",
        "arn:aws:lambda:us-east-1:111111111111:function:ProcessPayment:$LATEST",
        "${ProcessPayment}",
    ],
)
@story
async def test_a_task_runs_through_lambda_as_by_its_name(tmp_path: Path, function: str) -> None:
    file = written(tmp_path, invoked(workflow(None), "ProcessPayment", function))
    async with opened(tmp_path / "data", WORKFLOW=file) as stage:
        order_id = await stage.place()
        await stage.advance(30 * SECOND)

        assert stage.status(order_id) == "SUCCESS"
        assert stage.held(order_id) == 3000


@story
async def test_its_output_comes_in_the_envelope_of_aws(tmp_path: Path) -> None:
    file = written(tmp_path, invoked(workflow(None), "ProcessPayment", "ProcessPayment"))
    async with opened(tmp_path / "data", WORKFLOW=file) as stage:
        order_id = await stage.place()

        envelope = output(stage, order_id)
        assert (envelope["ExecutedVersion"], envelope["StatusCode"]) == ("$LATEST", 200)
        assert envelope["Payload"] == {"status": "ok"}
        assert set(envelope) == {
            "ExecutedVersion",
            "Payload",
            "SdkHttpMetadata",
            "SdkResponseMetadata",
            "StatusCode",
        }


@story
async def test_an_unknown_function_is_what_lambda_says_and_can_be_caught(tmp_path: Path) -> None:
    definition = invoked(workflow(None), "ProcessPayment", "TakeTheMoney")
    definition["States"]["ProcessPayment"] |= {
        "Retry": [],
        "Catch": [
            {"ErrorEquals": ["Lambda.ResourceNotFoundException"], "ResultPath": "$.error", "Next": "CancelFailedOrder"}
        ],
    }
    async with opened(tmp_path / "data", WORKFLOW=written(tmp_path, definition)) as stage:
        order_id = await stage.place()

        assert stage.status(order_id) == "FAILED"
        assert stage.states(order_id)[-1] == "CancelFailedOrder"


@story
async def test_a_failure_of_the_task_keeps_its_name(tmp_path: Path) -> None:
    definition = invoked(workflow(None), "InitializeOrder", "CompleteOrder")
    definition["States"]["InitializeOrder"] |= {
        "Retry": [],
        "Catch": [{"ErrorEquals": ["OrderNotFound"], "Next": "OrderNeedsOperator"}],
    }
    async with opened(tmp_path / "data", WORKFLOW=written(tmp_path, definition)) as stage:
        order_id = await stage.place()

        assert stage.states(order_id) == ["InitializeOrder", "OrderNeedsOperator"]


@story
async def test_a_service_that_this_home_does_not_have_is_refused_by_name(tmp_path: Path) -> None:
    definition = workflow(None)
    definition["States"]["CompleteOrder"]["Resource"] = "arn:aws:states:::sqs:sendMessage"

    with pytest.raises(DataRefused, match=r"sqs:sendMessage.*There are:.*lambda:invoke"):
        async with opened(tmp_path / "data", WORKFLOW=written(tmp_path, definition)):
            pass
