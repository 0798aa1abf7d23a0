"""``expediter keys`` against a real server: made, used, listed, taken back."""

import httpx
import pytest

from expediter.app.access import Scope
from tests.cli.conftest import Run, Start

TOKEN = "a-long-random-secret"


def test_a_key_opens_what_it_was_made_for_until_it_is_revoked(started: Start, typed: Run) -> None:
    server = started(TOKEN=TOKEN)
    wanted = ("--scope", "orders:read,dlq", "--expires", "90d")
    made = typed("keys", "add", "till 1", *wanted, "--json", server=server, TOKEN=TOKEN).json
    shown = {"Authorization": f"Bearer {made['secret']}"}
    assert httpx.get(f"{server.url}/orders", headers=shown).status_code == 200
    assert httpx.get(f"{server.url}/metrics", headers=shown).status_code == 403

    listed = typed("keys", "list", "--json", server=server, TOKEN=TOKEN).json["items"]
    assert [(key["id"], key["name"], key["scopes"]) for key in listed] == [
        (made["key"]["id"], "till 1", ["dlq", "dlq:read", "orders:read"])
    ]
    assert made["secret"] not in typed("keys", "list", server=server, TOKEN=TOKEN).out
    assert "is revoked" in typed("keys", "revoke", made["key"]["id"], server=server, TOKEN=TOKEN).out
    assert httpx.get(f"{server.url}/orders", headers=shown).status_code == 401
    assert "revoked" in typed("keys", "list", server=server, TOKEN=TOKEN).out
    assert b"exp_" not in b"".join(
        file.read_bytes().replace(made["key"]["id"].encode(), b"") for file in server.data.glob("expediter.db*")
    )


@pytest.mark.parametrize(
    "typed_in",
    [
        ["add", "x", "--scope", "nothing"],
        ["add", "x", "--scope", ""],
        ["add", "x", "--scope", "dlq", "--expires", "soon"],
        ["add", "x", "--scope", "dlq", "--expires", "2020-01-01"],
        ["add", "", "--scope", "dlq"],
        ["revoke", "exp_00000000"],
        ["revoke", "../orders/1"],
    ],
)
def test_what_is_no_key_is_refused_in_words(started: Start, typed: Run, typed_in: list[str]) -> None:
    answer = typed("keys", *typed_in, server=started())
    assert answer.code in {1, 2}
    assert answer.err.startswith("expediter: ")


@pytest.mark.parametrize("scope", ["bogus", "orders:read,bogus", ","])
def test_a_scope_that_there_is_not_is_answered_with_those_that_there_are(typed: Run, scope: str) -> None:
    answer = typed("keys", "add", "x", "--scope", scope)
    assert answer.code == 2
    assert answer.err.startswith(f"expediter: --scope={scope} ")
    assert all(one in answer.err for one in Scope)
