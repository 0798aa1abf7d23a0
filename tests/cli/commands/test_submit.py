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
from expediter.cli import submitting
from tests.cli.conftest import Run, Server

ORDER = {"user_id": "file", "quantity": 1, "restaurant_id": "r"}


def written(path: Path, *lines: object) -> str:
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return str(path)


def test_every_line_is_accepted_once_however_often_the_file_is_submitted(
    server: Server, typed: Run, tmp_path: Path
) -> None:
    user = {**ORDER, "user_id": str(uuid.uuid4())}
    file = written(tmp_path / "o.jsonl", user, user, "", {**user, "quantity": "3"})

    assert typed("submit", file, "--json", server=server).json == {"accepted": 3, "replayed": 0, "refused": []}
    assert typed("submit", file, "--json", server=server).json == {"accepted": 0, "replayed": 3, "refused": []}


def test_a_line_that_was_added_is_ordered_and_the_others_are_not_again(
    server: Server, typed: Run, tmp_path: Path
) -> None:
    user = {**ORDER, "user_id": str(uuid.uuid4())}
    typed("submit", written(tmp_path / "o.jsonl", user), server=server)
    again = typed("submit", written(tmp_path / "o.jsonl", user, user), "--json", server=server).json

    assert again == {"accepted": 1, "replayed": 1, "refused": []}


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
        submitting.read(number, json.dumps({"idempotency_key": "order-17", "quantity": 1}).encode())
        for number in (1, 9)
    )

    assert first.key == second.key
    assert json.loads(first.body) == {"quantity": 1}


def test_two_lines_that_say_the_same_are_two_orders() -> None:
    assert submitting.read(1, b"{}").key != submitting.read(2, b"{}").key


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
    monkeypatch.setattr(submitting, "ATTEMPTS", 1)
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
