"""A home whose workflow waits for the restaurant to bring a task's token back."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from expediter.asl.protocol import Json
from expediter.embedded.engine.task_tokens import TaskReport, TaskSuccess
from expediter.embedded.settings import workflow
from tests.support.clock import VirtualClock
from tests.support.stage import SECOND, Stage, opened

WAIT = "arn:aws:states:::lambda:invoke.waitForTaskToken"


def waiting(function: str = "SendOrderToRestaurant", **limits: int) -> Json:
    """The order's workflow, but the restaurant says later what came of it."""
    definition = workflow(None)
    definition["States"]["SendOrderToRestaurant"] = {
        "Type": "Task",
        "Resource": WAIT,
        "Parameters": {
            "FunctionName": function,
            "Payload": {"order.$": "$.order", "task_token.$": "$$.Task.Token"},
        },
        "ResultPath": "$.restaurant",
        "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "OweRefund"}],
        "Next": "RestaurantChoice",
        **limits,
    }
    return definition


@asynccontextmanager
async def shop(folder: Path, clock: VirtualClock | None = None, **settings: str) -> AsyncIterator[Stage]:
    async with opened(folder / "data", clock, None, WORKFLOW=str(folder / "mine.asl.json"), **settings) as stage:
        yield stage


def written(folder: Path, definition: Json) -> None:
    (folder / "mine.asl.json").write_text(json.dumps(definition))


async def sent(stage: Stage) -> str:
    """An order whose hold is over."""
    order_id = await stage.place()
    await stage.advance(30 * SECOND)
    return order_id


def token(stage: Stage, order_id: str) -> str:
    """The newest token of the order's workflow, as its history tells operators."""
    history = stage.home.read(lambda work: work.workflows.history(order_id)) or []
    given = [event["details"]["parameters"] for event in history if event["type"] == "TaskScheduled"]
    return str(given[-1]["Payload"]["task_token"])


async def say(stage: Stage, to: str, report: TaskReport) -> None:
    await stage.home.report(to, report, "report")
    await stage.quiet()


OK = TaskSuccess({"status": "ok"})
