"""Who may talk to the server: its own names, its own pages, and who has the token."""

import pytest

from expediter.embedded.web.guards import host_name
from tests.embedded.web.conftest import PLAIN, Opened

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("host", ["localhost", "localhost:8080", "LOCALHOST:1", "127.0.0.1:8080", "[::1]:8080"])
async def test_the_server_goes_by_the_names_of_loopback(opened: Opened, host: str) -> None:
    async with opened() as served:
        assert (await served.client.get("/orders", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize("host", ["attacker.example", "localhost.attacker.example", "127.0.0.1.nip.io:8080", "[::2]"])
async def test_a_name_that_was_made_to_lead_here_is_refused(opened: Opened, host: str) -> None:
    async with opened() as served:
        answer = await served.client.post("/orders", json=PLAIN, headers={"Host": host})
        assert (answer.status_code, answer.json()["error"]) == (421, "HostUnknown")


@pytest.mark.parametrize("path", ["/orders", "/graphql", "/healthz", "/"])
@pytest.mark.parametrize("origin", ["http://attacker.example", "null", "http://localhost:3000", "http://127.0.0.1"])
async def test_a_page_from_elsewhere_is_refused(opened: Opened, path: str, origin: str) -> None:
    async with opened() as served:
        answer = await served.client.get(path, headers={"Origin": origin})
        assert (answer.status_code, answer.json()["error"]) == (403, "OriginRefused")


async def test_a_page_of_the_server_itself_is_served(opened: Opened) -> None:
    async with opened() as served:
        headers = {"Host": "localhost:8080", "Origin": "http://localhost:8080"}
        assert (await served.client.post("/orders", json=PLAIN, headers=headers)).status_code == 204


async def test_a_page_is_the_server_s_own_by_the_name_that_a_trusted_proxy_was_asked_for(opened: Opened) -> None:
    shown = {"Host": "localhost", "X-Forwarded-Host": "orders.example"}
    for trusted, origin, status in (
        ("127.0.0.1", "https://orders.example", 200),
        ("127.0.0.1", "https://localhost", 403),
        ("127.0.0.1", "https://attacker.example", 403),
        ("", "https://orders.example", 403),
    ):
        async with opened(TRUSTED_PROXIES=trusted) as served:
            assert (await served.client.get("/orders", headers={**shown, "Origin": origin})).status_code == status


async def test_a_proxy_s_word_does_not_replace_the_name_of_the_server(opened: Opened) -> None:
    async with opened(TRUSTED_PROXIES="127.0.0.1") as served:
        rebound = {"Host": "attacker.example", "X-Forwarded-Host": "localhost", "Origin": "http://localhost"}
        assert (await served.client.get("/orders", headers=rebound)).status_code == 421


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer wrong", "Basic secret", "secret", "Bearer secret\xff"])
async def test_with_a_token_set_everything_but_the_probes_asks_for_it(opened: Opened, authorization: str) -> None:
    async with opened(TOKEN="secret") as served:
        headers = [(b"Authorization", authorization.encode("latin-1"))]
        for path in ("/orders", "/graphql", "/metrics", "/openapi.json", "/", "/console", "/nothing"):
            answer = await served.client.get(path, headers=headers)
            assert answer.status_code == 401
            assert answer.headers["WWW-Authenticate"] in {"Bearer", 'Bearer error="invalid_token"'}
        for path in ("/healthz", "/readyz"):
            assert (await served.client.get(path, headers=headers)).status_code == 200


@pytest.mark.parametrize("authorization", ["Bearer secret", "bearer secret", "Bearer  secret"])
async def test_who_has_the_token_is_served(opened: Opened, authorization: str) -> None:
    async with opened(TOKEN="secret") as served:
        headers = {"Authorization": authorization}
        assert (await served.client.post("/orders", json=PLAIN, headers=headers)).status_code == 204


async def test_a_server_on_an_address_goes_by_it(opened: Opened) -> None:
    async with opened(HOST="192.0.2.7", TOKEN="a-long-random-secret") as served:
        token = {"Authorization": "Bearer a-long-random-secret"}
        for host, status in (("192.0.2.7:8080", 200), ("localhost", 200), ("192.0.2.8", 421)):
            assert (await served.client.get("/orders", headers={**token, "Host": host})).status_code == status


async def test_a_server_on_all_addresses_accepts_any_name_with_a_token(opened: Opened) -> None:
    async with opened(HOST="0.0.0.0", TOKEN="a-long-random-secret") as served:
        for token, status in (("a-long-random-secret", 200), ("wrong", 401)):
            headers = {"Host": "orders.example", "Authorization": f"Bearer {token}"}
            assert (await served.client.get("/orders", headers=headers)).status_code == status


@pytest.mark.parametrize(
    ("host", "name"), [("[::1]", "::1"), ("[::1]:8080", "::1"), ("A:1", "a"), ("a", "a"), ("", ""), ("[", "")]
)
def test_a_host_s_name_is_what_stands_before_the_port(host: str, name: str) -> None:
    assert host_name(host) == name
