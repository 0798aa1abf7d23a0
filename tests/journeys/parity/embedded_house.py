"""The embedded home: a server in a process of its own."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from expediter.api.access import TokenClaims
from expediter.app.access import Scope
from expediter.app.drafts import Draft, convert, fingerprint
from expediter.app.ports import Claim, OrderSettings
from expediter.embedded.clock import SystemClock
from expediter.embedded.operator.read_only import open_read_only
from expediter.embedded.sqlite.database import open_writer
from expediter.embedded.sqlite.session import Session
from expediter.embedded.stores.claims import SqliteClaims
from expediter.embedded.stores.queue import SqliteQueue
from tests.cli.conftest import plain_environment, serving
from tests.journeys.parity.embedded_person import Person
from tests.journeys.parity.houses import (
    HOLD,
    LONG_HOLD,
    OPERATOR,
    Answer,
    Message,
    hasty,
    new_id,
    own,
    workflow,
)
from tests.support.issuer import Issuer

#: Milliseconds for which a message is held back that is let go later.
BACK = 3_600_000


class EmbeddedHouse:
    """``settings``: what its server was started with. ``issuer``: whose tokens it takes."""

    def __init__(self, url: str, data: Path, settings: dict[str, str], issuer: Issuer) -> None:
        self._url = url
        self._data = data
        self._settings = settings
        self._issuer = issuer
        self._people: dict[str, Person] = {}
        self._operator = self._person(self._token(OPERATOR))

    def post(self, order: Any, *keys: str) -> None:
        with ThreadPoolExecutor(len(keys)) as pool:
            for answer in pool.map(lambda key: self._post(order, key), keys):
                assert answer.status == 204, answer.body

    def refused(self, key: str, *orders: Any) -> list[str]:
        return [str(self._post(order, key).error) for order in orders]

    def rest(self, method: str, path: str, body: Any = None) -> Answer:
        return self._operator.rest(method, path, body)

    def graphql(self, field: str, **arguments: Any) -> Any:
        return self._operator.graphql(field, **arguments)

    def clients(self, claims: TokenClaims | None) -> Sequence[Person]:
        """A program has a token of the issuer's, or a key."""
        if claims is None:
            return [self._person("")]
        given = [scope for scope in Scope if f"expediter/{scope}" in claims.scope.split()]
        is_program = claims.client_id == claims.sub
        keys = [self._key(claims.sub, tuple(given))] if is_program and given else []
        return [self._person(shown) for shown in (self._token(claims), *keys)]

    def customer(self, user_id: str) -> Person:
        return self._person(self._token(TokenClaims(user_id)))

    def _person(self, token: str) -> Person:
        if token not in self._people:
            self._people[token] = Person(self._url, token)
        return self._people[token]

    def _token(self, claims: TokenClaims) -> str:
        """A token of the issuer's for an hour."""
        said: dict[str, Any] = {
            "client_id": claims.client_id or None,
            "scope": claims.scope or None,
            "groups": list(claims.groups),
            **({"email": claims.email, "email_verified": True} if claims.email else {}),
        }
        return self._issuer.token(claims.sub, exp=int(self._issuer.now) + 3_600, **said)

    def _key(self, name: str, scopes: tuple[Scope, ...]) -> str:
        answer = self._operator.rest("POST", "/keys", {"name": name, "scopes": scopes})
        assert answer.status == 201, answer.body
        return str(answer.body["secret"])

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
            house = servers.enter_context(embedded_house(folder, self._settings, self._issuer))

            def goes_on() -> None:
                servers.close()
                with closing(open_writer(folder / "expediter.db")) as connection, connection:
                    connection.execute("UPDATE message SET visible_at = 0")
                anew = servers.enter_context(embedded_house(folder, self._settings, self._issuer))
                house._operator = anew._operator

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
        for person in self._people.values():
            person.close()

    def _post(self, order: Any, key: str) -> Answer:
        return self._operator.rest("POST", "/orders", order, key)

    @contextmanager
    def _another(self, prepared: Callable[[Session, int], object], **settings: str) -> Iterator["EmbeddedHouse"]:
        with embedded_house(self._folder(prepared), {**self._settings, **settings}, self._issuer) as house:
            yield house

    def _folder(self, prepared: Callable[[Session, int], object]) -> Path:
        folder = self._data.parent / new_id()
        folder.mkdir()
        with closing(open_writer(folder / "expediter.db")) as connection, connection:
            prepared(Session(connection), SystemClock().now())
        return folder


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
    SqliteClaims(session).claim(Claim(own(key), fingerprint(draft)))
    SqliteQueue(session, lambda: None).send(json.dumps(order).encode(), {"order_id": own(key)}, now + BACK)


@contextmanager
def embedded_house(data: Path, settings: dict[str, str], issuer: Issuer) -> Iterator[EmbeddedHouse]:
    """A server on the data folder. Its retries are as many as ever, with shorter waits."""
    file = data / "hasty.asl.json"
    file.write_text(json.dumps(hasty(workflow())))
    given = {
        "HOLD_SECONDS": HOLD,
        **issuer.settings(),
        **settings,
        "WORKFLOW": str(file),
        "NOTIFY": "operators@example.com",
    }
    with (data / "log").open("w") as log, serving(data, log, (), **given) as server:
        assert server.url, (data / "log").read_text()
        house = EmbeddedHouse(server.url, data, settings, issuer)
        yield house
        house.close()
