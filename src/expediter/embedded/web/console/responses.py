"""The console's HTTP: pages, streams, cookies and forms."""

import asyncio
import gzip
from collections.abc import AsyncGenerator
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl

from expediter.api.request import Headers, Response
from expediter.embedded.web.console.session import COOKIE
from expediter.embedded.web.http1.request_cycle import Stream

#: On every page: it loads nothing from other servers, runs only our script file, and stands in no frame.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
#: Referrer-Policy: with no-referrer a form's Origin would be null, and we would refuse it.
_ALWAYS = (
    ("Content-Security-Policy", _POLICY),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
)
_FRESH = ("Cache-Control", "no-store")
#: X-Accel-Buffering: tells a proxy in front to pass on every event at once.
_STREAM = (("Content-Type", "text/event-stream"), _FRESH, ("X-Accel-Buffering", "no"), *_ALWAYS)
#: Bytes from which a body is compressed.
_PACKED = 1_000
#: The cookie of a browser during a sign-in at the issuer.
SIGN_IN = "expediter_sign_in"
#: Seconds without an event after which a comment is sent, to keep the connection open.
HEARTBEAT = 15.0


def page(headers: Headers, response: Response) -> Response:
    """The page with the headers that all pages have, compressed if the browser accepts that."""
    lines, content = dict((_FRESH, *response.headers, *_ALWAYS)), response.body
    if len(content) > _PACKED and "Content-Encoding" not in lines and "gzip" in headers.get("accept-encoding", ""):
        content, lines["Content-Encoding"] = gzip.compress(content, 4, mtime=0), "gzip"
    lines["Vary"] = "Accept-Encoding"
    return Response(response.status, tuple(lines.items()), content)


def live_stream(events: AsyncGenerator[bytes]) -> Stream:
    return Stream(_STREAM, events)


async def lively(events: AsyncGenerator[bytes], stopping: asyncio.Event) -> AsyncGenerator[bytes]:
    """The events, with comments between them, until the server stops."""
    yield b"retry: 1000\n\n"
    stop = asyncio.ensure_future(stopping.wait())
    following = asyncio.ensure_future(anext(events))
    try:
        while not stop.done():
            await asyncio.wait({stop, following}, timeout=HEARTBEAT, return_when=asyncio.FIRST_COMPLETED)
            if following.done():
                yield following.result()
                following = asyncio.ensure_future(anext(events))
            elif not stop.done():
                yield b":\n\n"
    finally:
        stop.cancel()
        following.cancel()
        await asyncio.gather(stop, following, return_exceptions=True)
        await events.aclose()


def cookie(value: str, seconds: int, *, secure: bool, name: str = COOKIE) -> tuple[str, str]:
    """A cookie, by default the session's. Scripts cannot read it, and posts of other sites do not carry it. 0 seconds
    removes it.

    ``secure``: it is sent over TLS only.
    """
    only = "; Secure" if secure else ""
    return "Set-Cookie", f"{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{only}"


def cookie_in(headers: Headers, name: str = COOKIE) -> str:
    """The value of a cookie, by default the session's; empty where there is none."""
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return ""
    return found.value if found else ""


def fields(body: bytes) -> dict[str, str]:
    """The fields of a form (``application/x-www-form-urlencoded``); of two with one name, the last."""
    text = body.decode("utf-8", "replace")
    return dict(parse_qsl(text, keep_blank_values=True, encoding="utf-8", errors="replace"))
