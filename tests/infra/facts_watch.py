"""Facts about what is watched: alarms, the dashboard, the budget."""

import json
import re
from pathlib import Path
from typing import Any

from expediter.aws.functions.table import OTHER_FUNCTIONS, TASK_FUNCTIONS
from expediter.aws.stores.tables import TABLES
from expediter.cli.costs.designs import ALARM_METRICS
from tests.infra.reading import Template, function, get, named, only, resources

RUNBOOK = (Path(__file__).parents[2] / "docs/how-to/aws-runbook.md").read_text(encoding="utf-8")

#: Every alarm: the metric (or what its expression says), its threshold and periods.
ALARMS = {
    "DeadLettersWait": ("ApproximateNumberOfMessagesVisible", 0, 1),
    "DeadEventsWait": ("ApproximateNumberOfMessagesVisible", 0, 1),
    "RecordsDropped": ("ApproximateNumberOfMessagesVisible", 0, 1),
    "OrdersWait": ("ApproximateAgeOfOldestMessage", 300, 1),
    "OrdersNeedOperator": ("ExecutionsFailed", 0, 1),
    "WorkflowsTimeOut": ("ExecutionsTimedOut", 0, 1),
    "WorkflowsThrottled": ("ExecutionThrottled", 0, 2),
    "TokensFails": ("100 * errors / MAX([errors, calls])", 1, 2),
    "IntakeFails": ("100 * errors / MAX([errors, calls])", 1, 2),
    "EventsFails": ("100 * errors / MAX([errors, calls])", 1, 2),
    "RestFails": ("100 * errors / MAX([errors, calls])", 1, 2),
    "GraphqlFails": ("100 * errors / MAX([errors, calls])", 1, 2),
    "FiguresFails": ("100 * errors / MAX([errors, calls])", 1, 2),
    "MoneyIsOwed": ("RefundsOwedForAnHour", 0, 1),
    "OrdersAreUnwell": ("OrdersThatNeedAnOperator", 0, 1),
    "SweeperFails": ("100 * errors / MAX([errors, calls])", 1, 1),
    "MailerFails": ("100 * errors / MAX([errors, calls])", 1, 2),
    "PublisherFails": ("100 * errors / MAX([errors, calls])", 1, 2),
    "TasksFail": ("100 * SUM([m0,m1,m2,m3,m4,m5,m6,m7]) / MAX([20, orders])", 5, 2),
    "MailerLags": ("IteratorAge", 600_000, 1),
    "PublisherLags": ("IteratorAge", 600_000, 1),
    "TasksThrottled": ("SUM([m0,m1,m2,m3,m4,m5,m6,m7])", 0, 2),
    "FunctionsThrottled": ("SUM([m0,m1,m2,m3,m4,m5,m6,m7,m8])", 0, 2),
    "RestFailsInside": ("5XXError", 0, 2),
    "GraphqlFailsInside": ("5XXError", 0, 2),
    "CallersAreRefused": ("100 * refused / MAX([20, calls])", 50, 2),
    "TablesThrottled": ("SUM([m0,m1,m2,m3,m4,m5,m6,m7,m8,m9])", 0, 2),
    "IndexesThrottled": ("SUM([m0,m1,m2])", 0, 2),
    "MailsBounce": ("Reputation.BounceRate", 0.05, 1),
    "MailsAreComplainedAbout": ("Reputation.ComplaintRate", 0.001, 1),
}


