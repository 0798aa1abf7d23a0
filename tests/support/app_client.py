"""A client of the embedded server's application without a socket: requests are handed to it as values."""

from collections.abc import AsyncIterator

import httpx

from expediter.api.request import Response
from expediter.embedded.web.app import App
from expediter.embedded.web.http1.request_cycle import Lines, Stream, head_of
from expediter.embedded.web.http1.request_head import RequestHead, parse_head


class AppTransport(httpx.AsyncBaseTransport):
    """Hands each request to the application as it would come out of HTTP/1.1."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        lines_of_all, given = await self._answer(request, body)
        if isinstance(given, Stream):
            return httpx.Response(200, headers=list(given.headers), stream=_Body(given))
        lines = [tuple(line.split(": ", 1)) for line in head_of(given, lines_of_all).splitlines()]
        content = None if request.method == "HEAD" else given.body
        return httpx.Response(given.status, headers=lines, content=content)  # type: ignore[arg-type]  # pairs

    async def _answer(self, request: httpx.Request, body: bytes) -> tuple[Lines, Response | Stream]:
        """The lines that any answer to it has, and the answer."""
        lines: Lines = ()
        try:
            head = _head(request)
            lines = self._app.lines(head.peer, head.headers)
            answer = self._app.answer(head, body)
            return lines, answer if isinstance(answer, Response) else await answer
        except Exception as error:  # noqa: BLE001  # as the connection does
            return lines, self._app.refusal(error)


class _Body(httpx.AsyncByteStream):
    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for event in self._stream.events:
            yield event

    async def aclose(self) -> None:
        await self._stream.events.aclose()


def _head(request: httpx.Request) -> RequestHead:
    lines = b"".join(b"%b: %b\r\n" % line for line in request.headers.raw)
    return parse_head(b"%b %b HTTP/1.1\r\n%b\r\n" % (request.method.encode(), request.url.raw_path, lines), "127.0.0.1")
