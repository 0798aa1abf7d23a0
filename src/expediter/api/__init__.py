"""The API: a request is a value, and so is the response. No socket, no framework."""
