"""One file for each command of ``expediter``."""
