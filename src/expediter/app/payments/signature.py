"""The signature of a provider's event, as Stripe makes it: https://docs.stripe.com/webhooks#verify-manually

``t=1790000000,v1=…``: the time in seconds, and HMAC-SHA256 of ``{t}.{body}`` in hex. There may be several ``v1``, and
we may have several secrets, so a secret can be changed without a gap.
"""

import hmac
from collections.abc import Iterable

from expediter.domain.errors import OrderError

#: Seconds that the time in a signature may differ from ours.
TOLERANCE = 300
#: Signatures of one header at most.
_MOST = 8


class SignatureRefused(OrderError):
    """The event's signature is wrong, or older than five minutes. Check the secret and the clocks."""


def require_signed(header: str, body: bytes, secrets: Iterable[str], now: int) -> None:
    """Raises SignatureRefused unless one of the secrets signed these bytes, up to five minutes from ``now`` (ms)."""
    parts = [part.strip().partition("=") for part in header.split(",")]
    times = [value for name, _, value in parts if name == "t"]
    given = [value.encode() for name, _, value in parts if name == "v1"][:_MOST]
    if len(times) != 1 or not (times[0].isascii() and times[0].isdigit() and len(times[0]) < 12):
        raise SignatureRefused
    signed = [signature(body, secret, int(times[0])).encode() for secret in secrets]
    matches = [hmac.compare_digest(ours, theirs) for ours in signed for theirs in given]
    if not any(matches) or abs(now // 1000 - int(times[0])) > TOLERANCE:
        raise SignatureRefused


def signature(body: bytes, secret: str, at: int) -> str:
    """The ``v1`` of these bytes at this time (seconds)."""
    return hmac.digest(secret.encode(), str(at).encode() + b"." + body, "sha256").hex()
