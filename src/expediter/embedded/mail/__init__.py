"""Mail: the outbox and SMTP."""
