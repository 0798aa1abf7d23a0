"""Publishes a changed order to AppSync, which sends it to subscribers.

It calls an internal mutation, signed as this function's role. No customer can call that mutation.
https://docs.aws.amazon.com/appsync/latest/devguide/aws-appsync-real-time-data.html
"""

import json

import boto3
import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from expediter.domain.errors import OrderNotFound

#: AppSync gives subscribers only the fields of this answer, so it asks for all that they may select.
PUBLISH = """mutation Publish($id: ID!) {
  publishOrder(id: $id) {
    id userId restaurantId name quantity items { name quantity unitPrice } total currency
    orderStatus errorMessage createdAt updatedAt metadata { key value }
  }
}"""


class FeedUnavailable(Exception):
    """AppSync did not accept the change of an order. The stream brings it again."""


class Feed:
    def __init__(self, url: str) -> None:
        self._url = url
        self._session = boto3.Session()
        self._pool = urllib3.PoolManager(timeout=urllib3.Timeout(connect=2, read=8), retries=False)

    def publish(self, order_id: str) -> None:
        """Raises FeedUnavailable."""
        body = json.dumps({"query": PUBLISH, "variables": {"id": order_id}}).encode()
        credentials = self._session.get_credentials()
        if credentials is None:
            raise FeedUnavailable("This function has no credentials to sign with. Give it a role.")
        request = AWSRequest("POST", self._url, data=body, headers={"Content-Type": "application/json"})
        SigV4Auth(credentials, "appsync", self._session.region_name).add_auth(request)
        response = self._pool.request("POST", self._url, body=body, headers=dict(request.headers))
        if response.status != 200 or not _taken(response.data):
            raise FeedUnavailable(f"AppSync answered HTTP {response.status}: {response.data[:500]!r}")


def _taken(answer: bytes) -> bool:
    """Whether the order was deleted after its change. Then nobody sees it any more, and another try would only hold up
    other changes.
    """
    errors = json.loads(answer).get("errors") or ()
    return all(error.get("errorType") == OrderNotFound.__name__ for error in errors)
