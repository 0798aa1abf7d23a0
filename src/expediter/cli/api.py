"""Calls to the server over HTTP. The command line writes only in this way."""

import getpass
import os
from typing import TYPE_CHECKING, Any

from expediter.cli.terms import stop

if TYPE_CHECKING:
    import httpx

#: Seconds for one call.
TIMEOUT = 30.0


def server_url(url: str | None) -> str:
    """Where the server is: as given, else at EXPEDITER_HOST and EXPEDITER_PORT of this machine."""
    if url:
        return url.rstrip("/")
    host = os.environ.get("EXPEDITER_HOST") or "127.0.0.1"
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # compared with, not bound to
    port = os.environ.get("EXPEDITER_PORT") or "8080"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def headers() -> dict[str, str]:
    """The headers with the caller's name for the audit, and with the operators' token where there is one."""
    token, name = os.environ.get("EXPEDITER_TOKEN"), _account()
    found = {"User-Agent": "expediter-cli"}
    if token:
        found["Authorization"] = f"Bearer {token}"
    if name:
        found["Expediter-Operator"] = name
    return found


def _account() -> str:
    """The name of the account that the command runs under; empty where it has none that a header can hold."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError, ImportError):  # as different versions of Python say it
        return ""
    return name if name.isascii() and name.isprintable() else ""


class NotDone(Exception):
    """The server refused, or could not be asked. ``code``: the exit code of the command."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


def ask(method: str, path: str, url: str | None, body: object = None) -> Any:  # noqa: ANN401  # JSON of the contract
    """The server's answer as JSON, None when it has no body. An error ends the command with its message."""
    try:
        return fetch(method, path, url, body)
    except NotDone as error:
        stop(str(error), error.code)


def fetch(method: str, path: str, url: str | None, body: object = None) -> Any:  # noqa: ANN401  # JSON of the contract
    """The server's answer as JSON, None when it has no body. Raises NotDone."""
    import httpx

    where = server_url(url)
    try:
        response = httpx.request(method, where + path, headers=headers(), json=body, timeout=TIMEOUT, trust_env=False)
    except (httpx.TransportError, httpx.InvalidURL) as error:
        raise NotDone(unreachable(where, error), 2) from error
    if response.status_code >= 400:
        raise NotDone(problem(response), 1)
    return response.json() if response.content else None


def unreachable(url: str, error: Exception) -> str:
    reason = str(error) or type(error).__name__
    return f"No server answers at {url} ({reason}). Start it with expediter serve, or say where it is with --url."


def problem(response: "httpx.Response") -> str:
    """An error's name and what to do, from problem+json; of anything else its status."""
    if response.headers.get("content-type", "").startswith("application/problem+json"):
        body = response.json()
        return f"{body['error']}: {body['detail']}"
    return f"{response.url.host} answered {response.status_code}, not as an Expediter does. Check --url."
