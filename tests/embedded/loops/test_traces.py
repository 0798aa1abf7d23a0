"""One trace per order, from its accept to its mail, at a real collector; and nothing at all without one."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from demo.mailserver import MailServer, receiving
from expediter.app.operator.traces import trace_id
from expediter.embedded.clock import new_id
from expediter.embedded.loops import otlp, traces
from expediter.embedded.loops.traces import LOOK, MAILS
from expediter.embedded.settings import SettingRefused, from_environment
from tests.console.shop import alarmed
from tests.support.clock import NOON, VirtualClock
from tests.support.collector import Collector, Taken, collecting
from tests.support.stage import SECOND, Stage, opened, story
from tests.support.town import Act, Town, standing


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    with standing() as found:
        yield found


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with collecting() as server:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.url)
        yield server


async def taken(stage: Stage, collector: Collector, order_id: str) -> dict[str, Taken]:
    """The order's spans by name, once the collector has them."""
    trace = trace_id(order_id) or ""
    await stage.until(lambda: not stage.read("SELECT 1 FROM mail WHERE next_at IS NOT NULL AND tries = 0"))
    await stage.advance(LOOK)
    await stage.until(lambda: bool(collector.trace(trace)))
    spans = collector.trace(trace)
    assert len({span.id for span in spans}) == len(spans)
    return {span.name: span for span in spans}


@story
async def test_an_order_is_one_trace_from_its_accept_to_its_mail(
    tmp_path: Path, town: Town, collector: Collector, post: str
) -> None:
    async with opened(tmp_path, HOLD_SECONDS="10", SMTP_URL=post, **town.settings) as stage:
        order_id = await stage.place(email="ann@example.com")
        await stage.advance(10 * SECOND)
        spans = await taken(stage, collector, order_id)

    states = {"InitializeOrder", "ProcessPayment", "Hold", "SendOrderToRestaurant", "CompleteOrder"}
    calls = {"call ProcessPayment", "call SendOrderToRestaurant"}
    assert spans.keys() == {"order", "accept", "queue", "mail"} | states | calls
    root = spans["order"]
    assert (root.parent, root.start, root.service) == ("", NOON, "expediter")
    assert root.end == max(span.end for span in spans.values())
    assert {spans[name].parent for name in states | {"accept", "queue", "mail"}} == {root.id}
    assert {spans[name].parent for name in calls} == {spans[name.removeprefix("call ")].id for name in calls}
    assert spans["Hold"].end - spans["Hold"].start == 10 * SECOND
    assert [spans[name].kind for name in ("accept", "queue", "mail", *sorted(calls))] == [
        "producer",
        "consumer",
        "producer",
        "client",
        "client",
    ]
    assert root.attributes == {"expediter.status": "SUCCESS", "expediter.workflow": "SUCCEEDED"}
    assert spans["mail"].attributes == {"expediter.mail": "SUCCESS"}
    assert not any(span.failed for span in spans.values())


@pytest.fixture
def post() -> Iterator[str]:
    with receiving(MailServer()) as url:
        yield url


@story
async def test_each_try_of_a_call_is_a_span_and_says_how_it_failed(
    tmp_path: Path, town: Town, collector: Collector
) -> None:
    order_id = "0b5b3c6e-8a0a-4b5e-9d3d-0d0f6a4f2c11"
    town.kitchen.script("handover", Act.FAIL, Act.REFUSE, order_id=order_id)
    async with opened(tmp_path, HOLD_SECONDS="0", **town.settings) as stage:
        await stage.accept(order_id)
        await stage.to_the_end(order_id)
        await taken(stage, collector, order_id)

    tries = [it for it in collector.trace(trace_id(order_id) or "") if it.name == "call SendOrderToRestaurant"]
    assert [(it.failed, it.attributes["expediter.attempt"]) for it in tries] == [(True, 0), (False, 1)]
    assert tries[0].attributes["error.type"] == "RestaurantUnavailable"
    names = {span.name for span in collector.spans}
    assert {"OweRefund", "RefundPayment", "call RefundPayment", "CancelFailedOrder"} <= names


@story
async def test_a_call_carries_the_trace_and_its_own_span(tmp_path: Path, collector: Collector) -> None:
    with answering() as provider:
        async with opened(tmp_path, HOLD_SECONDS="0", PAYMENTS=provider.url, RESTAURANT=provider.url) as stage:
            order_id = await stage.place()
            await stage.to_the_end(order_id)
            spans = await taken(stage, collector, order_id)

    called = ("call ProcessPayment", "call SendOrderToRestaurant")
    assert provider.contexts == [f"00-{trace_id(order_id)}-{spans[name].id}-01" for name in called]


