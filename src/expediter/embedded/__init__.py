"""The home on one machine: one process, one SQLite file, no other service."""
