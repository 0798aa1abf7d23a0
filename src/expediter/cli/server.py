"""The serving process: one event loop, one home, one listening socket.

The socket is bound before the home is opened, so clients that connect during the recovery wait instead of being
refused. It is closed before the home stops, so no request is accepted that cannot be answered.
"""

import asyncio
import atexit
import contextlib
import gc
import logging
import math
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import NoReturn

import typer
import uvicorn
import uvloop

from expediter.asl import DefinitionInvalid
from expediter.cli.terms import stop
from expediter.embedded import logs
from expediter.embedded.running import Running, announced
from expediter.embedded.setting_values import LOOPBACK
from expediter.embedded.settings import ServerSettings, SettingRefused, from_environment
from expediter.embedded.sqlite.database import DataRefused
from expediter.embedded.web import descriptors
from expediter.embedded.web.app import App, create_app
from expediter.embedded.web.connections import Connections
from expediter.embedded.web.serving import configuration
from expediter.embedded.wiring import open_home

#: Seconds that requests under way get to end when the server stops.
GRACE = 3
#: Connections that may wait to be accepted.
BACKLOG = 2048
#: Connections that are accepted in one turn of the loop: libuv accepts one of each descriptor of the listening socket.
#: Were it only one, a caller who opens hundreds and uses them all would keep everybody else from being accepted for
#: seconds. Where descriptors are few, one for so many connections.
ACCEPTED, FOR_EACH = 32, 32
#: Seconds between uvicorn's ticks.
TICK = 0.1
#: Seconds for which the loop's thread may keep the interpreter's lock. The other threads need it only to report that
#: COMMIT is done. With Python's default they waited up to 5 ms for it.
SWITCH = 0.0001
#: Loops of the home that must not end. Without them orders would be accepted and never processed.
VITAL = frozenset({"writer", "dispatcher", "outbox"})

_GREETING = """\
Expediter serves {url} and keeps its data in {data}.
{simulated}  Console {url}/console · GraphQL {url}/graphql · Calls {url}/openapi.json
A first order:
  curl -i -X POST {url}/orders{token} -H 'Content-Type: application/json' -d \
'{{"user_id":"Burger_20","quantity":"3","restaurant_id":"Restaurant 4"}}'
Ctrl-C stops it; no order is lost."""
_log = logging.getLogger("expediter.server")
_SIMULATED = "SIMULATED: {what} (EXPEDITER_ENV=production refuses that)"
_ALLOWED = ' -H "Authorization: Bearer $EXPEDITER_TOKEN"'


def run(environment: Mapping[str, str]) -> None:
    """Serves until SIGTERM or SIGINT. Exits with 2 and one message when it cannot begin."""
    logs.set_up(sys.stderr)
    try:
        settings = from_environment(environment)
        with listening(settings) as listener, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(settings, listener))
    except (DataRefused, SettingRefused) as error:
        stop(str(error))
    except DefinitionInvalid as error:
        _refuse_definition(error)
    except asyncio.CancelledError:
        return  # asked to stop before it began to serve


@contextlib.contextmanager
def listening(settings: ServerSettings) -> Iterator[socket.socket]:
    """The bound socket, on which connections wait. Raises SettingRefused when the address cannot be used."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        listener = socket.create_server((settings.host, settings.port), family=family, backlog=BACKLOG)
        _notice_who_is_gone(listener)
    except OSError as error:
        raise SettingRefused(
            f"EXPEDITER_HOST={settings.host} EXPEDITER_PORT={settings.port} cannot be listened on: "
            f"{os.strerror(error.errno or 0)}. "
            "Choose another port (--port; 0: any free one), or stop what uses it."
        ) from error
    with listener:
        yield listener


def _notice_who_is_gone(listener: socket.socket) -> None:
    """Sets keep-alive, which connections inherit. A connection to a machine that has gone away ends in a minute or
    two.
    """
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4), ("TCP_USER_TIMEOUT", 60_000)):
        if option := getattr(socket, name, None):  # macOS does not have all of them
            listener.setsockopt(socket.IPPROTO_TCP, option, value)


async def _serve(settings: ServerSettings, listener: socket.socket) -> None:
    """Opens the home and serves it until a signal; a signal during the recovery ends that."""
    stopping = _Signals()
    async with open_home(settings) as home:
        logs.set_up(logs.Unblocked(sys.stderr))  # from here on a reader of the log that stops cannot stop the loop
        atexit.register(logs.wait_until_written)
        loops = [task for task in asyncio.all_tasks() if task.get_name() in VITAL]
        app = create_app(home)
        _collect_less()
        sys.setswitchinterval(SWITCH)
        room = descriptors.raised()
        connections = Connections(room)
        config = configuration(app, connections, GRACE)
        server = _Server(config, lambda: print(greeting(settings, listener), flush=True), app, connections, loops)
        stopping.end_with(server)
        _log.info("the server starts")
        doors = [listener, *(listener.dup() for _ in range(min(ACCEPTED, room // FOR_EACH) - 1))]
        with announced(Running(os.getpid(), _address(settings, listener), str(settings.data.resolve())), os.environ):
            await server.serve(doors)
    _log.info("the server has stopped")


def _collect_less() -> None:
    """Lets the garbage collector run rarely. What is loaded now lives as long as the process, and an order makes no
    cycles. To look at them after every 700 new values took 7 % of the time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


