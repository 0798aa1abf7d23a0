"""Where new orders start, while those under way keep to their version."""

import json
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expediter.app.operator import versions
from expediter.app.operator.audit import Operator
from expediter.app.operator.services import StateCounts
from expediter.domain.errors import OrderInvalid
from expediter.embedded.engine.definitions import Definitions
from expediter.embedded.engine.driver import chosen
from expediter.embedded.engine.ports import Routing
from expediter.embedded.settings import workflow
from expediter.embedded.sqlite.database import DataRefused, open_writer
from expediter.embedded.stores.engine import engine_stores
from tests.ports.adapters import EmbeddedAdapters
from tests.support.stage import SECOND, Stage, opened, story

ADA = Operator("ada")


def another(state: str = "CloseIt") -> dict[str, Any]:
    """The order's workflow with one state under another name."""
    return dict(
        json.loads(
            json.dumps(workflow(None))
            .replace('"SendOrderToRestaurant": {', f'"{state}": {{')
            .replace('"Next": "SendOrderToRestaurant"', f'"Next": "{state}"')
        )
    )


async def published(stage: Stage, definition: dict[str, Any] | None = None) -> int:
    made = await stage.home.write_as_operator(
        lambda services: versions.publish(services, ADA, definition or another()), "publish"
    )
    return made.no


async def routed(stage: Stage, **percents: int) -> None:
    wanted = {int(name.removeprefix("v")): percent for name, percent in percents.items()}
    await stage.home.write_as_operator(lambda services: versions.route(services, ADA, wanted), "route")


def shares(stage: Stage) -> dict[int, int]:
    found = stage.home.read_as_operator(lambda services: services.runs.versions())
    return {version.no: version.percent for version in found}


def live(stage: Stage) -> dict[int, int]:
    found = stage.home.read_as_operator(lambda services: services.runs.versions())
    return {version.no: version.live for version in found}


