"""ItemReader: one object, the objects of a prefix, those of a manifest; objects instead of arrays; what is refused."""

import gzip
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expediter.asl import (
    DefinitionInvalid,
    ScheduleTask,
    Started,
    TaskSucceeded,
    Unanswered,
    advance,
    check_mocks,
    new_execution,
    parse,
)
from expediter.asl.steps import outstanding
from tests.asl.helpers import run_state
from tests.asl.states.datasets.test_formats import parquet_file

KEEP = {"StartAt": "Keep", "States": {"Keep": {"Type": "Pass", "End": True}}}
DISTRIBUTED = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
GET, LIST = "arn:aws:states:::s3:getObject", "arn:aws:states:::s3:listObjectsV2"
TELL = {"value.$": "$$.Map.Item.Value", "index.$": "$$.Map.Item.Index", "source.$": "$$.Map.Item.Source"}


def reading(config: Any, resource: str = GET, **asked: Any) -> dict[str, Any]:
    """A Map that reads its items from a store."""
    reader = {"Resource": resource, "ReaderConfig": config, "Parameters": {"Bucket": "b", **asked}}
    return {"Type": "Map", "ItemReader": reader, "ItemProcessor": {**KEEP, **DISTRIBUTED}}


def test_what_a_store_answers_may_be_prepared_like_any_answer() -> None:
    state = reading({"InputType": "JSON"}, Key="k")
    answers = {GET: [{"result": "[1, 2]"}]}

    assert check_mocks(parse({"StartAt": "M", "States": {"M": {**state, "End": True}}}), answers) == ()
    assert run_state(state, mocks=answers).output == [1, 2]


def test_the_entries_of_an_object_are_items_with_key_and_value() -> None:
    selector = {"key.$": "$$.Map.Item.Key", **TELL}
    state = {"Type": "Map", "ItemsPath": "$.of", "ItemProcessor": KEEP}
    given = {"of": {"web": {"port": 80}, "mail": 25}}

    assert run_state(state, given).output == [{"Key": "web", "Value": {"port": 80}}, {"Key": "mail", "Value": 25}]
    assert run_state({**state, "ItemSelector": selector}, given).output == [
        {"key": "web", "value": {"port": 80}, "index": 0, "source": "STATE_DATA"},
        {"key": "mail", "value": 25, "index": 1, "source": "STATE_DATA"},
    ]


@pytest.mark.parametrize("items", ["{% $states.input.of %}", {"a": "{% $states.input.of.a %}"}])
def test_in_jsonata_a_distributed_map_takes_an_object_and_an_inline_one_does_not(items: Any) -> None:
    state = {"Type": "Map", "QueryLanguage": "JSONata", "Items": items, "ItemProcessor": {**KEEP, **DISTRIBUTED}}

    assert run_state(state, {"of": {"a": 1}}).output == [{"Key": "a", "Value": 1}]
    if isinstance(items, str):
        assert run_state({**state, "ItemProcessor": KEEP}, {"of": {"a": 1}}).error == "States.QueryEvaluationError"


def test_a_distributed_map_in_jsonata_takes_an_input_that_is_an_object() -> None:
    state = {"Type": "Map", "QueryLanguage": "JSONata", "ItemProcessor": {**KEEP, **DISTRIBUTED}}

    assert run_state(state, {"a": 1}).output == [{"Key": "a", "Value": 1}]


def test_a_pointer_selects_the_items_in_an_object_of_the_store() -> None:
    state = reading({"InputType": "JSON", "ItemsPointer": "/inventory/featured", "MaxItems": 2}, Key="k.json")
    stored = {"b": {"k.json": json.dumps({"inventory": {"featured": [1, 2, 3]}})}}

    done = run_state({**state, "ItemSelector": TELL}, objects=stored)

    assert done.output == [
        {"value": 1, "index": 0, "source": "S3://b/k.json"},
        {"value": 2, "index": 1, "source": "S3://b/k.json"},
    ]


def test_an_object_of_the_store_that_holds_an_object_gives_its_entries() -> None:
    assert run_state(reading({"InputType": "JSON"}, Key="k"), objects={"b": {"k": '{"a": 1}'}}).output == [
        {"Key": "a", "Value": 1}
    ]


