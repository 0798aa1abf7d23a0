"""Facts about rights: a table of what each role may do, no more and no less, held against the policies as IAM reads
them (moto's evaluation of single statements), and who may take each role on."""

import json
from collections.abc import Iterable
from functools import cache
from typing import Any

from moto.iam.access_control import IAMPolicy, PermissionResult

from expediter.aws.functions.table import FUNCTIONS, TASK_FUNCTIONS
from tests.infra.reading import Template, function, named, plain, resources, text

READ_ROW = [("dynamodb:GetItem", "<StoreOrders.Arn>"), ("dynamodb:GetItem", "<StoreClaims.Arn>")]
ROW = [*READ_ROW, ("dynamodb:PutItem", "<StoreOrders.Arn>")]
LEDGER, MAIL = ("dynamodb:UpdateItem", "<StoreLedger.Arn>"), ("dynamodb:UpdateItem", "<StoreMail.Arn>")
CLAIM = ("dynamodb:UpdateItem", "<StoreClaims.Arn>")
INDEXES = ("by_user", "by_restaurant", "by_status", "by_time")
LIST = [("dynamodb:BatchGetItem", "<StoreOrders.Arn>")]
LIST += [("dynamodb:Query", f"<StoreOrders.Arn>/index/{name}") for name in INDEXES]
SECRET = ("secretsmanager:GetSecretValue", "<RestaurantSecret>")
TOKEN = ("secretsmanager:GetSecretValue", "<PaymentsToken>")
SIGNED = ("secretsmanager:GetSecretValue", "<EventSecrets>")
SEND = ("sqs:SendMessage", "<MessagesOrders.Arn>")
ONCE = [(f"dynamodb:{action}Item", "<StoreEvents.Arn>") for action in ("Get", "Put")]
#: A task's token is all that this action knows, so it takes no resource.
WAKE = ("states:SendTaskSuccess", "*")
_RECEIVE = ("ChangeMessageVisibility", "DeleteMessage", "GetQueueAttributes", "ReceiveMessage")
_STREAM = ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")
_ARN = "arn:<AWS::Partition>"
_HERE = "<AWS::Region>:<AWS::AccountId>"


def receive(queue: str) -> list[tuple[str, str]]:
    return [(f"sqs:{action}", f"<Messages{queue}.Arn>") for action in _RECEIVE]


def follow(table: str) -> list[tuple[str, str]]:
    reading = [(f"dynamodb:{action}", f"<Store{table}.StreamArn>") for action in _STREAM]
    return [*reading, ("sqs:SendMessage", "<MessagesDropped.Arn>")]


#: What sends a mail, and what tells subscribers of an order.
POST = [
    ("dynamodb:GetItem", "<StoreMail.Arn>"),
    MAIL,
    ("sns:Publish", "<MessagesOperators>"),
    ("ses:SendEmail", f"{_ARN}:ses:{_HERE}:identity/<MailFrom>"),
]
TELL = [
    ("appsync:GraphQL", f"{_ARN}:appsync:{_HERE}:apis/<GraphqlApi.ApiId>/types/Mutation/fields/publishOrder"),
    ("dynamodb:UpdateItem", "<StoreOrders.Arn>"),
]

#: role → what it may do with what. Nothing else.
MAY: dict[str, list[tuple[str, str]]] = {
    "InitializeOrder": [*ROW, CLAIM],
    "ProcessPayment": [*ROW, LEDGER, MAIL, TOKEN],
    "AwaitPayment": ROW,
    "SendOrderToRestaurant": [*ROW, SECRET],
    "CompleteOrder": [*ROW, MAIL],
    "OweRefund": [*ROW, SECRET],
    "RefundPayment": [*ROW, LEDGER, TOKEN],
    "CancelFailedOrder": [*ROW, LEDGER, MAIL, TOKEN],
    "Tokens": [],
    "Intake": [
        ("dynamodb:GetItem", "<StoreClaims.Arn>"),
        CLAIM,
        ("sqs:SendMessage", "<MessagesDeadLetters.Arn>"),
        ("states:StartExecution", "<WorkflowOrders>"),
        *receive("Orders"),
    ],
    "Events": [
        *ROW,
        *ONCE,
        ("sqs:SendMessage", "<MessagesDeadEvents.Arn>"),
        *receive("Events"),
        *(LEDGER, ("dynamodb:Query", "<StoreLedger.Arn>"), MAIL, TOKEN),
        SIGNED,
        WAKE,
    ],
    "Rest": [
        *[*ROW, *LIST, *ONCE, SEND, WAKE],
        ("states:GetExecutionHistory", f"{_ARN}:states:{_HERE}:execution:<WorkflowOrders.Name>:*"),
        *receive("DeadLetters"),
        *(("sqs:SendMessage", "<MessagesEvents.Arn>"), ("dynamodb:Query", "<StoreLedger.Arn>")),
    ],
    "Graphql": [*ROW, *LIST, *ONCE, CLAIM, SEND, WAKE],
    "Mailer": [*POST, *follow("Mail")],
    "Publisher": [*TELL, *follow("Orders")],
    "Figures": [
        *READ_ROW,
        ("dynamodb:BatchGetItem", "<StoreOrders.Arn>"),
        ("dynamodb:Query", "<StoreOrders.Arn>/index/by_status"),
        ("states:ListExecutions", "<WorkflowOrders>"),
    ],
    "Sweeper": [
        *POST,
        *TELL,
        ("dynamodb:Query", "<StoreOrders.Arn>/index/untold"),
        ("dynamodb:Query", "<StoreMail.Arn>/index/unsent"),
    ],
}

