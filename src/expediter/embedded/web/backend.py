"""What the web needs of the server behind it."""

import asyncio
from collections.abc import Callable
from typing import Protocol, TypeVar

from expediter.app.operator.audit import Operator
from expediter.app.operator.erasing import Erased
from expediter.app.operator.services import OperatorServices
from expediter.app.ports import Work
from expediter.domain.outage import Outage
from expediter.embedded.clock import Clock
from expediter.embedded.engine.task_tokens import TaskReport
from expediter.embedded.operator.keys import KeysInForce
from expediter.embedded.operator.reconciler import Reconciler
from expediter.embedded.settings import ServerSettings
from expediter.embedded.web.customer_links import CustomerLinks
from expediter.embedded.web.feed import Feed

T = TypeVar("T")


class Backend(Protocol):
    """The server behind the web: ``embedded.home`` is one."""

    @property
    def feed(self) -> Feed: ...

    @property
    def clock(self) -> Clock: ...

    @property
    def customer_links(self) -> CustomerLinks: ...

    @property
    def keys(self) -> KeysInForce: ...

    @property
    def reconciler(self) -> Reconciler: ...

    @property
    def settings(self) -> ServerSettings: ...

    def new_id(self) -> str:
        """A new UUID, for what a request creates."""

    def write(self, handle: Callable[[Work], T], name: str) -> asyncio.Future[T]:
        """Runs ``handle`` in a unit of work. Its result comes once everything it wrote is durable.

        The future may raise the OrderError that ``handle`` raised (then nothing is written), StoreUnavailable or
        TooBusy. Raises TooBusy.
        """

    def read(self, handle: Callable[[Work], T]) -> T:
        """What ``handle`` reads. It sees what is committed."""

    def read_in_turn(self, handle: Callable[[Work], T]) -> T:
        """As ``read``. Raises HistoryTakesLong when it takes too long to derive a history: then use
        ``read_with_history``.
        """

    async def read_with_history(self, handle: Callable[[Work], T], name: str) -> T:
        """As ``read``. Derives the history of this execution in a thread before. Raises TooBusy."""

    async def write_as_operator(self, handle: Callable[[OperatorServices], T], name: str) -> T:
        """As ``write``, with the ports of operators."""

    def read_as_operator(self, handle: Callable[[OperatorServices], T]) -> T:
        """As ``read``, with the ports of operators."""

    async def read_page(self, handle: Callable[[OperatorServices], T]) -> T:
        """As ``read_as_operator``, for a history that takes long to derive. Raises TooBusy."""

    def report(self, token: str, report: TaskReport, name: str) -> asyncio.Future[None]:
        """Reports to the task that waits for this token. The future ends once that is durable.

        It may raise TaskTokenUnknown, StoreUnavailable or TooBusy. Raises TaskTokenUnknown, StoreUnavailable, TooBusy.
        """

    async def erase(self, user_id: str, who: Operator) -> Erased:
        """Erases what is personal of a customer. Returns once the bytes are gone from the files.

        Raises OrdersUnderWay, OrderInvalid, StoreUnavailable or TooBusy.
        """

    def busy(self) -> bool:
        """Whether ``write`` would raise TooBusy now."""

    def room_taken(self) -> float:
        """How much is taken of the places in which requests wait to be written; 1: all."""

    def ready(self) -> bool:
        """Whether new orders can be accepted."""

    def outages(self) -> tuple[Outage, ...]:
        """What is wrong with the file; empty while nothing is."""

    def shed(self) -> None:
        """Counts a request that was refused because the server is too busy."""

    def sign_in_failed(self, key_id: str) -> None:
        """Counts and logs a wrong token. ``key_id``: the id in it, if it looked like a key."""

    def note(self, handle: Callable[[OperatorServices], None], name: str) -> None:
        """Writes something that no request waits for."""

    def metrics(self) -> bytes:
        """Prometheus text."""
