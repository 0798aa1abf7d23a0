"""Sends to people: the outbox's mails, and changes of orders to subscribers."""
