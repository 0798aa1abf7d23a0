"""How a command finds the server: without a word when one runs, by its data folder, by its address."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Run, Server, Start, serving


@pytest.fixture(autouse=True)
def elsewhere(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands run in an empty folder, for a user whose servers are those of the test."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
    monkeypatch.chdir(tmp_path_factory.mktemp("empty"))


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path / "one", HOLD_SECONDS="3600") as running:
        yield running


def test_the_only_server_that_runs_is_meant_whatever_its_port_and_its_data(one: Server, typed: Run) -> None:
    order_id = one.accept()
    listed = typed("orders", "list", "--json")

    assert [order["id"] for order in listed.json["items"]] == [order_id]
    assert f"expediter: the server at {one.url}, its data in {one.data}" in listed.err.replace("127.0.0.1", "localhost")
    assert typed("reconcile").code == 0
    assert typed("orders", "cancel", order_id).out.startswith(f"{order_id} is ")


def test_of_several_servers_one_has_to_be_named(one: Server, started: Start, typed: Run) -> None:
    two = started()
    order_id = two.accept()
    refused = typed("orders", "list")
    port = two.url.rpartition(":")[2]

    assert refused.code == 2
    assert "several servers run" in refused.err
    assert f"--data {one.data}" in refused.err
    for named in (("--data", str(two.data)), ("--url", two.url)):
        assert [it["id"] for it in typed("orders", "list", "--json", *named).json["items"]] == [order_id]
    assert [it["id"] for it in typed("orders", "list", "--json", PORT=port).json["items"]] == [order_id]
    assert typed("orders", "cancel", order_id, "--data", str(two.data)).code == 0


def test_the_server_of_this_folder_comes_before_others(
    one: Server, started: Start, typed: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    here = started()
    order_id = here.accept()
    monkeypatch.chdir(tmp_path)
    listed = typed("orders", "list", "--json")

    assert [it["id"] for it in listed.json["items"]] == [order_id]
    assert listed.err == ""


def test_a_folder_is_read_although_no_server_runs(one: Server, typed: Run) -> None:
    order_id = one.accept()
    one.stop()

    assert [it["id"] for it in typed("orders", "list", "--json", "--data", str(one.data)).json["items"]] == [order_id]


def test_where_nothing_is_found_the_message_says_how_to_name_it(typed: Run) -> None:
    answer = typed("orders", "list", PORT="9")

    assert answer.code == 2
    assert "No server answers at http://127.0.0.1:9" in answer.err
    assert "--data" in answer.err


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path / "data", TOKEN="opensesame", HOLD_SECONDS="0") as running:
        yield running


def order_of(server: Server, typed: Run, file: Path) -> str:
    """An order that has ended, placed with the token."""
    file.write_text('{"user_id": "ann", "quantity": 1, "restaurant_id": "r", "email": "ann@example.com"}\n')
    assert typed("submit", str(file), "--url", server.url, "--token", "opensesame").code == 0
    (order,) = typed("orders", "list", "--data", str(server.data), "--json").json["items"]
    assert typed("orders", "follow", order["id"], "--url", server.url, "--token", "opensesame").code == 0
    return str(order["id"])


def test_a_server_of_elsewhere_gives_what_its_folder_gives(guarded: Server, typed: Run, tmp_path: Path) -> None:
    order_id = order_of(guarded, typed, tmp_path / "orders.jsonl")
    typed("orders", "cancel", order_id, "--url", guarded.url, "--token", "opensesame")
    questions = (
        ("orders", "list", "--user", "ann", "--status", "SUCCESS"),
        ("orders", "list", "--user", "nobody"),
        ("orders", "show", order_id),
        ("dlq", "list"),
        ("mails", "list"),
        ("mails", "show", order_id),
        ("audit",),
        ("reconcile",),
    )
    for question in questions:
        for form in ((), ("--json",)):
            by_url = typed(*question, *form, "--url", guarded.url, "--token", "opensesame")
            by_folder = typed(*question, *form, "--data", str(guarded.data))
            assert by_url.out == by_folder.out, question
            assert (by_url.code, by_url.err) == (0, ""), question


def test_without_the_token_each_command_says_so_in_one_sentence(guarded: Server, typed: Run) -> None:
    for question in (("orders", "list"), ("orders", "show", "x"), ("dlq", "list"), ("mails", "list"), ("reconcile",)):
        refused = typed(*question, "--url", guarded.url)
        assert (refused.code, refused.out) == (1, "")
        assert refused.err.startswith("expediter: Unauthorized: ")
        assert refused.err.count("\n") == 1


def test_more_than_a_page_of_the_server_is_listed(started: Start, typed: Run, tmp_path: Path) -> None:
    server = started(HOLD_SECONDS="3600")
    file = tmp_path / "many.jsonl"
    file.write_text('{"user_id": "u", "quantity": 1, "restaurant_id": "r"}\n' * 130)
    assert typed("submit", str(file), server=server).code == 0
    listed = typed("orders", "list", "--limit", "120", "--json", "--url", server.url).json
    rest = typed("orders", "list", "--cursor", listed["cursor"], "--json", "--url", server.url).json

    assert len({order["id"] for order in (*listed["items"], *rest["items"])}) == 130
    assert (len(listed["items"]), rest["cursor"]) == (120, None)


def test_the_records_of_a_provider_are_compared_beside_the_data_only(guarded: Server, typed: Run) -> None:
    refused = typed("reconcile", "--against", "http://127.0.0.1:9", "--url", guarded.url)

    assert refused.code == 2
    assert "data folder" in refused.err
