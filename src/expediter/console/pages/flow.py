"""How orders flow: rates, latencies and depths of the last hour or day, why orders failed, and what is stuck."""

from collections.abc import Callable
from typing import NamedTuple

from expediter.api.request import Response
from expediter.app.operator.flow import MINUTE, Point, reasons, series
from expediter.app.operator.services import OperatorServices, Stuck
from expediter.console import words
from expediter.console.drawing.plots import Line, Plot, plot
from expediter.console.render import drawing, page
from expediter.console.visit import Visit


class Span(NamedTuple):
    title: str
    length: int
    step: int


HOUR = 60 * MINUTE
SPANS = {"hour": Span("Last hour", HOUR, MINUTE), "day": Span("Last day", 24 * HOUR, 10 * MINUTE)}

#: What waits, as a sentence; {n} is how many, {s} a plural's s. Second: waiting less than this many minutes is normal.
_WAITS: dict[str, tuple[str, int]] = {
    "operator": ("{n} order{s} need{v} an operator", 0),
    "REFUND_PENDING": ("{n} order{s} wait{v} for a refund", 0),
    "dead letter": ("{n} message{s} could not be processed", 0),
    "message": ("{n} message{s} wait{v} on the queue", 1),
    "PAID": ("{n} paid order{s} {are} on the way to the restaurant", 5),
    "PENDING": ("{n} order{s} wait{v} for the payment", 2),
}

_Value = Callable[[Point], float | None]
_Row = tuple[str, str, tuple[tuple[str, _Value], ...]]
_PLOTS: tuple[_Row, ...] = (
    (
        "Orders",
        "per second",
        (
            ("accepted", lambda p: p.accepted),
            ("succeeded", lambda p: p.succeeded),
            ("unsuccessful", lambda p: p.unsuccessful),
        ),
    ),
    ("Accept", "milliseconds", (("p50", lambda p: p.accept_p50), ("p99", lambda p: p.accept_p99))),
    (
        "From accept to end, the hold included",
        "seconds",
        (("p50", lambda p: _s(p.finish_p50)), ("p99", lambda p: _s(p.finish_p99))),
    ),
    ("Waiting", "orders", (("on the queue", lambda p: float(p.queue)), ("in a workflow", lambda p: float(p.running)))),
)


def show_flow(services: OperatorServices, visit: Visit) -> Response:
    chosen = visit.query.get("span", "hour")
    span = SPANS.get(chosen, SPANS["hour"])
    end = visit.now - visit.now % MINUTE + MINUTE
    start = end - span.length
    minutes = services.flow.minutes(start)
    points = series(minutes, start, end, span.step)
    why = reasons(minutes)
    recent = series(services.flow.minutes(end - HOUR), end - HOUR, end, HOUR)[0]
    return page(
        "flow",
        visit,
        spans=SPANS,
        chosen=chosen if chosen in SPANS else "hour",
        plots=[_plot(row, points, start, end) for row in _PLOTS],
        reasons=why[:12],
        most=why[0][1] if why else 1,
        stuck=[_sentence(entry, visit.now) for entry in _sorted(services.flow.stuck(), visit.now)],
        recent=recent,
        counts=services.flow.counts(),
        mark=flow_mark(services),
    )


def flow_mark(services: OperatorServices) -> str:
    """A text that changes every five seconds, as the numbers do."""
    return str(services.work.now // 5_000)


class Picture(NamedTuple):
    title: str
    unit: str
    names: tuple[str, ...]
    svg: object


def _plot(row: _Row, points: list[Point], start: int, end: int) -> Picture:
    title, unit, lines = row
    drawn = tuple(Line(name, [value(point) for point in points]) for name, value in lines)
    return Picture(title, unit, tuple(line.name for line in drawn), drawing(plot(Plot(title, unit, drawn, start, end))))


class Waiting(NamedTuple):
    """A sentence about what waits; ``late``: longer than is normal."""

    text: str
    age: str
    late: bool
    order_id: str | None


def _sorted(found: tuple[Stuck, ...], now: int) -> list[Stuck]:
    return sorted(found, key=lambda entry: (not _late(entry, now), entry.since))


def _late(entry: Stuck, now: int) -> bool:
    return now - entry.since >= _WAITS[entry.kind][1] * MINUTE


def _sentence(entry: Stuck, now: int) -> Waiting:
    one = entry.count == 1
    words_of = {"n": entry.count, "s": "" if one else "s", "v": "s" if one else "", "are": "is" if one else "are"}
    text = _WAITS[entry.kind][0].format(**words_of)
    return Waiting(text, words.duration(max(0, now - entry.since)), _late(entry, now), entry.order_id)


def _s(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000
