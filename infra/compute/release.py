"""How a release goes live: first for a tenth of the calls and new orders. An alarm rolls it back automatically.

CodeDeploy moves the aliases of functions, Step Functions the alias of the state machine. Tasks have no alias: a version
of the state machine names versions of them.
https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-steps-lambda.html
https://docs.aws.amazon.com/step-functions/latest/dg/version-rolling-deployment.html
"""

from collections.abc import Mapping

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_codedeploy as codedeploy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.compute.functions import LIVE, Functions
from infra.compute.workflow import Workflow
from infra.stages import Stage

#: Percent of the first part, and the minutes that the alarms have to ring in: two of their periods, and a little.
PART, MINUTES = 10, 15
#: The alarms that mean that a new version of the workflow, or of its tasks, is bad.
OF_ORDERS = ("TasksFail", "OrdersNeedOperator", "WorkflowsTimeOut")


class Release(Construct):
    """``orders``: the alias by which orders are started. ``alarms``: by their names; a function's is ``…Fails``."""

    def __init__(
        self,
        scope: Construct,
        stage: Stage,
        *,
        functions: Functions,
        workflow: Workflow,
        alarms: Mapping[str, cloudwatch.Alarm],
    ) -> None:
        super().__init__(scope, "Release")
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("codedeploy.amazonaws.com"),
            managed_policies=[
                iam.ManagedPolicy.from_aws_managed_policy_name("service-role/AWSCodeDeployRoleForLambdaLimited")
            ],
        )
        self._functions(stage, functions, alarms)
        self.orders = self._orders(stage, workflow, alarms)

    def _functions(self, stage: Stage, functions: Functions, alarms: Mapping[str, cloudwatch.Alarm]) -> None:
        application = codedeploy.LambdaApplication(self, "Functions")
        pace = codedeploy.LambdaDeploymentConfig
        for name, alias in functions.live.items():
            codedeploy.LambdaDeploymentGroup(
                self,
                name,
                application=application,
                alias=alias,
                role=self.role,
                deployment_config=pace.CANARY_10_PERCENT_15_MINUTES if stage.canary else pace.ALL_AT_ONCE,
                alarms=[alarms[f"{name}Fails"]] if stage.canary else [],
            )

    def _orders(
        self, stage: Stage, workflow: Workflow, alarms: Mapping[str, cloudwatch.Alarm]
    ) -> sfn.CfnStateMachineAlias:
        preference = sfn.CfnStateMachineAlias.DeploymentPreferenceProperty
        version = workflow.version.attr_arn
        if stage.canary:
            names = [alarms[name].alarm_name for name in OF_ORDERS]
            chosen = preference(
                state_machine_version_arn=version, type="CANARY", percentage=PART, interval=MINUTES, alarms=names
            )
        else:
            chosen = preference(state_machine_version_arn=version, type="ALL_AT_ONCE")
        return sfn.CfnStateMachineAlias(self, "Orders", name=LIVE, deployment_preference=chosen)
