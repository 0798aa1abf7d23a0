"""The command line. Writes go to the server over HTTP; reads open the SQLite file, so they work when it is down."""

import io
import sys


def main() -> None:
    """The ``expediter`` command."""
    from expediter.cli.app import app

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a customer's name may have letters that a terminal has not
    app()
