"""Pure values and rules of an order: its fields, the transitions of its status, its money."""
