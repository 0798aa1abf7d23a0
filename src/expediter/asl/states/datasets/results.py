"""ResultWriter: the results of a Map Run as files in a store, or in another shape as the state's result.

Source: "ResultWriter (Map)", https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html
"""

from typing import NamedTuple

from expediter.asl.errors import StateFailure
from expediter.asl.execution import Group
from expediter.asl.protocol import Json
from expediter.asl.states.state import Arguments
from expediter.asl.texts import json_text

PUT = "arn:aws:states:::s3:putObject"


class ResultWriter(NamedTuple):
    """``resource`` empty: the results are the state's result, transformed; ``transformation`` empty too: a mistake.

    ``transformation``: NONE (with what is known of each child execution), COMPACT (their outputs) or FLATTEN (arrays
    among the outputs by their members). ``lines``: as JSON Lines.
    """

    resource: str
    arguments: Arguments
    transformation: str
    lines: bool

    def result(self, group: Group) -> Json:
        """The state's result, where nothing is written to the store. Failed executions are listed as with NONE."""
        told = [*self._succeeded(group), *_records(group, "FAILED")]
        return self._text(told) if self.lines else told

    def files(self, group: Group, place: str, bucket: Json, map_run: str) -> list[tuple[str, str]]:
        """Key and text of each file, the manifest last. ``place``: what their keys begin with."""
        parts = {"SUCCEEDED": self._succeeded(group), "FAILED": _records(group, "FAILED")}
        files = {status: (f"{place}{status}_0.json", self._text(part)) for status, part in parts.items() if part}
        listed = {
            status: [{"Key": files[status][0], "Size": len(files[status][1].encode())}] if status in files else []
            for status in ("FAILED", "PENDING", "SUCCEEDED")
        }
        manifest = {"DestinationBucket": bucket, "MapRunArn": map_run, "ResultFiles": listed}
        return [*files.values(), (f"{place}manifest.json", json_text(manifest))]

    def _succeeded(self, group: Group) -> list[Json]:
        if self.transformation == "NONE":
            return _records(group, "SUCCEEDED")
        failed = set(group.failed)
        outputs = [output for index, output in enumerate(group.results) if index not in failed]
        if self.transformation == "COMPACT":
            return outputs
        return [member for output in outputs for member in (output if isinstance(output, list) else [output])]

    def _text(self, part: list[Json]) -> str:
        return "\n".join(map(json_text, part)) if self.lines else json_text(part)


def _records(group: Group, status: str) -> list[Json]:
    return [record for record in group.records if record is not None and record["Status"] == status]


def started(execution: str, label: str, given: Json, at: str) -> Json:
    """What is known of a child execution when it begins. ``execution``: its ARN; ``label``: what names the Map Run."""
    machine, _, name = execution.replace(":execution:", ":stateMachine:").rpartition(":")
    return {
        "ExecutionArn": execution,
        "Input": json_text(given),
        "InputDetails": {"Included": True},
        "Name": name,
        "StartDate": at,
        "StateMachineArn": f"{machine}/{label}",
    }


def ended(record: Json, at: str, output: Json, failure: StateFailure | None) -> Json:
    """What is known of a child execution when it has ended."""
    told = {**record, "RedriveCount": 0, "StopDate": at}
    if failure is None:
        reason = "Execution is SUCCEEDED and cannot be redriven"
        redrive = {"RedriveStatus": "NOT_REDRIVABLE", "RedriveStatusReason": reason}
        result = {"Output": json_text(output), "OutputDetails": {"Included": True}, "Status": "SUCCEEDED"}
        return {**told, **redrive, **result}
    return {**told, "RedriveStatus": "REDRIVABLE", "Error": failure.error, "Cause": failure.cause, "Status": "FAILED"}
