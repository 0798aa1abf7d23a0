"""Reads files that are named on the command line, within limits."""

from codecs import BOM_UTF8
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from expediter.cli.terms import stop

#: Bytes of a line of orders, and of a file that is read as a whole.
LONGEST, LARGEST = 1024 * 1024, 16 * 1024 * 1024


@contextmanager
def lines_of(path: Path) -> Iterator[Iterator[bytes]]:
    """The lines of a file. Of a line that is longer than LONGEST only the beginning is given: one byte more than that.

    Ends the command when it is a device or a pipe, which may never end.
    """
    if not path.is_file():
        stop(f"{path} is not a regular file. Write the orders to a file first.")
    with path.open("rb") as file:

        def lines() -> Iterator[bytes]:
            if file.read(len(BOM_UTF8)) != BOM_UTF8:  # some editors begin a file with it; it is no part of its text
                file.seek(0)
            while line := file.readline(LONGEST + 1):
                yield line
                while len(line) > LONGEST and not line.endswith(b"\n"):
                    line = file.readline(LONGEST + 1)

        yield lines()


def whole_text(path: Path) -> str:
    """The text of a file. Raises ValueError when it is not a regular file, larger than LARGEST, or not UTF-8."""
    if path.exists() and not path.is_file():
        raise ValueError("it is not a regular file")
    with path.open("rb") as file:
        found = file.read(LARGEST + 1)
    if len(found) > LARGEST:
        raise ValueError(f"it is larger than {LARGEST // 1024 // 1024} MiB")
    try:
        return found.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"it is not text in UTF-8 (byte {error.start + 1})") from error
