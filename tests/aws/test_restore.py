"""A stage gets the tables that it had at one instant: the script, on moto as far as it goes."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest

from expediter.aws.stores.tables import TABLES, Name
from scripts.restore_aws import Restore, RestoreRefused
from tests.aws.stage import Functions

STACK = "Orders-dev"
#: The one instant that moto lets a table be restored to is when it was told to keep it: the same for all of them here.
THEN = datetime(2026, 11, 30, 12, tzinfo=UTC)
TRUST = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
FUNCTION = {
    "Runtime": "python3.12",
    "Handler": "x.y",
    "Role": {"Fn::GetAtt": ["R", "Arn"]},
    "Code": {"ZipFile": "x"},
}


def resources(queue: str) -> dict[str, Any]:
    trust = {"Version": "2012-10-17", "Statement": [TRUST]}
    made: dict[str, Any] = {
        "R": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust}},
        "F": {"Type": "AWS::Lambda::Function", "Properties": FUNCTION},
    }
    for table in TABLES:
        keys = [("HASH", table.hash), *([("RANGE", table.range)] if table.range else [])]
        made[table.name.capitalize()] = {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "BillingMode": "PAY_PER_REQUEST",
                "KeySchema": [{"AttributeName": name, "KeyType": kind} for kind, name in keys],
                "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for _, name in keys],
                **({"StreamSpecification": {"StreamViewType": "NEW_AND_OLD_IMAGES"}} if table.stream else {}),
            },
        }
    sources = {"Queue": queue, "Mailer": {"Fn::GetAtt": ["Mail", "StreamArn"]}}
    for name, source in sources.items():
        mapping = {"FunctionName": {"Ref": "F"}, "EventSourceArn": source, "StartingPosition": "TRIM_HORIZON"}
        made[f"{name}Mapping"] = {"Type": "AWS::Lambda::EventSourceMapping", "Properties": mapping}
    return made


class Stage:
    """A stack on moto that is deployed, with an order in its table."""

    def __init__(self, functions: Functions, folder: Path) -> None:
        self.file, self.adapters = folder / "restored-dev.json", functions.adapters
        session = functions.adapters.session
        self.dynamodb, self.lambdas = session.client("dynamodb"), session.client("lambda")
        queue = self.adapters.sqs.get_queue_attributes(QueueUrl=self.adapters.queue_url, AttributeNames=["QueueArn"])
        machine = self.adapters.machine
        outputs: dict[str, Any] = {
            f"{table.name.capitalize()}Table": {"Value": {"Ref": table.name.capitalize()}} for table in TABLES
        }
        outputs |= {name: {"Value": machine} for name in ("StateMachine", "LiveStateMachine")}
        template = {"Resources": resources(queue["Attributes"]["QueueArn"]), "Outputs": outputs}
        made = session.client("cloudformation")
        made.create_stack(StackName=STACK, TemplateBody=json.dumps(template))
        (stack,) = made.describe_stacks(StackName=STACK)["Stacks"]
        self.outputs = {it["OutputKey"]: it["OutputValue"] for it in stack["Outputs"]}
        with patch("moto.dynamodb.models.unix_time", THEN.timestamp):
            for table in TABLES:
                self.dynamodb.update_continuous_backups(
                    TableName=self.table(table.name),
                    PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
                )
        self.dynamodb.put_item(TableName=self.table(Name.ORDERS), Item={"user_id": {"S": "ann"}, "id": {"S": "1"}})

    def table(self, name: str) -> str:
        return self.outputs[f"{name.capitalize()}Table"]

    def restore(self, instant: datetime | None = None) -> Restore:
        return Restore("dev", instant or THEN, self.file, pause=0)

    def enabled(self) -> dict[str, bool]:
        mappings = self.lambdas.list_event_source_mappings()["EventSourceMappings"]
        return {it["EventSourceArn"].split(":")[2]: it["State"] == "Enabled" for it in mappings}

    def begin(self, order_id: str, given: str = '{"order": {}}') -> str:
        started = self.adapters.stepfunctions.start_execution(
            stateMachineArn=self.adapters.machine, name=order_id, input=given
        )
        return str(started["executionArn"])

    def executions(self) -> dict[str, str]:
        found = self.adapters.stepfunctions.list_executions(stateMachineArn=self.adapters.machine)["executions"]
        return {it["name"]: it["status"] for it in found}


@pytest.fixture
def stage(functions: Functions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    return Stage(functions, tmp_path)


def test_every_table_is_there_as_it_was_with_what_a_restore_leaves_out(stage: Stage) -> None:
    stage.restore().tables()
    found = json.loads(stage.file.read_text())
    assert found.keys() == {table.name for table in TABLES}
    for table in TABLES:
        name = found[table.name]["arn"].rpartition("/")[2]
        made = stage.dynamodb.describe_table(TableName=name)["Table"]
        assert name not in stage.outputs.values()
        assert found[table.name].get("stream") == (made.get("LatestStreamArn") if table.stream else None)
        expires = stage.dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        assert expires.get("AttributeName") == table.expires
        kept = stage.dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
        assert kept["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    rows = stage.dynamodb.scan(TableName=found[Name.ORDERS]["arn"].rpartition("/")[2])["Items"]
    assert rows == [{"user_id": {"S": "ann"}, "id": {"S": "1"}}]


def test_nothing_writes_from_the_restore_until_the_orders_go_on(stage: Stage) -> None:
    stage.restore().tables()
    assert stage.enabled() == {"sqs": False, "dynamodb": False}
    stage.restore().go_on()
    assert stage.enabled() == {"sqs": True, "dynamodb": True}


def test_an_instant_that_cannot_be_restored_changes_nothing(stage: Stage) -> None:
    with pytest.raises(RestoreRefused, match="can be restored from"):
        stage.restore(datetime.now(UTC) - timedelta(days=1)).tables()
    assert (stage.enabled(), stage.file.exists()) == ({"sqs": True, "dynamodb": True}, False)


def test_orders_under_way_are_walked_again_once_with_the_input_that_they_began_with(stage: Stage) -> None:
    order_id, given = str(uuid4()), '{"order": {"id": "one"}}'
    stage.begin(order_id, given)
    restore = stage.restore()
    assert [restore.go_on(), restore.go_on()] == [1, 0]
    (again,) = stage.executions().keys() - {order_id}
    assert (stage.executions()[order_id], again[:36]) == ("ABORTED", order_id)
    described = stage.adapters.stepfunctions.describe_execution(
        executionArn=f"{stage.adapters.machine.replace(':stateMachine:', ':execution:')}:{again}"
    )
    assert described["input"] == given


def test_an_order_that_had_ended_at_the_instant_is_left_as_it_is(stage: Stage) -> None:
    execution = stage.begin(str(uuid4()))
    stage.adapters.stepfunctions.stop_execution(executionArn=execution)
    assert stage.restore(datetime.now(UTC) + timedelta(minutes=1)).go_on() == 0
