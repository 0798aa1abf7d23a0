"""The SQLite file: connections, the group-committing writer, checkpoints, backup, migrations."""
