"""Every operation, field, page and message × every kind of caller: what is answered comes from the table of scopes."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any, NamedTuple
from uuid import uuid4

import httpx
import pytest

from expediter import contracts
from expediter.api.access import NEEDS, Need
from expediter.api.graphql import RESOLVERS
from expediter.api.routes import operations
from expediter.app.access import Scope
from expediter.console.routes import LIVE, MARKED, ROUTES
from expediter.embedded.web.operations import OPERATIONS
from tests.embedded.web.access.callers import TOKEN, KindOfCaller, known, made_key, programs, strangers
from tests.embedded.web.conftest import Opened, Served
from tests.embedded.web.graphql.sockets import connected
from tests.support.issuer import Issuer, issuing

pytestmark = pytest.mark.anyio

WHERE = {name: where for where, name in operations(contracts.read("openapi.json")).items()}
ORDER = {"restaurant_id": "r", "quantity": 1}
#: The body of a call that has one; others send none.
BODIES: dict[str, Any] = {
    "postOrder": ORDER,
    "putOrder": {"restaurant_id": "r"},
    "eraseUser": {"user_id": "nobody"},
    "addKey": {"name": "shop", "scopes": ["keys"]},
    "setWorkflowRouting": {"percents": {}},
    "publishWorkflowVersion": {"definition": {}},
    "resendMails": {},
    "sendTaskSuccess": {},
    "sendTaskFailure": {},
}
FIELDS = {
    "Query.order": 'query { order(id: "ID") { id } }',
    "Query.orders": "query { orders { id } }",
    "Mutation.postOrder": 'mutation { postOrder(input: {name: "a", quantity: 1, restaurantId: "r"}) { id } }',
    "Mutation.updateOrder": 'mutation { updateOrder(input: {id: "ID", quantity: 2}) { id } }',
    "Mutation.deleteOrder": 'mutation { deleteOrder(id: "ID") }',
    "Mutation.cancelOrder": 'mutation { cancelOrder(id: "ID") { id } }',
    "Mutation.continuePayment": 'mutation { continuePayment(id: "ID") { id } }',
    "Mutation.publishOrder": 'mutation { publishOrder(id: "ID") { id } }',
    "Subscription.orderUpdated": 'subscription { orderUpdated(id: "ID") { id } }',
}
STRANGER, LET_IN = "Unauthorized", "let in"
_addresses = count(1)


class Town(NamedTuple):
    """A server, its issuer, and everybody who may come."""

    served: Served
    issuer: Issuer
    kinds: list[KindOfCaller]

    @property
    def client(self) -> httpx.AsyncClient:
        return self.served.client


@asynccontextmanager
async def town(opened: Opened) -> AsyncIterator[Town]:
    async with opened(TOKEN=TOKEN, TRUSTED_PROXIES="127.0.0.1") as plain:
        with issuing(plain.home.clock.now() / 1000) as issuer:
            pass
    with issuing(plain.home.clock.now() / 1000) as issuer:
        async with opened(TOKEN=TOKEN, TRUSTED_PROXIES="127.0.0.1", **issuer.settings()) as served:
            revoked_id, revoked = await made_key(served.client, ["orders:read"])
            await served.client.delete(f"/keys/{revoked_id}", headers={"Authorization": f"Bearer {TOKEN}"})
            gone = KindOfCaller("a revoked key", revoked, None)
            kinds = [*strangers(issuer), gone, *known(issuer), *await programs(served.client)]
            yield Town(served, issuer, kinds)


def headers(kind: KindOfCaller) -> dict[str, str]:
    """Each call comes from another address: strangers may not ask often from one."""
    number = next(_addresses)
    shown = {"Authorization": f"Bearer {kind.token}"} if kind.token else {}
    return {"X-Forwarded-For": f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", **shown}


def expected(kind: KindOfCaller, need: Need) -> str:
    if need == "nothing":
        return LET_IN
    if kind.scopes is None:
        return STRANGER
    return LET_IN if need == "token" or need in kind.scopes else f"ScopeMissing {need}"


def told(answer: httpx.Response) -> str:
    """What a call was told about its caller."""
    if answer.status_code == 401:
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        return STRANGER
    if answer.status_code == 403 and answer.json()["error"] == "ScopeMissing":
        (scope,) = re.findall(r'insufficient_scope", scope="([\w:]+)"', answer.headers["WWW-Authenticate"])
        assert f"scope {scope}," in answer.json()["detail"]
        return f"ScopeMissing {scope}"
    assert answer.status_code != 403, answer.text
    assert answer.status_code < 500, answer.text
    return LET_IN


def test_every_operation_has_a_row_and_the_contracts_say_the_same() -> None:
    document = contracts.read("openapi.json").decode()
    assert {*OPERATIONS, *RESOLVERS} == set(NEEDS)
    assert set(WHERE) == set(OPERATIONS)
    assert set(FIELDS) == set(RESOLVERS)
    assert all(operation.need == NEEDS[name] for name, operation in OPERATIONS.items())
    assert all(isinstance(route.need, Scope) for route in ROUTES.values())
    assert document.count('"security"') == len(OPERATIONS)


def test_every_live_page_has_a_row_and_needs_what_the_page_that_it_keeps_up_to_date_needs() -> None:
    follows = {"letters": "dead-letters", "mailbox": "mailbox", "flow": "flow", "workflow": "workflow"}
    assert set(MARKED) == set(follows)
    pages = {**{live: f"/console/{page}" for live, page in follows.items()}, "orders": "/console"}
    wanted = {live: ROUTES["GET", page].need for live, page in pages.items()}
    assert {**wanted, "orders/{id}": ROUTES["GET", "/console/orders/{id}"].need} == LIVE


async def test_every_operation_of_rest_lets_in_whom_the_table_names(opened: Opened) -> None:
    async with town(opened) as there:
        for name, (method, path) in WHERE.items():
            for kind in there.kinds:
                where = re.sub(r"\{\w+\}", str(uuid4()), path)
                answer = await there.client.request(method, where, json=BODIES.get(name), headers=headers(kind))
                assert told(answer) == expected(kind, NEEDS[name]), (name, kind.name)


async def test_every_field_of_graphql_lets_in_whom_the_table_names(opened: Opened) -> None:
    async with town(opened) as there:
        for name, document in FIELDS.items():
            if name.startswith("Subscription."):
                continue  # over HTTP there is none
            for kind in there.kinds:
                body = {"query": document.replace("ID", str(uuid4()))}
                answer = await there.client.post("/graphql", json=body, headers=headers(kind))
                assert _told_by_graphql(answer) == expected(kind, NEEDS[name]), (name, kind.name)


def _told_by_graphql(answer: httpx.Response) -> str:
    return STRANGER if answer.status_code == 401 else _told_in(answer.json().get("errors", []))


def _told_in(errors: list[dict[str, Any]]) -> str:
    for error in errors:
        if error["extensions"]["code"] == "ScopeMissing":
            (scope,) = re.findall(r"the scope ([\w:]+),", error["message"])
            return f"ScopeMissing {scope}"
        assert error["extensions"]["code"] == "OrderNotFound"
    return LET_IN


async def test_every_page_and_act_of_the_console_lets_in_whom_the_table_names(opened: Opened) -> None:
    needs = {where: route.need for where, route in ROUTES.items()}
    needs |= {("GET", f"/console/live/{name}"): need for name, need in LIVE.items()}
    async with town(opened) as there:
        for kind in there.kinds:
            form = {"token": kind.token, "name": "Olga"}
            signed = await there.client.post("/console/sign-in", data=form, headers=headers(kind))
            cookie = signed.headers.get("Set-Cookie", "").partition(";")[0]
            assert (signed.status_code == 303) == _is_operator(kind), kind.name
            for (method, path), need in needs.items():
                where = re.sub(r"\{\w+\}", str(uuid4()), path)
                answer = await _visited(there.client, method, where, cookie)
                told_there = _told_at_the_console(method, answer)
                wanted = expected(kind, need) if _is_operator(kind) else STRANGER
                assert told_there == wanted, (method, path, kind.name)
            there.client.cookies.clear()


def _is_operator(kind: KindOfCaller) -> bool:
    return kind.scopes is not None and not kind.name.startswith("a customer")


async def _visited(client: httpx.AsyncClient, method: str, path: str, cookie: str) -> httpx.Response:
    """The answer to a page or an act; of a live page, only its head is read."""
    number = next(_addresses)
    shown = {"Cookie": cookie, "X-Forwarded-For": f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"}
    request = client.build_request(method, path, headers=shown)
    answer = await client.send(request, stream=True)
    if not answer.headers.get("Content-Type", "").startswith("text/event-stream"):
        await answer.aread()
    await answer.aclose()
    return answer


def _told_at_the_console(method: str, answer: httpx.Response) -> str:
    """An act of somebody who may do it is refused for want of the form's own token, which comes after."""
    if method == "POST" and answer.status_code == 403 and answer.json()["error"] == "FormExpired":
        return LET_IN
    return told(answer)


async def test_every_message_of_a_websocket_lets_in_whom_the_table_names(serving: Opened) -> None:
    async with town(serving) as there:
        for kind in there.kinds:
            shown = headers(kind)
            authorization = shown.pop("Authorization", "")
            async with connected(there.served, greet=False, additional_headers=shown) as client:
                await client.say("connection_init", authorization=authorization)
                if kind.scopes is None:
                    assert await client.closed() == 4403, kind.name
                    continue
                assert (await client.hear())["type"] == "connection_ack"
                for name, document in FIELDS.items():
                    await client.say("subscribe", name, query=document.replace("ID", str(uuid4())))
                    answer = await client.hear()
                    errors = answer["payload"] if answer["type"] == "error" else answer["payload"].get("errors", [])
                    assert _told_in(errors) == expected(kind, NEEDS[name]), (name, kind.name)
                    if answer["type"] == "next":
                        assert await client.hear() == {"type": "complete", "id": name}
