"""Time and new ids: the two things that come from the machine a function runs on and from nowhere else."""

import time
import uuid


def now() -> int:
    """Milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


def new_id() -> str:
    """A random UUID: DynamoDB hashes its keys, so ids need no order."""
    return str(uuid.uuid4())
