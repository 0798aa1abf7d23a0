"""Writes times as ISO 8601 in UTC with milliseconds."""

from datetime import UTC, datetime

#: Seconds after which the calendar repeats: 400 years.
_CYCLE = 12_622_780_800
#: The beginning of the year 10000, in milliseconds.
_LAST = 253_402_300_800_000


def instant(at: int) -> str:
    """Milliseconds since 1970 UTC as ``2026-08-01T12:00:00.000Z``.

    A year without four digits is written in ISO 8601's expanded form (``+012026-…``), so any number can be shown.
    """
    seconds, milliseconds = divmod(at, 1000)
    if 0 <= at < _LAST:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{milliseconds:03}Z"
    cycles, seconds = divmod(seconds, _CYCLE)
    moment = datetime.fromtimestamp(seconds, UTC)
    year = moment.year + 400 * cycles
    digits = f"{year:04}" if 0 <= year <= 9999 else f"{year:+07}"
    return f"{digits}{moment:-%m-%dT%H:%M:%S}.{milliseconds:03}Z"
