"""Servers that get more than they can take: on loopback only, bounded in count and time."""

from tests.cli.conftest import started, typed

__all__ = ["started", "typed"]
