"""The server's log on stderr: one JSON object a line, or plain text where stderr is a terminal.

Nothing personal gets into a log. So these are the rules:

- a message of ours is a fixed sentence; ids and words of ours come as fields (``extra={"order_id": …}``);
- of an exception, its class, the classes that caused it and the lines of code are logged, never its text: the text may
  quote what a customer wrote;
- of a message of a library, the first line is logged, without the texts that were put into it.
"""

import contextlib
import logging
import os
import queue
import sys
import threading
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TextIO

import msgspec

from expediter.app.operator.traces import trace_id

#: The fields that a message of ours may have.
FIELDS = ("order_id", "call", "mail", "alert", "outage", "seconds", "locked_by", "key", "reason", "left_out")
#: Records of one message that are logged in a second.
MOST = 20
#: Lines that wait to be written, and the seconds for which the end of the process waits for them.
MOST_WAITING, LAST = 10_000, 1.0
#: Lines of code that are logged of an exception, the innermost first.
FRAMES = 12
_LEFT_OUT = "…"
_SITE = Path(__file__).parents[2]

_log = logging.getLogger("expediter")
_encode = msgspec.json.Encoder().encode


class Unblocked:
    """The stream's file, written by a thread: ``write`` never waits. Whoever reads the log may stop reading it, and
    then the loop must go on. Beyond MOST_WAITING lines are dropped, and the log says how many.
    """

    def __init__(self, stream: TextIO) -> None:
        self._file, self._terminal = stream.fileno(), stream.isatty()
        self._waiting: queue.Queue[bytes | threading.Event] = queue.Queue(MOST_WAITING)
        self._dropped = 0
        threading.Thread(target=self._write_all, name="log", daemon=True).start()

    def isatty(self) -> bool:
        return self._terminal

    def write(self, text: str) -> None:
        try:
            self._waiting.put_nowait(text.encode("utf-8", "backslashreplace"))
        except queue.Full:
            self._dropped += 1

    def flush(self) -> None:
        """Does nothing: the thread writes each line at once."""

    def close(self) -> None:
        """Waits until everything is written, LAST seconds at most: the log's reader may have stopped."""
        written = threading.Event()
        with contextlib.suppress(queue.Full):
            self._waiting.put(written, timeout=LAST)
            written.wait(LAST)

    def _write_all(self) -> None:
        while True:
            given = self._waiting.get()
            if isinstance(given, threading.Event):
                given.set()
                continue
            self._write(given)
            if dropped := self._dropped:
                self._dropped = 0
                said = {"level": "WARNING", "message": "lines of the log were dropped: nobody read it"}
                self._write(_encode({**said, "left_out": str(dropped)}) + b"\n")

    def _write(self, text: bytes) -> None:
        with contextlib.suppress(OSError):  # the log's reader has gone away
            while text:
                text = text[os.write(self._file, text) :]


def wait_until_written() -> None:
    """Waits until what was logged is written, LAST seconds at most: for the end of the process."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler) and isinstance(handler.stream, Unblocked):
            handler.stream.close()


def set_up(stream: TextIO | Unblocked) -> None:
    """Sends all log records of this process to ``stream``, and uncaught exceptions too."""
    terminal = stream.isatty()
    handler = logging.StreamHandler(stream)
    handler.addFilter(Flood())
    handler.setFormatter(ForReading() if terminal else JsonLine())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    # On a terminal the start was already announced.
    _log.setLevel(logging.WARNING if terminal else logging.INFO)
    logging.raiseExceptions = False  # when a message cannot be written, its content is not printed
    sys.excepthook = _uncaught


class Flood(logging.Filter):
    """Lets the first MOST records of one message through in each second. The next one after that says how many were
    dropped.

    When the disk is full or the bank is down, thousands of orders fail at once for the same reason.
    """

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[tuple[str, str], tuple[int, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        key, second = (record.name, str(record.msg)), int(record.created)
        began, count = self._seen.get(key, (second, 0))
        if began != second:
            record.left_out = count - MOST if count > MOST else None
            began, count = second, 0
        self._seen[key] = (began, count + 1)
        return count < MOST


class JsonLine(logging.Formatter):
    """One JSON object: at, level, logger, message, the fields, and of an exception error, caused_by and code."""

    def format(self, record: logging.LogRecord) -> str:
        return _encode(told(record)).decode()


class ForReading(logging.Formatter):
    """The same on a line: ``12:00:01 WARNING a mail was not sent (order_id=…)``."""

    def format(self, record: logging.LogRecord) -> str:
        said = told(record)
        time, level, message = said.pop("at")[11:19], said.pop("level"), said.pop("message")
        rest = ", ".join(f"{name}={value}" for name, value in said.items() if name not in {"logger", "trace_id"})
        return f"{time} {level} {message}" + (f" ({rest})" if rest else "")


def told(record: logging.LogRecord) -> dict[str, str]:
    """The fields that are logged of a record."""
    said = {
        "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": record.levelname,
        "logger": record.name,
        "message": _message(record),
    }
    said |= {name: str(value) for name in FIELDS if (value := getattr(record, name, None)) is not None}
    if trace := trace_id(said.get("order_id", "")):
        said["trace_id"] = trace
    if record.exc_info and record.exc_info[1] is not None:
        said |= _exception(record.exc_info[1])
    return said


def _message(record: logging.LogRecord) -> str:
    if record.name.partition(".")[0] == "expediter":
        return record.getMessage()
    template = str(record.msg).strip().partition("\n")[0]
    given = record.args if isinstance(record.args, tuple) else ()
    shown = tuple(value if isinstance(value, int | float) else _LEFT_OUT for value in given)
    try:
        return template % shown if shown else template
    except (TypeError, ValueError):  # the arguments do not fit the first line
        return template


def _exception(error: BaseException) -> dict[str, str]:
    causes = [type(cause).__name__ for cause in _causes(error)]
    frames = list(traceback.walk_tb(error.__traceback__))[: -FRAMES - 1 : -1]
    code = " < ".join(f"{_module(it.f_code.co_filename)}:{line} {it.f_code.co_name}" for it, line in frames)
    fields = {"error": type(error).__name__, "caused_by": ", ".join(causes), "code": code}
    return {name: value for name, value in fields.items() if value}


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen = {error}
    while (cause := error.__cause__ or (None if error.__suppress_context__ else error.__context__)) and (
        cause not in seen
    ):
        yield cause
        seen.add(cause)
        error = cause


def _module(file: str) -> str:
    """The path of the file below the folder of installed packages. The folder itself says nothing to a reader."""
    path = Path(file)
    return str(path.relative_to(_SITE)) if path.is_relative_to(_SITE) else path.name


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if isinstance(error, KeyboardInterrupt):
        return
    _log.critical("the process ends because of an unexpected error", exc_info=(kind, error, trace))
