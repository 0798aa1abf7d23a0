"""The process that tries one definition out: a form as JSON on its standard input, a Trial as JSON on its output."""

import resource
import sys
from contextlib import suppress

import msgspec

#: What the process may use: seconds of processor time, starting Python included, and bytes of memory.
PROCESSOR_SECONDS = 3
MEMORY = 512 * 1024**2


def limit() -> None:
    """Has the system end this process when it uses more than it may, or writes a file."""
    limits = (
        (resource.RLIMIT_CPU, PROCESSOR_SECONDS),
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    )
    for kind, most in limits:
        with suppress(ValueError, OSError):  # macOS has no limit of memory
            resource.setrlimit(kind, (most, most))


def main() -> None:
    limit()
    from expediter.console.trial import tried  # noqa: PLC0415  # what it imports counts as well

    form = msgspec.json.decode(sys.stdin.buffer.read(), type=dict[str, str])
    sys.stdout.buffer.write(msgspec.json.encode(tried(form)))


if __name__ == "__main__":
    main()
