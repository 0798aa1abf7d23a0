"""Datasets in several objects: which ones, from a listing, an S3 inventory or the manifest of an Athena UNLOAD.

Sources: "ItemReader (Map)" (AWS developer guide), and "Amazon S3 Inventory list",
https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-location.html
"""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import msgspec

from expediter.asl.protocol import Json
from expediter.asl.states.datasets.formats import content_of, reader_failure


class Located(NamedTuple):
    """Where an object is."""

    bucket: str
    key: str

    def source(self) -> str:
        """What the context object names the source of an item."""
        return f"S3://{self.bucket}/{self.key}" if self.key else f"S3://{self.bucket}"


class Listed(NamedTuple):
    """The objects that a dataset consists of, and the columns of an inventory."""

    objects: list[Located]
    columns: list[str]


#: From what was asked of the store, and its answer, to the objects to read.
Listing: TypeAlias = Callable[[Located, Json], Listed]


def entries_of(answer: Json) -> list[Json]:
    """The answer to ``s3:listObjectsV2``: the array of its entries."""
    if not isinstance(answer, list):
        raise reader_failure("The listing of objects is not an array.")
    return answer


def prefix(asked: Located, answer: Json) -> Listed:
    """LOAD_AND_FLATTEN: the objects that a listing names. What the console makes for a folder holds no items."""
    keys = [entry.get("Key") for entry in entries_of(answer) if isinstance(entry, dict)]
    return Listed([Located(asked.bucket, key) for key in keys if isinstance(key, str) and not key.endswith("/")], [])


class _File(msgspec.Struct):
    key: str


class _Inventory(msgspec.Struct, rename="camel"):
    destination_bucket: str
    file_format: str
    file_schema: str
    files: list[_File]


def inventory(asked: Located, answer: Json) -> Listed:
    """The files of an S3 inventory in CSV, and their columns."""
    try:
        found = msgspec.json.decode(content_of(answer, asked.key), type=_Inventory)
    except msgspec.MsgspecError as error:
        raise reader_failure(f"The object is not the manifest of an S3 inventory: {error}") from error
    if found.file_format != "CSV":
        raise reader_failure(f"The files of an S3 inventory must be CSV and are {found.file_format}.")
    bucket = found.destination_bucket.rpartition(":")[2]
    columns = [name.strip() for name in found.file_schema.split(",")]
    return Listed([Located(bucket, file.key) for file in found.files], columns)


def athena(asked: Located, answer: Json) -> Listed:
    """The objects that an UNLOAD of Athena wrote: one address a line."""
    lines = content_of(answer, asked.key).decode("utf-8", "replace").splitlines()
    return Listed([_address(line.strip().strip('"')) for line in lines if line.strip()], [])


def _address(text: str) -> Located:
    scheme, _, place = text.partition("://")
    bucket, _, key = place.partition("/")
    if scheme.lower() != "s3" or not bucket or not key:
        raise reader_failure(f"The manifest holds a line that is not the address of an object: {text[:200]}")
    return Located(bucket, key)
