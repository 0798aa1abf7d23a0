"""The outages of the store: while there is one, no order is accepted."""

from enum import StrEnum


class Outage(StrEnum):
    FILE_DAMAGED = "FILE_DAMAGED"
    """The file holds something that cannot be what was written. It stays so until somebody repairs it."""
    FILE_REPLACED = "FILE_REPLACED"
    """The file was removed, or another one is in its place: what is written goes into a file without a name. It
    stays so until the server starts again."""
    FILE_UNWRITABLE = "FILE_UNWRITABLE"
    """Nothing can be written: the disk is full or fails, or the folder is read-only. It ends by itself."""
    FILE_LOCKED = "FILE_LOCKED"
    """Another program has locked the file, and nothing can be written meanwhile. It ends by itself."""
