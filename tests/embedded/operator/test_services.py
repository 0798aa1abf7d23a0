"""The operator's services on SQLite: counts, what is stuck, the flow across a restart."""

from contextlib import closing
from pathlib import Path

from expediter.app.operator.flow import quantile
from expediter.app.operator.services import Stuck
from expediter.domain.order import Status
from expediter.embedded.operator.services import Sparing
from expediter.embedded.sqlite.database import open_reader, open_writer
from expediter.embedded.sqlite.session import Session
from tests.support.clock import VirtualClock
from tests.support.stage import DAY, HOUR, MINUTE, SECOND, Stage, opened, story
from tests.support.town import Act, standing


def stuck(stage: Stage) -> dict[str, Stuck]:
    return {entry.kind: entry for entry in stage.home.read_as_operator(lambda services: services.flow.stuck())}


@story
async def test_orders_are_counted_by_status_without_the_deleted_ones(tmp_path: Path) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0") as stage:
        ids = [await stage.place() for _ in range(3)]
        await stage.delete(ids[0])
        counts = stage.home.read_as_operator(lambda services: services.flow.counts())
        assert dict(counts) == {status: 2 if status is Status.SUCCESS else 0 for status in Status}


@story
async def test_the_oldest_order_that_waits_for_its_refund_is_named(tmp_path: Path) -> None:
    with standing() as town:
        async with opened(tmp_path, HOLD_SECONDS="0", **town.settings) as stage:
            ids = [f"0198d2a0-0000-7000-8000-0000000000b{number}" for number in range(2)]
            for order_id in ids:
                town.kitchen.script("handover", Act.REFUSE, order_id=order_id)
                town.bank.script("refund", *[Act.FAIL] * 50, order_id=order_id)
                await stage.place(order_id)
            since = stage.order(ids[0]).updated_at
            await stage.pass_time(12 * MINUTE)
            assert stuck(stage) == {"REFUND_PENDING": Stuck("REFUND_PENDING", 2, since, ids[0])}


@story
async def test_dead_letters_and_waiting_messages_are_named_with_their_age(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        assert stuck(stage) == {}
        await stage.send(b"no order")
        await stage.pass_time(MINUTE)
        assert set(stuck(stage)) == {"dead letter"}


@story
async def test_figures_survive_a_restart_and_are_forgotten_after_a_day(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with opened(tmp_path, clock, PAYMENTS="simulated:decline=1") as stage:
        begun = clock.now()
        for _ in range(3):
            await stage.place()
        await stage.pass_time(2 * MINUTE)
    async with opened(tmp_path, clock, PAYMENTS="simulated:decline=1") as stage:
        (minute,) = stage.home.read_as_operator(lambda services: services.flow.minutes(begun))
        assert (minute.at, minute.accepted, minute.ended) == (begun, 3, {"FAILED": 3})
        assert minute.reasons == {"The payment was declined (simulated).": 3}
        await stage.place()
        clock.advance(DAY + HOUR)
        await stage.place()
        await stage.pass_time(2 * MINUTE)
        assert len(stage.home.read_as_operator(lambda services: services.flow.minutes(begun + DAY))) == 1
        assert stage.read("SELECT count(*) FROM minute WHERE at < ?", begun + HOUR) == [(0,)]


@story
async def test_the_time_to_the_end_is_measured_with_the_hold(tmp_path: Path) -> None:
    async with opened(tmp_path, HOLD_SECONDS="30") as stage:
        begun = stage.clock.now()
        order_id = await stage.place()
        await stage.to_the_end(order_id)
        finish = [
            minute.finish for minute in stage.home.read_as_operator(lambda services: services.flow.minutes(begun))
        ]
        found = quantile(finish[-1], 0.5)
        assert found is not None
        assert 30 * SECOND <= found <= 33 * SECOND


@story
async def test_of_each_version_of_the_workflow_the_orders_under_way_are_counted(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with opened(data) as stage:
        await stage.place()
        await stage.place()
        assert live(stage) == [2]
    other = tmp_path / "other.asl.json"
    other.write_text('{"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 60, "End": true}}}')
    async with opened(data, WORKFLOW=str(other)) as stage:
        await stage.place()

        assert live(stage) == [1, 2]


def live(stage: Stage) -> list[int]:
    return stage.home.read_as_operator(lambda services: [version.live for version in services.runs.versions()])


def test_what_takes_long_to_count_is_counted_seldom_and_only_when_something_was_written(tmp_path: Path) -> None:
    file = tmp_path / "data.db"
    with closing(open_writer(file)) as writing, closing(open_reader(file)) as reading:
        counted, session = iter(range(10)), Session(reading)
        often, seldom = (Sparing(session, lambda: next(counted), least) for least in (0, 3600))
        first = [often(), seldom()]
        often._again = 0
        assert [often(), seldom()] == first == [0, 1]

        writing.execute("INSERT INTO minute VALUES (1, '')")
        assert [often(), seldom()] == [2, 1]
        seldom._again = 0
        assert [often(), seldom()] == [2, 3]
