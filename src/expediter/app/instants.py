"""How an instant is written for others: ISO 8601 in UTC with milliseconds."""

from datetime import UTC, datetime


def instant(at: int) -> str:
    """Milliseconds since 1970 UTC as ``2026-08-01T12:00:00.000Z``."""
    seconds, milliseconds = divmod(at, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{milliseconds:03}Z"
