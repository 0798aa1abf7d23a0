"""The stack, up: the template pruned to what moto makes, the functions from the bundle, the workflow as it is."""

import io
import json
import platform
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
import urllib3
from botocore.config import Config

from expediter.aws.functions.table import TASK_FUNCTIONS
from infra.api.openapi import template as mapping
from tests.aws.local.gateway import Call
from tests.aws.stage import record_of
from tests.support.patience import PATIENCE, PAUSE, until

ACCOUNT, REGION = "123456789012", "us-east-1"
#: What moto's CloudFormation makes as it is written; the rest is either none of its types, or made by its API below.
KINDS = {
    "AWS::DynamoDB::Table",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::Lambda::Function",
    "AWS::Logs::LogGroup",
    "AWS::SQS::Queue",
    "AWS::SNS::Topic",
}
#: No call is repeated by itself: a function that is slow to start is not invoked twice.
ONCE = Config(read_timeout=80, retries={"total_max_attempts": 1})
ROOT = Path(__file__).parents[3]
ANN = "a0000000-0000-4000-8000-000000000001"


def pruned(template: Any) -> Any:
    """The template without resources of other kinds, and without what names them."""
    kept = {key: it for key, it in template["Resources"].items() if it["Type"] in KINDS}
    gone = template["Resources"].keys() - kept.keys()
    resources = {}
    for key, it in kept.items():
        if it["Type"] != "AWS::IAM::Policy":
            properties = cut(it["Properties"], gone)
            resources[key] = {"Type": it["Type"], "Properties": properties}
    parameters = {name: it for name, it in template["Parameters"].items() if name != "BootstrapVersion"}
    return {"Resources": resources, "Parameters": parameters, "Conditions": template.get("Conditions", {})}


def cut(value: Any, gone: set[str]) -> Any:
    """The value with the words ``gone`` where it named a resource that is not made."""
    if isinstance(value, list):
        return [cut(one, gone) for one in value]
    if isinstance(value, dict):
        if value.get("Ref") in gone or (value.get("Fn::GetAtt") or [None])[0] in gone:
            return "gone"
        return {key: cut(it, gone) for key, it in value.items()}
    return value


