"""Finds mails that were not sent and orders whose end was not published, by two sparse indexes."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from expediter.aws.failures import unavailable
from expediter.aws.stores.items import DynamoItem, shards, sortable
from expediter.aws.stores.tables import UNSENT, UNTOLD, Index

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient


class Forgotten:
    def __init__(self, client: "DynamoDBClient", orders: str, mail: str) -> None:
        self._client = client
        self._orders = orders
        self._mail = mail

    def mails(self, before: int) -> Iterator[DynamoItem]:
        """The keys of mails that were written before this time (ms since 1970 UTC) and are not sent."""
        return self._query(self._mail, UNSENT, before)

    def news(self, before: int) -> Iterator[DynamoItem]:
        """The keys of orders that ended before this time and whose end was not published."""
        return self._query(self._orders, UNTOLD, before)

    def _query(self, table: str, index: Index, before: int) -> Iterator[DynamoItem]:
        for name in shards():
            pages = self._client.get_paginator("query").paginate(
                TableName=table,
                IndexName=index.name,
                KeyConditionExpression=f"{index.hash} = :hash AND {index.range} < :before",
                ExpressionAttributeValues={":hash": {"S": name}, ":before": {"S": sortable(before)}},
            )
            with unavailable():
                for page in pages:
                    yield from page["Items"]
