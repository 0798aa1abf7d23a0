"""Whether the events that an execution was fed still lead to the state that is stored beside them."""

from collections.abc import Iterator

import msgspec

from expediter.asl import Execution, advance
from expediter.embedded.sqlite.session import Session
from expediter.embedded.stores.executions import SqliteExecutions


def torn(session: Session, most: int = -1) -> Iterator[str]:
    """Of the ``most`` newest executions (-1: of all), those whose events and state do not belong together."""
    executions = SqliteExecutions(session)
    for no, name in session.rows(
        "SELECT no, id FROM execution JOIN claim USING (no) ORDER BY no DESC LIMIT ?1", (most,)
    ):
        history, stored = executions.history(name), executions.load(no)
        if history is None or stored is None:
            yield f"{name}: cannot be read"
            continue
        machine, events = history
        execution = Execution()
        for event in events:
            execution, _ = advance(machine, execution, event)
        if msgspec.json.encode(execution) != msgspec.json.encode(stored.execution):
            yield f"{name}: its {len(events)} events lead to {execution.status}, stored is {stored.execution.status}"
