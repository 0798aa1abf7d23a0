"""The page under /console: where to go from here."""

from expediter.doors.request import Response

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Expediter</title>
<style>body { font: 1.1rem/1.6 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem }</style>
<h1>Expediter</h1>
<p>This server takes orders and walks each through its workflow.</p>
<ul>
<li><a href="/orders">/orders</a>: the newest orders; POST one here</li>
<li>/graphql: the same over GraphQL, with a subscription to an order's changes</li>
<li><a href="/dlq">/dlq</a>: messages that could not be taken in</li>
<li><a href="/openapi.json">/openapi.json</a>: every call and its answers</li>
<li><a href="/metrics">/metrics</a>, <a href="/healthz">/healthz</a>, <a href="/readyz">/readyz</a></li>
</ul>
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"

TO_CONSOLE = Response(307, (("Location", "/console"),))
CONSOLE = Response(
    200, (("Content-Type", "text/html; charset=utf-8"), ("Content-Security-Policy", _POLICY)), _PAGE.encode()
)
