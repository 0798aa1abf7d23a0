"""Submits the lines of a file, many at the same time, each under its own idempotency key.

Nothing is remembered between two runs: the server knows which keys it accepted, and says so.
"""

import asyncio
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from expediter.app.strict_json import decode
from expediter.cli import show
from expediter.cli.api import TIMEOUT, headers, problem, server_url, unreachable
from expediter.cli.files import LONGEST, lines_of
from expediter.cli.terms import stop

#: What the keys of lines without one are derived from (RFC 9562, 5.5). Never change it: keys would change with it.
NAMESPACE = uuid.UUID("8f1d3f0a-6f0e-5e0b-9d57-3b9f7f1c2a44")
#: Times in a row that a line finds no server, a second apart, before the run ends; and the longest wait it is told.
ATTEMPTS = 10
LONGEST_WAIT = 30.0


class Line(msgspec.Struct, frozen=True):
    """A line to submit: its number from 1, its key, the order as the REST door takes it."""

    number: int
    key: str
    body: bytes


class Refusal(msgspec.Struct, frozen=True):
    """A line that was not accepted, and why."""

    line: int
    problem: str


class Unreachable(Exception):
    """No server answers; the message says so."""


class Tally(msgspec.Struct):
    """What became of the lines. ``replayed``: accepted by an earlier run."""

    accepted: int = 0
    replayed: int = 0
    refused: list[Refusal] = []


def run(file: Path, url: str | None, concurrency: int, *, as_json: bool) -> None:
    """Submits the file and reports. Exits with 1 when a line was refused, or when the server could not be reached."""
    with lines_of(file) as lines:
        total = sum(1 for line in lines if line.strip())
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
            asyncio.run(_submit(file, server_url(url), concurrency, tally, lambda: bar.advance(task)))
    except* Unreachable as error:
        stop(f"{error.exceptions[0]} {_told(tally)} so far; run the same command again to go on.", 1)
    _report(tally, as_json=as_json)
    raise typer.Exit(1 if tally.refused else 0)


async def _submit(file: Path, url: str, concurrency: int, tally: Tally, advance: Callable[[], None]) -> None:
    with lines_of(file) as opened:
        lines = numbered(opened)
        limits = httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
        async with httpx.AsyncClient(
            base_url=url, headers=headers(), timeout=TIMEOUT, limits=limits, trust_env=False
        ) as client:

            async def work() -> None:
                for number, text in lines:
                    await _one(client, number, text, tally)
                    advance()

            async with asyncio.TaskGroup() as group:
                for _ in range(concurrency):
                    group.create_task(work())


def numbered(lines: Iterator[bytes]) -> Iterator[tuple[int, bytes]]:
    """The lines that hold something, with their numbers from 1."""
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield number, line.strip()


async def _one(client: httpx.AsyncClient, number: int, text: bytes, tally: Tally) -> None:
    try:
        line = read(number, text)
    except ValueError as error:
        tally.refused.append(Refusal(number, str(error)))
        return
    response = await _post(client, line)
    if response.status_code >= 400:
        tally.refused.append(Refusal(number, problem(response)))
    elif "idempotent-replayed" in response.headers:
        tally.replayed += 1
    else:
        tally.accepted += 1


def read(number: int, text: bytes) -> Line:
    """The line as an order under its key. Raises ValueError when it is no JSON object."""
    if len(text) > LONGEST:
        raise ValueError(f"BodyTooLarge: The line is longer than {LONGEST // 1024 // 1024} MiB")
    try:
        order: dict[str, Any] = decode(text, dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"RequestUnparsable: The line is no JSON object: {error}") from error
    own = [str(order.pop(name)) for name in ("id", "idempotency_key") if order.get(name) is not None]
    if not own:
        return Line(number, str(uuid.uuid5(NAMESPACE, f"{number}:{text.decode()}")), text)
    return Line(number, key_of(own[0]), msgspec.json.encode(order))


def key_of(own: str) -> str:
    """A line's own id as an idempotency key: itself when it is a UUID, else the UUID that follows from it."""
    try:
        return str(uuid.UUID(own))
    except ValueError:
        return str(uuid.uuid5(NAMESPACE, own))


async def _post(client: httpx.AsyncClient, line: Line) -> httpx.Response:
    """The server's answer, once it has time for the line. Raises Unreachable."""
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
                raise Unreachable(unreachable(str(client.base_url), error)) from error
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
