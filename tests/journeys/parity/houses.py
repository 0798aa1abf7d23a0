"""What a journey needs of a home, from outside: what a customer sends, and what can be seen afterwards."""

import json
import uuid
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol, Self

from expediter import contracts
from expediter.api.access import TokenClaims, caller_of
from expediter.app.idempotency import own_id
from tests.support import patience

#: Seconds that a home holds an order, and one in which something is done meanwhile: real time passes here.
HOLD, LONG_HOLD = "0", "6"
ANN = "a0000000-0000-4000-8000-000000000001"
#: Who uses a house.
OPERATOR = TokenClaims(ANN, groups=("operators",))


class Answer(NamedTuple):
    """``challenge``: the header WWW-Authenticate."""

    status: int
    body: Any
    challenge: str = ""

    @property
    def error(self) -> str | None:
        return self.body.get("error") if isinstance(self.body, dict) else None


class Message(NamedTuple):
    """What stands on the order queue."""

    order_id: str
    body: bytes


class Refusal(str):
    """The name of an error of GraphQL's, and what it says."""

    __slots__ = ("detail",)
    detail: str

    def __new__(cls, name: str, detail: str) -> Self:
        made = super().__new__(cls, name)
        made.detail = detail
        return made


class Client(Protocol):
    """Somebody who calls, at both APIs."""

    def rest(self, method: str, path: str, body: Any = None, key: str | None = None) -> Answer:
        """An order that a home refuses after its answer is answered with what its dead letter says."""

    def graphql(self, field: str, **arguments: Any) -> Any:
        """The field's value, or a Refusal."""


class House(Protocol):
    """A running home, used by Ann, who is an operator, unless ``clients`` says otherwise."""

    def post(self, order: Any, *keys: str) -> None:
        """Places the order under each of the keys by REST, all at once, and lets them be taken in."""

    def refused(self, key: str, *orders: Any) -> list[str]:
        """The names of the errors that orders placed by REST under a key end with: in answers, or as dead letters."""

    def rest(self, method: str, path: str, body: Any = None) -> Answer: ...

    def graphql(self, field: str, **arguments: Any) -> Any:
        """The field's value, or a Refusal."""

    def clients(self, claims: TokenClaims | None) -> Sequence[Client]:
        """Who shows that he is this, in each way that the home knows; None: he shows nothing."""

    def customer(self, user_id: str) -> Client:
        """Somebody who is no operator."""

    def settle(self) -> None:
        """Lets what was sent be taken in."""

    def ledger(self, order_id: str) -> list[tuple[str, int]]: ...

    def mails(self, order_id: str) -> list[tuple[str, str]]:
        """(status, recipient) of each mail; the operators' address is ``operators``."""

    def patient(self) -> "AbstractContextManager[House]":
        """This home, or one like it, with a hold in which there is time to do something."""

    def holding(self, *queued: Message, dead: tuple[Message, ...] = ()) -> "AbstractContextManager[House]":
        """This home, or one like it, with these messages on its queue and its dead-letter queue, not sent by an API."""

    def saved(self, order: Any, key: str) -> "AbstractContextManager[tuple[House, Callable[[], None]]]":
        """This home, or one like it, with an order that can be read and whose workflow goes on when it is told to."""

    def refuses(self, definition: Any) -> str:
        """What it says instead of starting with this workflow."""


def new_id() -> str:
    return str(uuid.uuid4())


def own(key: str, claims: TokenClaims = OPERATOR) -> str:
    """The id of the caller's order under this key: in both homes the same."""
    return own_id(caller_of(claims), key)


def message(order: Any) -> Message:
    return Message(new_id(), json.dumps(order).encode())


def hasty(definition: Any) -> Any:
    """The workflow, with no Retry that waits longer than a second: what a journey sees is how often it tries."""
    for state in definition["States"].values():
        for retry in state.get("Retry", []):
            retry.update(IntervalSeconds=1, MaxDelaySeconds=1)
    return definition


def workflow() -> Any:
    return json.loads(contracts.read("order.asl.json"))


def until(house: House, order_id: str, *statuses: str) -> Any:
    """Waits until the order has one of the statuses; the order."""

    def order() -> Any:
        answer = house.rest("GET", f"/orders/{order_id}")
        return answer.body if answer.status == 200 and answer.body["order_status"] in statuses else None

    return patience.until(order, f"{order_id} comes to {' or '.join(statuses)}")


def letters(house: House, order_id: str) -> list[Any]:
    """The dead letters about the order."""
    found = house.rest("GET", "/dlq").body["items"]
    return [letter for letter in found if letter["attributes"]["order_id"] == order_id]


def died(house: House, order_id: str, count: int = 1) -> list[Any]:
    """Waits until so many messages about the order are dead letters; they."""

    def there() -> list[Any]:
        house.settle()
        found = letters(house, order_id)
        return found if len(found) == count else []

    return patience.until(there, f"{count} messages about {order_id} are dead letters")
