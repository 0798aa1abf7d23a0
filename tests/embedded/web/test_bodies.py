"""JSON that two readers could read differently is refused at every operation that takes some."""

import pytest

from expediter.api.errors import MediaTypeUnsupported, RequestUnparsable
from expediter.api.request import JSON, Request
from expediter.api.rest import draft, require_json
from expediter.app.drafts import Draft
from expediter.app.ports import Caller
from expediter.embedded.web.graphql.over_http import in_body, in_query
from expediter.embedded.web.routes.tasks import success

TWICE, HALF = b'{"query":"{a}","query":"{b}"}', b'{"query":"\\ud800"}'


def asked(body: bytes) -> Request:
    return Request("POST", "/", Caller(), "", headers={"content-type": JSON}, body=body)


@pytest.mark.parametrize(("body", "why"), [(TWICE, "the key query is given twice"), (HALF, "half a character")])
def test_graphql_and_tasks_refuse_what_is_read_in_two_ways(body: bytes, why: str) -> None:
    with pytest.raises(RequestUnparsable, match=why):
        in_body(body)
    with pytest.raises(RequestUnparsable, match=why):
        success(asked(body))


def test_variables_in_an_address_are_read_as_strictly() -> None:
    with pytest.raises(RequestUnparsable, match="is given twice"):
        in_query({"query": "{a}", "variables": '{"a":1,"a":2}'})


@pytest.mark.parametrize("text", ["\\ud800", "\\udc00", "a\\ud83d"])
def test_half_a_character_in_an_order_is_called_that(text: str) -> None:
    with pytest.raises(RequestUnparsable, match="half a character"):
        draft(asked(f'{{"user_id":"{text}"}}'.encode()), Draft)


def test_a_byte_order_mark_is_called_that() -> None:
    with pytest.raises(RequestUnparsable, match="byte order mark"):
        draft(asked(b'\xef\xbb\xbf{"user_id":"Ann"}'), Draft)


@pytest.mark.parametrize(("coding", "taken"), [("gzip", False), ("br, gzip", False), ("identity", True), ("", True)])
def test_a_compressed_body_is_refused_as_such(coding: str, taken: bool) -> None:
    headers = {"content-type": JSON, "content-encoding": coding}
    if taken:
        require_json(headers)
        return
    with pytest.raises(MediaTypeUnsupported, match="without Content-Encoding"):
        require_json(headers)