@story
async def test_new_orders_start_by_weight_and_those_under_way_keep_their_version(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        old = await stage.place()
        assert await published(stage) == 2
        assert shares(stage) == {1: 100, 2: 0}
        await routed(stage, v1=50, v2=50)
        for _ in range(60):
            await stage.place()

        assert sum(live(stage).values()) == 61
        assert min(live(stage).values()) >= 10
        await routed(stage, v2=100)
        new = await stage.place()
        await stage.advance(30 * SECOND)
        assert ("SendOrderToRestaurant" in stage.states(old), "CloseIt" in stage.states(new)) == (True, True)


@story
async def test_the_last_routing_is_taken_back_once_and_none_before_it(tmp_path: Path) -> None:
    """Whoever sends it twice, because the answer was lost, goes back once."""
    async with opened(tmp_path) as stage:
        await published(stage)
        await routed(stage, v1=90, v2=10)
        await routed(stage, v2=100)
        seen = [shares(stage)]
        for again in range(2):
            await stage.home.write_as_operator(lambda services: versions.undo_route(services, ADA), "undo")
            seen.append(shares(stage))
            with pytest.raises(versions.NotRouted):
                await stage.home.write_as_operator(lambda services: versions.undo_route(services, ADA), "undo")
            if not again:
                await routed(stage, v1=50, v2=50)
                await routed(stage, v1=50, v2=50)

        assert seen == [{2: 100, 1: 0}, {1: 90, 2: 10}, {1: 90, 2: 10}]
        kinds = stage.home.read_as_operator(lambda services: services.audit.of(versions.WORKFLOW))
        assert [(entry.who, entry.kind, entry.detail) for entry in kinds] == [
            ("ada", "published a version", "version 2"),
            ("ada", "routed new orders", "version 1: 90 %, version 2: 10 %"),
            ("ada", "routed new orders", "version 2: 100 %"),
            ("ada", "took the last routing back", ""),
            ("ada", "routed new orders", "version 1: 50 %, version 2: 50 %"),
            ("ada", "took the last routing back", ""),
        ]


@story
async def test_a_routing_outlives_a_restart_and_ends_with_another_workflow_file(tmp_path: Path) -> None:
    data, file = tmp_path / "data", tmp_path / "third.asl.json"
    file.write_text(json.dumps(another("Third")))
    async with opened(data) as stage:
        await published(stage)
        await routed(stage, v2=100)
    async with opened(data) as stage:
        assert shares(stage) == {2: 100, 1: 0}
        assert "CloseIt" in (await through(stage))
    async with opened(data, WORKFLOW=str(file)) as stage:
        assert shares(stage) == {3: 100, 2: 0, 1: 0}
    async with opened(data) as stage:
        assert shares(stage) == {1: 100, 3: 0, 2: 0}


async def through(stage: Stage) -> list[str]:
    order_id = await stage.place()
    await stage.advance(30 * SECOND)
    return stage.states(order_id)


@story
async def test_a_routing_whose_unit_is_undone_changes_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        await published(stage)

        def broken(services: Any) -> None:
            versions.route(services, ADA, {2: 100})
            raise OrderInvalid(())

        with pytest.raises(OrderInvalid):
            await stage.home.write_as_operator(broken, "route")
        assert shares(stage) == {1: 100, 2: 0}
        assert "SendOrderToRestaurant" in await through(stage)


@story
async def test_the_orders_of_a_version_are_counted_by_the_state_they_are_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("expediter.embedded.operator.services._STATES_AT_ONCE", 2)
    async with opened(tmp_path) as stage:
        await published(stage)
        for _ in range(3):
            await stage.place()
        await routed(stage, v2=100)
        await stage.place()
        pages = [states(stage, None)]
        while (cursor := pages[-1].cursor) is not None:
            pages.append(states(stage, cursor))

        assert [page.cursor is None for page in pages] == [False, False, True]
        assert sum((Counter(page.states) for page in pages), Counter()) == {"Hold": 3}


def states(stage: Stage, cursor: str | None) -> StateCounts:
    return stage.home.read_as_operator(lambda services: versions.states(services, 1, cursor))


@story
async def test_a_definition_that_this_server_cannot_run_is_no_version(tmp_path: Path) -> None:
    nested = {"Type": "Task", "Resource": "arn:aws:states:::states:startExecution", "End": True}
    nested["Parameters"] = {"StateMachineArn": "order"}
    refused: list[dict[str, Any]] = [
        {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "Nobody", "End": True}}},
        {"StartAt": "A", "States": {"A": {"Type": "Pass"}}},
        {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True, "Comment": "${What}"}}},
        {"StartAt": "A", "States": {"A": nested}},
    ]
    async with opened(tmp_path) as stage:
        for definition in refused:
            with pytest.raises(OrderInvalid, match="The workflow cannot be taken as it is"):
                await published(stage, definition)
        assert shares(stage) == {1: 100}


@given(st.uuids(), st.integers(1, 100))
def test_a_name_keeps_its_version_and_a_larger_percentage_only_adds_names(name: Any, percent: int) -> None:
    definitions = Definitions(engine_stores(EmbeddedAdapters()._session).definitions)
    found = []
    for more in range(percent, 101):
        definitions.routing = Routing(1, more, 2 if more < 100 else None)
        found.append(chosen(definitions.routing, str(name)))
    assert found == sorted(found, reverse=True)
    assert found[-1] == 1


@story
async def test_a_server_does_not_start_whose_routing_needs_a_task_that_it_lacks(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        await published(stage)
        await routed(stage, v2=100)
    with closing(open_writer(tmp_path / "expediter.db")) as connection:
        connection.execute(
            "UPDATE definition SET body = replace(body, ?, ?) WHERE no = 2", ('"SendOrderToRestaurant"', '"Gone"')
        )
    with pytest.raises(DataRefused, match="Gone"):
        async with opened(tmp_path):
            pass
