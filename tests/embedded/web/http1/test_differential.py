"""The same streams to this server and to h11: what we accept, h11 reads the same way.

Law: the requests that we see, and their bodies, are those that h11 sees, in their order; where we see fewer, we refused
the next one and closed. How the bytes are cut into segments changes nothing.
"""

import sys
from contextlib import suppress
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.embedded.web.http1.feeding import Feeder, silent_feeder
from tests.embedded.web.http1.readers import by_h11
from tests.embedded.web.http1.streams import segments, stream
from tests.embedded.web.wire import Echo, connected, running

#: Streams in the light tests, in the heavy ones, and over a socket.
LIGHT, HEAVY, OVER_SOCKETS = 400, 20_000, 2_000
QUICK = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example)


@settings(max_examples=LIGHT, suppress_health_check=QUICK)
@given(st.randoms(use_true_random=False))
def test_no_stream_shows_us_other_requests_than_h11(chance: Random) -> None:
    check(silent_feeder(), chance)


@pytest.mark.heavy
@settings(max_examples=HEAVY, suppress_health_check=QUICK)
@given(st.randoms(use_true_random=False))
def test_no_stream_of_many_shows_us_other_requests_than_h11(chance: Random) -> None:
    check(silent_feeder(), chance)


@pytest.mark.heavy
@pytest.mark.anyio
async def test_over_a_socket_a_stream_is_read_as_without_one() -> None:
    chance = Random()
    seed = chance.randrange(2**32)
    chance.seed(seed)
    echo, feeder = Echo(), silent_feeder()
    async with running(echo) as server:
        for number in range(OVER_SOCKETS):
            echo.asked.clear()
            data = stream(chance)
            async with connected(server.port) as client:
                with suppress(ConnectionError):
                    for piece in segments(chance, data):
                        await client.says(piece)
                    client.writer.write_eof()
                await client.rest()
            requests = [asked for asked in echo.asked if not asked[0].startswith("websocket ")]
            assert requests == feeder.feed([data]).requests, (seed, number, data)


def check(feeder: Feeder, chance: Random) -> None:
    data = stream(chance)
    seen, theirs = feeder.feed([data]), by_h11(data)
    assert seen.requests == theirs.requests[: len(seen.requests)], data
    if seen.websocket:
        request, body = theirs.requests[len(seen.requests)]
        assert (request[:4], body) == ("GET ", b""), data
    else:
        assert len(seen.requests) == len(theirs.requests) or seen.refused, data
    pieces = segments(chance, data)
    in_pieces = feeder.feed(pieces)
    assert (in_pieces.requests, in_pieces.refused) == (seen.requests, seen.refused), pieces


def main(count: int, seed: int) -> None:
    """Checks so many streams with plain chance: python -m tests.embedded.web.http1.test_differential 1000000"""
    feeder, chance = silent_feeder(), Random(seed)
    for _ in range(count):
        check(feeder, chance)
    print(f"{count:,} streams, seed {seed}: no difference")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1)
