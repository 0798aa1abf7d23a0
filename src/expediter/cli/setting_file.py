"""Reads settings from files. The environment wins over them.

expediter.env         lines of NAME=VALUE, which systemd's EnvironmentFile and Compose's env_file read the same way
EXPEDITER_TOKEN_FILE  names a file whose content is EXPEDITER_TOKEN, as secrets of Docker, Kubernetes and systemd are;
                      every setting has such a variant
"""

import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from expediter.cli.files import whole_text

#: The file that is read when none is named, if it exists.
USUAL = Path("expediter.env")
_NAMED = "EXPEDITER_SETTINGS"
_VARIANT = "_FILE"
_LINE = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)=(?P<value>.*)")
_SINGLE = re.compile(r"'(?P<value>[^']*)'")
#: Systemd and Compose read escapes, dollar signs and comments differently, except in single quotes.
_DOUBLE = re.compile(r'"(?P<value>[^"\\$`]*)"')
_PLAIN = re.compile(r"(?P<value>(?!\s)[^'\"\\$`#]*)")


class Given(NamedTuple):
    """A setting's value, and its source in words."""

    value: str
    source: str


class SettingsUnreadable(Exception):
    """A file of settings cannot be read. The message says where and what to do."""


def gathered(environment: Mapping[str, str], named: Path | None = None) -> dict[str, Given]:
    """The settings EXPEDITER_* and OTEL_* by their names, from the environment, then from the file.

    ``named``: the file of settings, else EXPEDITER_SETTINGS names it, else it is ``expediter.env`` where there is one.
    Raises SettingsUnreadable.
    """
    named = named or (Path(environment[_NAMED]) if environment.get(_NAMED) else None)
    found = {name: Given(value, "environment") for name, value in environment.items() if _is_setting(name)}
    found.pop(_NAMED, None)
    if named or USUAL.exists():
        found = {**of_file(named or USUAL, is_named=named is not None), **found}
    return dict(_with_contents(found))


def of_file(path: Path, *, is_named: bool) -> dict[str, Given]:
    """The settings in a file. Raises SettingsUnreadable, also when another user could have written the file."""
    found: dict[str, Given] = {}
    for number, line in enumerate(_text(path, is_named=is_named).splitlines(), 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        match = _LINE.fullmatch(text)
        if match is None:
            raise SettingsUnreadable(f"{path}, line {number}: give NAME=VALUE, or begin a comment with #.")
        name = match["name"]
        if not _is_setting(name) or name == _NAMED:
            raise SettingsUnreadable(
                f"{path}, line {number}: {name} is not a setting; names begin with EXPEDITER_ or OTEL_."
            )
        if name in found:
            raise SettingsUnreadable(f"{path}, line {number}: {name} is given twice. Keep one of both.")
        found[name] = Given(_value(match["value"], f"{path}, line {number}: {name}"), str(path))
    return found


def _is_setting(name: str) -> bool:
    return name.startswith(("EXPEDITER_", "OTEL_"))


def _value(text: str, place: str) -> str:
    match = _SINGLE.fullmatch(text) or _DOUBLE.fullmatch(text) or _PLAIN.fullmatch(text)
    if match is None:
        raise SettingsUnreadable(f"{place} has a value with quotes, $, \\, ` or #. Put it in single quotes.")
    return match["value"]


def _with_contents(found: Mapping[str, Given]) -> Iterator[tuple[str, Given]]:
    """The settings, with the contents of the files that variants name. Raises SettingsUnreadable."""
    for name, given in found.items():
        if not (name.startswith("EXPEDITER_") and name.endswith(_VARIANT)):
            yield name, given
            continue
        meant = name.removesuffix(_VARIANT)
        if meant in found:
            raise SettingsUnreadable(f"{meant} and {name} are both set. Keep one of both.")
        content = _text(Path(given.value), is_named=True).removesuffix("\n").removesuffix("\r")
        if not content or not content.isprintable():
            raise SettingsUnreadable(f"{name}={given.value}: the file has to hold one line, the value.")
        yield meant, Given(content, f"{given.value} ({name})")


def _text(path: Path, *, is_named: bool) -> str:
    try:
        _refuse_others(path, is_named=is_named)
        return whole_text(path)
    except (OSError, ValueError) as error:
        reason = os.strerror(error.errno or 0) if isinstance(error, OSError) else error
        raise SettingsUnreadable(f"{path} cannot be read: {reason}.") from error


def _refuse_others(path: Path, *, is_named: bool) -> None:
    """Raises SettingsUnreadable for a file with which other users could control the server: one that they may write, or
    one of theirs in the current folder that was not named.

    Raises OSError."""
    found = path.stat()
    if stat.S_IMODE(found.st_mode) & (stat.S_IWGRP | stat.S_IWOTH):
        raise SettingsUnreadable(f"{path} can be written by others. Take that from them: chmod go-w {path}")
    if not is_named and found.st_uid not in (0, os.geteuid()):
        raise SettingsUnreadable(f"{path} is somebody else's. Name it with --settings if you trust it.")
