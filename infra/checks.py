"""cdk-nag's AwsSolutions rules, and every finding that stays, with its reason."""

from typing import NamedTuple

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks
from constructs import IConstruct

from expediter.aws.functions.table import TASK_FUNCTIONS
from infra.stack import WAKING, Orders


class Accepted(NamedTuple):
    """A finding that stays: on which construct, its exact id, and why."""

    scope: IConstruct
    finding: str
    reason: str


def check(app: cdk.App) -> None:
    """Makes synthesis fail at any finding that is not accepted below."""
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app, verbose=True))


def accepted(stack: Orders) -> list[Accepted]:
    return [*_rights(stack), *_waking(stack), *_releases(stack), *_apis(stack), *_backups(stack)]


def _rights(stack: Orders) -> list[Accepted]:
    machine = stack.resolve(stack.workflow.machine.state_machine_name)["Fn::GetAtt"][0]
    executions = f"arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:<{machine}.Name>:*"
    push = "arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
    return [
        Accepted(
            stack.functions.roles["Rest"],
            f"AwsSolutions-IAM5[Resource::{executions}]",
            "The executions of our one state machine, each named by its order: the names are not known beforehand.",
        ),
        Accepted(
            stack.workflow.role,
            "AwsSolutions-IAM5[Resource::*]",
            "Log delivery and X-Ray know no resources, so AWS asks for all; ours is bound to the stack's own region. "
            "See docs/decisions/0105-one-role-may-deliver-logs-anywhere.md.",
        ),
        Accepted(
            stack.functions.anywhere,
            "AwsSolutions-IAM5[Resource::*]",
            "X-Ray knows no resources, and EC2 few for what connects a function to a network; bound to the stack's own "
            "region. See docs/decisions/0112-functions-are-traced.md.",
        ),
        Accepted(
            stack.messages.dropped,
            "AwsSolutions-SQS3",
            "Nothing receives from this queue, so nothing can fail: it keeps what the streams dropped, for operators.",
        ),
        Accepted(
            stack.rest.api,
            f"AwsSolutions-IAM4[Policy::{push}]",
            "An account has one role by which API Gateway writes logs, and this is the policy that AWS made for it.",
        ),
    ]


def _releases(stack: Orders) -> list[Accepted]:
    deploy = "arn:<AWS::Partition>:iam::aws:policy/service-role/AWSCodeDeployRoleForLambdaLimited"
    return [
        *(
            Accepted(
                stack.workflow.role,
                f"AwsSolutions-IAM5[Resource::<{_key(stack, name)}.Arn>:*]",
                "Executions under way call the versions of the functions that they began with.",
            )
            for name in TASK_FUNCTIONS
        ),
        Accepted(
            stack.release.role,
            f"AwsSolutions-IAM4[Policy::{deploy}]",
            "AWS maintains this policy: it has what CodeDeploy needs to move an alias.",
        ),
    ]


def _backups(stack: Orders) -> list[Accepted]:
    if stack.backup is None:
        return []
    policy = "arn:<AWS::Partition>:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"
    return [
        Accepted(
            stack.backup.role,
            f"AwsSolutions-IAM4[Policy::{policy}]",
            "What AWS Backup needs to copy a table is said by this policy, which AWS made for it and looks after.",
        )
    ]


def _key(stack: Orders, name: str) -> str:
    """The logical id of a function."""
    return str(stack.resolve(stack.functions.by_name[name].function_arn)["Fn::GetAtt"][0])


def _waking(stack: Orders) -> list[Accepted]:
    return [
        Accepted(
            stack.functions.roles[name],
            "AwsSolutions-IAM5[Resource::*]",
            "SendTaskSuccess knows no resource, so AWS asks for all: what it may end is said by the task's token, "
            "which cannot be guessed.",
        )
        for name in WAKING
    ]


def _apis(stack: Orders) -> list[Accepted]:
    return [
        Accepted(
            stack.rest.api,
            "AwsSolutions-APIG2",
            "POST /orders is validated: the validator stands in the OpenAPI document, where the rule does not look.",
        ),
        Accepted(
            stack.graphql.api,
            "AwsSolutions-ASC3",
            "Errors are logged; verbose content is not, because it holds customers' addresses.",
        ),
        Accepted(
            stack.users,
            "AwsSolutions-COG2",
            "Customers may use a second factor; to order lunch they need not.",
        ),
        Accepted(
            stack.users,
            "AwsSolutions-COG8",
            "The plus tier costs money per customer and month. To use it, change one line of users.py.",
        ),
        *(
            Accepted(
                secret,
                "AwsSolutions-SMG4",
                "The other side holds the same secret: it changes when both sides change it. The runbook says how.",
            )
            for secret in stack.secrets
        ),
    ]


def acknowledge(stack: Orders) -> None:
    for one in accepted(stack):
        cdk.Validations.of(one.scope).acknowledge(cdk.Acknowledgment(id=one.finding, reason=one.reason))
