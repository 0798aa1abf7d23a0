"""What one process counts and times as it goes: plain numbers, touched by the event loop's thread alone.

An observation costs 0.15 µs where a histogram of prometheus-client, which takes a lock, costs 0.75 µs, and 1.7 µs when
it has labels (docs/decisions/0017-figures-are-counted-in-plain-numbers.md). ``operator.prometheus`` shows them.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from itertools import accumulate

#: Seconds: from a statement to a bad disk, from an accept to a slow bank, from an order without a hold to one of days.
SHORT = (0.00002, 0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.25, 1.0)
MEDIUM = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
LONG = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 30.0, 45.0, 60.0, 120.0, 300.0, 900.0, 3600.0, 21600.0, 86400.0)
#: Units in one commit.
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 1024)


class Histogram:
    """Counts values by the bounds that they do not exceed."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        #: How many values fell up to each bound and above the one before it; the last: above all bounds.
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def cumulated(self) -> list[int]:
        """How many values do not exceed each bound; the last: all."""
        return list(accumulate(self.counts))


class Metrics:
    """Times in seconds. ``units`` by the name of the writer's unit, ``calls`` by kind of call and outcome."""

    def __init__(self) -> None:
        self.accepted = 0
        self.ended = Counter[str]()
        self.shed = 0
        self.sign_ins_failed = 0
        self.accepts = Histogram(MEDIUM)
        self.orders = Histogram(LONG)
        self.units: defaultdict[str, Histogram] = defaultdict(lambda: Histogram(SHORT))
        self.calls: defaultdict[tuple[str, str], Histogram] = defaultdict(lambda: Histogram(MEDIUM))
        self.writes = Histogram(MEDIUM)
        self.commits = Histogram(MEDIUM)
        self.batches = Histogram(SIZES)
        self.commits_lost = 0
