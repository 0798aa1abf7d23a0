"""A workflow as it stands in a page: every state and transition once, coloured by the way, the same every time."""

import re
from typing import Any
from xml.etree import ElementTree as ET

from hypothesis import HealthCheck, given, settings

from expediter.app.operator.steps import END, START
from expediter.console.drawing.flow_graph import flow_graph
from expediter.console.drawing.graph import picture
from expediter.embedded.settings import workflow
from tests.asl.machines import definitions

SOME = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
ORDER = workflow(None)


def states(svg: str) -> dict[str, str]:
    """Every drawn state with its classes."""
    root = ET.fromstring(svg)
    return {
        found.attrib["data-state"]: found.attrib["class"] for found in root.iter("g") if "data-state" in found.attrib
    }


def paths(svg: str, word: str = "") -> list[str]:
    root = ET.fromstring(svg)
    classes = [found.attrib["class"] for found in root.iter("path")]
    return [name for name in classes if "head" not in name and word in name]


@SOME
@given(definitions())
def test_every_state_and_every_transition_is_drawn_once(definition: dict[str, Any]) -> None:
    drawn, svg = picture(definition), flow_graph(definition)
    assert sorted(states(svg)) == sorted(box.name for box in drawn.boxes if box.name not in {START, END})
    assert len(paths(svg)) == len(drawn.wires)


@SOME
@given(definitions())
def test_the_same_workflow_is_the_same_picture(definition: dict[str, Any]) -> None:
    assert flow_graph(definition) == flow_graph(definition)


@SOME
@given(definitions())
def test_nothing_is_drawn_outside_the_picture(definition: dict[str, Any]) -> None:
    svg = flow_graph(definition)
    _, _, width, height = map(float, ET.fromstring(svg).attrib["viewBox"].split())
    for rect in ET.fromstring(svg).iter("rect"):
        x, y, w, h = (float(rect.attrib[name]) for name in ("x", "y", "width", "height"))
        assert x >= 0
        assert y >= 0
        assert x + w <= width + 1
        assert y + h <= height + 1


def test_the_picture_holds_no_style_and_no_script() -> None:
    assert re.findall(r"style|<script|\son\w+=", flow_graph(ORDER)) == []


def test_the_way_that_was_taken_is_coloured_and_no_other() -> None:
    taken = frozenset({("InitializeOrder", "ProcessPayment"), ("ProcessPayment", "OweRefund")})
    svg = flow_graph(ORDER, {"InitializeOrder": "done", "ProcessPayment": "failed", "OweRefund": "current"}, taken)
    assert paths(svg, "taken") == ["start taken", "next taken", "catch taken"]
    marked = {name: classes.split()[-1] for name, classes in states(svg).items() if len(classes.split()) > 2}
    assert marked == {"InitializeOrder": "done", "ProcessPayment": "failed", "OweRefund": "current"}


def test_of_two_transitions_between_the_same_states_the_one_is_coloured_that_was_made() -> None:
    taken = frozenset({("OweRefund", "RefundPayment")})
    assert paths(flow_graph(ORDER, {"OweRefund": "done"}, taken), "taken") == ["next taken"]
    assert paths(flow_graph(ORDER, {"OweRefund": "failed"}, taken), "taken") == ["catch taken"]


def test_a_state_that_was_entered_leads_to_what_is_known_of_it() -> None:
    svg = flow_graph(ORDER, {"Hold": "current"}, linked=True)
    assert re.findall(r'href="([^"]+)"', svg) == ["#state-Hold"]
    assert 'aria-label="Hold, Wait, current"' in svg


def test_a_hostile_name_is_text() -> None:
    name = '<script>"&'
    definition = {"StartAt": name, "States": {name: {"Type": "Succeed"}}}
    assert name in states(flow_graph(definition, {name: "done"}, linked=True))


#: Pixels of a letter of a label (11 px), on the safe side, and of its height above and below its line.
LETTER, ABOVE, BELOW = 6.0, 9.0, 3.0


def labels(svg: str) -> list[tuple[float, float, float, float]]:
    """Left, top, right and bottom of every label."""
    found = []
    for text in ET.fromstring(svg).iter("text"):
        side = text.attrib.get("class", "").split()
        if "label" in side:
            x, y, width = float(text.attrib["x"]), float(text.attrib["y"]), LETTER * len(text.text or "")
            left = x - width if "before" in side else x if "after" in side else x - width / 2
            found.append((left, y - ABOVE, left + width, y + BELOW))
    return found


def leaves(svg: str) -> list[tuple[float, float, float, float]]:
    """Left, top, right and bottom of every state that holds no others."""
    found = []
    for group in ET.fromstring(svg).iter("g"):
        if "data-state" in group.attrib and "group" not in group.attrib["class"].split():
            (rect,) = group.iter("rect")
            x, y, w, h = (float(rect.attrib[name]) for name in ("x", "y", "width", "height"))
            found.append((x, y, x + w, y + h))
    return found


def covers(one: tuple[float, float, float, float], two: tuple[float, float, float, float]) -> bool:
    return one[0] < two[2] and two[0] < one[2] and one[1] < two[3] and two[1] < one[3]


@SOME
@given(definitions())
def test_no_label_covers_a_state_or_another_label(definition: dict[str, Any]) -> None:
    svg = flow_graph(definition)
    found = labels(svg)
    assert [(label, box) for label in found for box in leaves(svg) if covers(label, box)] == []
    assert [(a, b) for place, a in enumerate(found) for b in found[place + 1 :] if covers(a, b)] == []
