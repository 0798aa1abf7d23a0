"""What is kept in the file, one store for each port: orders, claims, the queue, executions, task tokens."""
