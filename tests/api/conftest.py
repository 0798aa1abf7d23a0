"""The APIs without a server: requests as values, on the real stores in a file of the test's own."""

import json
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import apsw
import msgspec
import pytest

from expediter.api.errors import problem
from expediter.api.graphql import RESOLVERS
from expediter.api.request import Request, Response
from expediter.api.rest import OPERATIONS
from expediter.app.intake import take_batch
from expediter.app.ports import Caller, OrderSettings, Work
from expediter.domain.errors import OrderError
from expediter.embedded.sqlite.database import open_writer
from expediter.embedded.sqlite.session import Session
from expediter.embedded.stores.claims import SqliteClaims
from expediter.embedded.stores.events import SqliteEvents
from expediter.embedded.stores.orders import SqliteOrders
from expediter.embedded.stores.queue import SqliteDeadLetters, SqliteQueue
from tests.support.engine import workflows_on

OPERATOR = Caller()
START = 1_800_000_000_000


class Api:
    """Both APIs over one file. ``now`` is the time of every unit, in milliseconds since 1970 UTC."""

    def __init__(self, connection: apsw.Connection) -> None:
        session, self.now, self._ids = Session(connection), START, count(1)
        self._connection = connection
        settings = OrderSettings()
        self.workflows = workflows_on(session, self.work, START)
        self._work = Work(
            orders=SqliteOrders(session, settings, lambda _: None, None),
            claims=SqliteClaims(session),
            queue=SqliteQueue(session, lambda: None),
            dead_letters=SqliteDeadLetters(session, lambda: None),
            workflows=self.workflows,
            refunds=SqliteEvents(session, lambda: None),
            settings=settings,
            now=START,
        )

    def work(self) -> Work:
        return msgspec.structs.replace(self._work, now=self.now)

    def new_id(self) -> str:
        return f"00000000-0000-7000-8000-{next(self._ids):012}"

    def rest(
        self,
        operation: str,
        body: object = None,
        /,
        id: str = "",
        query: tuple[tuple[str, str], ...] = (),
        caller: Caller = OPERATOR,
        **headers: str,
    ) -> Response:
        """The operation's answer; headers as ``idempotency_key="…"``, the body as bytes or as JSON."""
        request = Request(
            method="",
            path="",
            caller=caller,
            new_id=self.new_id(),
            params={"id": id},
            query=query,
            headers={
                "content-type": "application/json",
                **{name.replace("_", "-"): value for name, value in headers.items()},
            },
            body=body if isinstance(body, bytes) else json.dumps(body).encode(),
        )
        try:
            return OPERATIONS[operation].handle(self.work(), request)
        except OrderError as error:
            return problem(error)

    def graphql(self, field: str, caller: Caller = OPERATOR, **args: Any) -> Any:
        """The value of a root field (``Mutation.postOrder``)."""
        return RESOLVERS[field](self.work(), caller, args, self.new_id())

    def take_in(self, seconds: int = 0) -> int:
        """Lets time pass, then takes a batch from the queue. Returns how many messages it held."""
        self.now += seconds * 1000
        return take_batch(self.work())

    def bury(self, body: bytes) -> str:
        """Sends a message that is not an order until it is a dead letter; its id."""
        self.work().queue.send(body, {}, self.now)
        while self.take_in(60):
            pass
        return self.work().dead_letters.page(1000)[-1].id


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with closing(open_writer(tmp_path / "expediter.db", synchronous="OFF")) as connection:
        yield Api(connection)


def header(response: Response, name: str) -> str | None:
    """The value of the response's header, or None."""
    return dict(response.headers).get(name)


def shown(response: Response) -> Any:
    """The JSON in the response's body."""
    return json.loads(response.body)
