"""Records which servers run: each writes its address into its data folder and into a list of its user.

So a command of the same user finds the server without its address. A command of another user finds it by the data
folder. A server that was killed leaves its note behind. A reader of the note checks whether the process exists.
"""

import contextlib
import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from expediter.embedded.sqlite.files import make_private

#: The note in the data folder.
NOTE = "server.json"


class Running(msgspec.Struct, frozen=True):
    """A running server: its process, its address on this machine, and its data folder."""

    pid: int
    url: str
    data: str


@contextmanager
def announced(server: Running, environment: Mapping[str, str]) -> Iterator[None]:
    """Records the server until the ``with`` block ends. The server runs also where nothing can be recorded."""
    note, listed = Path(server.data) / NOTE, _listed(server.data, environment)
    with contextlib.suppress(OSError, UnicodeError):  # a path may be no text
        part = make_private(note.with_name(f"{NOTE}.part"))
        part.write_bytes(msgspec.json.encode(server))
        part.replace(note)
        if listed is not None:
            listed.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            listed.unlink(missing_ok=True)
            listed.symlink_to(note)
    try:
        yield
    finally:
        for file in (listed, note):
            if file is not None:
                with contextlib.suppress(OSError):
                    file.unlink(missing_ok=True)


def running_on(data: Path) -> Running | None:
    """The server that runs on this data folder, if there is one."""
    return _read(data.resolve() / NOTE)


def running_of_user(environment: Mapping[str, str]) -> list[Running]:
    """The running servers of this user. Notes of killed servers are removed from the list."""
    folder = _folder(environment)
    found = []
    for listed in sorted(folder.glob("*.json")) if folder is not None else ():
        if (server := _read(listed)) is not None:
            found.append(server)
        else:
            with contextlib.suppress(OSError):
                listed.unlink(missing_ok=True)
    return found


def _read(note: Path) -> Running | None:
    try:
        server = msgspec.json.decode(note.read_bytes(), type=Running)
    except (OSError, msgspec.DecodeError):
        return None
    return server if _is_alive(server.pid) else None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)  # only checks whether there is such a process
    except PermissionError:
        return True  # another user's
    except (OSError, OverflowError):
        return False
    return True


def _listed(data: str, environment: Mapping[str, str]) -> Path | None:
    folder = _folder(environment)
    return folder and folder / f"{hashlib.sha256(os.fsencode(data)).hexdigest()[:16]}.json"


def _folder(environment: Mapping[str, str]) -> Path | None:
    """The user's list (https://specifications.freedesktop.org/basedir-spec/latest/); None: the user has no home."""
    try:
        state = environment.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    except RuntimeError:
        return None
    return Path(state) / "expediter" / "servers"
