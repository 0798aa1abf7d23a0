"""A workflow waits for a task token: the token answers its task once, in time."""

import json
from pathlib import Path

import pytest

from expediter.domain.errors import TaskTokenUnknown
from expediter.embedded.engine.task_tokens import TaskFailure, TaskHeartbeat, TaskReport, TaskSuccess
from tests.support.clock import VirtualClock
from tests.support.stage import HOUR, MINUTE, SECOND, story
from tests.support.waiting import OK, say, sent, shop, token, waiting, written


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

        await say(stage, token(stage, order_id), TaskSuccess({"status": "no", "minutes": [5, None, "ä"]}))

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

        await say(stage, token(stage, order_id), TaskFailure("OutOfBuns", "All eaten."))

        assert stage.status(order_id) == "FAILED"
        assert stage.held(order_id) == 0


@pytest.mark.parametrize("second", [OK, TaskFailure("Late"), TaskHeartbeat()])
@story
async def test_a_token_is_good_for_one_answer(tmp_path: Path, second: TaskReport) -> None:
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
            await say(stage, token(stage, order_id), TaskHeartbeat())
        assert stage.states(order_id)[-1] == "SendOrderToRestaurant"

        await stage.pass_time(60 * SECOND)

        assert stage.status(order_id) == "FAILED"


@story
async def test_heartbeats_do_not_put_the_timeout_off(tmp_path: Path) -> None:
    written(tmp_path, waiting(TimeoutSeconds=100, HeartbeatSeconds=60))
    async with shop(tmp_path) as stage:
        order_id = await sent(stage)
        await stage.pass_time(59 * SECOND)
        await say(stage, token(stage, order_id), TaskHeartbeat())
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
        await say(stage, token(stage, order_id), TaskHeartbeat())
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
        await say(stage, first, TaskFailure("Busy"))
        await stage.pass_time(5 * SECOND)

        second = token(stage, order_id)
        assert second != first
        with pytest.raises(TaskTokenUnknown):
            await say(stage, first, OK)
        await say(stage, second, OK)
        assert stage.status(order_id) == "SUCCESS"


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


@story
async def test_an_answer_that_comes_before_the_timer_but_after_its_time_is_too_late(tmp_path: Path) -> None:
    written(tmp_path, waiting(TimeoutSeconds=600))
    async with shop(tmp_path) as stage:
        order_id = await sent(stage)
        late = token(stage, order_id)
        stage.clock.advance(10 * MINUTE)

        with pytest.raises(TaskTokenUnknown):
            await stage.home.report(late, OK, "report")
        await stage.quiet()
        assert stage.status(order_id) == "FAILED"


@story
async def test_a_wrong_token_is_no_work_for_the_writer(tmp_path: Path) -> None:
    written(tmp_path, waiting())
    async with shop(tmp_path) as stage:
        with pytest.raises(TaskTokenUnknown):
            stage.home.report("never-given", OK, "report")  # it raises at once: there is nothing to wait for
