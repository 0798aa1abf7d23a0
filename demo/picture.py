"""The picture of a demo's run, in the console's own plots: orders by status, and how long accept and end took."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import NamedTuple, TypeVar

from demo.audit import percentile
from demo.play import Took
from expediter.console.drawing.plots import HEIGHT, WIDTH, Line, Plot, plot
from expediter.domain.order import Status

#: Points along a plot, and the room around plots: for a heading above each, and at the edges.
POINTS, HEAD, EDGE = 80, 54.0, 20.0
#: Statuses of one plot, in the order of its colours: blue, green, red.
ENDED = (Status.CANCELLED, Status.SUCCESS, Status.FAILED)
UNDER_WAY = (Status.PENDING, Status.PAID, Status.REFUND_PENDING)
#: Stretches of the time axis between its labels.
AXIS_STEPS = 5
_STYLE = """
svg { font: 12px system-ui, sans-serif; background: #fff }
text { fill: #5d5749; text-anchor: middle }
.title { fill: #23201a; font-size: 15px; font-weight: 600; text-anchor: start }
.name, .first { text-anchor: start }
.v, .last { text-anchor: end }
.grid { stroke: #e4dfd5; fill: none }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round }
.l0 { stroke: #2463b0 } .l1 { stroke: #1f8a4c } .l2 { stroke: #b3382a }
""".strip()


class Sample(NamedTuple):
    """What somebody saw who looked ``at`` seconds after the start: how many orders had each status."""

    at: float
    counts: dict[str, int]


Timed = TypeVar("Timed", Sample, Took)


def picture(samples: Sequence[Sample], accepts: Sequence[Took], ends: Sequence[Took]) -> str:
    """The whole run as one SVG document, until nothing changes any more; it needs no style sheet."""
    seconds = _until(samples)
    plots = [
        _statuses("Ended, by status", ENDED, samples, seconds),
        _statuses("Under way, by status", UNDER_WAY, samples, seconds),
        _took("From the request to the answer", "milliseconds", accepts, seconds, 1),
        _took("From the accept to the end, the hold included", "seconds", ends, seconds, 1000),
    ]
    return "".join(_document(plots, seconds))


def _until(samples: Sequence[Sample]) -> float:
    """When the last count changed; whole steps of the axis, so that its labels are whole seconds."""
    last = next((sample.at for sample in samples if sample.counts == samples[-1].counts), 0.0)
    return max(AXIS_STEPS, math.ceil(last / AXIS_STEPS) * AXIS_STEPS)


def _statuses(title: str, names: Sequence[Status], samples: Sequence[Sample], seconds: float) -> Plot:
    """How many orders had each status; of the looks in each stretch of time the last one counts."""
    last = {place: sample.counts for place, sample in _placed(samples, seconds)}
    seen, looks = dict[str, int](), list[dict[str, int]]()
    for place in range(POINTS):
        seen = last.get(place, seen)  # a count stays as it is until somebody looks again
        looks.append(seen)
    lines = tuple(Line(name, [float(counts.get(name, 0)) for counts in looks]) for name in names)
    return _timed(title, "orders", lines, seconds)


def _took(title: str, unit: str, times: Sequence[Took], seconds: float, divisor: float) -> Plot:
    """Median and 99th of what began in each stretch of time."""
    found: defaultdict[int, list[float]] = defaultdict(list)
    for place, one in _placed(times, seconds):
        found[place].append(one.milliseconds / divisor)
    lines = [
        Line(
            name,
            [percentile(sorted(found[place]), share) if place in found else None for place in range(POINTS)],
        )
        for name, share in (("median", 0.5), ("99th", 0.99))
    ]
    return _timed(title, unit, tuple(lines), seconds)


def _placed(things: Iterable[Timed], seconds: float) -> Iterator[tuple[int, Timed]]:
    """Each with the number of its stretch of time."""
    for thing in things:
        yield min(POINTS - 1, int(thing.at / seconds * POINTS)), thing


def _timed(title: str, unit: str, lines: tuple[Line, ...], seconds: float) -> Plot:
    """The plots label hours and minutes: a short run is drawn sixty times slower, so its labels are minutes:seconds."""
    return Plot(title, unit, lines, 0, int(1000 * seconds * (60 if _short(seconds) else 1)))


def _short(seconds: float) -> bool:
    """As long as minutes do not run over what hours can be."""
    return seconds < 24 * 60


def _document(plots: Sequence[Plot], seconds: float) -> Iterator[str]:
    width, step = WIDTH + 2 * EDGE, HEIGHT + HEAD
    height = EDGE + step * len(plots) + EDGE
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}">'
    yield f'<style>{_STYLE}</style><rect width="100%" height="100%" fill="#fff"/>'
    for number, one in enumerate(plots):
        top = EDGE + number * step
        yield f'<text class="title" x="{EDGE:.0f}" y="{top + 14:.0f}">{escape(one.title)}, {escape(one.unit)}</text>'
        yield from _key(one.lines, top + 36)
        inner = plot(one).removeprefix("<svg ")
        yield f'<svg x="{EDGE:.0f}" y="{top + HEAD - 12:.0f}" width="{WIDTH:.0f}" height="{HEIGHT:.0f}" {inner}'
    over = "minutes:seconds" if _short(seconds) else "hours:minutes"
    yield f'<text x="{width / 2:.0f}" y="{height - EDGE:.0f}">{over} from the start</text></svg>\n'


def _key(lines: Sequence[Line], y: float) -> Iterator[str]:
    """What each line is."""
    for place, line in enumerate(lines):
        x = EDGE + place * WIDTH / 4
        yield f'<path class="line l{place}" d="M{x:.0f} {y - 4:.0f}h14"/>'
        yield f'<text class="name" x="{x + 19:.0f}" y="{y:.0f}">{escape(line.name.lower().replace("_", " "))}</text>'
