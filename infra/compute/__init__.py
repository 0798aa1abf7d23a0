"""What runs: the functions, the state machine, and how a release of both goes live."""
