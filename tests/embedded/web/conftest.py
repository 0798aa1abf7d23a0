"""The embedded server's application over a real home: without a socket, or behind a real server on loopback."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import NamedTuple, TypeAlias

import httpx
import pytest
import uvicorn

from expediter.embedded.clock import Clock
from expediter.embedded.home import Home
from expediter.embedded.settings import from_environment
from expediter.embedded.web.app import App, create_app
from expediter.embedded.web.connections import Connections
from expediter.embedded.web.serving import configuration
from expediter.embedded.wiring import open_home
from tests.support.app_client import AppTransport

PLAIN = {"user_id": "Burger_20", "quantity": "3", "restaurant_id": "Restaurant 4"}


class Served(NamedTuple):
    """A home, its application and a client of it; ``connections`` count behind a server only."""

    home: Home
    client: httpx.AsyncClient
    port: int
    app: App
    connections: Connections


#: Opens a home with these EXPEDITER_* settings: ``async with opened(HOLD_SECONDS="0") as served``.
Opened: TypeAlias = Callable[..., AbstractAsyncContextManager[Served]]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def opened(tmp_path: Path) -> Opened:
    """The application without a socket."""

    @asynccontextmanager
    async def opening(clock: Clock | None = None, **settings: str) -> AsyncIterator[Served]:
        async with open_home(from_environment(environment(tmp_path, settings)), clock) as home:
            app = create_app(home)
            transport = AppTransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as client:
                yield Served(home, client, 8080, app, Connections(0))

    return opening


@pytest.fixture
def serving(tmp_path: Path) -> Opened:
    """The application behind a server on a free port of loopback, for at most ``most`` connections."""

    @asynccontextmanager
    async def opening(most: int = 1_000, clock: Clock | None = None, **settings: str) -> AsyncIterator[Served]:
        async with open_home(from_environment(environment(tmp_path, settings)), clock) as home:
            with socket.create_server(("127.0.0.1", 0)) as listening:
                port = listening.getsockname()[1]
                app, connections = create_app(home), Connections(most)
                server = uvicorn.Server(configuration(app, connections, 1))
                task = asyncio.create_task(server.serve(sockets=[listening]))
                async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
                    yield Served(home, client, port, app, connections)
                app.end_streams()
                server.should_exit = True
                await task

    return opening


def environment(data: Path, settings: dict[str, str]) -> dict[str, str]:
    given = {"DATA": str(data), "HOLD_SECONDS": "60", **settings}
    return {f"EXPEDITER_{name}": value for name, value in given.items()}
