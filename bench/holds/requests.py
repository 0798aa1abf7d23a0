"""Large requests: what a caller may ask for at most."""

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from http.client import HTTPConnection
from typing import Any, TypeAlias
from urllib.parse import urlencode

import uvicorn

from bench.holds.workflows import RECURSION, jsonata, mapped
from expediter.embedded.home import Home
from expediter.embedded.web.app import create_app
from expediter.embedded.web.connections import Connections
from expediter.embedded.web.serving import configuration

#: Asks the server on this port, in another thread than the server's.
Asking: TypeAlias = Callable[[int], None]
#: Bytes that a body may have.
BODY = 64 * 1024
JSON_BODY = {"Content-Type": "application/json"}
FORM_BODY = {"Content-Type": "application/x-www-form-urlencoded"}


@asynccontextmanager
async def served(home: Home) -> AsyncIterator[int]:
    """A server in front of this home, on the port of loopback that it gives."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        app = create_app(home)
        server = uvicorn.Server(configuration(app, Connections(1_000), 1))
        task = asyncio.create_task(server.serve(sockets=[listening]))
        yield listening.getsockname()[1]
        app.end_streams()
        server.should_exit = True
        await task


def ask(method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Asking:
    """Sends a request. ``{id}`` in the path is the id of an order."""

    def asking(port: int) -> None:
        where = path.replace("{id}", an_order(port)) if "{id}" in path else path
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request(method, where, body or None, dict(headers or {}))
        connection.getresponse().read()
        connection.close()

    return asking


def got(port: int, path: str) -> tuple[str, str]:
    """A page and the cookie that came with it."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path)
    answer = connection.getresponse()
    text, cookie = answer.read().decode(), answer.headers.get("Set-Cookie", "")
    connection.close()
    return text, cookie.partition(";")[0]


def an_order(port: int) -> str:
    return str(json.loads(got(port, "/orders?limit=1")[0])["items"][0]["id"])


def graphql(document: str) -> Asking:
    body = json.dumps({"query": document}).encode()
    return ask("POST", "/graphql", body, JSON_BODY)


def order(text: str) -> Asking:
    return ask("POST", "/orders", text.encode()[:BODY], JSON_BODY)


def trial(definition: dict[str, Any], port: int) -> None:
    """Tries a definition in the console."""
    page, cookie = got(port, "/console/workflow/try")
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    form = {"csrf": found[1] if found else "", "definition": json.dumps(definition), "input": "{}", "act": "run"}
    ask("POST", "/console/workflow/try", urlencode(form).encode(), {**FORM_BODY, "Cookie": cookie})(port)


def aliases(count: int, selection: str) -> str:
    return "{" + " ".join(f"a{number}: {selection}" for number in range(count)) + "}"


REQUESTS: dict[str, Asking] = {
    "rest: a page of orders with 100 items each": ask("GET", "/orders?limit=100"),
    "rest: an order": ask("GET", "/orders/{id}"),
    "rest: its timeline": ask("GET", "/orders/{id}/timeline"),
    "rest: a body of 64 KiB of lists": order("[" * BODY),
    "rest: a body of 64 KiB of keys": order("{" + ",".join(f'"k{number}":1' for number in range(6_000)) + "}"),
    "rest: an order with 5,000 wrong items": order(
        '{"user_id":"u","restaurant_id":"r","items":[' + ",".join(['{"name":""}'] * 5_000) + "]}"
    ),
    "rest: metrics": ask("GET", "/metrics"),
    "rest: the dead letters": ask("GET", "/dlq?limit=100"),
    "graphql: orders with all items": graphql("{orders(limit: 100){id orderStatus items{name quantity unitPrice}}}"),
    "graphql: the same orders under many names": graphql(
        aliases(4, "orders(limit: 30){items{name quantity unitPrice}}")
    ),
    "graphql: one order under many names": graphql(aliases(150, 'order(id: "1"){id}')),
    "graphql: many names of a field": graphql(
        "{orders(limit: 20){" + " ".join(f"a{number}: id" for number in range(450)) + "}}"
    ),
    "graphql: fields that have to agree": graphql("{orders(limit: 1){" + "id " * 1_900 + "}}"),
    "graphql: parts that have to agree": graphql("{orders(limit: 1){" + "...on Order{id} " * 320 + "}}"),
    "graphql: fragments of fragments": graphql(
        "{order(id: 1){...f0}} "
        + " ".join(f"fragment f{number} on Order {{...f{number + 1} ...f{number + 1}}}" for number in range(150))
        + " fragment f150 on Order {id}"
    ),
    "graphql: 99 changes": graphql(
        "mutation " + aliases(99, 'cancelOrder(id: "00000000-0000-7000-8000-000000000000"){id}')
    ),
    "graphql: the items of a new order under many names": graphql(
        'mutation{postOrder(input:{userId:"u",restaurantId:"r",items:['
        + '{name:"a",quantity:1} ' * 100
        + "]}){items{"
        + " ".join(f"a{number}: name" for number in range(190))
        + "}}}"
    ),
    "graphql: the schema": graphql("{__schema{types{name fields{name args{name} type{name ofType{name}}}}}}"),
    "graphql: too deep": graphql("{a" * 900),
    "graphql: a text of 60 KiB": graphql('{order(id: "' + "a" * 60_000 + '"){id}}'),
    "graphql: unknown fields": graphql(aliases(480, "b")),
    "console: the list of orders": ask("GET", "/console"),
    "console: an order": ask("GET", "/console/orders/{id}"),
    "console: the workflow": ask("GET", "/console/workflow"),
    "console: the flow": ask("GET", "/console/flow"),
    "console: the mailbox": ask("GET", "/console/mailbox"),
    "console: the dead letters": ask("GET", "/console/dead-letters"),
    "console: the audit": ask("GET", "/console/audit"),
    "console: a trial of endless recursion": partial(trial, jsonata(RECURSION)),
    "console: a trial of a large Map": partial(trial, mapped("[1..40000]", "$sum([1..1500].($*2))")),
}
