"""What can be counted from outside is what happened, and what the console's flow page says."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeAlias

import pytest
from prometheus_client.parser import text_string_to_metric_families

from expediter.embedded.operator.prometheus import COUNTERS, GAUGES, HISTOGRAMS, OUTAGE, SIMULATED, PrometheusText
from expediter.embedded.sqlite.metrics import Histogram, Metrics
from tests.console.shop import alarmed
from tests.support.stage import SECOND, Stage, opened, story
from tests.support.town import Act, Town, standing

#: The value of a series by its name and labels.
Said: TypeAlias = Callable[..., float]


class Line(NamedTuple):
    name: str
    labels: dict[str, str]
    value: float


def lines(text: bytes) -> list[Line]:
    families = text_string_to_metric_families(text.decode())
    return [Line(it.name, it.labels, it.value) for family in families for it in family.samples]


def said(stage: Stage) -> Said:
    found = lines(stage.home.metrics())

    def value(name: str, **labels: str) -> float:
        (only,) = [line.value for line in found if line.name == f"expediter_{name}" and line.labels == labels]
        return only

    return value


def test_a_value_is_counted_up_to_the_first_bound_that_it_does_not_exceed() -> None:
    seen = Histogram((1, 2, 4))
    for value in (0, 1, 1.5, 2, 4, 5):
        seen.observe(value)

    assert (seen.counts, seen.cumulated(), seen.total) == ([2, 2, 1, 1], [2, 4, 5, 6], 13.5)


def test_every_metric_has_the_name_that_the_reference_lists() -> None:
    metrics = Metrics()
    metrics.units["x"].observe(1)
    metrics.calls["charge", "done"].observe(1)
    text = PrometheusText(metrics, {"payments": True}).text(dict.fromkeys(GAUGES, 1.0), ()).decode()

    told = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE expediter_")}
    assert told == COUNTERS.keys() | HISTOGRAMS.keys() | GAUGES.keys() | OUTAGE.keys() | SIMULATED.keys()


@story
async def test_the_counts_of_orders_are_those_of_the_flow_page(tmp_path: Path) -> None:
    async with opened(tmp_path, HOLD_SECONDS="10", PAYMENTS="simulated:decline=0.5") as stage:
        for _ in range(12):
            await stage.place()
        await stage.advance(10 * SECOND)
        tell = said(stage)
        minutes = stage.home.read_as_operator(lambda services: services.flow.minutes(0))
        flow = {status: sum(it.ended.get(status, 0) for it in minutes) for status in ("SUCCESS", "FAILED", "CANCELLED")}

        assert tell("orders_accepted_total") == sum(minute.accepted for minute in minutes) == 12
        assert {status: tell("orders_ended_total", status=status) for status in flow} == flow
        assert flow["SUCCESS"] + flow["FAILED"] == 12
        assert tell("order_seconds_count") == 12
        assert tell("order_seconds_bucket", le="0.01") == flow["FAILED"]
        assert tell("order_seconds_sum") == 10 * flow["SUCCESS"]


@story
async def test_the_accept_of_an_order_is_timed_until_it_is_durable(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        await stage.home.write(lambda _: None, "postOrder")
        await stage.home.write(lambda _: None, "putOrder")

        assert said(stage)("accept_seconds_count") == 1


@story
async def test_units_are_timed_by_name_and_commits_with_their_size(tmp_path: Path) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0") as stage:
        await stage.place()
        tell = said(stage)

        assert tell("transition_seconds_count", unit="intake") >= 1  # the first look at the queue may ask for one too
        assert tell("transition_seconds_count", unit="settle:ProcessPayment") == 1
        units = sum(it.value for it in lines(stage.home.metrics()) if it.name == "expediter_transition_seconds_count")
        assert tell("commit_units_sum") == units
        assert tell("commit_units_count") == tell("commit_seconds_count") == tell("write_seconds_count") > 0
        assert tell("commits_lost_total") == 0


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    with standing() as found:
        yield found


@story
async def test_calls_are_timed_by_what_was_asked_and_what_came_of_it(tmp_path: Path, town: Town) -> None:
    order_id = "6f0bd2ca-2f0c-4f6e-8d4c-2a27d3a3f4a1"
    town.kitchen.script("handover", Act.REFUSE, order_id=order_id)
    async with opened(tmp_path, HOLD_SECONDS="0", **town.settings) as stage:
        await stage.place(order_id)
        await stage.to_the_end(order_id)
        tell = said(stage)

        assert tell("task_seconds_count", call="charge", outcome="done") == 1
        assert tell("task_seconds_count", call="restaurant", outcome="refused") == 1
        assert tell("task_seconds_count", call="refund", outcome="done") == 1
        assert tell("calls_under_way") == 0


@story
async def test_what_waits_is_told_with_the_age_of_its_oldest(tmp_path: Path) -> None:
    async with opened(tmp_path, HOLD_SECONDS="60") as stage:
        await stage.send(b"no JSON")
        await stage.advance(SECOND)
        assert said(stage)("queue_messages") == 1
        assert said(stage)("queue_oldest_seconds") == 1
        await stage.pass_time(10 * SECOND)
        died_at = stage.dead_letters()[0].died_at
        orders = [await stage.place() for _ in range(3)]
        await stage.cancel(orders[1])
        await stage.advance(2 * SECOND)
        await stage.delete(orders[2])
        await stage.advance(SECOND)
        tell = said(stage)

        assert (tell("queue_messages"), tell("queue_oldest_seconds")) == (0, 0)
        assert tell("dead_letters") == 1
        assert tell("dead_letters_oldest_seconds") == (stage.clock.now() - died_at) / 1000
        assert (tell("refunds_owed"), tell("refunds_owed_oldest_seconds")) == (2, 3)
        assert tell("workflows_running") == 3
        stuck = {it.kind: it for it in stage.home.read_as_operator(lambda services: services.flow.stuck())}
        assert (stuck["dead letter"].count, stuck["dead letter"].since) == (1, died_at)
        assert (stuck["REFUND_PENDING"].count, stage.clock.now() - stuck["REFUND_PENDING"].since) == (2, 3 * SECOND)


@story
async def test_orders_that_need_an_operator_are_reported(tmp_path: Path) -> None:
    async with opened(tmp_path, WORKFLOW=alarmed(tmp_path), PAYMENTS="simulated:decline=1") as stage:
        await stage.place()

        assert (said(stage)("workflows_failed"), said(stage)("workflows_running")) == (1, 0)
        assert "operator" in [it.kind for it in stage.home.read_as_operator(lambda services: services.flow.stuck())]
