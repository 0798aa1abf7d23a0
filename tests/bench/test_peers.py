"""The peers: their locks, their versions, and the loops that all of their programs share."""

import asyncio
import json
from pathlib import Path

import pytest

from bench.peers import cells, running
from bench.peers.running import PEERS, Peer

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_a_peer_has_a_program_and_a_lock_and_make_installs_it(peer: Peer) -> None:
    names = next(line for line in (ROOT / "Makefile").read_text().splitlines() if line.startswith("PEERS :="))

    assert (ROOT / f"bench/peers/{peer.product}_orders.py").exists()
    assert (ROOT / f"requirements/peers-{peer.product}.txt").exists()
    assert peer.product in names.split()


def test_the_lock_of_restate_s_server_has_hashes_and_no_addresses() -> None:
    text = (ROOT / "bench/peers/restate/package-lock.json").read_text()
    packages = [package for name, package in json.loads(text)["packages"].items() if name]

    assert "://" not in text
    assert packages
    assert all(package["integrity"].startswith("sha512-") for package in packages)


def test_versions_are_those_that_are_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "ROOT", tmp_path)
    peer = Peer("some", "some", "Some", ("some-server", "some-sdk", "absent"))
    (peer.folder / "lib/python3.11/site-packages/some_sdk-1.3.0.dist-info").mkdir(parents=True)
    package = peer.folder / "node_modules/@some/some-server/package.json"
    package.parent.mkdir(parents=True)
    package.write_text('{"version": "1.7.12"}')

    assert peer.versions() == "some-server 1.7.12, some-sdk 1.3.0"
    assert not peer.installed()


def test_waiting_clients_take_one_order_after_the_other() -> None:
    under_way, most, seen = 0, 0, list[int]()

    async def client(number: int) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        seen.append(number)
        under_way -= 1

    found = asyncio.run(cells.closed(client, 3, 0.05))

    assert most == 3
    assert len(set(seen)) == len(seen)
    assert found["rate"] > 0


def test_what_is_sent_is_sent_once_and_then_waited_for() -> None:
    sent, ended = list[int](), list[int]()

    async def send(number: int) -> None:
        sent.append(number)

    async def result(number: int) -> None:
        assert len(sent) == 20
        ended.append(number)

    asyncio.run(cells.sent(send, result, 4, 20))

    assert sorted(sent) == sorted(ended)
    assert len(set(sent)) == 20
