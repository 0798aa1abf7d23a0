"""Facts about the contracts, the functions, the queues, the tables and the topics."""

import json
from functools import cache
from typing import Any

from graphql import GraphQLError, build_schema, parse, validate_schema

from expediter import contracts
from expediter.asl import parse as parse_workflow
from expediter.asl import substitute
from expediter.aws.functions.table import FUNCTIONS, TASK_FUNCTIONS
from expediter.aws.stores.tables import TABLES
from expediter.embedded.web.graphql.executor import PRELUDE
from infra.api.openapi import NULL, published
from infra.messages import VISIBILITY
from tests.infra.reading import Template, function, get, live, named, only, resources, settings, tags, text, version

# ── the contracts ─────────────────────────────────────────────────────────────────────────────────────────────────


def the_workflow_is_the_contract(template: Template) -> None:
    machine = only(template, "AWS::StepFunctions::StateMachine")
    contract, filled = contracts.read("order.asl.json").decode(), machine["DefinitionSubstitutions"]
    assert machine["DefinitionString"].replace("${Partition}", "aws") == contract
    versions = {name: {"Ref": version(template, name)[0]} for name in TASK_FUNCTIONS}
    assert filled == {**versions, "Partition": {"Ref": "AWS::Partition"}}
    names = {**{name: name for name in filled}, "Partition": "aws"}
    workflow = parse_workflow(substitute(json.loads(machine["DefinitionString"]), names))
    awaited = "arn:aws:states:::lambda:invoke.waitForTaskToken"
    assert workflow.resources == {*TASK_FUNCTIONS.keys() - {"AwaitPayment"}, awaited}
    assert workflow.definition["States"]["AwaitPayment"]["Parameters"]["FunctionName"] == "AwaitPayment"


def the_schema_is_the_contract(template: Template) -> None:
    found = only(template, "AWS::AppSync::GraphQLSchema")
    definition = found["Definition"]
    assert definition == contracts.read("schema.graphql").decode()
    assert schema_faults(definition) == []
    assert set(found) == {"ApiId", "Definition"}


@cache
def schema_faults(definition: str) -> list[GraphQLError]:
    parse(definition)
    return validate_schema(build_schema(PRELUDE + definition))


def the_rest_api_is_the_contract(template: Template) -> None:
    body = only(template, "AWS::ApiGateway::RestApi")["Body"]
    contract = bare(json.loads(contracts.read("openapi.json")))
    assert bare(body) == {**contract, "paths": published(contract["paths"])}


def bare(value: Any) -> Any:
    """The document without what only API Gateway reads, and with null as the contract writes it."""
    if isinstance(value, list):
        return [bare(one) for one in value]
    if not isinstance(value, dict):
        return value
    ours = {"securitySchemes", "security"}
    found = {key: bare(it) for key, it in value.items() if key not in ours and not key.startswith("x-amazon-")}
    if found.get("not") == NULL:
        del found["not"]
        found["enum"] = [None]
    return found


# ── functions ─────────────────────────────────────────────────────────────────────────────────────────────────────


def every_function_of_the_table_is_there_and_no_other(template: Template) -> None:
    found = resources(template, "AWS::Lambda::Function")
    assert {it["Handler"] for it in found.values()} == set(FUNCTIONS.values())
    for name, handler in FUNCTIONS.items():
        key, it = function(template, name)
        assert it["Handler"] == handler
        assert it["Role"] == get(named(template, "AWS::IAM::Role", f"Functions{name}Role")[0])
        group = named(template, "AWS::Logs::LogGroup", f"Functions{name}Logs")[0]
        assert it["LoggingConfig"] == {"LogFormat": "JSON", "LogGroup": {"Ref": group}, "SystemLogLevel": "WARN"}
        assert (it["Runtime"], it["Architectures"], it["MemorySize"]) == ("python3.14", ["arm64"], 512)
        assert it["Timeout"] == 28
        followed = name in {"Intake", "Events", "Mailer", "Publisher"}
        assert it["TracingConfig"] == {"Mode": "PassThrough" if followed else "Active"}
        assert "VpcConfig" not in it
        assert set(it["Code"]) == {"S3Bucket", "S3Key"}
        assert settings(template, name) == SETTINGS[name], key


