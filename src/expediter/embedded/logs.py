"""What the server logs on stderr: one JSON object a line, or a line for reading where stderr is a terminal.

Nothing personal gets into a log, whatever happens. So these are the rules:

- a message of ours is a fixed sentence; ids and words of ours come as fields (``extra={"order_id": …}``);
- of an exception its class, the classes that caused it and the lines of code are told, never its text: that may quote
  what a customer wrote;
- of a message of somebody else's library its first line is told, with every text that was put into it left out.
"""

import logging
import sys
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TextIO

import msgspec

from expediter.app.operator.traces import trace_id

#: What a message of ours may carry besides its text.
FIELDS = ("order_id", "call", "mail", "alert", "outage", "locked_by", "left_out")
#: Records of one message that are told in a second.
MOST = 20
#: Lines of code that are told of an exception, the innermost first.
FRAMES = 12
_LEFT_OUT = "…"
_SITE = Path(__file__).parents[2]

_log = logging.getLogger("expediter")
_encode = msgspec.json.Encoder().encode


def set_up(stream: TextIO) -> None:
    """Has everything in this process logged to ``stream``, uncaught exceptions too."""
    terminal = stream.isatty()
    handler = logging.StreamHandler(stream)
    handler.addFilter(Flood())
    handler.setFormatter(ForReading() if terminal else JsonLine())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    # Who sits before a terminal was greeted already.
    _log.setLevel(logging.WARNING if terminal else logging.INFO)
    logging.raiseExceptions = False  # a message that cannot be written is not told with its insides
    sys.excepthook = _uncaught


class Flood(logging.Filter):
    """Lets the first MOST records of one message through in each second; the next one after says how many it left out.

    A disk that is full or a bank that is down concerns thousands of orders at once, and says nothing new with each.
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
    """What is told of a record, as fields."""
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
    except (TypeError, ValueError):  # a number was expected where a text came, or the first line has not all of them
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
    """The file below where it was installed: where that is belongs to the machine."""
    path = Path(file)
    return str(path.relative_to(_SITE)) if path.is_relative_to(_SITE) else path.name


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if isinstance(error, KeyboardInterrupt):
        return
    _log.critical("the process ends because of an error that nobody foresaw", exc_info=(kind, error, trace))
