"""A client that openapi-python-client generates of openapi.json carries the token, with nothing added by hand."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from expediter import contracts
from tests.cli.conftest import serving

#: Where `make test-heavy` installs the generator: beside the Python that runs.
CLIENT = Path(sys.prefix) / "client/bin"
TOKEN = "the-plain-token-of-this-server"
pytestmark = [
    pytest.mark.heavy,
    pytest.mark.skipif(not CLIENT.exists(), reason="openapi-python-client is not installed (make test-heavy does)"),
]

#: A program of somebody's, written against the generated client. It prints what it was told, as JSON.
PROGRAM = """
import json, sys
from orders_client import AuthenticatedClient, Client
from orders_client.api.dead_letters import list_dead_letters
from orders_client.api.orders import get_order, list_orders, post_order
from orders_client.models import NewPlainOrder

url, token = sys.argv[1:]
shop = AuthenticatedClient(base_url=url, token=token)
order = NewPlainOrder(user_id="ann", restaurant_id="Restaurant 4", quantity=3, name="Burger")
placed = post_order.sync_detailed(client=shop, body=order)
order_id = placed.headers["Order-Id"]
found = get_order.sync(order_id, client=shop)
refused = list_dead_letters.sync(client=shop)
nobody = list_orders.sync(client=Client(base_url=url))
print(json.dumps({
    "placed": placed.status_code.value, "found": [found.user_id, found.name, found.total],
    "refused": [refused.status, refused.error, refused.detail], "nobody": [nobody.status, nobody.error],
}))
"""


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the client, which the generator made without a word of doubt."""
    folder = tmp_path_factory.mktemp("generated")
    (folder / "openapi.json").write_bytes(contracts.read("openapi.json"))
    (folder / "settings.yml").write_text("post_hooks: []\n")  # it would format the code
    asked = ["--path", "openapi.json", "--config", "settings.yml", "--meta", "none", "--output-path", "orders_client"]
    command = [str(CLIENT / "openapi-python-client"), "generate", *asked, "--fail-on-warning"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_it_places_and_reads_orders_with_a_key_and_is_told_what_it_may_not(generated: Path, tmp_path: Path) -> None:
    with serving(tmp_path, TOKEN=TOKEN) as server:
        asked = {"name": "shop", "scopes": ["orders:read", "orders:write"]}
        made = httpx.post(f"{server.url}/keys", json=asked, headers={"Authorization": f"Bearer {TOKEN}"})
        told = run(generated, server.url, made.raise_for_status().json()["secret"])
    needs = "This needs the scope dlq:read, and the caller does not have it. Ask an operator for it."
    assert told == {
        "placed": 204,
        "found": ["ann", "Burger", 3000],
        "refused": [403, "ScopeMissing", needs],
        "nobody": [401, "Unauthorized"],
    }


def test_every_operation_that_asks_for_a_token_takes_a_client_that_has_one(generated: Path) -> None:
    """The generator writes ``AuthenticatedClient`` where the contract's ``security`` asks for a token."""
    for methods in json.loads(contracts.read("openapi.json"))["paths"].values():
        for operation in methods.values():
            name = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in operation["operationId"])
            (written,) = generated.glob(f"orders_client/api/*/{name}.py")
            takes = "client: AuthenticatedClient,\n" in written.read_text()
            assert takes == bool(operation["security"]), name


def run(folder: Path, *arguments: str) -> Any:
    command = [str(CLIENT / "python"), "-c", PROGRAM, *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
