"""Pictures of workflows: no boxes overlap, every transition is drawn once, children lie in their parents."""

import json
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from hypothesis import HealthCheck, given, settings

from expediter.asl import inner_machines
from expediter.console.drawing.graph import END, START, Box, Picture, edges, picture
from expediter.console.drawing.graph_labels import rule_text
from expediter.console.drawing.graph_svg import mermaid, svg
from tests.asl.machines import definitions

ORDER = json.loads((Path(__file__).parents[3] / "src/expediter/contracts/order.asl.json").read_bytes())
SOME = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def levels(machine: dict[str, Any], parent: str = "") -> list[tuple[str, dict[str, Any]]]:
    found = [(parent, machine)]
    for name, state in machine["States"].items():
        for inner in inner_machines(state):
            found += levels(inner, name)
    return found


def overlap(one: Box, two: Box) -> bool:
    aside = one.x + one.width <= two.x or two.x + two.width <= one.x
    return not aside and one.y < two.y + two.height and two.y < one.y + one.height


def inside(inner: Box, outer: Box) -> bool:
    across = outer.x <= inner.x and inner.x + inner.width <= outer.x + outer.width
    return across and outer.y <= inner.y and inner.y + inner.height <= outer.y + outer.height


def siblings(drawn: Picture) -> list[tuple[Box, Box]]:
    boxes = drawn.boxes
    return [
        (one, two)
        for index, one in enumerate(boxes)
        for two in boxes[index + 1 :]
        if (one.parent, one.branch) == (two.parent, two.branch)
    ]


@SOME
@given(definitions())
def test_boxes_of_a_level_never_overlap(definition: dict[str, Any]) -> None:
    assert [pair for pair in siblings(picture(definition)) if overlap(*pair)] == []


@SOME
@given(definitions())
def test_children_lie_in_their_parents(definition: dict[str, Any]) -> None:
    drawn = picture(definition)
    states = {box.name: box for box in drawn.boxes if box.name not in {START, END}}

    assert all(inside(box, states[box.parent]) for box in drawn.boxes if box.parent)
    assert all(box.x >= 0 and box.x + box.width <= drawn.width for box in drawn.boxes)
    assert all(box.y >= 0 and box.y + box.height <= drawn.height for box in drawn.boxes)


@SOME
@given(definitions())
def test_every_transition_is_drawn_once(definition: dict[str, Any]) -> None:
    meant = Counter((edge.source, edge.target, edge.kind) for _, level in levels(definition) for edge in edges(level))

    assert Counter((wire.source, wire.target, wire.kind) for wire in picture(definition).wires) == meant


def test_the_order_workflow_shows_each_state_as_a_list_item_with_its_name() -> None:
    drawn = ET.fromstring(svg(ORDER, marks={"Hold": "current"}, title="order <1>"))

    items = [element for element in drawn.iter() if element.get("role") == "listitem"]

    assert {item.get("data-state") for item in items} == set(ORDER["States"])
    assert [item.get("data-state") for item in items if "current" in str(item.get("class"))] == ["Hold"]
    assert drawn.get("aria-label") == "order <1>"


def test_names_from_a_definition_are_text_in_the_picture_never_markup() -> None:
    name = '<script>alert("x")</script>'
    definition = {"StartAt": name, "States": {name: {"Type": "Pass", "End": True}}}

    assert "<script" not in svg(definition)
    assert ET.fromstring(svg(definition)) is not None


def test_rules_are_read_aloud_in_a_few_characters() -> None:
    assert rule_text({"Variable": "$.payment.status", "StringEquals": "ok", "Next": "A"}) == "payment.status = ok"
    assert rule_text({"Variable": "$.n", "NumericLessThanEqualsPath": "$.most", "Next": "A"}) == "n ≤ most"
    assert rule_text({"Not": {"Variable": "$.n", "IsPresent": True}, "Next": "A"}) == "not n is present"
    both = {"And": [{"Variable": "$.a", "IsNull": False}, {"Variable": "$.b", "BooleanEquals": True}]}
    assert rule_text(both) == "a is not null and b = true"
    assert rule_text({"Condition": "{% $states.input.total > 100 and $limit < 3 %}"}).endswith("…")


def test_mermaid_holds_the_same_transitions() -> None:
    text = mermaid(ORDER)

    assert text.count("-->") == len(list(edges(ORDER)))
    assert 'state "ProcessPayment" as s1' in text
