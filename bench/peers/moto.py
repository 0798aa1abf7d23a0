"""moto's Step Functions interpreter, run in this process; its Lambda functions answer at once."""

import itertools
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import moto
from moto.awslambda import models

ANSWERS: dict[str, dict[str, Any]] = {
    "InitializeOrder": {},
    "ProcessPayment": {"status": "ok"},
    "SendOrderToRestaurant": {"status": "ok"},
    "CompleteOrder": {},
    "OweRefund": {},
    "RefundPayment": {},
    "CancelFailedOrder": {},
}
_AWS = boto3.Session("none", "none", region_name="us-east-1")
_ROLE = "arn:aws:iam::123456789012:role/none"
_names = itertools.count()


def _invoked(function: models.LambdaFunction, event: str | None = None) -> tuple[str, bool, str]:  # noqa: ARG001  # moto's signature
    return json.dumps(ANSWERS[function.function_name]), False, ""


setattr(models.LambdaFunction, "_invoke_lambda", _invoked)  # noqa: B010  # moto would run the function in Docker
moto.mock_aws(
    config={"stepfunctions": {"execute_state_machine": True}, "iam": {"load_aws_managed_policies": False}}
).start()


def with_functions(file: Path) -> str:
    """The definition with the ARNs of functions that now exist in place of its placeholders."""
    _AWS.client("iam").create_role(RoleName="none", AssumeRolePolicyDocument="{}")
    client, definition = _AWS.client("lambda"), file.read_text()
    for name in ANSWERS:
        made = client.create_function(
            FunctionName=name, Runtime="python3.12", Role=_ROLE, Handler="x", Code={"ZipFile": b"x"}
        )
        definition = definition.replace("${" + name + "}", made["FunctionArn"])
    return definition


def runner(definition: str, given: dict[str, Any], count: int) -> Callable[[], int]:
    """Runs the definition to its end once; gives ``count``. Raises RuntimeError when it does not succeed."""
    client = _AWS.client("stepfunctions")
    machine = client.create_state_machine(name=f"machine{next(_names)}", definition=definition, roleArn=_ROLE)

    def run() -> int:
        arn = client.start_execution(
            stateMachineArn=machine["stateMachineArn"], name=f"run{next(_names)}", input=json.dumps(given)
        )["executionArn"]
        while (status := client.describe_execution(executionArn=arn)["status"]) == "RUNNING":
            time.sleep(0.001)
        if status != "SUCCEEDED":
            raise RuntimeError(f"moto ended with {status}")
        return count

    return run
