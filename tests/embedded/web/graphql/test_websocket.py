"""GraphQL over a websocket: graphql-transport-ws, in all that a client may do right and wrong.

https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
"""

import json
from contextlib import AsyncExitStack
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from expediter.embedded.web import app
from expediter.embedded.web.graphql import executor
from tests.embedded.web import wire
from tests.embedded.web.conftest import Opened
from tests.embedded.web.graphql.sockets import FOLLOW, connected, following, placed

pytestmark = pytest.mark.anyio

HANDSHAKE = (
    b"GET /graphql HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
)


async def test_a_server_that_stops_closes_its_sockets(serving: Opened) -> None:
    async with AsyncExitStack() as left_open:
        async with serving() as served:
            client = await left_open.enter_async_context(connected(served))
            await following(served, client, await placed(served))
        assert await client.closed() == 1012


async def test_queries_and_mutations_run_over_the_same_socket(serving: Opened) -> None:
    post = 'mutation { postOrder(input: {name: "a", quantity: 1, restaurantId: "r"}) { id orderStatus } }'
    async with serving() as served, connected(served) as client:
        await client.say("subscribe", "1", query=post)
        answer = await client.hear()
        assert answer["payload"]["data"]["postOrder"]["orderStatus"] == "PENDING"
        assert await client.hear() == {"type": "complete", "id": "1"}
        order_id = answer["payload"]["data"]["postOrder"]["id"]
        assert (await served.client.get(f"/orders/{order_id}")).status_code == 200


@pytest.mark.parametrize("query", ["{", "{ nothing }", "subscription { nothing }"])
async def test_a_document_that_is_wrong_ends_its_operation_only(serving: Opened, query: str) -> None:
    async with serving() as served, connected(served) as client:
        await client.say("subscribe", "1", query=query)
        assert (await client.hear())["type"] == "error"
        await client.say("ping")
        assert await client.hear() == {"type": "pong"}


# ── the protocol's rules ──────────────────────────────────────────────────────────────────────────────────────────


async def test_who_does_not_greet_first_is_unauthorized(serving: Opened) -> None:
    async with serving() as served, connected(served, greet=False) as client:
        await client.say("subscribe", "1", query="{ __typename }")
        assert await client.closed() == 4401


async def test_who_greets_twice_is_closed(serving: Opened) -> None:
    async with serving() as served, connected(served) as client:
        await client.say("connection_init")
        assert await client.closed() == 4429


async def test_a_ping_may_come_before_the_greeting(serving: Opened) -> None:
    async with serving() as served, connected(served, greet=False) as client:
        await client.say("ping")
        assert await client.hear() == {"type": "pong"}


async def test_one_name_is_one_operation(serving: Opened) -> None:
    async with serving() as served, connected(served) as client:
        order_id = await placed(served)
        await following(served, client, order_id)
        await client.say("subscribe", "1", query=FOLLOW, variables={"id": order_id})
        assert await client.closed() == 4409


UNKNOWN = """
[]
{
{"type": 1}
{"type": "hello"}
{"type": "subscribe"}
{"type": "complete"}
{"type": "subscribe", "id": "1", "payload": {}}
{"type": "subscribe", "id": "1", "payload": {"query": 1}}
"""


@pytest.mark.parametrize("text", [*UNKNOWN.splitlines(), "[" * 9000, b"{}"])
async def test_a_message_that_the_protocol_does_not_know_closes(serving: Opened, text: str | bytes) -> None:
    async with serving() as served, connected(served) as client:
        await client.say_raw(text)
        assert await client.closed() == 4400


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"type": "x" * 500}, 4400),
        ({"type": "\u00e9" * 500}, 4400),
        ({"type": "subscribe", "id": "1", "payload": {"x" * 500: 1}}, 4400),
    ],
)
async def test_a_long_message_that_is_unknown_closes_with_a_short_reason(
    serving: Opened, message: dict[str, Any], code: int
) -> None:
    async with serving() as served, connected(served) as client:
        await client.say_raw(json.dumps(message))
        assert await client.closed() == code


async def test_a_long_name_that_is_taken_closes_with_a_short_reason(serving: Opened) -> None:
    name = "\u00e9" * 500
    async with serving() as served, connected(served) as client:
        order_id = await placed(served)
        for _ in range(2):
            await client.say("subscribe", name, query=FOLLOW, variables={"id": order_id})
        assert await client.closed() == 4409


async def test_a_number_that_is_too_long_ends_its_operation_only(serving: Opened) -> None:
    async with serving() as served, connected(served) as client:
        await client.say("subscribe", "1", query="{ orders(limit: %s) { id } }" % ("9" * 5_000))
        message = await client.hear()
        assert (message["type"], message["payload"][0]["extensions"]["code"]) == ("error", "DocumentInvalid")
        await client.say("ping")
        assert await client.hear() == {"type": "pong"}


