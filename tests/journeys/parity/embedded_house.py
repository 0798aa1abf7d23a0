"""The embedded home: a server in a process of its own."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import httpx

from expediter import contracts
from expediter.api.access import NEEDS, TokenClaims, caller_of, require
from expediter.api.errors import problem
from expediter.api.graphql import RESOLVERS
from expediter.api.request import Request
from expediter.api.rest import OPERATIONS
from expediter.api.routes import Router, operations
from expediter.app.drafts import Draft, convert, fingerprint
from expediter.app.ports import Claim, OrderSettings
from expediter.domain.errors import OrderError
from expediter.embedded.clock import SystemClock
from expediter.embedded.operator.read_only import open_read_only
from expediter.embedded.sqlite.database import open_writer
from expediter.embedded.sqlite.session import Session
from expediter.embedded.stores.claims import SqliteClaims
from expediter.embedded.stores.queue import SqliteQueue
from tests.cli.conftest import plain_environment, serving
from tests.journeys.parity.houses import HOLD, LONG_HOLD, Answer, Message, hasty, new_id, workflow

#: Milliseconds for which a message is held back that is let go later.
BACK = 3_600_000

_DOCUMENTS = {
    "Mutation.postOrder": "mutation($input: OrderInput!, $idempotencyKey: ID) "
    "{ postOrder(input: $input, idempotencyKey: $idempotencyKey) { id userId orderStatus total } }",
    "Mutation.cancelOrder": "mutation($id: ID!) { cancelOrder(id: $id) { id orderStatus } }",
    "Mutation.updateOrder": "mutation($input: UpdateOrderInput!) { updateOrder(input: $input) { id restaurantId } }",
    "Mutation.deleteOrder": "mutation($id: ID!) { deleteOrder(id: $id) }",
    "Query.order": "query($id: ID!) { order(id: $id) { id orderStatus total } }",
}
_ROUTER = Router(operations(contracts.read("openapi.json")))


class EmbeddedHouse:
    """``settings``: what its server was started with."""

    def __init__(self, url: str, data: Path, settings: dict[str, str]) -> None:
        self._client = httpx.Client(base_url=url, timeout=30)
        self._data = data
        self._settings = settings

    def post(self, order: Any, *keys: str) -> None:
        with ThreadPoolExecutor(len(keys)) as pool:
            for answer in pool.map(lambda key: self._post(order, key), keys):
                assert answer.status_code == 204, answer.text

    def refused(self, key: str, *orders: Any) -> list[str]:
        return [self._post(order, key).json()["error"] for order in orders]

    def rest(self, method: str, path: str, body: Any = None) -> Answer:
        answer = self._client.request(method, path, json=body)
        return Answer(answer.status_code, answer.json() if answer.content else None)

    def graphql(self, field: str, **arguments: Any) -> Any:
        answer = self._client.post("/graphql", json={"query": _DOCUMENTS[field], "variables": arguments}).json()
        if answer.get("errors"):
            return answer["errors"][0]["extensions"]["code"]
        return answer["data"][field.partition(".")[2]]

    def customer(self, user_id: str) -> "Guest":
        return Guest(self._data, user_id)

    def settle(self) -> None:
        """It takes in by itself."""

    def ledger(self, order_id: str) -> list[tuple[str, int]]:
        with open_read_only(self._data, OrderSettings()) as view:
            return [(str(entry.kind), entry.amount) for entry in view.work.orders.entries(order_id)]

    def mails(self, order_id: str) -> list[tuple[str, str]]:
        with open_read_only(self._data, OrderSettings()) as view:
            found = [posted.mail for posted in view.mailbox.of(order_id)]
        return sorted((str(mail.status), mail.recipient.removesuffix("@example.com")) for mail in found)

    @contextmanager
    def patient(self) -> Iterator["EmbeddedHouse"]:
        with self._another(lambda *_: None, HOLD_SECONDS=LONG_HOLD) as house:
            yield house

    @contextmanager
    def holding(self, *queued: Message, dead: tuple[Message, ...] = ()) -> Iterator["EmbeddedHouse"]:
        """Only a running server's APIs can put messages on its queue, so another server is started on such a queue."""
        with self._another(lambda session, now: _fill(session, now, queued, dead)) as house:
            yield house

    @contextmanager
    def saved(self, order: Any, key: str) -> Iterator[tuple["EmbeddedHouse", Callable[[], None]]]:
        """An order can be read as soon as it is on the queue. A server that finds its message let go, goes on."""
        folder = self._folder(lambda session, now: _hold_back(session, now, order, key))
        with ExitStack() as servers:
            house = servers.enter_context(embedded_house(folder, self._settings))

            def goes_on() -> None:
                servers.close()
                with closing(open_writer(folder / "expediter.db")) as connection, connection:
                    connection.execute("UPDATE message SET visible_at = 0")
                house._client = servers.enter_context(embedded_house(folder, self._settings))._client

            yield house, goes_on

    def refuses(self, definition: Any) -> str:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "other.asl.json"
            file.write_text(json.dumps(definition))
            mine = {"EXPEDITER_DATA": folder, "EXPEDITER_PORT": "0", "EXPEDITER_WORKFLOW": str(file)}
            command = [sys.executable, "-m", "expediter", "serve"]
            done = subprocess.run(
                command, env={**plain_environment(), **mine}, capture_output=True, text=True, timeout=60, check=False
            )
        assert done.returncode == 2, done.stdout
        return done.stderr

    def close(self) -> None:
        self._client.close()

    def _post(self, order: Any, key: str) -> httpx.Response:
        return self._client.post("/orders", json=order, headers={"Idempotency-Key": key})

    @contextmanager
    def _another(self, prepared: Callable[[Session, int], object], **settings: str) -> Iterator["EmbeddedHouse"]:
        with embedded_house(self._folder(prepared), {**self._settings, **settings}) as house:
            yield house

    def _folder(self, prepared: Callable[[Session, int], object]) -> Path:
        folder = self._data.parent / new_id()
        folder.mkdir()
        with closing(open_writer(folder / "expediter.db")) as connection, connection:
            prepared(Session(connection), SystemClock().now())
        return folder


