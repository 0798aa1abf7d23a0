"""Two orders and one look at them with Python's own client: the second order's body comes in chunks."""

import http.client
import sys
from urllib.parse import urlsplit

client = http.client.HTTPConnection(urlsplit(sys.argv[1]).netloc, timeout=30)
for body in (sys.argv[2].encode(), iter([sys.argv[2].encode()])):
    client.request("POST", "/orders", body, {"Content-Type": "application/json"})
    answer = client.getresponse()
    answer.read()
    print(answer.status)
client.request("GET", "/orders")
print(client.getresponse().status)
