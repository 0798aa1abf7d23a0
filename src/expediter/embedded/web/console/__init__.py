"""The console and the customers' pages over HTTP."""