def the_alarms_ring_when_they_shall(template: Template) -> None:
    topic = named(template, "AWS::SNS::Topic", "MessagesAlarms")[0]
    assert len(resources(template, "AWS::CloudWatch::Alarm")) == len(ALARMS)
    for name, (metric, limit, periods) in ALARMS.items():
        _, alarm = named(template, "AWS::CloudWatch::Alarm", f"Watch{name}")
        assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": topic}]
        assert alarm["ComparisonOperator"] == "GreaterThanThreshold"
        assert (alarm["Threshold"], alarm["EvaluationPeriods"]) == (limit, periods)
        counted = name in {"MoneyIsOwed", "OrdersAreUnwell"}
        assert alarm["TreatMissingData"] == ("ignore" if counted else "notBreaching")
        assert alarm["AlarmDescription"].endswith("See docs/how-to/aws-runbook.md.")
        expressions = [query.get("Expression") for query in alarm.get("Metrics", [])]
        assert alarm.get("MetricName") == metric or metric in expressions
        if name == "CallersAreRefused":
            calls_and_refusals_are_the_rest_api_s(template, alarm["Metrics"])
        elif name == "TablesThrottled":
            every_table_is_watched(template, alarm["Metrics"])
        elif name == "IndexesThrottled":
            the_hottest_indexes_are_watched(template, alarm["Metrics"])
        elif "Metrics" in alarm:
            the_expression_is_made_of_its_functions(template, name, alarm["Metrics"])
        else:
            mails = alarm["Namespace"] == "AWS/SES"
            assert (alarm["Period"], "Statistic" in alarm) == (3600 if mails else 300, True)
            assert alarm["Namespace"].startswith("Expediter" if counted else "AWS/")
            assert not counted or alarm["Dimensions"] == [{"Name": "Stage", "Value": "dev"}]
            assert bool(alarm.get("Dimensions")) is not mails, "SES has its reputation by account"
            assert all(it["Name"] and it["Value"] for it in alarm.get("Dimensions", []))


def calls_and_refusals_are_the_rest_api_s(template: Template, metrics: Any) -> None:
    whole, *parts = metrics
    assert (whole["Id"], len(parts)) == ("expr_1", 2)
    found = {query["Id"]: query["MetricStat"] for query in parts}
    assert {name: (it["Metric"]["MetricName"], it["Period"], it["Stat"]) for name, it in found.items()} == {
        "refused": ("4XXError", 300, "Sum"),
        "calls": ("Count", 300, "Sum"),
    }
    for query in parts:
        it = query["MetricStat"]["Metric"]
        dimensions = [{"Name": "ApiName", "Value": "orders-dev"}]
        assert (query["ReturnData"], it["Namespace"], it["Dimensions"]) == (False, "AWS/ApiGateway", dimensions)


def every_table_is_watched(template: Template, metrics: Any) -> None:
    whole, *parts = metrics
    assert whole["Expression"].count("m") == len(parts) == 2 * len(TABLES)
    assert whole["Id"]
    found = set()
    for place, query in enumerate(parts):
        it = query["MetricStat"]
        (dimension,) = it["Metric"]["Dimensions"]
        assert (query["Id"], query["ReturnData"], it["Period"], it["Stat"]) == (f"m{place}", False, 300, "Sum")
        assert (it["Metric"]["Namespace"], dimension["Name"]) == ("AWS/DynamoDB", "TableName")
        found.add((dimension["Value"]["Ref"], it["Metric"]["MetricName"]))
    tables = resources(template, "AWS::DynamoDB::Table")
    assert found == {(key, f"{kind}ThrottleEvents") for key in tables for kind in ("Read", "Write")}


def the_hottest_indexes_are_watched(template: Template, metrics: Any) -> None:
    """A table's own metrics do not count what its indexes throttle."""
    whole, *parts = metrics
    assert whole["Id"]
    assert whole["Expression"].count("m") == len(parts)
    found = set()
    for place, query in enumerate(parts):
        it = query["MetricStat"]
        assert (query["Id"], query["ReturnData"], it["Period"], it["Stat"]) == (f"m{place}", False, 300, "Sum")
        assert (it["Metric"]["Namespace"], it["Metric"]["MetricName"]) == ("AWS/DynamoDB", "WriteThrottleEvents")
        values = {one["Name"]: one["Value"] for one in it["Metric"]["Dimensions"]}
        assert values.keys() == {"TableName", "GlobalSecondaryIndexName"}
        found.add((values["TableName"]["Ref"], values["GlobalSecondaryIndexName"]))
    orders, mail = (
        named(template, "AWS::DynamoDB::Table", "StoreOrders"),
        named(template, "AWS::DynamoDB::Table", "StoreMail"),
    )
    assert found == {(orders[0], "by_status"), (orders[0], "by_restaurant"), (mail[0], "unsent")}


