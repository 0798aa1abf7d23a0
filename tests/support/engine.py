"""The engine on a session, without a loop: no call goes out and no timer fires by itself."""

from collections.abc import Callable

from expediter.app.ports import Work
from expediter.embedded.engine.definitions import Definitions
from expediter.embedded.engine.driver import Driver
from expediter.embedded.engine.workflows import EmbeddedWorkflows
from expediter.embedded.settings import workflow
from expediter.embedded.sqlite.session import Session
from expediter.embedded.stores.engine import engine_stores


def workflows_on(session: Session, work: Callable[[], Work], now: int) -> EmbeddedWorkflows:
    """Workflows that start on the definition of orders."""
    stores = engine_stores(session)
    definitions = Definitions(stores.definitions)
    driver = Driver(stores, definitions, work, lambda settle, pending: None, lambda at: None)
    definitions.use(workflow(None), now)
    return EmbeddedWorkflows(stores, definitions, driver, work, lambda done: done())
