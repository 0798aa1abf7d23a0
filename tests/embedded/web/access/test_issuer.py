"""Tokens of an issuer while time passes: keys rotate, the issuer goes away, tokens end."""

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from expediter.embedded.web.access import authenticator
from expediter.embedded.web.access.issuer import ASKED, FRESH
from tests.embedded.web.access.callers import HOUR, TOKEN, made_key
from tests.embedded.web.conftest import Opened, Served
from tests.embedded.web.graphql.sockets import FOLLOW, Client, connected
from tests.support.clock import NOON, VirtualClock
from tests.support.issuer import LASTS, Issuer, issuing, rsa_key
from tests.support.stage import DAY

pytestmark = pytest.mark.anyio


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with issuing(NOON / 1000) as running:
        yield running


async def asked(served: Served, token: str, path: str = "/orders") -> httpx.Response:
    return await served.client.get(path, headers={"Authorization": f"Bearer {token}"})


async def test_a_token_with_a_new_key_is_taken_and_one_with_a_key_that_is_gone_is_not(
    opened: Opened, issuer: Issuer
) -> None:
    async with opened(VirtualClock(), **issuer.settings()) as served:
        old = issuer.token("ann")
        assert (await asked(served, old)).status_code == 200
        issuer.keys = {"first": rsa_key(), "second": rsa_key(1)}
        assert (await asked(served, issuer.token("ann", kid="second"))).status_code == 200
        assert (await asked(served, old)).status_code == 200
        del issuer.keys["first"]
        issuer.keys["third"] = rsa_key(2)
        assert (await asked(served, issuer.token("ann", kid="third"))).status_code == 200
        assert (await asked(served, old)).status_code == 401


