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
from expediter.embedded.operator.books import Books
from expediter.embedded.operator.keys import KeysInForce
from expediter.embedded.settings import ServerSettings
from expediter.embedded.web.feed import Feed

T = TypeVar("T")


class Backend(Protocol):
    """The server behind the web: ``embedded.home`` is one."""

    @property
    def feed(self) -> Feed: ...

    @property
    def clock(self) -> Clock: ...

    @property
    def keys(self) -> KeysInForce: ...

    @property
    def books(self) -> Books: ...

    @property
    def settings(self) -> ServerSettings: ...

    def new_id(self) -> str:
        """A fresh UUID, for whatever a request makes."""

    def write(self, handle: Callable[[Work], T], name: str) -> asyncio.Future[T]:
        """Runs ``handle`` in a unit of work. Its result comes once everything it wrote is durable.

        The future may raise the OrderError that ``handle`` raised (nothing is written then), StoreUnavailable or
        TooBusy. Raises TooBusy.
        """

    def read(self, handle: Callable[[Work], T]) -> T:
        """What ``handle`` reads of what is committed."""

    def read_in_turn(self, handle: Callable[[Work], T]) -> T:
        """As ``read``. Raises HistoryTakesLong when it derives a history for so long: ask ``read_with_history``."""

    async def read_with_history(self, handle: Callable[[Work], T], name: str) -> T:
        """As ``read``, after the history of this execution was derived elsewhere. Raises TooBusy."""

    async def write_as_operator(self, handle: Callable[[OperatorServices], T], name: str) -> T:
        """As ``write``, for what operators do."""

    def read_as_operator(self, handle: Callable[[OperatorServices], T]) -> T:
        """As ``read``, for what operators see."""

    async def read_page(self, handle: Callable[[OperatorServices], T]) -> T:
        """As ``read_as_operator``, also when it needs a history that takes long. Raises TooBusy."""

    def report(self, token: str, report: TaskReport, name: str) -> asyncio.Future[None]:
        """Tells the task that waits for this token; done once that is durable.

        It may have TaskTokenUnknown, StoreUnavailable or TooBusy. Raises TooBusy.
        """

    async def erase(self, user_id: str, who: Operator) -> Erased:
        """Forgets a customer, and once nothing remains returns after the bytes are gone from the files.

        Raises OrdersUnderWay, OrderInvalid, StoreUnavailable or TooBusy.
        """

    def busy(self) -> bool:
        """Whether ``write`` would raise TooBusy now."""

    def ready(self) -> bool:
        """Whether orders are taken in."""

    def outages(self) -> tuple[Outage, ...]:
        """What is wrong with the file, while there is something."""

    def shed(self) -> None:
        """Counts a request that was refused because there is too much to do."""

    def sign_in_failed(self, key_id: str) -> None:
        """Counts a token that was wrong, and logs it. ``key_id``: how it began, if it looked like a key."""

    def note(self, handle: Callable[[OperatorServices], None], name: str) -> None:
        """Has something written that no request waits for."""

    def metrics(self) -> bytes:
        """Prometheus text."""