_ROW = {"orders_table": "<StoreOrders>", "claims_table": "<StoreClaims>"}
_PARTIES = {"payments": "<Payments>", "restaurant": "<Restaurant>"}
_TASK = {**_ROW, **_PARTIES}
_LEDGER, _MAIL = {"ledger_table": "<StoreLedger>"}, {"mail_table": "<StoreMail>"}
_TOKEN = {"payments_token": "<PaymentsToken>"}
_SECRET = {"restaurant_secret": "<RestaurantSecret>"}
_API = {
    **_ROW,
    "events_table": "<StoreEvents>",
    "queue_url": "<MessagesOrders>",
    "hold_seconds": "<HoldSeconds>",
}
_SENDS = {"topic": "<MessagesOperators>", "mail_from": "<MailFrom>"}
_ORDERS, _NEWS = {"orders_table": "<StoreOrders>"}, {"graphql_url": "<GraphqlApi.GraphQLUrl>"}
_MACHINE = {"state_machine": "<WorkflowOrders>"}

#: What each function is told.
SETTINGS: dict[str, dict[str, str]] = {
    "InitializeOrder": _TASK,
    "ProcessPayment": {**_TASK, **_TOKEN, **_LEDGER, **_MAIL, "payment_wait_seconds": "<PaymentWaitSeconds>"},
    "AwaitPayment": _TASK,
    "SendOrderToRestaurant": {**_TASK, **_SECRET},
    "CompleteOrder": {**_TASK, **_MAIL},
    "OweRefund": {**_TASK, **_SECRET},
    "RefundPayment": {**_TASK, **_TOKEN, **_LEDGER},
    "CancelFailedOrder": {**_TASK, **_TOKEN, **_LEDGER, **_MAIL},
    "Tokens": {},
    "Intake": {
        "claims_table": "<StoreClaims>",
        "dead_letter_url": "<MessagesDeadLetters>",
        "state_machine": "<ReleaseOrders.Arn>",
        "queue_url": "<MessagesOrders>",
        "hold_seconds": "<HoldSeconds>",
    },
    "Events": {
        **_TASK,
        **_TOKEN,
        **_LEDGER,
        **_MAIL,
        "events_table": "<StoreEvents>",
        "events_url": "<MessagesEvents>",
        "dead_events_url": "<MessagesDeadEvents>",
        "event_secrets": "<EventSecrets>",
        "stage": "dev",
    },
    "Rest": {
        **_API,
        **_MACHINE,
        **_LEDGER,
        "dead_letter_url": "<MessagesDeadLetters>",
        "events_url": "<MessagesEvents>",
    },
    "Graphql": _API,
    "Mailer": {**_MAIL, **_SENDS},
    "Publisher": {**_ORDERS, **_NEWS},
    "Figures": {**_ROW, **_MACHINE, "stage": "dev"},
    "Sweeper": {**_ORDERS, **_MAIL, **_SENDS, **_NEWS},
}


# ── queues, tables, topics ────────────────────────────────────────────────────────────────────────────────────────


def the_queues_of_orders_and_events_have_their_dead_letter_queues(template: Template) -> None:
    for name, dead_name, reader in (("Orders", "DeadLetters", "Intake"), ("Events", "DeadEvents", "Events")):
        dead_key, dead = named(template, "AWS::SQS::Queue", f"Messages{dead_name}")
        _, queue = named(template, "AWS::SQS::Queue", f"Messages{name}")
        assert queue["RedrivePolicy"] == {"deadLetterTargetArn": get(dead_key), "maxReceiveCount": 500}
        assert queue["VisibilityTimeout"] == VISIBILITY >= 6 * function(template, reader)[1]["Timeout"]
        assert (dead["MessageRetentionPeriod"], queue["MessageRetentionPeriod"]) == (14 * 86400, 14 * 86400)
        assert dead["SqsManagedSseEnabled"] is queue["SqsManagedSseEnabled"] is True


def queues_and_topics_refuse_what_is_not_encrypted(template: Template) -> None:
    for kind, holder, action in (("SQS::Queue", "Queues", "sqs:*"), ("SNS::Topic", "Topics", "sns:Publish")):
        policies = resources(template, f"AWS::{kind}Policy")
        assert len(policies) == len(resources(template, f"AWS::{kind}"))
        for policy in policies.values():
            (target,) = policy[holder]
            (statement,) = [it for it in policy["PolicyDocument"]["Statement"] if it["Effect"] != "Allow"]
            assert (statement["Effect"], statement["Action"]) == ("Deny", action)
            assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
            assert statement["Principal"] in ("*", {"AWS": "*"})
            assert text(statement["Resource"]).partition(".")[0].strip("<>") == target["Ref"]


