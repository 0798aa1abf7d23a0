"""Traces outlive the process: a killed server leaves them to the next one."""

from collections.abc import Iterator

import httpx
import pytest

from tests.cli.conftest import Start
from tests.support.collector import Collector, collecting


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with collecting() as server:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.url)
        yield server


@pytest.mark.heavy
def test_the_trace_of_an_order_that_ended_before_a_kill_is_exported_after_it(
    started: Start, collector: Collector
) -> None:
    collector.refusing = True
    killed = started(HOLD_SECONDS="0")
    order_id = killed.accept()
    assert collector.asked.wait(20)
    assert httpx.get(f"{killed.url}/orders/{order_id}").json()["order_status"] == "SUCCESS"
    killed.process.kill()
    killed.process.wait(20)
    assert collector.spans == []

    collector.refusing = False
    collector.asked.clear()
    started(HOLD_SECONDS="0")
    assert collector.asked.wait(20)

    trace = collector.trace(order_id.replace("-", ""))
    assert {"order", "accept", "queue", "Hold", "call ProcessPayment", "CompleteOrder"} <= {it.name for it in trace}
