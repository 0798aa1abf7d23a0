"""Lays out the picture of a workflow: the place of each state, and the line of each transition.

    picture(definition) -> Picture     boxes and wires in px, for ``graph_svg.svg``

A Next never leaves its level. So the machines inside a Parallel or Map are laid out first, and the state around them is
then one node of their size.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import graphlay

from expediter.asl import inner_machines
from expediter.console.drawing.graph_labels import rule_text

START, END = "__start__", "__end__"
_PAD, _HEAD, _GAP, _LINE = 16.0, 34.0, 18.0, 44.0
_CHAR = 7.4  # px per character of the boxes' font, on the safe side


class Box(NamedTuple):
    """A state, or the dot where its level starts or ends; ``x`` and ``y`` are the upper left corner."""

    name: str
    kind: str
    x: float
    y: float
    width: float
    height: float
    #: The state around it ("" at the top) and which of its machines this is.
    parent: str
    branch: int


class Wire(NamedTuple):
    """A transition; ``kind``: start, next, choice, default, catch or end."""

    source: str
    target: str
    kind: str
    label: str
    points: tuple[tuple[float, float], ...]
    #: Where the label stands (its centre), if it has one.
    at: tuple[float, float] | None


class Picture(NamedTuple):
    width: float
    height: float
    boxes: tuple[Box, ...]
    wires: tuple[Wire, ...]


class Edge(NamedTuple):
    source: str
    target: str
    kind: str
    label: str = ""


def edges(machine: dict[str, Any]) -> Iterator[Edge]:
    """Every transition of one level, as the definition has it."""
    yield Edge(START, machine["StartAt"], "start")
    for name, state in machine["States"].items():
        for rule in state.get("Choices", []):
            yield Edge(name, rule["Next"], "choice", rule_text(rule))
        if "Default" in state:
            yield Edge(name, state["Default"], "default", "otherwise")
        if "Next" in state:
            yield Edge(name, state["Next"], "next")
        for catcher in state.get("Catch", []):
            named = [error for error in catcher["ErrorEquals"] if error != "States.ALL"]
            yield Edge(name, catcher["Next"], "catch", ", ".join(named))
        if state.get("End") or state["Type"] == "Succeed":
            yield Edge(name, END, "end")


def picture(definition: dict[str, Any]) -> Picture:
    """Lay out a valid definition."""
    return _moved(_level(definition, "", 0), _PAD, _PAD)


def _level(machine: dict[str, Any], parent: str, branch: int) -> Picture:
    inner = {name: _inside(name, state) for name, state in machine["States"].items()}
    graph = graphlay.Graph()
    graph.node(START, width=20, height=20)
    for name, state in machine["States"].items():
        width, height = _size(name, state, inner[name])
        graph.node(name, width=width, height=height)
    wires = list(edges(machine))
    if any(edge.target == END for edge in wires):
        graph.node(END, width=20, height=20)
    for edge in wires:
        if edge.label:
            label = {"width": _CHAR * len(edge.label) + 6, "height": 16.0}
            graph.edge(edge.source, edge.target, label_size=label)
        else:
            graph.edge(edge.source, edge.target)
    options = {"direction": "topbottom", "routing": {"style": "orthogonal"}}
    laid = graphlay.layout(graph, preset="layered", options=options)
    found = _boxes(machine, parent, branch, inner, laid)
    return _fitted(found._replace(wires=(*found.wires, *_wires(wires, laid))))


def _fitted(picture: Picture) -> Picture:
    """Make room for labels and wires that reach beyond the boxes."""
    labels = [(wire.at[0], _CHAR * len(wire.label) / 2) for wire in picture.wires if wire.at is not None]
    xs = [x for wire in picture.wires for x, _ in wire.points]
    left = min(0.0, *xs, *(x - half for x, half in labels))
    right = max(picture.width, *xs, *(x + half for x, half in labels))
    moved = _moved(picture, -left, 0.0)
    return moved._replace(width=right - left, height=picture.height)


def _boxes(
    machine: dict[str, Any], parent: str, branch: int, inner: dict[str, list[Picture]], laid: graphlay.Layout
) -> Picture:
    """The boxes of a level, and everything drawn inside them."""
    left, top = laid.bounds["min"]["x"], laid.bounds["min"]["y"]
    boxes: list[Box] = []
    drawn: list[Wire] = []
    for name, node in zip(laid.ids, laid.nodes, strict=True):
        width, height = node["size"]["width"], node["size"]["height"]
        x, y = node["center"]["x"] - width / 2 - left, node["center"]["y"] - height / 2 - top
        kind = machine["States"][name]["Type"] if name in machine["States"] else name.strip("_")
        boxes.append(Box(name, kind, x, y, width, height, parent, branch))
        offset = x + _PAD
        for picture in inner.get(name, []):
            moved = _moved(picture, offset, y + _HEAD)
            boxes += moved.boxes
            drawn += moved.wires
            offset += picture.width + _GAP
    size = laid.bounds["max"]
    return Picture(size["x"] - left, size["y"] - top, tuple(boxes), tuple(drawn))


def _wires(wires: list[Edge], laid: graphlay.Layout) -> Iterator[Wire]:
    left, top = laid.bounds["min"]["x"], laid.bounds["min"]["y"]
    for edge, line in zip(wires, laid.edges, strict=True):
        points = tuple((point["x"] - left, point["y"] - top) for point in line["points"])
        anchor = line["label_anchor"] if edge.label else None
        at = (anchor["x"] - left, anchor["y"] - top) if anchor else None
        yield Wire(edge.source, edge.target, edge.kind, edge.label, points, at)


def _inside(name: str, state: dict[str, Any]) -> list[Picture]:
    return [_level(machine, name, index) for index, machine in enumerate(inner_machines(state))]


def _size(name: str, state: dict[str, Any], inner: list[Picture]) -> tuple[float, float]:
    text = _CHAR * max(len(name), len(state["Type"]) + 4) + 2 * _PAD
    if not inner:
        return max(text, 110.0), _LINE
    width = sum(picture.width for picture in inner) + _GAP * (len(inner) - 1) + 2 * _PAD
    return max(text, width), max(picture.height for picture in inner) + _HEAD + _PAD


def _moved(picture: Picture, dx: float, dy: float) -> Picture:
    boxes = tuple(box._replace(x=box.x + dx, y=box.y + dy) for box in picture.boxes)
    wires = tuple(
        wire._replace(
            points=tuple((x + dx, y + dy) for x, y in wire.points),
            at=None if wire.at is None else (wire.at[0] + dx, wire.at[1] + dy),
        )
        for wire in picture.wires
    )
    return Picture(picture.width + 2 * dx, picture.height + 2 * dy, boxes, wires)