def test_a_listing_gives_its_entries_and_with_load_and_flatten_what_is_in_the_objects() -> None:
    stored = {"b": {"in/": "", "in/1.json": "[1, 2]", "in/2.json": '{"x": 3}', "out/3.json": "[4]"}}
    flatten = {"InputType": "JSON", "Transformation": "LOAD_AND_FLATTEN"}

    listed = run_state({**reading({}, LIST, Prefix="in/"), "ItemSelector": TELL}, objects=stored)
    loaded = run_state({**reading(flatten, LIST, Prefix="in/"), "ItemSelector": TELL}, objects=stored)

    assert [(item["value"]["Key"], item["source"]) for item in listed.output] == [
        ("in/", "S3://b"),
        ("in/1.json", "S3://b"),
        ("in/2.json", "S3://b"),
    ]
    assert loaded.output == [
        {"value": 1, "index": 0, "source": "S3://b/in/1.json"},
        {"value": 2, "index": 1, "source": "S3://b/in/1.json"},
        {"value": 3, "index": 2, "source": "S3://b/in/2.json"},
    ]


def test_no_more_objects_are_read_than_the_largest_number_of_items_needs() -> None:
    flatten = {"InputType": "JSON", "Transformation": "LOAD_AND_FLATTEN", "MaxItems": 2}

    done = run_state(reading(flatten, LIST), objects={"b": {"1": "[1]", "2": "[2, 3]", "3": "not JSON"}})

    assert done.output == [1, 2]


def test_an_inventory_of_s3_gives_its_rows() -> None:
    manifest = {
        "sourceBucket": "source",
        "destinationBucket": "arn:aws:s3:::lists",
        "fileFormat": "CSV",
        "fileSchema": "Bucket, Key, Size",
        "files": [{"key": "data/1.csv.gz", "size": 1, "MD5checksum": "x"}, {"key": "data/2.csv", "size": 1}],
    }
    stored: dict[str, dict[str, str | bytes]] = {
        "b": {"manifest.json": json.dumps(manifest)},
        "lists": {"data/1.csv.gz": gzip.compress(b'"source","a.csv","10"\n'), "data/2.csv": '"source","b.csv","20"\n'},
    }
    rows = [{"Bucket": "source", "Key": "a.csv", "Size": "10"}, {"Bucket": "source", "Key": "b.csv", "Size": "20"}]

    for config in ({"InputType": "MANIFEST"}, {"ManifestType": "S3_INVENTORY"}):
        assert run_state(reading(config, Key="manifest.json"), objects=stored).output == rows


def test_the_manifest_of_an_unload_by_athena_names_the_objects_to_read() -> None:
    stored: dict[str, dict[str, str | bytes]] = {
        "b": {"q-manifest.csv": "s3://data/1.gz\ns3://data/2\n", "rows.csv": "s3://data/3\n"},
        "data": {
            "1.gz": gzip.compress(b'{"a": 1}\n'),
            "2": '{"a": 2}\n',
            "3": parquet_file([{"a": 3}]),
        },
    }
    config = {"ManifestType": "ATHENA_DATA", "InputType": "JSONL"}

    lines = run_state(reading(config, Key="q-manifest.csv"), objects=stored)
    rows = run_state(reading({**config, "InputType": "PARQUET"}, Key="rows.csv"), objects=stored)

    assert (lines.output, rows.output) == ([{"a": 1}, {"a": 2}], [{"a": 3}])


@pytest.mark.parametrize(
    ("config", "content"),
    [
        ({"InputType": "MANIFEST"}, "[]"),
        ({"InputType": "MANIFEST"}, '{"destinationBucket": "b", "fileFormat": "ORC", "fileSchema": "", "files": []}'),
        ({"ManifestType": "ATHENA_DATA", "InputType": "CSV"}, "http://x/y"),
    ],
)
def test_what_is_no_manifest_is_a_failure_of_the_reader(config: Any, content: str) -> None:
    assert run_state(reading(config, Key="k"), objects={"b": {"k": content}}).error == "States.ItemReaderFailed"


def test_a_negative_number_of_items_by_path_is_a_failure_of_the_reader() -> None:
    state = reading({"InputType": "JSON", "MaxItemsPath": "$.most"}, Key="k")

    done = run_state(state, {"most": -1}, objects={"b": {"k": "[]"}})

    assert (done.error, done.cause) == ("States.ItemReaderFailed", "field MaxItems must be positive")