def alarms_are_let_into_their_topic(template: Template) -> None:
    topic = {"Ref": named(template, "AWS::SNS::Topic", "MessagesAlarms")[0]}
    policies = [
        *resources(template, "AWS::SNS::TopicPolicy").values(),
        *resources(template, "AWS::SQS::QueuePolicy").values(),
    ]
    (allowed,) = [it for one in policies for it in one["PolicyDocument"]["Statement"] if it["Effect"] == "Allow"]
    assert {key: it for key, it in allowed.items() if key != "Sid"} == {
        "Action": "sns:Publish",
        "Condition": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Resource": topic,
    }


def called(template: Template, name: str) -> Any:
    """The alias of a function as an event source names it."""
    arn = {"Fn::Split": [":", live(template, name)]}
    return {"Fn::Join": ["", [{"Fn::Select": [6, arn]}, ":live"]]}


def messages_come_to_their_functions_five_at_a_time(template: Template) -> None:
    queue = named(template, "AWS::SQS::Queue", "MessagesOrders")[0]
    assert named(template, "AWS::Lambda::EventSourceMapping", "OrdersToIntake")[1] == {
        "BatchSize": 5,
        "EventSourceArn": get(queue),
        "FunctionName": called(template, "Intake"),
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "ScalingConfig": {"MaximumConcurrency": {"Ref": "IntakeConcurrency"}},
        **tags(),
    }
    queue = named(template, "AWS::SQS::Queue", "MessagesEvents")[0]
    assert named(template, "AWS::Lambda::EventSourceMapping", "EventsToEvents")[1] == {
        "BatchSize": 5,
        "EventSourceArn": get(queue),
        "FunctionName": called(template, "Events"),
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "ScalingConfig": {"MaximumConcurrency": 2},
        **tags(),
    }
    share = template["Parameters"]["IntakeConcurrency"]
    assert (share["Type"], share["Default"], share["MinValue"]) == ("Number", 2, 2), "SQS allows no less than 2"


#: Concurrent executions that a new account has.
#: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
NEW_ACCOUNT = 10


def a_new_account_deploys_it_and_a_larger_one_keeps_a_share_for_each_task(template: Template) -> None:
    """An account with a quota of 10 can reserve nothing, and the intake leaves most of the 10 to the tasks."""
    assert template["Parameters"]["TaskConcurrency"]["Default"] == 0
    assert template["Parameters"]["IntakeConcurrency"]["Default"] <= NEW_ACCOUNT / 5
    (condition,) = (it for name, it in template["Conditions"].items() if name == "TasksHaveConcurrency")
    assert condition == {"Fn::Not": [{"Fn::Equals": [{"Ref": "TaskConcurrency"}, "0"]}]}
    given = {"Fn::If": ["TasksHaveConcurrency", {"Ref": "TaskConcurrency"}, {"Ref": "AWS::NoValue"}]}
    for name in FUNCTIONS:
        reserved = function(template, name)[1].get("ReservedConcurrentExecutions")
        assert reserved == (given if name in TASK_FUNCTIONS else None), name


def streams_are_followed_from_their_start_and_what_is_dropped_is_kept(template: Template) -> None:
    dropped_key, dropped = named(template, "AWS::SQS::Queue", "MessagesDropped")
    assert (dropped["MessageRetentionPeriod"], dropped["SqsManagedSseEnabled"]) == (14 * 86400, True)
    new, seen = {"eventName": ["INSERT"]}, {"dynamodb": {"NewImage": {"news": {"S": [{"exists": True}]}}}}
    for mapping, name, table, wanted in (
        ("MailToMailer", "Mailer", "Mail", new),
        ("OrdersToPublisher", "Publisher", "Orders", seen),
    ):
        store = named(template, "AWS::DynamoDB::Table", f"Store{table}")[0]
        assert named(template, "AWS::Lambda::EventSourceMapping", mapping)[1] == {
            "BatchSize": 10,
            "BisectBatchOnFunctionError": True,
            "DestinationConfig": {"OnFailure": {"Destination": get(dropped_key)}},
            "EventSourceArn": get(store, "StreamArn"),
            "FunctionName": called(template, name),
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
            "FilterCriteria": {"Filters": [{"Pattern": json.dumps(wanted, separators=(",", ":"))}]},
            "MaximumRetryAttempts": 10,
            "StartingPosition": "TRIM_HORIZON",
            **tags(),
        }


