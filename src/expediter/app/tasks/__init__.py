"""The tasks of an order's workflow, the calls that they need, and what they make of the answers."""
