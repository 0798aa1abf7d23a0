"""Files that hold orders, names or secrets: only their owner may read or write them, whatever umask and folder say."""

import os
import stat
from collections.abc import Iterable
from pathlib import Path

#: Read and write for the owner, nothing for anybody else.
OWNER_ONLY = 0o600


def make_private(file: Path) -> Path:
    """Makes the file, empty, where there is none, and takes it from everybody but its owner. Raises OSError."""
    os.close(os.open(file, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, OWNER_ONLY))
    close_to_others((file,))
    return file


def close_to_others(files: Iterable[Path]) -> None:
    """Takes those of the files that are there from everybody but their owner. Raises OSError."""
    for file in files:
        if file.exists() and stat.S_IMODE(file.stat().st_mode) != OWNER_ONLY:
            file.chmod(OWNER_ONLY)
