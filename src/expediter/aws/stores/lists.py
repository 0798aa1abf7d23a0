"""Lists of orders, newest first, without a scan.

The indexes give keys, and the rows of these keys are read consistently: an index may be late, a row is not. A page
begins after the order that its cursor names (keyset pagination), so orders that come and go meanwhile neither repeat
nor skip others. A key that all orders share is spread over shards (``tables``), whose lists are merged.
"""

from collections.abc import Iterable, Iterator
from heapq import merge
from itertools import islice
from typing import TYPE_CHECKING, Any

from expediter.app.ports import Query
from expediter.aws.stores.items import DynamoItem, created, order_of, shards, status_shard
from expediter.aws.stores.tables import BY_RESTAURANT, BY_STATUS, BY_TIME, BY_USER, Index
from expediter.domain.order import Order

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

#: Rows of one BatchGetItem at most.
BATCH = 100


class Lists:
    def __init__(self, client: "DynamoDBClient", orders: str) -> None:
        self._client = client
        self._orders = orders

    def orders(self, query: Query, last: Order | None) -> tuple[Order, ...]:
        """The orders after ``last``, one more than ``query.limit`` if there are so many."""
        keys = iter(_once(self._keys(query, last)))
        found: list[Order] = []
        while len(found) <= query.limit:
            some = list(islice(keys, min(BATCH, query.limit + 1 - len(found))))
            if not some:
                break
            found += [order for order in self._rows(some) if _fits(order, query)]
        return tuple(found)

    def _keys(self, query: Query, last: Order | None) -> Iterator[DynamoItem]:
        before = created(last) if last else None
        if query.user_id is not None:
            index, values = BY_USER, [query.user_id]
        elif query.restaurant_id is not None:
            index, values = BY_RESTAURANT, [query.restaurant_id]
        elif query.status is not None:
            index, values = BY_STATUS, [status_shard(query.status, name) for name in shards()]
        else:
            index, values = BY_TIME, shards()
        parts = [self._query(index, value, before, query.limit + 1) for value in values]
        return merge(*parts, key=lambda row: str(row["created"]["S"]), reverse=True)

    def _query(self, index: Index, value: str, before: str | None, some: int) -> Iterator[DynamoItem]:
        """Yields the rows of one index key, newest first, so many at a time."""
        condition, values = f"{index.hash} = :hash", {":hash": {"S": value}}
        if before is not None:
            condition, values = f"{condition} AND {index.range} < :before", {**values, ":before": {"S": before}}
        pages = self._client.get_paginator("query").paginate(
            TableName=self._orders,
            IndexName=index.name,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=values,
            ScanIndexForward=False,
            PaginationConfig={"PageSize": some},
        )
        for page in pages:
            yield from page["Items"]

    def _rows(self, keys: list[DynamoItem]) -> list[Order]:
        """The orders of these keys, in the same order."""
        wanted: dict[str, Any] = {self._orders: {"Keys": [_key(row) for row in keys], "ConsistentRead": True}}
        found: dict[str, Order] = {}
        while wanted:
            answer = self._client.batch_get_item(RequestItems=wanted)
            found |= {row["id"]["S"]: order_of(row) for row in answer["Responses"].get(self._orders, [])}
            wanted = dict(answer.get("UnprocessedKeys", {}))
        return [found[row["id"]["S"]] for row in keys if row["id"]["S"] in found]


def _key(row: DynamoItem) -> DynamoItem:
    return {"user_id": row["user_id"], "id": row["id"]}


def _once(keys: Iterable[DynamoItem]) -> Iterator[DynamoItem]:
    """An order whose status changes during the listing may be in two partitions."""
    seen: set[str] = set()
    for row in keys:
        if row["id"]["S"] not in seen:
            seen.add(row["id"]["S"])
            yield row


def _fits(order: Order, query: Query) -> bool:
    if order.deleted_at is not None:
        return False
    asked = ((query.user_id, order.user_id), (query.status, order.status), (query.restaurant_id, order.restaurant_id))
    return all(wanted is None or wanted == value for wanted, value in asked)
