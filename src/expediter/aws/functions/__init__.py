"""The Lambda functions. Each parses its event, calls one use case and answers."""
