"""Events of payment providers, and customers who come back to their payment.

signature.py   who sent an event
events.py      what an event is about
news.py        what follows: the workflow asks the provider
"""
