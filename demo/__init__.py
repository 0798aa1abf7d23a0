"""Small real servers on loopback (bank, restaurant, mail) for tests, demo and crash tests."""
