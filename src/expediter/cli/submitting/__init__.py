"""``expediter submit``: reads the orders of a file, and sends each once."""
