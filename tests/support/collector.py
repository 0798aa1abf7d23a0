"""An OpenTelemetry collector on loopback: takes traces over OTLP (protobuf over HTTP) and keeps their spans."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

#: Span.SpanKind of OTLP.
KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")


class Taken(NamedTuple):
    """A span as it came; times in milliseconds since 1970 UTC."""

    trace: str
    id: str
    parent: str
    name: str
    kind: str
    start: int
    end: int
    attributes: dict[str, Any]
    failed: bool
    service: str


class Collector(ThreadingHTTPServer):
    """``refusing``: takes nothing and says so. ``calls``: requests so far; ``asked`` is set after each."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.spans: list[Taken] = []
        self.calls = 0
        self.asked = threading.Event()
        self.refusing = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def trace(self, trace: str) -> list[Taken]:
        return [span for span in self.spans if span.trace == trace]

    def take(self, body: bytes) -> None:
        request = ExportTraceServiceRequest.FromString(body)
        for of_resource in request.resource_spans:
            service = next(it.value.string_value for it in of_resource.resource.attributes if it.key == "service.name")
            self.spans += [_taken(span, service) for scope in of_resource.scope_spans for span in scope.spans]


class _Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.calls += 1
        taken = self.path == "/v1/traces" and not self.server.refusing
        if taken:
            assert self.headers["Content-Type"] == "application/x-protobuf"
            self.server.take(body)
        self.send_response(200 if taken else 400)
        self.send_header("Content-Length", "0")
        self.end_headers()
        self.server.asked.set()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def _taken(span: Any, service: str) -> Taken:
    values = {it.key: getattr(it.value, it.value.WhichOneof("value")) for it in span.attributes}
    return Taken(
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        span.name,
        KINDS[span.kind],
        span.start_time_unix_nano // 1_000_000,
        span.end_time_unix_nano // 1_000_000,
        values,
        span.status.code == 2,
        service,
    )


@contextmanager
def collecting() -> Iterator[Collector]:
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
