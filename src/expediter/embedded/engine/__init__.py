"""The engine: drives each order's execution, makes the calls through the gateways, fires timers."""
