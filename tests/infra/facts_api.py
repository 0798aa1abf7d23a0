"""Facts about the APIs, the workflow, and what is watched and logged."""

import json
from collections.abc import Iterator
from typing import Any

from expediter.api.graphql import RESOLVERS
from expediter.api.rest import OPERATIONS
from expediter.aws.functions.table import FUNCTIONS
from infra.api.openapi import DETAILS, EVENTS, GATEWAY_ERRORS, event_template
from tests.infra.reading import Template, get, live, named, only, resources, tags, text

# ── APIs and users ────────────────────────────────────────────────────────────────────────────────────────────────


def every_field_is_resolved_by_the_one_function(template: Template) -> None:
    source = only(template, "AWS::AppSync::DataSource")
    assert (source["Type"], source["Name"]) == ("AWS_LAMBDA", "orders")
    assert source["LambdaConfig"] == {"LambdaFunctionArn": live(template, "Graphql")}
    assert source["ServiceRoleArn"] == get(named(template, "AWS::IAM::Role", "GraphqlCallRole")[0])
    found = resources(template, "AWS::AppSync::Resolver").values()
    api = get(named(template, "AWS::AppSync::GraphQLApi", "GraphqlApi")[0], "ApiId")
    assert all(it["ApiId"] == api for it in (source, *found))
    assert sorted(f"{it['TypeName']}.{it['FieldName']}" for it in found) == sorted(RESOLVERS)
    for it in found:
        assert (it["Kind"], it["DataSourceName"]["Fn::GetAtt"][1]) == ("UNIT", "Name")
        assert it["Runtime"] == {"Name": "APPSYNC_JS", "RuntimeVersion": "1.0.0"}
        assert "util.error(failed.message, failed.type" in it["Code"]


def operations(body: Any) -> Iterator[tuple[str, Any]]:
    for path, methods in body["paths"].items():
        for method, operation in methods.items():
            yield f"{method} {path}", operation


def orders_go_straight_to_the_queue_and_all_else_to_the_function(template: Template) -> None:
    body = only(template, "AWS::ApiGateway::RestApi")["Body"]
    function_key = live(template, "Rest")["Ref"]
    for name, operation in operations(body):
        integration = operation["x-amazon-apigateway-integration"]
        if name == "post /orders":
            the_queue_is_behind(template, operation, integration)
            continue
        if operation["operationId"] in EVENTS:
            the_events_queue_is_behind(template, operation, integration)
            continue
        assert (integration["type"], integration["httpMethod"]) == ("aws_proxy", "POST")
        path = f"lambda:path/2015-03-31/functions/<{function_key}>/invocations"
        assert text(integration["uri"]) == f"arn:<AWS::Partition>:apigateway:<AWS::Region>:{path}"
        assert set(integration) == {"type", "httpMethod", "uri", "passthroughBehavior"}


def the_queue_is_behind(template: Template, operation: Any, integration: Any) -> None:
    queue = named(template, "AWS::SQS::Queue", "MessagesOrders")[0]
    assert operation["x-amazon-apigateway-request-validator"] == "all"
    assert (integration["type"], integration["httpMethod"]) == ("aws", "POST")
    assert integration["passthroughBehavior"] == "never"
    path = f"sqs:path/<AWS::AccountId>/<{queue}.QueueName>"
    assert text(integration["uri"]) == f"arn:<AWS::Partition>:apigateway:<AWS::Region>:{path}"
    assert integration["credentials"] == get(named(template, "AWS::IAM::Role", "RestQueueRole")[0])
    form = "'application/x-www-form-urlencoded'"
    assert integration["requestParameters"] == {"integration.request.header.Content-Type": form}
    answers = integration["responses"]
    assert {key: answer["statusCode"] for key, answer in answers.items()} == {"2\\d{2}": "204", "default": "503"}
    assert answers["default"]["responseParameters"] == {"method.response.header.Retry-After": "'1'"}
    assert "StoreUnavailable" in answers["default"]["responseTemplates"]["application/json"]
    assert "responseOverride.header.Order-Id" in answers["2\\d{2}"]["responseTemplates"]["application/json"]
    sent = integration["requestTemplates"]["application/json"]
    assert sent.count("#if") == sent.count("#end") == 4
    assert "MessageBody=$util.urlEncode($input.body)" in sent


