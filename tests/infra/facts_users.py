"""Facts about who may call."""

import re

from graphql import ObjectTypeDefinitionNode, parse

from expediter.api.graphql import RESOLVERS
from expediter.app.access import GROUPS, Scope
from infra.api.openapi import EVENTS
from tests.infra.facts_api import operations
from tests.infra.reading import Template, get, live, named, only, resources, text


def users_sign_in_and_there_are_no_keys(template: Template) -> None:
    pool = named(template, "AWS::Cognito::UserPool", "UsersPool")[0]
    api = only(template, "AWS::AppSync::GraphQLApi")
    assert api["AuthenticationType"] == "AMAZON_COGNITO_USER_POOLS"
    assert api["UserPoolConfig"] == {
        "AwsRegion": {"Ref": "AWS::Region"},
        "DefaultAction": "ALLOW",
        "UserPoolId": {"Ref": pool},
    }
    assert api["AdditionalAuthenticationProviders"] == [{"AuthenticationType": "AWS_IAM"}]
    assert (api["XrayEnabled"], api["QueryDepthLimit"], api["ResolverCountLimit"]) == (True, 10, 100)
    assert api["Name"] == "orders-dev"
    logged = api["LogConfig"]
    assert (logged["FieldLogLevel"], logged["ExcludeVerboseContent"]) == ("ERROR", True)
    assert logged["CloudWatchLogsRoleArn"] == get(named(template, "AWS::IAM::Role", "GraphqlLogRole")[0])
    assert resources(template, "AWS::AppSync::ApiKey") == {}


def the_user_pool_is_strict_and_has_operators(template: Template) -> None:
    key, pool = named(template, "AWS::Cognito::UserPool", "UsersPool")
    assert pool["Policies"]["PasswordPolicy"] == {
        "MinimumLength": 12,
        **dict.fromkeys(("RequireLowercase", "RequireNumbers", "RequireSymbols", "RequireUppercase"), True),
    }
    assert (pool["UsernameAttributes"], pool["AutoVerifiedAttributes"]) == (["email"], ["email"])
    assert (pool["MfaConfiguration"], pool["EnabledMfas"]) == ("OPTIONAL", ["SOFTWARE_TOKEN_MFA"])
    assert pool["AccountRecoverySetting"] == {"RecoveryMechanisms": [{"Name": "verified_email", "Priority": 1}]}
    assert pool["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": False}
    assert pool["DeletionProtection"] == "INACTIVE"
    groups = resources(template, "AWS::Cognito::UserPoolGroup").values()
    assert sorted((it["GroupName"], it["Description"].split()[-1][:-1]) for it in groups) == sorted(GROUPS.items())
    assert all(group["UserPoolId"] == {"Ref": key} for group in groups)
    client = named(template, "AWS::Cognito::UserPoolClient", "UsersPoolClient")[1]
    assert client["UserPoolId"] == {"Ref": key}
    assert client["PreventUserExistenceErrors"] == "ENABLED"
    assert set(client["ExplicitAuthFlows"]) == {
        "ALLOW_ADMIN_USER_PASSWORD_AUTH",
        "ALLOW_USER_SRP_AUTH",
        "ALLOW_REFRESH_TOKEN_AUTH",
    }
    assert not client.get("GenerateSecret", False)
    assert client["AllowedOAuthFlowsUserPoolClient"] is False
    assert client["SupportedIdentityProviders"] == ["COGNITO"]


def programs_have_credentials_of_their_own_and_named_scopes(template: Template) -> None:
    pool = {"Ref": named(template, "AWS::Cognito::UserPool", "UsersPool")[0]}
    server_key, server = named(template, "AWS::Cognito::UserPoolResourceServer", "UsersPoolScopes")
    assert (server["Identifier"], server["UserPoolId"]) == ("expediter", pool)
    assert [it["ScopeName"] for it in server["Scopes"]] == list(Scope)
    program = named(template, "AWS::Cognito::UserPoolClient", "UsersPoolProgram")[1]
    assert (program["GenerateSecret"], program["UserPoolId"]) == (True, pool)
    assert program["SupportedIdentityProviders"] == ["COGNITO"]
    assert (program["AllowedOAuthFlows"], program["AllowedOAuthFlowsUserPoolClient"]) == (["client_credentials"], True)
    assert [text(it) for it in program["AllowedOAuthScopes"]] == [
        f"<{server_key}>/orders:read",
        f"<{server_key}>/orders:write",
    ]
    domain = only(template, "AWS::Cognito::UserPoolDomain")
    assert (text(domain["Domain"]), domain["UserPoolId"]) == ("orders-dev-<AWS::AccountId>", pool)


def every_call_needs_a_user(template: Template) -> None:
    body = only(template, "AWS::ApiGateway::RestApi")["Body"]
    pool = named(template, "AWS::Cognito::UserPool", "UsersPool")[0]
    scheme = body["components"]["securitySchemes"]["users"]
    assert scheme == {
        "type": "apiKey",
        "name": "Authorization",
        "in": "header",
        "x-amazon-apigateway-authtype": "cognito_user_pools",
        "x-amazon-apigateway-authorizer": {"type": "cognito_user_pools", "providerARNs": [get(pool)]},
    }
    for _, operation in operations(body):
        if operation["operationId"] in EVENTS:
            continue  # a signature stands for the sender
        allowed = [Scope.ORDERS_WRITE] if operation["operationId"] == "postOrder" else list(Scope)
        ours = [f"expediter/{scope}" for scope in allowed]
        assert operation["security"] == [{"users": ["aws.cognito.signin.user.admin", "openid", *ours]}]