def what_the_streams_have_not_sent_is_looked_for_every_quarter_of_an_hour(template: Template) -> None:
    is_called_every(template, "Sweep", "Sweeper", "rate(15 minutes)")


def orders_to_look_at_are_counted_every_five_minutes(template: Template) -> None:
    is_called_every(template, "Count", "Figures", "rate(5 minutes)")


def is_called_every(template: Template, rule_name: str, name: str, rate: str) -> None:
    rule_key, rule = named(template, "AWS::Events::Rule", rule_name)
    called = live(template, name)
    assert (rule["ScheduleExpression"], rule["State"]) == (rate, "ENABLED")
    assert rule["Targets"] == [{"Id": "Target0", "Arn": called, "RetryPolicy": {"MaximumRetryAttempts": 0}}]
    (allowed,) = [it for it in resources(template, "AWS::Lambda::Permission").values() if it["FunctionName"] == called]
    assert (allowed["Principal"], allowed["SourceArn"]) == ("events.amazonaws.com", get(rule_key))
    assert allowed["Action"] == "lambda:InvokeFunction"


def the_tables_are_those_of_the_adapters(template: Template) -> None:
    assert len(resources(template, "AWS::DynamoDB::Table")) == len(TABLES)
    for table in TABLES:
        _, it = named(template, "AWS::DynamoDB::Table", f"Store{table.name.capitalize()}")
        assert _keys(it) == [(table.hash, "HASH"), *([(table.range, "RANGE")] if table.range else [])]
        indexes = it.get("GlobalSecondaryIndexes", [])
        assert [(index["IndexName"], _keys(index)) for index in indexes] == [
            (index.name, [(index.hash, "HASH"), (index.range, "RANGE")]) for index in table.indexes
        ]
        assert all(index["Projection"] == {"ProjectionType": "KEYS_ONLY"} for index in indexes)
        keys = {name for name, _ in _keys(it)} | {name for index in indexes for name, _ in _keys(index)}
        assert {a["AttributeName"]: a["AttributeType"] for a in it["AttributeDefinitions"]} == dict.fromkeys(keys, "S")
        assert it["BillingMode"] == "PAY_PER_REQUEST"
        assert it["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert it["SSESpecification"] == {"SSEEnabled": True}
        assert it["DeletionProtectionEnabled"] is False
        assert it.get("StreamSpecification", {}).get("StreamViewType") == (
            "NEW_AND_OLD_IMAGES" if table.stream else None
        )
        expires = {"AttributeName": table.expires, "Enabled": True} if table.expires else None
        assert it.get("TimeToLiveSpecification") == expires


def _keys(it: Any) -> list[tuple[str, str]]:
    return [(key["AttributeName"], key["KeyType"]) for key in it["KeySchema"]]


def the_topics_mail_the_address_that_was_given(template: Template) -> None:
    for name in ("Operators", "Alarms"):
        topic, it = named(template, "AWS::SNS::Topic", f"Messages{name}")
        assert it["DisplayName"].startswith("Orders: ")
        _, mail = named(template, "AWS::SNS::Subscription", f"Messages{name}Mail")
        assert mail == {"Endpoint": {"Ref": "Email"}, "Protocol": "email", "TopicArn": {"Ref": topic}}
    assert "Default" not in template["Parameters"]["Email"]


SYSTEM = (
    every_function_of_the_table_is_there_and_no_other,
    the_queues_of_orders_and_events_have_their_dead_letter_queues,
    queues_and_topics_refuse_what_is_not_encrypted,
    alarms_are_let_into_their_topic,
    messages_come_to_their_functions_five_at_a_time,
    a_new_account_deploys_it_and_a_larger_one_keeps_a_share_for_each_task,
    streams_are_followed_from_their_start_and_what_is_dropped_is_kept,
    what_the_streams_have_not_sent_is_looked_for_every_quarter_of_an_hour,
    orders_to_look_at_are_counted_every_five_minutes,
    the_tables_are_those_of_the_adapters,
    the_topics_mail_the_address_that_was_given,
)

CONTRACTS = (
    the_workflow_is_the_contract,
    the_schema_is_the_contract,
    the_rest_api_is_the_contract,
)
