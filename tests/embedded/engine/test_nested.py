"""A workflow starts others: each is an execution of its own, and who waits for it goes on when it ends."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from expediter.asl.protocol import Json
from expediter.embedded.sqlite.database import DataRefused, open_writer
from tests.support.clock import VirtualClock
from tests.support.stage import MINUTE, SECOND, Stage, opened, story

START = "arn:aws:states:::states:startExecution"


def parent(way: str = ".sync:2", machine: str = "child", **fields: Json) -> Json:
    """A workflow of one state that starts another and keeps what it answers."""
    given: Json = {"StateMachineArn": machine, "Input": {"wait.$": "$.hold_seconds"}, **fields}
    call = {"Type": "Task", "Resource": START + way, "Parameters": given, "End": True}
    return {"StartAt": "Call", "States": {"Call": call}}


#: Waits as long as it is told, then answers.
CHILD = {
    "StartAt": "Sit",
    "States": {
        "Sit": {"Type": "Wait", "SecondsPath": "$.wait", "Next": "Say"},
        "Say": {"Type": "Pass", "Result": {"said": "ä"}, "End": True},
    },
}
FAILING = {
    "StartAt": "Sit",
    "States": {
        "Sit": {"Type": "Wait", "SecondsPath": "$.wait", "Next": "No"},
        "No": {"Type": "Fail", "Error": "OutOfBuns", "Cause": "All eaten."},
    },
}


@asynccontextmanager
async def shop(folder: Path, clock: VirtualClock | None = None, **machines: Json) -> AsyncIterator[Stage]:
    """A home whose workflow is ``main``, with the others beside it."""
    for name, definition in machines.items():
        (folder / f"{name}.asl.json").write_text(json.dumps(definition))
    async with opened(folder / "data", clock, None, WORKFLOW=str(folder / "main.asl.json")) as stage:
        yield stage


def history(stage: Stage, name: str) -> list[dict[str, Any]]:
    return stage.home.read(lambda work: work.workflows.history(name)) or []


def last(stage: Stage, name: str) -> tuple[str, Any]:
    """How an execution stands: its last event, and what that says."""
    event = history(stage, name)[-1]
    return event["type"], event["details"]


def names(stage: Stage) -> list[str]:
    """The executions that others started."""
    return [name for (name,) in stage.read("SELECT id FROM claim WHERE id LIKE '%:%' ORDER BY no")]


@pytest.mark.parametrize(("way", "output"), [(".sync", '{"said":"ä"}'), (".sync:2", {"said": "ä"})])
@story
async def test_sync_answers_when_the_child_ends(tmp_path: Path, way: str, output: Json) -> None:
    async with shop(tmp_path, main=parent(way), child=CHILD) as stage:
        order_id = await stage.place()
        await stage.pass_time(29 * SECOND)
        assert stage.running(order_id)

        await stage.pass_time(SECOND)

        kind, details = last(stage, order_id)
        assert kind == "ExecutionSucceeded"
        assert details["output"]["Output"] == output
        assert (details["output"]["Status"], details["output"]["StateMachineArn"]) == ("SUCCEEDED", "child")


@story
async def test_a_child_that_ends_at_once_answers_at_once(tmp_path: Path) -> None:
    async with shop(tmp_path, main=parent(Input={"wait": 0}), child=CHILD) as stage:
        order_id = await stage.place()

        assert last(stage, order_id)[0] == "ExecutionSucceeded"


@story
async def test_a_child_has_a_name_and_a_timeline_of_its_own(tmp_path: Path) -> None:
    async with shop(tmp_path, main=parent(), child=CHILD) as stage:
        order_id = await stage.place()
        await stage.pass_time(30 * SECOND)

        (name,) = names(stage)
        assert name.startswith(f"child:{order_id}-")
        assert stage.states(name) == ["Sit", "Say"]
        assert stage.states(order_id) == ["Call"]
        assert history(stage, name)[0]["details"]["input"] == {"wait": 30}


@story
async def test_without_sync_the_parent_goes_on_and_the_child_lives_its_own_life(tmp_path: Path) -> None:
    async with shop(tmp_path, main=parent("", Name="mine"), child=CHILD) as stage:
        order_id = await stage.place()

        kind, details = last(stage, order_id)
        assert (kind, details["output"]["ExecutionArn"]) == ("ExecutionSucceeded", "child:mine")
        await stage.pass_time(30 * SECOND)
        assert last(stage, "child:mine")[0] == "ExecutionSucceeded"


@pytest.mark.parametrize("wait", [0, 30])
@story
async def test_a_child_that_fails_fails_the_task_with_its_description(tmp_path: Path, wait: int) -> None:
    async with shop(tmp_path, main=parent(Input={"wait": wait}), child=FAILING) as stage:
        order_id = await stage.place()
        await stage.pass_time(30 * SECOND)

        kind, details = last(stage, order_id)
        assert (kind, details["error"]) == ("ExecutionFailed", "States.TaskFailed")
        described = json.loads(details["cause"])
        assert (described["Status"], described["Error"], described["Cause"]) == ("FAILED", "OutOfBuns", "All eaten.")


@story
async def test_both_survive_restarts(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with shop(tmp_path, clock, main=parent(), child=CHILD) as stage:
        order_id = await stage.place()
        await stage.pass_time(10 * SECOND)
    async with shop(tmp_path, clock) as stage:
        await stage.pass_time(10 * SECOND)
        assert stage.running(order_id)
    async with shop(tmp_path, clock) as stage:
        await stage.pass_time(10 * SECOND)
        assert last(stage, order_id)[0] == "ExecutionSucceeded"
        assert len(names(stage)) == 1


@story
async def test_a_child_is_not_started_again_when_something_beside_it_has_to_be(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with shop(tmp_path, clock, main=parent(), child=CHILD) as stage:
        order_id = await stage.place()
    with closing(open_writer(tmp_path / "data" / "expediter.db")) as connection:
        connection.execute("UPDATE execution SET busy = 1")  # as a call in another branch would have it
    async with shop(tmp_path, clock) as stage:
        await stage.pass_time(30 * SECOND)
        assert last(stage, order_id)[0] == "ExecutionSucceeded"


@story
async def test_the_same_name_and_input_is_the_same_execution_while_it_runs(tmp_path: Path) -> None:
    async with shop(tmp_path, main=parent(Name="one"), child=CHILD) as stage:
        first, second = await stage.place(), await stage.place()
        await stage.pass_time(30 * SECOND)

        assert names(stage) == ["child:one"]
        assert last(stage, first)[0] == last(stage, second)[0] == "ExecutionSucceeded"


@story
async def test_the_same_name_with_another_input_is_refused(tmp_path: Path) -> None:
    main = parent("", Name="one", Input={"wait": 30, "order.$": "$.order.id"})
    async with shop(tmp_path, main=main, child=CHILD) as stage:
        first, second = await stage.place(), await stage.place()

        assert last(stage, first)[0] == "ExecutionSucceeded"
        kind, details = last(stage, second)
        assert (kind, details["error"]) == ("ExecutionFailed", "StepFunctions.ExecutionAlreadyExistsException")


@story
async def test_the_name_of_an_execution_that_has_ended_is_taken(tmp_path: Path) -> None:
    async with shop(tmp_path, main=parent(Name="one"), child=CHILD) as stage:
        await stage.place()
        await stage.pass_time(30 * SECOND)

        late = await stage.place()

        assert last(stage, late)[1]["error"] == "StepFunctions.ExecutionAlreadyExistsException"


@story
async def test_a_machine_is_found_by_its_arn_too(tmp_path: Path) -> None:
    main = parent(machine="arn:aws:states:us-east-1:111111111111:stateMachine:child", Input='{"wait": 0}')
    async with shop(tmp_path, main=main, child=CHILD) as stage:
        assert last(stage, await stage.place())[0] == "ExecutionSucceeded"


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"StateMachineArn": "nobody"}, "StateMachineDoesNotExist"),
        ({"Name": ""}, "InvalidName"),
        ({"Name": "a:b"}, "InvalidName"),
        ({"Name": "n" * 81}, "InvalidName"),
        ({"Input": "{"}, "InvalidExecutionInput"),
    ],
)
@story
async def test_what_cannot_be_started_is_what_step_functions_says(
    tmp_path: Path, fields: dict[str, Json], error: str
) -> None:
    async with shop(tmp_path, main=parent(**fields), child=CHILD) as stage:
        kind, details = last(stage, await stage.place())

        assert (kind, details["error"]) == ("ExecutionFailed", f"StepFunctions.{error}Exception")
        assert names(stage) == []


@story
async def test_a_parent_does_not_wait_longer_than_its_timeout(tmp_path: Path) -> None:
    main = parent(Input={"wait": 3600})
    main["States"]["Call"]["TimeoutSeconds"] = 60
    async with shop(tmp_path, main=main, child=CHILD) as stage:
        order_id = await stage.place()
        await stage.pass_time(MINUTE)

        assert last(stage, order_id)[1]["error"] == "States.Timeout"
        await stage.pass_time(59 * MINUTE)
        assert last(stage, names(stage)[0])[0] == "ExecutionSucceeded"
        assert last(stage, order_id)[0] == "ExecutionFailed"


@story
async def test_a_workflow_that_starts_itself_without_end_is_stopped(tmp_path: Path) -> None:
    async with shop(tmp_path, main=parent("", machine="main", Input={"hold_seconds": 0})) as stage:
        order_id = await stage.place()

        assert last(stage, order_id)[0] == "ExecutionSucceeded"
        deepest = last(stage, names(stage)[-1])[1]
        assert deepest["error"] == "StepFunctions.ExecutionLimitExceededException"


@story
async def test_a_child_runs_the_order_s_own_tasks(tmp_path: Path) -> None:
    main = parent(machine="work", Input={"order.$": "$.order"})
    work = {
        "StartAt": "Save",
        "States": {
            "Save": {"Type": "Task", "Resource": "InitializeOrder", "ResultPath": None, "Next": "Pay"},
            "Pay": {"Type": "Task", "Resource": "${ProcessPayment}", "End": True},
        },
    }
    async with shop(tmp_path, main=main, work=work) as stage:
        order_id = await stage.place()

        assert stage.status(order_id) == "PAID"
        assert last(stage, order_id)[1]["output"]["Output"] == {"status": "ok"}


@story
async def test_a_faulty_definition_beside_it_is_refused_at_the_start(tmp_path: Path) -> None:
    unknown = {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "NoSuchTask", "End": True}}}
    with pytest.raises(DataRefused, match="NoSuchTask"):
        async with shop(tmp_path, main=parent(), child=unknown):
            pass
