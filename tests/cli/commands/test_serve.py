"""``expediter serve``: what it says, what it refuses, how it ends."""

import json
import shlex
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from expediter.cli.server import listening
from expediter.embedded.settings import from_environment
from tests.cli.conftest import Run, Server, Start


def test_the_first_curl_it_prints_places_an_order_when_it_is_typed(server: Server) -> None:
    (command,) = [line for line in server.greeting.splitlines() if line.strip().startswith("curl")]
    answer = subprocess.run([*shlex.split(command), "-sS"], capture_output=True, text=True, check=True).stdout

    assert answer.startswith("HTTP/1.1 204")
    assert "order-id: " in answer


def test_it_says_what_is_simulated(server: Server, started: Start) -> None:
    assert "SIMULATED: payments, restaurant, mail" in server.greeting
    assert "SIMULATED: payments, restaurant (" in started(SMTP_URL="smtp://127.0.0.1:9").greeting


def test_sigterm_ends_it_with_exit_code_0_and_the_order_is_still_there(started: Start, typed: Run) -> None:
    server = started(HOLD_SECONDS="3600")
    order_id = server.accept()

    assert server.stop() == 0
    assert typed("orders", "show", order_id, "--json", data=server.data).json["order"]["id"] == order_id


def test_it_stops_within_seconds_although_a_client_keeps_its_connection_open(started: Start) -> None:
    server = started()
    with httpx.Client(base_url=server.url) as client:
        client.get("/healthz")

        assert server.stop() == 0


def test_options_win_over_the_environment(typed: Run, tmp_path: Path) -> None:
    refused = typed("serve", "--hold-seconds", "-1", data=tmp_path, HOLD_SECONDS="30")

    assert refused.code == 2
    assert "EXPEDITER_HOLD_SECONDS='-1' is not allowed" in refused.err


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"CURRENCY": "XXX"},
            "EXPEDITER_CURRENCY='XXX' is not allowed: give a currency of ISO 4217's list of 2026-01-01",
        ),
        ({"HOST": "0.0.0.0"}, "Set EXPEDITER_TOKEN"),
        (
            {"PAYMENT": "http://bank"},
            "EXPEDITER_PAYMENT is not a setting of Expediter. Did you mean EXPEDITER_PAYMENTS?",
        ),
        ({"WORKFLOW": "/nowhere.json"}, "EXPEDITER_WORKFLOW=/nowhere.json cannot be read as JSON"),
    ],
)
def test_a_wrong_setting_is_refused_with_one_line(
    typed: Run, tmp_path: Path, settings: dict[str, str], message: str
) -> None:
    refused = typed("serve", data=tmp_path, **{"PORT": "0", **settings})

    assert refused.code == 2
    assert refused.err.startswith("expediter: ")
    assert message in refused.err
    assert refused.err.count("\n") == 1


def test_a_port_in_use_is_refused_and_named(typed: Run, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        refused = typed("serve", data=tmp_path, PORT=str(taken.getsockname()[1]))

    assert refused.code == 2
    assert "cannot be listened on" in refused.err


def test_a_second_server_on_the_same_data_is_refused(server: Server, typed: Run) -> None:
    refused = typed("serve", "--port", "0", data=server.data)

    assert refused.code == 2
    assert f"Another server is using {server.data}" in refused.err


def test_a_workflow_that_cannot_run_is_refused_with_its_faults(typed: Run, tmp_path: Path) -> None:
    definition = tmp_path / "wrong.asl.json"
    definition.write_text(json.dumps({"StartAt": "Nowhere", "States": {"End": {"Type": "Succeed"}}}))
    refused = typed("serve", "--workflow", str(definition), data=tmp_path, PORT="0")

    assert refused.code == 2
    assert "error: StartAt: There is no state 'Nowhere'" in refused.err
    assert "expediter workflow validate" in refused.err


def test_the_token_is_asked_of_everybody_and_sent_by_the_command_line(started: Start, typed: Run) -> None:
    server = started(TOKEN="s3cret", HOLD_SECONDS="3600")
    order = {"user_id": "u", "quantity": 1, "restaurant_id": "r"}
    answer = httpx.post(f"{server.url}/orders", json=order, headers={"Authorization": "Bearer s3cret"})
    order_id = answer.raise_for_status().headers["Order-Id"]

    without = typed("orders", "cancel", order_id, server=server)
    assert (without.code, "Unauthorized" in without.err) == (1, True)
    assert typed("orders", "cancel", order_id, server=server, TOKEN="s3cret").code == 0
    assert "s3cret" not in server.greeting


def test_help_loads_neither_server_nor_database_nor_client() -> None:
    heavy = {"apsw", "ariadne", "graphql", "httpx", "starlette", "uvicorn", "expediter.asl", "expediter.embedded"}
    code = "import sys; from expediter.cli.app import app; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()

    assert heavy.isdisjoint(loaded)


def test_python_m_expediter_is_the_same_command(tmp_path: Path) -> None:
    shown = subprocess.run([sys.executable, "-m", "expediter", "--help"], capture_output=True, text=True, check=True)

    assert "reconcile" in shown.stdout


def test_a_connection_to_a_machine_that_vanished_does_not_stay_for_ever() -> None:
    with (
        listening(from_environment({"EXPEDITER_PORT": "0"})) as listener,
        socket.create_connection(listener.getsockname()),
        listener.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        if name := getattr(socket, "TCP_USER_TIMEOUT", None):
            assert accepted.getsockopt(socket.IPPROTO_TCP, name) == 60_000
