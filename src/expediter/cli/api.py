"""Calls to the server over HTTP. The command line writes only in this way."""

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import msgspec

from expediter.cli.finding import find
from expediter.cli.terms import stop

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")

#: Seconds for one call.
TIMEOUT = 30.0


class NotDone(Exception):
    """The server refused, or could not be asked. ``code``: the command's exit code; ``error``: the error's name."""

    def __init__(self, message: str, code: int, error: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.error = error


class Server(NamedTuple):
    """The server to ask, and the token to show it; None: it wants none."""

    url: str
    token: str | None

    def headers(self) -> dict[str, str]:
        """The headers with the caller's name for the audit, and with the token where there is one."""
        name, found = _account(), {"User-Agent": "expediter-cli"}
        if self.token:
            found["Authorization"] = f"Bearer {self.token}"
        if name:
            found["Expediter-Operator"] = name
        return found

    def ask(self, method: str, path: str, form: type[T], body: object = None) -> T:
        """As ``fetch``, but an error ends the command with its message."""
        try:
            return self.fetch(method, path, form, body)
        except NotDone as error:
            stop(str(error), error.code)

    def fetch(self, method: str, path: str, form: type[T], body: object = None) -> T:
        """The server's answer, which is JSON of this form; NoneType: it has no body. Raises NotDone."""
        content = self._content(method, path, body)
        try:
            return msgspec.json.decode(content or b"null", type=form)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise NotDone(f"{self.url} does not answer as an Expediter does. Check --url.", 2) from error

    def _content(self, method: str, path: str, body: object) -> bytes:
        import httpx

        try:
            response = httpx.request(
                method, self.url + path, headers=self.headers(), json=body, timeout=TIMEOUT, trust_env=False
            )
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise NotDone(unreachable(self.url, error), 2) from error
        if response.status_code >= 300:
            raise NotDone(problem(response), 1, name_of(response))
        return response.content


def server(url: str | None, token: str | None, data: Path | None = None) -> Server:
    """The server that a command is about."""
    return Server(find(url, data).url, token)


def _account() -> str:
    """The name of the account that the command runs under; empty where it has none that a header can hold."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError, ImportError):  # the exception depends on the version of Python
        return ""
    return name if name.isascii() and name.isprintable() else ""


def unreachable(url: str, error: Exception) -> str:
    reason = str(error) or type(error).__name__
    return (
        f"No server answers at {url} ({reason}). Start it with expediter serve, or name it with --url, or its data "
        "folder with --data."
    )


class _Problem(msgspec.Struct):
    error: str
    detail: str


def problem(response: "httpx.Response") -> str:
    """An error's name and what to do, from problem+json; of anything else its status."""
    if (told := _told(response)) is not None:
        return f"{told.error}: {told.detail}"
    return f"{response.url.host} answered {response.status_code}, not as an Expediter does. Check --url."


def name_of(response: "httpx.Response") -> str:
    """The error's name in problem+json; empty where there is none."""
    told = _told(response)
    return told.error if told else ""


def _told(response: "httpx.Response") -> _Problem | None:
    if not response.headers.get("content-type", "").startswith("application/problem+json"):
        return None
    try:
        return msgspec.json.decode(response.content, type=_Problem)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
