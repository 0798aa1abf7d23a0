"""Acts as the customer of a scenario: cancels the order during its hold."""

import asyncio
from contextlib import suppress

from expediter.app.operator import actions
from expediter.app.operator.audit import Operator
from expediter.app.operator.scenarios import Scenario
from expediter.domain.errors import OrderError
from expediter.domain.order import Status
from expediter.embedded.web.backend import Backend

#: Seconds to wait for the payment.
PATIENCE = 20.0
_WHO = Operator("scenario", "scenario")


class Rehearsals:
    """Use it on the event loop's thread."""

    def __init__(self, home: Backend) -> None:
        self._home = home
        self._tasks: set[asyncio.Task[None]] = set()

    def began(self, scenario: Scenario, address: str) -> None:
        """Begins when the order of the scenario is placed. ``address``: of its page."""
        if scenario.cancel:
            order_id = address.partition("?")[0].rpartition("/")[2]
            task = asyncio.create_task(self._cancel(order_id), name="rehearsal")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _cancel(self, order_id: str) -> None:
        with self._home.feed.subscribe(order_id) as changes, suppress(TimeoutError, OrderError):
            async with asyncio.timeout(PATIENCE):
                while not self._paid(order_id):
                    changes.take()
                    await changes.arrived()
            await self._home.write_as_operator(
                lambda services: actions.cancel(services, _WHO, order_id), "console:cancel"
            )

    def _paid(self, order_id: str) -> bool:
        order = self._home.read(lambda work: work.orders.find(order_id))
        return order is not None and order.status is Status.PAID
