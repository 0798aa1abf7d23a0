"""``expediter serve``: its options, each of which stands for one EXPEDITER_ setting."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer


def serve(
    *,
    host: Annotated[str | None, typer.Option(help="Where to listen (127.0.0.1); beyond loopback needs a token")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on (8080); 0: any free one")] = None,
    data: Annotated[Path | None, typer.Option(help="Folder that holds everything (./data)")] = None,
    workflow: Annotated[Path | None, typer.Option(help="Another workflow: an .asl.json file")] = None,
    hold_seconds: Annotated[int | None, typer.Option(help="Seconds in which a customer may cancel (30)")] = None,
    payments: Annotated[str | None, typer.Option(help="simulated, simulated:decline=0.2, or http://…")] = None,
    restaurant: Annotated[str | None, typer.Option(help="simulated, simulated:decline=0.1, or http://…")] = None,
    default_price: Annotated[int | None, typer.Option(help="Minor units for an item without a price (1000)")] = None,
    currency: Annotated[str | None, typer.Option(help="Currency of an order that names none (USD)")] = None,
    smtp_url: Annotated[
        str | None, typer.Option(help="smtp://host:port; without it the mailbox keeps the mail")
    ] = None,
    keep_days: Annotated[
        int | None, typer.Option(help="Days to keep histories and mails after the end (for ever)")
    ] = None,
    notify: Annotated[str | None, typer.Option(help="Operators' mail addresses, with commas between them")] = None,
) -> None:
    """Serve orders over REST and GraphQL until SIGTERM or Ctrl-C; no order is lost.

    Every option overrides the setting EXPEDITER_ of its name; secrets are read from there only.
    """
    given: dict[str, object] = {
        "HOST": host,
        "PORT": port,
        "DATA": data,
        "WORKFLOW": workflow,
        "HOLD_SECONDS": hold_seconds,
        "PAYMENTS": payments,
        "RESTAURANT": restaurant,
        "DEFAULT_PRICE": default_price,
        "CURRENCY": currency,
        "SMTP_URL": smtp_url,
        "KEEP_DAYS": keep_days,
        "NOTIFY": notify,
    }
    from expediter.cli import server

    server.run(overridden(os.environ, given))


def overridden(environment: Mapping[str, str], given: Mapping[str, object]) -> dict[str, str]:
    """The environment with the settings that options give instead."""
    return {**environment, **{f"EXPEDITER_{name}": str(value) for name, value in given.items() if value is not None}}
