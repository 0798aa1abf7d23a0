"""What ended long ago gives its history and mails back; everything that says what happened to money stays."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any, TypedDict

import httpx
import pytest

from expediter.app import intake, orders
from expediter.app.drafts import Draft, convert
from expediter.app.operator import actions
from expediter.app.operator.audit import Operator
from expediter.app.operator.reconcile import reconcile
from expediter.domain.errors import OrderNotFound
from expediter.embedded.loops.retention import REST, ROWS
from expediter.embedded.settings import workflow
from expediter.embedded.web.app import create_app
from tests.support.app_client import AppTransport
from tests.support.clock import VirtualClock
from tests.support.stage import BURGERS, DAY, HOUR, OPERATOR, SECOND, Stage, opened, story


class Kept(TypedDict):
    KEEP_DAYS: str
    NOTIFY: str


KEPT: Kept = {"KEEP_DAYS": "30", "NOTIFY": "ops@example.com"}


def history(stage: Stage, name: str) -> list[dict[str, Any]] | None:
    return stage.home.read(lambda work: work.workflows.history(name))


async def placed_and_ended(stage: Stage, **fields: str) -> str:
    order_id = await stage.place(**fields)
    await stage.to_the_end(order_id)
    return order_id


async def aged(stage: Stage, milliseconds: int) -> None:
    """Lets so much time pass at once, and then the rounds of one pass."""
    await stage.advance(milliseconds)
    for _ in range(5):
        await stage.advance(REST)


@story
async def test_a_history_and_its_mails_are_gone_when_they_are_old_enough_and_not_before(tmp_path: Path) -> None:
    async with opened(tmp_path, **KEPT) as stage:
        order_id = await placed_and_ended(stage, email="c@example.com")
        await aged(stage, 30 * DAY - HOUR)
        assert history(stage, order_id)
        assert len(stage.mails(order_id)) == 2

        await aged(stage, HOUR)

        assert history(stage, order_id) == []
        assert stage.mails(order_id) == []


@story
async def test_the_order_its_ledger_and_the_audit_stay(tmp_path: Path) -> None:
    async with opened(tmp_path, **KEPT) as stage:
        order_id = await stage.place(email="c@example.com")
        await stage.home.write_as_operator(
            lambda services: actions.cancel(services, Operator("ada"), order_id), "cancel"
        )
        before = await stage.to_the_end(order_id)
        entries = stage.entries(order_id)
        await aged(stage, 31 * DAY)

        assert history(stage, order_id) == []
        assert stage.order(order_id) == before
        assert stage.entries(order_id) == entries != ()
        assert stage.home.read(lambda work: reconcile(work.orders.with_entries())).clean
        (entry,) = stage.home.read_as_operator(lambda services: services.audit.of(order_id))
        assert entry.who == "ada"


@story
async def test_nothing_is_ever_pruned_unless_that_is_set(tmp_path: Path) -> None:
    async with opened(tmp_path, NOTIFY="ops@example.com") as stage:
        order_id = await placed_and_ended(stage)
        await aged(stage, 3_000 * DAY)

        assert history(stage, order_id)
        assert stage.mails(order_id)


@story
async def test_the_same_order_again_under_its_key_is_known_and_a_late_message_starts_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path, **KEPT) as stage:
        order_id = await placed_and_ended(stage)
        await stage.delete(order_id)
        await aged(stage, 31 * DAY)
        draft = convert(BURGERS, Draft)
        again = await stage.home.write(lambda work: intake.accept(work, OPERATOR, draft, order_id), "accept")
        await stage.send(json.dumps(BURGERS).encode(), order_id=order_id)
        await stage.pass_time(60 * SECOND)

        assert again.replayed
        assert (history(stage, order_id), stage.dead_letters()) == ([], ())
        assert [entry.kind for entry in stage.entries(order_id)] == ["charge"]
        with pytest.raises(OrderNotFound):
            stage.home.read(lambda work: orders.find(work, OPERATOR, order_id))


@story
async def test_what_needs_an_operator_keeps_everything_until_it_was_retried_and_has_ended(tmp_path: Path) -> None:
    clock, file = VirtualClock(), tmp_path / "mine.asl.json"
    definition = workflow(None)
    definition["States"]["RefundPayment"]["Retry"] = []
    file.write_text(json.dumps(definition))
    async with opened(
        tmp_path / "data", clock, None, WORKFLOW=str(file), PAYMENTS="http://127.0.0.1:9", **KEPT
    ) as stage:
        order_id = await stage.accept()
        await stage.to_the_end(order_id)
        await aged(stage, 400 * DAY)
        assert stage.events(order_id)[-1] == "ExecutionFailed"
    async with opened(tmp_path / "data", clock, None, WORKFLOW=str(file), **KEPT) as stage:
        (retry,) = stage.home.read_as_operator(lambda services: actions.retries(services, order_id))
        body = json.dumps(retry.input).encode()
        await stage.home.write_as_operator(
            lambda services: actions.retry(services, Operator("ada"), order_id, retry.state, body), "retry"
        )
        await stage.to_the_end(order_id)
        assert stage.status(order_id) == "FAILED"
        await aged(stage, 29 * DAY)
        assert history(stage, order_id)

        await aged(stage, 2 * DAY)

        assert history(stage, order_id) == []


@story
async def test_an_order_that_is_still_under_way_is_passed_by(tmp_path: Path) -> None:
    async with opened(tmp_path, HOLD_SECONDS=str(90 * 86_400), **KEPT) as stage:
        held = await stage.place()
        cancelled = await stage.place()
        await aged(stage, 60 * DAY)
        assert stage.states(held)[-1] == "Hold"
        await stage.cancel(cancelled)
        await aged(stage, 30 * DAY)
        assert (stage.status(held), stage.status(cancelled)) == ("SUCCESS", "CANCELLED")
        assert history(stage, held)

        await aged(stage, 31 * DAY)

        assert (history(stage, held), history(stage, cancelled)) == ([], [])


@story
async def test_a_mail_that_is_still_to_be_sent_is_kept_with_its_history(tmp_path: Path) -> None:
    async with opened(tmp_path, SMTP_URL="smtp://127.0.0.1:9", KEEP_DAYS="1", NOTIFY="ops@example.com") as stage:
        order_id = await placed_and_ended(stage)
        await aged(stage, 2 * DAY)

        assert stage.mails(order_id)
        assert history(stage, order_id)


class Units:
    """Counts the rows that each unit of pruning takes."""

    def __init__(self) -> None:
        self.prunes = 0

    def before_commit(self, names: list[str]) -> None:
        self.prunes += names.count("prune")

    def after_commit(self, names: list[str]) -> None:
        """Nothing to see."""


@story
async def test_many_are_pruned_in_small_units_with_a_rest_after_each(tmp_path: Path) -> None:
    units = Units()
    async with opened(tmp_path, None, units, HOLD_SECONDS="0", KEEP_DAYS="30") as stage:
        many = [await stage.accept() for _ in range(2 * ROWS + 10)]
        await stage.quiet()
        left = "SELECT count(*) FROM execution WHERE history <> ''"
        await stage.advance(31 * DAY)
        assert (units.prunes, stage.read(left)) == (1, [(len(many) - ROWS,)])
        await stage.advance(REST)
        assert (units.prunes, stage.read(left)) == (2, [(10,)])
        await stage.advance(REST)
        assert (units.prunes, stage.read(left)) == (3, [(0,)])


@story
async def test_what_was_freed_is_written_again_so_the_file_does_not_grow(tmp_path: Path) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0", KEEP_DAYS="30") as stage:
        pages = list[int]()
        for _ in range(4):
            for _ in range(3 * ROWS):
                await stage.accept()
            await stage.quiet()
            ((count,),) = stage.read("PRAGMA page_count")
            pages.append(count)
            await aged(stage, 31 * DAY)

    grown = [later - earlier for earlier, later in pairwise(pages)]
    assert max(grown) < pages[0] // 2


@story
async def test_executions_that_others_started_are_pruned_too(tmp_path: Path) -> None:
    call = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Parameters": {"StateMachineArn": "child", "Input": {"a": 1}},
        "End": True,
    }
    no = {"StartAt": "No", "States": {"No": {"Type": "Fail", "Error": "OutOfBuns"}}}
    (tmp_path / "child.asl.json").write_text(json.dumps(no))
    ignoring = {**call, "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "End"}]}
    states = {"Call": ignoring, "End": {"Type": "Succeed"}}
    (tmp_path / "main.asl.json").write_text(json.dumps({"StartAt": "Call", "States": states}))
    async with opened(tmp_path / "data", None, None, WORKFLOW=str(tmp_path / "main.asl.json"), **KEPT) as stage:
        order_id = await stage.place()
        ((child,),) = stage.read("SELECT id FROM claim WHERE id LIKE 'child:%'")
        assert history(stage, child)
        await aged(stage, 31 * DAY)

        assert (history(stage, order_id), history(stage, child)) == ([], [])


@story
async def test_every_surface_says_that_a_history_is_no_longer_kept(tmp_path: Path) -> None:
    async with opened(tmp_path, **KEPT) as stage:
        order_id = await placed_and_ended(stage)
        transport = AppTransport(create_app(stage.home))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as client:
            kept = (await client.get(f"/orders/{order_id}/timeline")).json()
            await aged(stage, 31 * DAY)
            gone = (await client.get(f"/orders/{order_id}/timeline")).json()
            page = (await client.get(f"/console/orders/{order_id}")).text

    assert (kept["pruned"], bool(kept["events"])) == (False, True)
    assert (gone["pruned"], gone["events"]) == (True, [])
    assert "history was taken away" in page
    assert "It waits on the queue" not in page
