"""A disk that is full: nothing is accepted, nothing that was accepted is lost, and room is all it takes to go on."""

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.cli.conftest import DidNotBegin, Server, plain_environment, serving
from tests.storm.customers import until

ORDER = {"user_id": "Burger_20", "quantity": 3, "restaurant_id": "Restaurant 4"}


class Disk:
    """A disk of a few megabytes that only one server sees."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._size = "48m"

    @property
    def within(self) -> tuple[str, ...]:
        """What has to stand before the server's command, so that it has this disk at the folder."""
        mount = f'mount -t tmpfs -o size={self._size} none "{self._folder}" && exec "$@"'
        return "unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, "sh"

    def seen(self, server: Server) -> Path:
        """The folder as the server sees it."""
        return Path(f"/proc/{server.process.pid}/root{self._folder}")

    def reconciled(self, server: Server) -> str:
        """What ``expediter reconcile`` says beside the server."""
        join = ("nsenter", f"--target={server.process.pid}", "--user", "--mount")
        command = [*join, sys.executable, "-m", "expediter", "reconcile"]
        data = {**plain_environment(), "EXPEDITER_DATA": str(server.data)}
        return subprocess.run(command, env=data, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    disk = Disk(tmp_path)
    if not (shutil.which("unshare") and shutil.which("nsenter")):
        pytest.skip("a disk that only one server sees needs unshare and nsenter (Linux)")
    tried = subprocess.run([*disk.within, "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.skip(f"no small disk can be mounted here, not even in a namespace of its own: {tried.stderr.strip()}")
    return disk


@pytest.fixture
def server(disk: Disk, tmp_path: Path) -> Iterator[Server]:
    with ExitStack() as stack:
        log = stack.enter_context((tmp_path.parent / f"{tmp_path.name}.log").open("w"))
        yield stack.enter_context(serving(tmp_path / "data", log, disk.within, HOLD_SECONDS="1"))


def fill(ballast: Path) -> None:
    """Writes until nothing more fits."""
    with ballast.open("ab", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise


def test_on_a_full_disk_orders_are_refused_and_all_that_were_accepted_end_once_there_is_room(
    disk: Disk, server: Server, tmp_path: Path
) -> None:
    accepted = [server.accept() for _ in range(40)]
    ballast = disk.seen(server) / "ballast"
    with httpx.Client(base_url=server.url) as client:

        def status(order_id: str) -> str:
            return str(client.get(f"/orders/{order_id}").json()["order_status"])

        fill(ballast)
        refused = 0
        while refused < 60:
            answer = client.post("/orders", json=ORDER)
            if answer.status_code == 204:
                accepted.append(answer.headers["Order-Id"])
                fill(ballast)  # what a checkpoint gave back
                continue
            assert (answer.status_code, answer.json()["error"]) == (503, "StoreUnavailable")
            assert answer.headers["Retry-After"] == "1"
            refused += 1
            assert client.get("/readyz").status_code == 503
        assert {status(order_id) for order_id in accepted} <= {"PENDING", "PAID", "SUCCESS"}
        assert client.get("/healthz").status_code == 200
        assert "Make room" in client.get("/readyz").json()["detail"]

        ballast.unlink()
        until(lambda: client.get("/readyz").status_code == 200, "the server is ready again")
        until(lambda: client.post("/orders", json=ORDER).status_code == 204, "an order is accepted again")
        until(lambda: all(status(order_id) == "SUCCESS" for order_id in accepted), "every accepted order ends")

    assert "Clean" in disk.reconciled(server)
    assert server.stop() == 0
    log = (tmp_path.parent / f"{tmp_path.name}.log").read_text()
    for once in ("nothing can be written", "the server is not ready", "firing a timer failed", "writing works again"):
        assert log.count(once) <= 1, once


def ready(client: httpx.Client) -> bool:
    return client.get("/readyz").status_code == 200


def test_a_disk_that_fills_up_is_noticed_before_an_order_is_refused(disk: Disk, server: Server) -> None:
    with httpx.Client(base_url=server.url) as client:
        assert ready(client)
        fill(disk.seen(server) / "ballast")
        until(lambda: not ready(client), "the server is not ready on a full disk")
        (disk.seen(server) / "ballast").unlink()
        until(lambda: ready(client), "the server is ready again")


def test_a_folder_that_becomes_read_only_is_noticed_too(tmp_path: Path) -> None:
    plain = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search") if os.getuid() == 0 else ()
    if plain and not shutil.which(plain[0]):
        pytest.skip("root may write everywhere, and setpriv is not there to take that right away")
    data = tmp_path / "data"
    log = tmp_path / "log"
    with log.open("w") as said, serving(data, said, plain) as server, httpx.Client(base_url=server.url) as client:
        assert ready(client)
        data.chmod(0o500)
        until(lambda: not ready(client), "the server is not ready in a read-only folder")
        data.chmod(0o700)
        until(lambda: ready(client), "the server is ready again")
        assert client.post("/orders", json=ORDER).status_code == 204
    assert log.read_text().count('"outage":"FILE_UNWRITABLE"') == 2  # when it began, and when it was over


def test_a_server_does_not_begin_on_a_full_disk_and_says_why(disk: Disk, tmp_path: Path) -> None:
    full = ("sh", "-c", f'head -c 99000000 /dev/zero > {tmp_path}/ballast 2>/dev/null; exec "$@"', "sh")
    with pytest.raises(DidNotBegin) as ended, serving(tmp_path / "data", within=(*disk.within, *full)):
        pass

    assert ended.value.code == 2
    assert ended.value.errors == (
        f"expediter: {tmp_path}/data cannot be written: the disk is full. "
        "Make room or repair it, and start again; nothing is lost.\n"
    )
