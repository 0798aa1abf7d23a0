"""ResultWriter: files in the store with a manifest, or the results in another shape."""

import json
from typing import Any

import pytest

from expediter.asl import DefinitionInvalid, parse
from tests.asl.helpers import run_state

PUT = "arn:aws:states:::s3:putObject"
WORK = {"StartAt": "Work", "States": {"Work": {"Type": "Task", "Resource": "Work", "End": True}}}
DISTRIBUTED = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
PLACE = {"Resource": PUT, "Parameters": {"Bucket": "out", "Prefix": "jobs"}}
ANSWERS = {"Work": [{"result": [1, 2]}, {"failed": True, "error": "Broken", "cause": "as told"}, {"result": 3}]}


def written(writer: Any, answers: Any = None) -> Any:
    state = {
        "Type": "Map",
        "MaxConcurrency": 1,
        "ToleratedFailureCount": 1,
        "ItemProcessor": {**WORK, **DISTRIBUTED},
        "ResultWriter": writer,
        "Label": "Items",
    }
    return run_state(state, ["a", "b", "c"], mocks=ANSWERS if answers is None else answers)


def test_the_results_are_written_by_status_and_the_manifest_last() -> None:
    done = written(PLACE)
    place = done.output["ResultWriterDetails"]
    files = done.written["out"]
    manifest = json.loads(files[place["Key"]])
    folder = place["Key"].removesuffix("manifest.json")

    assert list(files) == [f"{folder}SUCCEEDED_0.json", f"{folder}FAILED_0.json", f"{folder}manifest.json"]
    assert place["Bucket"] == "out"
    assert folder.startswith("jobs/")
    assert manifest == {
        "DestinationBucket": "out",
        "MapRunArn": done.output["MapRunArn"],
        "ResultFiles": {
            "FAILED": [{"Key": f"{folder}FAILED_0.json", "Size": len(files[f"{folder}FAILED_0.json"])}],
            "PENDING": [],
            "SUCCEEDED": [{"Key": f"{folder}SUCCEEDED_0.json", "Size": len(files[f"{folder}SUCCEEDED_0.json"])}],
        },
    }


def test_without_a_transformation_each_execution_is_told_of() -> None:
    done = written(PLACE)
    files = {key.rpartition("/")[2]: json.loads(text) for key, text in done.written["out"].items()}
    first, _ = files["SUCCEEDED_0.json"]
    (failed,) = files["FAILED_0.json"]

    assert first["Output"] == "[1,2]"
    assert first["Input"] == '"a"'
    assert first["Status"] == "SUCCEEDED"
    assert first["RedriveStatus"] == "NOT_REDRIVABLE"
    assert first["ExecutionArn"].endswith(first["Name"])
    assert first["StateMachineArn"].endswith("/Items")
    assert first["StartDate"] == first["StopDate"] == "2026-01-01T00:00:00.000Z"
    assert (failed["Status"], failed["Error"], failed["Cause"]) == ("FAILED", "Broken", "as told")


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({"Transformation": "COMPACT", "OutputType": "JSON"}, "[[1,2],3]"),
        ({"Transformation": "FLATTEN", "OutputType": "JSON"}, "[1,2,3]"),
        ({"Transformation": "COMPACT", "OutputType": "JSONL"}, "[1,2]\n3"),
        ({"Transformation": "FLATTEN", "OutputType": "JSONL"}, "1\n2\n3"),
    ],
)
def test_a_transformation_shapes_what_is_written(config: Any, text: str) -> None:
    done = written({**PLACE, "WriterConfig": config})

    assert [value for key, value in done.written["out"].items() if "SUCCEEDED" in key] == [text]


def test_without_a_store_the_transformed_results_are_the_result() -> None:
    answers = {"Work": [{"result": [1, 2]}, {"result": []}, {"result": 3}]}

    flat = written({"WriterConfig": {"Transformation": "FLATTEN"}}, answers)
    told = written({"WriterConfig": {"Transformation": "NONE"}}, answers)
    lines = written({"WriterConfig": {"OutputType": "JSONL"}}, answers)

    assert flat.output == [1, 2, 3]
    assert [record["Output"] for record in told.output] == ["[1,2]", "[]", "3"]
    assert lines.output == "[1,2]\n[]\n3"
    assert flat.written == {}


def test_a_failed_execution_is_listed_with_every_transformation() -> None:
    *outputs, failed = written({"WriterConfig": {"Transformation": "COMPACT"}}).output

    assert outputs == [[1, 2], 3]
    assert (failed["Status"], failed["Error"]) == ("FAILED", "Broken")


def test_nothing_to_write_is_a_manifest_alone() -> None:
    state = {"Type": "Map", "ItemProcessor": {**WORK, **DISTRIBUTED}, "ResultWriter": PLACE}

    assert [key.rpartition("/")[2] for key in run_state(state, []).written["out"]] == ["manifest.json"]


def test_a_store_that_cannot_be_written_to_is_a_failure_of_the_writer() -> None:
    done = written(PLACE, {**ANSWERS, PUT: [{"result": {}}, {"failed": True, "error": "S3", "cause": "full"}]})

    assert (done.error, done.cause) == ("States.ResultWriterFailed", "full")


def test_an_empty_writer_is_taken_and_fails_when_it_runs() -> None:
    done = written({})

    assert done.error == "States.Runtime"
    assert str(done.cause).endswith("The ResultWriter field cannot be empty.")


@pytest.mark.parametrize(
    ("writer", "words"),
    [
        ({**PLACE, "WriterConfig": {"Transformation": "SHUFFLE"}}, "must be one of NONE, COMPACT, FLATTEN"),
        ({**PLACE, "WriterConfig": {"OutputType": "CSV"}}, "must be one of JSON, JSONL"),
        ({**PLACE, "WriterConfig": {"Form": 1}}, "Field 'Form' is not supported"),
        ({"Resource": "arn:aws:states:::s3:getObject", "Parameters": {}}, "is not recognized"),
        ({"Parameters": {"Bucket": "b"}}, "Resource"),
    ],
)
def test_a_writer_that_aws_does_not_have_is_refused(writer: Any, words: str) -> None:
    state = {"Type": "Map", "ItemProcessor": {**WORK, **DISTRIBUTED}, "ResultWriter": writer, "End": True}

    with pytest.raises(DefinitionInvalid, match=words):
        parse({"StartAt": "M", "States": {"M": state}})