class Town:
    """``outside``: EXPEDITER_ settings that lead to the providers of the test."""

    def __init__(self, template: Any, folder: Path, endpoint: str, **settings: str) -> None:
        self.template = template
        self.folder = folder
        self.endpoint = endpoint
        self._session = boto3.Session("testing", "testing", region_name=REGION)
        self._clients: dict[str, Any] = {}
        self._create(template, settings)
        # The template refers to the state machine that was made by the API.
        for name in ("Intake", "Rest"):
            self.tell(name, state_machine=self.machine)
        self.queue = self._output("MessagesOrders")
        self.dead = self._output("MessagesDeadLetters")
        self.events = self._output("MessagesEvents")
        self.news = self._subscribe()

    def client(self, name: str) -> Any:
        if name not in self._clients:
            made = self._session.client(name, endpoint_url=self.endpoint, config=ONCE)  # type: ignore[call-overload]
            self._clients[name] = made
        return self._clients[name]

    def _create(self, template: Any, settings: dict[str, str]) -> None:
        self.client("secretsmanager").create_secret(Name="gone", SecretString="the restaurant's")
        s3 = self.client("s3")
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as made:
            made.writestr("empty", "the functions run from the bundle itself")
        code = next(it for it in template["Resources"].values() if it["Type"] == "AWS::Lambda::Function")
        bucket = f"cdk-hnb659fds-assets-{ACCOUNT}-{REGION}"
        s3.create_bucket(Bucket=bucket)
        s3.put_object(Bucket=bucket, Key=code["Properties"]["Code"]["S3Key"], Body=archive.getvalue())
        given = [{"ParameterKey": name, "ParameterValue": value} for name, value in settings.items()]
        cloudformation = self.client("cloudformation")
        cloudformation.create_stack(StackName="orders", TemplateBody=json.dumps(pruned(template)), Parameters=given)
        stack = cloudformation.describe_stacks(StackName="orders")["Stacks"][0]
        assert stack["StackStatus"] == "CREATE_COMPLETE", stack
        listed = cloudformation.get_paginator("list_stack_resources").paginate(StackName="orders")
        self.made = {
            it["LogicalResourceId"]: it["PhysicalResourceId"]
            for page in listed
            for it in page["StackResourceSummaries"]
        }
        self._keep_no_concurrency()
        self._make_machine(template)

    def _keep_no_concurrency(self) -> None:
        """moto takes a property without a value (AWS::NoValue) for 0, and that would throttle every call."""
        functions = self.client("lambda")
        for key, it in self.template["Resources"].items():
            if it["Type"] == "AWS::Lambda::Function":
                functions.delete_function_concurrency(FunctionName=self.made[key])

    def _make_machine(self, template: Any) -> None:
        """By the API, with the placeholders filled: moto's CloudFormation leaves them."""
        ((key, machine),) = [
            (key, it["Properties"])
            for key, it in template["Resources"].items()
            if it["Type"] == "AWS::StepFunctions::StateMachine"
        ]
        definition = machine["DefinitionString"].replace("${Partition}", "aws")
        for name in TASK_FUNCTIONS:
            reference = machine["DefinitionSubstitutions"][name]["Ref"]
            version = template["Resources"][reference]["Properties"]
            found = self.client("lambda").get_function(FunctionName=self.made[version["FunctionName"]["Ref"]])
            definition = definition.replace("${" + name + "}", found["Configuration"]["FunctionArn"])
        role = f"arn:aws:iam::{ACCOUNT}:role/{self._output('WorkflowRole')}"
        made = self.client("stepfunctions").create_state_machine(name="orders", definition=definition, roleArn=role)
        self.machine = made["stateMachineArn"]
        self.made[key] = self.machine

    def _output(self, name: str) -> str:
        (found,) = [value for key, value in self.made.items() if key[:-8] == name]
        return str(found)

    def tell(self, name: str, **settings: str) -> None:
        """Sets EXPEDITER_* of the function anew."""
        function = self._output(f"Functions{name}")
        made = self.client("lambda").get_function_configuration(FunctionName=function)
        told = {f"EXPEDITER_{setting.upper()}": value for setting, value in settings.items()}
        variables = {**made["Environment"]["Variables"], **told}
        self.client("lambda").update_function_configuration(FunctionName=function, Environment={"Variables": variables})

    def _subscribe(self) -> str:
        """A queue that hears what the operators' topic says."""
        sqs = self.client("sqs")
        url = sqs.create_queue(QueueName="news")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        self.client("sns").subscribe(TopicArn=self._output("MessagesOperators"), Protocol="sqs", Endpoint=arn)
        return str(url)

    # ── what happens by itself on AWS ─────────────────────────────────────────────────────────────────────────────

    def post(self, body: str, headers: dict[str, str] | None = None, **claims: str) -> dict[str, str]:
        """POST /orders: the template renders the form, SQS takes it, the headers of the answer come back."""
        call = Call(body, headers or {}, {"sub": ANN, **claims}, request_id="c0000000-0000-4000-8000-000000000001")
        form = call.render(mapping("post_order.request.vtl"))
        account, name = urlsplit(self.queue).path.split("/")[1:]
        signed = f"AWS4-HMAC-SHA256 Credential=testing/20260101/{REGION}/sqs/aws4_request"
        answer = urllib3.request(
            "POST",
            f"{self.endpoint}/{account}/{name}",
            body=form.encode(),
            headers={"Content-Type": "application/x-www-form-urlencoded", "Authorization": signed},
            timeout=PATIENCE,
        )
        assert answer.status == 200, answer.data
        assert call.render(mapping("post_order.response.vtl")) == ""
        return call.answer

    def send(self, queue: str, body: bytes, **attributes: str) -> None:
        """A message that no API sent."""
        given: Any = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
        self.client("sqs").send_message(QueueUrl=queue, MessageBody=body.decode(), MessageAttributes=given)

    def invoke(self, name: str, event: Any) -> Any:
        """The function's answer; a failure is ``{"errorType": …, "errorMessage": …}``."""
        body = json.dumps(event, default=str)
        answer = self.client("lambda").invoke(FunctionName=self._output(f"Functions{name}"), Payload=body)
        with closing(answer["Payload"]) as payload:
            return json.loads(payload.read())

    @contextmanager
    def held(self, name: str) -> Iterator[None]:
        """The function does not begin before the block ends."""
        file = self.folder / f"{self._output(f'Functions{name}')}.held"
        file.touch()
        try:
            yield
        finally:
            file.unlink()

    def poll(self) -> int:
        """What Lambda's event sources do once: a batch of each queue to its function. How many messages they were."""
        return self._take("Intake", self.queue) + self._take("Events", self.events)

    def _take(self, function: str, queue: str) -> int:
        """A batch of five to the function, and what did not fail is deleted."""
        sqs = self.client("sqs")
        got = sqs.receive_message(
            QueueUrl=queue,
            MaxNumberOfMessages=5,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["All"],
        ).get("Messages", [])
        if not got:
            return 0
        answer = self.invoke(function, {"Records": list(map(record_of, got))})
        failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        for message in got:
            if message["MessageId"] not in failed:
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return len(got)

    def follow_mail(self) -> None:
        """What the stream of the outbox brings to the mailer, from its start."""
        table, streams = self._output("StoreMail"), self.client("dynamodbstreams")
        arn = self.client("dynamodb").describe_table(TableName=table)["Table"]["LatestStreamArn"]
        (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        start = streams.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")
        records = streams.get_records(ShardIterator=start["ShardIterator"])["Records"]
        plain = [{"eventName": it["eventName"], "dynamodb": it["dynamodb"]} for it in records]
        assert self.invoke("Mailer", {"Records": plain}) == {"batchItemFailures": []}

    # ── what can be seen ──────────────────────────────────────────────────────────────────────────────────────────

    def rest(self, method: str, path: str, user: str = ANN, groups: str = "") -> Any:
        claims = {"sub": user, **({"cognito:groups": groups} if groups else {})}
        event = {"httpMethod": method, "path": path, "requestContext": {"authorizer": {"claims": claims}}}
        answer = self.invoke("Rest", event)
        return answer["statusCode"], json.loads(answer["body"]) if answer["body"] else None

    def ended(self, order_id: str, within: float = PATIENCE, pause: float = PAUSE) -> str:
        """Waits in real time until the order's execution has ended; its status."""
        return until(lambda: self._end(order_id), f"the execution of {order_id} ends", within, pause)

    def _end(self, order_id: str) -> str:
        """How the order's execution ended; empty before."""
        execution = f"{self.machine.replace(':stateMachine:', ':execution:')}:{order_id}"
        client = self.client("stepfunctions")
        try:
            found = client.describe_execution(executionArn=execution)["status"]
        except client.exceptions.ExecutionDoesNotExist:
            return ""
        except client.exceptions.ClientError as error:
            # moto's answer while an execution is there and has not begun.
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != 500:
                raise
            return ""
        return "" if found == "RUNNING" else str(found)

    def ledger(self, order_id: str) -> list[tuple[str, int]]:
        rows = sorted(self.rows("StoreLedger", order_id), key=lambda row: int(row["at"]["N"]))
        return [(row["kind"]["S"], int(row["amount"]["N"])) for row in rows]

    def rows(self, table: str, order_id: str) -> list[Any]:
        found = self.client("dynamodb").query(
            TableName=self._output(table),
            KeyConditionExpression="order_id = :id",
            ExpressionAttributeValues={":id": {"S": order_id}},
        )
        return list(found["Items"])

    def heard(self) -> list[dict[str, Any]]:
        """What the operators' topic said."""
        found = []
        while got := self.client("sqs").receive_message(QueueUrl=self.news, MaxNumberOfMessages=10).get("Messages"):
            found += [json.loads(message["Body"]) for message in got]
        return found


@contextmanager
def cloud(code: Path, folder: Path, *front: str) -> Iterator[str]:
    """The endpoint of a moto of its own; see cloud.py. ``folder`` takes what it writes, ``front`` is the proxy."""
    command = [sys.executable, "-m", "tests.aws.local.cloud", str(code), str(folder), *front]
    with (
        (folder / "cloud.log").open("wb") as log,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, cwd=ROOT, start_new_session=True
        ) as process,
    ):
        assert process.stdout is not None
        overdue = threading.Timer(PATIENCE, process.kill)
        overdue.start()
        port = process.stdout.readline().strip().decode()
        overdue.cancel()
        assert port, (folder / "cloud.log").read_text()
        yield f"http://127.0.0.1:{port}"
        # Leaving closes its stdin: it ends with everything it started.


@contextmanager
def standing(template: Any, code: Path, folder: Path, **settings: str) -> Iterator[Town]:
    """The stack, up: its workflows really run, and its functions are the bundle's. ``folder``: for logs."""
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        pytest.skip("Lambda's emulator is for Linux on x86-64")
    with cloud(code, folder) as endpoint:
        yield Town(template, folder, endpoint, **settings)


__all__ = ["ANN", "Town", "standing"]
