"""The console over a real home: as an ASGI application, or behind a real server on a free port of loopback."""

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from expediter.app import intake
from expediter.app.drafts import Draft, convert
from expediter.app.ports import Caller, Message, Work
from expediter.domain.order import Order, Status
from expediter.embedded.clock import Clock, new_id
from expediter.embedded.home import Home
from expediter.embedded.settings import from_environment, workflow
from expediter.embedded.web.app import create_app
from expediter.embedded.web.connections import Connections
from expediter.embedded.web.serving import configuration
from expediter.embedded.wiring import open_home
from tests.support.app_client import AppTransport

PLAIN = {"user_id": "Burger_20", "restaurant_id": "Restaurant 4", "quantity": 3, "name": "Burger"}

BROWSER = {"Accept": "text/html,*/*;q=0.8"}
REASON = "OrderInvalid: quantity: give a quantity"


class Shop:
    """One home with its APIs and pages, and a customer and an operator who use them."""

    def __init__(self, home: Home, client: httpx.AsyncClient, url: str) -> None:
        self.home = home
        self.client = client
        self.url = url

    async def place(self, order_id: str | None = None, **fields: Any) -> str:
        chosen = order_id or new_id()
        draft = convert({**PLAIN, **fields}, Draft)
        await self.home.write(lambda work: intake.accept(work, Caller(), draft, chosen), "postOrder")
        return chosen

    async def bury(self, body: bytes, **attributes: str) -> str:
        """Has a message fail until it is a dead letter; its id."""
        await self.home.write(lambda work: work.queue.send(body, attributes, work.now), "send")
        while not (letters := self.home.read(lambda work: work.dead_letters.page(100))):
            for message in await self.home.write(lambda work: work.queue.receive(5, work.now + 60_000), "receive"):
                await self.home.write(partial(_fail, message), "fail")
            await asyncio.sleep(0)
        return letters[-1].id

    async def until(self, order_id: str, *wanted: Status) -> Order:
        """The order once it has one of the statuses."""
        with self.home.feed.subscribe(order_id) as changes:
            while True:
                order = self.home.read(lambda work: work.orders.find(order_id))
                if order is not None and order.status in wanted:
                    return order
                async with asyncio.timeout(60):
                    await changes.arrived()
                changes.take()

    async def until_page(self, path: str, text: str) -> str:
        """The page once the text stands on it."""
        async with asyncio.timeout(60):
            while text not in (page := (await self.client.get(path)).text):
                await self.home.write(lambda work: None, "look")
        return page

    async def page(self, path: str, code: int = 200) -> str:
        answer = await self.client.get(path)
        assert answer.status_code == code, answer.text
        return answer.text

    async def send(self, path: str, page: str = "/console/orders/new", **fields: str) -> httpx.Response:
        """Sends a form with the token of ``page``."""
        token = re.search(r'name="csrf" value="([^"]+)"', await self.page(page))
        assert token, "the page has no form"
        return await self.client.post(path, data={"csrf": token[1], **fields})


def _fail(message: Message, work: Work) -> None:
    """As a receive long ago that failed, so that the next one need not wait."""
    work.queue.fail(message, REASON, work.now - 60_000)


def environment(folder: Path, settings: dict[str, str]) -> dict[str, str]:
    given = {"DATA": str(folder / "data"), "HOLD_SECONDS": "60", **settings}
    return {f"EXPEDITER_{name}": value for name, value in given.items()}


@asynccontextmanager
async def opened(folder: Path, clock: Clock | None = None, /, **settings: str) -> AsyncIterator[Shop]:
    """The web side as an ASGI application, without a socket."""
    async with open_home(from_environment(environment(folder, settings)), clock) as home:
        app = create_app(home)
        transport = AppTransport(app)
        url = "http://127.0.0.1:8080"
        async with httpx.AsyncClient(transport=transport, base_url=url, headers=BROWSER) as client:
            yield Shop(home, client, url)
        app.end_streams()


@asynccontextmanager
async def served(folder: Path, **settings: str) -> AsyncIterator[Shop]:
    """The web side behind a server on a free port of loopback."""
    async with open_home(from_environment(environment(folder, settings))) as home:
        app = create_app(home)
        with socket.create_server(("127.0.0.1", 0)) as listening:
            url = f"http://127.0.0.1:{listening.getsockname()[1]}"
            server = uvicorn.Server(configuration(app, Connections(1_000), 1))
            task = asyncio.create_task(server.serve(sockets=[listening]))
            async with httpx.AsyncClient(base_url=url, headers=BROWSER) as client:
                yield Shop(home, client, url)
            app.end_streams()
            server.should_exit = True
            await task


async def wait_for(true: Callable[[], bool]) -> None:
    """Goes on once it is true, looked at between whatever else the loop does."""
    async with asyncio.timeout(60):
        while not true():  # noqa: ASYNC110  # nothing tells of it: it happens in another thread
            await asyncio.sleep(0.01)


def alarmed(folder: Path) -> str:
    """The path of a workflow in which whatever goes wrong with the payment at once needs an operator."""
    definition = workflow(None)
    payment = definition["States"]["ProcessPayment"]
    del payment["Retry"]
    payment["Catch"][0]["Next"] = "OrderNeedsOperator"
    definition["States"]["PaymentChoice"]["Default"] = "OrderNeedsOperator"
    path = folder / "alarmed.asl.json"
    path.write_text(json.dumps(definition))
    return str(path)
