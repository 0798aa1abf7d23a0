"""What ``expediter serve`` logs under attack: JSON lines that tell which order, and nothing that anybody wrote."""

import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli.conftest import Start, serving

#: What every text that a customer or a provider sends has in it.
MARK = "Mallory"


class Echo(HTTPServer):
    """A provider that fails, and says in its answer everything it was told. ``asked`` is set when it was."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Echoing)
        self.asked = threading.Event()


class _Echoing(BaseHTTPRequestHandler):
    server: Echo

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(500)
        self.end_headers()
        self.wfile.write(MARK.encode() + body)
        self.server.asked.set()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextmanager
def echo() -> Iterator[Echo]:
    with Echo() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def attack(url: str) -> None:
    """Everything that a client can get wrong, with a name in it."""
    with httpx.Client(base_url=url, headers={"X-Name": MARK}) as client:
        client.post("/orders", json={"user_id": MARK, "quantity": MARK, "restaurant_id": MARK})
        client.post("/orders", content=f"{MARK} no JSON".encode(), headers={"Content-Type": "application/json"})
        client.post("/orders", content=b"\xff" * 70_000, headers={"Content-Type": "application/json"})
        client.post("/orders", json={}, headers={"Idempotency-Key": MARK, "Origin": f"http://{MARK}.example"})
        client.get(f"/orders/{MARK}?user_id={MARK}&cursor={MARK}")
        client.get(f"/{MARK}", headers={"Host": f"{MARK}.example"})
        client.post("/graphql", json={"query": "{ " + MARK + ": order(id: 1) { " + MARK + " } }", "variables": {}})
        client.post("/graphql", json={"query": "{ " * 5000 + MARK})
        client.post(f"/task-tokens/{MARK}/success", json={"output": MARK})
    host, port = url.removeprefix("http://").split(":")
    for sent in (f"{MARK} nonsense\r\n\r\n", f"GET /{MARK} HTTP/9\r\n{MARK}\r\n\r\n", _upgrade(f"{MARK}: {MARK}")):
        with socket.create_connection((host, int(port)), timeout=5) as raw:
            raw.sendall(sent.encode() + b"\x81\xff" + MARK.encode())
            with suppress(ConnectionResetError):  # it may hang up before it was heard out
                raw.recv(1000)


def _upgrade(header: str) -> str:
    key = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\nHost: localhost"
    return f"GET /graphql HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{key}\r\n{header}\r\n\r\n"


@pytest.fixture(scope="module")
def shop() -> Iterator[Echo]:
    with echo() as server:
        yield server


def test_under_attack_every_line_is_json_with_the_order_it_is_about_and_nobodys_words(
    started: Start, shop: Echo
) -> None:
    bank = f"http://127.0.0.1:{shop.server_port}"
    server = started(HOLD_SECONDS="0", PAYMENTS=bank, SMTP_URL="smtp://127.0.0.1:1", NOTIFY=f"{MARK}@example.com")
    mine = {"user_id": MARK, "name": f"{MARK} Burger", "quantity": 1, "email": f"{MARK}@example.com"}
    order_id = server.accept({**mine, "restaurant_id": f"{MARK}'s"})
    attack(server.url)
    assert shop.asked.wait(10)
    server.process.terminate()
    _, log = server.process.communicate(timeout=20)

    lines: list[dict[str, Any]] = [json.loads(line) for line in log.splitlines()]
    assert MARK.lower() not in log.lower()
    assert {"at", "level", "logger", "message"} <= set.intersection(*(set(line) for line in lines))
    assert [lines[0]["message"], lines[-1]["message"]] == ["the server starts", "the server has stopped"]
    (failed, *_) = [line for line in lines if line.get("call") == "charge"]
    assert (failed["order_id"], failed["trace_id"]) == (order_id, order_id.replace("-", ""))
    assert failed["error"] == "PaymentUnavailable"


def test_a_log_that_nobody_reads_does_not_stop_the_server(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    with (
        os.fdopen(reading),
        os.fdopen(writing, "w") as log,
        serving(tmp_path, log, PAYMENTS="http://127.0.0.1:9") as server,
    ):
        for _ in range(300):  # what their calls log is more than a pipe holds
            server.accept()
        for _ in range(50):
            assert httpx.get(f"{server.url}/healthz", timeout=10).status_code == 200
        assert server.stop() == 0
