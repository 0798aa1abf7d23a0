"""The stores in the SQLite file, one for each port: orders, claims, the queue, executions, task tokens."""
