"""Removes the bytes of erased customers from the files, where SQLite alone leaves them.

SQLite overwrites a deleted row with zeros when it writes the row's page anyway (``secure_delete=fast``). It leaves
pages that became free as a whole, and the log. So free pages are filled with zeros, a megabyte in each unit of work,
and given back; then the log is moved into the file and truncated.
"""

import asyncio

from expediter.embedded.sqlite.checkpoints import Checkpoints
from expediter.embedded.sqlite.session import Session, Statements, one
from expediter.embedded.sqlite.writer import Writer

#: Free pages that one unit fills.
PAGES = 256

_SQL = Statements("scrub")


class Scrub:
    def __init__(self, writing: Session, writer: Writer, checkpoints: Checkpoints) -> None:
        self._writing = writing
        self._writer = writer
        self._checkpoints = checkpoints
        self._one_at_a_time = asyncio.Lock()

    async def run(self) -> None:
        """Returns when it is done. While a reader (a backup) needs the log, it is truncated later.

        Raises StoreUnavailable or TooBusy; then erase again.
        """
        async with self._one_at_a_time:
            while await self._writer.run("scrub", self._fill):
                pass
            while await self._writer.run("scrub", self._empty):
                pass
            emptied = self._checkpoints.empty()
            await self._writer.run("scrub", lambda: None)
            await emptied

    def _fill(self) -> bool:
        """Inside a unit: covers some free pages; False when there are none."""
        free, size = one(self._writing, _SQL["free_pages"])
        if free:
            self._writing.rows(_SQL["fill"], (whole_pages(min(free, PAGES), size),))
        return bool(free)

    def _empty(self) -> bool:
        """Inside a unit: gives the pages of one fill back; False when there are none."""
        return self._writing.row(_SQL["empty_one"]) is not None


def whole_pages(pages: int, size: int) -> int:
    """The length of a blob whose row fills that many overflow pages to their last byte.

    Of a row too long for its page, SQLite keeps ``least`` bytes there when the rest fills overflow pages exactly, each
    with a pointer of 4 bytes. Source: https://www.sqlite.org/fileformat2.html#b_tree_pages
    """
    least = (size - 12) * 32 // 255 - 23
    payload = least + pages * (size - 4)
    # The header: its own length, NULL for the rowid, and the blob's length, doubled, as a varint of 7 bits a byte.
    return next(length for bytes_ in range(1, 6) if _digits(length := payload - 2 - bytes_) == bytes_)


def _digits(length: int) -> int:
    """Bytes of the varint of a blob's serial type."""
    return -(-(2 * length + 12).bit_length() // 7)
