"""What comes in about payments: news from the provider, and customers who come back.

signature.py   who sent an event
events.py      what an event is about
news.py        what follows: the workflow asks the provider
"""
