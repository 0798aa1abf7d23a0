"""The newest tables, without a file."""

import apsw

from expediter.embedded.sqlite.database import prepare


def in_memory() -> apsw.Connection:
    """A connection to an empty database of ours that is in memory only."""
    connection = apsw.Connection(":memory:")
    prepare(connection)
    return connection
