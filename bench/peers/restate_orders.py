"""Restate: its server (durable: every append to its log is synced), the SDK served by granian.

In its favour: it is measured with one partition too, where the default is 24, which is slower on one machine
(https://github.com/restatedev/restate/issues/5305); steps only return; the client is as small as ours, without an HTTP
library; telemetry and logs are off.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.peers import cells

INGRESS, ADMIN, APP = 8080, 9070, 9080
WORKERS = 2
SERVER = Path(sys.prefix) / "node_modules/@restatedev/restate-server/lib/index.js"


class Connections:
    """Keep-alive connections to one port, as many as there are requests at the same time."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def ask(self, method: str, path: str, body: object = None) -> object:
        """The answer's JSON. Raises RuntimeError unless its status is 2xx."""
        reader, writer = self._idle.pop() if self._idle else await asyncio.open_connection("127.0.0.1", self._port)
        data = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        writer.write(f"{head}Content-Length: {len(data)}\r\n\r\n".encode() + data)
        answer = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = answer.partition(b"content-length:")[2].split(b"\r\n", 1)[0]
        given = await reader.readexactly(int(length or 0))
        if not answer.startswith(b"http/1.1 2"):
            raise RuntimeError(f"{path}: {answer!r} {given!r}")
        self._idle.append((reader, writer))
        return json.loads(given) if given else None


@contextmanager
def running(words: list[str], log: Path, **environment: str) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            words, stdout=output, stderr=output, env={**os.environ, **environment}, process_group=0
        )
    with process:
        try:
            yield
        finally:
            os.killpg(process.pid, signal.SIGKILL)  # its data goes too; granian waits for connections without end


async def answering(connections: Connections, method: str, path: str, body: object = None) -> None:
    """Asks until there is an answer. Raises the last failure after a minute."""
    deadline = time.monotonic() + 60
    while True:
        try:
            await connections.ask(method, path, body)
            return
        except (OSError, RuntimeError, asyncio.IncompleteReadError):
            if time.monotonic() > deadline:
                raise
        await asyncio.sleep(0.2)


async def measure() -> None:
    admin, ingress = Connections(ADMIN), Connections(INGRESS)
    await answering(admin, "POST", "/deployments", {"uri": f"http://127.0.0.1:{APP}"})
    await answering(ingress, "GET", "/restate/health")

    async def run(number: int) -> None:
        succeeded(await ingress.ask("POST", f"/orders/{number}/run", cells.ORDER))

    async def send(number: int) -> None:
        await ingress.ask("POST", f"/orders/{number}/run/send", cells.ORDER)

    async def result(number: int) -> None:
        succeeded(await ingress.ask("GET", f"/restate/workflow/orders/{number}/attach"))

    await cells.measure(run, send, result)


def succeeded(answer: object) -> None:
    if answer != "SUCCESS":
        raise RuntimeError(f"an order ended with {answer}")


def main() -> None:
    given = cells.options()
    folder = given.folder
    app = [sys.executable, "-m", "granian", "--interface", "asgi", "--http", "2", "--host", "127.0.0.1"]
    app += ["--port", str(APP), "--workers", str(WORKERS), "--no-ws", "--log-level", "error"]
    settings = {
        "BASE_DIR": str(folder / "restate"),
        "DEFAULT_NUM_PARTITIONS": str(given.partitions),
        "DISABLE_TELEMETRY": "true",
        "LOG_FILTER": "error",
    }
    environment = {f"RESTATE_{name}": value for name, value in settings.items()}
    with ExitStack() as stack:
        stack.enter_context(running([*app, "bench.peers.restate_app:application"], folder / "app.log"))
        stack.enter_context(running(["node", str(SERVER)], folder / "server.log", **environment))
        asyncio.run(measure())


if __name__ == "__main__":
    main()
