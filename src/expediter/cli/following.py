"""Follows an order: what happens in its workflow is printed as it happens."""

import time
from collections.abc import Iterator
from typing import Any

import typer

from expediter.cli import show
from expediter.cli.reading import Reading, Walk
from expediter.domain.order import ENDED, Status

#: Seconds between two looks.
PAUSE = 0.5


def follow(home: Reading, order_id: str, *, as_json: bool) -> bool:
    """Prints the order's events until it has ended. Whether it succeeded."""
    shown = 0
    for walk in _walks(home, order_id):
        events = list(show.event_rows(walk.events))
        for event, row in zip(walk.events[shown:], events[shown:], strict=True):
            _print(event, row, as_json=as_json)
        shown = len(walk.events)
    status = home.order(order_id).order_status
    if not as_json:
        print(f"{order_id} is {status}.")
    return status is Status.SUCCESS


def _walks(home: Reading, order_id: str) -> Iterator[Walk]:
    """Yields the order with its events at each look. The last look is after the order's end."""
    while True:
        is_over = home.order(order_id).order_status in ENDED
        yield home.walk(order_id)
        if is_over:
            return
        time.sleep(PAUSE)


def _print(event: dict[str, Any], row: tuple[str, ...], *, as_json: bool) -> None:
    if as_json:
        show.json_line(event)
    else:
        typer.echo("  ".join(cell for cell in row if cell))
