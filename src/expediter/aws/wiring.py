"""Builds the adapters of a function, once per process, and only those that it uses.

Modules that few functions need are imported where they are used, so that the others start faster.
"""

from functools import cache
from typing import TYPE_CHECKING

import msgspec

from expediter.app.ports import Claims, Work
from expediter.aws import clients, clock, settings
from expediter.aws.stores.claims import ApiClaims, DynamoClaims
from expediter.aws.stores.dead_letters import SqsDeadLetters
from expediter.aws.stores.orders import DynamoOrders, Tables
from expediter.aws.stores.queue import SqsQueue
from expediter.aws.stores.refunds import SqsRefunds
from expediter.aws.workflows import StepFunctions

if TYPE_CHECKING:
    from expediter.aws.gateways import Gateways, StoredSecret
    from expediter.aws.sending.mailer import Mailer
    from expediter.aws.sending.publisher import Publisher
    from expediter.aws.stores.answers import DynamoAnswers
    from expediter.aws.stores.forgotten import Forgotten
    from expediter.aws.stores.provider_events import DynamoEvents


@cache
def configured() -> settings.StackSettings:
    return settings.from_environment()


@cache
def queue() -> SqsQueue:
    given = configured()
    return SqsQueue(clients.sqs(), given.queue_url, given.dead_letter_url)


@cache
def executions() -> StepFunctions:
    given = configured()
    return StepFunctions(clients.stepfunctions(), given.state_machine, clients.dynamodb(), given.claims_table)


@cache
def _work() -> Work:
    given = configured()
    tables = Tables(given.orders_table, given.claims_table, given.ledger_table, given.mail_table)
    return Work(
        orders=DynamoOrders(clients.dynamodb(), tables),
        claims=DynamoClaims(clients.dynamodb(), tables.claims),
        queue=queue(),
        dead_letters=SqsDeadLetters(clients.sqs(), given.dead_letter_url, queue()),
        workflows=executions(),
        refunds=SqsRefunds(clients.sqs(), given.events_url),
        settings=given.orders(),
        now=0,
    )


def work(claims: Claims | None = None) -> Work:
    """The ports at this moment."""
    ports = msgspec.structs.replace(_work(), now=clock.now())
    return msgspec.structs.replace(ports, claims=claims) if claims else ports


def api_claims() -> ApiClaims:
    """The claims of one API request. Commit them once its message is sent."""
    return ApiClaims(DynamoClaims(clients.dynamodb(), configured().claims_table))


@cache
def answers() -> "DynamoAnswers":
    from expediter.aws.stores.answers import DynamoAnswers  # noqa: PLC0415  # few functions need it

    return DynamoAnswers(clients.dynamodb(), configured().events_table)


@cache
def gateways() -> "Gateways":
    from expediter.app.gateways import (  # noqa: PLC0415  # few functions need it
        GatewayName,
        parse_gateway,
        parse_payments,
        parse_stripe,
    )
    from expediter.aws.gateways import Gateways, StoredSecret  # noqa: PLC0415  # few functions need it

    given = configured()
    secrets = {
        GatewayName.PAYMENTS: StoredSecret(given.payments_token),
        GatewayName.RESTAURANT: StoredSecret(given.restaurant_secret),
    }
    payments = parse_payments(given.payments, parse_stripe(given.stripe_url))
    return Gateways(payments, parse_gateway(given.restaurant), secrets)


@cache
def events_queue() -> SqsQueue:
    given = configured()
    return SqsQueue(clients.sqs(), given.events_url, given.dead_events_url)


@cache
def provider_events() -> "DynamoEvents":
    from expediter.aws.stores.provider_events import DynamoEvents  # noqa: PLC0415  # one function needs it

    return DynamoEvents(clients.dynamodb(), configured().events_table)


@cache
def event_secrets() -> "StoredSecret":
    from expediter.aws.gateways import StoredSecret  # noqa: PLC0415  # few functions need it

    return StoredSecret(configured().event_secrets)


@cache
def mailer() -> "Mailer":
    from expediter.aws.sending.mailer import Mailer  # noqa: PLC0415  # few functions need it

    given = configured()
    return Mailer(
        tables=clients.dynamodb(),
        table=given.mail_table,
        sns=clients.sns(),
        topic=given.topic,
        ses=clients.sesv2(),
        sender=given.mail_from,
    )


@cache
def publisher() -> "Publisher":
    from expediter.aws.sending.feed import Feed  # noqa: PLC0415  # few functions need it
    from expediter.aws.sending.publisher import Publisher  # noqa: PLC0415  # few functions need it

    given = configured()
    return Publisher(clients.dynamodb(), given.orders_table, Feed(given.graphql_url))


@cache
def forgotten() -> "Forgotten":
    from expediter.aws.stores.forgotten import Forgotten  # noqa: PLC0415  # few functions need it

    given = configured()
    return Forgotten(clients.dynamodb(), given.orders_table, given.mail_table)