class Provider(HTTPServer):
    """Says yes to everything, and keeps the context that each call came with."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Yes)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.contexts: list[str | None] = []


class _Yes(BaseHTTPRequestHandler):
    server: Provider

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.contexts.append(self.headers["traceparent"])
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"status": "ok"}')

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextmanager
def answering() -> Iterator[Provider]:
    with Provider() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@story
async def test_a_trace_goes_on_across_a_restart(tmp_path: Path, collector: Collector) -> None:
    clock = VirtualClock()
    async with opened(tmp_path, clock, HOLD_SECONDS="10") as stage:
        order_id = await stage.place()
    clock.advance(60 * SECOND)
    async with opened(tmp_path, clock, HOLD_SECONDS="10") as stage:
        await stage.to_the_end(order_id)
        spans = await taken(stage, collector, order_id)

    assert (spans["order"].start, spans["Hold"].end) == (NOON, NOON + 60 * SECOND)
    assert {"accept", "ProcessPayment", "CompleteOrder"} <= spans.keys()


@story
async def test_a_trace_that_the_collector_did_not_take_is_exported_later_also_by_another_process(
    tmp_path: Path, collector: Collector
) -> None:
    clock, collector.refusing = VirtualClock(), True
    async with opened(tmp_path, clock, HOLD_SECONDS="0") as stage:
        order_id = await stage.place()
        await stage.advance(LOOK)
        await stage.until(lambda: collector.calls > 0)
    assert collector.spans == []
    collector.refusing = False
    async with opened(tmp_path, clock, HOLD_SECONDS="0") as stage:
        await taken(stage, collector, order_id)
        await stage.until(lambda: stage.read("SELECT count(*) FROM untraced") == [(0,)])
        calls = collector.calls
        await stage.advance(LOOK)

    assert collector.calls == calls


@story
async def test_while_the_collector_is_away_the_newest_orders_wait_for_it(
    tmp_path: Path, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traces, "KEPT", 2)
    collector.refusing = True
    async with opened(tmp_path, HOLD_SECONDS="0") as stage:
        orders = [await stage.place() for _ in range(4)]
        await stage.advance(LOOK)
        await stage.until(lambda: stage.read("SELECT count(*) FROM untraced") == [(2,)])
        collector.refusing = False
        await stage.advance(2 * LOOK)
        await stage.until(lambda: bool(collector.spans))

    assert {span.trace for span in collector.spans} == {trace_id(order_id) for order_id in orders[2:]}


@story
async def test_a_trace_waits_for_the_mail_but_not_for_ever(tmp_path: Path, collector: Collector) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0", SMTP_URL="smtp://127.0.0.1:9") as stage:
        order_id = await stage.place(email="ann@example.com")
        await stage.until(lambda: stage.read("SELECT tries FROM mail") == [(1,)])
        await stage.advance(LOOK)
        assert collector.calls == 0
        await stage.advance(MAILS)
        spans = await taken(stage, collector, order_id)

    assert (spans["mail"].failed, spans["mail"].attributes["error.type"]) == (True, "NotSentYet")


@story
async def test_an_order_that_needs_an_operator_is_a_trace_in_error(tmp_path: Path, collector: Collector) -> None:
    settings = {"WORKFLOW": alarmed(tmp_path), "PAYMENTS": "simulated:decline=1"}
    async with opened(tmp_path, None, None, **settings) as stage:
        spans = await taken(stage, collector, await stage.place())

    assert spans["order"].failed
    assert spans["OrderNeedsOperator"].failed
    assert spans["order"].attributes["expediter.workflow"] == "FAILED"


@story
async def test_nothing_that_anybody_wrote_is_in_a_trace(tmp_path: Path, collector: Collector) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0", NOTIFY="mallory@example.com") as stage:
        order = {"user_id": "Mallory", "restaurant_id": "Mallory's", "name": "Mallory", "email": "mallory@example.com"}
        await taken(stage, collector, await stage.place(**order))

    assert "mallory" not in repr(collector.spans).lower()


@story
async def test_an_order_that_the_sampler_does_not_want_is_not_exported(
    tmp_path: Path, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    with answering() as provider:
        async with opened(tmp_path, HOLD_SECONDS="0", PAYMENTS=provider.url) as stage:
            await stage.to_the_end(await stage.place())
            assert stage.read("SELECT count(*) FROM untraced") == [(0,)]

    assert [str(context)[-3:] for context in provider.contexts] == ["-00"]


def test_a_share_of_orders_is_the_share_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0.25")
    chosen = otlp.OtlpCollector()
    wanted = [chosen.wants(trace_id(new_id()) or "") for _ in range(4000)]

    assert 0.2 < sum(wanted) / len(wanted) < 0.3


@story
async def test_without_a_collector_nothing_is_written_down_for_one(tmp_path: Path) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0") as stage:
        await stage.place()

        assert stage.read("SELECT count(*) FROM untraced") == [(0,)]


def test_without_a_collector_nothing_of_opentelemetry_is_loaded(tmp_path: Path) -> None:
    code = (
        "import asyncio, sys; from expediter.cli import server\n"
        "from expediter.embedded.wiring import open_home\n"
        "from expediter.embedded.settings import from_environment\n"
        "async def run():\n"
        "    async with open_home(from_environment({'EXPEDITER_DATA': sys.argv[1]})): print(*sys.modules)\n"
        "asyncio.run(run())"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)

    assert not [name for name in done.stdout.split() if name.startswith(("opentelemetry", "google", "requests"))]


@pytest.mark.parametrize(
    ("given", "traces"),
    [
        ({}, False),
        ({"EXPORTER_OTLP_ENDPOINT": "http://x"}, True),
        ({"EXPORTER_OTLP_TRACES_ENDPOINT": "http://x/v1/traces", "TRACES_EXPORTER": "otlp"}, True),
        ({"EXPORTER_OTLP_ENDPOINT": "http://x", "SDK_DISABLED": "true"}, False),
        ({"EXPORTER_OTLP_ENDPOINT": "http://x", "TRACES_EXPORTER": "none"}, False),
        ({"EXPORTER_OTLP_ENDPOINT": "http://x", "EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, True),
    ],
)
def test_opentelemetrys_own_settings_say_whether_there_is_a_collector(given: dict[str, str], traces: bool) -> None:
    assert from_environment({f"OTEL_{name}": value for name, value in given.items()}).traces is traces


def test_a_protocol_that_is_not_spoken_is_refused() -> None:
    with pytest.raises(SettingRefused, match="give http/protobuf"):
        from_environment({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"})
