"""How the content of a stored object is read: compressed, as JSON, JSON Lines, CSV and Parquet."""

import base64
import gzip
import importlib
import io
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet as parquet_files

from expediter.asl.errors import StateFailure
from expediter.asl.states.datasets import formats
from expediter.asl.states.datasets.formats import content_of, csv_dataset, json_dataset, json_lines, parquet


def binary(data: bytes) -> dict[str, str]:
    return {"Base64": base64.b64encode(data).decode()}


def parquet_file(rows: list[dict[str, Any]]) -> bytes:
    written = io.BytesIO()
    parquet_files.write_table(pa.Table.from_pylist(rows), written)
    return written.getvalue()


@pytest.mark.parametrize(
    ("answer", "key"),
    [
        ("a,b", "rows.csv"),
        (binary(b"a,b"), "rows.csv"),
        (binary(gzip.compress(b"a,b")), "rows.csv.gz"),
        (binary(gzip.compress(b"a,") + gzip.compress(b"b")), "rows.csv.GZIP"),
        (binary(pa.compress(b"a,b", codec="zstd", asbytes=True)), "rows.csv.zst"),
    ],
)
def test_an_object_is_decompressed_as_its_key_says(answer: Any, key: str) -> None:
    assert content_of(answer, key) == b"a,b"


@pytest.mark.parametrize(
    ("answer", "key", "words"),
    [
        ([1], "rows", "neither a text nor"),
        ({"Base64": "!"}, "rows", "not Base64"),
        ({"Base64": "é"}, "rows", "not Base64"),
        ("plain", "rows.gz", "cannot be decompressed"),
        (binary(gzip.compress(b"x" * 1_000)[:-9]), "rows.gz", "cannot be decompressed"),
        (binary(b"plain"), "rows.zst", "cannot be decompressed"),
    ],
)
def test_an_object_that_cannot_be_opened_is_a_failure_with_a_reason(answer: Any, key: str, words: str) -> None:
    with pytest.raises(StateFailure, match=words) as failed:
        content_of(answer, key)
    assert failed.value.error == "States.ItemReaderFailed"


def test_an_object_may_not_grow_beyond_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "OBJECT_LIMIT", 100)
    rows = parquet_file([{"text": "x" * 500}])

    with pytest.raises(StateFailure, match="more than 100 bytes"):
        content_of(binary(gzip.compress(b"x" * 10_000)), "rows.gz")
    with pytest.raises(StateFailure, match="more than 100 bytes"):
        parquet(rows)


def test_a_pointer_selects_an_array_or_an_object_in_a_document() -> None:
    document = b'{"inventory": {"featured": [1, {"a/b": {"~": [2]}}], "count": 3}}'

    assert json_dataset("/inventory/featured")(document) == [1, {"a/b": {"~": [2]}}]
    assert json_dataset("/inventory/featured/1/a~1b/~0")(document) == [2]
    assert json_dataset("/inventory")(document).keys() == {"featured", "count"}


@pytest.mark.parametrize(
    ("pointer", "words"),
    [
        ("/no", "does not match any valid path"),
        ("/a/5", "does not match any valid path"),
        ("/n", "non-iterable"),
        ("/a/0", "non-iterable"),
    ],
)
def test_a_pointer_that_leads_nowhere_or_to_one_value_is_a_failure(pointer: str, words: str) -> None:
    with pytest.raises(StateFailure, match=words):
        json_dataset(pointer)(b'{"a": [1], "n": 1}')


def test_lines_of_json_are_items_and_blank_ones_are_none() -> None:
    assert json_lines(b'{"a":1}\n\n2\r\n') == [{"a": 1}, 2]
    with pytest.raises(StateFailure, match="not JSON"):
        json_lines(b"{")


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ('a,b\n"x, y","say ""hi"""\n', [{"a": "x, y", "b": 'say "hi"'}]),
        ("a,b\nC:\\\\x,1\\,5\n", [{"a": "C:\\x", "b": "1,5"}]),
        ('a,b\n"two\nlines",2\n', [{"a": "two\nlines", "b": "2"}]),
        ("\ufeffa,b\n1,2\n", [{"a": "1", "b": "2"}]),
    ],
)
def test_rows_of_csv_are_read_as_aws_reads_them(text: str, rows: list[Any]) -> None:
    assert csv_dataset(None)(text.encode()) == rows


@pytest.mark.parametrize("content", [b"a,a\n1,2\n", b"\xff\xfe\n", b"a\n" + b"x" * 200_000])
def test_csv_that_cannot_be_read_is_a_failure(content: bytes) -> None:
    with pytest.raises(StateFailure):
        csv_dataset(None)(content)


def test_rows_of_parquet_are_items_of_json() -> None:
    first = {"id": 1, "price": Decimal("1.50"), "blob": b"x", "tags": ["a"]}
    rows: list[dict[str, Any]] = [first, {"id": 2, "price": None}]

    assert parquet(parquet_file(rows)) == [
        {"id": 1, "price": "1.50", "blob": "eA==", "tags": ["a"]},
        {"id": 2, "price": None, "blob": None, "tags": None},
    ]
    with pytest.raises(StateFailure, match="not a Parquet file"):
        parquet(b"no")


def test_who_reads_parquet_without_pyarrow_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(importlib, "import_module", missing)

    with pytest.raises(StateFailure, match=r"pip install 'expediter\[parquet\]'") as failed:
        parquet(b"")
    assert failed.value.error == "States.ItemReaderFailed"
