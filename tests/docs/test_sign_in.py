"""The page about signing in: its settings are taken, its realm is made for them, and its commands work as typed."""

import json
import re
import time
from pathlib import Path

import pytest

from expediter.app.access import GROUPS
from expediter.embedded.settings import Oidc, from_environment
from expediter.embedded.web.console.sign_in import PATH
from tests.cli.conftest import serving
from tests.docs.test_docs import ROOT, shell, typed
from tests.support.issuer import AUDIENCE, issuing

PAGE = "docs/how-to/sign-in.md"
REALM = json.loads((ROOT / "docs/how-to/sign-in/keycloak-realm.json").read_text())
RETURN = f"http://localhost:8080{PATH}/return"


def settings_of(provider: str) -> Oidc:
    """What the page sets for this provider."""
    _, _, chapter = (ROOT / PAGE).read_text().partition(f"\n## {provider}\n")
    block = re.findall(r"^```env\n(.*?)^```", chapter, re.MULTILINE | re.DOTALL)[0]
    found = from_environment(dict(line.split("=", 1) for line in block.splitlines())).oidc
    assert found is not None
    return found


@pytest.mark.parametrize("provider", ["Keycloak", "Amazon Cognito", "Auth0"])
def test_the_settings_of_each_provider_are_ones_that_the_server_takes(provider: str) -> None:
    assert settings_of(provider).audience != ()


def test_the_realm_is_made_for_the_settings_beside_it() -> None:
    oidc, (client,) = settings_of("Keycloak"), REALM["clients"]
    mappers = {mapper["name"]: mapper["config"] for mapper in client["protocolMappers"]}

    assert oidc.issuer.endswith(f"/realms/{REALM['realm']}")
    assert (client["clientId"], client["publicClient"], client["redirectUris"]) == (oidc.client_id, True, [RETURN])
    assert (mappers["audience"]["included.custom.audience"],) == oidc.audience
    assert mappers["groups"]["claim.name"] == oidc.operators_claim
    assert {group["name"] for group in REALM["groups"]} == set(GROUPS)


def test_the_page_names_the_groups_and_the_redirect_uri_of_the_code() -> None:
    page = (ROOT / PAGE).read_text()

    assert [group for group in GROUPS if f"`{group}`" not in page] == []
    assert f"https://YOUR-HOST{PATH}/return" in page
    assert page.count(RETURN) == 2


def test_a_customer_orders_with_his_token_as_it_is_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order, look = shell(PAGE)
    with issuing(time.time()) as issuer, serving(tmp_path, OIDC_ISSUER=issuer.url, OIDC_AUDIENCE=AUDIENCE) as server:
        monkeypatch.setenv("TOKEN", issuer.token("ann"))
        placed = typed(server, order)
        said = json.loads(typed(server, look))

    first, orders, letters = placed.split("\n", 1)[0], *re.findall(r"\{.*?\}(?=\{|\s*$)", placed, re.DOTALL)
    assert first.startswith("HTTP/1.1 204")
    assert json.loads(orders)["items"][0]["user_id"] == said["sub"] == "ann"
    assert json.loads(letters)["error"] == "ScopeMissing"