def the_events_queue_is_behind(template: Template, operation: Any, integration: Any) -> None:
    """Anybody may send there: our function looks at the signature."""
    queue = named(template, "AWS::SQS::Queue", "MessagesEvents")[0]
    assert operation["security"] == []
    assert (integration["type"], integration["passthroughBehavior"]) == ("aws", "never")
    assert text(integration["uri"]).endswith(f":sqs:path/<AWS::AccountId>/<{queue}.QueueName>")
    assert integration["credentials"] == get(named(template, "AWS::IAM::Role", "RestQueueRole")[0])
    sent = integration["requestTemplates"]["application/json"]
    assert sent == event_template(EVENTS[operation["operationId"]])
    assert sent.count("#if") == sent.count("#end") == 2


def the_api_itself_answers_with_our_errors(template: Template) -> None:
    body = only(template, "AWS::ApiGateway::RestApi")["Body"]
    assert body["x-amazon-apigateway-request-validators"] == {
        "all": {"validateRequestBody": True, "validateRequestParameters": True}
    }
    answers = body["x-amazon-apigateway-gateway-responses"]
    assert {kind: answer["statusCode"] for kind, answer in answers.items()} == {
        kind: str(status) for kind, (_, status) in GATEWAY_ERRORS.items()
    }
    for kind, (name, status) in GATEWAY_ERRORS.items():
        parameters = answers[kind]["responseParameters"]
        shown = answers[kind]["responseTemplates"]["application/json"]
        known = json.loads(shown.replace("$context.error.messageString", '"why"'))
        assert known == {**known, "error": name, "status": status, "detail": DETAILS.get(kind, "why")}
        asks = {"gatewayresponse.header.WWW-Authenticate": "'Bearer'"} if status in {401, 403} else {}
        assert {key: it for key, it in parameters.items() if "Authenticate" in key} == asks
        assert parameters["gatewayresponse.header.Content-Type"] == "'application/problem+json'"
        assert ("gatewayresponse.header.Retry-After" in parameters) == (status in {429, 503})


def the_rest_api_is_regional_and_named_by_its_stage(template: Template) -> None:
    api = only(template, "AWS::ApiGateway::RestApi")
    assert (api["Name"], api["EndpointConfiguration"]) == ("orders-dev", {"Types": ["REGIONAL"]})


def the_rest_api_takes_no_tls_older_than_1_2(template: Template) -> None:
    api = only(template, "AWS::ApiGateway::RestApi")
    assert (api["SecurityPolicy"], api["EndpointAccessMode"]) == ("SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09", "BASIC")


def only_what_there_is_on_aws_is_published(template: Template) -> None:
    body = only(template, "AWS::ApiGateway::RestApi")["Body"]
    assert sorted(operation["operationId"] for _, operation in operations(body)) == sorted({*OPERATIONS, *EVENTS})
    types = [
        content["schema"].get("type")
        for _, operation in operations(body)
        for answer in operation["responses"].values()
        for content in answer.get("content", {}).values()
    ]
    assert set(types) <= {None, "object", "array"}, "API Gateway makes no model of a primitive type"


def the_rest_stage_is_throttled_logged_and_traced(template: Template) -> None:
    stage = only(template, "AWS::ApiGateway::Stage")
    assert stage["StageName"] == "dev"
    assert stage["TracingEnabled"] is True
    assert stage["RestApiId"] == {"Ref": named(template, "AWS::ApiGateway::RestApi", "RestApi")[0]}
    group = named(template, "AWS::Logs::LogGroup", "RestAccessLogs")[0]
    assert stage["AccessLogSetting"]["DestinationArn"] == get(group)
    assert "$context.status" in stage["AccessLogSetting"]["Format"]
    assert stage["MethodSettings"] == [
        {
            "DataTraceEnabled": False,
            "HttpMethod": "*",
            "LoggingLevel": "ERROR",
            "MetricsEnabled": True,
            "ResourcePath": "/*",
            "ThrottlingBurstLimit": 40,
            "ThrottlingRateLimit": 20,
        }
    ]
    account = only(template, "AWS::ApiGateway::Account")
    assert account["CloudWatchRoleArn"]["Fn::GetAtt"][0].startswith("RestApiCloudWatchRole")
    deployed = {"Ref": next(iter(resources(template, "AWS::ApiGateway::Deployment")))}
    assert stage["DeploymentId"] == deployed
    assert only(template, "AWS::ApiGateway::Deployment")["RestApiId"] == stage["RestApiId"]