def every_field_is_for_users_and_one_for_the_system_alone(template: Template) -> None:
    """A field without a directive takes the API's default, the user pool; its function looks at groups and scopes.

    https://docs.aws.amazon.com/appsync/latest/devguide/security-authz.html
    """
    document = parse(only(template, "AWS::AppSync::GraphQLSchema")["Definition"])
    types = {it.name.value: it for it in document.definitions if isinstance(it, ObjectTypeDefinitionNode)}
    said = {
        f"{name}.{field.name.value}": [one.name.value for one in field.directives or ()]
        for name, it in types.items()
        if name in {"Query", "Mutation", "Subscription"}
        for field in it.fields or ()
    }
    others = {"Mutation.publishOrder": ["aws_iam"], "Subscription.orderUpdated": ["aws_subscribe"]}
    assert said == {field: others.get(field, []) for field in RESOLVERS}
    on_types = {name: sorted(one.name.value for one in it.directives or ()) for name, it in types.items()}
    both = ["aws_cognito_user_pools", "aws_iam"]
    roots: dict[str, list[str]] = {"Query": [], "Mutation": [], "Subscription": []}
    assert on_types == {**roots, **dict.fromkeys(("Order", "Payment", "Metadata", "Item"), both)}


def access_tokens_tell_the_address_that_was_verified(template: Template) -> None:
    key, pool = named(template, "AWS::Cognito::UserPool", "UsersPool")
    called = live(template, "Tokens")
    assert pool["LambdaConfig"] == {"PreTokenGenerationConfig": {"LambdaArn": called, "LambdaVersion": "V2_0"}}
    assert pool["UserPoolTier"] == "ESSENTIALS", "Lite has no claims of ours in access tokens"
    (allowed,) = [it for it in resources(template, "AWS::Lambda::Permission").values() if it["FunctionName"] == called]
    assert (allowed["Principal"], allowed["SourceArn"]) == ("cognito-idp.amazonaws.com", get(key))
    assert allowed["Action"] == "lambda:InvokeFunction"


def codes_are_mailed_by_ses_where_there_is_a_sender(template: Template) -> None:
    pool = named(template, "AWS::Cognito::UserPool", "UsersPool")[1]
    name, by_ses, by_cognito = pool["EmailConfiguration"]["Fn::If"]
    assert template["Conditions"][name] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "MailFrom"}, ""]}]}
    assert (by_ses["EmailSendingAccount"], by_ses["From"]) == ("DEVELOPER", {"Ref": "MailFrom"})
    identity = "arn:<AWS::Partition>:ses:<AWS::Region>:<AWS::AccountId>:identity/<MailFrom>"
    assert text(by_ses["SourceArn"]) == identity
    assert by_cognito == {"EmailSendingAccount": "COGNITO_DEFAULT"}


def one_user_and_one_address_call_so_often_and_no_more(template: Template) -> None:
    acl_key, acl = named(template, "AWS::WAFv2::WebACL", "LimitsAcl")
    user, address = (rule["Statement"]["RateBasedStatement"] for rule in acl["Rules"])
    token = {"Name": "authorization", "TextTransformations": [{"Priority": 0, "Type": "NONE"}]}
    by_token = {"AggregateKeyType": "CUSTOM_KEYS", "CustomKeys": [{"Header": token}], "EvaluationWindowSec": 60}
    assert user == {**by_token, "Limit": {"Ref": "CallsPerUser"}}
    assert address == {"AggregateKeyType": "IP", "EvaluationWindowSec": 60, "Limit": 6000}
    for rule in acl["Rules"]:
        answer = rule["Action"]["Block"]["CustomResponse"]
        assert answer == {"ResponseCode": 429, "ResponseHeaders": [{"Name": "Retry-After", "Value": "60"}]}
    for one, name in ((acl, "Orders"), *zip(acl["Rules"], ("User", "Address"), strict=True)):
        counted = {"CloudWatchMetricsEnabled": True, "MetricName": name}
        assert one["VisibilityConfig"] == {**counted, "SampledRequestsEnabled": False}, "a sample holds the token"
    assert [(rule["Name"], rule["Priority"]) for rule in acl["Rules"]] == [("User", 0), ("Address", 1)]
    assert (acl["Scope"], acl["DefaultAction"]) == ("REGIONAL", {"Allow": {}})
    found = resources(template, "AWS::WAFv2::WebACLAssociation").values()
    assert all(it["WebACLArn"] == get(acl_key) for it in found)
    graphql = named(template, "AWS::AppSync::GraphQLApi", "GraphqlApi")[0]
    guarded = sorted(text(it["ResourceArn"]) for it in found)
    assert guarded[0] == f"<{graphql}.Arn>"
    assert re.fullmatch(r"arn:<AWS::Partition>:apigateway:<AWS::Region>::/restapis/<\w+>/stages/<\w+>", guarded[1])


USERS = (
    access_tokens_tell_the_address_that_was_verified,
    codes_are_mailed_by_ses_where_there_is_a_sender,
    one_user_and_one_address_call_so_often_and_no_more,
    users_sign_in_and_there_are_no_keys,
    the_user_pool_is_strict_and_has_operators,
    programs_have_credentials_of_their_own_and_named_scopes,
    every_call_needs_a_user,
    every_field_is_for_users_and_one_for_the_system_alone,
)
