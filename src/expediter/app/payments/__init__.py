"""Events of payment providers, and customers who come back to their payment.

signature.py   who sent an event
events.py      what an event is about
following.py   what follows from an event
news.py        news of a pending payment: the workflow asks the provider
statement.py   what the provider says of refunds and disputes is taken in
refunds.py     refunds in part
"""
