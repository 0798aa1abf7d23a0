"""Claims on DynamoDB: which ids are taken."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from expediter.app.ports import Claim
from expediter.aws.failures import code, unavailable
from expediter.domain.errors import IdempotencyKeyReused

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient


class DynamoClaims:
    """Claims of the intake. It decides, so its claims are written at once."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def claim(self, claim: Claim) -> bool:
        with unavailable():
            try:
                self._client.update_item(
                    TableName=self._table,
                    Key={"id": {"S": claim.order_id}},
                    UpdateExpression="SET fingerprint = :fingerprint",
                    ConditionExpression="attribute_not_exists(fingerprint)",
                    ExpressionAttributeValues={":fingerprint": {"S": claim.fingerprint}},
                )
            except ClientError as error:
                if code(error) != "ConditionalCheckFailedException":
                    raise
                return self.free(claim)
        return True

    def free(self, claim: Claim) -> bool:
        """Whether the id was free; False when the same claim has it. Raises IdempotencyKeyReused when another claim has
        it.
        """
        fingerprint = self._fingerprint(claim.order_id)
        if fingerprint is None:
            return True
        if fingerprint != claim.fingerprint:
            raise IdempotencyKeyReused
        return False

    def taken(self, order_id: str) -> bool:
        return self._fingerprint(order_id) is not None

    def _fingerprint(self, order_id: str) -> str | None:
        with unavailable():
            found = self._client.get_item(TableName=self._table, Key={"id": {"S": order_id}}, ConsistentRead=True)
        text = found.get("Item", {}).get("fingerprint")
        return None if text is None else text["S"]


class ApiClaims:
    """Claims of an API request: it reads at once, and writes in ``commit``, once the message is on the queue.

    SQS and DynamoDB share no transaction. A claim without its message would lose the order, because a repeat would look
    like one that was accepted before. A message without a claim is claimed by the intake.
    """

    def __init__(self, claims: DynamoClaims) -> None:
        self._claims = claims
        self._made: dict[str, Claim] = {}

    def claim(self, claim: Claim) -> bool:
        if claim.order_id in self._made or not self._claims.free(claim):
            return False
        self._made[claim.order_id] = claim
        return True

    def taken(self, order_id: str) -> bool:
        return order_id in self._made or self._claims.taken(order_id)

    def commit(self) -> None:
        """Raises IdempotencyKeyReused when another claim took the id meanwhile."""
        made, self._made = self._made, {}
        for claim in made.values():
            self._claims.claim(claim)
