"""Line plots as SVG, drawn here: axes with units, a few readable ticks, one line a series; the style sheet colours.

Pure: the same numbers are the same picture.
"""

import math
from collections.abc import Iterator, Sequence
from html import escape
from typing import NamedTuple

from expediter.console import words

WIDTH, HEIGHT = 560.0, 200.0
LEFT, RIGHT, TOP, BOTTOM = 52.0, 12.0, 14.0, 26.0
#: The most labels of the time axis, and about how many ticks the value axis has.
_TIMES, _TICKS = 6, 4


class Line(NamedTuple):
    """One series: values at the same distance in time, None where nothing was measured."""

    name: str
    values: Sequence[float | None]


class Plot(NamedTuple):
    """``start`` and ``end`` in milliseconds since 1970 UTC; ``unit`` of the values."""

    title: str
    unit: str
    lines: tuple[Line, ...]
    start: int
    end: int


def plot(given: Plot) -> str:
    return "".join(_document(given))


def ticks(most: float) -> list[float]:
    """About four round values from 0 to at least ``most``, evenly spaced."""
    if not most > 0:
        return [0.0, 1.0]
    rough = most / _TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(size * power for size in (1, 2, 2.5, 5, 10) if size * power >= rough * 0.999)
    count = math.ceil(most / step - 1e-9)
    return [number * step for number in range(max(1, count) + 1)]


def number(value: float) -> str:
    """A tick's label: ``0``, ``0.25``, ``40``, ``12k``, ``3M``."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.4g}{letter}"
    return f"{value:.3g}"


def _document(given: Plot) -> Iterator[str]:
    values = [value for line in given.lines for value in line.values if value is not None]
    marks = ticks(max(values, default=0.0))
    named = f"{escape(given.title)}, {escape(given.unit)}"
    yield f'<svg class="plot" viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}" role="img" aria-label="{named}">'
    yield from (_tick(mark, marks[-1]) for mark in marks)
    yield from _times(given.start, given.end)
    for place, line in enumerate(given.lines):
        yield f'<path class="line l{place}" d="{_path(line.values, marks[-1])}"/>'
    if not values:
        yield f'<text class="none" x="{(LEFT + WIDTH - RIGHT) / 2:.0f}" y="{HEIGHT / 2:.0f}">nothing happened</text>'
    yield "</svg>"


def _tick(mark: float, most: float) -> str:
    y = _y(mark, most)
    rule = f'<path class="grid" d="M{LEFT:.0f} {y:.1f}H{WIDTH - RIGHT:.0f}"/>'
    return f'{rule}<text class="tick v" x="{LEFT - 8:.0f}" y="{y + 4:.1f}">{number(mark)}</text>'


def _times(start: int, end: int) -> Iterator[str]:
    for place in range(_TIMES):
        share = place / (_TIMES - 1)
        x = LEFT + share * (WIDTH - LEFT - RIGHT)
        kind = "tick first" if place == 0 else "tick last" if place == _TIMES - 1 else "tick"
        label = words.clock(int(start + share * (end - start)))[:5]
        yield f'<text class="{kind}" x="{x:.0f}" y="{HEIGHT - 8:.0f}">{label}</text>'


def _path(values: Sequence[float | None], most: float) -> str:
    """The line through the values. It is broken where there are none, and a single value is a dot."""
    step = (WIDTH - LEFT - RIGHT) / max(1, len(values) - 1)
    parts: list[str] = []
    drawing = False
    for place, value in enumerate(values):
        if value is not None:
            alone = not drawing and (place + 1 == len(values) or values[place + 1] is None)
            point = f"{LEFT + place * step:.1f} {_y(value, most):.1f}"
            parts.append(f"{'L' if drawing else 'M'}{point}{'m-2 0h4' if alone else ''}")
        drawing = value is not None
    return "".join(parts)


def _y(value: float, most: float) -> float:
    return HEIGHT - BOTTOM - value / most * (HEIGHT - TOP - BOTTOM)
