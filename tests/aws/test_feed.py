"""How AppSync is told of an order: a signed call of the internal mutation, with everything a subscriber may ask for."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from graphql import build_schema, parse, validate

from expediter import contracts
from expediter.aws.sending.feed import PUBLISH, Feed, FeedUnavailable
from expediter.embedded.web.graphql.executor import PRELUDE
from tests.support.values import ID


class Listener(HTTPServer):
    """An AppSync that answers what it is told and keeps what it got."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = (200, b'{"data": {"publishOrder": null}}')
        self.got: list[tuple[dict[str, str], Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/graphql"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server = self.server
        assert isinstance(server, Listener)
        server.got.append((dict(self.headers), json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
        status, body = server.answer
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def appsync(monkeypatch: pytest.MonkeyPatch) -> Iterator[Listener]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with Listener() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_the_call_is_signed_for_appsync_and_names_the_order(appsync: Listener) -> None:
    Feed(appsync.url).publish(ID)
    ((headers, body),) = appsync.got
    assert headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=testing/")
    assert "/us-east-1/appsync/aws4_request" in headers["Authorization"]
    assert body["variables"] == {"id": ID}


@pytest.mark.parametrize("answer", [(401, b"{}"), (500, b""), (200, b'{"data": null, "errors": [{}]}')])
def test_what_appsync_does_not_take_is_an_error(appsync: Listener, answer: tuple[int, bytes]) -> None:
    appsync.answer = answer
    with pytest.raises(FeedUnavailable):
        Feed(appsync.url).publish(ID)


def test_an_order_that_was_deleted_meanwhile_holds_nobody_up(appsync: Listener) -> None:
    gone = {"data": {"publishOrder": None}, "errors": [{"errorType": "OrderNotFound", "message": "There is no order."}]}
    appsync.answer = (200, json.dumps(gone).encode())
    Feed(appsync.url).publish(ID)
    other = {**gone, "errors": [*gone["errors"], {"errorType": "InternalError"}]}
    appsync.answer = (200, json.dumps(other).encode())
    with pytest.raises(FeedUnavailable):
        Feed(appsync.url).publish(ID)


def test_the_mutation_fits_the_schema_and_asks_for_every_field() -> None:
    schema = build_schema(PRELUDE + contracts.read("schema.graphql").decode())
    mutation = parse(PUBLISH)
    asked = selected(mutation.definitions[0])["publishOrder"]
    types: dict[str, Any] = dict(schema.type_map)

    assert validate(schema, mutation) == []
    assert set(asked) == set(types["Order"].fields) - {"payment"}  # its secret is for the order's customer alone
    assert set(asked["items"]) == set(types["Item"].fields)


def selected(node: Any) -> dict[str, Any]:
    """The fields that are asked for, each with those below it."""
    fields = node.selection_set.selections if node.selection_set else ()
    return {field.name.value: selected(field) for field in fields}