async def test_an_operation_that_fails_by_a_fault_of_ours_is_answered(
    serving: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving() as served, connected(served) as client:
        monkeypatch.setattr(served.app._graphql, "execute", None)
        await client.say("subscribe", "1", query="{ orders { id } }")
        message = await client.hear()
        assert (message["type"], message["payload"][0]["extensions"]["code"]) == ("error", "InternalError")


async def test_a_message_that_is_too_large_closes(serving: Opened) -> None:
    async with serving() as served, connected(served) as client:
        await client.say_raw(" " * 65537)
        assert await client.closed() == 1009


@pytest.mark.parametrize("pieces", [[b"\xff"], [b"a", b"\xff"]])
async def test_text_that_is_not_utf_8_closes_and_is_no_error_of_the_server(
    serving: Opened, caplog: pytest.LogCaptureFixture, pieces: list[bytes]
) -> None:
    async with serving() as served, connected(served) as client:
        await client.say_text(pieces)
        assert await client.closed() == 1007
    assert not caplog.records


#: Messages and a close frame: the first byte of the frame, and what is in it.
GREETING, WRONG, CLOSE = (0x81, b'{"type":"connection_init"}'), (0x81, b"\xff\xfe"), (0x88, b"\x03\xe8")


@pytest.mark.parametrize("sent", [[GREETING, WRONG], [WRONG, WRONG], [WRONG, GREETING], [WRONG, CLOSE]])
async def test_text_that_is_not_utf_8_among_other_messages_is_no_error_of_the_server(
    serving: Opened, caplog: pytest.LogCaptureFixture, sent: list[tuple[int, bytes]]
) -> None:
    frames = [bytes([first, 0x80 | len(data), 0, 0, 0, 0]) + data for first, data in sent]
    async with serving() as served, wire.connected(served.port) as client:
        await client.says(HANDSHAKE)
        assert "101 switching protocols" in await client.head()
        await client.says(b"".join(frames))
        await client.rest()
        await wire.until(lambda: len(served.connections) == 0)
    assert not caplog.records


async def test_a_refused_handshake_is_no_error_of_the_server(
    serving: Opened, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "MOST_SOCKETS", 0)
    async with serving() as served:
        with pytest.raises(InvalidStatus) as refused:
            async with connected(served, greet=False):
                pass
        assert refused.value.response.status_code == 503
        await wire.until(lambda: len(served.connections) == 0)
    assert not caplog.records


async def test_a_binary_message_is_refused_because_text_is_expected(serving: Opened) -> None:
    async with serving() as served, connected(served) as client:
        await client.say_raw(b"{}")
        assert await client.closed() == 4400
        assert client.reason() == "Invalid message: it is binary. Send JSON as a text message."


@pytest.mark.parametrize("options", [{"subprotocols": None}, {"subprotocols": ["graphql-ws"]}])
async def test_another_protocol_is_not_served(serving: Opened, options: dict[str, Any]) -> None:
    async with serving() as served, connected(served, greet=False, **options) as client:
        assert await client.closed() == 4406


@pytest.mark.parametrize(
    ("path", "status"), [("/nothing", 404), ("/graphql/", 404), ("/orders", 200), ("/healthz", 200)]
)
async def test_a_handshake_on_another_path_is_a_request_for_what_is_there(
    serving: Opened, path: str, status: int
) -> None:
    async with serving() as served:
        with pytest.raises(InvalidStatus) as refused:
            async with connected(served, greet=False, path=path):
                pass
        assert refused.value.response.status_code == status


# ── who may connect ───────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_page_from_elsewhere_cannot_connect(serving: Opened) -> None:
    headers = {"Origin": "http://attacker.example"}
    async with serving() as served:
        with pytest.raises(InvalidStatus) as refused:
            async with connected(served, greet=False, additional_headers=headers):
                pass
        assert refused.value.response.status_code == 403


async def test_the_token_may_come_with_the_greeting(serving: Opened) -> None:
    async with serving(TOKEN="secret") as served, connected(served, greet=False) as client:
        await client.say("connection_init", Authorization="Bearer secret")
        assert await client.hear() == {"type": "connection_ack"}


async def test_the_token_may_come_with_the_handshake(serving: Opened) -> None:
    token = {"Authorization": "Bearer secret"}
    async with serving(TOKEN="secret") as served, connected(served, additional_headers=token):
        pass


@pytest.mark.parametrize("payload", [{}, {"authorization": "Bearer wrong"}, {"authorization": 1}, {"token": "secret"}])
async def test_without_the_token_nobody_is_greeted_back(serving: Opened, payload: dict[str, Any]) -> None:
    async with serving(TOKEN="secret") as served, connected(served, greet=False) as client:
        await client.say("connection_init", **payload)
        assert await client.closed() == 4403


async def test_there_is_a_bound_to_subscriptions_and_whoever_leaves_makes_room(
    serving: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executor, "MOST_SUBSCRIPTIONS", 1)
    async with serving() as served, connected(served) as client:
        order_id = await placed(served)
        await following(served, client, order_id)
        await client.say("subscribe", "2", query=FOLLOW, variables={"id": order_id})
        while (refused := await client.hear())["type"] == "next":
            assert refused["id"] == "1"
        assert (refused["type"], refused["id"]) == ("error", "2")
        assert refused["payload"][0]["errorType"] == "TooBusy"

        await client.say("complete", "1")
        await following(served, client, order_id, "3")
