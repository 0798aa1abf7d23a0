"""The tasks of an order's workflow, what they ask of the gateways, and what they make of the answers."""
