"""What the figures of ``bench.scale`` are called, and what is required of them."""

from bench.reporting.figures import Figure, Required, ratio, row

HOLD_ROWS = (
    Figure("hold_accepts", "orders accepted over 64 connections, all into the hold", "accepts/s"),
    Figure("hold_memory", "server's memory with all of them in the hold", "MB"),
    Figure("idle_cpu", "server's processor time for a minute then, one page open", "% of a core"),
    Figure("hold_peak", "server's memory at most, up to the last end", "MB"),
    Figure("late_p50", "ended after the hold, counted from the accept, median", "s"),
    Figure("late_p99", "ended after the hold, counted from the accept, 99th", "s"),
    Figure("late_most", "ended after the hold, counted from the accept, the last", "s"),
    Figure("halted_memory", "all holds at once: server's memory with all of them in the hold", "MB"),
    Figure("halted_drain", "all holds at once: orders ended", "orders/s"),
    Figure("halted_peak", "all holds at once: server's memory at most, up to the last end", "MB"),
)

STORED_ROWS = (
    Figure("start.*", "server starts in, with stored orders:", "s"),
    Figure("store.*", "accept to end over 64 connections, with stored orders:", "orders/s"),
    Figure("store_cpu.*", "server's processor time per order, with stored orders:", "µs"),
    Figure("store_bytes.*", "file grows per order, with stored orders:", "bytes"),
)

HOLD_REQUIRED = (
    Required("server's memory at most, holds ending as they came", "MB", row("hold_peak"), most=250),
    Required("server's memory at most, all holds ending at once", "MB", row("halted_peak"), most=250),
    Required("server's processor time while all wait, one page open", "%", row("idle_cpu"), most=1),
)

STORED_REQUIRED = (
    Required(
        "cost per order, many stored of few, keys UUIDv4",
        "times",
        ratio("store_cpu.v4.many", "store_cpu.v4.few"),
        most=1.3,
    ),
    Required(
        "cost per order, many stored of few, own ids UUIDv7",
        "times",
        ratio("store_cpu.v7.many", "store_cpu.v7.few"),
        most=1.3,
    ),
    Required(
        "bytes per order, many stored of few, keys UUIDv4",
        "times",
        ratio("store_bytes.v4.many", "store_bytes.v4.few"),
        most=1.3,
    ),
    Required(
        "bytes per order, many stored of few, own ids UUIDv7",
        "times",
        ratio("store_bytes.v7.many", "store_bytes.v7.few"),
        most=1.3,
    ),
)
