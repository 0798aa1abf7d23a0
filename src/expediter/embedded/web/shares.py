"""Fair shares: how much of a limited thing one caller may take, so that some is left for the others.

A caller is known by what the request shows (the link of an order), else by its address. Operators are not counted: they
have places that nobody else can take.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import ceil
from typing import NamedTuple

from expediter.api.errors import TooManyRequests

#: The most callers that are remembered. The one who asked longest ago is forgotten first.
REMEMBERED = 10_000


#: Seconds after which it makes sense to ask for a place again.
RETRY = 10


class Places:
    """Things that are open for a while: at most ``each`` of one caller, and ``in_all`` of all callers."""

    def __init__(self, what: str, each: int, in_all: int) -> None:
        self._what, self._each, self._in_all = what, each, in_all
        self._taken: Counter[str] = Counter()

    def check(self, caller: str) -> None:
        """Raises TooManyRequests unless there is a place for one more of this caller."""
        if self._taken[caller] >= self._each:
            raise TooManyRequests(self._what, self._each, RETRY)
        if self._taken.total() >= self._in_all:
            raise TooManyRequests(self._what, self._in_all, RETRY)

    @contextmanager
    def held(self, caller: str) -> Iterator[None]:
        """A place of this caller's is taken inside."""
        self._taken[caller] += 1
        try:
            yield
        finally:
            self._taken[caller] -= 1
            if not self._taken[caller]:
                del self._taken[caller]


class _Bucket(NamedTuple):
    """The requests that a caller has left, and the time of that (seconds)."""

    left: float
    at: float


class Rate:
    """Requests of one caller: ``burst`` at once, then ``each_second`` (a token bucket). ``clock`` tells seconds."""

    def __init__(self, what: str, burst: int, each_second: float, clock: Callable[[], float]) -> None:
        self._what, self._burst, self._each_second, self._clock = what, burst, each_second, clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def count(self, caller: str) -> None:
        """One more request of this caller. Raises TooManyRequests."""
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


#: Sign-ins of one caller that may fail before he has to wait; seconds that he waits then, doubled with each more, and
#: the most that he waits.
FREE, FIRST_WAIT, LONGEST_WAIT = 5, 1, 60


class _Failures(NamedTuple):
    times: int
    #: No sign-in is checked before this time, in seconds.
    until: float


class SignIns:
    """Slows callers down whose sign-ins fail. ``clock`` tells seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failed: OrderedDict[str, _Failures] = OrderedDict()

    def check(self, caller: str) -> None:
        """Raises TooManyRequests while this caller has to wait."""
        failures = self._failed.get(caller)
        if failures and (wait := failures.until - self._clock()) > 0:
            raise TooManyRequests("sign-in", FREE, ceil(wait))

    def failed(self, caller: str) -> None:
        """His sign-in was wrong."""
        times = self._failed[caller].times + 1 if caller in self._failed else 1
        wait = 0 if times < FREE else min(FIRST_WAIT * 2 ** (times - FREE), LONGEST_WAIT)
        self._failed[caller] = _Failures(min(times, FREE + 10), self._clock() + wait)
        self._failed.move_to_end(caller)
        if len(self._failed) > REMEMBERED:
            self._failed.popitem(last=False)

    def succeeded(self, caller: str) -> None:
        """His sign-in was right: what failed before is forgotten."""
        self._failed.pop(caller, None)


#: Live pages: of the link of one order, of one address, and of all links. The others are for operators.
OF_LINK, OF_ADDRESS, OF_LINKS = 10, 100, 900
#: Websockets that have not shown a token yet: of one address, and in all.
STRANGERS, ALL_STRANGERS = 50, 500
#: Requests of one address without a token that is right: so many at once, then so many a second.
BURST, EACH_SECOND = 100, 20.0

#: Wrong tokens that are written into the audit: so many at once, then so many a second.
NOTED, NOTED_EACH_SECOND = 60, 0.1


class Shares:
    """What callers without an operator's token share. ``clock`` tells seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.requests = Rate("requests", BURST, EACH_SECOND, clock)
        self.sign_ins = SignIns(clock)
        self.noted = Rate("noted", NOTED, NOTED_EACH_SECOND, clock)
        self.websockets = Places("websockets", STRANGERS, ALL_STRANGERS)
        self.pages_of_link = Places("live-pages", OF_LINK, OF_LINKS)
        self.pages_of_address = Places("live-pages", OF_ADDRESS, OF_LINKS)
