"""From the content of a stored object to the dataset in it: JSON, JSON Lines, CSV and Parquet.

Source: "ItemReader (Map)", https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html
"""

import base64
import csv
import gzip
import importlib
import io
import zlib
from collections.abc import Callable
from types import ModuleType
from typing import TypeAlias

import msgspec

from expediter.asl.errors import StateFailure
from expediter.asl.protocol import Json
from expediter.asl.texts import decode, encode

#: From the content of an object to its items: an array, or an object whose entries are the items.
Format: TypeAlias = Callable[[bytes], Json]

#: The largest object, decompressed, in bytes. AWS takes 10 GB; here all of it is in memory.
OBJECT_LIMIT = 64 * 1024 * 1024
#: What a user installs to read Parquet and Zstandard.
EXTRA = "expediter[parquet]"


def reader_failure(cause: str) -> StateFailure:
    """A StateFailure named States.ItemReaderFailed."""
    return StateFailure("States.ItemReaderFailed", cause)


def content_of(answer: Json, key: str) -> bytes:
    """The bytes of an object from the store's answer (a text, or ``{"Base64": …}``), decompressed as its key says."""
    data = _bytes(answer)
    for suffix, open_stream in _COMPRESSED.items():
        if key.lower().endswith(suffix):
            data = _decompressed(data, open_stream)
    if len(data) > OBJECT_LIMIT:
        raise reader_failure(f"The object has more than {OBJECT_LIMIT} bytes.")
    return data


def _bytes(answer: Json) -> bytes:
    if isinstance(answer, str):
        return answer.encode()
    encoded = answer.get("Base64") if isinstance(answer, dict) else None
    if not isinstance(encoded, str):
        raise reader_failure("The store's answer is neither a text nor an object with Base64.")
    try:
        return base64.b64decode(encoded, validate=True)
    except ValueError as error:  # no Base64 (binascii.Error is one), or not even ASCII
        raise reader_failure("The store's answer is not Base64.") from error


def _decompressed(data: bytes, open_stream: Callable[[bytes], io.BufferedIOBase]) -> bytes:
    try:
        return open_stream(data).read(OBJECT_LIMIT + 1)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise reader_failure(f"The object cannot be decompressed: {error}") from error


def _gzip(data: bytes) -> io.BufferedIOBase:
    return gzip.GzipFile(fileobj=io.BytesIO(data))


def _zstandard(data: bytes) -> io.BufferedIOBase:
    arrow = _arrow("pyarrow", "Zstandard")
    stream: io.BufferedIOBase = arrow.input_stream(arrow.BufferReader(data), compression="zstd")
    return stream


_COMPRESSED: dict[str, Callable[[bytes], io.BufferedIOBase]] = {
    ".gz": _gzip,
    ".gzip": _gzip,
    ".zst": _zstandard,
    ".zstd": _zstandard,
}


def _arrow(module: str, what: str) -> ModuleType:
    """A module of pyarrow, which is installed only for those who read such files."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise reader_failure(f"{what} needs pyarrow: pip install '{EXTRA}'") from error


def json_dataset(pointer: str = "") -> Format:
    """A JSON document, or what a JSON Pointer (RFC 6901) selects in it."""

    def read(content: bytes) -> Json:
        try:
            found = decode(content)
        except (msgspec.DecodeError, RecursionError) as error:
            raise reader_failure("Attempting to map over non-iterable node.") from error
        found = _pointed(found, pointer)
        if not isinstance(found, list | dict):
            raise reader_failure("Attempting to map over non-iterable node.")
        return found

    return read


def _pointed(value: Json, pointer: str) -> Json:
    for token in pointer.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        if isinstance(value, list) and name.isdecimal() and int(name) < len(value):
            value = value[int(name)]
        elif isinstance(value, dict) and name in value:
            value = value[name]
        else:
            cause = "The provided ReaderConfig.ItemsPointer does not match any valid path in the JSON structure."
            raise reader_failure(cause)
    return value


def json_lines(content: bytes) -> Json:
    """One JSON value a line; blank lines are none."""
    try:
        return [decode(line) for line in content.splitlines() if line.strip()]
    except (msgspec.DecodeError, RecursionError) as error:
        raise reader_failure("The JSON Lines object holds a line that is not JSON.") from error


def csv_dataset(headers: list[str] | None, delimiter: str = ",") -> Format:
    r"""Rows of text; ``headers`` None: the first row has them.

    Rows of blanks are rows; a short one is filled up with "", and what exceeds the headers is dropped. A backslash
    keeps the next character as it is.
    """

    def read(content: bytes) -> Json:
        try:
            text = io.StringIO(content.decode("utf-8-sig"), newline="")
            rows = [row for row in csv.reader(text, delimiter=delimiter, escapechar="\\") if row]
        except (csv.Error, UnicodeDecodeError) as error:
            raise reader_failure(f"The object is not CSV: {error}") from error
        if headers is None and not rows:
            return []
        names = rows.pop(0) if headers is None else headers
        if len(set(names)) != len(names):
            raise reader_failure("CSV headers cannot contain duplicates.")
        return [dict(zip(names, [*row, *[""] * len(names)], strict=False)) for row in rows]

    return read


def parquet(content: bytes) -> Json:
    """The rows of a Parquet file. Instants and dates are texts (ISO 8601), decimals texts, binary values Base64."""
    arrow = _arrow("pyarrow.parquet", "InputType PARQUET")
    try:
        file = arrow.ParquetFile(io.BytesIO(content))
        groups = (file.metadata.row_group(number) for number in range(file.metadata.num_row_groups))
        if sum(group.total_byte_size for group in groups) > OBJECT_LIMIT:
            raise reader_failure(f"The object has more than {OBJECT_LIMIT} bytes.")
        return decode(encode(file.read().to_pylist()))
    except (ValueError, TypeError, OSError, NotImplementedError) as error:
        raise reader_failure(f"The object is not a Parquet file that can be read: {error}") from error
