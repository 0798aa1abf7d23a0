"""``expediter backup`` beside a server that takes orders, and killed in the middle of its work."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest

from expediter.embedded.sqlite.database import open_writer
from tests.cli.conftest import Run, Server, Start, plain_environment


@contextmanager
def customers(server: Server) -> Iterator[list[str]]:
    """Somebody who orders all the time; the ids of the orders that were acknowledged so far."""
    acknowledged, over = list[str](), Event()

    def order() -> None:
        while not over.is_set():
            acknowledged.append(server.accept())

    thread = Thread(target=order)
    thread.start()
    try:
        yield acknowledged
    finally:
        over.set()
        thread.join()


def test_every_order_acknowledged_before_it_began_is_in_it_and_goes_on(
    started: Start, typed: Run, tmp_path: Path
) -> None:
    server = started(HOLD_SECONDS="3600")
    with customers(server) as acknowledged:
        while len(acknowledged) < 20:
            pass
        before = list(acknowledged)
        made = typed("backup", str(tmp_path / "backup.db"), "--json", server=server)
    server.stop()
    assert made.code == 0
    assert made.json["orders"] + made.json["waiting"] >= len(before)

    restored = tmp_path / "restored"
    restored.mkdir()
    (tmp_path / "backup.db").rename(restored / "expediter.db")
    second = started(restored, HOLD_SECONDS="3600")
    for order_id in before:
        assert typed("orders", "cancel", order_id, server=second).code == 0
    assert typed("reconcile", server=second).code == 0


def test_a_backup_prints_what_it_holds_and_does_not_replace_another(server: Server, typed: Run, tmp_path: Path) -> None:
    first = typed("backup", str(tmp_path / "copy"), server=server)
    second = typed("backup", str(tmp_path / "copy"), server=server)

    assert (first.code, second.code) == (0, 1)
    assert "on the queue" in first.out
    assert second.err.splitlines()[-1].startswith(f"expediter: {tmp_path / 'copy'} exists")


@pytest.mark.heavy
def test_killed_in_the_middle_it_leaves_nothing_under_the_final_name(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    with closing(open_writer(data / "expediter.db")) as connection:
        connection.execute(
            "INSERT INTO message (body, attributes, sent_at, visible_at) VALUES (zeroblob(200000000), '', 0, 0)"
        )
    (tmp_path / "backups").mkdir()
    target = tmp_path / "backups" / "copy.db"
    environment = {**plain_environment(), "EXPEDITER_DATA": str(data)}
    with subprocess.Popen(
        [sys.executable, "-m", "expediter", "backup", str(target)], env=environment, stderr=subprocess.DEVNULL
    ) as process:
        while not any(file.stat().st_size for file in target.parent.iterdir()):
            assert process.poll() is None
        os.kill(process.pid, signal.SIGKILL)
    left = [file.name for file in target.parent.iterdir()]

    assert process.returncode == -signal.SIGKILL
    assert left
    assert all(".part" in name for name in left)
    assert typed_again(environment, target) == 0


def typed_again(environment: dict[str, str], target: Path) -> int:
    command = [sys.executable, "-m", "expediter", "backup", str(target)]
    return subprocess.run(command, env=environment, capture_output=True, check=False).returncode
