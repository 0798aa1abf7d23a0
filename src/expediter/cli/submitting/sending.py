"""Submits the lines of a file, many at the same time, each under its own idempotency key.

Nothing is remembered between two runs: the server knows which keys it accepted, and says so.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeAlias

import httpx
import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from expediter.cli import show
from expediter.cli.api import TIMEOUT, Server, name_of, problem, unreachable
from expediter.cli.files import lines_of
from expediter.cli.submitting.order_lines import Line, numbered, read
from expediter.cli.terms import stop

#: This is printed in advance: after refused lines a user corrects the file and submits it again.
_WITHOUT_ID = """\
{count} of the accepted lines had no id: each is known by its number and text. Submit this file again and they are not
ordered twice, as long as they stay where they are and as they are; a line that is moved or altered is ordered again.
Give the lines an id, or name the field that is one with --key-field."""
#: Times in a row that a line finds no server, a second apart, before the run ends; and the longest wait that it
#: accepts.
ATTEMPTS = 10
LONGEST_WAIT = 30.0


#: Submits one line, by its number and text.
_One: TypeAlias = Callable[[httpx.AsyncClient, int, bytes], Awaitable[None]]


class Refusal(msgspec.Struct, frozen=True):
    """A line that was not accepted, and why."""

    line: int
    problem: str


class Ended(Exception):
    """No line can be submitted: no server answers, or it refuses this caller. The message says so."""


class Tally(msgspec.Struct):
    """The results of the lines. ``replayed``: accepted by an earlier run. ``without_id``: lines that were accepted, now
    or earlier, under a key that follows from their number and text.
    """

    accepted: int = 0
    replayed: int = 0
    refused: list[Refusal] = []
    without_id: int = 0


def run(file: Path, server: Server, concurrency: int, key_field: str | None, *, as_json: bool) -> None:
    """Submits the file and reports. Exits with 1 when a line was refused, or when none could be sent."""
    total = _count(file)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    tally = Tally()
    try:
        with bar:
            task = bar.add_task("Submitting", total=total)

            async def one(client: httpx.AsyncClient, number: int, text: bytes) -> None:
                await _one(client, number, text, key_field, tally)
                bar.advance(task)

            asyncio.run(_submit(file, server, concurrency, one))
    except ExceptionGroup as group:
        # Not `except*`: before Python 3.11.4 an exit that is raised in it is wrapped into a group.
        gone, others = group.split(Ended)
        if gone is None or others is not None:
            raise
        stop(f"{gone.exceptions[0]} {_told(tally)} so far; run the same command again to go on.", 1)
    _report(tally, as_json=as_json)
    raise typer.Exit(1 if tally.refused else 0)


def _count(file: Path) -> int:
    """How many lines are not blank. Ends the command when the file is one JSON array instead of lines."""
    with lines_of(file) as lines:
        total = 0
        for line in lines:
            if not total and line.lstrip().startswith(b"["):
                stop(f"{file} is a JSON array. Write one order a line instead: jq -c '.[]' {file} > orders.jsonl")
            total += bool(line.strip())
    return total


async def _submit(file: Path, server: Server, concurrency: int, one: _One) -> None:
    with lines_of(file) as opened:
        lines = numbered(opened)
        limits = httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
        async with httpx.AsyncClient(
            base_url=server.url, headers=server.headers(), timeout=TIMEOUT, limits=limits, trust_env=False
        ) as client:

            async def work() -> None:
                for number, text in lines:
                    await one(client, number, text)

            async with asyncio.TaskGroup() as group:
                for _ in range(concurrency):
                    group.create_task(work())


async def _one(client: httpx.AsyncClient, number: int, text: bytes, key_field: str | None, tally: Tally) -> None:
    try:
        line = read(number, text, key_field)
    except ValueError as error:
        tally.refused.append(Refusal(number, str(error)))
        return
    response = await _post(client, line)
    if name_of(response) in ("Unauthorized", "ScopeMissing"):  # as it answers every line
        raise Ended(problem(response))
    if response.status_code >= 400:
        tally.refused.append(Refusal(number, problem(response)))
        return
    tally.without_id += not line.own_key
    if "idempotent-replayed" in response.headers:
        tally.replayed += 1
    else:
        tally.accepted += 1


async def _post(client: httpx.AsyncClient, line: Line) -> httpx.Response:
    """The server's answer, once it has time for the line. Raises Ended."""
    missed = 0
    while True:
        try:
            response = await client.post(
                "/orders",
                content=line.body,
                headers={"Content-Type": "application/json", "Idempotency-Key": line.key},
            )
        except httpx.TransportError as error:
            missed += 1
            if missed == ATTEMPTS:
                raise Ended(unreachable(str(client.base_url), error)) from error
            await asyncio.sleep(1)
            continue
        if response.status_code not in (429, 503):
            return response
        await asyncio.sleep(_retry_after(response))


def _retry_after(response: httpx.Response) -> float:
    """Seconds to wait, as the server says (RFC 9110, 10.2.3); a date, or nothing, is a second."""
    text = response.headers.get("retry-after", "")
    return min(float(text), LONGEST_WAIT) if text.isascii() and text.isdigit() else 1.0


def _told(tally: Tally) -> str:
    return f"{tally.accepted} accepted, {tally.replayed} accepted before, {len(tally.refused)} refused"


def _report(tally: Tally, *, as_json: bool) -> None:
    tally.refused.sort(key=lambda refusal: refusal.line)
    if as_json:
        show.as_json(tally)
        return
    print(_told(tally) + ".")
    for refusal in tally.refused:
        print(f"  line {refusal.line}: {refusal.problem}")
    if tally.without_id:
        print(_WITHOUT_ID.format(count=tally.without_id))