def a_month_that_is_going_to_cost_more_is_told(template: Template) -> None:
    budget = only(template, "AWS::Budgets::Budget")
    assert budget["Budget"] == {
        "BudgetType": "COST",
        "TimeUnit": "MONTHLY",
        "BudgetLimit": {"Amount": {"Ref": "MonthlyBudget"}, "Unit": "USD"},
    }
    told = budget["NotificationsWithSubscribers"]
    assert [it["Notification"]["NotificationType"] for it in told] == ["FORECASTED", "ACTUAL"]
    for it in told:
        assert (it["Notification"]["ComparisonOperator"], it["Notification"]["Threshold"]) == ("GREATER_THAN", 100)
        assert it["Subscribers"] == [{"Address": {"Ref": "Email"}, "SubscriptionType": "EMAIL"}]


#: What the alarms with an expression are about: one function by name, or several.
ABOUT = {
    "TasksThrottled": list(TASK_FUNCTIONS),
    "TasksFail": list(TASK_FUNCTIONS),
    "FunctionsThrottled": list(OTHER_FUNCTIONS),
}


def the_expression_is_made_of_its_functions(template: Template, name: str, metrics: Any) -> None:
    (whole,) = [query for query in metrics if "Expression" in query]
    parts = [query for query in metrics if "MetricStat" in query]
    assert len(whole["Id"]) > 0
    assert whole.get("ReturnData", True) is True
    assert set(re.findall(r"\b(?:m\d|errors|calls|orders)\b", whole["Expression"])) == {query["Id"] for query in parts}
    stats = {"errors": "Errors", "calls": "Invocations", "orders": "Invocations"}
    others = "Errors" if name == "TasksFail" else "Throttles"
    keys = {function(template, about)[0] for about in ABOUT.get(name, [name.removesuffix("Fails")])}
    for query in parts:
        it = query["MetricStat"]
        assert (query["ReturnData"], it["Period"], it["Stat"]) == (False, 300, "Sum")
        assert (it["Metric"]["Namespace"], it["Metric"]["MetricName"]) == (
            "AWS/Lambda",
            stats.get(query["Id"], others),
        )
        (dimension,) = it["Metric"]["Dimensions"]
        assert dimension["Name"] == "FunctionName"
        assert dimension["Value"]["Ref"] in keys
    assert {query["MetricStat"]["Metric"]["Dimensions"][0]["Value"]["Ref"] for query in parts} == keys


def every_alarm_has_its_place_in_the_runbook(_: Template) -> None:
    assert [name for name in ALARMS if f"`{name}`" not in RUNBOOK] == []


def the_dashboard_shows_every_alarm_s_metric(template: Template) -> None:
    body = json.dumps(only(template, "AWS::CloudWatch::Dashboard")["DashboardBody"])
    assert all(name in body for name in ALARMS)


def a_twentieth_of_the_orders_and_calls_is_traced(template: Template) -> None:
    machine = named(template, "AWS::StepFunctions::StateMachine", "WorkflowOrders")[0]
    rules = [it["SamplingRule"] for it in resources(template, "AWS::XRay::SamplingRule").values()]
    assert sorted((it["ServiceType"], str(it["ServiceName"])) for it in rules) == [
        ("AWS::ApiGateway::Stage", "orders-dev/dev"),
        ("AWS::AppSync::GraphQLAPI", "orders-dev"),
        ("AWS::StepFunctions::StateMachine", str(get(machine, "Name"))),
    ]
    assert {(it["FixedRate"], it["ReservoirSize"], it["Version"]) for it in rules} == {(0.05, 0, 1)}
    assert len({it["RuleName"] for it in rules} | {it["Priority"] for it in rules}) == 6
    every = ("HTTPMethod", "Host", "ResourceARN", "URLPath")
    assert all(it[name] == "*" for it in rules for name in every)


def the_costs_count_every_metric_of_the_alarms(template: Template) -> None:
    alarms = resources(template, "AWS::CloudWatch::Alarm").values()
    asked = [len([it for it in alarm.get("Metrics", []) if "MetricStat" in it]) or 1 for alarm in alarms]
    assert sum(asked) == ALARM_METRICS


WATCH = (
    the_costs_count_every_metric_of_the_alarms,
    a_twentieth_of_the_orders_and_calls_is_traced,
    the_alarms_ring_when_they_shall,
    every_alarm_has_its_place_in_the_runbook,
    a_month_that_is_going_to_cost_more_is_told,
    the_dashboard_shows_every_alarm_s_metric,
)
