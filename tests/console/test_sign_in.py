"""Sessions end when they should, cookies stay on TLS where there is some, and links can be taken back."""

import asyncio
import re
from pathlib import Path

import pytest

from expediter.domain.order import Status
from expediter.embedded.settings import SettingRefused, from_environment
from expediter.embedded.web.shares import FREE
from tests.console.shop import Shop, opened, served

pytestmark = pytest.mark.anyio
TOKEN = "a-long-random-secret"


async def signed_in(shop: Shop, token: str = TOKEN) -> str:
    """Signs Ada in; her session's cookie."""
    signed = await shop.client.post("/console/sign-in", data={"token": token, "name": "Ada"})
    assert signed.status_code == 303
    return signed.headers["Set-Cookie"].split("=", 1)[1].split(";")[0]


async def test_a_cookie_is_worth_nothing_after_the_sign_out(tmp_path: Path) -> None:
    async with opened(tmp_path, TOKEN=TOKEN) as shop:
        cookie = await signed_in(shop)
        await shop.send("/console/sign-out")
        kept = {"Cookie": f"expediter_session={cookie}"}

        assert (await shop.client.get("/console", headers=kept)).status_code == 401


async def test_a_live_page_ends_with_the_next_event_after_the_operator_has_signed_out(tmp_path: Path) -> None:
    async with served(tmp_path, TOKEN=TOKEN) as shop:
        await signed_in(shop)
        live = await shop.client.send(shop.client.build_request("GET", "/console/live/orders"), stream=True)
        assert live.status_code == 200
        told = live.aiter_raw()
        await anext(told)
        await shop.send("/console/sign-out")
        order_id = await shop.place(name="Secret soup")
        await shop.until(order_id, Status.PAID)
        async with asyncio.timeout(20):
            rest = b"".join([part async for part in told])

    assert b"Secret soup" not in rest


@pytest.mark.parametrize("settings", [{"TOKEN": "another-long-secret"}, {"TOKEN": TOKEN}, {}])
async def test_a_session_ends_with_the_server_whatever_its_token_is_then(
    tmp_path: Path, settings: dict[str, str]
) -> None:
    async with opened(tmp_path, TOKEN=TOKEN) as shop:
        cookie = await signed_in(shop)
    async with opened(tmp_path, **settings) as shop:
        answer = await shop.client.get("/console", headers={"Cookie": f"expediter_session={cookie}"})

        assert answer.status_code == (401 if settings else 200)
        if not settings:  # on loopback without a token another session begins by itself
            assert cookie not in answer.headers["Set-Cookie"]


async def test_a_session_that_began_without_a_token_is_over_once_there_is_one(tmp_path: Path) -> None:
    async with opened(tmp_path) as shop:
        begun = await shop.client.get("/console")
        cookie = begun.headers["Set-Cookie"].split("=", 1)[1].split(";")[0]
    async with opened(tmp_path, TOKEN=TOKEN) as shop:
        kept = {"Cookie": f"expediter_session={cookie}"}
        assert (await shop.client.get("/console", headers=kept)).status_code == 401


async def test_behind_a_trusted_proxy_with_tls_the_cookie_is_secure_and_browsers_keep_to_tls(tmp_path: Path) -> None:
    proxied = {"X-Forwarded-Proto": "https"}
    async with opened(tmp_path, TRUSTED_PROXIES="127.0.0.1", TOKEN=TOKEN) as shop:
        form = {"token": TOKEN, "name": "Ada"}
        over_tls = await shop.client.post("/console/sign-in", data=form, headers=proxied)
        plain = await shop.client.post("/console/sign-in", data=form)
        page = await shop.client.get("/console", headers=proxied)

    assert "; Secure" in over_tls.headers["Set-Cookie"]
    assert "Secure" not in plain.headers["Set-Cookie"]
    assert page.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert "Strict-Transport-Security" not in plain.headers


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/healthz", 200),
        ("GET", "/orders", 401),
        ("GET", "/graphql", 401),
        ("DELETE", "/console", 405),
        ("GET", "/console", 401),
        ("GET", "/o/none", 404),
        ("GET", "/console/static/none.css", 404),
    ],
)
async def test_behind_a_trusted_proxy_with_tls_every_answer_tells_to_keep_to_it(
    tmp_path: Path, method: str, path: str, status: int
) -> None:
    async with served(tmp_path, TRUSTED_PROXIES="127.0.0.1", TOKEN=TOKEN) as shop:
        plain = await shop.client.request(method, path)
        over_tls = await shop.client.request(method, path, headers={"X-Forwarded-Proto": "https"})

    assert (plain.status_code, over_tls.status_code) == (status, status)
    assert "Strict-Transport-Security" not in plain.headers
    assert over_tls.headers.get_list("Strict-Transport-Security") == ["max-age=31536000"]


