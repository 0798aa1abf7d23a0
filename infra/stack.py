"""The whole system as one stack: its parts, and which part may use which."""

from collections.abc import Mapping
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_budgets as budgets
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambdas
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from expediter.aws.functions.table import TASK_FUNCTIONS
from expediter.aws.stores.tables import Name
from infra.api.graphql import GraphqlApi
from infra.api.rest import RestApi
from infra.backup import Backup
from infra.compute import grants
from infra.compute.functions import Functions
from infra.compute.release import Release
from infra.compute.workflow import Workflow
from infra.limits import Limits
from infra.messages import Messages
from infra.stages import Stage
from infra.store import Store
from infra.users import Users
from infra.watching.alarms import Watch
from infra.watching.traces import Traces

#: Messages to one call of the intake.
BATCH = 5
#: What it takes to receive messages.
RECEIVING = ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
#: The functions that talk to the payment provider.
CHARGING = ("ProcessPayment", "RefundPayment", "CancelFailedOrder", "Events")
#: The functions that may end the wait for a payment.
WAKING = ("Rest", "Graphql", "Events")
#: Records to one call of a function that follows a stream, and how often it is tried with one. It holds up the others
#: of its shard no longer; the sweep sends it later.
RECORDS, TRIES = 10, 10
#: Minutes between two sweeps, and between two counts of the orders that people have to look at.
SWEEP, FIGURES = 15, 5
#: Writes that a function is called with; it is paid for no others.
NEW = {"eventName": lambdas.FilterRule.is_equal("INSERT")}
SEEN = {"dynamodb": {"NewImage": {"news": {"S": lambdas.FilterRule.exists()}}}}


