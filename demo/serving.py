"""Runs a demo provider's HTTP server: inside a test (``running``) or as a process (``serve``)."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from demo.behaviour import Act

#: Seconds that a slow answer takes, and one that nobody waits for any more.
SLOW, HANG = 0.2, 30.0


class Served(Protocol):
    """A provider with an HTTP server."""

    @property
    def app(self) -> ASGIApp: ...

    @property
    def patience(self) -> "Patience": ...

    def close(self) -> None: ...


class Patience:
    """Waiting that ends when the server does, so that no answer nobody waits for holds it up."""

    def __init__(self) -> None:
        self._ended: asyncio.Event | None = None

    async def wait(self, seconds: float) -> None:
        self._ended = self._ended or asyncio.Event()
        try:
            await asyncio.wait_for(self._ended.wait(), seconds)
        except TimeoutError:
            return

    def end(self) -> None:
        """Called inside the server's loop."""
        if self._ended:
            self._ended.set()


class Dropped(Response):
    """Closes the connection behind the first letter of its body."""

    async def __call__(self, _: Scope, __: Receive, send: Send) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", b"100")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"{", "more_body": True})


def error(status: int, message: str) -> Response:
    return JSONResponse({"status": "error", "error_message": message}, status)


def busy(retry_after: int) -> Response:
    """Come back after so many seconds."""
    return JSONResponse({"status": "error", "error_message": "scripted"}, 429, {"Retry-After": str(retry_after)})


async def delivered(act: Act, answer: Response, patience: Patience) -> Response:
    """How the answer reaches the caller, if it does, after the work is done."""
    if act is Act.SLOW:
        await patience.wait(SLOW)
    if act is Act.HANG:
        await patience.wait(HANG)
    lost = {Act.LOSE: error(500, "scripted"), Act.DROP: Dropped(), Act.GARBLE: Response("<html>It works!</html>")}
    return lost.get(act, answer)


def key_of(request: Request) -> str:
    return request.headers.get("idempotency-key", "")


class _Server(uvicorn.Server):
    def __init__(self, provider: Served) -> None:
        config = uvicorn.Config(
            provider.app, log_level="critical", lifespan="off", ws="none", timeout_graceful_shutdown=1, access_log=False
        )
        super().__init__(config)
        self._provider = provider

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._provider.patience.end()
        await super().shutdown(sockets)


def listening(port: int = 0) -> socket.socket:
    """A socket on loopback that takes connections from now on; port 0 is any free one."""
    return socket.create_server(("127.0.0.1", port), backlog=1024)


def url_of(listener: socket.socket) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def running(provider: Served) -> Iterator[str]:
    """The provider's URL while it serves in a thread."""
    with listening() as listener:
        server = _Server(provider)
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        try:
            yield url_of(listener)
        finally:
            server.should_exit = True
            thread.join()
            provider.close()


def serve(provider: Served, port: int) -> None:
    """Serves until SIGTERM or Ctrl-C; its first line of output says where."""
    with listening(port) as listener:
        print(f"listening on {url_of(listener)}", flush=True)
        try:
            _Server(provider).run([listener])
        except KeyboardInterrupt:
            return
        finally:
            provider.close()