def the_api_may_call_its_function(template: Template) -> None:
    (allowed,) = [
        it
        for it in resources(template, "AWS::Lambda::Permission").values()
        if it["Principal"] == "apigateway.amazonaws.com"
    ]
    api = named(template, "AWS::ApiGateway::RestApi", "RestApi")[0]
    assert (allowed["Action"], allowed["Principal"]) == ("lambda:InvokeFunction", "apigateway.amazonaws.com")
    assert allowed["FunctionName"] == live(template, "Rest")
    assert text(allowed["SourceArn"]).endswith(f":<AWS::AccountId>:<{api}>/*/*/*")


# ── workflow, watch, logs ─────────────────────────────────────────────────────────────────────────────────────────


def the_state_machine_is_standard_logged_without_data_and_traced(template: Template) -> None:
    machine = only(template, "AWS::StepFunctions::StateMachine")
    assert machine["StateMachineType"] == "STANDARD"
    assert machine["TracingConfiguration"] == {"Enabled": True}
    logged = machine["LoggingConfiguration"]
    group = named(template, "AWS::Logs::LogGroup", "WorkflowLogs")[0]
    assert logged["Destinations"] == [{"CloudWatchLogsLogGroup": {"LogGroupArn": get(group)}}]
    assert (logged["Level"], logged.get("IncludeExecutionData", False)) == ("ALL", False)
    assert machine["RoleArn"] == get(named(template, "AWS::IAM::Role", "WorkflowRole")[0])


def logs_end(template: Template) -> None:
    groups = resources(template, "AWS::Logs::LogGroup")
    assert len(groups) == len(FUNCTIONS) + 3
    assert all(group["RetentionInDays"] == 7 for group in groups.values())
    vended = named(template, "AWS::Logs::LogGroup", "WorkflowLogs")[1]["LogGroupName"]
    assert vended == "/aws/vendedlogs/states/orders-dev", "the account's policy for logs has room for few others"
    api = named(template, "AWS::AppSync::GraphQLApi", "GraphqlApi")[0]
    name = named(template, "AWS::Logs::LogGroup", "GraphqlLogs")[1]["LogGroupName"]
    assert text(name) == f"/aws/appsync/apis/<{api}.ApiId>"


def the_secrets_are_made_and_told_to_nobody(template: Template) -> None:
    secrets = resources(template, "AWS::SecretsManager::Secret").values()
    assert [secret["GenerateSecretString"] for secret in secrets] == [{}, {}, {}]


def everything_bears_its_tags(template: Template) -> None:
    for key, it in template["Resources"].items():
        found = it.get("Properties", {}).get("Tags")
        if it["Type"] in TAGGED:
            assert found == tags()["Tags"], key
    assert only(template, "AWS::Budgets::Budget")["ResourceTags"] == tags()["Tags"]
    pool = only(template, "AWS::Cognito::UserPool")["UserPoolTags"]
    assert pool == {tag["Key"]: tag["Value"] for tag in tags()["Tags"]}


TAGGED = {
    "AWS::Lambda::Function",
    "AWS::DynamoDB::Table",
    "AWS::SQS::Queue",
    "AWS::SNS::Topic",
    "AWS::IAM::Role",
    "AWS::StepFunctions::StateMachine",
    "AWS::ApiGateway::RestApi",
    "AWS::ApiGateway::Stage",
    "AWS::AppSync::GraphQLApi",
    "AWS::Logs::LogGroup",
    "AWS::CloudWatch::Alarm",
    "AWS::SecretsManager::Secret",
    "AWS::Events::Rule",
    "AWS::CodeDeploy::DeploymentGroup",
    "AWS::XRay::SamplingRule",
    "AWS::WAFv2::WebACL",
}


APIS = (
    every_field_is_resolved_by_the_one_function,
    orders_go_straight_to_the_queue_and_all_else_to_the_function,
    the_api_itself_answers_with_our_errors,
    the_rest_api_is_regional_and_named_by_its_stage,
    the_rest_api_takes_no_tls_older_than_1_2,
    only_what_there_is_on_aws_is_published,
    the_rest_stage_is_throttled_logged_and_traced,
    the_api_may_call_its_function,
    the_state_machine_is_standard_logged_without_data_and_traced,
    logs_end,
    the_secrets_are_made_and_told_to_nobody,
    everything_bears_its_tags,
)
