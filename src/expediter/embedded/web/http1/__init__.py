"""HTTP/1.1: strict, on our own bytes (docs/decisions/0025)."""
