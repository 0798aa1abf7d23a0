"""The state machine: order.asl.json, its placeholders filled with the ARNs of the functions' versions.

A release makes a version of it. An execution keeps the one that it began on, and with it the versions of the functions.
https://docs.aws.amazon.com/step-functions/latest/dg/concepts-cd-aliasing-versioning.html
"""

import re

from aws_cdk import Aws, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from expediter import contracts
from expediter.aws.functions.table import TASK_FUNCTIONS
from infra.compute.functions import Functions
from infra.stages import Stage

#: What a state machine needs to deliver logs and traces: what the CDK itself gives one. AWS knows no resources for
#: these actions, so they are allowed on all, in the stack's own region.
#: See docs/decisions/0105-one-role-may-deliver-logs-anywhere.md.
_DELIVERY = [
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
]

_PLACEHOLDER = re.compile(r"\$\{([^}]*)\}")


def check(definition: str) -> None:
    """Raises LookupError when the workflow names a task that no function does: it would fail at the first order."""
    unknown = set(_PLACEHOLDER.findall(definition)) - TASK_FUNCTIONS.keys()
    if unknown:
        known = ", ".join(TASK_FUNCTIONS)
        raise LookupError(f"No such task: {', '.join(sorted(unknown))}. There are functions for: {known}.")


def in_any_partition(definition: str) -> str:
    """The workflow with a placeholder where it names an integration of AWS's standard partition: in China they are
    ``arn:aws-cn:states:::…``.
    """
    return definition.replace('"arn:aws:states:::', '"arn:${Partition}:states:::')


class Workflow(Construct):
    def __init__(self, scope: Construct, stage: Stage, functions: Functions) -> None:
        super().__init__(scope, "Workflow")
        definition = contracts.read("order.asl.json").decode()
        check(definition)
        versions = {name: functions.versions[name].function_arn for name in TASK_FUNCTIONS}
        called = [f"{functions.by_name[name].function_arn}:*" for name in TASK_FUNCTIONS]
        self.role = iam.Role(self, "Role", assumed_by=_state_machines_of(Stack.of(self)))
        self.role.add_to_policy(iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=called))
        here = {"StringEquals": {"aws:RequestedRegion": Stack.of(self).region}}
        self.role.add_to_policy(iam.PolicyStatement(actions=_DELIVERY, resources=["*"], conditions=here))
        # The account has one policy by which services write logs, with room for ten groups or so; below this prefix it
        # needs no line for each. https://docs.aws.amazon.com/step-functions/latest/dg/bp-cwl.html
        name = f"/aws/vendedlogs/states/orders-{stage.name}"
        self.logs = logs.LogGroup(
            self, "Logs", log_group_name=name, retention=stage.retention, removal_policy=stage.removal
        )
        self.machine = sfn.StateMachine(
            self,
            "Orders",
            definition_body=sfn.DefinitionBody.from_string(in_any_partition(definition)),
            definition_substitutions={**versions, "Partition": Aws.PARTITION},
            role=self.role.without_policy_updates(),
            state_machine_type=sfn.StateMachineType.STANDARD,
            tracing_enabled=True,
            # Without execution data: it holds customers' addresses.
            logs=sfn.LogOptions(destination=self.logs, level=sfn.LogLevel.ALL, include_execution_data=False),
            removal_policy=stage.removal,
        )
        self.machine.node.add_dependency(self.role)
        self.version = sfn.CfnStateMachineVersion(
            self,
            "Version",
            state_machine_arn=self.machine.state_machine_arn,
            state_machine_revision_id=self.machine.state_machine_revision_id,
        )
        self.version.apply_removal_policy(RemovalPolicy.RETAIN)


def _state_machines_of(stack: Stack) -> iam.ServicePrincipal:
    """Step Functions, for a state machine of the stack's own account and region and for nobody else's.

    https://docs.aws.amazon.com/step-functions/latest/dg/procedure-create-iam-role.html#prevent-confused-deputy
    """
    machines = f"arn:{stack.partition}:states:{stack.region}:{stack.account}:stateMachine:*"
    return iam.ServicePrincipal(
        "states.amazonaws.com",
        conditions={"StringEquals": {"aws:SourceAccount": stack.account}, "ArnLike": {"aws:SourceArn": machines}},
    )
