"""What the check of a token costs: alone, and the server's processor time of accepts with each kind of token in turns.

    python -m bench.tokens [--rounds 100] [--orders 200]      needs Linux's /proc

One server with a plain token, a key, and an issuer on loopback. Orders wait in their hold, so that nothing but accepts
and their intake is counted, in processor time of the server's own threads.

Other work on the machine makes all kinds dearer, for a while. So each round has every kind, in another sequence each
time, and its figure is the ratio to the plain token of the same round. The median of the rounds counts; a quarter of
them lie below and above what stands in brackets.
"""

import argparse
import asyncio
import json
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count, cycle, islice
from pathlib import Path
from statistics import median, quantiles
from urllib.request import Request, urlopen

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric import rsa
from rich.console import Console

from bench.path import ACCEPTED, WARM, post
from bench.rig.load import closed
from bench.rig.server import Server, serving, workplace
from expediter.embedded.settings import from_environment
from expediter.embedded.web.access.authenticator import Authenticator
from expediter.embedded.wiring import open_home

TOKEN, AUDIENCE, CONNECTIONS = "a-long-random-token-of-the-bench", "expediter", 8
#: Customers whose tokens come in turn.
CUSTOMERS = 200
#: What a known token may cost, as a part of an accept.
ALLOWED = 0.05

PLAIN, KEY, OPERATOR, CUSTOMER, FIRST = (
    "the plain token",
    "a program's key",
    "an operator's token of the issuer",
    "tokens of 200 customers",
    "a customer's token, each for the first time",
)


class Issuer:
    """Signs tokens with one key, and publishes it on a free port of loopback."""

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
        self.url = ""

    def token(self, sub: str, **claims: object) -> str:
        given = {"iss": self.url, "aud": AUDIENCE, "sub": sub, "exp": int(time.time()) + 3_600, **claims}
        return jwt.encode(given, self._key, "RS256", {"kid": "bench"})

    def answer(self, path: str) -> object:
        if path.startswith("/.well-known/"):
            return {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}
        public = jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return {"keys": [{**public, "kid": "bench", "alg": "RS256"}]}

    @contextmanager
    def answering(self) -> Iterator[None]:
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(json.dumps(issuer.answer(self.path)).encode())

            def log_message(self, *_: object) -> None:
                pass

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            self.url = f"http://127.0.0.1:{server.server_address[1]}"
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield
            server.shutdown()


def requests(server: Server, issuer: Issuer) -> dict[str, Iterator[bytes]]:
    """For each kind of token orders without end, of as many users."""
    key, operator = _key(server), issuer.token("olga", groups=["operators"])
    users = [f"customer-{number}" for number in range(CUSTOMERS)]
    return {
        PLAIN: cycle([_order(TOKEN, user) for user in users]),
        KEY: cycle([_order(key, user) for user in users]),
        OPERATOR: cycle([_order(operator, user) for user in users]),
        CUSTOMER: cycle([_order(issuer.token(user), None) for user in users]),
        FIRST: (_order(issuer.token(user, jti=str(number)), None) for number in count() for user in users),
    }


def _order(token: str, user: str | None) -> bytes:
    """An order of this user; None: of whose token it is."""
    more = {} if user is None else {"user_id": user}
    body = msgspec.json.encode({"quantity": 3, "restaurant_id": "Restaurant 4", **more})
    return post("/orders", body, f"Authorization: Bearer {token}")


def _key(server: Server) -> str:
    body = json.dumps({"name": "bench", "scopes": ["orders:write"]}).encode()
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    asked = Request(f"http://127.0.0.1:{server.port}/keys", body, headers)  # our own
    with urlopen(asked) as answer:  # noqa: S310  # our own server
        made: str = json.loads(answer.read())["secret"]
    return made


def cost(server: Server, load: list[bytes]) -> float:
    """Microseconds of the server's processor time per accept."""
    before = _cpu(server)
    closed(server.port, CONNECTIONS, load, ACCEPTED)
    return (_cpu(server) - before) / len(load) / 1000


def _cpu(server: Server) -> int:
    """Nanoseconds of all its threads: a part of a round is too short for the clock ticks of ``Server.cpu``."""
    tasks = Path(f"/proc/{server.process.pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks)


def measured(rounds: int, orders: int) -> Iterator[dict[str, float]]:
    """Each round's microseconds by kind of token. The kinds take turns in being the first."""
    issuer = Issuer()
    with issuer.answering():
        settings = {"TOKEN": TOKEN, "OIDC_ISSUER": issuer.url, "OIDC_AUDIENCE": AUDIENCE, "HOLD_SECONDS": "86400"}
        with serving(settings) as server:
            loads = requests(server, issuer)
            for load in loads.values():
                cost(server, list(islice(load, WARM)))
            kinds = deque(loads)
            for _ in range(rounds):
                yield {kind: cost(server, list(islice(loads[kind], orders))) for kind in kinds}
                kinds.rotate()


async def lookups() -> dict[str, float]:
    """Microseconds of the check alone, of a token that is known: the least of many turns."""
    issuer = Issuer()
    with issuer.answering(), workplace() as folder:
        given = {"DATA": str(folder), "TOKEN": TOKEN, "OIDC_ISSUER": issuer.url, "OIDC_AUDIENCE": AUDIENCE}
        settings = from_environment({f"EXPEDITER_{name}": value for name, value in given.items()})
        async with open_home(settings) as home:
            authenticator = Authenticator(home)
            customers = [f"Bearer {issuer.token(f'customer-{number}')}" for number in range(CUSTOMERS)]
            for one in customers:
                await authenticator.look_up(one)
            shown = {PLAIN: [f"Bearer {TOKEN}"] * CUSTOMERS, CUSTOMER: customers}
            return {kind: min(_checks(authenticator, all_) for _ in range(100)) for kind, all_ in shown.items()}


def _checks(authenticator: Authenticator, shown: list[str]) -> float:
    begun = time.thread_time_ns()
    for one in shown:
        authenticator.caller(one)
    return (time.thread_time_ns() - begun) / len(shown) / 1000


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.tokens", description=__doc__)
    parser.add_argument("--rounds", type=int, default=100, help="(100)")
    parser.add_argument("--orders", type=int, default=200, help="of each kind in a round (200)")
    given = parser.parse_args()
    screen = Console(highlight=False, soft_wrap=True)
    alone = asyncio.run(lookups())
    found = list(measured(given.rounds, given.orders))
    accept = median(one[PLAIN] for one in found)
    for kind, value in alone.items():
        screen.print(f"{f'the check alone: {kind}':45} {value:6.1f} µs   {value / accept:6.1%} of an accept")
    screen.print(f"{f'an accept with {PLAIN}':45} {accept:6.1f} µs")
    for kind in (KEY, OPERATOR, CUSTOMER, FIRST):
        low, middle, high = quantiles((one[kind] / one[PLAIN] - 1 for one in found), n=4)
        screen.print(f"{f'more with {kind}':58} {middle:+6.1%}   [{low:+.1%} … {high:+.1%}]")
    share = alone[CUSTOMER] / accept
    verdict = "met" if share <= ALLOWED else "NOT met"
    screen.print(f"The check of a known token is {share:.1%} of an accept; at most {ALLOWED:.0%}: {verdict}")


if __name__ == "__main__":
    main()
