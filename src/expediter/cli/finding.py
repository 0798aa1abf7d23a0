"""Where a command finds its orders: at a server, or in a data folder.

- ``--url`` names a server, ``--data`` (or EXPEDITER_DATA) a folder.
- Without them it is the server of this user that runs; EXPEDITER_HOST and EXPEDITER_PORT choose among several.
- When none runs, it is ./data, and a server at EXPEDITER_HOST and EXPEDITER_PORT (127.0.0.1:8080).
"""

import os
from pathlib import Path
from typing import NamedTuple

import typer

from expediter.cli.terms import stop

#: The data folder where none is named.
DATA = Path("data")


class Found(NamedTuple):
    """The server's address, and its data folder; None: the data can be read only through the server."""

    url: str
    data: Path | None


def find(url: str | None, data: Path | None) -> Found:
    """The server that the command is about, and its data. Ends the command when several servers could be meant."""
    from expediter.embedded.running import running_of_user, running_on

    if url:
        return Found(url.rstrip("/"), None)
    if data is not None:
        named = running_on(data)
        return Found(named.url if named else _default_url(), data)
    servers = [server for server in running_of_user(os.environ) if _is_meant(server.url)]
    here = [server for server in servers if server.data == str(DATA.resolve())]
    if not servers:
        return Found(_default_url(), DATA if (DATA / "expediter.db").exists() else None)
    if len(servers) > 1 and not here:
        listed = "".join(f"\n  --url {server.url}  or  --data {server.data}" for server in servers)
        stop(f"several servers run. Say which one is meant:{listed}")
    chosen = (here or servers)[0]
    if not here:
        typer.echo(f"expediter: the server at {chosen.url}, its data in {chosen.data}", err=True)
    return Found(chosen.url, Path(chosen.data))


def folder(data: Path | None) -> Path:
    """The data folder, for a command that has to open it."""
    return find(None, data).data or DATA


def _is_meant(url: str) -> bool:
    """Whether a server at this address may be the one that the environment names."""
    host, port = os.environ.get("EXPEDITER_HOST"), os.environ.get("EXPEDITER_PORT")
    return url == _default_url() if host else not port or port == "0" or url.endswith(f":{port}")


def _default_url() -> str:
    host = os.environ.get("EXPEDITER_HOST") or "127.0.0.1"
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # compared with, not bound to
    port = os.environ.get("EXPEDITER_PORT") or "8080"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
