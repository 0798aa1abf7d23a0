"""The use cases. Synchronous and pure of IO: they talk to ports, and the time and new ids come in."""
