"""Files that hold orders, names or secrets: only their owner may read or write them, whatever umask and folder say."""

import os
import stat
from collections.abc import Iterable
from pathlib import Path

#: Read and write for the owner, nothing for anybody else.
OWNER_ONLY = 0o600
#: The byte of the ``-shm`` file whose lock lets a connection write (https://www.sqlite.org/walformat.html#locks).
WRITE_LOCK = 120


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


def lock_holders(file: Path) -> str:
    """Who keeps others from writing this database, where the system tells (Linux): ``sqlite3 4711``, else empty."""
    try:
        index = file.with_name(f"{file.name}-shm").stat().st_ino
        held = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    except OSError:
        return ""
    # 1: POSIX  ADVISORY  WRITE 4711 fe:00:2180295 120 120
    writers = {it[4] for it in held if it[3] == "WRITE" and it[5].endswith(f":{index}") and it[6] == str(WRITE_LOCK)}
    return ", ".join(f"{_command(process)} {process}" for process in sorted(writers))


def _command(process: str) -> str:
    try:
        return Path(f"/proc/{process}/comm").read_text().strip()
    except OSError:
        return "process"
