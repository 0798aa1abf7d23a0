"""How long the server's loop is held by what anybody sends: hostile workflows, and large requests.

    python -m bench.holds [--orders 200] [--only WORDS]

A hold counts in processor time of the loop's thread, because what else this machine does is not counted there, and by
the clock.
"""

import argparse
import asyncio
import json
import logging
import tempfile
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import uvloop

from bench.holds.probe import Hold, as_the_server_does, longest, probed
from bench.holds.requests import REQUESTS, Asking, served
from bench.holds.workflows import CASES, ORDER
from expediter.app import intake
from expediter.app.drafts import Draft, convert
from expediter.app.ports import Caller
from expediter.embedded.clock import new_id
from expediter.embedded.home import Home
from expediter.embedded.settings import from_environment
from expediter.embedded.sqlite.database import open_reader
from expediter.embedded.wiring import open_home

ORDERS = 200
#: How often a request is sent. The shortest of the longest holds counts, because what else the machine does only adds.
TIMES = 5
#: Seconds for all orders of a case.
PATIENCE = 300
ENDED = "SELECT count(*) FROM execution WHERE status <> 'RUNNING'"


async def place(home: Home, count: int) -> None:
    """Places orders, ten at a time."""
    draft = convert(ORDER, Draft)
    for begun in range(0, count, 10):
        placed = [
            home.write(lambda work: intake.accept(work, Caller(), draft, new_id()), "postOrder")
            for _ in range(min(10, count - begun))
        ]
        await asyncio.gather(*placed, return_exceptions=True)


async def ended(data: Path, count: int) -> None:
    """Returns once so many executions have ended."""
    with closing(open_reader(data / "expediter.db")) as connection:
        async with asyncio.timeout(PATIENCE):
            while connection.execute(ENDED).fetchall() != [(count,)]:  # noqa: ASYNC110  # nobody tells another connection
                await asyncio.sleep(0.05)


async def of_workflow(definition: dict[str, Any], count: int) -> Hold:
    """The longest hold while so many orders go through a workflow."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "hostile.asl.json"
        file.write_text(json.dumps(definition))
        settings = {"EXPEDITER_DATA": f"{folder}/data", "EXPEDITER_WORKFLOW": str(file)}
        holds: list[Hold] = []
        async with open_home(from_environment(settings)) as home:
            as_the_server_does()
            async with probed(holds):
                await place(home, count)
                await ended(Path(folder) / "data", count)
        return longest(holds)


async def of_requests(cases: Mapping[str, Asking], count: int, found: Callable[[str, Hold], None]) -> None:
    """The longest hold while each of these is asked for, of a server with so many large orders."""
    with tempfile.TemporaryDirectory() as folder:
        settings = {"EXPEDITER_DATA": f"{folder}/data", "EXPEDITER_HOLD_SECONDS": "0"}
        async with open_home(from_environment(settings)) as home, served(home) as port:
            await place(home, count)
            await ended(Path(folder) / "data", count)
            as_the_server_does()
            for name, asking in cases.items():
                found(name, min([await of_request(asking, port) for _ in range(TIMES)]))


async def of_request(asking: Asking, port: int) -> Hold:
    """The longest hold while this is asked for once."""
    holds: list[Hold] = []
    async with probed(holds):
        await asyncio.to_thread(asking, port)
    return longest(holds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=ORDERS)
    parser.add_argument("--only", default="")
    given = parser.parse_args()
    logging.disable()
    found: dict[str, Hold] = {}

    def note(name: str, hold: Hold) -> None:
        found[name] = hold
        print(f"{name:50} {hold.processor * 1000:8.1f} ms {hold.clock * 1000:8.1f} ms by the clock", flush=True)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        for name, definition in CASES.items():
            if given.only in name:
                note(name, runner.run(of_workflow(definition, given.orders)))
        asked = {name: asking for name, asking in REQUESTS.items() if given.only in name}
        if asked:
            runner.run(of_requests(asked, given.orders, note))
    print(f"{'the longest':50} {max(hold.processor for hold in found.values()) * 1000:8.1f} ms")


if __name__ == "__main__":
    main()