@pytest.mark.parametrize(
    ("config", "resource", "words"),
    [
        ({"InputType": "JSON", "ItemPointer": "/x"}, GET, "Field 'ItemPointer' is not supported. Did you mean"),
        ({"InputType": "JSON", "Whatever": 1}, GET, "Field 'Whatever' is not supported"),
        ({"InputType": "JSON", "ItemsPointer": "x"}, GET, "must be a JSON Pointer"),
        ({"InputType": "AVRO"}, GET, "must be one of CSV, JSON, JSONL, PARQUET, MANIFEST"),
        ({}, GET, "InputType"),
        ({"InputType": "JSON", "Transformation": "FLATTEN"}, LIST, "must be one of NONE, LOAD_AND_FLATTEN"),
        ({"Transformation": "LOAD_AND_FLATTEN"}, LIST, "InputType"),
        ({"InputType": "JSON", "ManifestType": "ATHENA_DATA"}, GET, "must be one of CSV, JSONL, PARQUET"),
        ({"InputType": "CSV", "ManifestType": "OTHER"}, GET, "must be one of ATHENA_DATA, S3_INVENTORY"),
        ({"InputType": "CSV", "CSVHeaderLocation": "GIVEN", "CSVHeaders": [1]}, GET, "an array of strings"),
    ],
)
def test_a_reader_that_aws_does_not_have_is_refused(config: Any, resource: str, words: str) -> None:
    state = {**reading(config, resource), "End": True}

    with pytest.raises(DefinitionInvalid, match=words):
        parse({"StartAt": "M", "States": {"M": state}})


@pytest.mark.parametrize(
    "more",
    [
        {"ItemReader": reading({"InputType": "JSON"}, Key="k")["ItemReader"]},
        {"ItemBatcher": {"MaxItemsPerBatch": 1}},
        {"ResultWriter": {"WriterConfig": {"Transformation": "FLATTEN"}}},
    ],
)
def test_an_inline_map_neither_reads_nor_batches_nor_writes(more: Any) -> None:
    done = run_state({"Type": "Map", "ItemProcessor": KEEP, **more}, [1])

    assert done.error == "States.Runtime"
    assert str(done.cause).endswith("not supported for INLINE maps")


def test_what_a_map_waits_for_while_it_reads_can_be_asked_again() -> None:
    state = {**reading({"InputType": "JSON", "Transformation": "LOAD_AND_FLATTEN"}, LIST), "End": True}
    machine = parse({"StartAt": "M", "States": {"M": state}})
    execution, (asked,) = advance(machine, new_execution(), Started(at=0, seed=1, input={}))
    answers: list[Any] = [[{"Key": "1"}, {"Key": "2"}], "[1]", "[2]"]
    seen = []

    for answer in answers:
        assert isinstance(asked, ScheduleTask)
        assert outstanding(machine, execution) == (asked,)
        seen.append((asked.resource, asked.input))
        execution, commands = advance(machine, execution, TaskSucceeded(at=1, seed=1, task=asked.task, output=answer))
        asked = commands[0]

    assert seen == [
        (LIST, {"Bucket": "b"}),
        (GET, {"Bucket": "b", "Key": "1"}),
        (GET, {"Bucket": "b", "Key": "2"}),
    ]
    assert execution.output == [1, 2]


ANSWERS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["Key", "Base64", "files", "a"]), inner)
    ),
    max_leaves=8,
)
CONFIGS = st.sampled_from(
    [
        (GET, {"InputType": "JSON"}),
        (GET, {"InputType": "JSON", "ItemsPointer": "/a/0"}),
        (GET, {"InputType": "JSONL"}),
        (GET, {"InputType": "CSV"}),
        (GET, {"InputType": "PARQUET"}),
        (GET, {"InputType": "MANIFEST"}),
        (GET, {"ManifestType": "ATHENA_DATA", "InputType": "CSV"}),
        (LIST, {}),
        (LIST, {"InputType": "CSV", "Transformation": "LOAD_AND_FLATTEN"}),
    ]
)


@given(CONFIGS, st.lists(ANSWERS, min_size=6, max_size=6), st.sampled_from(["k", "k.gz", "k.zst"]))
def test_whatever_a_store_answers_the_map_succeeds_or_its_reader_fails(
    config: tuple[str, Any], answers: list[Any], key: str
) -> None:
    resource, reader = config
    state = reading(reader, resource, Key=key)
    mocks = {name: [{"result": answer} for answer in answers] for name in (GET, LIST)}

    try:
        done = run_state(state, mocks=mocks)
    except Unanswered:
        return

    assert (done.status, done.error) in {("SUCCEEDED", None), ("FAILED", "States.ItemReaderFailed")}, done.cause