class _Server(uvicorn.Server):
    """uvicorn's server without its signal handlers: ours also cover the home's start and stop, and end with exit 0.

    Ten times a second it tells the application how late the loop is, and once a second it looks after connections and
    the ``loops`` that have to go on for ever.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        started: Callable[[], None],
        app: App,
        connections: Connections,
        loops: list[asyncio.Task[None]],
    ) -> None:
        super().__init__(config)
        self._greet = started
        self._app = app
        self._connections = connections
        self._loops = loops
        self._expected = math.inf

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._greet()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._app.end_streams()
        await super().shutdown(sockets)

    async def on_tick(self, counter: int) -> bool:
        now = asyncio.get_running_loop().time()
        self._app.late = now - self._expected
        self._app.waiting = len(self._connections.turns)
        self._expected = now + TICK
        if counter % 10 == 0:
            self._connections.sweep()
            self._end_with_a_loop()
        return await super().on_tick(counter)

    def _end_with_a_loop(self) -> None:
        """Ends the server when one of its loops has ended: a server that answers and does nothing is worse than none.
        The service manager starts it again, and the start goes on with what was under way, as after a power loss.
        """
        for loop in self._loops:
            if loop.done():
                _log.critical("a background loop ended unexpectedly: the process ends too", exc_info=loop.exception())
                logs.wait_until_written()
                os._exit(1)


class _Signals:
    """Handles SIGTERM and SIGINT. During the start they cancel it; later they stop the server. A second one stops it
    faster.
    """

    def __init__(self) -> None:
        self._server: _Server | None = None
        self._main = asyncio.current_task()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._received)

    def end_with(self, server: _Server) -> None:
        self._server = server

    def _received(self) -> None:
        if self._server is not None:
            self._server.force_exit = self._server.should_exit
            self._server.should_exit = True
        elif self._main is not None:
            self._main.cancel()


def _address(settings: ServerSettings, listener: socket.socket) -> str:
    """Where a command on this machine reaches the server."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104  # compared, not bound
    return f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"


def greeting(settings: ServerSettings, listener: socket.socket) -> str:
    """The addresses of the server, and a command that places a first order."""
    host = settings.host if settings.host in LOOPBACK else socket.gethostname()
    name = f"[{host}]" if ":" in host else host
    url = f"http://{'localhost' if host in LOOPBACK else name}:{listener.getsockname()[1]}"
    simulated = ""
    if settings.simulated:
        line = _SIMULATED.format(what=", ".join(settings.simulated))
        simulated = f"  {typer.style(line, fg='red') if sys.stdout.isatty() else line}\n"
    return _GREETING.format(
        url=url, data=settings.data.resolve(), token=_ALLOWED if settings.token else "", simulated=simulated
    )


def _refuse_definition(error: DefinitionInvalid) -> NoReturn:
    for fault in error.faults:
        print(f"  {fault.severity}: {fault}", file=sys.stderr)
    stop("EXPEDITER_WORKFLOW cannot run. Correct what is listed above; check it with: expediter workflow validate FILE")