class Orders(cdk.Stack):
    def __init__(self, scope: Construct, stage: Stage, code: Path) -> None:
        super().__init__(scope, f"Orders-{stage.name}", description="Expediter: takes orders and walks each through.")
        email = self._parameter("Email", "Who gets the operators' news and the alarms.", pattern=r"[^@\s]+@[^@\s]+")
        self.store = Store(self, stage)
        self.messages = Messages(self, email)
        self.sender = self._parameter("MailFrom", "The verified address that customers get mail from; empty: none.", "")
        self.users = Users(self, stage)
        self.users.mail_by_ses(self.sender)
        self.functions = Functions(self, stage, code)
        self.users.add_addresses(self.functions.live["Tokens"])
        self.workflow = Workflow(self, stage, self.functions)
        self.graphql = GraphqlApi(self, stage, function=self.functions.live["Graphql"], pool=self.users.pool)
        self.rest = RestApi(
            self,
            stage,
            messages=self.messages,
            function=self.functions.live["Rest"],
            pool_arn=self.users.pool.user_pool_arn,
        )
        if stage.origin:
            self.functions.knows("Rest", allowed_origin=stage.origin)
        grants.grant(self.functions, self.store)
        self._gateways()
        self._concurrency()
        self._queue()
        self._mail()
        self._news()
        self._sweep()
        self._figures(stage)
        self.release = self._release(stage)
        self._executions(stage)
        self._budget(email)
        self._limits()
        self._outputs()
        self.backup = Backup(self, self.store, copy=stage.vault) if stage.vault else None

    def _release(self, stage: Stage) -> Release:
        """What is watched, and how a release goes by it."""
        watch = Watch(
            self,
            messages=self.messages,
            workflow=self.workflow,
            functions=self.functions,
            rest=self.rest,
            graphql=self.graphql,
            store=self.store,
            stage=stage,
        )
        return Release(self, stage, functions=self.functions, workflow=self.workflow, alarms=watch.alarms)

    def _parameter(
        self, name: str, text: str, default: str | None = None, pattern: str | None = None, *, longest: int = 100
    ) -> str:
        parameter = cdk.CfnParameter(
            self, name, description=text, default=default, allowed_pattern=pattern, max_length=longest
        )
        return parameter.value_as_string

    def _gateways(self) -> None:
        """The payment provider, the restaurant and what signs its orders."""
        payments = self._parameter("Payments", "simulated, simulated:decline=0.2, a URL or stripe", "simulated")
        restaurant = self._parameter("Restaurant", "simulated, simulated:decline=0.1 or a URL", "simulated")
        hold = self._parameter("HoldSeconds", "How long a customer may cancel.", "30", r"\d{1,8}")
        told = "How long a customer may take to pay."
        wait = self._parameter("PaymentWaitSeconds", told, "900", r"[1-9]\d{0,6}", longest=7)
        token = secretsmanager.Secret(self, "PaymentsToken", description="The bearer token for the payment provider.")
        told = "Signs the orders that a restaurant gets."
        secret = secretsmanager.Secret(self, "RestaurantSecret", description=told)
        self.secrets = [token, secret]
        for name in (*TASK_FUNCTIONS, "Events"):
            self.functions.knows(name, payments=payments, restaurant=restaurant)
            self.functions.renews(name, payments, restaurant)
        for name in ("Intake", "Graphql", "Rest"):
            self.functions.knows(name, hold_seconds=hold)
            self.functions.renews(name, hold)
        self.functions.knows("ProcessPayment", payment_wait_seconds=wait)
        self.functions.renews("ProcessPayment", payments, restaurant, wait)
        for name in CHARGING:
            self.functions.may(name, ["secretsmanager:GetSecretValue"], token.secret_arn)
            self.functions.knows(name, payments_token=token.secret_arn)
        for name in ("SendOrderToRestaurant", "OweRefund"):
            self.functions.may(name, ["secretsmanager:GetSecretValue"], secret.secret_arn)
            self.functions.knows(name, restaurant_secret=secret.secret_arn)
        self._events()

    def _concurrency(self) -> None:
        """Concurrency that is reserved for each task, so that many requests cannot stop orders under way."""
        share = cdk.CfnParameter(
            self,
            "TaskConcurrency",
            type="Number",
            default=0,
            min_value=0,
            max_value=1000,
            description="Concurrent executions kept for each task; 0: none, as an account with a quota of 10 has to.",
        )
        kept = cdk.CfnCondition(
            self, "TasksHaveConcurrency", expression=cdk.Fn.condition_not(cdk.Fn.condition_equals(share, "0"))
        )
        for name in TASK_FUNCTIONS:
            self.functions.keep(name, kept, share.value_as_number)

    def _intake_share(self) -> float:
        """Concurrent calls of the intake. A throttled call would count as a receive, so SQS must not call more
        often.
        """
        share = cdk.CfnParameter(
            self,
            "IntakeConcurrency",
            type="Number",
            default=2,
            min_value=2,
            max_value=1000,
            description="Calls of the intake at once, at most: a fifth of the account's concurrent executions.",
        )
        return share.value_as_number

    def _queue(self) -> None:
        """Which functions send to the order queue, receive from it, and read the dead letters."""
        orders, dead = self.messages.orders, self.messages.dead
        self.functions.may("Intake", RECEIVING, orders.queue_arn)
        self.functions.may("Rest", RECEIVING, dead.queue_arn)
        self.functions.knows("Rest", dead_letter_url=dead.queue_url)
        self.functions.may("Intake", ["sqs:SendMessage"], dead.queue_arn)
        self.functions.knows("Intake", queue_url=orders.queue_url, dead_letter_url=dead.queue_url)
        for name in ("Rest", "Graphql"):
            self.functions.may(name, ["sqs:SendMessage"], orders.queue_arn)
            self.functions.knows(name, queue_url=orders.queue_url)
        mapping = lambdas.EventSourceMapping(
            self,
            "OrdersToIntake",
            target=self.functions.live["Intake"],
            event_source_arn=orders.queue_arn,
            batch_size=BATCH,
            max_concurrency=self._intake_share(),
            report_batch_item_failures=True,
        )
        mapping.node.add_dependency(self.functions.roles["Intake"])

    def _events(self) -> None:
        """The payment provider's events: who takes them from their queue, and what they are signed with."""
        events, dead = self.messages.events, self.messages.dead_events
        told = "What signs the payment provider's events; several, with commas between them, while one is changed."
        secret = secretsmanager.Secret(self, "EventSecrets", description=told)
        self.secrets.append(secret)
        self.functions.may("Events", RECEIVING, events.queue_arn)
        self.functions.may("Events", ["sqs:SendMessage"], dead.queue_arn)
        self.functions.may("Events", ["secretsmanager:GetSecretValue"], secret.secret_arn)
        self.functions.knows("Events", events_url=events.queue_url, dead_events_url=dead.queue_url)
        self.functions.may("Rest", ["sqs:SendMessage"], events.queue_arn)
        self.functions.knows("Rest", events_url=events.queue_url)
        self.functions.knows("Events", event_secrets=secret.secret_arn)
        mapping = lambdas.EventSourceMapping(
            self,
            "EventsToEvents",
            target=self.functions.live["Events"],
            event_source_arn=events.queue_arn,
            batch_size=BATCH,
            max_concurrency=2,
            report_batch_item_failures=True,
        )
        mapping.node.add_dependency(self.functions.roles["Events"])

    def _executions(self, stage: Stage) -> None:
        """The intake starts executions, the REST API shows their history; some are traced."""
        machine = self.workflow.machine
        Traces(self, stage, machine=machine.state_machine_name)
        # Step Functions looks at the right to the machine itself, whatever alias is named.
        # https://docs.aws.amazon.com/step-functions/latest/dg/auth-version-alias.html
        self.functions.may("Intake", ["states:StartExecution"], machine.state_machine_arn)
        self.functions.knows("Intake", state_machine=self.release.orders.attr_arn)
        executions = self.format_arn(
            service="states",
            resource="execution",
            resource_name=f"{machine.state_machine_name}:*",
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        self.functions.may("Rest", ["states:GetExecutionHistory"], executions)
        self.functions.may("Figures", ["states:ListExecutions"], machine.state_machine_arn)
        for name in WAKING:
            # A task's token is all that this action knows: it takes no resource, and a token cannot be guessed.
            # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsstepfunctions.html
            self.functions.may(name, ["states:SendTaskSuccess"], "*")
        for name in ("Rest", "Figures"):
            self.functions.knows(name, state_machine=machine.state_machine_arn)

    def _mail(self) -> None:
        sender = self.sender
        topic = self.messages.operators
        identity = self.format_arn(service="ses", resource="identity", resource_name=sender)
        for name in ("Mailer", "Sweeper"):
            self.functions.may(name, ["sns:Publish"], topic.topic_arn)
            self.functions.may(name, ["ses:SendEmail"], identity)
            self.functions.knows(name, topic=topic.topic_arn, mail_from=sender)
            self.functions.renews(name, sender)
        self._follow("Mailer", Name.MAIL, NEW)

    def _news(self) -> None:
        for name in ("Publisher", "Sweeper"):
            self.functions.may(name, ["appsync:GraphQL"], self.graphql.publish_arn())
            self.functions.knows(name, graphql_url=self.graphql.api.graphql_url)
        self._follow("Publisher", Name.ORDERS, SEEN)

    def _sweep(self) -> None:
        """Calls the sweeper every 15 minutes."""
        sweeper = targets.LambdaFunction(self.functions.live["Sweeper"], retry_attempts=0)
        every = events.Schedule.rate(cdk.Duration.minutes(SWEEP))
        events.Rule(self, "Sweep", description="Mails and news that were not sent.", schedule=every, targets=[sweeper])

    def _figures(self, stage: Stage) -> None:
        """Calls every five minutes the function that counts orders which need an operator."""
        for name in ("Figures", "Events"):
            self.functions.knows(name, stage=stage.name)
        counter = targets.LambdaFunction(self.functions.live["Figures"], retry_attempts=0)
        every = events.Schedule.rate(cdk.Duration.minutes(FIGURES))
        events.Rule(self, "Count", description="Orders to look at.", schedule=every, targets=[counter])

    def _follow(self, name: str, table: Name, wanted: Mapping[str, object]) -> None:
        """Calls the function with these writes of the table, in order. A record that fails is tried again, and is in
        the queue of what was dropped after that.
        """
        stream = self.store.tables[table].table_stream_arn
        if stream is None:
            raise LookupError(f"{table} has no stream")
        reading = ["DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"]
        self.functions.may(name, [f"dynamodb:{action}" for action in reading], stream)
        self.functions.may(name, ["sqs:SendMessage"], self.messages.dropped.queue_arn)
        mapping = lambdas.EventSourceMapping(
            self,
            f"{table.capitalize()}To{name}",
            target=self.functions.live[name],
            event_source_arn=stream,
            batch_size=RECORDS,
            starting_position=lambdas.StartingPosition.TRIM_HORIZON,
            report_batch_item_failures=True,
            bisect_batch_on_error=True,
            retry_attempts=TRIES,
            filters=[lambdas.FilterCriteria.filter(wanted)],
            on_failure=sources.SqsDlq(self.messages.dropped),
        )
        mapping.node.add_dependency(self.functions.roles[name])

    def _limits(self) -> None:
        calls = cdk.CfnParameter(
            self,
            "CallsPerUser",
            type="Number",
            default=600,
            min_value=10,
            description="Calls a minute with one access token; a program that calls for everybody needs more.",
        )
        guarded = {"Rest": self.rest.api.deployment_stage.stage_arn, "Graphql": self.graphql.api.arn}
        Limits(self, apis=guarded, user=calls.value_as_number)

    def _budget(self, email: str) -> None:
        """The recipient of the alarms gets a mail when the account's month is going to cost more than this."""
        limit = cdk.CfnParameter(
            self,
            "MonthlyBudget",
            type="Number",
            default=100,
            min_value=1,
            description="Dollars a month of the whole account; a mail tells when they are going to be more.",
        )
        told = [budgets.CfnBudget.SubscriberProperty(address=email, subscription_type="EMAIL")]
        budgets.CfnBudget(
            self,
            "Budget",
            budget=budgets.CfnBudget.BudgetDataProperty(
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=budgets.CfnBudget.SpendProperty(amount=limit.value_as_number, unit="USD"),
            ),
            notifications_with_subscribers=[
                budgets.CfnBudget.NotificationWithSubscribersProperty(
                    notification=budgets.CfnBudget.NotificationProperty(
                        notification_type=kind, comparison_operator="GREATER_THAN", threshold=100
                    ),
                    subscribers=told,
                )
                for kind in ("FORECASTED", "ACTUAL")
            ],
        )

    def _outputs(self) -> None:
        for name, value in {
            "RestUrl": self.rest.api.url,
            "GraphqlUrl": self.graphql.api.graphql_url,
            "UserPool": self.users.pool.user_pool_id,
            "UserPoolClient": self.users.client.user_pool_client_id,
            "ProgramClient": self.users.program.user_pool_client_id,
            "TokenUrl": f"{self.users.domain.base_url()}/oauth2/token",
            "OrderQueue": self.messages.orders.queue_url,
            "DeadEventsQueue": self.messages.dead_events.queue_url,
            "DeadLetterQueue": self.messages.dead.queue_url,
            "StateMachine": self.workflow.machine.state_machine_arn,
            "LiveStateMachine": self.release.orders.attr_arn,
            **{f"{name.capitalize()}Table": table.table_name for name, table in self.store.tables.items()},
        }.items():
            cdk.CfnOutput(self, name, value=value)
