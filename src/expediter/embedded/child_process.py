"""Runs a module of ours in a Python process of its own, for work that would hold up the event loop."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

#: The environment variables that the process gets: those that Python needs to find its libraries. No setting is among
#: them, so it has no secret.
_ENVIRONMENT = ("HOME", "LANG", "LC_ALL", "PATH", "PYTHONPATH", "VIRTUAL_ENV")


@asynccontextmanager
async def running(module: str, *args: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process of this module, with its standard input and output as pipes. It is killed at the end."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, *args),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
        start_new_session=True,  # Ctrl-C must not reach it
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        await process.wait()
