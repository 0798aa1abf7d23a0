"""The engine: drives each order's execution, makes the calls to outside parties, fires timers."""
