"""Fair shares: how much of a limited thing one caller may take, so that some is left for the others.

A caller is a user, a key, the plain token or the link of an order, as the request shows; else an address. Programs and
operators have places of their own, and a limit for each, so that one program does not take them all. The rules and
their reasons are in docs/decisions/0030.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from math import ceil, inf
from typing import NamedTuple

from expediter.api.errors import TooManyRequests
from expediter.app.ports import Caller
from expediter.domain.errors import TooBusy

#: Callers that are remembered at most. The one whose last request is oldest is forgotten first.
REMEMBERED = 10_000


#: Seconds after which a refused caller may try again.
RETRY = 10


class Places:
    """Things that are open for a while: at most ``each`` of one caller, and ``in_all`` of all callers (None: these are
    bounded elsewhere).
    """

    def __init__(self, what: str, each: int, in_all: int | None = None) -> None:
        self._what, self._each, self._in_all = what, each, in_all
        self._taken: Counter[str] = Counter()

    def check(self, caller: str) -> None:
        """Raises TooManyRequests when there is no place for one more of this caller."""
        if self._taken[caller] >= self._each:
            raise TooManyRequests(self._what, self._each, RETRY)
        if self._in_all is not None and self._taken.total() >= self._in_all:
            raise TooManyRequests(self._what, self._in_all, RETRY)

    def taken(self, caller: str) -> AbstractContextManager[None]:
        """Takes one more place for this caller. Raises TooManyRequests."""
        self.check(caller)
        return self.held(caller)

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


class Rate:
    """Requests of one caller: ``burst`` at once, then ``each_second`` (a token bucket). ``clock`` tells seconds."""

    def __init__(self, what: str, burst: int, each_second: float, clock: Callable[[], float]) -> None:
        self._what, self._burst, self._each_second, self._clock = what, burst, each_second, clock
        #: The requests that each caller had left, and when (seconds).
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, caller: str) -> float:
        """Counts a request of this caller. Returns the seconds that he has to wait before it; 0: none."""
        now = self._clock()
        had, at = self._buckets.get(caller) or (self._burst, now)
        left = min(self._burst, had + (now - at) * self._each_second)
        enough = left >= 1
        self._buckets[caller] = (left - enough, now)
        self._buckets.move_to_end(caller)
        if len(self._buckets) > REMEMBERED:
            self._buckets.popitem(last=False)
        return 0 if enough else (1 - left) / self._each_second

    def is_heavy(self, caller: str) -> bool:
        """Whether this caller has sent more than half of what he may send at once."""
        return self._buckets[caller][0] < self._burst / 2 if caller in self._buckets else False

    def count(self, caller: str) -> None:
        """As ``take``. Raises TooManyRequests when the caller has to wait."""
        if seconds := self.take(caller):
            raise self.refusal(seconds)

    def refusal(self, seconds: float) -> TooManyRequests:
        """The error for a caller who has to wait so many seconds."""
        return TooManyRequests(self._what, self._burst, ceil(seconds))


class Pace:
    """How fast one caller gets answers of a kind: ``at_once``, then ``each_second``; the others wait, for ``longest``
    seconds at most. Nothing is read on their connections meanwhile, so a caller who asks without a pause costs no more
    than this. ``clock`` tells seconds.
    """

    def __init__(self, at_once: int, each_second: float, longest: float, clock: Callable[[], float]) -> None:
        self._before, self._each, self._longest, self._clock = at_once / each_second, 1 / each_second, longest, clock
        #: When the last answer of each caller is sent, in seconds.
        self._last: OrderedDict[str, float] = OrderedDict()

    def wait(self, caller: str) -> float:
        """Counts an answer. Returns the seconds after which it is sent."""
        now = self._clock()
        last = max(self._last.get(caller, -inf), now - self._before) + self._each
        last = self._last[caller] = min(last, now + self._longest)
        self._last.move_to_end(caller)
        if len(self._last) > REMEMBERED:
            self._last.popitem(last=False)
        return max(0, last - now)


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
OF_LINK, OF_ADDRESS, OF_LINKS = 10, 100, 600
#: Live pages of one session of the console; of one operator, or of one address where no token is needed.
OF_SESSION, OF_OPERATOR = 100, 300
#: Websockets that have not shown a token yet: of one address, and in all.
STRANGERS, ALL_STRANGERS = 50, 300
#: Websockets of one user and of all users; then of one program or operator; then of one address where no token is
#: needed. Programs and operators have the rest.
SOCKETS_OF_USER, SOCKETS_OF_USERS, SOCKETS_OF_PROGRAM, SOCKETS_OF_ADDRESS = 20, 400, 200, 500
#: Subscriptions of one user, and of one program, operator or address.
FOLLOWED_BY_USER, FOLLOWED_BY_PROGRAM = 500, 4_000
#: Requests of one address without a right token: so many at once, then so many a second.
BURST, EACH_SECOND = 100, 20.0

#: Requests of one user who has signed in, and of one program or operator: so many at once, then so many a second. The
#: plain token, and an address where no token is needed, may send more while no other caller has to wait.
OF_USER, OF_USER_EACH_SECOND = 200, 50.0
OF_PROGRAM, OF_PROGRAM_EACH_SECOND = 1_000, 1_000.0
#: Parts of the places in which requests wait to be written. When the first part is taken, a program or operator who has
#: sent more than half of what he may send at once is refused while others ask. When the second part is taken, he is
#: refused in any case, and users are too. So programs and operators who send little have the rest.
CROWDED, RESERVED = 1 / 8, 3 / 4
#: Seconds after a request in which its caller counts as present.
PRESENT = 1.0

#: Answers of 429 to one address: so many at once, then so many a second, and the seconds that one waits at most.
REFUSALS, REFUSALS_EACH_SECOND, LONGEST_REFUSAL = 100, 100.0, 10.0
#: The same for probes. A load balancer needs its answer before it gives the server up, whoever else is at its address.
PROBES, PROBES_EACH_SECOND, LONGEST_PROBE = 100, 200.0, 1.0
#: Wrong tokens that the audit records, of one address and in all: so many at once, then so many a second.
NOTED_OF_ADDRESS, NOTED_OF_ADDRESS_EACH_SECOND = 10, 1 / 60
NOTED, NOTED_EACH_SECOND = 60, 0.1


#: A caller with the plain token, or any caller where no token is needed.
PLAIN = Caller()


class Shares:
    """All limits of callers.

    ``clock`` tells seconds. ``signs_in``: callers show who they are; else their addresses tell them apart.
    ``room_taken``: how much is taken of the places in which requests wait to be written, 1: all. ``contended``: whether
    requests have to wait.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        signs_in: bool = True,
        room_taken: Callable[[], float] = lambda: 0,
        contended: Callable[[], bool] = lambda: False,
    ) -> None:
        self._clock, self._signs_in, self._room_taken, self._contended = clock, signs_in, room_taken, contended
        self.requests = Rate("requests", BURST, EACH_SECOND, clock)
        self.files = Rate("files", OF_PROGRAM, OF_PROGRAM_EACH_SECOND, clock)
        self.sign_ins = SignIns(clock)
        self.refusals = Pace(REFUSALS, REFUSALS_EACH_SECOND, LONGEST_REFUSAL, clock)
        self.probes = Pace(PROBES, PROBES_EACH_SECOND, LONGEST_PROBE, clock)
        self.noted_of_address = Rate("noted", NOTED_OF_ADDRESS, NOTED_OF_ADDRESS_EACH_SECOND, clock)
        self.noted = Rate("noted", NOTED, NOTED_EACH_SECOND, clock)
        self.websockets = Places("websockets", STRANGERS, ALL_STRANGERS)
        self.pages_of_link = Places("live-pages", OF_LINK, OF_LINKS)
        self.pages_of_address = Places("live-pages", OF_ADDRESS, OF_LINKS)
        self.pages_of_session = Places("live-pages", OF_SESSION)
        self.pages_of_operator = Places("live-pages", OF_OPERATOR)
        self._of_user = Rate("requests", OF_USER, OF_USER_EACH_SECOND, clock)
        self._of_program = Rate("requests", OF_PROGRAM, OF_PROGRAM_EACH_SECOND, clock)
        self._sockets_of_user = Places("websockets", SOCKETS_OF_USER, SOCKETS_OF_USERS)
        self._sockets_of_program = Places("websockets", SOCKETS_OF_PROGRAM if signs_in else SOCKETS_OF_ADDRESS)
        self._followed_by_user = Places("subscriptions", FOLLOWED_BY_USER)
        self._followed_by_program = Places("subscriptions", FOLLOWED_BY_PROGRAM)
        #: The last caller, and when the caller changed last.
        self._last = ""
        self._changed = -inf

    def who(self, caller: Caller, address: str) -> str:
        """What tells this caller, who may be here, from others."""
        return caller.id if self._signs_in else address

    def count(self, caller: Caller, address: str) -> None:
        """Counts a request of a known caller. Raises TooManyRequests, TooBusy."""
        who = self.who(caller, address)
        if who != self._last:
            self._changed, self._last = self._clock() if self._last else -inf, who
        if not caller.operator:
            self._of_user.count(who)
            if self._room_taken() >= RESERVED:
                raise TooBusy
        else:
            self._count_program(who, borrows=caller == PLAIN)

    def count_reporter(self, address: str) -> None:
        """Counts a request that shows a task token or a signature instead. Anybody can send one with a wrong token, so
        an address gives way to known callers, and does not have what they leave. Raises TooManyRequests.
        """
        who = f"reports of {address}"
        self._of_program.count(who)
        if self._room_taken() >= CROWDED and self._of_program.is_heavy(who):
            raise self._of_program.refusal(1)

    def _count_program(self, who: str, *, borrows: bool) -> None:
        """``borrows``: this caller may send more than his rate while no other has to wait. Raises TooManyRequests."""
        seconds = self._of_program.take(who)
        if seconds and (not borrows or self._others_wait()):
            raise self._of_program.refusal(seconds)
        taken = self._room_taken()
        if taken >= CROWDED and (taken >= RESERVED or self._others_ask()) and self._of_program.is_heavy(who):
            raise self._of_program.refusal(max(seconds, 1))

    def socket(self, caller: Caller, address: str) -> AbstractContextManager[None]:
        """A place for a websocket of a known caller. Raises TooManyRequests."""
        places = self._sockets_of_program if caller.operator else self._sockets_of_user
        return places.taken(self.who(caller, address))

    def subscription(self, caller: Caller, address: str) -> AbstractContextManager[None]:
        """A subscription's place. Raises TooManyRequests."""
        places = self._followed_by_program if caller.operator else self._followed_by_user
        return places.taken(self.who(caller, address))

    def _others_wait(self) -> bool:
        """Whether another caller is present, and requests have to wait."""
        return self._others_ask() and self._contended()

    def _others_ask(self) -> bool:
        """Whether another known caller is present."""
        return self._clock() - self._changed < PRESENT
