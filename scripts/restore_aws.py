"""Gives a stage the tables that it had at one instant: scripts/restore_aws.py prod 2026-11-30T12:00:00Z

Then deploy, and run it once more with `--go-on`. docs/how-to/aws-restore.md says what it does and why in this order.
It was rehearsed on moto (tests/aws/test_restore.py); it has not been run on a real account by us.
"""

import json
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypeAlias

import boto3

from expediter.asl.protocol import Json
from expediter.aws.stores.tables import TABLES, Table
from expediter.aws.workflows import ID

ROOT = Path(__file__).parents[1]
#: Seconds between two looks whether the tables are there: a restore takes minutes to hours.
PAUSE = 15
#: What an execution may have been when the tables were left as they were then.
Status: TypeAlias = Literal["RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"]
STATES: tuple[Status, ...] = ("RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")


class RestoreRefused(Exception):
    """There is nothing to restore from, or not of that instant. The message says why; nothing was changed."""


class Restore:
    """The restore of a stage's tables. ``file``: where the stack looks which tables it has."""

    def __init__(self, stage: str, instant: datetime, file: Path, pause: float = PAUSE) -> None:
        self._stack = f"Orders-{stage}"
        self._instant, self._file, self._pause = instant, file, pause
        self._dynamodb, self._lambda = boto3.client("dynamodb"), boto3.client("lambda")
        self._states = boto3.client("stepfunctions")
        (found,) = boto3.client("cloudformation").describe_stacks(StackName=self._stack)["Stacks"]
        self._outputs = {it["OutputKey"]: it["OutputValue"] for it in found["Outputs"]}

    # ── the tables ────────────────────────────────────────────────────────────────────────────────────────────────

    def tables(self) -> None:
        """Stops what writes, restores every table, and writes down which they are. Raises RestoreRefused."""
        for table in TABLES:
            self._check(self._source(table))
        self._enable(False)
        for table in TABLES:
            self._dynamodb.restore_table_to_point_in_time(
                SourceTableName=self._source(table), TargetTableName=self._target(table), RestoreDateTime=self._instant
            )
        for table in TABLES:
            self._wait(self._target(table))
            self._finish(table)
        found = {str(table.name): self._described(table) for table in TABLES}
        self._file.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")

    def _source(self, table: Table) -> str:
        return str(self._outputs[f"{table.name.capitalize()}Table"])

    def _target(self, table: Table) -> str:
        return f"{self._stack}-{table.name}-{self._instant:%Y%m%dT%H%M%S}"

    def _check(self, table: str) -> None:
        found = self._dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
        kept = found["PointInTimeRecoveryDescription"]
        first, last = kept.get("EarliestRestorableDateTime"), kept.get("LatestRestorableDateTime")
        if first is None or last is None or not first <= self._instant <= last:
            raise RestoreRefused(f"{table} can be restored from {first} to {last}, and not to {self._instant}.")

    def _wait(self, table: str) -> None:
        while self._dynamodb.describe_table(TableName=table)["Table"]["TableStatus"] != "ACTIVE":
            time.sleep(self._pause)

    def _finish(self, table: Table) -> None:
        """What a restore leaves out: the stream, the time to live, the recovery, the protection."""
        name = self._target(table)
        if table.stream:
            self._dynamodb.update_table(
                TableName=name, StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
            )
            self._wait(name)
        if table.expires:
            self._dynamodb.update_time_to_live(
                TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": table.expires}
            )
        self._dynamodb.update_continuous_backups(
            TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )
        source = self._dynamodb.describe_table(TableName=self._source(table))["Table"]
        if source.get("DeletionProtectionEnabled"):
            self._dynamodb.update_table(TableName=name, DeletionProtectionEnabled=True)
            self._wait(name)

    def _described(self, table: Table) -> dict[str, str]:
        found = self._dynamodb.describe_table(TableName=self._target(table))["Table"]
        return {"arn": found["TableArn"], **({"stream": found["LatestStreamArn"]} if table.stream else {})}

    # ── the orders ────────────────────────────────────────────────────────────────────────────────────────────────

    def go_on(self) -> int:
        """After the deployment: walks again the orders that were under way at the instant or came later, and only then
        lets the queues and streams go on. How many orders they are."""
        walked = 0
        for execution in self._later():
            if execution["status"] == "RUNNING":
                self._states.stop_execution(executionArn=execution["executionArn"], cause="The tables were restored.")
            self._again(execution)
            walked += 1
        self._enable(True)
        return walked

    def _later(self) -> Iterator[Json]:
        """The executions that wrote after the instant, one for each order that is not walked again yet."""
        seen = {one["name"][:ID] for one in self._executions() if one["name"].endswith(self._suffix())}
        for execution in self._executions():
            order_id, ended = execution["name"][:ID], execution.get("stopDate")
            if order_id not in seen and not (ended and ended <= self._instant):
                seen.add(order_id)
                yield execution

    def _executions(self) -> Iterator[Json]:
        for status in STATES:
            pages = self._states.get_paginator("list_executions").paginate(
                stateMachineArn=self._outputs["StateMachine"], statusFilter=status
            )
            for page in pages:
                yield from page["executions"]

    def _again(self, execution: Json) -> None:
        given = self._states.describe_execution(executionArn=execution["executionArn"])["input"]
        name = execution["name"][:ID] + self._suffix()
        self._states.start_execution(stateMachineArn=self._outputs["LiveStateMachine"], name=name, input=given)

    def _suffix(self) -> str:
        return f"-{self._instant:%Y%m%dT%H%M%S}"

    # ── what has functions called ─────────────────────────────────────────────────────────────────────────────────

    def _enable(self, on: bool) -> None:
        """Streams first when it goes on, queues first when it stops."""
        pages = boto3.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=self._stack)
        kind = "AWS::Lambda::EventSourceMapping"
        found = [it for page in pages for it in page["StackResourceSummaries"] if it["ResourceType"] == kind]
        mappings = [self._lambda.get_event_source_mapping(UUID=it["PhysicalResourceId"]) for it in found]
        for mapping in sorted(mappings, key=lambda it: (":dynamodb:" not in it["EventSourceArn"]) is on):
            self._lambda.update_event_source_mapping(UUID=mapping["UUID"], Enabled=on)


def main(arguments: list[str]) -> int:
    stage, at, *rest = arguments
    instant = datetime.fromisoformat(at).astimezone(UTC)
    restore = Restore(stage, instant, ROOT / f"infra/restored-{stage}.json")
    if rest == ["--go-on"]:
        print(f"{restore.go_on()} orders are walked again; the queues and streams go on.")
        return 0
    try:
        restore.tables()
    except RestoreRefused as error:
        print(error, file=sys.stderr)
        return 1
    print(f"The tables are there. Deploy Orders-{stage}, then run this again with --go-on.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
