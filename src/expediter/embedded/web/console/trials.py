"""Tries out a definition in a process of its own, which has no file, connection or secret of the server.

The process limits its own processor time and memory before it reads anything (``trial_process``). This module ends it
when it still takes too long, or when nobody waits for it any more.
"""

import asyncio
from collections.abc import Mapping

import msgspec

from expediter.console.trial import Trial
from expediter.domain.errors import TooBusy
from expediter.embedded.child_process import running
from expediter.embedded.web.console.trial_process import MEMORY, PROCESSOR_SECONDS

#: Processes at the same time, and requests that wait for one.
AT_ONCE, WAITING = 2, 8
#: Seconds after which a process is ended, also on a busy machine.
PATIENCE = 15.0
#: Bytes of output at most.
_LONGEST_ANSWER = 8 * 1024 * 1024

STOPPED = (
    f"The definition was stopped: it took more than {PROCESSOR_SECONDS} seconds of processor time, "
    f"{MEMORY // 1024**2} MiB of memory, or said too much. Try less at a time."
)


class Trials:
    """Use it on the event loop's thread."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(AT_ONCE)
        self._asked = 0

    async def run(self, form: Mapping[str, str]) -> Trial:
        """The result for the definition in this form. Raises TooBusy."""
        if self._asked >= AT_ONCE + WAITING:
            raise TooBusy
        self._asked += 1
        try:
            async with self._places:
                return await _tried(msgspec.json.encode(dict(form)))
        finally:
            self._asked -= 1


async def _tried(given: bytes) -> Trial:
    async with running("expediter.embedded.web.console.trial_process") as process:
        try:
            async with asyncio.timeout(PATIENCE):
                answer = await _exchange(process, given)
            return msgspec.json.decode(answer, type=Trial)
        except (TimeoutError, msgspec.DecodeError, ConnectionError):
            return Trial(problem=STOPPED)


async def _exchange(process: asyncio.subprocess.Process, given: bytes) -> bytes:
    """Writes the input of the process and reads its output, up to the limit."""
    if process.stdin is None or process.stdout is None:
        raise ConnectionError("the process has no pipes")
    process.stdin.write(given)
    await process.stdin.drain()
    process.stdin.close()
    said = bytearray()
    while len(said) <= _LONGEST_ANSWER and (part := await process.stdout.read(65_536)):
        said += part
    return bytes(said[:_LONGEST_ANSWER])