@pytest.mark.parametrize("trusted", ["", "10.0.0.1"])
async def test_an_untrusted_client_that_claims_tls_is_not_believed(tmp_path: Path, trusted: str) -> None:
    async with opened(tmp_path, TRUSTED_PROXIES=trusted, TOKEN=TOKEN) as shop:
        form, proxied = {"token": TOKEN, "name": "Ada"}, {"X-Forwarded-Proto": "https"}
        answer = await shop.client.post("/console/sign-in", data=form, headers=proxied)

    assert "Secure" not in answer.headers["Set-Cookie"]
    assert "Strict-Transport-Security" not in answer.headers


@pytest.mark.parametrize("name", ["", "  ", "\u200b", "Ada\u202e", "\u2800"])
async def test_nobody_signs_in_under_a_name_that_cannot_be_seen(tmp_path: Path, name: str) -> None:
    async with opened(tmp_path, TOKEN=TOKEN) as shop:
        answer = await shop.client.post("/console/sign-in", data={"token": TOKEN, "name": name})
        assert answer.status_code == 401


@pytest.mark.parametrize("settings", [{"HOST": "0.0.0.0"}, {"TRUSTED_PROXIES": "127.0.0.1"}])
@pytest.mark.parametrize("token", ["x", "fifteen-letters"])
def test_a_short_token_is_refused_where_others_can_reach_the_server(settings: dict[str, str], token: str) -> None:
    with pytest.raises(SettingRefused, match="shorter than 16 characters"):
        from_environment({f"EXPEDITER_{name}": value for name, value in {**settings, "TOKEN": token}.items()})
    from_environment({f"EXPEDITER_{name}": value for name, value in {**settings, "TOKEN": "x" * 16}.items()})
    from_environment({"EXPEDITER_TOKEN": token})


@pytest.mark.parametrize("text", ["localhost", "10.0.0.0/33", "10.0.0.1/8", "1.2.3"])
def test_a_proxy_that_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(SettingRefused, match="EXPEDITER_TRUSTED_PROXIES"):
        from_environment({"EXPEDITER_TRUSTED_PROXIES": text})


async def test_who_guesses_too_often_sees_a_page_that_says_how_long_to_wait(tmp_path: Path) -> None:
    async with opened(tmp_path, TOKEN=TOKEN) as shop:
        for _ in range(FREE):
            await shop.client.post("/console/sign-in", data={"token": "wrong", "name": "Eve"})
        page = await shop.client.post("/console/sign-in", data={"token": TOKEN, "name": "Ada"})

    assert (page.status_code, page.headers["Retry-After"]) == (429, "1")
    assert page.headers["Content-Type"].startswith("text/html")
    assert "Wait a second, then try again." in page.text
    assert 'href="/console"' in page.text


# ── links ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def link_of(shop: Shop, order_id: str) -> str:
    found = re.search(r'href="(/o/[^"]+)"', await shop.page(f"/console/orders/{order_id}"))
    assert found
    return found[1]


async def test_links_of_one_order_can_be_revoked_and_those_of_others_go_on(tmp_path: Path) -> None:
    async with opened(tmp_path) as shop:
        one, other = await shop.place(), await shop.place()
        await shop.until(one, Status.PAID)
        await shop.until(other, Status.PAID)
        before, kept = await link_of(shop, one), await link_of(shop, other)
        await shop.send(f"/console/orders/{one}/revoke-links", f"/console/orders/{one}")
        after = await link_of(shop, one)

        assert "is not valid any more" in await shop.page(before, 404)
        assert (await shop.client.get(f"{before}/live")).status_code == 404
        await shop.page(after)
        await shop.page(kept)
        assert "revoked its links" in await shop.page(f"/console/orders/{one}")
        await shop.send(f"/console/orders/{one}/revoke-links", f"/console/orders/{one}")
        await shop.page(after, 404)


async def test_a_link_opens_nothing_once_its_customer_was_erased(tmp_path: Path) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0") as shop:
        order_id = await shop.place(user_id="Ada")
        await shop.until(order_id, Status.SUCCESS)
        link = await link_of(shop, order_id)
        await shop.page(link)
        assert (await shop.client.post("/erasures", json={"user_id": "Ada"})).status_code == 200

        assert "is not valid any more" in await shop.page(link, 404)
        assert "/o/" not in await shop.page(f"/console/orders/{order_id}")


async def test_a_link_opens_nothing_after_its_days(tmp_path: Path) -> None:
    async with opened(tmp_path, LINK_DAYS="1") as shop:
        order_id = await shop.place()
        await shop.until(order_id, Status.PAID)
        link = await link_of(shop, order_id)
        await shop.page(link)
        now = shop.home.clock.now() + 86_400_000
        shop.home.clock.now = lambda: now  # type: ignore[method-assign]
        await shop.page(link, 404)
