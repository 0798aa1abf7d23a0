"""A shell beside the server has begun to write and does not end: orders are refused in time, and all else goes on."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.cli.conftest import serving
from tests.storm.customers import until

ORDER = {"user_id": "Burger_20", "quantity": 3, "restaurant_id": "Restaurant 4"}
SHELL = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
"""
#: Seconds within which everything is answered.
IN_TIME = 2.0


@contextmanager
def locked(file: Path) -> Iterator[int]:
    """Another process has the lock; gives its id."""
    command = [sys.executable, "-c", SHELL, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as shell:
        assert shell.stdout
        assert shell.stdout.readline() == b"locked\n"
        try:
            yield shell.pid
        finally:
            shell.communicate()


def test_a_lock_of_somebody_else_refuses_orders_in_time_and_holds_up_nothing_else(tmp_path: Path) -> None:
    data, log = tmp_path / "data", tmp_path / "log"
    with log.open("w") as said, serving(data, said, HOLD_SECONDS="1") as server:
        accepted = [server.accept() for _ in range(20)]  # their holds end while the file is locked
        with httpx.Client(base_url=server.url, timeout=IN_TIME) as client:
            with locked(data / "expediter.db") as process:
                for _ in range(3):
                    refused = client.post("/orders", json=ORDER)
                    assert (refused.status_code, refused.json()["error"]) == (503, "StoreUnavailable")
                    assert "Another program" in refused.json()["detail"]
                    assert refused.headers["Retry-After"] == "1"
                    ready = client.get("/readyz")
                    assert (ready.status_code, ready.json()["error"]) == (503, "NotReady")
                    assert "locked" in ready.json()["detail"]
                    assert client.get("/healthz").status_code == 200
                    assert client.get(f"/orders/{accepted[0]}").status_code == 200
                    assert len(client.get("/orders").json()["items"]) == len(accepted)
            until(lambda: client.get("/readyz").status_code == 200, "the server is ready again")
            assert client.post("/orders", json=ORDER).status_code == 204

            def ended() -> bool:
                return {client.get(f"/orders/{it}").json()["order_status"] for it in accepted} == {"SUCCESS"}

            until(ended, "every accepted order ends")
        assert server.stop() == 0
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    told = [line for line in lines if line.get("outage") == "FILE_LOCKED"]
    assert len(told) == 2  # when it began, and when it was over
    if Path("/proc/locks").exists():
        assert told[0]["locked_by"].endswith(f" {process}")
    failures = [line["message"] for line in lines if line["level"] in {"WARNING", "ERROR"}]
    assert sorted(failures) == sorted(set(failures)), "something is said again and again"


def test_reads_and_probes_do_not_wait_for_a_lock(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server, httpx.Client(base_url=server.url, timeout=IN_TIME) as client:
        order_id = server.accept()
        with locked(tmp_path / "data" / "expediter.db"), pytest.raises(httpx.ReadTimeout):
            client.post("/orders", json=ORDER, timeout=0.01)  # one that waits for the lock
        with locked(tmp_path / "data" / "expediter.db"):
            for path in ("/healthz", "/metrics", f"/orders/{order_id}", f"/orders/{order_id}/timeline"):
                assert client.get(path).status_code == 200
