"""Executions on Step Functions. Their names are the ids of orders.

Step Functions forgets a name 90 days after its execution ended, and an order is kept for ever. So the claim is read
first: it knows the owner once the order has a row, and then the workflow was started before.
https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
"""

from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import ClientError

from expediter.asl.protocol import Json
from expediter.aws.failures import code, unavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_stepfunctions.client import SFNClient
    from mypy_boto3_stepfunctions.type_defs import HistoryEventTypeDef

#: Characters in the id of an order.
ID = 36
#: What Step Functions says of a token that no task waits for (any more).
_NOT_WAITING = frozenset({"InvalidToken", "TaskDoesNotExist", "TaskTimedOut"})
_JSON_TEXTS = ("input", "output", "parameters")


class StepFunctions:
    def __init__(self, client: "SFNClient", machine: str, tables: "DynamoDBClient", claims: str) -> None:
        self._client = client
        self._machine = machine
        self._tables = tables
        self._claims = claims

    def start(self, name: str, input: Json, now: int) -> bool:  # noqa: ARG002  # Step Functions has its own clock
        if self._has_row(name):
            return False
        text = msgspec.json.encode(input).decode()
        with unavailable():
            try:
                self._client.start_execution(stateMachineArn=self._machine, name=name, input=text)
            except ClientError as error:
                if code(error) == "ExecutionAlreadyExists":
                    return False
                raise
        return True

    def answer(self, token: str, output: Json) -> bool:
        with unavailable():
            try:
                self._client.send_task_success(taskToken=token, output=msgspec.json.encode(output).decode())
            except ClientError as error:
                if code(error) in _NOT_WAITING:
                    return False
                raise
        return True

    def history(self, name: str) -> list[dict[str, Any]] | None:
        execution = f"{self._machine.replace(':stateMachine:', ':execution:')}:{name}"
        pages = self._client.get_paginator("get_execution_history").paginate(executionArn=execution)
        with unavailable():
            try:
                return [_event(event) for page in pages for event in page["events"]]
            except ClientError as error:
                if code(error) == "ExecutionDoesNotExist":
                    return [] if self._has_row(name) else None  # Step Functions forgets 90 days after the end
                raise

    def unsuccessful(self) -> set[str]:
        """The orders of executions that failed or timed out. Step Functions forgets them after 90 days."""
        pages = self._client.get_paginator("list_executions")
        with unavailable():
            return {
                one["name"][:ID]  # a second execution of an order is named ID-2
                for status in ("FAILED", "TIMED_OUT")
                for page in pages.paginate(stateMachineArn=self._machine, statusFilter=status)
                for one in page["executions"]
            }

    def _has_row(self, name: str) -> bool:
        with unavailable():
            found = self._tables.get_item(TableName=self._claims, Key={"id": {"S": name}}, ConsistentRead=True)
        return "user_id" in found.get("Item", {})


def _event(event: "HistoryEventTypeDef") -> dict[str, Any]:
    """The event with its details under one name, and with the JSON in their texts parsed."""
    key = next((name for name in event if name.endswith("EventDetails")), None)
    details = dict(event.get(key, {})) if key else {}  # type: ignore[call-overload]  # one of some fifty literal keys
    for name in _JSON_TEXTS:
        if isinstance(details.get(name), str):
            details[name] = _value(details[name])
        details.pop(f"{name}Details", None)
    return {
        "id": event["id"],
        "previous": event.get("previousEventId", 0),
        "at": int(event["timestamp"].timestamp() * 1000),
        "type": event["type"],
        "details": details,
    }


def _value(text: str) -> Json:
    """The value of a JSON text. A text that AWS has cut off stays a text."""
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text
