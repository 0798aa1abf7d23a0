"""Alarms, each with a section in the runbook, and one dashboard."""

from typing import NamedTuple

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_lambda as lambdas
from aws_cdk import aws_sns as sns
from constructs import Construct

from expediter.aws.figures import NAMESPACE, OWED, UNWELL
from expediter.aws.functions.table import OTHER_FUNCTIONS, TASK_FUNCTIONS
from expediter.aws.stores.tables import BY_RESTAURANT, BY_STATUS, UNSENT, Name
from infra.api.graphql import GraphqlApi
from infra.api.rest import RestApi
from infra.compute.functions import Functions
from infra.compute.workflow import Workflow
from infra.messages import Messages
from infra.stages import Stage
from infra.store import Store

FIVE_MINUTES, HOUR = cdk.Duration.minutes(5), cdk.Duration.hours(1)
#: The indexes that throttle before all others do (docs/reference/aws-ceilings.md).
HOT = ((Name.ORDERS, BY_STATUS), (Name.ORDERS, BY_RESTAURANT), (Name.MAIL, UNSENT))


class Watched(NamedTuple):
    """An alarm: it rings when the metric is above ``limit`` for ``periods`` of its own.

    ``keeps``: it stays as it is while there is no figure; another is well then.
    """

    name: str
    text: str
    metric: cloudwatch.IMetric
    limit: float
    periods: int = 1
    keeps: bool = False


