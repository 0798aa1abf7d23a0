"""The command line. Writes go to the server over HTTP; reads open the SQLite file, so they work when it is down."""


def main() -> None:
    """The ``expediter`` command."""
    from expediter.cli.app import app

    app()
