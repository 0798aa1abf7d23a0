"""AWS's own interpreter is not to be had here; moto's is the nearest. It takes every branch of the order's workflow.

Every branch is run twice, by moto and by our own core, with the same answers from the tasks: same states, same end.
Retries are cut to none, so that nothing waits; what a Retry does is tested where the core is.
"""

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

moto = pytest.importorskip("moto", reason="moto comes with the AWS tools: make test-all installs them")
boto3 = pytest.importorskip("boto3", reason="boto3 comes with the AWS tools: make test-all installs them")
from moto.awslambda import models  # noqa: E402  # only where moto is installed

from expediter import contracts  # noqa: E402
from expediter.asl.simulation import simulate  # noqa: E402
from tests.support.patience import until  # noqa: E402

pytestmark = pytest.mark.heavy

OK, DOWN = {"status": "ok"}, None
ERROR = {"status": "error", "error_message": "no"}
PENDING, OVERDUE = {"status": "pending", "wait_seconds": 900}, {"status": "overdue"}
ANSWERS: dict[str, Any] = {
    "InitializeOrder": {},
    "ProcessPayment": OK,
    "AwaitPayment": {},
    "SendOrderToRestaurant": OK,
    "CompleteOrder": OK,
    "OweRefund": OK,
    "RefundPayment": OK,
    "CancelFailedOrder": OK,
}
#: What differs from the answers above; a task that is DOWN raises, and one with several answers gives them in turn.
BRANCHES: dict[str, dict[str, Any]] = {
    "happy": {},
    "saving fails": {"InitializeOrder": DOWN},
    "declined": {"ProcessPayment": ERROR},
    "the charge's result stays unknown": {"ProcessPayment": DOWN},
    "the customer is waited for": {"ProcessPayment": (PENDING, OK)},
    "the customer takes too long": {"ProcessPayment": (PENDING, OVERDUE)},
    "the customer cannot be waited for": {"ProcessPayment": PENDING, "AwaitPayment": DOWN},
    "the restaurant refuses, or the customer cancelled in the hold": {"SendOrderToRestaurant": ERROR},
    "the restaurant's answer stays unknown": {"SendOrderToRestaurant": DOWN},
    "completing fails": {"CompleteOrder": DOWN},
    "writing down the debt fails": {"SendOrderToRestaurant": ERROR, "OweRefund": DOWN},
    "the refund fails for weeks": {"SendOrderToRestaurant": ERROR, "RefundPayment": DOWN},
    "cancelling fails": {"ProcessPayment": ERROR, "CancelFailedOrder": DOWN},
}
INPUT = {"order": {"id": "0190a5f4-0000-7000-8000-000000000001"}, "hold_seconds": 0}


def definition() -> dict[str, Any]:
    """The workflow with no retries and with function ARNs in place of its placeholders. The task that waits for a token
    ends with its call here."""
    machine = json.loads(contracts.read("order.asl.json"))
    for state in machine["States"].values():
        if state["Type"] == "Task":
            state["Retry"] = []
            named = state.pop("Parameters", {}).get("FunctionName", state["Resource"])
            state["Resource"] = arn(named.strip("${}"))
            state.pop("TimeoutSecondsPath", None)
    return machine


def arn(name: str) -> str:
    return f"arn:aws:lambda:us-east-1:123456789012:function:{name}"


@pytest.fixture(scope="module")
def ended() -> Iterator[dict[str, tuple[str, list[str]]]]:
    """Every branch as moto ran it: status and states entered."""
    with (
        pytest.MonkeyPatch.context() as patch,
        moto.mock_aws(config={"stepfunctions": {"execute_state_machine": True}}),
    ):
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        answers: dict[str, Any] = {}

        def invoke(function: models.LambdaFunction, event: str | None = None) -> tuple[str, bool, str]:
            answer = answers[function.function_name]
            if isinstance(answer, list):
                answer = answer.pop(0)
            failure = {"errorType": "StoreUnavailable", "errorMessage": "down"}
            return json.dumps(failure if answer is DOWN else answer), answer is DOWN, ""

        patch.setattr(models.LambdaFunction, "_invoke_lambda", invoke)
        clients = Clients()
        found = {}
        for branch, other in BRANCHES.items():
            answers.clear()
            answers.update(ANSWERS | {name: list(it) if isinstance(it, tuple) else it for name, it in other.items()})
            found[branch] = clients.run(branch)
        yield found


class Clients:
    """The state machine and its functions, made once."""

    def __init__(self) -> None:
        region = {"region_name": "us-east-1"}
        self.functions = boto3.client("lambda", **region)
        self.machines = boto3.client("stepfunctions", **region)
        trust = {"Version": "2012-10-17", "Statement": []}
        role = boto3.client("iam", **region).create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(trust))
        for name in ANSWERS:
            self.functions.create_function(
                FunctionName=name, Runtime="python3.12", Role=role["Role"]["Arn"], Handler="x", Code={"ZipFile": b"x"}
            )
        made = self.machines.create_state_machine(
            name="orders", definition=json.dumps(definition()), roleArn=role["Role"]["Arn"]
        )
        self.machine = made["stateMachineArn"]

    def run(self, name: str) -> tuple[str, list[str]]:
        execution = self.machines.start_execution(
            stateMachineArn=self.machine, name=name.replace(" ", "-").replace("'", ""), input=json.dumps(INPUT)
        )["executionArn"]

        def ended() -> str:
            status = self.machines.describe_execution(executionArn=execution)["status"]
            return "" if status == "RUNNING" else str(status)

        # A pause between looks: moto walks in a thread of this process, and a busy loop would take its time from it.
        status = until(ended, f"moto ends the branch {name!r}")
        events = self.machines.get_execution_history(executionArn=execution, maxResults=1000)["events"]
        entered = [event["stateEnteredEventDetails"]["name"] for event in events if event["type"].endswith("Entered")]
        return status, entered


@pytest.mark.parametrize("branch", BRANCHES)
def test_moto_and_our_core_walk_the_same_way(branch: str, ended: dict[str, tuple[str, list[str]]]) -> None:
    mocks = {
        arn(name): [
            {"failed": True, "error": "StoreUnavailable", "cause": "down"} if answer is DOWN else {"result": answer}
            for answer in (answers if isinstance(answers, tuple) else (answers,))
        ]
        for name, answers in (ANSWERS | BRANCHES[branch]).items()
    }
    ours = simulate(definition(), INPUT, mocks=mocks)

    assert ended[branch] == (ours.status, ours.states_entered)


def test_the_branches_enter_every_state_over_every_edge(ended: dict[str, tuple[str, list[str]]]) -> None:
    machine = definition()
    walked = {edge for _, states in ended.values() for edge in pairwise(states)}
    drawn = {
        (name, target)
        for name, state in machine["States"].items()
        for target in [
            *filter(None, [state.get("Next"), state.get("Default")]),
            *(rule["Next"] for rule in [*state.get("Choices", []), *state.get("Catch", [])]),
        ]
    }

    assert walked == drawn
