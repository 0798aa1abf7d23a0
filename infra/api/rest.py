"""The REST API: POST /orders and /webhooks straight to their queues, everything else to one function."""

from aws_cdk import Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambdas
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.api.openapi import Wiring, document
from infra.messages import Messages
from infra.stages import Stage


class RestApi(Construct):
    def __init__(
        self, scope: Construct, stage: Stage, *, messages: Messages, function: lambdas.Alias, pool_arn: str
    ) -> None:
        super().__init__(scope, "Rest")
        stack = Stack.of(self)
        queues = [messages.orders.queue_arn, messages.events.queue_arn]
        self.role = iam.Role(self, "QueueRole", assumed_by=iam.ServicePrincipal("apigateway.amazonaws.com"))
        self.role.add_to_policy(iam.PolicyStatement(actions=["sqs:SendMessage"], resources=queues))
        wiring = Wiring(
            pool=pool_arn,
            rest_function=function.function_arn,
            queue_path=f"{stack.account}/{messages.orders.queue_name}",
            events_path=f"{stack.account}/{messages.events.queue_name}",
            queue_role=self.role.role_arn,
            region=stack.region,
            partition=stack.partition,
            origin=stage.origin,
        )
        access = logs.LogGroup(self, "AccessLogs", retention=stage.retention, removal_policy=stage.removal)
        self.api = apigateway.SpecRestApi(
            self,
            "Api",
            rest_api_name=f"orders-{stage.name}",
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            api_definition=apigateway.ApiDefinition.from_inline(document(wiring)),
            cloud_watch_role=True,
            cloud_watch_role_removal_policy=stage.removal,
            deploy_options=_options(stage, access),
        )
        self._secure()
        function.add_permission(
            "CalledByTheApi",
            principal=iam.ServicePrincipal("apigateway.amazonaws.com"),
            source_arn=self.api.arn_for_execute_api(),
        )

    def _secure(self) -> None:
        """TLS 1.2 or newer. By default a regional API accepts TLS 1.0. The construct of the CDK has no field for it.

        https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-security-policies-list.html
        """
        api = self.api.node.default_child
        if not isinstance(api, apigateway.CfnRestApi):
            raise TypeError("the REST API is not made of one CfnRestApi")
        api.security_policy = "SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09"
        api.endpoint_access_mode = "BASIC"


def _options(stage: Stage, access: logs.LogGroup) -> apigateway.StageOptions:
    """Throttling, traces, and logs without the content of calls."""
    return apigateway.StageOptions(
        stage_name=stage.name,
        tracing_enabled=True,
        throttling_rate_limit=stage.rate,
        throttling_burst_limit=stage.burst,
        logging_level=apigateway.MethodLoggingLevel.ERROR,
        data_trace_enabled=False,
        metrics_enabled=True,
        access_log_destination=apigateway.LogGroupLogDestination(access),
        access_log_format=apigateway.AccessLogFormat.json_with_standard_fields(
            caller=False,
            http_method=True,
            ip=False,
            protocol=True,
            request_time=True,
            resource_path=True,
            response_length=True,
            status=True,
            user=False,
        ),
    )