#: What nobody may do, whatever comes to be added.
NEVER = [
    "dynamodb:Scan",
    "dynamodb:DeleteItem",
    "dynamodb:DeleteTable",
    "dynamodb:BatchWriteItem",
    "sqs:PurgeQueue",
    "sqs:DeleteQueue",
    "states:StopExecution",
    "states:DeleteStateMachine",
    "iam:PassRole",
    "sts:AssumeRole",
    "kms:Decrypt",
    "s3:GetObject",
    "lambda:UpdateFunctionCode",
    "cognito-idp:AdminAddUserToGroup",
]

#: What each function must not do, though another may: said apart from MAY, so that a line too many there is noticed.
ORDER, START = ("dynamodb:PutItem", "<StoreOrders.Arn>"), ("states:StartExecution", "<WorkflowOrders>")
NEWS, LOOK = ("sns:Publish", "<MessagesOperators>"), ("dynamodb:Query", "<StoreOrders.Arn>/index/by_status")
TAKE, DEAD = ("sqs:ReceiveMessage", "<MessagesOrders.Arn>"), ("sqs:DeleteMessage", "<MessagesDeadLetters.Arn>")
MUST_NOT: dict[str, list[tuple[str, str]]] = {
    "InitializeOrder": [TOKEN, LEDGER, MAIL, SECRET, SEND, START, LOOK],
    "ProcessPayment": [SECRET, CLAIM, SEND, START, LOOK],
    "AwaitPayment": [TOKEN, LEDGER, MAIL, SECRET, SIGNED, CLAIM, SEND, START, LOOK, WAKE],
    "SendOrderToRestaurant": [TOKEN, LEDGER, MAIL, CLAIM, SEND, START, LOOK],
    "CompleteOrder": [TOKEN, LEDGER, SECRET, CLAIM, SEND, START, LOOK],
    "OweRefund": [TOKEN, LEDGER, MAIL, CLAIM, SEND, START, LOOK],
    "RefundPayment": [MAIL, SECRET, CLAIM, SEND, START, LOOK],
    "CancelFailedOrder": [SECRET, CLAIM, SEND, START, LOOK],
    "Tokens": [TOKEN, ORDER, LEDGER, MAIL, SECRET, CLAIM, SEND, START, NEWS, LOOK, TAKE, DEAD],
    "Intake": [TOKEN, ORDER, LEDGER, MAIL, SECRET, SEND, NEWS, LOOK, DEAD],
    "Events": [SECRET, CLAIM, SEND, START, NEWS, LOOK, TAKE, DEAD],
    "Rest": [TOKEN, LEDGER, MAIL, SECRET, SIGNED, START, NEWS, TAKE],
    "Graphql": [TOKEN, LEDGER, MAIL, SECRET, START, NEWS, TAKE, DEAD],
    "Mailer": [TOKEN, ORDER, LEDGER, SECRET, CLAIM, SEND, START, LOOK, TAKE, DEAD],
    "Publisher": [TOKEN, ORDER, LEDGER, MAIL, SECRET, CLAIM, SEND, START, NEWS, LOOK, TAKE, DEAD],
    "Figures": [TOKEN, ORDER, LEDGER, MAIL, SECRET, CLAIM, SEND, START, NEWS, TAKE, DEAD],
    "Sweeper": [TOKEN, ORDER, LEDGER, SECRET, CLAIM, SEND, START, LOOK, TAKE, DEAD],
}

#: Money moves and mails go out only where they should: who may write which table.
WRITERS = {
    "<StoreLedger.Arn>": {"ProcessPayment", "RefundPayment", "CancelFailedOrder", "Events"},
    "<StoreMail.Arn>": {"ProcessPayment", "CompleteOrder", "CancelFailedOrder", "Events", "Mailer", "Sweeper"},
    "<StoreOrders.Arn>": {*TASK_FUNCTIONS, "Events", "Rest", "Graphql", "Publisher", "Sweeper"},
}


