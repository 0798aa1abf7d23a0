"""``expediter submit``: the orders of a file, each once however often it is run."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from demo.serving import Patience, running
from expediter.app.idempotency import uuid_of
from expediter.cli.submitting import order_lines, sending
from tests.cli.conftest import Run, Server, Start

ORDER = {"user_id": "file", "quantity": 1, "restaurant_id": "r"}


def written(path: Path, *lines: object) -> str:
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return str(path)


def test_every_line_is_accepted_once_however_often_the_file_is_submitted(
    server: Server, typed: Run, tmp_path: Path
) -> None:
    user = {**ORDER, "user_id": str(uuid.uuid4())}
    file = written(tmp_path / "o.jsonl", user, user, "", {**user, "quantity": "3"})

    assert typed("submit", file, "--json", server=server).json == {
        "accepted": 3,
        "replayed": 0,
        "refused": [],
        "without_id": 3,
    }
    assert typed("submit", file, "--json", server=server).json == {
        "accepted": 0,
        "replayed": 3,
        "refused": [],
        "without_id": 3,
    }


def test_the_first_line_of_a_file_that_begins_with_a_byte_order_mark_is_an_order(
    server: Server, typed: Run, tmp_path: Path
) -> None:
    file = tmp_path / "o.jsonl"
    file.write_bytes(b"\xef\xbb\xbf" + json.dumps(ORDER).encode() + b"\r\n" + json.dumps(ORDER).encode())

    assert typed("submit", str(file), "--json", server=server).json["accepted"] == 2


def test_a_line_that_was_added_is_ordered_and_the_others_are_not_again(
    server: Server, typed: Run, tmp_path: Path
) -> None:
    user = {**ORDER, "user_id": str(uuid.uuid4())}
    typed("submit", written(tmp_path / "o.jsonl", user), server=server)
    again = typed("submit", written(tmp_path / "o.jsonl", user, user), "--json", server=server).json

    assert again == {"accepted": 1, "replayed": 1, "refused": [], "without_id": 2}


def test_refused_lines_are_listed_by_number_and_the_others_are_accepted(
    server: Server, typed: Run, tmp_path: Path
) -> None:
    user = {**ORDER, "user_id": str(uuid.uuid4())}
    file = written(tmp_path / "o.jsonl", user, "not json", {**ORDER, "quantity": 0}, "[]")
    answer = typed("submit", file, "--json", server=server)

    assert answer.code == 1
    assert answer.json["accepted"] == 1
    assert [refusal["line"] for refusal in answer.json["refused"]] == [2, 3, 4]
    assert answer.json["refused"][1]["problem"].startswith("OrderInvalid: ")
    assert "  line 2: RequestUnparsable" in typed("submit", file, server=server).out


def test_a_line_s_own_uuid_becomes_the_order_s_id(server: Server, typed: Run, tmp_path: Path) -> None:
    order_id = str(uuid.uuid4())
    typed("submit", written(tmp_path / "o.jsonl", {"id": order_id, **ORDER}), server=server)
    while typed("orders", "show", order_id, server=server).code:
        pass

    assert typed("orders", "show", order_id, "--json", server=server).json["order"]["id"] == order_id


def test_any_other_id_stands_for_the_same_order_in_every_file() -> None:
    first, second = (
        order_lines.read(number, json.dumps({"idempotency_key": "order-17", "quantity": 1}).encode())
        for number in (1, 9)
    )

    assert first.key == second.key
    assert json.loads(first.body) == {"quantity": 1}


def test_two_lines_that_say_the_same_are_two_orders() -> None:
    assert order_lines.read(1, b"{}").key != order_lines.read(2, b"{}").key


def key_and_body(line: object, key_field: str | None = None) -> tuple[str, object]:
    found = order_lines.read(7, json.dumps(line).encode(), key_field)
    return found.key, json.loads(found.body)


@pytest.mark.parametrize("field", order_lines.KEYS)
@pytest.mark.parametrize("empty", ["", None])
def test_an_id_that_is_empty_or_null_is_none(field: str, empty: str | None) -> None:
    first, second = (order_lines.read(number, json.dumps({field: empty, **ORDER}).encode()) for number in (1, 2))

    assert not first.own_key
    assert first.key != second.key
    assert json.loads(first.body) == ORDER


def test_two_lines_with_an_empty_id_are_two_orders_and_the_server_is_told_of_no_unknown_field(
    server: Server, typed: Run, tmp_path: Path
) -> None:
    user = {**ORDER, "user_id": str(uuid.uuid4())}
    lines = ({"id": empty, **user} for empty in ("", "", None))

    answer = typed("submit", written(tmp_path / "o.jsonl", *lines), "--json", server=server)
    assert answer.json == {"accepted": 3, "replayed": 0, "refused": [], "without_id": 3}


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (9007199254740993.0, "id: a number is not an id"),
        (17, "id: a number is not an id"),
        (True, "id: give a text"),
        ({}, "id: give a text"),
        (["a"], "id: give a text"),
        ("  ", "id: give text that can be seen"),
        ("\u200b", "id: give text that can be seen"),
        (" pad", "id: remove the blanks before or after it"),
        ("pad\u00a0", "id: remove the blanks before or after it"),
        (" 3f2504e0-4f89-41d3-9a0c-0305e82c3301", "id: remove the blanks before or after it"),
    ],
)
def test_what_is_no_id_is_refused_with_a_sentence(value: object, why: str) -> None:
    with pytest.raises(ValueError, match=f"OrderInvalid: {why}"):
        key_and_body({"id": value, **ORDER})


def test_both_spellings_of_an_id_are_one_order() -> None:
    """é as one code point, and as e with an accent."""
    one, two = "caf\u00e9-17", "cafe\u0301-17"

    assert key_and_body({"id": one, **ORDER}) == key_and_body({"id": two, **ORDER})
    assert key_and_body({"id": one, "idempotency_key": two}) == key_and_body({"id": one})


def test_two_ids_of_one_line_are_one_or_refused() -> None:
    assert key_and_body({"id": "a", "idempotency_key": "a"}) == key_and_body({"id": "a"})
    with pytest.raises(ValueError, match="id and idempotency_key name two orders"):
        key_and_body({"id": "a", "idempotency_key": "b"})


def test_the_field_that_is_the_key_can_be_named(server: Server, typed: Run, tmp_path: Path) -> None:
    """A line is the same order then wherever it stands."""
    till = str(uuid.uuid4())
    first, second = ({**ORDER, "receipt": f"{till}/{number}"} for number in (1, 2))
    named = ("--key-field", "receipt", "--json")
    written(tmp_path / "o.jsonl", first, {**second, "quantity": 0})
    assert typed("submit", str(tmp_path / "o.jsonl"), *named, server=server).json["accepted"] == 1

    again = typed("submit", written(tmp_path / "o.jsonl", second, first), *named, server=server)
    assert again.json == {"accepted": 1, "replayed": 1, "refused": [], "without_id": 0}


def test_a_field_of_the_order_can_be_its_key_and_stays_in_it() -> None:
    assert key_and_body({"name": "n17", "note": 1}, "name") == (uuid_of("n17"), {"name": "n17", "note": 1})


@pytest.mark.parametrize("line", [{}, {"receipt": ""}, {"receipt": None}])
def test_a_line_without_the_key_that_was_named_is_refused(line: object) -> None:
    with pytest.raises(ValueError, match="OrderInvalid: receipt: the line has none"):
        key_and_body(line, "receipt")


@pytest.mark.parametrize("name", ["", " "])
def test_an_empty_name_of_the_key_s_field_is_refused_before_anything_is_sent(
    server: Server, typed: Run, tmp_path: Path, name: str
) -> None:
    refused = typed("submit", written(tmp_path / "o.jsonl", ORDER), "--key-field", name, server=server)

    assert refused.code == 2
    assert "Name a field" in refused.out + refused.err


def test_a_uuid_in_capitals_is_the_same_id_and_one_in_another_spelling_is_another() -> None:
    plain = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
    spelt = [plain, f"{{{plain}}}", f"urn:uuid:{plain}", plain.replace("-", ""), f"{plain[:4]}-{plain[4:]}"]

    assert uuid_of(plain.upper()) == uuid_of(plain) == plain
    assert len({uuid_of(own) for own in spelt}) == len(spelt)


def test_who_submits_lines_without_ids_is_told_what_orders_them_again_before_the_file_is_corrected(
    server: Server, typed: Run, tmp_path: Path
) -> None:
    user = {**ORDER, "user_id": str(uuid.uuid4())}
    said = typed("submit", written(tmp_path / "o.jsonl", {**user, "quantity": 0}, user), server=server).out
    with_ids = written(tmp_path / "i.jsonl", {"id": str(uuid.uuid4()), **user})

    assert "1 of the accepted lines had no id" in said
    assert "a line that is moved or altered is ordered again" in said
    assert "--key-field" in said
    assert "no id" not in typed("submit", with_ids, server=server).out


class Busy:
    """A server that has no time for anybody's first try."""

    def __init__(self) -> None:
        self.patience = Patience()
        self.tried: list[str] = []
        self.app = Starlette(routes=[Route("/orders", self._post, methods=["POST"])])

    async def _post(self, request: Request) -> Response:
        key = request.headers["idempotency-key"]
        self.tried.append(key)
        first = self.tried.count(key) == 1
        return Response(status_code=503, headers={"Retry-After": "0"}) if first else Response(status_code=204)

    def close(self) -> None:
        pass


