"""The answers to acts that were carried out under idempotency keys, on DynamoDB, for a week.

They are in the table of the payment provider's events, whose ids begin with the provider's name.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from expediter.app.operator.repeats import REMEMBERED, Answer, RequestCutOff
from expediter.aws.failures import code, unavailable
from expediter.aws.stores.items import DynamoItem, numbers, texts
from expediter.domain.errors import IdempotencyKeyReused, OrderError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient


class DynamoAnswers:
    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def once(self, key: str | None, asked: str, act: Callable[[], bytes], now: int) -> Answer:
        """Acts, unless the same was done under this key before. Without a key it always acts.

        The key is taken before the act, because the act and its answer share no transaction. So a request that was cut
        off is not carried out a second time. Raises IdempotencyKeyReused, RequestCutOff, and what the act raises: after
        an OrderError the key is free.
        """
        if key is None:
            return Answer(act(), replayed=False)
        row = {**texts(id=_id(key), asked=asked), **numbers(expires_at=(now + REMEMBERED) // 1000)}
        if not self._take(row, now):
            return self._first(key, asked)
        try:
            body = act()
        except OrderError:
            self._put({name: row[name] for name in ("id", "expires_at")})
            raise
        self._put({**row, "body": {"B": body}})
        return Answer(body, replayed=False)

    def _take(self, row: DynamoItem, now: int) -> bool:
        """Whether the key was free. DynamoDB may keep a row for days after ``expires_at``."""
        with unavailable():
            try:
                self._client.put_item(
                    TableName=self._table,
                    Item=row,
                    ConditionExpression="attribute_not_exists(asked) OR expires_at < :now",
                    ExpressionAttributeValues={":now": {"N": str(now // 1000)}},
                )
            except ClientError as error:
                if code(error) != "ConditionalCheckFailedException":
                    raise
                return False
        return True

    def _first(self, key: str, asked: str) -> Answer:
        """The answer to the first request under this key."""
        with unavailable():
            found = self._client.get_item(TableName=self._table, Key=texts(id=_id(key)), ConsistentRead=True)
        row = found.get("Item", {})
        if row.get("asked") != {"S": asked}:
            raise IdempotencyKeyReused
        if "body" not in row:
            raise RequestCutOff
        return Answer(bytes(row["body"]["B"]), replayed=True)

    def _put(self, row: DynamoItem) -> None:
        with unavailable():
            self._client.put_item(TableName=self._table, Item=row)


def _id(key: str) -> str:
    return f"act#{key}"
