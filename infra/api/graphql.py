"""The GraphQL API: schema.graphql byte for byte, every field resolved by one function."""

from pathlib import Path

from aws_cdk import Stack
from aws_cdk import aws_appsync as appsync
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambdas
from aws_cdk import aws_logs as logs
from constructs import Construct

from expediter.api.graphql import RESOLVERS
from infra.stages import Stage

HERE = Path(__file__).parent
SCHEMA = HERE.parents[1] / "src/expediter/contracts/schema.graphql"


class GraphqlApi(Construct):
    def __init__(self, scope: Construct, stage: Stage, *, function: lambdas.IFunction, pool: cognito.UserPool) -> None:
        super().__init__(scope, "Graphql")
        self.log_role = iam.Role(self, "LogRole", assumed_by=iam.ServicePrincipal("appsync.amazonaws.com"))
        self.api = appsync.GraphqlApi(
            self,
            "Api",
            name=f"orders-{stage.name}",
            definition=appsync.Definition.from_file(str(SCHEMA)),
            authorization_config=_authorization(pool),
            xray_enabled=True,
            query_depth_limit=10,
            resolver_count_limit=100,
        )
        self._logs(stage)
        self._resolve(function)

    def _logs(self, stage: Stage) -> None:
        """AppSync chooses the name of its log group. The group is made here, so that its logs expire without a custom
        resource.

        Verbose content is left out: it holds customers' addresses.
        """
        made = self.api.node.default_child
        if not isinstance(made, appsync.CfnGraphQLApi):
            raise TypeError("aws_appsync.GraphqlApi is not made of a CfnGraphQLApi any more")
        made.log_config = appsync.CfnGraphQLApi.LogConfigProperty(
            cloud_watch_logs_role_arn=self.log_role.role_arn, exclude_verbose_content=True, field_log_level="ERROR"
        )
        group = logs.LogGroup(
            self,
            "Logs",
            log_group_name=f"/aws/appsync/apis/{self.api.api_id}",
            retention=stage.retention,
            removal_policy=stage.removal,
        )
        self.log_role.add_to_policy(
            iam.PolicyStatement(actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[group.log_group_arn])
        )

    def _resolve(self, function: lambdas.IFunction) -> None:
        role = iam.Role(self, "CallRole", assumed_by=iam.ServicePrincipal("appsync.amazonaws.com"))
        role.add_to_policy(iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[function.function_arn]))
        source = appsync.CfnDataSource(
            self,
            "Orders",
            api_id=self.api.api_id,
            name="orders",
            type="AWS_LAMBDA",
            lambda_config=appsync.CfnDataSource.LambdaConfigProperty(lambda_function_arn=function.function_arn),
            service_role_arn=role.role_arn,
        )
        code = (HERE / "resolver.js").read_text(encoding="utf-8")
        schema = self.api.node.find_child("Schema")
        for field in RESOLVERS:
            kind, _, name = field.partition(".")
            resolver = appsync.CfnResolver(
                self,
                f"{kind}{name[0].upper()}{name[1:]}",
                api_id=self.api.api_id,
                type_name=kind,
                field_name=name,
                kind="UNIT",
                data_source_name=source.attr_name,
                code=code,
                runtime=appsync.CfnResolver.AppSyncRuntimeProperty(name="APPSYNC_JS", runtime_version="1.0.0"),
            )
            resolver.node.add_dependency(schema)

    def publish_arn(self) -> str:
        """The field that only the system may call."""
        return Stack.of(self).format_arn(
            service="appsync", resource=f"apis/{self.api.api_id}/types/Mutation/fields", resource_name="publishOrder"
        )


def _authorization(pool: cognito.UserPool) -> appsync.AuthorizationConfig:
    """Users by default; IAM only for what the schema marks @aws_iam. No API keys."""
    return appsync.AuthorizationConfig(
        default_authorization=appsync.AuthorizationMode(
            authorization_type=appsync.AuthorizationType.USER_POOL,
            user_pool_config=appsync.UserPoolConfig(user_pool=pool),
        ),
        additional_authorization_modes=[appsync.AuthorizationMode(authorization_type=appsync.AuthorizationType.IAM)],
    )
