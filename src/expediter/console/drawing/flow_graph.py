"""The picture of a workflow in a page: laid out by ``graph``, coloured by the way of an order, with states as links.

The picture has no styles of its own: the page's policy forbids them, and the style sheet has light and dark colours.
"""

from collections.abc import Iterator, Mapping
from html import escape
from itertools import pairwise

from expediter.app.operator.steps import END, START
from expediter.asl.protocol import Json
from expediter.console.drawing.graph import Box, Picture, Wire, picture

_ROUND = 8.0
#: Width that the layout keeps for a letter of a label.
_LETTER = 7.4
#: Length of an arrow's head: the line ends before it, so that the tip stays sharp.
_HEAD = 9.0
_ARROWS = "".join(
    f'<marker id="arrow{kind}" viewBox="0 0 8 8" refX="0" refY="4" markerWidth="9" markerHeight="9" '
    f'markerUnits="userSpaceOnUse" orient="auto"><path class="head{classes}" d="M0 {edge}L8 4L0 {8 - edge}z"/></marker>'
    for kind, classes, edge in (("", "", 1), ("-taken", " taken", 0), ("-caught", " taken caught", 0))
)


def flow_graph(
    definition: Json,
    outcomes: Mapping[str, str] | None = None,
    taken: frozenset[tuple[str, str]] = frozenset(),
    *,
    linked: bool = False,
) -> str:
    """Draws a valid definition.

    ``outcomes``: state → ``done``, ``current`` or ``failed``. ``taken``: the transitions that were made.
    ``linked``: states that have an outcome lead to ``#state-NAME``.
    """
    drawn, marks = picture(definition), outcomes or {}
    return "".join(_document(drawn, marks, taken, linked=linked))


def _document(
    drawn: Picture, marks: Mapping[str, str], taken: frozenset[tuple[str, str]], *, linked: bool
) -> Iterator[str]:
    width, height = f"{drawn.width:.0f}", f"{drawn.height:.0f}"
    role = "list" if drawn.boxes else "img"
    yield f'<svg class="flow" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
    yield f'role="{role}" aria-label="The workflow"><defs>{_ARROWS}</defs>'
    groups = {box.parent for box in drawn.boxes}
    ordered = sorted(drawn.boxes, key=lambda box: -box.width * box.height)
    yield from (_box(box, marks, group=True, linked=linked) for box in ordered if box.name in groups)
    went = [(wire, _was_taken(wire, marks, taken)) for wire in drawn.wires]
    yield from (_wire(wire, was) for wire, was in sorted(went, key=lambda pair: pair[1]))
    yield from (_box(box, marks, group=False, linked=linked) for box in ordered if box.name not in groups)
    yield from (_label(wire, was) for wire, was in went if wire.at is not None)
    yield "</svg>"


def _was_taken(wire: Wire, marks: Mapping[str, str], taken: frozenset[tuple[str, str]]) -> bool:
    """Where a state has two transitions to the same next state, it took the one that fits how it ended."""
    if wire.source == START:
        return wire.target in marks
    failed = marks.get(wire.source) == "failed"
    return (wire.source, wire.target) in taken and (wire.kind == "catch") == failed


def _box(box: Box, marks: Mapping[str, str], *, group: bool, linked: bool) -> str:
    x, y = box.x + box.width / 2, box.y + box.height / 2
    if box.name == START:
        return f'<circle class="dot" cx="{x:.0f}" cy="{y:.0f}" r="7"/>'
    if box.name == END:
        circles = f'<circle class="ring" cx="{x:.0f}" cy="{y:.0f}" r="9"/>'
        return f'{circles}<circle class="dot" cx="{x:.0f}" cy="{y:.0f}" r="5"/>'
    mark, name = marks.get(box.name, ""), escape(box.name)
    classes = " ".join(filter(None, ["st", box.kind, "group" if group else "", mark]))
    said = f"{name}, {box.kind}{', ' + mark if mark else ''}"
    top = box.y + 15 if group else y - 2
    shape = (
        f'<rect x="{box.x:.0f}" y="{box.y:.0f}" width="{box.width:.0f}" height="{box.height:.0f}" rx="9"/>'
        f'<text x="{x:.0f}" y="{top:.0f}">{name}</text>'
        f'<text class="kind" x="{x:.0f}" y="{top + 14:.0f}">{box.kind}</text>'
    )
    if linked and mark:
        shape = f'<a href="#state-{name}" aria-label="{said}">{shape}</a>'
        return f'<g role="listitem" class="{classes}" data-state="{name}">{shape}</g>'
    return f'<g role="listitem" class="{classes}" data-state="{name}" aria-label="{said}">{shape}</g>'


def _wire(wire: Wire, was: bool) -> str:
    arrow = ("arrow-caught" if wire.kind == "catch" else "arrow-taken") if was else "arrow"
    classes = f"{wire.kind} taken" if was else wire.kind
    return f'<path class="{classes}" d="{_line(wire.points)}" marker-end="url(#{arrow})"/>'


def _line(points: tuple[tuple[float, float], ...]) -> str:
    """The line through the points, its corners rounded."""
    parts = [f"M{points[0][0]:.0f} {points[0][1]:.0f}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        (x1, y1), (x2, y2) = _towards(corner, before), _towards(corner, after)
        parts.append(f"L{x1:.0f} {y1:.0f}Q{corner[0]:.0f} {corner[1]:.0f} {x2:.0f} {y2:.0f}")
    end = _towards(points[-1], points[-2], _HEAD)
    parts.append(f"L{end[0]:.1f} {end[1]:.1f}")
    return "".join(parts)


def _towards(corner: tuple[float, float], other: tuple[float, float], far: float = _ROUND) -> tuple[float, float]:
    """The point ``far`` from the corner on the way to the other one, at most half way."""
    dx, dy = other[0] - corner[0], other[1] - corner[1]
    length = max((dx * dx + dy * dy) ** 0.5, 0.001)
    share = min(far, length / 2) / length
    return corner[0] + dx * share, corner[1] + dy * share


def _label(wire: Wire, was: bool) -> str:
    """The label, in the place that the layout kept for it, on the side of its line."""
    x, y = wire.at or (0.0, 0.0)
    half = (_LETTER * len(wire.label)) / 2
    crossed = [p[0] for p, q in pairwise(wire.points) if p[0] == q[0] and min(p[1], q[1]) <= y <= max(p[1], q[1])]
    line = min(crossed, key=lambda place: abs(place - x), default=x)
    side = "" if abs(line - x) < half else " before" if x < line else " after"
    x += {"": 0.0, " before": half, " after": -half}[side]
    classes = f"label{side}{' taken' if was else ''}"
    return f'<text class="{classes}" x="{x:.0f}" y="{y + 4:.0f}">{escape(wire.label)}</text>'
