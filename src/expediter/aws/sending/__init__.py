"""What is told to people: mails of the outbox, and news of orders to subscribers."""