class Guest:
    """The server lets in who has its token, an operator. What its APIs say to others is asked of the same APIs, over
    the same stores, without a server: whatever would be written is refused by SQLite."""

    def __init__(self, data: Path, user_id: str) -> None:
        self._data = data
        self._caller = caller_of(TokenClaims(user_id))

    def rest(self, method: str, path: str, body: Any = None) -> Answer:
        name, params = _ROUTER.find(method, path)
        request = Request(
            method=method,
            path=path,
            caller=self._caller,
            new_id=new_id(),
            params=params,
            headers={"content-type": "application/json"},
            body=json.dumps(body).encode(),
        )
        with open_read_only(self._data, OrderSettings()) as view:
            try:
                require(self._caller.scopes, NEEDS[name])
                response = OPERATIONS[name].handle(view.work, request)
            except OrderError as error:
                response = problem(error)
        return Answer(response.status, json.loads(response.body) if response.body else None)

    def graphql(self, field: str, **arguments: Any) -> Any:
        with open_read_only(self._data, OrderSettings()) as view:
            try:
                require(self._caller.scopes, NEEDS[field])
                return RESOLVERS[field](view.work, self._caller, arguments, new_id())
            except OrderError as error:
                return error.name


def _fill(session: Session, now: int, queued: tuple[Message, ...], dead: tuple[Message, ...]) -> None:
    queue = SqliteQueue(session, lambda: None)
    for letter in dead:
        queue.send(letter.body, {"order_id": letter.order_id}, 0)
    for _ in range(3 if dead else 0):
        for received in queue.receive(len(dead), now):
            queue.fail(received, "StoreUnavailable: it was down", 0)
    for one in queued:
        queue.send(one.body, {"order_id": one.order_id}, now)


def _hold_back(session: Session, now: int, order: Any, key: str) -> None:
    """What accepting the order writes; but its message cannot be received yet."""
    draft = convert(order, Draft)
    SqliteClaims(session).claim(Claim(key, fingerprint(draft)))
    SqliteQueue(session, lambda: None).send(json.dumps(order).encode(), {"order_id": key}, now + BACK)


@contextmanager
def embedded_house(data: Path, settings: dict[str, str]) -> Iterator[EmbeddedHouse]:
    """A server on the data folder. Its retries are as many as ever, with shorter waits."""
    file = data / "hasty.asl.json"
    file.write_text(json.dumps(hasty(workflow())))
    given = {"HOLD_SECONDS": HOLD, **settings, "WORKFLOW": str(file), "NOTIFY": "operators@example.com"}
    with (data / "log").open("w") as log, serving(data, log, (), **given) as server:
        assert server.url, (data / "log").read_text()
        house = EmbeddedHouse(server.url, data, settings)
        yield house
        house.close()
