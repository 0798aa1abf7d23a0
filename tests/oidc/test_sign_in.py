"""Signing in to the console at a real provider, step by step, and what somebody may try on the way."""

import base64
import hashlib
import hmac
import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.console.shop import Shop, opened
from tests.oidc.conftest import RETURN, Provider
from tests.support.issuer import rsa_key

pytestmark = [pytest.mark.anyio, pytest.mark.heavy]
BEGIN = "/console/sign-in/issuer"


async def begin(shop: Shop, **headers: str) -> tuple[str, str]:
    """Where the browser is sent to sign in, and the cookie line that it got."""
    answer = await shop.client.get(BEGIN, headers=headers)
    shop.client.cookies.clear()
    return answer.headers["Location"], answer.headers["Set-Cookie"]


async def came_back(provider: Provider, address: str, user: str) -> str:
    """The path and query with which the provider sends this user's browser back."""
    async with httpx.AsyncClient(base_url=provider.url) as browser:
        parts = urlsplit(await provider.sign_in(browser, address, user))
    return f"{parts.path}?{parts.query}"


async def end(shop: Shop, path: str, cookie: str) -> httpx.Response:
    answer = await shop.client.get(path, headers={"Cookie": cookie.partition(";")[0]} if cookie else {})
    shop.client.cookies.clear()
    return answer


async def test_an_operator_is_let_in_once_and_only_in_the_browser_that_began(
    tmp_path: Path, provider: Provider
) -> None:
    async with opened(tmp_path, **provider.settings()) as shop:
        address, cookie = await begin(shop)
        path = await came_back(provider, address, "olga")
        _, other = await begin(shop)
        assert (await end(shop, path, other)).status_code == 401
        address, cookie = await begin(shop)
        path = await came_back(provider, address, "olga")
        let_in = await end(shop, path, cookie)
        assert (let_in.status_code, let_in.headers["Location"]) == (303, "/console")
        assert (await end(shop, path, cookie)).status_code == 401
        assert (await end(shop, let_in.headers["Location"], let_in.headers["Set-Cookie"])).status_code == 200


@pytest.mark.parametrize("cookie", ["", "expediter_sign_in=", 'expediter_sign_in="\\351\\000"'])
async def test_a_browser_without_the_cookie_of_the_sign_in_is_not_let_in(
    tmp_path: Path, provider: Provider, cookie: str
) -> None:
    async with opened(tmp_path, **provider.settings()) as shop:
        path = await came_back(provider, (await begin(shop))[0], "olga")
        assert (await end(shop, path, cookie)).status_code == 401


async def test_a_code_of_another_sign_in_is_of_no_use(tmp_path: Path, provider: Provider) -> None:
    """An attacker has the victim's browser bring the attacker's code, or brings a stolen one himself."""
    async with opened(tmp_path, **provider.settings()) as shop:
        mine, cookie = await begin(shop)
        stolen = parse_qs(urlsplit(await came_back(provider, (await begin(shop))[0], "olga")).query)["code"][0]
        state = parse_qs(urlsplit(mine).query)["state"][0]
        assert (await end(shop, f"{RETURN}?code={stolen}&state={state}", cookie)).status_code == 401


async def test_a_sign_in_that_is_given_up_lets_nobody_in(tmp_path: Path, provider: Provider) -> None:
    async with opened(tmp_path, **provider.settings()) as shop:
        address, cookie = await begin(shop)
        state = parse_qs(urlsplit(address).query)["state"][0]
        refused = await end(shop, f"{RETURN}?error=access_denied&state={state}", cookie)
        assert (refused.status_code, "Set-Cookie" in refused.headers) == (401, False)


async def test_behind_a_proxy_the_browser_comes_back_to_the_name_that_it_knows(
    tmp_path: Path, provider: Provider
) -> None:
    proxied = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "orders.example", "Host": "localhost"}
    async with opened(tmp_path, TRUSTED_PROXIES="127.0.0.1", **provider.settings()) as shop:
        address, cookie = await begin(shop, **proxied)
        assert cookie.endswith("; Path=/; Max-Age=600; HttpOnly; SameSite=Lax; Secure")
        assert parse_qs(urlsplit(address).query)["redirect_uri"] == [f"https://orders.example{RETURN}"]
        path = await came_back(provider, address, "olga")
        let_in = await shop.client.get(path, headers={**proxied, "Cookie": cookie.partition(";")[0]})
        assert let_in.status_code == 303
        assert let_in.headers["Set-Cookie"].endswith("; HttpOnly; SameSite=Lax; Secure")


async def test_an_issuer_that_dies_during_a_sign_in_is_unavailable_and_the_plain_token_still_works(
    tmp_path: Path, provider: Provider
) -> None:
    async with opened(tmp_path, TOKEN="a-long-random-secret", **provider.settings()) as shop:
        address, cookie = await begin(shop)
        path = await came_back(provider, address, "olga")
        provider.kill()
        assert (await end(shop, path, cookie)).status_code == 503
        by_token = await shop.client.post("/console/sign-in", data={"token": "a-long-random-secret", "name": "Olga"})
        assert by_token.status_code == 303


async def test_a_server_whose_provider_is_dead_from_the_start_says_so(tmp_path: Path, provider: Provider) -> None:
    provider.kill()
    async with opened(tmp_path, **provider.settings()) as shop:
        answer = await shop.client.get(BEGIN)
        assert (answer.status_code, "Set-Cookie" in answer.headers) == (503, False)


# ── tokens made of the provider's ─────────────────────────────────────────────────────────────────────────────────


async def test_no_token_made_of_a_real_one_is_taken(tmp_path: Path, provider: Provider) -> None:
    async with opened(tmp_path, **provider.settings()) as shop:
        token = await provider.token("ann")
        head, claims, signature = token.split(".")
        kid = jwt.get_unverified_header(token)["kid"]
        operator = part({**json.loads(unpacked(claims)), "groups": ["operators"]})
        public = rsa_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        hs256 = f"{part({'alg': 'HS256', 'typ': 'JWT', 'kid': kid})}.{operator}"
        made = {
            "other claims": f"{head}.{operator}.{signature}",
            "no signature": f"{head}.{claims}.",
            "alg none": f"{part({'alg': 'none', 'kid': kid})}.{operator}.",
            "alg None": f"{part({'alg': 'None', 'kid': kid})}.{operator}.{signature}",
            "the public key as a secret": f"{hs256}.{packed(hmac.digest(public, hs256.encode(), hashlib.sha256))}",
            "a key of its own": jwt.encode(
                json.loads(unpacked(operator)), rsa_key(7), "RS256", {"kid": kid, "jku": "http://127.0.0.1:1/keys"}
            ),
            "an unknown key": jwt.encode(json.loads(unpacked(operator)), rsa_key(7), "RS256", {"kid": "made up"}),
            "an unknown critical header": f"{part({'alg': 'RS256', 'kid': kid, 'crit': ['x']})}.{claims}.{signature}",
        }
        for name, one in made.items():
            answer = await shop.client.get("/orders", headers={"Authorization": f"Bearer {one}"})
            assert answer.status_code == 401, name
        assert (await shop.client.get("/orders", headers={"Authorization": f"Bearer {token}"})).status_code == 200


def part(value: object) -> str:
    return packed(json.dumps(value).encode())


def packed(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def unpacked(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "==")
