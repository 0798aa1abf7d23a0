"""Plots: axes that can be read, every number inside the picture, the same numbers the same picture."""

import re
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from expediter.console.drawing.plots import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Line, Plot, number, plot, ticks

VALUES = st.lists(st.none() | st.floats(0, 1e9, allow_subnormal=False), max_size=150)
NOON = 1_785_585_600_000


def drawn(*lines: list[float | None]) -> str:
    named = tuple(Line(f"line {place}", values) for place, values in enumerate(lines))
    return plot(Plot("Orders", "per second", named, NOON, NOON + 3_600_000))


@given(st.floats(1e-6, 1e12, allow_subnormal=False))
def test_ticks_are_few_even_and_reach_the_largest_value(most: float) -> None:
    marks = ticks(most)
    assert marks[0] == 0
    assert marks[-1] >= most * 0.999
    assert 2 <= len(marks) <= 6
    assert len({number(mark) for mark in marks}) == len(marks)


@given(VALUES, VALUES)
def test_every_point_lies_inside_the_axes(one: list[float | None], two: list[float | None]) -> None:
    root = ET.fromstring(drawn(one, two))
    for path in root.iter("path"):
        if "line" in path.attrib["class"]:
            for x, y in re.findall(r"[ML](\S+) ([\d.]+)", path.attrib["d"]):
                assert LEFT - 0.1 <= float(x) <= WIDTH - RIGHT + 0.1
                assert TOP - 0.1 <= float(y) <= HEIGHT - BOTTOM + 0.1


@given(VALUES)
def test_the_same_numbers_are_the_same_picture(values: list[float | None]) -> None:
    assert drawn(values) == drawn(values)


def test_a_line_is_broken_where_nothing_was_measured_and_a_value_alone_is_a_dot() -> None:
    path = re.search(r'class="line l0" d="([^"]*)"', drawn([1, 2, None, 3, None]))
    assert path
    assert (path[1].count("M"), path[1].count("L"), path[1].count("m")) == (2, 1, 1)


def test_the_axes_say_what_they_measure() -> None:
    svg = drawn([0.5, 40])
    labels = [text.text for text in ET.fromstring(svg).iter("text")]
    assert labels == ["0", "10", "20", "30", "40", "12:00", "12:12", "12:24", "12:36", "12:48", "13:00"]
    assert ET.fromstring(svg).attrib["aria-label"] == "Orders, per second"


def test_a_plot_of_nothing_says_so() -> None:
    assert "nothing happened" in drawn([None, None])
