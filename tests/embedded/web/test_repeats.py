"""What is asked for twice is done once: every operation of REST and GraphQL with an effect, by the contracts.

The same request is sent again, as a client does whose answer was lost. Then the file holds what it held before, apart
from the audit, which has both requests. The console's forms: tests/console/test_sent_twice.py.
"""

import asyncio
import hashlib
import json
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import pytest

from expediter import contracts
from expediter.api.graphql import RESOLVERS
from expediter.api.routes import operations
from expediter.app.payments.events import SIGNATURES
from expediter.app.payments.signature import signature
from expediter.app.ports import Message, Work
from expediter.embedded.clock import new_id
from expediter.embedded.sqlite.database import open_reader
from tests.console.shop import REASON
from tests.embedded.web.conftest import PLAIN, Opened, Served
from tests.embedded.web.routes.test_tasks import WAITING, waiting
from tests.support.clock import VirtualClock

pytestmark = pytest.mark.anyio

#: Tables that repeats may change: what was asked for, and notes of the server's own.
APART = {"audit", "health", "minute", "sqlite_sequence", "sqlite_stat1", "answered", "scrub"}
SECRET = "whsec_1"
OTHER = {"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}
#: The second state asks for a status that the order cannot have: the workflow fails there, at every redrive again.
BROKEN = """{"StartAt": "Save", "States": {
  "Save": {"Type": "Task", "Resource": "InitializeOrder", "ResultPath": null, "Next": "Complete"},
  "Complete": {"Type": "Task", "Resource": "CompleteOrder", "End": true}}}"""

REST = {name for (method, _), name in operations(contracts.read("openapi.json")).items() if method != "GET"}
GRAPHQL = {name for name in RESOLVERS if name.startswith("Mutation.")}

#: A request as it is sent: method, path, and what httpx takes.
Asked: TypeAlias = tuple[str, str, dict[str, Any]]


async def an_order(served: Served, **fields: Any) -> str:
    order_id = str((await served.client.post("/orders", json={**PLAIN, **fields})).headers["Order-Id"])
    await settled(served)
    return order_id


async def a_letter(served: Served) -> str:
    """The id of a dead letter."""
    await served.home.write(lambda work: work.queue.send(b"{}", {"order_id": new_id()}, work.now), "send")
    while not (letters := served.home.read(lambda work: work.dead_letters.page(1))):
        for message in await served.home.write(lambda work: work.queue.receive(5, work.now + 60_000), "receive"):
            await served.home.write(partial(_fail, message), "fail")
        await asyncio.sleep(0)
    return letters[0].id


def _fail(message: Message, work: Work) -> None:
    """As a receive long ago that failed, so that the next one need not wait."""
    work.queue.fail(message, REASON, work.now - 60_000)


async def a_version(served: Served) -> None:
    await served.client.post("/workflow/versions", json={"definition": OTHER})


async def post_order(_: Served) -> Asked:
    return "POST", "/orders", {"json": PLAIN, "headers": {"Idempotency-Key": new_id()}}


async def put_order(served: Served) -> Asked:
    return "PUT", f"/orders/{await an_order(served)}", {"json": {"restaurant_id": "another"}}


async def delete_order(served: Served) -> Asked:
    return "DELETE", f"/orders/{await an_order(served)}", {}


async def cancel_order(served: Served) -> Asked:
    return "POST", f"/orders/{await an_order(served)}/cancel", {}


async def redrive_order(served: Served) -> Asked:
    key = {"Idempotency-Key": new_id()}
    return "POST", f"/orders/{await an_order(served)}/redrive", {"headers": key}


async def delete_letter(served: Served) -> Asked:
    return "DELETE", f"/dlq/{await a_letter(served)}", {}


async def redrive_letter(served: Served) -> Asked:
    return "POST", f"/dlq/{await a_letter(served)}/redrive", {}


async def purge_letters(served: Served) -> Asked:
    await a_letter(served)
    return "DELETE", "/dlq", {}


async def redrive_letters(served: Served) -> Asked:
    await a_letter(served)
    return "POST", "/dlq/redrive", {}


async def publish_version(_: Served) -> Asked:
    return "POST", "/workflow/versions", {"json": {"definition": OTHER}}


async def set_routing(served: Served) -> Asked:
    await a_version(served)
    return "PUT", "/workflow/routing", {"json": {"percents": {"1": 90, "2": 10}}}


async def undo_routing(served: Served) -> Asked:
    await a_version(served)
    for percents in ({"1": 90, "2": 10}, {"2": 100}):
        await served.client.put("/workflow/routing", json={"percents": percents})
    return "DELETE", "/workflow/routing", {}


async def erase_user(served: Served) -> Asked:
    await an_order(served)
    return "POST", "/erasures", {"json": {"user_id": PLAIN["user_id"]}}


async def add_key(_: Served) -> Asked:
    body = {"name": "till", "scopes": ["orders:read"]}
    return "POST", "/keys", {"json": body, "headers": {"Idempotency-Key": new_id()}}


async def revoke_key(served: Served) -> Asked:
    made = (await served.client.post("/keys", json={"name": "till", "scopes": ["orders:read"]})).json()
    return "DELETE", f"/keys/{made['key']['id']}", {}


async def resend_mails(served: Served) -> Asked:
    return "POST", f"/orders/{await an_order(served)}/mails/resend", {"json": {}}


async def refund_order(served: Served) -> Asked:
    given = {"json": {"amount": 1, "reason": "cold"}, "headers": {"Idempotency-Key": new_id()}}
    return "POST", f"/orders/{await an_order(served)}/refunds", given


async def continue_payment(served: Served) -> Asked:
    return "POST", f"/orders/{await an_order(served)}/payment", {}


def event(provider: str, body: bytes) -> Callable[[Served], Any]:
    async def asked(served: Served) -> Asked:
        at = served.home.clock.now() // 1000
        signed = {SIGNATURES[provider]: f"t={at},v1={signature(body, SECRET, at)}", "Content-Type": "application/json"}
        return "POST", f"/webhooks/{provider}", {"content": body, "headers": signed}

    return asked


async def a_dead_event(served: Served) -> str:
    await sent(served, await event("payments", b"no json")(served))
    await settled(served)
    return f"/webhooks/dead-letters/{hashlib.sha256(b'no json').hexdigest()}"


async def redrive_event(served: Served) -> Asked:
    return "POST", f"{await a_dead_event(served)}/redrive", {}


async def delete_event(served: Served) -> Asked:
    return "DELETE", await a_dead_event(served), {}


def task(answer: str, body: object) -> Callable[[Served], Any]:
    async def asked(served: Served) -> Asked:
        _, path = await waiting(served)
        return "POST", f"{path}/{answer}", {"json": body}

    return asked


def mutation(field: str, **given: Any) -> Callable[[Served], Any]:
    async def asked(served: Served) -> Asked:
        order_id = "" if field.startswith("postOrder") else await an_order(served)
        document = f"mutation {{ {field.replace('ID', order_id or new_id())} }}"
        return "POST", "/graphql", {"json": {"query": document}}

    return asked


_INPUT = '{name: "Burger", quantity: 1, restaurantId: "r"}'
ASKED: dict[str, Callable[[Served], Any]] = {
    "postOrder": post_order,
    "putOrder": put_order,
    "deleteOrder": delete_order,
    "cancelOrder": cancel_order,
    "continuePayment": continue_payment,
    "refundOrder": refund_order,
    "receiveStripeEvent": event("stripe", b'{"id": "evt_1", "type": "x", "data": {"object": {}}}'),
    "receivePaymentEvent": event("payments", b'{"id": "evt_1", "order_id": "none"}'),
    "redriveDeadEvent": redrive_event,
    "deleteDeadEvent": delete_event,
    "redriveOrder": redrive_order,
    "deleteDeadLetter": delete_letter,
    "redriveDeadLetter": redrive_letter,
    "purgeDeadLetters": purge_letters,
    "redriveDeadLetters": redrive_letters,
    "publishWorkflowVersion": publish_version,
    "setWorkflowRouting": set_routing,
    "undoWorkflowRouting": undo_routing,
    "eraseUser": erase_user,
    "resendMails": resend_mails,
    "addKey": add_key,
    "revokeKey": revoke_key,
    "sendTaskSuccess": task("success", {"status": "ok"}),
    "sendTaskFailure": task("failure", {"error": "X", "cause": "y"}),
    "sendTaskHeartbeat": task("heartbeat", None),
    "Mutation.postOrder": mutation(f'postOrder(input: {_INPUT}, idempotencyKey: "ID") {{ id }}'),
    "Mutation.updateOrder": mutation('updateOrder(input: {id: "ID", restaurantId: "another"}) { id }'),
    "Mutation.deleteOrder": mutation('deleteOrder(id: "ID")'),
    "Mutation.cancelOrder": mutation('cancelOrder(id: "ID") { id }'),
    "Mutation.continuePayment": mutation('continuePayment(id: "ID") { id }'),
    "Mutation.publishOrder": mutation('publishOrder(id: "ID") { id }'),
}


def rows(served: Served, sql: str) -> list[tuple[Any, ...]]:
    with closing(open_reader(served.home.settings.data / "expediter.db")) as connection:
        return list(connection.execute(sql))


def held(served: Served) -> dict[str, list[tuple[Any, ...]]]:
    """Everything that the file holds, without APART."""
    tables = [str(name) for (name,) in rows(served, "SELECT name FROM sqlite_schema WHERE type = 'table'")]
    return {table: rows(served, f"SELECT * FROM {table}") for table in tables if table not in APART}


async def settled(served: Served) -> dict[str, list[tuple[Any, ...]]]:
    """What the file holds once nothing moves in it any more."""
    before, same = held(served), 0
    while same < 20:
        await served.home.write(lambda _: None, "look")
        await asyncio.sleep(0)
        now = held(served)
        same = same + 1 if now == before else 0
        before = now
    return before


async def sent(served: Served, asked: Asked) -> httpx.Response:
    method, path, given = asked
    return await served.client.request(method, path, **given)


def settings_for(name: str, file: Path) -> dict[str, str]:
    """Settings with which the operation does something: a hold that lasts, or a workflow."""
    hold = "0" if name == "eraseUser" else "600"
    if name == "redriveOrder":
        file.write_text(BROKEN)
    elif name.startswith("sendTask"):
        file.write_text(json.dumps(WAITING))
    secrets = {"STRIPE_WEBHOOK_SECRET": SECRET, "PAYMENTS_WEBHOOK_SECRET": SECRET}
    return {"HOLD_SECONDS": hold, **secrets, **({"WORKFLOW": str(file)} if file.exists() else {})}


def test_every_operation_with_an_effect_is_asked_for_twice_here() -> None:
    assert ASKED.keys() == REST | GRAPHQL


@pytest.mark.parametrize("name", sorted(ASKED))
async def test_the_same_request_twice_has_one_effect(opened: Opened, tmp_path: Path, name: str) -> None:
    settings = settings_for(name, tmp_path / "workflow.asl.json")
    async with opened(VirtualClock(), **settings) as served:
        asked = await ASKED[name](served)
        first = await sent(served, asked)
        once = await settled(served)
        second = await sent(served, asked)
        twice = await settled(served)

    assert first.status_code < 300
    assert second.status_code in {first.status_code, 404, 409}
    assert "errors" not in (first.json() if first.content else {})
    assert twice == once