def rights(template: Template, role: str) -> list[dict[str, Any]]:
    """The statements of a role's own policies; ``anywhere`` is what all functions have together."""
    key, shared = named(template, "AWS::IAM::Role", role)[0], anywhere(template)[0]
    found = resources(template, "AWS::IAM::Policy")
    policies = [it for name, it in found.items() if name != shared and {"Ref": key} in it["Roles"]]
    return [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]


def anywhere(template: Template) -> tuple[str, Any]:
    return named(template, "AWS::IAM::Policy", "FunctionsAnywhere")


def every_function_may_tell_x_ray_of_itself_in_its_own_region(template: Template) -> None:
    _, policy = anywhere(template)
    roles = {key for key in resources(template, "AWS::IAM::Role") if key.startswith("Functions")}
    assert {role["Ref"] for role in policy["Roles"]} == roles
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert {name: it for name, it in statement.items() if name != "Condition"} == {
        "Action": ["xray:PutTelemetryRecords", "xray:PutTraceSegments"],
        "Effect": "Allow",
        "Resource": "*",
    }
    for name in FUNCTIONS:
        key = function(template, name)[0]
        assert anywhere(template)[0] in template["Resources"][key]["DependsOn"], "Lambda looks when it makes one"


def pairs(statements: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """(action, resource) of every statement; every one allows."""
    found = []
    for statement in statements:
        assert statement["Effect"] == "Allow"
        assert set(statement) == {"Action", "Effect", "Resource"}
        actions, targets = listed(statement["Action"]), listed(statement["Resource"])
        found += [(action, plain(text(target))) for action in actions for target in targets]
    return found


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def every_function_may_do_exactly_what_the_table_says(template: Template) -> None:
    assert MAY.keys() == FUNCTIONS.keys()
    for name, may in MAY.items():
        found = pairs(rights(template, f"Functions{name}Role"))
        own = [(action, f"<Functions{name}Logs.Arn>") for action in ("logs:CreateLogStream", "logs:PutLogEvents")]
        assert sorted(found) == sorted([*may, *own]), name


def nobody_may_do_what_nobody_may(template: Template) -> None:
    """As IAM reads the policies, not as we wrote them."""
    targets = {target for may in MAY.values() for _, target in may}
    for name in FUNCTIONS:
        allowed = permitted(template, name, [(action, target) for action in NEVER for target in targets])
        assert allowed == set(), name


def each_function_may_do_its_own_and_nothing_of_another_s(template: Template) -> None:
    """The whole matrix, as IAM reads the policies: every function against everything that any of them may do."""
    every = {pair for may in MAY.values() for pair in may}
    assert MUST_NOT.keys() == MAY.keys()
    for name, may in MAY.items():
        assert permitted(template, name, every) == set(may), name
        assert permitted(template, name, MUST_NOT[name]) == set(), name


def permitted(template: Template, name: str, asked: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """The pairs of action and resource that the function's role is allowed."""
    policies = []
    for statement in rights(template, f"Functions{name}Role"):
        resolved = {**statement, "Resource": [plain(text(one)) for one in listed(statement["Resource"])]}
        policies.append(json.dumps({"Version": "2012-10-17", "Statement": [resolved]}))
    return {pair for pair in asked if any(allows(policy, *pair) for policy in policies)}


@cache  # mutants differ in one policy
def allows(policy: str, action: str, target: str) -> bool:
    return read_policy(policy).is_action_permitted(action, target) == PermissionResult.PERMITTED


read_policy = cache(IAMPolicy)


def only_these_write(template: Template) -> None:
    for table, writers in WRITERS.items():
        found = {
            name
            for name in FUNCTIONS
            for action, target in pairs(rights(template, f"Functions{name}Role"))
            if target == table and action in {"dynamodb:PutItem", "dynamodb:UpdateItem"}
        }
        assert found == writers, table


def the_services_may_do_one_thing_each(template: Template) -> None:
    sent = [("sqs:SendMessage", "<MessagesEvents.Arn>"), SEND]
    assert sorted(pairs(rights(template, "RestQueueRole"))) == sorted(sent)
    assert pairs(rights(template, "GraphqlCallRole")) == [("lambda:InvokeFunction", "<FunctionsGraphqlLive>")]
    assert {target for _, target in pairs(rights(template, "GraphqlLogRole"))} == {"<GraphqlLogs.Arn>"}
    assert len(pairs(rights(template, "GraphqlLogRole"))) == 2
    calls, delivery = rights(template, "WorkflowRole")
    invoked = [("lambda:InvokeFunction", f"<Functions{name}.Arn>:*") for name in TASK_FUNCTIONS]
    assert sorted(pairs([calls])) == sorted(invoked)
    assert (delivery["Resource"], delivery["Effect"]) == ("*", "Allow")
    assert delivery["Condition"] == {"StringEquals": {"aws:RequestedRegion": {"Ref": "AWS::Region"}}}
    assert set(delivery["Action"]) == DELIVERY


#: The actions that AWS defines no resources for (the rows of its Service Authorization Reference have none).
DELIVERY = {
    *(f"logs:{action}LogDelivery" for action in ("Create", "Delete", "Get", "Update")),
    *(f"logs:{action}" for action in ("ListLogDeliveries", "DescribeLogGroups")),
    *(f"logs:{action}" for action in ("DescribeResourcePolicies", "PutResourcePolicy")),
    *(f"xray:{action}" for action in ("GetSamplingRules", "GetSamplingTargets")),
    *(f"xray:{action}" for action in ("PutTelemetryRecords", "PutTraceSegments")),
}


def few_statements_are_allowed_on_everything_under_a_condition_or_by_a_token(template: Template) -> None:
    found = []
    for key, policy in resources(template, "AWS::IAM::Policy").items():
        for statement in policy["PolicyDocument"]["Statement"]:
            assert not any("*" in action for action in listed(statement["Action"])), key
            if any(text(resource) in {"*", "arn:*"} for resource in listed(statement["Resource"])):
                found.append(key)
                if statement["Action"] == WAKE[0]:
                    continue
                assert statement["Condition"]["StringEquals"] == {"aws:RequestedRegion": {"Ref": "AWS::Region"}}, key
    waking = [f"Functions{name}RoleDefaultPolicy" for name in ("Events", "Graphql", "Rest")]
    assert sorted(key[:-8] for key in found) == ["FunctionsAnywhere", *waking, "WorkflowRoleDefaultPolicy"]


def no_role_has_rights_where_the_check_for_everything_does_not_look(template: Template) -> None:
    """cdk-nag does not look into them, so a bare ``*`` could hide there."""
    hidden = ("AWS::IAM::RolePolicy", "AWS::IAM::ManagedPolicy", "AWS::IAM::UserPolicy", "AWS::IAM::GroupPolicy")
    assert [kind for kind in hidden if resources(template, kind)] == []
    assert not any("Policies" in role for role in resources(template, "AWS::IAM::Role").values())


#: AWS's own policies, of which each is what one service needs here.
MANAGED = {
    "RestApiCloudWatchRole": ["AmazonAPIGatewayPushToCloudWatchLogs"],
    "ReleaseRole": ["AWSCodeDeployRoleForLambdaLimited"],
}


def a_role_is_taken_on_by_its_service_alone(template: Template) -> None:
    services = {
        "Release": "codedeploy",
        "Functions": "lambda",
        "Workflow": "states",
        "Rest": "apigateway",
        "Graphql": "appsync",
    }
    for key, role in resources(template, "AWS::IAM::Role").items():
        service = next(service for prefix, service in services.items() if key.startswith(prefix))
        assert role["AssumeRolePolicyDocument"]["Version"] == "2012-10-17"
        (trusted,) = role["AssumeRolePolicyDocument"]["Statement"]
        condition = trusted.get("Condition")
        assert trusted == {
            "Action": "sts:AssumeRole",
            "Effect": "Allow",
            "Principal": {"Service": f"{service}.amazonaws.com"},
            **({"Condition": condition} if service == "states" else {}),
        }
        if service == "states":
            assert condition["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
            assert text(condition["ArnLike"]["aws:SourceArn"]) == f"{_ARN}:states:{_HERE}:stateMachine:*"
        managed = [text(arn).rpartition("/")[2] for arn in role.get("ManagedPolicyArns", [])]
        assert managed == MANAGED.get(key[:-8], []), key


def policies_belong_to_their_role_and_functions_to_theirs(template: Template) -> None:
    for key, policy in resources(template, "AWS::IAM::Policy").items():
        assert policy["PolicyDocument"]["Version"] == "2012-10-17"
        assert policy["PolicyName"]
        if key != anywhere(template)[0]:
            ((_, role),) = policy["Roles"][0].items()
            assert len(policy["Roles"]) == 1
            assert key.startswith(role[:-8]), key
    assert len({str(function(template, name)[1]["Role"]) for name in FUNCTIONS}) == len(FUNCTIONS)


RIGHTS = (
    every_function_may_do_exactly_what_the_table_says,
    nobody_may_do_what_nobody_may,
    each_function_may_do_its_own_and_nothing_of_another_s,
    only_these_write,
    the_services_may_do_one_thing_each,
    every_function_may_tell_x_ray_of_itself_in_its_own_region,
    few_statements_are_allowed_on_everything_under_a_condition_or_by_a_token,
    no_role_has_rights_where_the_check_for_everything_does_not_look,
    a_role_is_taken_on_by_its_service_alone,
    policies_belong_to_their_role_and_functions_to_theirs,
)
