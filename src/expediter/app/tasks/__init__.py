"""The tasks of an order's workflow, what they ask of outside parties, and what they make of the answers."""
