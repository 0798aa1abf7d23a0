"""Publishes an order to its subscribers, and marks its row once its end is published."""

from typing import TYPE_CHECKING

from expediter.aws.sending.feed import Feed
from expediter.aws.stores.items import DynamoItem

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient


class Publisher:
    def __init__(self, tables: "DynamoDBClient", table: str, feed: Feed) -> None:
        self._tables = tables
        self._table = table
        self._feed = feed

    def publish(self, row: DynamoItem) -> None:
        """``row``: an order's row, or its row of the index ``untold``. Raises FeedUnavailable, and what AWS says."""
        self._feed.publish(row["id"]["S"])
        if "untold" in row:
            self._tables.update_item(
                TableName=self._table,
                Key={"user_id": row["user_id"], "id": row["id"]},
                UpdateExpression="REMOVE untold, ended, news",
            )
