"""Fair shares: how much of a limited thing one caller may take, so that some is left for the others.

A caller is a user, a key or the link of an order, as the request shows; else an address. Programs and operators have
places of their own, and a limit for each, so that one program does not take them all.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from math import ceil
from typing import NamedTuple

from expediter.api.errors import TooManyRequests
from expediter.app.ports import Caller

#: Callers that are remembered at most. The one whose last request is oldest is forgotten first.
REMEMBERED = 10_000


#: Seconds after which a refused caller may try again.
RETRY = 10


class Places:
    """Things that are open for a while: at most ``each`` of one caller, and ``in_all`` of all callers."""

    def __init__(self, what: str, each: int, in_all: int) -> None:
        self._what, self._each, self._in_all = what, each, in_all
        self._taken: Counter[str] = Counter()

    def check(self, caller: str) -> None:
        """Raises TooManyRequests when there is no place for one more of this caller."""
        if self._taken[caller] >= self._each:
            raise TooManyRequests(self._what, self._each, RETRY)
        if self._taken.total() >= self._in_all:
            raise TooManyRequests(self._what, self._in_all, RETRY)

    @contextmanager
    def held(self, caller: str) -> Iterator[None]:
        """Inside the ``with`` block the caller has one place."""
        self._taken[caller] += 1
        try:
            yield
        finally:
            self._taken[caller] -= 1
            if not self._taken[caller]:
                del self._taken[caller]


class _Bucket(NamedTuple):
    """How many requests a caller had left at a time (seconds)."""

    left: float
    at: float


class Rate:
    """Requests of one caller: ``burst`` at once, then ``each_second`` (a token bucket). ``clock`` tells seconds."""

    def __init__(self, what: str, burst: int, each_second: float, clock: Callable[[], float]) -> None:
        self._what, self._burst, self._each_second, self._clock = what, burst, each_second, clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def count(self, caller: str) -> None:
        """Counts a request of this caller. Raises TooManyRequests."""
        now = self._clock()
        before = self._buckets.get(caller) or _Bucket(self._burst, now)
        left = min(self._burst, before.left + (now - before.at) * self._each_second)
        enough = left >= 1
        self._buckets[caller] = _Bucket(left - enough, now)
        self._buckets.move_to_end(caller)
        if len(self._buckets) > REMEMBERED:
            self._buckets.popitem(last=False)
        if not enough:
            raise TooManyRequests(self._what, self._burst, ceil((1 - left) / self._each_second))


#: After so many failed sign-ins a caller has to wait for so many seconds. Each further one doubles the wait, up to the
#: last number.
FREE, FIRST_WAIT, LONGEST_WAIT = 5, 1, 60


class _Failures(NamedTuple):
    times: int
    #: No sign-in is checked before this time, in seconds.
    until: float


class SignIns:
    """Slows down callers whose sign-ins fail. ``clock`` tells seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failed: OrderedDict[str, _Failures] = OrderedDict()

    def check(self, caller: str) -> None:
        """Raises TooManyRequests while this caller has to wait."""
        failures = self._failed.get(caller)
        if failures and (wait := failures.until - self._clock()) > 0:
            raise TooManyRequests("sign-in", FREE, ceil(wait))

    def failed(self, caller: str) -> None:
        """Counts a failed sign-in."""
        times = self._failed[caller].times + 1 if caller in self._failed else 1
        wait = 0 if times < FREE else min(FIRST_WAIT * 2 ** (times - FREE), LONGEST_WAIT)
        self._failed[caller] = _Failures(min(times, FREE + 10), self._clock() + wait)
        self._failed.move_to_end(caller)
        if len(self._failed) > REMEMBERED:
            self._failed.popitem(last=False)

    def succeeded(self, caller: str) -> None:
        """After a right sign-in the failed ones before are forgotten."""
        self._failed.pop(caller, None)


#: Live pages: of the link of one order, of one address, and of all links. The others are for operators.
OF_LINK, OF_ADDRESS, OF_LINKS = 10, 100, 900
#: Websockets that have not shown a token yet: of one address, and in all.
STRANGERS, ALL_STRANGERS = 50, 500
#: Requests of one address without a right token: so many at once, then so many a second.
BURST, EACH_SECOND = 100, 20.0

#: Requests of one user who has signed in, and of one program or operator: so many at once, then so many a second. The
#: second is half of what a server can write, so one program cannot keep the others out. Requests with the plain token
#: have no limit of their own: it is the token of a shop's backend, which sends all orders.
OF_USER, OF_USER_EACH_SECOND = 200, 50.0
OF_PROGRAM, OF_PROGRAM_EACH_SECOND = 2_000, 1_000.0
#: Websockets of one user and of all users; then of one program or operator. Programs and operators have the rest.
SOCKETS_OF_USER, SOCKETS_OF_USERS, SOCKETS_OF_PROGRAM = 20, 900, 500
#: Live pages of one session of the console.
OF_SESSION = 100

#: Wrong tokens that the audit records, of one address and in all: so many at once, then so many a second.
NOTED_OF_ADDRESS, NOTED_OF_ADDRESS_EACH_SECOND = 10, 1 / 60
NOTED, NOTED_EACH_SECOND = 60, 0.1


class Shares:
    """All limits of callers. ``clock`` tells seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.requests = Rate("requests", BURST, EACH_SECOND, clock)
        self.sign_ins = SignIns(clock)
        self.noted_of_address = Rate("noted", NOTED_OF_ADDRESS, NOTED_OF_ADDRESS_EACH_SECOND, clock)
        self.noted = Rate("noted", NOTED, NOTED_EACH_SECOND, clock)
        self.websockets = Places("websockets", STRANGERS, ALL_STRANGERS)
        self.pages_of_link = Places("live-pages", OF_LINK, OF_LINKS)
        self.pages_of_address = Places("live-pages", OF_ADDRESS, OF_LINKS)
        self.pages_of_session = Places("live-pages", OF_SESSION, 10 * OF_SESSION)
        self._of_user = Rate("requests", OF_USER, OF_USER_EACH_SECOND, clock)
        self._of_program = Rate("requests", OF_PROGRAM, OF_PROGRAM_EACH_SECOND, clock)
        self._sockets_of_user = Places("websockets", SOCKETS_OF_USER, SOCKETS_OF_USERS)
        self._sockets_of_program = Places("websockets", SOCKETS_OF_PROGRAM, 2 * SOCKETS_OF_PROGRAM)

    def count(self, caller: Caller, address: str) -> None:
        """Counts a request of a known caller. Raises TooManyRequests."""
        if caller != Caller():
            (self._of_program if caller.operator else self._of_user).count(_known(caller, address))

    def socket(self, caller: Caller, address: str) -> AbstractContextManager[None]:
        """A place for a websocket of a known caller. Raises TooManyRequests."""
        places = self._sockets_of_program if caller.operator else self._sockets_of_user
        places.check(_known(caller, address))
        return places.held(_known(caller, address))


def _known(caller: Caller, address: str) -> str:
    """Several programs may have the plain token, so their addresses tell them apart."""
    return address if caller == Caller() else caller.id
