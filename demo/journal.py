"""What a demo provider did, one JSON line per call, written down before it answers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

Line = TypeVar("Line")


class Journal(Generic[Line]):
    """Lines of one shape in ``file``, kept over restarts; without a file nothing is kept."""

    def __init__(self, file: Path | None, shape: type[Line]) -> None:
        if file and file.exists():
            _cut(file)
        self._file = file.open("a+b") if file else None
        self._shape = shape

    def write(self, line: Line) -> None:
        """Safe, once this returns, from the end of any process."""
        if self._file:
            self._file.write(msgspec.json.encode(line) + b"\n")
            self._file.flush()

    def read(self) -> Iterator[Line]:
        """Every line so far."""
        if self._file is None:
            return
        self._file.seek(0)
        for line in self._file:
            yield msgspec.json.decode(line, type=self._shape)

    def close(self) -> None:
        if self._file:
            self._file.close()


def _cut(file: Path) -> None:
    """Takes off the part of a line that a killed process left behind: it was not answered yet."""
    whole = file.read_bytes().rfind(b"\n") + 1
    with file.open("r+b") as writable:
        writable.truncate(whole)
