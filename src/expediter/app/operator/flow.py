"""The flow of orders: what happened in each minute, and the rates and quantiles of an hour or a day.

Durations are counted in buckets, eight to each doubling, so a quantile is off by less than 10 %.
"""

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from math import log2
from typing import NamedTuple

import msgspec

from expediter.domain.order import SUCCESS, Order

MINUTE = 60_000
DAY = 24 * 60 * MINUTE

#: Reasons of failure that one minute tells apart; the rest are counted together.
REASONS = 20
OTHER = "other reasons"


class Minute(msgspec.Struct, omit_defaults=True):
    """One minute from ``at`` on (ms since 1970 UTC). It is mutable, because counts are added while it lasts.

    ``accept`` counts answered accepts by bucket of microseconds, ``finish`` ended orders by bucket of milliseconds from
    accept to end (the hold included); ``queue`` and ``running`` are the highest depth of the queue and the highest
    number of workflows under way that were seen.
    """

    at: int
    accepted: int = 0
    ended: dict[str, int] = {}
    reasons: dict[str, int] = {}
    accept: dict[int, int] = {}
    finish: dict[int, int] = {}
    queue: int = 0
    running: int = 0


def count_reason(minute: Minute, reason: str) -> None:
    if reason not in minute.reasons and len(minute.reasons) >= REASONS:
        reason = OTHER
    minute.reasons[reason] = minute.reasons.get(reason, 0) + 1


def bucket(duration: int) -> int:
    """The bucket of a duration, 0 or more."""
    return int(log2(duration + 1) * 8) if duration > 0 else 0


class FlowCounts:
    """What happened in each minute of the last day, counted in memory. Times are milliseconds since 1970 UTC."""

    def __init__(self) -> None:
        self._minutes: deque[Minute] = deque(maxlen=DAY // MINUTE)
        #: The current minute, and when the next one begins.
        self._minute, self._minute_ends = Minute(0), 0

    def accepted(self, now: int) -> None:
        """An order was accepted."""
        self.minute(now).accepted += 1

    def answered(self, now: int, seconds: float) -> None:
        """The accept of an order was answered after so many seconds."""
        accept, took = self.minute(now).accept, bucket(int(seconds * 1_000_000))
        accept[took] = accept.get(took, 0) + 1

    def ended(self, order: Order) -> None:
        """The order has ended with its last change."""
        minute, took = self.minute(order.updated_at), bucket(order.updated_at - order.created_at)
        minute.ended[order.status] = minute.ended.get(order.status, 0) + 1
        minute.finish[took] = minute.finish.get(took, 0) + 1
        if order.status is not SUCCESS:
            count_reason(minute, order.error_message or "no reason given")

    def minute(self, now: int) -> Minute:
        """The current minute: that of ``now``, or the latest one before."""
        if now >= self._minute_ends:
            at = now - now % MINUTE
            if not self._minutes or self._minutes[-1].at < at:
                self._minutes.append(Minute(at))
            self._minute, self._minute_ends = self._minutes[-1], self._minutes[-1].at + MINUTE
        return self._minute

    def minutes(self, since: int) -> tuple[Minute, ...]:
        """The minutes from ``since`` (ms since 1970 UTC) on in which something happened, oldest first."""
        return tuple(minute for minute in self._minutes if minute.at >= since - since % MINUTE)

    def load(self, minutes: Iterable[Minute]) -> None:
        """Loads the minutes that were stored before."""
        self._minutes.extend(minutes)
        self._minute_ends = 0


def quantile(buckets: Mapping[int, int], share: float) -> float | None:
    """The duration below which ``share`` (0 to 1) of the counted ones are; None when nothing was counted."""
    left = share * sum(buckets.values())
    for number, counted in sorted(buckets.items()):
        left -= counted
        if left <= 0:
            return float(2.0 ** ((number + 1) / 8) - 1)
    return None


class Point(NamedTuple):
    """One step of a series: rates per second, latencies in milliseconds (None: nothing happened), highest depths."""

    at: int
    accepted: float
    succeeded: float
    unsuccessful: float
    accept_p50: float | None
    accept_p99: float | None
    finish_p50: float | None
    finish_p99: float | None
    queue: int
    running: int


def series(minutes: Iterable[Minute], start: int, end: int, step: int) -> list[Point]:
    """The steps of ``step`` milliseconds (whole minutes) from ``start`` to ``end``, quiet ones included."""
    groups: dict[int, list[Minute]] = {}
    for minute in minutes:
        groups.setdefault((minute.at - start) // step, []).append(minute)
    steps = max(1, -(-(end - start) // step))
    return [_point(groups.get(number, []), start + number * step, step) for number in range(steps)]


def reasons(minutes: Iterable[Minute]) -> list[tuple[str, int]]:
    """Why orders failed, the most frequent reason first."""
    total: Counter[str] = Counter()
    for minute in minutes:
        total.update(minute.reasons)
    return sorted(total.items(), key=lambda pair: (-pair[1], pair[0]))


def _point(group: list[Minute], at: int, step: int) -> Point:
    seconds = step / 1000
    ended: Counter[str] = Counter()
    accept: Counter[int] = Counter()
    finish: Counter[int] = Counter()
    for minute in group:
        ended.update(minute.ended)
        accept.update(minute.accept)
        finish.update(minute.finish)
    p50, p99 = quantile(accept, 0.5), quantile(accept, 0.99)
    return Point(
        at=at,
        accepted=sum(minute.accepted for minute in group) / seconds,
        succeeded=ended["SUCCESS"] / seconds,
        unsuccessful=(ended["FAILED"] + ended["CANCELLED"]) / seconds,
        accept_p50=p50 / 1000 if p50 is not None else None,
        accept_p99=p99 / 1000 if p99 is not None else None,
        finish_p50=quantile(finish, 0.5),
        finish_p99=quantile(finish, 0.99),
        queue=max((minute.queue for minute in group), default=0),
        running=max((minute.running for minute in group), default=0),
    )
