"""``python -m expediter`` is the ``expediter`` command."""

from expediter.cli import main

if __name__ == "__main__":
    main()
