"""Traces to a collector by OpenTelemetry's SDK, set up by its standard OTEL_* settings.

Imported only where a collector is set: it costs 0.1 s and some megabytes.
https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
"""

import hashlib
from collections.abc import Sequence

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from expediter import __version__
from expediter.app.operator.traces import Span

_KINDS = {
    "internal": SpanKind.INTERNAL,
    "producer": SpanKind.PRODUCER,
    "consumer": SpanKind.CONSUMER,
    "client": SpanKind.CLIENT,
}
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_SCOPE = InstrumentationScope("expediter", __version__)


class OtlpCollector:
    """The collector that OTEL_EXPORTER_OTLP_ENDPOINT names."""

    def __init__(self) -> None:
        resource = Resource.create()
        if str(resource.attributes[SERVICE_NAME]).startswith("unknown_service"):
            resource = resource.merge(Resource({SERVICE_NAME: "expediter", SERVICE_VERSION: __version__}))
        self._resource = resource
        self._sampler = TracerProvider(resource=resource, shutdown_on_exit=False).sampler
        self._exporter = OTLPSpanExporter()

    def wants(self, trace: str) -> bool:
        """Whether OTEL_TRACES_SAMPLER wants this trace; the same answer for the same trace.

        The decision depends on a digest of the id. Some digits are the same in all order ids, so a share by the id
        would be wrong.
        """
        number = int.from_bytes(hashlib.sha256(trace.encode()).digest()[:16])
        return self._sampler.should_sample(None, number, "order").decision is not Decision.DROP

    def export(self, traces: Sequence[tuple[str, Sequence[Span]]]) -> bool:
        """Hands the spans of each trace over; whether the collector took them. Blocks, for seconds if it is away."""
        spans = [self._readable(int(trace, 16), span) for trace, of_trace in traces for span in of_trace]
        return self._exporter.export(spans) is SpanExportResult.SUCCESS

    def close(self) -> None:
        """Ends an export that waits for the collector."""
        self._exporter.shutdown()  # type: ignore[no-untyped-call]  # it takes and gives nothing

    def _readable(self, trace: int, span: Span) -> ReadableSpan:
        def context(number: str) -> SpanContext:
            return SpanContext(trace, int(number, 16), is_remote=False, trace_flags=_SAMPLED)

        error = {"error.type": span.error} if span.error else {}
        return ReadableSpan(
            name=span.name,
            context=context(span.id),
            parent=context(span.parent) if span.parent else None,
            resource=self._resource,
            attributes={**span.attributes, **error},
            kind=_KINDS[span.kind],
            status=Status(StatusCode.ERROR) if span.error else Status(),
            start_time=span.start * 1_000_000,
            end_time=span.end * 1_000_000,
            instrumentation_scope=_SCOPE,
        )
