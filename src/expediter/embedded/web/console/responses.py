"""What the console sends and reads over HTTP: pages, streams, cookies, forms."""

import asyncio
import gzip
from collections.abc import AsyncGenerator
from http.cookies import CookieError, SimpleCookie
from typing import NamedTuple
from urllib.parse import parse_qsl

from expediter.api.request import Headers, Response
from expediter.embedded.web.asgi import Receive, Scope, Send
from expediter.embedded.web.console.session import COOKIE

#: On every page: nothing from elsewhere, no script but our file, no frame around it.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
#: Referrer-Policy: with no-referrer a form's Origin would be null, and we would refuse it.
_ALWAYS = (
    ("Content-Security-Policy", _POLICY),
    ("Referrer-Policy", "same-origin"),
    ("X-Content-Type-Options", "nosniff"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
)
_FRESH = ("Cache-Control", "no-store")
#: X-Accel-Buffering: a proxy in front passes every event on at once.
_STREAM = (("Content-Type", "text/event-stream"), _FRESH, ("X-Accel-Buffering", "no"), *_ALWAYS)
#: Smaller than this a body is not worth packing.
_PACKED = 1_000
#: Seconds of silence after which a comment keeps the connection open.
HEARTBEAT = 15.0


class Streamed(NamedTuple):
    """An answer without an end."""

    events: AsyncGenerator[bytes]


async def respond(headers: Headers, send: Send, response: Response, *, body: bool = True) -> None:
    """Sends a page, packed when the browser takes that; without its ``body`` for HEAD."""
    lines, content = dict((_FRESH, *response.headers, *_ALWAYS)), response.body
    if len(content) > _PACKED and "Content-Encoding" not in lines and "gzip" in headers.get("accept-encoding", ""):
        content, lines["Content-Encoding"] = gzip.compress(content, 4, mtime=0), "gzip"
    lines |= {"Content-Length": str(len(content)), "Vary": "Accept-Encoding"}
    await send({"type": "http.response.start", "status": response.status, "headers": _raw(tuple(lines.items()))})
    await send({"type": "http.response.body", "body": content if body else b""})


async def stream(events: AsyncGenerator[bytes], receive: Receive, send: Send) -> None:
    """Sends events until the browser goes away or the task is cancelled, which ends the answer in good order."""
    await send({"type": "http.response.start", "status": 200, "headers": _raw(_STREAM)})
    gone, pump = asyncio.create_task(_gone(receive)), asyncio.create_task(_pump(events, send))
    try:
        await asyncio.wait({gone, pump}, return_when=asyncio.FIRST_COMPLETED)
    except asyncio.CancelledError:
        pump.cancel()
    left = gone.done()
    gone.cancel()
    pump.cancel()
    await asyncio.gather(gone, pump, return_exceptions=True)
    await events.aclose()
    if not left:
        await send({"type": "http.response.body", "body": b""})


async def _pump(events: AsyncGenerator[bytes], send: Send) -> None:
    await send({"type": "http.response.body", "body": b"retry: 1000\n\n", "more_body": True})
    while True:
        following = asyncio.ensure_future(anext(events))
        try:
            while not (await asyncio.wait({following}, timeout=HEARTBEAT))[0]:
                await send({"type": "http.response.body", "body": b":\n\n", "more_body": True})
            await send({"type": "http.response.body", "body": following.result(), "more_body": True})
        finally:
            following.cancel()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _raw(lines: tuple[tuple[str, str], ...]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode()) for name, value in lines]


def cookie(value: str, seconds: int, scope: Scope) -> tuple[str, str]:
    """The session's cookie: not for scripts, not sent with other sites' posts; 0 seconds removes it."""
    secure = "; Secure" if scope.get("scheme") == "https" else ""
    return "Set-Cookie", f"{COOKIE}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"


def cookie_in(headers: Headers) -> str:
    """The session's cookie, or nothing."""
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""


def fields(body: bytes) -> dict[str, str]:
    """The fields of a form (``application/x-www-form-urlencoded``); of two with one name, the last."""
    text = body.decode("utf-8", "replace")
    return dict(parse_qsl(text, keep_blank_values=True, encoding="utf-8", errors="replace"))