@pytest.fixture
def busy() -> Iterator[tuple[Busy, str]]:
    server = Busy()
    with running(server) as url:
        yield server, url


def test_a_busy_server_is_asked_again_under_the_same_key(busy: tuple[Busy, str], typed: Run, tmp_path: Path) -> None:
    server, url = busy
    file = written(tmp_path / "o.jsonl", ORDER, ORDER)

    assert typed("submit", file, "--url", url, "--json").json["accepted"] == 2
    assert len(server.tried) == 4
    assert len(set(server.tried)) == 2


def test_a_server_that_is_not_there_ends_the_run_and_says_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch, typed: Run, tmp_path: Path
) -> None:
    monkeypatch.setattr(sending, "ATTEMPTS", 1)
    answer = typed("submit", written(tmp_path / "o.jsonl", ORDER), "--url", "http://127.0.0.1:9")

    assert answer.code == 1
    assert "No server answers at http://127.0.0.1:9" in answer.err
    assert "run the same command again" in answer.err


def test_a_device_that_never_ends_is_refused_before_anything_is_read(server: Server, typed: Run) -> None:
    refused = typed("submit", "/dev/zero", server=server)

    assert refused.code == 2
    assert "/dev/zero is not a regular file" in refused.err


def test_a_line_without_an_end_is_refused_and_those_around_it_are_accepted(
    server: Server, typed: Run, tmp_path: Path
) -> None:
    file = tmp_path / "o.jsonl"
    order = json.dumps({**ORDER, "user_id": str(uuid.uuid4())}).encode()
    with file.open("wb") as out:
        out.write(order + b"\n")
        out.seek(256 * 1024 * 1024)  # of nothing: the disk holds none of it
        out.truncate()
        out.seek(0, 2)
        out.write(b"\n" + order[:-1] + b" }\n")
    submitted = typed("submit", str(file), "--json", server=server).json

    assert (submitted["accepted"], [refusal["line"] for refusal in submitted["refused"]]) == (2, [2])
    assert "longer than 1 MiB" in submitted["refused"][0]["problem"]


def test_a_file_that_is_one_json_array_is_refused_in_one_sentence(typed: Run, tmp_path: Path) -> None:
    refused = typed("submit", written(tmp_path / "o.json", "[", "{}", "]"), "--url", "http://127.0.0.1:9")

    assert (refused.code, refused.err.count("\n")) == (2, 1)
    assert "is a JSON array" in refused.err


def test_a_server_that_lets_nobody_in_ends_the_submit_with_one_sentence(
    started: Start, typed: Run, tmp_path: Path
) -> None:
    server = started(TOKEN="opensesame")
    file = written(tmp_path / "o.jsonl", *[ORDER] * 300)
    refused = typed("submit", file, "--token", "wrong", server=server)

    assert refused.code == 1
    assert refused.err.count("Unauthorized") == 1
    assert "0 accepted, 0 accepted before, 0 refused so far" in refused.err
    assert typed("submit", file, "--token", "opensesame", server=server).code == 0
