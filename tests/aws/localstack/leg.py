"""LocalStack, which nobody here wrote, as a process of its own: the REST API's document imported as the template holds
it, and the order queue behind it.

What LocalStack lacks without a token, and what stands in for it:

- Cognito: the claims of a token are set at the beginning of the request's mapping template.
- Java's ``toLowerCase``: it is cut out of the mapping templates, so keys are given in lower case.
- Gateway responses are not imported: they are put, as the document holds them, by the API's own call. LocalStack takes
  their status and ignores their templates.
- Functions: the operations that one would answer are answered with the path and the id that they were called with.

`make test-aws` installs it; without it these tests say so and are skipped.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
import urllib3
from botocore.config import Config

from tests.aws.local.lambdas import free_port
from tests.support.patience import until

PYTHON = Path(sys.prefix) / "localstack/bin/python"
ACCOUNT, REGION, STAGE, QUEUE = "000000000000", "us-east-1", "dev", "orders"
CLAIMS = (
    "{'sub': 'ann', 'client_id': 'people', 'scope': 'aws.cognito.signin.user.admin',"
    " 'email': 'ann@example.com', 'email_verified': 'true'}"
)
METHODS = {"get", "put", "post", "delete"}


class Leg:
    """The API and its queue, up. ``resources``: the methods of each path as API Gateway lists them."""

    def __init__(self, template: Any, endpoint: str) -> None:
        self._endpoint = endpoint
        self.queue = self._client("sqs").create_queue(QueueName=QUEUE)["QueueUrl"]
        (properties,) = [
            it["Properties"] for it in template["Resources"].values() if it["Type"] == "AWS::ApiGateway::RestApi"
        ]
        document = adapted(resolved(properties["Body"]))
        gateway = self._client("apigateway")
        self._api = gateway.import_rest_api(body=json.dumps(document).encode(), failOnWarnings=True)["id"]
        for kind, answer in document["x-amazon-apigateway-gateway-responses"].items():
            gateway.put_gateway_response(restApiId=self._api, responseType=kind, **answer)
        gateway.create_deployment(restApiId=self._api, stageName=STAGE)
        found = gateway.get_resources(restApiId=self._api, limit=500)["items"]
        self.resources = {it["path"]: {*it.get("resourceMethods", ())} for it in found}

    def _client(self, name: str) -> Any:
        session = boto3.Session("testing", "testing", region_name=REGION)
        return session.client(name, endpoint_url=self._endpoint, config=Config(retries={"total_max_attempts": 1}))  # type: ignore[call-overload]

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> urllib3.BaseHTTPResponse:
        """``path`` as a client writes it after the host: with the stage."""
        given = {"Content-Type": "application/json", **{key.replace("_", "-"): it for key, it in headers.items()}}
        host = {"Host": f"{self._api}.execute-api.localhost.localstack.cloud"}
        text = body if isinstance(body, str) or body is None else json.dumps(body)
        return urllib3.request(
            method, f"{self._endpoint}{path}", body=text, headers={**given, **host}, retries=False, timeout=30
        )

    def received(self) -> list[tuple[str, dict[str, str]]]:
        """The body and the attributes of every message that waits; they are taken."""
        sqs, found = self._client("sqs"), []
        asked: Any = {"QueueUrl": self.queue, "MaxNumberOfMessages": 10, "MessageAttributeNames": ["All"]}
        while messages := sqs.receive_message(**asked).get("Messages"):
            for it in messages:
                sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=it["ReceiptHandle"])
                attributes = {name: value["StringValue"] for name, value in it.get("MessageAttributes", {}).items()}
                found.append((it["Body"], attributes))
        return found

    @contextmanager
    def without_queue(self) -> Iterator[None]:
        self._client("sqs").delete_queue(QueueUrl=self.queue)
        yield
        self._client("sqs").create_queue(QueueName=QUEUE)


def resolved(value: Any) -> Any:
    """The value with its references as CloudFormation would fill them in."""
    if isinstance(value, list):
        return [resolved(one) for one in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"Fn::Join"}:
        between, parts = value["Fn::Join"]
        return between.join(map(resolved, parts))
    if value.keys() == {"Ref"}:
        known = {"AWS::Region": REGION, "AWS::Partition": "aws", "AWS::AccountId": ACCOUNT}
        return known.get(value["Ref"], f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{value['Ref']}")
    if value.keys() == {"Fn::GetAtt"}:
        key, attribute = value["Fn::GetAtt"]
        return QUEUE if attribute == "QueueName" else f"arn:aws:iam::{ACCOUNT}:role/{key}"
    return {key: resolved(it) for key, it in value.items()}


def adapted(document: Any) -> Any:
    """The document with what stands in for what LocalStack lacks."""
    for methods in document["paths"].values():
        for method in METHODS & methods.keys():
            if methods[method]["x-amazon-apigateway-integration"]["type"] == "aws_proxy":
                methods[method]["x-amazon-apigateway-integration"] = _echo()
    queue = document["paths"]["/orders"]["post"]["x-amazon-apigateway-integration"]
    for templates in [queue["requestTemplates"], *(it["responseTemplates"] for it in queue["responses"].values())]:
        templates["application/json"] = templates["application/json"].replace(".toLowerCase()", "")
    asked = queue["requestTemplates"]
    asked["application/json"] = f"#set($context.authorizer = {{'claims': {CLAIMS}}})" + asked["application/json"]
    return document


def _echo() -> Any:
    answer = {"application/json": '{"path": "$context.resourcePath", "id": "$input.params(\'id\')"}'}
    return {
        "type": "mock",
        "requestTemplates": {"application/json": '{"statusCode": 200}'},
        "responses": {"default": {"statusCode": "200", "responseTemplates": answer}},
    }


@contextmanager
def standing(template: Any, folder: Path) -> Iterator[Leg]:
    if not PYTHON.exists():
        pytest.skip("LocalStack is not installed: `make test-aws` does it")
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "FILESYSTEM_ROOT": str(folder),
        "OVERRIDE_IN_DOCKER": "0",
        "SERVICES": "apigateway,sqs",
        # The other server of LocalStack listens on every address of the machine.
        "GATEWAY_SERVER": "hypercorn",
        "GATEWAY_LISTEN": f"127.0.0.1:{port}",
        "DISABLE_EVENTS": "1",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "DNS_ADDRESS": "0",
    }
    command = [str(PYTHON), "-m", "localstack.runtime.main"]
    with (folder / "localstack.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log)
        try:
            until(lambda: process.poll() is not None or answers(endpoint), "LocalStack answers")
            assert process.poll() is None, (folder / "localstack.log").read_text()
            yield Leg(template, endpoint)
        finally:
            process.kill()
            process.wait()


def answers(endpoint: str) -> bool:
    try:
        return urllib3.request("GET", f"{endpoint}/_localstack/health", retries=False, timeout=5).status == 200
    except urllib3.exceptions.HTTPError:
        return False
