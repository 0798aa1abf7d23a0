"""An execution keeps to the definition that it began with, whatever the server is started with later."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from expediter.asl import DefinitionInvalid
from expediter.asl.protocol import Json
from expediter.embedded.settings import workflow
from expediter.embedded.sqlite.database import DataRefused, open_writer
from tests.support.stage import SECOND, Stage, opened, story


def written(folder: Path, name: str, definition: Json) -> str:
    """The definition as a file, with the state SendOrderToRestaurant under another name."""
    text = json.dumps(definition)
    for before, after in (
        ('"SendOrderToRestaurant": {', f'"{name}": {{'),
        ('"Next": "SendOrderToRestaurant"', f'"Next": "{name}"'),
    ):
        text = text.replace(before, after)
    file = folder / f"{name}.asl.json"
    file.write_text(text)
    return str(file)


async def old_and_new(folder: Path) -> tuple[str, Path, str]:
    """An order in the hold of a first workflow, the server's data, and a second workflow, which completes nothing."""
    data, second = folder / "data", workflow(None)
    second["States"]["CompleteOrder"] = {"Type": "Succeed"}
    async with opened(data, WORKFLOW=written(folder, "CloseIt", workflow(None))) as stage:
        order_id = await stage.place()
    return order_id, data, written(folder, "ShutIt", second)


@story
async def test_an_order_ends_on_the_definition_it_began_with(tmp_path: Path) -> None:
    old, data, second = await old_and_new(tmp_path)
    async with opened(data, WORKFLOW=second) as stage:
        new = await stage.place()
        await stage.advance(30 * SECOND)

        assert (stage.status(old), stage.status(new)) == ("SUCCESS", "PAID")
        assert "CloseIt" in stage.states(old)
        assert "ShutIt" in stage.states(new)


@story
async def test_the_history_of_an_ended_order_comes_from_its_own_definition(tmp_path: Path) -> None:
    old, data, second = await old_and_new(tmp_path)
    async with opened(data) as stage:
        await stage.advance(30 * SECOND)
        told = stage.states(old)
    async with opened(data, WORKFLOW=second) as stage:
        assert stage.states(old) == told


@story
async def test_the_same_definition_is_kept_once_however_often_the_server_starts(tmp_path: Path) -> None:
    for _ in range(3):
        async with opened(tmp_path) as stage:
            assert stage.read("SELECT count(*) FROM definition") == [(1,)]


async def with_a_task_gone(folder: Path) -> None:
    """An order in its hold whose pinned definition names a task that this code does not have."""
    async with opened(folder) as stage:
        await stage.place()
    with closing(open_writer(folder / "expediter.db")) as connection:
        old, new = '"Resource":"SendOrderToRestaurant"', '"Resource":"CloseKitchen"'
        connection.execute("UPDATE definition SET body = replace(body, ?, ?)", (old, new))


async def start(folder: Path, **settings: str) -> None:
    async with opened(folder, None, None, **settings):
        pass


@story
async def test_a_live_definition_that_names_a_task_we_lack_is_refused_and_listed(tmp_path: Path) -> None:
    await with_a_task_gone(tmp_path)

    with pytest.raises(DataRefused, match=r"1 orders? .*CloseKitchen"):
        await start(tmp_path)


@story
async def test_a_definition_without_live_executions_does_not_stop_the_start(tmp_path: Path) -> None:
    await with_a_task_gone(tmp_path)
    with closing(open_writer(tmp_path / "expediter.db")) as connection:
        connection.execute("UPDATE execution SET due_at = NULL, status = 'SUCCEEDED'")

    await start(tmp_path)


@story
async def test_a_workflow_with_an_unknown_task_is_refused_with_those_there_are(tmp_path: Path) -> None:
    file = tmp_path / "other.asl.json"
    file.write_text(
        json.dumps(workflow(None)).replace('"Resource": "SendOrderToRestaurant"', '"Resource": "CloseKitchen"')
    )

    with pytest.raises(DataRefused, match=r"CloseKitchen.*SendOrderToRestaurant"):
        await start(tmp_path / "data", WORKFLOW=str(file))


@story
async def test_a_workflow_that_reads_from_an_object_store_is_refused(tmp_path: Path) -> None:
    definition = workflow(None)
    inner = {"StartAt": "In", "States": {"In": {"Type": "Pass", "End": True}}}
    reader = {"Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": {"InputType": "JSON"}}
    distributed = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **inner}
    definition["States"]["Read"] = {
        "Type": "Map",
        "ItemReader": reader,
        "ItemProcessor": distributed,
        "Next": definition["StartAt"],
    }
    definition["StartAt"] = "Read"
    file = tmp_path / "other.asl.json"
    file.write_text(json.dumps(definition))

    with pytest.raises(DataRefused, match="s3:getObject"):
        await start(tmp_path / "data", WORKFLOW=str(file))


@story
async def test_a_workflow_that_is_no_states_language_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "other.asl.json"
    file.write_text('{"StartAt": "Nowhere", "States": {}}')

    with pytest.raises(DefinitionInvalid):
        await start(tmp_path / "data", WORKFLOW=str(file))


@story
async def test_what_a_task_raises_is_the_tasks_failure_and_not_the_servers(tmp_path: Path) -> None:
    """As in a Lambda function: the workflow retries and catches it."""
    definition = workflow(None)
    definition["States"]["SendOrderToRestaurant"]["Parameters"] = {"order": 5}
    file = tmp_path / "other.asl.json"
    file.write_text(json.dumps(definition))
    async with opened(tmp_path / "data", WORKFLOW=str(file)) as stage:
        order_id = await stage.place()
        await stage.to_the_end(order_id)

        assert stage.status(order_id) == "FAILED"
        assert failed_with(stage, order_id) == {"OrderInvalid"}


def failed_with(stage: Stage, order_id: str) -> set[str]:
    history = stage.home.read(lambda work: work.workflows.history(order_id)) or []
    return {event["details"]["error"] for event in history if event["type"] == "LambdaFunctionFailed"}
