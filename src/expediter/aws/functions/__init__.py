"""The Lambda functions: parse the event, call one use case, answer. Each reads its settings at its first event."""
