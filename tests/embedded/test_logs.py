"""Logs: one JSON object a line, with order and trace, and never anything that a customer wrote."""

import io
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from expediter.embedded import logs
from tests.support.values import ID

#: What a customer might write, made to stand out.
HOSTILE = 'Mallory "M" <mallory@example.com>\n{"level": "CRITICAL"}\x1b[31m'
Lines = Callable[[], list[dict[str, Any]]]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("expediter")
    handlers, levels, hook = root.handlers[:], (root.level, ours.level), sys.excepthook
    yield
    root.handlers[:], (root.level, ours.level), sys.excepthook = handlers, levels, hook
    logging.raiseExceptions = True


@pytest.fixture
def lines() -> Lines:
    """What was logged, each line as the JSON object that it is."""
    stream = io.StringIO()
    logs.set_up(stream)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_message_is_an_object_with_time_level_order_and_trace(lines: Lines) -> None:
    logging.getLogger("expediter.calls").warning("a call failed", extra={"order_id": ID, "call": "charge"})

    (line,) = lines()
    assert line.pop("at").endswith("Z")
    assert line == {
        "level": "WARNING",
        "logger": "expediter.calls",
        "message": "a call failed",
        "order_id": ID,
        "trace_id": ID.replace("-", ""),
        "call": "charge",
    }


def test_an_exception_is_logged_by_its_class_its_causes_and_the_code_never_by_its_text(lines: Lines) -> None:
    def fails() -> None:
        try:
            raise KeyError(HOSTILE)
        except KeyError as error:
            raise ValueError(HOSTILE) from error

    try:
        fails()
    except ValueError:
        logging.getLogger("expediter.calls").exception("unexpected")

    (line,) = lines()
    assert (line["error"], line["caused_by"]) == ("ValueError", "KeyError")
    assert line["code"].startswith("test_logs.py:")
    assert " fails < test_logs.py:" in line["code"]
    assert "Mallory" not in json.dumps(line)


def test_an_exception_that_causes_itself_is_logged_once(lines: Lines) -> None:
    first, second = ValueError(), KeyError()
    first.__cause__, second.__cause__ = second, first
    logging.getLogger("expediter.calls").error("a circle", exc_info=first)

    assert lines()[0]["caused_by"] == "KeyError"


@pytest.mark.parametrize(
    ("template", "given", "told"),
    [
        ("Invalid HTTP request received.", (), "Invalid HTTP request received."),
        ("bad header %s in %d bytes, %.2f s", (HOSTILE, 7, 0.5), "bad header … in 7 bytes, 0.50 s"),
        ("port %d", (HOSTILE,), "port %d"),
        (f"Task exception was never retrieved\nfuture: {HOSTILE}", (), "Task exception was never retrieved"),
        ("first\n%s", (HOSTILE,), "first"),
    ],
)
def test_the_arguments_of_a_librarys_message_are_not_logged(
    lines: Lines, template: str, given: tuple[object, ...], told: str
) -> None:
    logging.getLogger("somebody.else").error(template, *given)

    (line,) = lines()
    assert (line["message"], line["logger"]) == (told, "somebody.else")


def test_a_flood_of_one_message_is_cut_each_second_and_the_number_of_dropped_ones_is_logged() -> None:
    flood, told = logs.Flood(), list[dict[str, str]]()
    for number in range(logs.MOST + 5):
        record = logging.LogRecord("expediter", logging.ERROR, "", 0, "the disk is full", None, None)
        record.created = 100 + number / 1000
        told += [logs.told(record)] if flood.filter(record) else []
    for created in (101.0, 101.1):
        other = logging.LogRecord("expediter", logging.ERROR, "", 0, "the disk is full", None, None)
        other.created = created
        told += [logs.told(other)] if flood.filter(other) else []

    assert len(told) == logs.MOST + 2
    assert [line.get("left_out") for line in told[-3:]] == [None, "5", None]


def test_two_messages_are_no_flood_of_each_other() -> None:
    flood = logs.Flood()
    records = [logging.LogRecord("expediter", logging.ERROR, "", 0, f"number {n}", None, None) for n in range(100)]

    assert all(flood.filter(record) for record in records)


def test_on_a_terminal_a_message_is_a_line_for_reading() -> None:
    stream = Terminal()
    logs.set_up(stream)
    logging.getLogger("expediter.outbox").warning("a mail was not sent", extra={"order_id": ID, "mail": "SUCCESS"})
    logging.getLogger("expediter.server").info("the server starts")

    (line,) = stream.getvalue().splitlines()
    assert line[8:] == f" WARNING a mail was not sent (order_id={ID}, mail=SUCCESS)"


def test_an_uncaught_exception_is_a_line_like_any_other(lines: Lines) -> None:
    error = RuntimeError(HOSTILE)
    sys.excepthook(RuntimeError, error, None)

    (line,) = lines()
    assert (line["level"], line["error"]) == ("CRITICAL", "RuntimeError")
    assert "Mallory" not in json.dumps(line)


def test_a_log_that_nobody_reads_stops_nobody_and_says_later_what_it_dropped() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", buffering=0) as reader, os.fdopen(writing, "w") as stream:
        log = logs.Unblocked(stream)
        for number in range(2 * logs.MOST_WAITING):
            log.write(f"{number:0100}\n")
        seen = b""
        while b"left_out" not in seen:
            seen += reader.read(65_536)
        log.close()

    lines = seen.decode().splitlines()
    dropped = next(place for place, line in enumerate(lines) if "left_out" in line)
    assert int(json.loads(lines[dropped])["left_out"]) > 0
    told = [int(line) for place, line in enumerate(lines) if place != dropped and len(line) == 100]
    assert told == list(range(len(told)))


def test_a_log_whose_reader_is_gone_stops_nobody() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stream:
        log = logs.Unblocked(stream)
        log.write("nobody reads this\n")
        log.close()
