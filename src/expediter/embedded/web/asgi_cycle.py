"""A request that an ASGI application answers, piece by piece where it wants that.

The answer's head goes out with the first bytes of its body, so that a short answer is one write.

https://asgi.readthedocs.io/en/latest/specs/www.html
"""

import asyncio

from expediter.embedded.web.asgi import Application, Asked, Lines, Message, Scope
from expediter.embedded.web.request_cycle import STATUS_LINES, Line, Turn

_ASGI = {"version": "3.0", "spec_version": "2.3"}
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_WITHOUT_BODY = frozenset({204, 304})
_CLOSE = (b"connection", b"close")
_CHUNKED = (b"transfer-encoding", b"chunked")


class AsgiTurn(Turn):
    """``version``: of HTTP, which the client speaks."""

    __slots__ = ("_app", "_chunked", "_expects", "_head", "_heard", "_scope", "_told", "_whole", "body")

    def __init__(self, line: Line, app: Application, asked: Asked, version: str, *, keep_alive: bool) -> None:
        super().__init__(line, keep_alive=keep_alive)
        self._scope: Scope = {
            "type": "http",
            "asgi": _ASGI,
            "http_version": version,
            "method": asked.method,
            "scheme": "http",
            "path": asked.path,
            "raw_path": asked.raw_path,
            "query_string": asked.query,
            "root_path": "",
            "headers": asked.lines,
        }
        #: What came of the body and was not taken yet.
        self.body = bytearray()
        self._app = app
        #: Whether that is the rest of it, and whether the application knows.
        self._whole = self._told = False
        #: Whether the client waits for a word before it sends the body.
        self._expects = (b"expect", b"100-continue") in [(name, value.lower()) for name, value in asked.lines]
        self._chunked = False
        self._head = b""
        self._heard = asyncio.Event()

    def run(self) -> None:
        self.wait_for(asyncio.create_task(self._call()))

    async def _call(self) -> None:
        await self._app(self._scope, self.receive, self.send)

    def take(self, task: asyncio.Future[None]) -> None:
        task.result()
        self.break_off()  # unless the answer is whole

    def hear(self, data: bytes, *, whole: bool) -> None:
        """More of the body, and whether that is all of it."""
        self.body += data
        self._whole = whole
        self._heard.set()

    def leave(self) -> None:
        super().leave()
        self._heard.set()

    async def receive(self) -> Message:
        """The body that came since, or that the client is gone (or answered)."""
        if self._expects and not self.body:
            self.line.write(_CONTINUE)
        self._expects = False
        while not (self.body or (self._whole and not self._told) or self.over or self.gone):
            self.line.read_on()
            self._heard.clear()
            await self._heard.wait()
        if self.over or self.gone:
            return {"type": "http.disconnect"}
        body, self.body, self._told = bytes(self.body), bytearray(), self._whole
        return {"type": "http.request", "body": body, "more_body": not self._whole}

    async def send(self, message: Message) -> None:
        """The start of the answer, or some of its body. Nothing is sent to who is gone."""
        if self.line.full:
            await self.line.drained()
        if self.gone:
            return
        if self.over:
            raise RuntimeError("the answer was whole already")
        if message["type"] == "http.response.start":
            self._start(message["status"], message["headers"])
            return
        body, more = message.get("body", b""), message.get("more_body", False)
        if data := self._head + self._framed(body, more):
            self.line.write(data)
        self.begun, self._head = True, b""
        if not more:
            self.end()

    def _start(self, status: int, headers: Lines) -> None:
        lines, names = list(headers), dict(headers)
        if names.get(b"connection") == b"close":
            self.keep_alive = False
        elif not self.keep_alive:
            lines.append(_CLOSE)
        if b"content-length" not in names and status not in _WITHOUT_BODY:
            # A client of HTTP/1.0 knows no chunks: the end of the connection is the end of the body.
            self._chunked = self._scope["http_version"] != "1.0" and self._scope["method"] != "HEAD"
            lines += [_CHUNKED] * self._chunked
        head = b"".join([b"%b: %b\r\n" % line for line in lines])
        if not head.count(b"\n") == head.count(b"\r") == len(lines):
            raise ValueError("a header holds a line break")  # what comes after it would be another header
        self._head = STATUS_LINES[status] + self.line.always() + head + b"\r\n"

    def _framed(self, body: bytes, more: bool) -> bytes:
        if self._chunked:
            chunk = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            return chunk if more else chunk + b"0\r\n\r\n"
        return b"" if self._scope["method"] == "HEAD" else body
