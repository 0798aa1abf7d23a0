"""A workflow waits for an outside party: whoever has the task's token answers it, once, in time."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from demo.behaviour import Act
from expediter.asl.protocol import Json
from expediter.domain.errors import TaskTokenUnknown
from expediter.embedded.clock import new_id
from expediter.embedded.parties import Parties
from expediter.embedded.settings import workflow
from expediter.embedded.task_tokens import Failure, Heartbeat, Report, Success
from tests.support.clock import VirtualClock
from tests.support.stage import HOUR, MINUTE, SECOND, Stage, opened, story
from tests.support.town import standing

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


async def say(stage: Stage, to: str, report: Report) -> None:
    await stage.home.report(to, report, "report")
    await stage.quiet()


OK = Success({"status": "ok"})


@story
async def test_the_workflow_goes_on_when_its_token_comes_back(tmp_path: Path) -> None:
    written(tmp_path, waiting())
    async with shop(tmp_path) as stage:
        order_id = await sent(stage)
        assert stage.states(order_id)[-1] == "SendOrderToRestaurant"

        await say(stage, token(stage, order_id), OK)

        assert stage.status(order_id) == "SUCCESS"


@story
async def test_the_output_of_a_success_is_the_output_of_the_task(tmp_path: Path) -> None:
    written(tmp_path, waiting())
    async with shop(tmp_path) as stage:
        order_id = await sent(stage)

        await say(stage, token(stage, order_id), Success({"status": "no", "minutes": [5, None, "ä"]}))

        history = stage.home.read(lambda work: work.workflows.history(order_id)) or []
        done = [event["details"]["output"] for event in history if event["type"] == "TaskSucceeded"]
        assert done == [{"status": "no", "minutes": [5, None, "ä"]}]
        assert "OweRefund" in stage.states(order_id)


@story
async def test_a_failure_is_what_catch_compares_with(tmp_path: Path) -> None:
    definition = waiting()
    definition["States"]["SendOrderToRestaurant"]["Catch"][0]["ErrorEquals"] = ["OutOfBuns"]
    written(tmp_path, definition)
    async with shop(tmp_path) as stage:
        order_id = await sent(stage)

        await say(stage, token(stage, order_id), Failure("OutOfBuns", "All eaten."))

        assert stage.status(order_id) == "FAILED"
        assert stage.held(order_id) == 0


@pytest.mark.parametrize("second", [OK, Failure("Late"), Heartbeat()])
@story
async def test_a_token_is_good_for_one_answer(tmp_path: Path, second: Report) -> None:
    written(tmp_path, waiting())
    async with shop(tmp_path) as stage:
        order_id = await sent(stage)
        used = token(stage, order_id)
        await say(stage, used, OK)

        with pytest.raises(TaskTokenUnknown):
            await say(stage, used, second)
        assert stage.status(order_id) == "SUCCESS"
        assert stage.read("SELECT count(*) FROM task_token") == [(0,)]


@story
async def test_a_wrong_token_changes_nothing(tmp_path: Path) -> None:
    written(tmp_path, waiting())
    async with shop(tmp_path) as stage:
        order_id = await sent(stage)
        right = token(stage, order_id)

        for wrong in ("", "0" * 64, right[:-1], right.upper()):
            with pytest.raises(TaskTokenUnknown):
                await say(stage, wrong, OK)
        assert stage.running(order_id)


@story
async def test_the_table_of_tokens_holds_only_their_hashes(tmp_path: Path) -> None:
    written(tmp_path, waiting())
    async with shop(tmp_path) as stage:
        order_id = await sent(stage)

        ((kept,),) = stage.read("SELECT hash FROM task_token")
        assert kept != token(stage, order_id)
        with pytest.raises(TaskTokenUnknown):
            await say(stage, kept, OK)


@story
async def test_a_task_that_waits_for_its_token_is_not_run_again_by_a_restart(tmp_path: Path) -> None:
    written(tmp_path, waiting())
    clock = VirtualClock()
    with standing() as town:
        async with shop(tmp_path, clock, **town.settings) as stage:
            order_id = await sent(stage)
            before = token(stage, order_id)
        async with shop(tmp_path, clock, **town.settings) as stage:
            await stage.quiet()
            assert town.calls(order_id).count("handover") == 1
            assert token(stage, order_id) == before

            await say(stage, before, OK)

            assert stage.status(order_id) == "SUCCESS"


@story
async def test_a_call_that_was_under_way_at_a_restart_is_made_again_with_the_same_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, waiting())
    clock = VirtualClock()
    async with shop(tmp_path, clock, RESTAURANT="http://127.0.0.1:1") as stage:
        order_id = await stage.place()
        monkeypatch.setattr(Parties, "call", never)  # it outlives its process
        clock.advance(30 * SECOND)
        await stage.until(lambda: bool(stage.home.runtime.calls))
        before = token(stage, order_id)
        stage.home.runtime._stopping = True
        for call in stage.home.runtime._calls:
            call.cancel()
    async with shop(tmp_path, clock) as stage:
        await stage.quiet()
        assert token(stage, order_id) == before

        await say(stage, before, OK)

        assert stage.status(order_id) == "SUCCESS"


async def never(*_: Any) -> None:
    await asyncio.Event().wait()


@story
async def test_without_an_answer_within_timeout_seconds_the_task_times_out(tmp_path: Path) -> None:
    written(tmp_path, waiting(TimeoutSeconds=600))
    async with shop(tmp_path) as stage:
        order_id = await sent(stage)
        late = token(stage, order_id)
        await stage.pass_time(10 * MINUTE - SECOND)
        assert stage.states(order_id)[-1] == "SendOrderToRestaurant"

        await stage.pass_time(SECOND)

        assert "TaskTimedOut" in stage.events(order_id)
        assert stage.status(order_id) == "FAILED"
        with pytest.raises(TaskTokenUnknown):
            await say(stage, late, OK)


@story
async def test_an_order_that_the_restaurant_took_and_never_looked_at_is_taken_back(tmp_path: Path) -> None:
    written(tmp_path, waiting(TimeoutSeconds=600))
    with standing() as town:
        async with shop(tmp_path, None, **town.settings) as stage:
            order_id = await sent(stage)
            assert order_id in town.kitchen.cooking

            await stage.pass_time(10 * MINUTE)

            assert stage.status(order_id) == "FAILED"
            assert (town.taken(order_id), order_id in town.kitchen.cooking) == (0, False)


@story
async def test_a_timeout_that_passed_while_the_server_was_down_fires_at_the_next_start(tmp_path: Path) -> None:
    written(tmp_path, waiting(TimeoutSeconds=600))
    clock = VirtualClock()
    async with shop(tmp_path, clock) as stage:
        order_id = await sent(stage)
    clock.advance(HOUR)
    async with shop(tmp_path, clock) as stage:
        await stage.quiet()
        assert stage.status(order_id) == "FAILED"


@story
async def test_each_heartbeat_gives_the_task_as_many_seconds_again(tmp_path: Path) -> None:
    written(tmp_path, waiting(TimeoutSeconds=3600, HeartbeatSeconds=60))
    async with shop(tmp_path) as stage:
        order_id = await sent(stage)
        for _ in range(5):
            await stage.pass_time(59 * SECOND)
            await say(stage, token(stage, order_id), Heartbeat())
        assert stage.states(order_id)[-1] == "SendOrderToRestaurant"

        await stage.pass_time(60 * SECOND)

        assert stage.status(order_id) == "FAILED"


@story
async def test_heartbeats_do_not_put_the_timeout_off(tmp_path: Path) -> None:
    written(tmp_path, waiting(TimeoutSeconds=100, HeartbeatSeconds=60))
    async with shop(tmp_path) as stage:
        order_id = await sent(stage)
        await stage.pass_time(59 * SECOND)
        await say(stage, token(stage, order_id), Heartbeat())
        await stage.pass_time(40 * SECOND)
        assert stage.running(order_id)

        await stage.pass_time(SECOND)

        assert stage.status(order_id) == "FAILED"


@story
async def test_a_heartbeat_outlives_a_restart(tmp_path: Path) -> None:
    written(tmp_path, waiting(HeartbeatSeconds=60))
    clock = VirtualClock()
    async with shop(tmp_path, clock) as stage:
        order_id = await sent(stage)
        await stage.pass_time(50 * SECOND)
        await say(stage, token(stage, order_id), Heartbeat())
    async with shop(tmp_path, clock) as stage:
        await stage.pass_time(50 * SECOND)
        assert stage.running(order_id)
        await stage.pass_time(10 * SECOND)
        assert stage.status(order_id) == "FAILED"


@story
async def test_a_retry_waits_for_a_token_of_its_own(tmp_path: Path) -> None:
    definition = waiting()
    definition["States"]["SendOrderToRestaurant"]["Retry"] = [{"ErrorEquals": ["Busy"], "IntervalSeconds": 5}]
    written(tmp_path, definition)
    async with shop(tmp_path) as stage:
        order_id = await sent(stage)
        first = token(stage, order_id)
        await say(stage, first, Failure("Busy"))
        await stage.pass_time(5 * SECOND)

        second = token(stage, order_id)
        assert second != first
        with pytest.raises(TaskTokenUnknown):
            await say(stage, first, OK)
        await say(stage, second, OK)
        assert stage.status(order_id) == "SUCCESS"


@story
async def test_the_restaurant_gets_the_token_with_the_order(tmp_path: Path) -> None:
    written(tmp_path, waiting())
    with standing() as town:
        async with shop(tmp_path, None, **town.settings) as stage:
            order_id = await sent(stage)

            assert town.kitchen.tokens == {order_id: token(stage, order_id)}


@story
async def test_an_order_that_nobody_waits_for_goes_out_without_a_token(tmp_path: Path) -> None:
    with standing() as town:
        async with opened(tmp_path, **town.settings) as stage:
            order_id = await sent(stage)

            assert (stage.status(order_id), town.kitchen.tokens) == ("SUCCESS", {})


@story
async def test_a_restaurant_that_refuses_fails_the_task_at_once(tmp_path: Path) -> None:
    written(tmp_path, waiting())
    with standing() as town:
        async with shop(tmp_path, None, **town.settings) as stage:
            order_id = new_id()
            town.kitchen.script("handover", Act.REFUSE, order_id=order_id)
            await stage.place(order_id)
            await stage.advance(30 * SECOND)

            assert stage.status(order_id) == "FAILED"
            assert town.moves(order_id) == ["charge", "refund"]
            assert "withdrawal" not in town.calls(order_id)
            assert stage.read("SELECT count(*) FROM task_token") == [(0,)]


@story
async def test_an_unknown_function_never_waits(tmp_path: Path) -> None:
    written(tmp_path, waiting("NoSuchTask"))
    async with shop(tmp_path) as stage:
        order_id = await sent(stage)

        assert stage.status(order_id) == "FAILED"


@story
async def test_the_seeds_that_tokens_come_from_are_wide(tmp_path: Path) -> None:
    written(tmp_path, waiting())
    async with shop(tmp_path) as stage:
        for _ in range(8):
            await stage.place()

        histories = [line for (text,) in stage.read("SELECT history FROM execution") for line in text.splitlines()]
        assert max(json.loads(line)["seed"] for line in histories).bit_length() > 58
