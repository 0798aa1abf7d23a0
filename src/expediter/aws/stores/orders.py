"""The order table with its ledger and outbox, on DynamoDB.

An outcome is one transaction, on condition that the order has not changed since it was read. Ledger entries and mails
are written once and never altered (``if_not_exists``), so the same outcome twice has the effect of one. Lists are in
``lists``.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec
from botocore.exceptions import ClientError

from expediter.app.ports import NO_CURSOR, Mail, Outcome, Page, Query
from expediter.asl.protocol import Json
from expediter.aws.failures import code, unavailable
from expediter.aws.stores.items import DynamoItem, entry_of, item_of, numbers, order_of, shard, sortable, texts
from expediter.aws.stores.lists import Lists
from expediter.aws.stores.news import is_news
from expediter.domain.errors import NO_LIST, OrderChanged, OrderInvalid
from expediter.domain.ledger import LedgerEntry
from expediter.domain.order import Order

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

#: Seconds after which DynamoDB removes a mail's row.
KEPT = 90 * 24 * 3600
#: DynamoDB's reasons when another transaction writes the same rows. The task reads the order again and settles again.
_LOST = frozenset({"ConditionalCheckFailed", "TransactionConflict"})


class Tables(msgspec.Struct, frozen=True):
    """The names of the deployed tables."""

    orders: str
    claims: str
    ledger: str
    mail: str


class DynamoOrders:
    def __init__(self, client: "DynamoDBClient", tables: Tables) -> None:
        self._client = client
        self._tables = tables

    def find(self, order_id: str) -> Order | None:
        with unavailable():
            owner = self._get(self._tables.claims, {"id": {"S": order_id}}).get("user_id")
            if owner is None:
                return None
            row = self._get(self._tables.orders, {"user_id": owner, "id": {"S": order_id}})
        return order_of(row) if row else None

    def accepted(self, _: str) -> Order | None:
        """None: SQS does not show its messages."""
        return None

    def page(self, query: Query) -> Page:
        last = None if query.cursor is None else self.find(query.cursor)
        if query.cursor is not None and last is None:
            raise OrderInvalid((NO_CURSOR,), NO_LIST)
        with unavailable():
            orders = Lists(self._client, self._tables.orders).orders(query, last)
        return Page(orders[: query.limit], cursor=orders[query.limit - 1].id if len(orders) > query.limit else None)

    def apply(self, before: Order | None, outcome: Outcome) -> None:
        order = outcome.order
        put = self._put(before, order)
        items: list[Json] = [{"Put": put}]
        if before is None:
            items.append(self._owner(order))
        items += [self._once(self._tables.ledger, _key(entry), _entry_item(entry)) for entry in outcome.entries]
        items += [self._once(self._tables.mail, _mail_key(mail), _mail_item(mail, order)) for mail in outcome.mails]
        with unavailable():
            try:
                if len(items) == 1:
                    self._client.put_item(**put)
                else:
                    self._client.transact_write_items(TransactItems=items)
            except ClientError as error:
                if _lost(error):
                    raise OrderChanged from error
                raise

    def entries(self, order_id: str) -> tuple[LedgerEntry, ...]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._tables.ledger,
            KeyConditionExpression="order_id = :id",
            ExpressionAttributeValues={":id": {"S": order_id}},
            ConsistentRead=True,
        )
        with unavailable():
            found = [entry_of(row) for page in pages for row in page["Items"]]
        return tuple(sorted(found, key=lambda entry: entry.at))

    def with_entries(self) -> Iterator[tuple[Order, tuple[LedgerEntry, ...]]]:
        """Reads the whole table. It is for an operator's reconciliation; no function has the right to do it."""
        pages = self._client.get_paginator("scan").paginate(TableName=self._tables.orders, ConsistentRead=True)
        with unavailable():
            for page in pages:
                for row in page["Items"]:
                    order = order_of(row)
                    yield order, self.entries(order.id)

    # ── writes ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _get(self, table: str, key: DynamoItem) -> DynamoItem:
        return self._client.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item", {})

    def _put(self, before: Order | None, order: Order) -> DynamoItem:
        put: DynamoItem = {"TableName": self._tables.orders, "Item": {**item_of(order), **_news(before, order)}}
        if before is None:
            return {**put, "ConditionExpression": "attribute_not_exists(id)"}
        return {
            **put,
            "ConditionExpression": "version = :before",
            "ExpressionAttributeValues": {":before": {"N": str(before.version)}},
        }

    def _owner(self, order: Order) -> DynamoItem:
        return {
            "Update": {
                "TableName": self._tables.claims,
                "Key": {"id": {"S": order.id}},
                "UpdateExpression": "SET user_id = :user",
                "ExpressionAttributeValues": {":user": {"S": order.user_id}},
            }
        }

    def _once(self, table: str, key: DynamoItem, row: DynamoItem) -> DynamoItem:
        """Writes the row unless it is there."""
        names = {f"#{name}": name for name in row}
        return {
            "Update": {
                "TableName": table,
                "Key": key,
                "UpdateExpression": "SET " + ", ".join(f"#{name} = if_not_exists(#{name}, :{name})" for name in row),
                "ExpressionAttributeNames": names,
                "ExpressionAttributeValues": {f":{name}": value for name, value in row.items()},
            }
        }


def _lost(error: ClientError) -> bool:
    if code(error) == "TransactionCanceledException":
        reasons = error.response.get("CancellationReasons", [])
        return any(reason.get("Code") in _LOST for reason in reasons)
    return code(error) == "ConditionalCheckFailedException"


def _news(before: Order | None, order: Order) -> DynamoItem:
    """``news``: the publisher gets this write. ``untold``: is set until the order's end is published."""
    if not is_news(before, order):
        return {}
    if not order.ended:
        return texts(news="yes")
    return texts(news="yes", untold=shard(order.id), ended=sortable(order.updated_at))


def _key(entry: LedgerEntry) -> DynamoItem:
    return texts(order_id=entry.order_id, entry=f"{entry.kind}#{entry.key}")


def _entry_item(entry: LedgerEntry) -> DynamoItem:
    row = texts(kind=entry.kind, key=entry.key, currency=entry.currency, reference=entry.reference)
    return {**row, **numbers(amount=entry.amount, at=entry.at)}


def _mail_key(mail: Mail) -> DynamoItem:
    return texts(order_id=mail.order_id, mail=f"{mail.status}#{mail.recipient}")


def _mail_item(mail: Mail, order: Order) -> DynamoItem:
    row = texts(status=mail.status, recipient=mail.recipient, subject=mail.subject, text=mail.text)
    found = texts(restaurant_id=order.restaurant_id, unsent=shard(order.id), created=sortable(order.updated_at))
    return {**row, **found, **numbers(at=order.updated_at, expires_at=order.updated_at // 1000 + KEPT)}
