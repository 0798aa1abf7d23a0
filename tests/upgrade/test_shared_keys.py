"""Keys in flight over the upgrade that gave each caller keys of his own: no repeat makes a second order or act."""

import hashlib
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import apsw
import msgspec
import pytest

from expediter.app import intake
from expediter.app.drafts import Draft, convert
from expediter.app.idempotency import id_of_key, own_id
from expediter.app.ports import Caller, Work
from expediter.domain.errors import IdempotencyKeyReused
from tests.embedded.web.conftest import Opened, anyio_backend, opened
from tests.support.clock import NOON, VirtualClock
from tests.support.stage import BURGERS, HOUR, Stage, story
from tests.support.stage import opened as staged
from tests.upgrade.test_upgrade import VERSIONS, left, order_of, tables_of, town_of

__all__ = ["anyio_backend", "opened"]
SHOP = Caller(name="shop (exp_1)", program="key shop")


async def accepted(stage: Stage, caller: Caller, key: str, draft: Draft) -> intake.Accepted:
    def accept(work: Work) -> intake.Accepted:
        return intake.accept(work, caller, draft, id_of_key(work, caller, key))

    return await stage.home.write(accept, "accept")


@pytest.mark.parametrize("version", VERSIONS)
@story
async def test_a_repeat_of_a_program_s_order_from_before_is_that_order(tmp_path: Path, version: str) -> None:
    left(version, tmp_path / "data", tables_of(version))
    with town_of(version, tmp_path) as town:
        async with staged(tmp_path / "data", VirtualClock(NOON + HOUR), **town.settings) as stage:
            key = order_of(stage, "succeeded")
            draft = convert({**BURGERS, "user_id": "succeeded", "email": "c@example.com"}, Draft)
            for caller in (SHOP, Caller()):
                again = await accepted(stage, caller, key, draft)
                assert (again.replayed, again.order.id) == (True, key)
            other = msgspec.structs.replace(draft, restaurant_id="another")
            with pytest.raises(IdempotencyKeyReused):
                await accepted(stage, SHOP, key, other)
            # What comes after the upgrade is the program's own.
            new = str(uuid4())
            for caller in (Caller(), SHOP):
                placed = await accepted(stage, caller, new, draft)
                assert (placed.replayed, placed.order.id) == (False, own_id(caller, new))


@pytest.mark.anyio
async def test_a_repeat_of_what_a_program_asked_for_before_is_answered_as_then(opened: Opened, tmp_path: Path) -> None:
    key, token = str(uuid4()), {"Authorization": "Bearer the-plain-token"}
    async with opened(TOKEN="the-plain-token") as served:
        made = (await served.client.post("/keys", json={"name": "shop", "scopes": ["dlq"]}, headers=token)).json()
        file = next(tmp_path.rglob("expediter.db"))  # noqa: ASYNC240  # once
        asked: tuple[object, ...] = ("purgeDeadLetters", f"shop ({made['key']['id']})", [], b"")
        hashed = hashlib.sha256(msgspec.json.encode(asked)).hexdigest()
        with closing(apsw.Connection(str(file))) as connection:
            values = (key, hashed, b'{"purged":17,"more":false}', served.home.clock.now())
            connection.execute("INSERT INTO answered (key, asked, body, at) VALUES (?, ?, ?, ?)", values)

        shown = {"Authorization": f"Bearer {made['secret']}", "Idempotency-Key": key}
        again = await served.client.delete("/dlq", headers=shown)
        assert (again.json()["purged"], again.headers["Idempotent-Replayed"]) == (17, "true")
        other = await served.client.post("/dlq/redrive", headers=shown)
        assert "Idempotent-Replayed" not in other.headers
