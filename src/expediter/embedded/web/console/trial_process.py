"""The process that tries out one definition. It reads a form as JSON from standard input and writes a Trial as JSON."""

import resource
import sys
from contextlib import suppress

import msgspec

#: The limits of the process: seconds of processor time, Python's start included, and bytes of memory.
PROCESSOR_SECONDS = 3
MEMORY = 512 * 1024**2


def limit() -> None:
    """Sets limits: the system ends this process when it exceeds them, or writes a file."""
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
    from expediter.console.trial import tried  # noqa: PLC0415  # its imports count too

    form = msgspec.json.decode(sys.stdin.buffer.read(), type=dict[str, str])
    sys.stdout.buffer.write(msgspec.json.encode(tried(form)))


if __name__ == "__main__":
    main()
