"""What the engine stores, on SQLite."""

from expediter.embedded.engine.ports import EngineStores
from expediter.embedded.sqlite.session import Session
from expediter.embedded.stores.definitions import SqliteDefinitions
from expediter.embedded.stores.executions import SqliteExecutions
from expediter.embedded.stores.nested import SqliteNestedExecutions
from expediter.embedded.stores.task_tokens import SqliteTaskTokens


def engine_stores(session: Session) -> EngineStores:
    """All of it over one connection."""
    return EngineStores(
        executions=SqliteExecutions(session),
        definitions=SqliteDefinitions(session),
        tokens=SqliteTaskTokens(session),
        nested=SqliteNestedExecutions(session),
    )