async def test_a_key_that_the_issuer_gave_up_is_forgotten_although_no_new_one_was_shown(
    opened: Opened, issuer: Issuer
) -> None:
    clock = VirtualClock()
    async with opened(clock, **issuer.settings()) as served:
        old = issuer.token("ann", exp=NOON // 1000 + 7_200)
        assert (await asked(served, old)).status_code == 200
        issuer.keys = {"second": rsa_key(1)}
        clock.advance(FRESH + 1)
        await asked(served, issuer.token("bob"))  # has the keys read again
        while (answer := await asked(served, old)).status_code == 200:
            await served.home.write(lambda work: None, "look")
        assert answer.status_code == 401


async def test_a_key_that_the_issuer_gave_up_is_forgotten_although_only_checked_tokens_come(
    opened: Opened, issuer: Issuer
) -> None:
    clock = VirtualClock()
    async with opened(clock, **issuer.settings()) as served:
        token = issuer.token("ann", exp=NOON // 1000 + 7_200)
        assert (await asked(served, token)).status_code == 200
        issuer.keys = {"second": rsa_key(1)}
        clock.advance(FRESH + 1)
        async with asyncio.timeout(20):
            while (await asked(served, token)).status_code == 200:
                await served.home.write(lambda work: None, "look")


async def test_the_issuer_being_away_stops_nobody_whose_key_is_known(opened: Opened, issuer: Issuer) -> None:
    clock = VirtualClock()
    async with opened(clock, **issuer.settings()) as served:
        assert (await asked(served, issuer.token("ann"))).status_code == 200
        issuer.stop()
        clock.advance(FRESH + 1)
        issuer.now = clock.now() / 1000
        assert (await asked(served, issuer.token("bob"))).status_code == 200
        issuer.keys["second"] = rsa_key(1)
        unknown = await asked(served, issuer.token("ann", kid="second"))
        assert (unknown.status_code, unknown.json()["error"]) == (503, "IssuerUnavailable")
        assert unknown.headers["Retry-After"] == "1"
        issuer.start()
        assert (await asked(served, issuer.token("ann", kid="second"))).status_code == 200


async def test_a_server_starts_without_its_issuer_and_the_plain_token_is_taken_meanwhile(
    opened: Opened, issuer: Issuer
) -> None:
    issuer.stop()
    async with opened(VirtualClock(), TOKEN=TOKEN, **issuer.settings()) as served:
        assert (await asked(served, issuer.token("ann"))).status_code == 503
        assert (await asked(served, TOKEN)).status_code == 200
        issuer.start()
        assert (await asked(served, issuer.token("ann"))).status_code == 200


#: Published keys that check no token: shared ones, and ones that are none.
NO_KEYS: dict[str, dict[str, Any]] = {
    "shared": {"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA", "alg": "HS256"},
    "shared, in another's name": {"kty": "oct", "k": "c2VjcmV0", "alg": "RS256"},
    "a number": {"kty": "RSA", "n": 5, "e": "AQAB"},
    "no base64": {"kty": "RSA", "n": "!", "e": "AQAB"},
    "half": {"kty": "RSA"},
    "off the curve": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
    "null": {"kty": "EC", "crv": "P-256", "x": None, "y": []},
    "kind unknown": {"kty": 7},
}


async def test_keys_that_everybody_could_have_and_keys_that_are_none_check_nothing_and_harm_no_other(
    opened: Opened, issuer: Issuer
) -> None:
    issuer.keys = {**NO_KEYS, **issuer.keys}
    async with opened(VirtualClock(), **issuer.settings()) as served:
        assert (await asked(served, issuer.token("ann"))).status_code == 200
        secret = b"secret-secret-secret-secret-secret"
        shared = issuer.token("olga", kid="shared", key=secret, alg="HS256", groups=["operators"])
        assert (await asked(served, shared)).status_code == 401
        for kid in NO_KEYS:
            assert (await asked(served, issuer.token("ann", kid=kid, key=rsa_key(1)))).status_code == 401


async def test_a_key_set_without_end_is_not_read_and_known_keys_go_on(opened: Opened, issuer: Issuer) -> None:
    async with opened(VirtualClock(), **issuer.settings()) as served:
        assert (await asked(served, issuer.token("ann"))).status_code == 200
        issuer.keys["long"] = {"kty": "RSA", "n": "A" * 2_000_000, "e": "AQAB"}
        unknown = await asked(served, issuer.token("ann", kid="new", key=rsa_key(1)))
        assert (unknown.status_code, unknown.json()["error"]) == (503, "IssuerUnavailable")
        assert (await asked(served, issuer.token("bob"))).status_code == 200


@pytest.mark.parametrize(
    ("aud", "status"),
    [(["x", "expediter"], 200), (["x"], 401), ([], 401), ({"expediter": 1}, 401), ("expediter2", 401)],
)
async def test_a_token_may_be_for_several_services_and_is_for_us_when_one_is_ours(
    opened: Opened, issuer: Issuer, aud: Any, status: int
) -> None:
    async with opened(VirtualClock(), **issuer.settings()) as served:
        assert (await asked(served, issuer.token("ann", aud=aud))).status_code == status


async def test_an_issuer_that_goes_by_another_name_is_not_believed(opened: Opened, issuer: Issuer) -> None:
    settings = {**issuer.settings(), "OIDC_ISSUER": f"{issuer.url}/"}
    async with opened(VirtualClock(), **settings) as served:
        assert (await asked(served, issuer.token("ann", iss=f"{issuer.url}/"))).status_code == 503


async def test_made_up_keys_have_the_issuer_asked_a_few_times_and_no_more(opened: Opened, issuer: Issuer) -> None:
    clock = VirtualClock()
    async with opened(clock, **issuer.settings()) as served:
        for number in range(ASKED * 4):
            assert (await asked(served, issuer.token("ann", kid=f"made up {number}"))).status_code == 401
        assert issuer.asked.count("/keys") == ASKED
        assert (await asked(served, issuer.token("ann"))).status_code == 200
        issuer.keys["second"] = rsa_key(1)
        clock.advance(10_000)
        assert (await asked(served, issuer.token("ann", kid="second"))).status_code == 200


async def test_a_token_is_taken_until_a_minute_after_its_end(opened: Opened, issuer: Issuer) -> None:
    clock = VirtualClock()
    async with opened(clock, **issuer.settings()) as served:
        token = issuer.token("ann")
        clock.advance((LASTS + 59) * 1_000)
        assert (await asked(served, token)).status_code == 200
        clock.advance(1_000)
        assert (await asked(served, token)).status_code == 401


@pytest.mark.parametrize("ahead", [DAY, -DAY])
async def test_a_machine_whose_clock_was_put_right_by_a_day_takes_the_tokens_from_before_and_after(
    opened: Opened, issuer: Issuer, ahead: int
) -> None:
    clock = VirtualClock()
    async with opened(clock, **issuer.settings()) as served:
        before = issuer.token("ann", nbf=NOON // 1000)
        assert (await asked(served, before)).status_code == 200
        clock.ahead, issuer.now = ahead, (NOON + ahead) / 1000
        after = issuer.token("ann", nbf=(NOON + ahead) // 1000)
        for token in (before, after, before, after):
            assert (await asked(served, token)).status_code == 200
        over = issuer.token("ann", exp=(NOON - 2 * DAY) // 1000)
        assert (await asked(served, over)).status_code == 401


async def test_after_the_clock_was_put_back_a_day_a_websocket_stays_open(serving: Opened, issuer: Issuer) -> None:
    clock = VirtualClock()
    async with serving(clock=clock, **issuer.settings()) as served:
        clock.ahead, issuer.now = -DAY, (NOON - DAY) / 1000
        headers = {"Authorization": f"Bearer {issuer.token('ann')}"}
        async with connected(served, additional_headers=headers) as client:
            await client.say("ping")
            assert await client.hear() == {"type": "pong"}


async def test_checked_tokens_are_kept_within_a_bound(
    opened: Opened, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authenticator, "KEPT", 3)
    async with opened(VirtualClock(), **issuer.settings()) as served:
        for number in range(9):
            assert (await asked(served, issuer.token(f"user {number}"))).status_code == 200
        assert len(served.app._authenticator._known) == 3
        assert (await asked(served, issuer.token("user 0"))).status_code == 200


# ── subscriptions and keys ────────────────────────────────────────────────────────────────────────────────────────


async def followed(client: Client, order_id: str) -> None:
    await client.say("subscribe", "1", query=FOLLOW, variables={"id": order_id})
    assert (await client.hear())["type"] == "next"


async def ended(client: Client) -> dict[str, Any]:
    """How the subscription ends. Until then it may tell of what was before, and never of the last change."""
    told: dict[str, Any] = {"type": "next"}
    while told["type"] == "next":
        told = await client.hear()
        assert "secret" not in str(told)
    return told


async def test_events_stop_when_the_token_of_their_subscription_ends(serving: Opened, issuer: Issuer) -> None:
    clock = VirtualClock()
    async with serving(clock=clock, TOKEN=TOKEN, **issuer.settings()) as served:
        shown = {"Authorization": f"Bearer {issuer.token('ann')}"}
        order = {"restaurant_id": "r", "quantity": 1}
        order_id = (await served.client.post("/orders", json=order, headers=shown)).headers["Order-Id"]
        async with connected(served, additional_headers=shown) as client:
            await followed(client, order_id)
            clock.advance(LASTS * 1_000)
            mine = {"Authorization": f"Bearer {TOKEN}"}
            await served.client.put(f"/orders/{order_id}", json={"restaurant_id": "secret"}, headers=mine)
            told = await ended(client)
        assert (told["type"], told["payload"][0]["extensions"]["code"]) == ("error", "Unauthorized")


async def test_a_websocket_is_closed_when_its_token_ends(serving: Opened, issuer: Issuer) -> None:
    async with serving(clock=VirtualClock(), **issuer.settings()) as served:
        shown = {"Authorization": f"Bearer {issuer.token('ann', exp=NOON // 1000)}"}  # within the leeway
        async with connected(served, greet=False, additional_headers=shown) as client:
            await client.say("connection_init")
            assert await client.closed() == 4403


async def test_events_stop_when_the_key_of_their_subscription_is_revoked(serving: Opened) -> None:
    async with serving(TOKEN=TOKEN) as served:
        mine = {"Authorization": f"Bearer {TOKEN}"}
        key_id, key = await made_key(served.client, ["orders:read"])
        order = {"user_id": "u", "restaurant_id": "r", "quantity": 1}
        order_id = (await served.client.post("/orders", json=order, headers=mine)).headers["Order-Id"]
        async with connected(served, additional_headers={"Authorization": f"Bearer {key}"}) as client:
            await followed(client, order_id)
            await served.client.delete(f"/keys/{key_id}", headers=mine)
            await served.client.put(f"/orders/{order_id}", json={"restaurant_id": "secret"}, headers=mine)
            told = await ended(client)
        assert told["type"] == "error"


async def test_a_websocket_takes_nothing_more_once_its_key_is_revoked(serving: Opened) -> None:
    async with serving(TOKEN=TOKEN) as served:
        mine = {"Authorization": f"Bearer {TOKEN}"}
        key_id, key = await made_key(served.client, ["orders:write"])
        post = 'mutation { postOrder(input: {name: "a", quantity: 1, restaurantId: "r"}) { id } }'
        async with connected(served, additional_headers={"Authorization": f"Bearer {key}"}) as client:
            await client.say("subscribe", "1", query=post)
            assert (await client.hear())["payload"]["data"]["postOrder"]["id"]
            assert (await client.hear())["type"] == "complete"
            await served.client.delete(f"/keys/{key_id}", headers=mine)
            await client.say("subscribe", "2", query=post)
            assert await client.closed() == 4403


async def test_a_key_ends_when_it_was_said_and_its_last_use_is_noted(opened: Opened) -> None:
    clock = VirtualClock()
    async with opened(clock, TOKEN=TOKEN) as served:
        _, key = await made_key(served.client, ["orders:read"], NOON + HOUR)
        clock.advance(HOUR - 1)
        assert (await asked(served, key)).status_code == 200
        clock.advance(1)
        assert (await asked(served, key)).status_code == 401
        while (listed := (await asked(served, TOKEN, "/keys")).json()["items"])[0]["last_used_at"] is None:
            await served.home.write(lambda work: None, "look")
        assert listed[0]["last_used_at"] == "2026-08-01T12:59:59.999Z"


async def test_a_key_stands_in_the_log_by_its_beginning_and_never_whole(
    opened: Opened, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "expediter")
    async with opened(TOKEN=TOKEN) as served:
        key_id, key = await made_key(served.client, ["orders:read"])
        for _ in range(3):
            await asked(served, key)
        await asked(served, f"{key}x")
        await served.client.delete(f"/keys/{key_id}", headers={"Authorization": f"Bearer {TOKEN}"})
        for wrong in (key, "exp_../../x_y", f"exp_{'0' * 400}_y"):
            assert (await asked(served, wrong)).status_code == 401
    told = [(record.message, record.__dict__.get("key")) for record in caplog.records]
    wrong = "a request had a wrong token"
    assert told == [
        ("a key was made", key_id),
        ("a program's key was used", key_id),
        (wrong, key_id),
        ("a key was revoked", key_id),
        (wrong, key_id),
        (wrong, None),
        (wrong, None),
    ]
    assert key.removeprefix(f"{key_id}_") not in caplog.text


async def test_nobody_gives_a_key_what_he_may_not_do(opened: Opened) -> None:
    async with opened(TOKEN=TOKEN) as served:
        _, key = await made_key(served.client, ["keys", "orders:read"])
        mine = {"Authorization": f"Bearer {key}"}
        asked_for = (["keys"], ["orders:read"], ["orders:read", "erase"])
        *made, answer = [
            await served.client.post("/keys", json={"name": "x", "scopes": scopes}, headers=mine)
            for scopes in asked_for
        ]
        assert [one.status_code for one in (*made, answer)] == [201, 201, 403]
        assert answer.headers["WWW-Authenticate"] == 'Bearer error="insufficient_scope", scope="erase"'


async def test_the_audit_names_the_key_of_the_caller_and_no_customer(opened: Opened, issuer: Issuer) -> None:
    async with opened(VirtualClock(), TOKEN=TOKEN, **issuer.settings()) as served:
        key_id, key = await made_key(served.client, ["orders:write"])
        for token in (key, issuer.token("ann@example.com")):
            shown = {"Authorization": f"Bearer {token}", "Expediter-Operator": "somebody else"}
            order = {"user_id": "ann@example.com", "restaurant_id": "r", "quantity": 1}
            order_id = (await served.client.post("/orders", json=order, headers=shown)).headers["Order-Id"]
            await served.client.post(f"/orders/{order_id}/cancel", headers=shown)
        entries = served.home.read_as_operator(lambda services: services.audit.page(10))
        cancelled = [entry.who for entry in entries if entry.kind == "cancelled it"]
        assert cancelled == ["customer", f"shop ({key_id})"]