class Watch(Construct):
    def __init__(
        self,
        scope: Construct,
        *,
        messages: Messages,
        workflow: Workflow,
        functions: Functions,
        rest: RestApi,
        graphql: GraphqlApi,
        store: Store,
        stage: Stage,
    ) -> None:
        super().__init__(scope, "Watch")
        watched = [
            *_queues(messages),
            *_executions(workflow),
            *_functions(functions),
            *_apis(rest, graphql),
            *_store(store),
            *_reputation(),
            *_orders(stage),
        ]
        self.alarms = {one.name: self._alarm(one, messages.alarms) for one in watched}
        dashboard = cloudwatch.Dashboard(self, "Dashboard")
        widgets: list[cloudwatch.IWidget] = [
            cloudwatch.GraphWidget(title=one.name, left=[one.metric], width=8) for one in watched
        ]
        dashboard.add_widgets(*widgets)

    def _alarm(self, one: Watched, topic: sns.ITopic) -> cloudwatch.Alarm:
        alarm = cloudwatch.Alarm(
            self,
            one.name,
            alarm_description=f"{one.text} See docs/how-to/aws-runbook.md.",
            metric=one.metric,
            threshold=one.limit,
            evaluation_periods=one.periods,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.IGNORE
            if one.keeps
            else cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(actions.SnsAction(topic))
        alarm.add_ok_action(actions.SnsAction(topic))
        return alarm


def _queues(messages: Messages) -> list[Watched]:
    dead = messages.dead.metric_approximate_number_of_messages_visible(period=FIVE_MINUTES, statistic="Maximum")
    dropped = messages.dropped.metric_approximate_number_of_messages_visible(period=FIVE_MINUTES, statistic="Maximum")
    events = messages.dead_events.metric_approximate_number_of_messages_visible(
        period=FIVE_MINUTES, statistic="Maximum"
    )
    age = messages.orders.metric_approximate_age_of_oldest_message(period=FIVE_MINUTES, statistic="Maximum")
    return [
        Watched("DeadLettersWait", "A message could not be processed.", dead, 0),
        Watched("DeadEventsWait", "An event of the payment provider could not be processed.", events, 0),
        Watched("RecordsDropped", "A mail or news was dropped; the sweep sends it.", dropped, 0),
        Watched("OrdersWait", "The oldest message waits for more than five minutes.", age, 300),
    ]


def _executions(workflow: Workflow) -> list[Watched]:
    machine = workflow.machine
    return [
        Watched("OrdersNeedOperator", "A workflow failed.", machine.metric_failed(period=FIVE_MINUTES), 0),
        Watched("WorkflowsTimeOut", "A workflow timed out.", machine.metric_timed_out(period=FIVE_MINUTES), 0),
        Watched("WorkflowsThrottled", "Workflows are throttled.", machine.metric_throttled(period=FIVE_MINUTES), 0, 2),
    ]


def _functions(functions: Functions) -> list[Watched]:
    found = []
    for name in OTHER_FUNCTIONS:
        function = functions.by_name[name]
        rate = cloudwatch.MathExpression(
            expression="100 * errors / MAX([errors, calls])",
            using_metrics={"errors": function.metric_errors(), "calls": function.metric_invocations()},
            period=FIVE_MINUTES,
            label="errors, %",
        )
        periods = 1 if name == "Sweeper" else 2  # it is called in every third period only
        found.append(Watched(f"{name}Fails", f"More than 1 % of the calls of {name} fail.", rate, 1, periods))
    for name in ("Mailer", "Publisher"):
        age = functions.by_name[name].metric("IteratorAge", period=FIVE_MINUTES, statistic="Maximum")
        found.append(Watched(f"{name}Lags", f"{name} is ten minutes behind.", age, 600_000))
    tasks = _throttles("TasksThrottled", [functions.by_name[name] for name in TASK_FUNCTIONS])
    return [
        *found,
        _tasks(functions),
        tasks,
        _throttles("FunctionsThrottled", [functions.by_name[name] for name in OTHER_FUNCTIONS]),
    ]


def _tasks(functions: Functions) -> Watched:
    """Errors of all tasks for each order that begins: providers fail now and then, a bad release fails all the time."""
    errors = {f"m{place}": functions.by_name[name].metric_errors() for place, name in enumerate(TASK_FUNCTIONS)}
    rate = cloudwatch.MathExpression(
        expression=f"100 * SUM([{','.join(errors)}]) / MAX([20, orders])",
        using_metrics={**errors, "orders": functions.by_name["InitializeOrder"].metric_invocations()},
        period=FIVE_MINUTES,
        label="errors of tasks for 100 orders",
    )
    return Watched("TasksFail", "Tasks fail more than five times for 100 orders.", rate, 5, 2)


def _throttles(name: str, functions: list[lambdas.Function]) -> Watched:
    metrics = {f"m{place}": function.metric_throttles() for place, function in enumerate(functions)}
    return _total(name, "Functions are throttled.", metrics)


def _total(name: str, text: str, metrics: dict[str, cloudwatch.Metric]) -> Watched:
    """One alarm for several metrics; ten are the most that an alarm takes."""
    total = cloudwatch.MathExpression(
        expression=f"SUM([{','.join(metrics)}])", using_metrics=metrics, period=FIVE_MINUTES, label="throttles"
    )
    return Watched(name, text, total, 0, 2)


def _apis(rest: RestApi, graphql: GraphqlApi) -> list[Watched]:
    errors = cloudwatch.Metric(
        namespace="AWS/AppSync",
        metric_name="5XXError",
        dimensions_map={"GraphQLAPIId": graphql.api.api_id},
        period=FIVE_MINUTES,
        statistic="Sum",
    )
    refused = cloudwatch.MathExpression(
        expression="100 * refused / MAX([20, calls])",
        using_metrics={
            "refused": rest.api.metric_client_error(period=FIVE_MINUTES, statistic="Sum"),
            "calls": rest.api.metric_count(period=FIVE_MINUTES, statistic="Sum"),
        },
        period=FIVE_MINUTES,
        label="4xx, %",
    )
    return [
        Watched(
            "RestFailsInside", "The REST API answers 5xx.", rest.api.metric_server_error(period=FIVE_MINUTES), 0, 2
        ),
        Watched("GraphqlFailsInside", "The GraphQL API answers 5xx.", errors, 0, 2),
        Watched("CallersAreRefused", "More than half of the calls are answered 4xx.", refused, 50, 2),
    ]


def _store(store: Store) -> list[Watched]:
    """Throttled tables, and indexes that are too slow for their writes: such an index holds up its table.

    The metrics of a table do not count what its indexes throttle. Each metric costs money, so the indexes of HOT stand
    for the others. A list that an index throttles is a 5xx of an API.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
    """
    tables = {
        f"m{place}": table.metric(metric, period=FIVE_MINUTES, statistic="Sum")
        for place, (table, metric) in enumerate(
            (table, metric)
            for table in store.tables.values()
            for metric in ("WriteThrottleEvents", "ReadThrottleEvents")
        )
    }
    indexes = {
        f"m{place}": cloudwatch.Metric(
            namespace="AWS/DynamoDB",
            metric_name="WriteThrottleEvents",
            dimensions_map={"TableName": store.tables[table].table_name, "GlobalSecondaryIndexName": index.name},
            period=FIVE_MINUTES,
            statistic="Sum",
        )
        for place, (table, index) in enumerate(HOT)
    }
    return [
        _total("TablesThrottled", "DynamoDB throttles a table.", tables),
        _total("IndexesThrottled", "DynamoDB throttles the writes of an index, and so of its table.", indexes),
    ]


def _orders(stage: Stage) -> list[Watched]:
    """Alarms on what the function Figures counts. They last until no order needs an operator."""
    owed, unwell = (
        cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=name,
            dimensions_map={"Stage": stage.name},
            period=FIVE_MINUTES,
            statistic="Maximum",
        )
        for name in (OWED, UNWELL)
    )
    return [
        Watched("MoneyIsOwed", "A customer is owed money for an hour.", owed, 0, keeps=True),
        Watched("OrdersAreUnwell", "A workflow failed, and its order has not ended since.", unwell, 0, keeps=True),
    ]


def _reputation() -> list[Watched]:
    """Of the account's mails in this region. SES reviews an account from these shares on.

    https://docs.aws.amazon.com/ses/latest/dg/reputationdashboardmessages.html
    """
    bounces, complaints = (
        cloudwatch.Metric(namespace="AWS/SES", metric_name=f"Reputation.{name}Rate", period=HOUR, statistic="Average")
        for name in ("Bounce", "Complaint")
    )
    return [
        Watched("MailsBounce", "More than 5 % of the mails bounce.", bounces, 0.05),
        Watched("MailsAreComplainedAbout", "More than 0.1 % of the mails are called spam.", complaints, 0.001),
    ]
