"""Every function, made alike: its own role, its own log group, and exactly the permissions of ``grants``.

Callers use versions, never the newest code: a release publishes new versions (see ``release``). The earlier ones stay,
so that executions under way keep theirs. https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html
"""

from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambdas
from aws_cdk import aws_logs as logs
from constructs import Construct

from expediter.aws.functions.table import FUNCTIONS, OTHER_FUNCTIONS
from infra.compute.network import CONNECTING
from infra.stages import Stage

#: Seconds: less than the TimeoutSeconds of every task and than what API Gateway waits (29).
TIMEOUT = 28
#: MB. With this memory a cold start takes about half a second of processor time.
MEMORY = 512
#: How a function sends traces to X-Ray. https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html
TRACING = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
#: A function that a queue or a stream calls continues a trace and begins none. Otherwise every message would begin one.
FOLLOWING = frozenset({"Intake", "Events", "Mailer", "Publisher"})
#: The alias by which functions and the state machine are called.
LIVE = "live"


class Functions(Construct):
    """``by_name``: the functions of FUNCTIONS; ``roles``: what each may do, one role per function; ``versions``: what
    this release makes of each; ``live``: by which name the others than tasks are called."""

    def __init__(self, scope: Construct, stage: Stage, code: Path) -> None:
        super().__init__(scope, "Functions")
        asset = lambdas.Code.from_asset(str(code))
        self.roles: dict[str, iam.Role] = {}
        self.by_name = {name: self._function(name, handler, asset, stage) for name, handler in FUNCTIONS.items()}
        self.versions = {name: function.current_version for name, function in self.by_name.items()}
        self.anywhere = self._anywhere(stage)
        self.live = {
            name: lambdas.Alias(self, f"{name}Live", alias_name=LIVE, version=self.versions[name])
            for name in OTHER_FUNCTIONS
        }

    def _function(self, name: str, handler: str, code: lambdas.Code, stage: Stage) -> lambdas.Function:
        group = logs.LogGroup(self, f"{name}Logs", retention=stage.retention, removal_policy=stage.removal)
        role = iam.Role(self, f"{name}Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        role.add_to_policy(
            iam.PolicyStatement(actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[group.log_group_arn])
        )
        self.roles[name] = role
        return lambdas.Function(
            self,
            name,
            code=code,
            handler=handler,
            runtime=lambdas.Runtime.PYTHON_3_14,
            architecture=lambdas.Architecture.ARM_64,
            memory_size=MEMORY,
            timeout=cdk.Duration.seconds(TIMEOUT),
            role=role.without_policy_updates(),
            log_group=group,
            logging_format=lambdas.LoggingFormat.JSON,
            # Lambda's own lines about every call say what its metrics say, and cost more than the calls.
            system_log_level_v2=lambdas.SystemLogLevel.WARN,
            tracing=lambdas.Tracing.PASS_THROUGH if name in FOLLOWING else lambdas.Tracing.ACTIVE,
            current_version_options=lambdas.VersionOptions(removal_policy=cdk.RemovalPolicy.RETAIN),
        )

    def _anywhere(self, stage: Stage) -> iam.Policy:
        """Permissions of every function that AWS cannot limit to resources: to send traces, and to enter its network.

        It is created before the functions, because Lambda checks it when it creates one.
        """
        here = {"StringEquals": {"aws:RequestedRegion": cdk.Stack.of(self).region}}
        actions = [TRACING, CONNECTING] if stage.network.subnets else [TRACING]
        statements = [iam.PolicyStatement(actions=it, resources=["*"], conditions=here) for it in actions]
        policy = iam.Policy(self, "Anywhere", statements=statements, roles=list(self.roles.values()))
        for function in self.by_name.values():
            function.node.add_dependency(policy)
            made = function.node.default_child
            if stage.network.subnets and isinstance(made, lambdas.CfnFunction):
                made.vpc_config = lambdas.CfnFunction.VpcConfigProperty(
                    subnet_ids=list(stage.network.subnets), security_group_ids=list(stage.network.security_groups)
                )
        return policy

    def may(self, name: str, actions: list[str], *resources: str) -> None:
        """Lets the function do this with exactly these resources."""
        self.roles[name].add_to_policy(iam.PolicyStatement(actions=actions, resources=list(resources)))

    def knows(self, name: str, **settings: str) -> None:
        """Sets EXPEDITER_* for the function: ``orders_table=…``."""
        for setting, value in settings.items():
            self.by_name[name].add_environment(f"EXPEDITER_{setting.upper()}", value)

    def renews(self, name: str, *parameters: str) -> None:
        """Makes a new version when one of these parameters changes: a published version never changes.

        CloudFormation publishes a version when something of it differs, so its description names the values.
        """
        made = self.versions[name].node.default_child
        if not isinstance(made, lambdas.CfnVersion):
            raise TypeError("aws_lambda.Version is not made of a CfnVersion any more")
        made.description = " ".join(parameters)

    def keep(self, name: str, when: cdk.CfnCondition, number: float) -> None:
        """Reserves so many concurrent executions for the function under the condition."""
        made = self.by_name[name].node.default_child
        if not isinstance(made, lambdas.CfnFunction):
            raise TypeError("aws_lambda.Function is not made of a CfnFunction any more")
        reserved = cdk.Fn.condition_if(when.logical_id, number, cdk.Aws.NO_VALUE)
        made.add_property_override("ReservedConcurrentExecutions", reserved)
