"""Time and new ids, from the machine on which a function runs."""

import time
import uuid


def now() -> int:
    """Milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


def new_id() -> str:
    """A random UUID. DynamoDB hashes its keys, so ids need no order."""
    return str(uuid.uuid4())
