"""Pure values and rules of an order: what it is, how its status may move, what money moved for it."""
