"""Money: integer minor units (cents) of one currency. No floats, no exchange."""

#: The largest total of one order, in minor units: what a signed 32-bit integer (GraphQL's Int) holds.
LARGEST_TOTAL = 2**31 - 1
