"""The picture of a run: whole SVG, every status that was seen, seconds on its axis."""

import argparse
from xml.etree import ElementTree as ET

import pytest

from demo.__main__ import _options, duration
from demo.baskets import Basket
from demo.picture import POINTS, Sample, picture
from demo.play import Took
from expediter.domain.order import Status

NAME = "{http://www.w3.org/2000/svg}"
RUN = (
    [Sample(0.0, {"PENDING": 4}), Sample(30.0, {"PENDING": 1, "PAID": 3}), Sample(60.0, {"SUCCESS": 3, "FAILED": 1})],
    [Took(float(second), 5.0 + second) for second in range(60)],
    [Took(float(second), 1_000.0) for second in range(60)],
)


def texts(svg: str) -> list[str]:
    return [text.text or "" for text in ET.fromstring(svg).iter(f"{NAME}text")]


def lines(svg: str, number: int) -> list[str]:
    """The drawn lines of one of the four plots, each as its path."""
    plots = [it for it in ET.fromstring(svg).iter(f"{NAME}svg") if it.attrib.get("class") == "plot"]
    return [path.attrib["d"] for path in plots[number].iter(f"{NAME}path") if "line" in path.attrib["class"]]


def test_the_picture_has_a_line_for_every_status() -> None:
    named = texts(picture(*RUN))

    assert {status.value.lower().replace("_", " ") for status in Status} <= set(named)
    assert [len(lines(picture(*RUN), number)) for number in (0, 1)] == [3, 3]


def test_a_count_is_not_renewed_until_it_is_read_again() -> None:
    pending = lines(picture(*RUN), 1)[0]

    assert pending.count("M") == 1
    assert pending.count("L") == POINTS - 1


def test_the_picture_ends_when_nothing_changes_any_more() -> None:
    samples, accepts, ends = RUN

    assert picture([*samples, Sample(90.0, samples[-1].counts)], accepts, ends) == picture(*RUN)


def test_a_short_run_is_labelled_in_minutes_and_seconds() -> None:
    named = texts(picture(*RUN))

    assert "00:12" in named
    assert "01:00" in named
    assert any("minutes:seconds" in name for name in named)


def test_a_run_of_hours_is_labelled_in_hours_and_minutes() -> None:
    named = texts(picture([Sample(0.0, {"PAID": 1}), Sample(7_200.0, {"PAID": 2})], [], []))

    assert "02:00" in named
    assert any("hours:minutes" in name for name in named)


def test_latency_is_drawn_as_median_and_99th() -> None:
    assert len(lines(picture(*RUN), 2)) == 2
    assert texts(picture(*RUN)).count("99th") == 2


def test_a_run_in_which_nothing_happened_has_a_picture_too() -> None:
    assert "nothing happened" in texts(picture([], [], []))


def asked(*words: str) -> argparse.Namespace:
    return _options().parse_args(words)


def test_orders_come_in_within_the_seconds_given_or_as_much_faster_as_asked_for() -> None:
    orders = [Basket(0.0, "a", {}), Basket(7_200.0, "b", {})]

    assert duration(orders, asked()) == 25
    assert duration(orders, asked("--seconds", "10")) == 10
    assert duration(orders, asked("--speed", "3600")) == 2


@pytest.mark.parametrize(
    "words", [("--speed", "0"), ("--speed", "-1"), ("--speed", "inf"), ("--speed", "2", "--seconds", "3")]
)
def test_a_speed_that_makes_no_sense_is_refused(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        asked(*words)

    assert "--s" in capsys.readouterr().err
