"""A bank and a restaurant that answer yes after a while, and cost little: they share the machine's cores.

A process of its own. Its first line of output says where the two listen. Each line it is given, such as
``{"bank": 5}``, says how long answers take from now on, and is answered with the calls that came since the line before;
an empty one, ``{}``, changes nothing and is answered too.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import msgspec
import uvloop

from expediter.embedded.web.http1.request_head import parse_head

YES = {"/charges": b'{"status":"ok","charge_id":"ch_1"}', "/orders": b'{"status":"ok"}'}
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"


class Calls(msgspec.Struct):
    """How many calls, and when the first and the last call came (``time.time()``; 0: none)."""

    calls: int = 0
    first: float = 0.0
    last: float = 0.0


class Seen(msgspec.Struct):
    """Of each gateway."""

    bank: Calls
    restaurant: Calls


class Gateway:
    """What one of the two does."""

    def __init__(self) -> None:
        self.seconds = 0.05
        self.done = Calls()

    def called(self) -> None:
        now = time.time()
        self.done.calls += 1
        self.done.first = self.done.first or now
        self.done.last = now


class Connection(asyncio.Protocol):
    """One connection to a gateway."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but name

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(b"\r\n\r\n") + 4
        if end < 4:
            return
        head = parse_head(self._received[:end])
        whole = end + (head.length or 0)
        if len(self._received) >= whole:
            self._received = self._received[whole:]
            self._answer(head.path)

    def _answer(self, path: str) -> None:
        self._gateway.called()
        body = YES[path]
        answer = _ANSWER % (len(body), body)
        asyncio.get_running_loop().call_later(self._gateway.seconds, self._transport.write, answer)


class Gateways:
    """Both, as the process that measures sees them."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        bank, restaurant = self._line().split()
        self.settings = {"PAYMENTS": bank, "RESTAURANT": restaurant}

    def set(self, **seconds: float) -> Seen:
        """How long answers take from now on (``bank``, ``restaurant``); what was called since this was last said."""
        return self._ask(seconds)

    def seen(self) -> Seen:
        """What was called since ``set``."""
        return self._ask({})

    def _ask(self, seconds: dict[str, float]) -> Seen:
        assert self._process.stdin
        print(msgspec.json.encode(seconds).decode(), file=self._process.stdin, flush=True)
        return msgspec.json.decode(self._line(), type=Seen)

    def _line(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline()


@contextmanager
def gateways() -> Iterator[Gateways]:
    """Both in a process of their own, answering after 50 ms."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.rig.gateways"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        try:
            yield Gateways(process)
        finally:
            process.terminate()


async def serve() -> None:
    loop = asyncio.get_running_loop()
    both = {"bank": Gateway(), "restaurant": Gateway()}
    ports = []
    for gateway in both.values():
        server = await loop.create_server(lambda gateway=gateway: Connection(gateway), "127.0.0.1", 0, backlog=1024)  # type: ignore[misc] # bound per gateway
        ports.append(server.sockets[0].getsockname()[1])
    print(*(f"http://127.0.0.1:{port}" for port in ports), flush=True)
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        seen = Seen(**{name: gateway.done for name, gateway in both.items()})
        print(msgspec.json.encode(seen).decode(), flush=True)
        given = msgspec.json.decode(line)
        for name, gateway in both.items():
            gateway.seconds = given.get(name, gateway.seconds)
            gateway.done = Calls() if given else gateway.done


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve())
