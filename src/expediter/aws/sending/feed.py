"""Tells AppSync of a changed order by its internal mutation, signed as this function's role (no customer can call it).

AppSync then sends the order to its subscribers.
https://docs.aws.amazon.com/appsync/latest/devguide/aws-appsync-real-time-data.html
"""

import json

import boto3
import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from expediter.domain.errors import OrderNotFound

#: What subscribers may ask for has to be asked for here: AppSync passes on the fields of this answer and no others.
PUBLISH = """mutation Publish($id: ID!) {
  publishOrder(id: $id) {
    id userId restaurantId name quantity items { name quantity unitPrice } total currency
    orderStatus errorMessage createdAt updatedAt
  }
}"""


class FeedUnavailable(Exception):
    """AppSync did not take the news of an order. The stream brings it again."""


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
    """Whether there is nothing left to tell. An order may be deleted between its news and the telling: nobody sees it
    any more, and trying again would only hold up the news of others."""
    errors = json.loads(answer).get("errors") or ()
    return all(error.get("errorType") == OrderNotFound.__name__ for error in errors)
